"""Haff's identity as a move: moments of Wishart matrices and their inverses, and how a wrong one is noticed."""

from __future__ import annotations

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.haff import (
    INVERSE,
    LETTERS,
    SIGMA,
    SIGMA_INVERSE,
    WISHART,
    by_parts,
    divisors,
    not_the_mean,
    one_inverse_fewer,
    solved,
)
from symbolic.algebra.words import Expression, matrix, reciprocal, scalar, tr

W, G, S, V = (LETTERS[name] for name in (WISHART, INVERSE, SIGMA, SIGMA_INVERSE))
n, p = scalar("n"), scalar("p")


@pytest.mark.parametrize(
    ("start", "mean"),
    [
        (W, n * S),
        (W @ W, n * (n + 1) * S @ S + n * tr(S) * S),
        (tr(W) ** 2, n**2 * tr(S) ** 2 + 2 * n * tr(S @ S)),
        (W @ S @ W, n * (n + 1) * S @ S @ S + n * tr(S @ S) * S),
    ],
)
def test_powers_of_a_wishart_matrix(start: Expression, mean: Expression) -> None:
    chain = Chain(start)
    while WISHART in chain.result.letters():
        by_parts(chain)
    assert chain.result == mean
    assert {move.check for move in chain.moves} == {"proved"}


@pytest.mark.parametrize("start", [G, V @ G, tr(G) * G, tr(G @ G) * tr(G), tr(V @ G @ G), G @ G @ G])
def test_one_inverse_fewer_has_the_same_mean(start: Expression) -> None:
    chain = one_inverse_fewer(Chain(start))
    assert chain.moves[-1].check == "proved"
    wrong = 2 * chain.result
    assert "another mean" in not_the_mean(start, wrong, divisors(start, wrong))


def test_the_mean_of_an_inverse() -> None:
    chain = one_inverse_fewer(Chain(G))
    assert chain.result == reciprocal("c_1") * V
    assert divisors(chain.result) == {"c_1": scalar("q") - 1, "q": n - p}
    assert str(solved(2)[1]) == "q**2 - 3*q"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (S, "no W_inverse in Sigma"),
        (G @ S @ G, "stand between the inverses"),
        (tr(S @ G) * tr(V @ G), "between several of the inverses"),
        (tr(W @ S) * G, "average over the factors W first"),
        (matrix("A", "p", "p") @ G, "A is no power of W"),
    ],
)
def test_what_has_no_such_equation_is_refused(start: Expression, reason: str) -> None:
    with pytest.raises(DoesNotApply, match=f"Haff's identity: .*{reason}"):
        one_inverse_fewer(Chain(start))


def test_a_product_without_the_matrix_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="begins with W"):
        by_parts(Chain(G))
