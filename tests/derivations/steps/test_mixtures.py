"""Means over signs and their counts, eigenvalues put in, limits in probability: each disproved where it is wrong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest

from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.orders import ONE
from derivations.steps.rules.derivatives import limit
from derivations.steps.rules.few_values import mixtures
from derivations.steps.rules.few_values.mixtures import (
    Tends,
    average_counts,
    average_signs,
    differs_at_diagonals,
    put_eigenvalues,
    put_limits,
)
from symbolic.algebra.words import Expression, constant, gaussian, identity, matrix, scalar, tr
from symbolic.proofs.asymptotics import Exponent

A, B = (matrix(name, "p", "p", symmetric=True) for name in "AB")
e, f, p = scalar("e"), scalar("f"), scalar("p")
PLUS, MINUS, TOTAL = scalar("k"), scalar("l"), scalar("n")
SPECTRA = {"A": tuple(map(Fraction, (1, 2, 5))), "B": tuple(map(Fraction, (-1, 1, 3)))}


def test_odd_powers_of_a_sign_vanish() -> None:
    chain = average_signs(Chain(A + e * B + e**2 * f**2 * tr(B) * A + e * f * identity("p")), "e", "f")
    assert chain.result == A + tr(B) * A
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply, match="g does not occur"):
        average_signs(Chain(e * A), "g")


def test_a_sign_whose_square_is_lost_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = mixtures.by_powers
    monkeypatch.setattr(
        mixtures, "by_powers", lambda *given: {k: x for k, x in parts(*given).items() if not any(k)}
    )
    (move,) = average_signs(Chain(A + e**2 * B), "e").moves
    assert "every choice of signs is another" in move.disproved


@pytest.mark.parametrize(("a", "b"), [(1, 0), (2, 1), (3, 1), (2, 2), (4, 0)])
def test_counts_of_signs_are_averaged_as_by_enumeration(a: int, b: int) -> None:
    chain = average_counts(Chain(PLUS**a * MINUS**b * TOTAL), "k", "l", "n")
    assert chain.moves[0].disproved == ""
    for rows in (1, 2, 5):
        each = (comb(rows, k) * Fraction(k**a * (rows - k) ** b, 2**rows) for k in range(rows + 1))
        assert chain.result.replace({"n": constant(rows)}) == constant(rows * sum(each, Fraction(0)))


def test_counts_that_are_averaged_one_by_one_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixtures, "stirling", lambda a, i: int(a == i))
    (move,) = average_counts(Chain(PLUS**2), "k", "l", "n").moves
    assert "counted one by one it is another among 1" in move.disproved


def test_counts_of_rows_that_are_not_averaged_yet_are_refused() -> None:
    with pytest.raises(DoesNotApply, match="average over the matrices of k or l rows first"):
        average_counts(Chain(PLUS * tr(gaussian("X", "k", "p").T @ gaussian("X", "k", "p"))), "k", "l", "n")
    with pytest.raises(DoesNotApply, match="neither"):
        average_counts(Chain(TOTAL), "k", "l", "n")


def test_traces_become_means_of_products_of_eigenvalues() -> None:
    chain = put_eigenvalues(Chain(tr(A @ B) * tr(A) + e * tr(A @ A)), SPECTRA, "p")
    assert chain.result == constant(Fraction(128, 9)) * p**2 + 10 * e * p
    assert chain.moves[0].disproved == ""
    assert "at diagonal matrices of size 3" in differs_at_diagonals(tr(A @ B), 5 * p, SPECTRA, "p")
    for start, said in ((A, "a matrix"), (tr(A @ matrix("D", "p", "p")), "D has no eigenvalues")):
        with pytest.raises(DoesNotApply, match=said):
            put_eigenvalues(Chain(start), SPECTRA, "p")


def found(spread: Expression) -> Chain:
    """A form with the mean 3 + 2 e + 1/p, and this variance."""
    chain = limit(Chain(constant(3) + 2 * e + scalar("1/p")), "p", {}, {})
    return order(chain.begin(spread), {"p": ONE})


def test_a_form_whose_variance_vanishes_tends_to_the_limit_of_its_mean() -> None:
    chain = found(5 * scalar("1/p") * e**2)
    put_limits(chain.begin(scalar("b") ** 2 * scalar("h")), {"b": Tends(0, 1)}, "p")
    assert chain.result == (constant(3) + 2 * e) ** 2 * scalar("h")
    assert chain.moves[-1].disproved == ""
    kept = replace(chain.moves[1], before=constant(5))
    chain._moves[1] = kept
    put_limits(chain.begin(scalar("b")), {"b": Tends(0, 1)}, "p")
    assert "the variance of b does not vanish" in chain.moves[-1].disproved


@pytest.mark.parametrize("factor", [Fraction(1001, 1000), Fraction(-1)])
def test_a_limit_that_is_not_that_of_the_mean_is_noticed(factor: Fraction) -> None:
    chain = found(5 * scalar("1/p") * e**2)
    chain._moves[0] = replace(chain.moves[0], after=chain.moves[0].after * factor)
    put_limits(chain.begin(scalar("b")), {"b": Tends(0, 1)}, "p")
    assert "the mean of b does not come close to its limit" in chain.moves[-1].disproved


def test_a_variance_that_may_stay_for_some_delta_is_refused() -> None:
    """xi^(2 delta - 1) vanishes for delta < 1/2 alone, xi^(-delta) for every delta: neither is taken for decided."""
    for variance in (scalar("1/p") * scalar("d_p"), scalar("1/p") * scalar("1/d_p")):
        chain = limit(Chain(constant(3) + scalar("1/p")), "p", {}, {})
        order(chain.begin(variance), {"p": ONE, "d_p": Exponent(Fraction(0), Fraction(2))})
        with pytest.raises(DoesNotApply, match="not decided for every delta"):
            put_limits(chain.begin(scalar("b")), {"b": Tends(0, 1)}, "p")


def test_a_form_that_keeps_a_variance_has_no_limit() -> None:
    with pytest.raises(DoesNotApply, match="b keeps a variance"):
        put_limits(found(5 * e**2).begin(scalar("b")), {"b": Tends(0, 1)}, "p")
    with pytest.raises(DoesNotApply, match="no limit of the mean and order of the variance of b"):
        put_limits(found(scalar("1/p")).begin(scalar("b")), {"b": Tends(1, 0)}, "p")
    with pytest.raises(DoesNotApply, match="not a single term"):
        put_limits(found(scalar("1/p")).begin(scalar("1/b")), {"b": Tends(0, 1)}, "p")
