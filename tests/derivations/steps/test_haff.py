"""Haff's identity as a move: moments of Wishart matrices and their inverses, and how a wrong one is noticed."""

from __future__ import annotations

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.haff import by_parts, divisors, one_inverse_fewer, roots
from derivations.steps.rules.wishart_words.bartlett import not_the_mean
from derivations.steps.rules.wishart_words.letters_by_name import (
    HERMITIAN,
    HERMITIAN_INVERSE,
    INVERSE,
    LETTERS,
    SIGMA,
    SIGMA_INVERSE,
    WISHART,
)
from symbolic.algebra.words import Expression, identity, matrix, reciprocal, scalar, tr

W, G, S, V = (LETTERS[name] for name in (WISHART, INVERSE, SIGMA, SIGMA_INVERSE))
A, D = LETTERS["A"], LETTERS["D"]
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


MIXED = [
    G @ A @ G,
    S @ G @ D @ G @ A,
    tr(A @ G) ** 2,
    tr(A @ G) * D @ G,
    tr(A @ G @ D @ G) * A.T,
    G @ A @ G @ D @ G,
    tr(S @ G) * tr(V @ G),
]


@pytest.mark.parametrize("start", [G, V @ G, tr(G) * G, tr(G @ G) * tr(G), tr(V @ G @ G), G @ G @ G, *MIXED])
def test_one_inverse_fewer_has_the_same_mean(start: Expression) -> None:
    chain = one_inverse_fewer(Chain(start))
    assert chain.moves[-1].check == "proved"
    wrong = 2 * chain.result
    assert "another mean" in not_the_mean(start, wrong, divisors(start, wrong))


def test_the_mean_of_an_inverse() -> None:
    chain = one_inverse_fewer(Chain(G))
    assert chain.result == reciprocal("c_1") * V
    assert divisors(chain.result) == {"c_1": scalar("q") - 1, "q": n - p}


def test_the_numbers_that_are_divided_by() -> None:
    """q (q - 1) (q - 3) for two inverses, and so on: contents of partitions, as q is n - p."""
    assert [roots(degree) for degree in (1, 2, 3)] == [(1,), (0, 3), (-1, 0, 3, 5)]


@pytest.mark.parametrize(
    ("start", "mean"),
    [
        (W @ A @ G, (n * S @ A @ V - A.T - tr(A) * LETTERS[SIGMA] @ V) * reciprocal("c_1")),
        (tr(W @ A) * tr(G @ D), (n * tr(S @ A) * tr(V @ D) - 2 * tr(A @ D)) * reciprocal("c_1")),
    ],
)
def test_a_wishart_matrix_and_its_inverse(start: Expression, mean: Expression) -> None:
    chain = one_inverse_fewer(by_parts(Chain(start)))
    assert {move.check for move in chain.moves} == {"proved"}
    assert not_the_mean(chain.result, mean, divisors(mean)) == ""


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (S, "no W_inverse in Sigma"),
        (tr(W @ S) * G, "average over the factors that are no inverses first"),
        (matrix("B", "p", "p") @ G, "B is no power of W, and none of A, D"),
    ],
)
def test_what_has_no_such_equation_is_refused(start: Expression, reason: str) -> None:
    with pytest.raises(DoesNotApply, match=f"Haff's identity: .*{reason}"):
        one_inverse_fewer(Chain(start))


@pytest.mark.parametrize("start", [G, G @ A @ W, tr(A @ W) * G])
def test_a_product_that_does_not_begin_with_the_matrix_is_refused(start: Expression) -> None:
    with pytest.raises(DoesNotApply, match="begins with W"):
        by_parts(Chain(start))


# -- complex rows -----------------------------------------------------------------------------------------------

H, K = LETTERS[HERMITIAN], LETTERS[HERMITIAN_INVERSE]
COMPLEX = [
    K,
    tr(K) * K,
    K @ A @ K,
    tr(A @ K) * D @ K,
    tr(A @ K) * tr(A @ K),
    K @ A @ K @ D @ K,
    tr(A @ K @ D @ K) * A.T,
    tr(A @ K @ A.T @ K @ K),
]


@pytest.mark.parametrize("start", COMPLEX)
def test_one_inverse_fewer_of_complex_rows_has_the_same_mean(start: Expression) -> None:
    chain = one_inverse_fewer(Chain(start))
    assert chain.moves[-1].check == "proved"
    wrong = 2 * chain.result
    assert "another mean" in not_the_mean(start, wrong, divisors(start, wrong))


def test_means_of_complex_wishart_matrices() -> None:
    chain = by_parts(by_parts(Chain(H @ A @ H)))
    assert chain.result == n**2 * S @ A @ S + n * tr(A @ S) * S
    chain = one_inverse_fewer(by_parts(Chain(H @ A @ K)))
    assert chain.result == (n * S @ A @ V - tr(A) * identity("p")) * reciprocal("h_1")
    assert {move.check for move in chain.moves} == {"proved"}
    assert [roots(degree, HERMITIAN_INVERSE) for degree in (1, 2, 3)] == [(0,), (-1, 1), (-2, -1, 1, 2)]


def test_a_closed_word_of_complex_rows_is_not_turned() -> None:
    """The mean of tr(A H) tr(A^T H) is not that of tr(A H)^2."""
    chain = by_parts(by_parts(Chain(tr(A @ H) * tr(A.T @ H))))
    assert chain.result == n**2 * tr(A @ S) * tr(A.T @ S) + n * tr(A @ S @ A.T @ S)
