"""Which small sizes moments are compared at: p = 2 at every degree, more of them where they are cheap."""

from __future__ import annotations

import pytest

from symbolic.algebra.expression import Expression
from symbolic.algebra.words import gaussian, matrix, tr
from symbolic.averages.expectation import expect
from symbolic.checks.certificates import certify
from symbolic.checks.claims import Case, NotApplicable
from symbolic.checks.entries import cost_by_entries, gram_letters, letter_values
from symbolic.checks.small_sizes import MOST_COST, Sizes, small_sizes

X, Y, Z = gaussian("X", "n", "p"), gaussian("Y", "m", "p"), gaussian("Z", "k", "p")
W, V, U = X.T @ X, Y.T @ Y, Z.T @ Z
A, C = matrix("A", "p", "p"), matrix("C", "n", "n")


def sizes_of(moment: Expression) -> list[Sizes]:
    case = Case(moment, moment)
    return small_sizes(case, lambda at: cost_by_entries(moment, at, *letter_values(case.letters, at)))


def test_rows_of_gram_matrices_are_free_and_different() -> None:
    assert sizes_of(W @ A @ V) == [
        {"p": 2, "m": 3, "n": 4},
        {"p": 3, "m": 2, "n": 3},
        {"p": 1, "m": 4, "n": 5},
    ]


def test_a_letter_on_the_rows_makes_them_dear() -> None:
    assert gram_letters(X.T @ C @ X) == set()
    assert sizes_of(X.T @ C @ X)[0] == {"n": 2, "p": 2}


@pytest.mark.parametrize(
    "moment",
    [tr((W @ V) ** 6), tr((W @ V @ U) ** 4), tr(W @ V) ** 6, tr(W**24), (W @ V @ U) ** 3],
    ids=["two", "three", "traces", "degree 24", "word"],
)
def test_high_degrees_are_compared_with_two_columns(moment: Expression) -> None:
    assert sizes_of(moment)[0]["p"] == 2


def test_a_gram_matrix_may_be_cut_by_the_beginning_of_a_trace() -> None:
    assert gram_letters(tr(X @ A @ X.T)) == {"X"}
    assert gram_letters(tr(X @ X.T) * (X.T @ X)) == {"X"}
    assert gram_letters(X @ A @ X.T) == set()


def test_nothing_is_compared_beyond_all_limits() -> None:
    case = Case(W, expect(W))
    with pytest.raises(NotApplicable, match="too high"):
        small_sizes(case, lambda at: MOST_COST + 1)


def test_the_sizes_are_in_the_certificate() -> None:
    moment = tr((W @ V) ** 3)
    checks = {check.name: check for check in certify(moment, expect(moment)).checks}
    assert (checks["small sizes"].expected or "").startswith("p=2 m=3 n=4: ")
