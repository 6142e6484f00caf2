"""Bounds of means: by sums over indices, by mean squares, by a probability; a smaller one is disproved."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules import moment_bounds
from derivations.steps.rules.moment_bounds import Deviation, bound_mean, by_pairs, chebyshev
from symbolic.algebra.words import (
    Expression,
    constant,
    independent_entries,
    matrix,
    scalar,
    tr,
)

X, Y = (independent_entries(name, "1", "p", "generic:8", "S") for name in "XY")
A, B = (matrix(name, "p", "p", symmetric=True) for name in "AB")
NORMS = {"B": "norm_of_B"}
C, D, E = (matrix(name, "N", "N", symmetric=True) for name in "CDE")
OF = (Deviation("D", "d", "g", "I"), Deviation("C", "s", "c"), Deviation("E", "e", "w"))
INVERSE = matrix("I", "N", "N", symmetric=True)


@pytest.mark.parametrize(
    ("form", "bound"),
    [
        (X @ A @ X.T, scalar("p")),
        (X @ B @ X.T, scalar("p") * scalar("norm_of_B")),
        ((X @ A @ Y.T) * (X @ B @ Y.T), scalar("p") * scalar("norm_of_B")),
        (
            (X @ A @ X.T) * (X @ A @ X.T),
            scalar("p") ** 2 + 2 * scalar("p") + scalar("p") * scalar("kappa_4"),
        ),
        (-1 * (X @ A @ X.T), scalar("p")),
    ],
)
def test_each_connected_sum_is_at_most_the_dimension(form: Expression, bound: Expression) -> None:
    (move,) = bound_mean(Chain(form), "p", NORMS).moves
    assert (move.after, move.disproved) == (bound, "")


def test_a_smaller_bound_is_disproved(monkeypatch: pytest.MonkeyPatch) -> None:
    form = (X @ A @ X.T) * (X @ B @ X.T)
    bounds = moment_bounds.term_bounds
    monkeypatch.setattr(
        moment_bounds, "term_bounds", lambda *given: [scalar("1/p") * one for one in bounds(*given)]
    )
    (move,) = bound_mean(Chain(form), "p", NORMS).moves
    assert "larger than its bound" in move.disproved


def test_another_mean_is_disproved(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = moment_bounds.average
    monkeypatch.setattr(moment_bounds, "average", lambda expr, *given: engine(2 * expr, *given))
    (move,) = bound_mean(Chain(X @ A @ X.T), "p", NORMS).moves
    assert "moments of single entries give another mean" in move.disproved


def test_a_matrix_has_no_bound() -> None:
    with pytest.raises(DoesNotApply, match="bound by connected sums"):
        bound_mean(Chain(X.T @ X), "p", NORMS)


@pytest.mark.parametrize(
    "product",
    [tr(C @ E), tr(D) * tr(E), tr(D @ D), tr(INVERSE @ D @ C @ D @ E), -3 * tr(D @ D @ D) * scalar("h")],
)
def test_two_deviations_at_a_time(product: Expression, monkeypatch: pytest.MonkeyPatch) -> None:
    (move,) = by_pairs(Chain(product), OF).moves
    assert move.disproved == ""
    assert moment_bounds.exceeds_at_finite_laws(product, constant(Fraction(1, 8)) * move.after, OF)


@pytest.mark.parametrize("product", [tr(D), tr(C @ C), tr(A) * tr(D @ D), tr(C @ INVERSE)])
def test_fewer_deviations_or_unbounded_ones_have_no_such_bound(product: Expression) -> None:
    with pytest.raises(DoesNotApply, match="bound by Cauchy-Schwarz"):
        by_pairs(Chain(product), OF)


def test_single_deviations_over_an_event() -> None:
    product = tr(D) * scalar("h") - 3 * tr(C)
    (move,) = moment_bounds.on_event(Chain(product), OF, "r").moves
    assert move.disproved == ""
    assert moment_bounds.exceeds_on_event(product, constant(Fraction(9, 20)) * move.after, OF, "r")
    for other in (tr(D @ D), tr(A), D):
        with pytest.raises(DoesNotApply, match="no trace of a single deviation"):
            moment_bounds.on_event(Chain(other), OF, "r")


def test_a_large_deviation_is_as_rare_as_its_mean_square_says() -> None:
    (move,) = chebyshev(Chain(scalar("h") * scalar("r")), "r", "d").moves
    assert (move.after, move.disproved) == (2 * scalar("N") * scalar("h") * scalar("d"), "")
    less = move.after * constant(Fraction(9, 10))
    assert "more often" in moment_bounds.exceeds_probability(move.before, less, "r", "d")
    with pytest.raises(DoesNotApply, match="q does not occur"):
        chebyshev(Chain(scalar("r")), "q", "d")
