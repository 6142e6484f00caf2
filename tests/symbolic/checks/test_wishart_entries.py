"""Wishart matrices and their inverses entry by entry: against moments that are known in closed form."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq_mat

from symbolic.checks.wishart_entries import SmallWishart, Term, inverse_counts

ROOTS = {
    1: [[Fraction(2)]],
    2: [[Fraction(1), Fraction(0)], [Fraction(1), Fraction(3)]],
    3: [[Fraction(int(i >= j) * (i + 1)) for j in range(3)] for i in range(3)],
}


def small(size: int, rows: int) -> SmallWishart:
    letters = {"A": [[Fraction(3 * i - j + 1) for j in range(size)] for i in range(size)]}
    return SmallWishart(size, {"W": rows, "W1": rows + 1}, letters, ROOTS[size])


def matrix(table: list[list[Fraction]]) -> fmpq_mat:
    return fmpq_mat([[int(x.numerator) for x in row] for row in table]) if table else fmpq_mat(0, 0)


def term(*word: str, number: int = 1) -> Term:
    return Fraction(number), (), word


@pytest.mark.parametrize("size", [1, 2, 3])
def test_first_moments(size: int) -> None:
    at = small(size, 7)
    sigma = matrix(at.covariance())
    assert at.expectation([term("W")]) == [[7 * x for x in row] for row in at.covariance()]
    inverse = [[Fraction(int(x.p), int(x.q)) / (7 - size - 1) for x in row] for row in sigma.inv().tolist()]
    assert at.expectation([term("W^-1")]) == inverse
    assert at.expectation([term("Sigma", "W^-1", number=7 - size - 1)]) == at.expectation([term()])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_inverse_undoes_its_matrix(size: int) -> None:
    """Also beside other inverses of the same matrix, where the number of rows is shifted twice."""
    at = small(size, 9)
    assert at.expectation([term("W", "W^-1")]) == at.expectation([term()])
    assert at.expectation([term("W^-1", "W", "A", "W^-1")]) == at.expectation([term("A", "W^-1")])
    once = at.expectation([(Fraction(1), (("W", "A", "W1"),), None)])
    twice = at.expectation([(Fraction(1), (("W", "A", "W1", "W1^-1", "W1"),), None)])
    assert once == twice


@pytest.mark.parametrize("size", [1, 2, 3])
def test_second_moments(size: int) -> None:
    """E W A W = n^2 Sigma A Sigma + n Sigma A' Sigma + n tr(A Sigma) Sigma."""
    at, n = small(size, 5), 5
    right: list[Term] = [
        term("Sigma", "A", "Sigma", number=n * n),
        term("Sigma", "A'", "Sigma", number=n),
        (Fraction(n), (("A", "Sigma"),), ("Sigma",)),
    ]
    assert at.expectation([term("W", "A", "W")]) == at.expectation(right)


def test_the_cost_is_that_of_the_matrices_that_are_open() -> None:
    """Many matrices one after the other cost little; matrices within one another more."""
    rows = {f"W{k}": 3 for k in range(1, 9)}
    at = SmallWishart(2, rows, {}, [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]])
    row = tuple(name for k in range(1, 9) for name in (f"W{k}", f"W{k}"))
    nested = tuple(f"W{k}" for k in range(1, 9)) * 2
    assert at.cost([(Fraction(1), (), row)]) * 50 < at.cost([(Fraction(1), (), nested)])
    assert at.expectation([(Fraction(1), (row,), None)]) == [[Fraction(2 * (9 + 3 + 6) ** 8)]]


def test_inverses_are_counted() -> None:
    assert inverse_counts([("W^-1", "A", "W^-1"), ("W1", "Sigma^-1", "W2^-1")]) == {"W": 2, "W2": 1}
