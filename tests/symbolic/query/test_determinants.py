"""Determinants: products of chi-squared variables for Gaussian rows, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, prod
from typing import Any

import pytest
from flint import fmpq_mat

from symbolic.grammar.query_tree import tree_value
from symbolic.grammar.syntax import parse
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.query.query import moment
from symbolic.wishart.existence import MomentDoesNotExist


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_powers_of_the_determinant_of_a_wishart_matrix(p: int) -> None:
    """det W is a product of independent chi-squared variables with n, n - 1, ... degrees of freedom."""
    n = p + 3
    assert moment("det(W)", {"n": n, "p": p}).value == str(prod(n - i for i in range(p)))
    assert moment("det(W)^2", {"n": n, "p": p}).value == str(prod((n - i) * (n - i + 2) for i in range(p)))


def test_fixed_matrices_multiply_the_determinant() -> None:
    values: dict[str, Any] = {"n": 3, "A": [[1, 2], [3, 4]], "Sigma": [[2, 1], [1, 2]]}
    assert moment("det(W A)", values).value == str(3 * 2 * 3 * -2)


@pytest.mark.parametrize(("p", "rows"), [(2, 2), (3, 3), (3, 4)])
def test_under_another_law(p: int, rows: int) -> None:
    """By Cauchy and Binet, the mean is the number of ways to choose p of n rows times p!, for unit variances."""
    choices = prod(range(rows - p + 1, rows + 1)) // factorial(p)
    assert moment("det(W)", {"n": rows, "p": p}, None, "rademacher").value == str(choices * factorial(p))


def test_a_wrong_order_is_noticed() -> None:
    matrix = fmpq_mat([[2, 1], [1, 3]])
    assert tree_value(parse("det(A)", 2), {}, {"A": matrix}, 2) == 5
    assert tree_value(parse("det(A)", 1), {}, {"A": matrix}, 2) == 5  # the trace
    assert tree_value(parse("det(A)", 3), {}, {"A": matrix}, 2) == 0


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        ("det(W)", None, "give p, as in p=3"),
        ("det(W)", 50, "determinants are taken up to p = 12"),
        ("det(n)", 2, "the determinant of a scalar is taken"),
        ("det W", 2, "expected '(' after det"),
        ("determinant(W)", 2, "is written det"),
    ],
)
def test_what_is_refused(text: str, columns: int | None, reason: str) -> None:
    with pytest.raises(MomentSyntaxError) as caught:
        parse(text, columns)
    assert reason in str(caught.value)


@pytest.mark.parametrize(("p", "power"), [(1, 1), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)])
def test_negative_powers_of_the_determinant(p: int, power: int) -> None:
    """The same product of chi-squared variables; it exists for n - p > 2 power - 1."""
    n = p + 2 * power
    expected = Fraction(1, prod(n - i - 2 * j for i in range(p) for j in range(1, power + 1)))
    found = moment(f"det(W)^-{power}", {"n": n, "p": p})
    assert Fraction(str(found.value)) == expected
    assert found.conditions == (f"n - p > {2 * power - 1}",)
    with pytest.raises(MomentDoesNotExist, match=f"take n of at least {n}"):
        moment(f"det(W)^-{power}", {"n": n - 1, "p": p})


@pytest.mark.parametrize("covariance", [None, [[2, 1], [1, 3]]])
@pytest.mark.parametrize("text", ["W", "W A W", "W^-1"])
def test_a_power_of_the_determinant_takes_rows_away(text: str, covariance: Any) -> None:
    """The density gives E f(W) det(W)^-1 = E det(W)^-1 E f(W) with two rows less, which the engine does not use."""
    n, letters = 9, {"A": [[1, 2], [0, -1]]} if "A" in text else {}
    given: dict[str, Any] = letters | given_sigma(covariance)
    less = moment(text, {**given, "n": n - 2, "p": 2}).value
    factor = Fraction(str(moment("det(W)^-1", {**given_sigma(covariance), "n": n, "p": 2}).value))
    found = moment(f"{text} det(W)^-1", {**given, "n": n, "p": 2}).value
    assert isinstance(found, list)
    assert isinstance(less, list)
    assert [[Fraction(str(x)) for x in row] for row in found] == [
        [factor * Fraction(str(x)) for x in row] for row in less
    ]


def given_sigma(covariance: Any) -> dict[str, Any]:
    return {} if covariance is None else {"Sigma": covariance}


@pytest.mark.parametrize(("text", "p"), [("det(W A)^-1", 2), ("det(A)^-1", 4), ("det(W + A)^-1", 2)])
def test_negative_powers_that_are_refused(text: str, p: int) -> None:
    with pytest.raises(MomentSyntaxError, match=r"negative powers|inverse of a sum"):
        moment(text, {"p": p})


def test_a_determinant_is_compared_where_it_is_not_zero() -> None:
    assert moment("det(W)", {"p": 3}).checked[0].endswith("p=3")
    assert moment("det(W)^-1", {"p": 3}).checked[0].endswith("p=3")
