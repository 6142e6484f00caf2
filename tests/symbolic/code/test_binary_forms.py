"""Binary forms: both ways of writing a polynomial have the same values; squares are found when they exist."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import symbols

from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import from_sympy
from symbolic.code.binary_forms import (
    catalecticant,
    coefficients,
    homogeneous,
    lowest_square,
    promising,
    squares,
    three_squares,
)

A, N, P = symbols("a n p")
POINTS = (Fraction(0), Fraction(1), Fraction(-7, 3), Fraction(2, 5), Fraction(100))
POLYNOMIALS = (
    1 - 2 * A + 3 * A**2,
    4 - A,
    2 + A**2 - 5 * A**3 + 7 * A**4,
    (1 - A) ** 6 + 3 * A**6 - A**3,
)


def numbers(expr: object) -> list[Rational]:
    return coefficients(from_sympy(expr).numerator, "a")


def at(q: list[Rational], a: Fraction) -> Fraction:
    return sum((c.at({}) * a**k for k, c in enumerate(q)), Fraction(0))


@pytest.mark.parametrize("expr", POLYNOMIALS)
def test_homogeneous_form_has_the_polynomials_values(expr: object) -> None:
    q = numbers(expr)
    c = [x.at({}) for x in homogeneous(q)]
    top = len(c) - 1
    for a in POINTS:
        assert at(q, a) == sum(x * (1 - a) ** (top - k) * a**k for k, x in enumerate(c))


@pytest.mark.parametrize("expr", [p for p in POLYNOMIALS if p != POLYNOMIALS[1]])
def test_catalecticant_is_a_matrix_of_the_form(expr: object) -> None:
    q = numbers(expr)
    gram = [[x.at({}) for x in row] for row in catalecticant(q)]
    half = len(gram) - 1
    for a in POINTS:
        z = [(1 - a) ** (half - i) * a**i for i in range(half + 1)]
        assert at(q, a) == sum(gram[i][j] * z[i] * z[j] for i in range(half + 1) for j in range(half + 1))


def test_average_of_even_powers_is_a_sum_of_squares() -> None:
    q = numbers(2 * (1 - 3 * A) ** 4 + 5 * (1 - A) ** 4 + (1 + A) ** 4)
    found = squares(q, lambda pivot: pivot.at({}) > 0)
    assert found is not None
    for a in POINTS:
        total = Fraction(0)
        for pivot, row in found:
            half = len(row) - 1
            total += (
                pivot.at({}) * sum(x.at({}) * (1 - a) ** (half - j) * a**j for j, x in enumerate(row)) ** 2
            )
        assert total == at(q, a)


@pytest.mark.parametrize("expr", [1 - 3 * A + A**2, A**2 - 1, 1 - A**4])
def test_polynomial_with_both_signs_is_no_sum_of_squares(expr: object) -> None:
    q = numbers(expr)
    assert squares(q, lambda pivot: pivot.at({}) > 0) is None
    assert not promising(q, [{}])


def test_odd_degree_is_no_sum_of_squares() -> None:
    assert squares(numbers(1 + A), lambda pivot: True) is None


def test_promising_looks_at_every_point() -> None:
    # N - 3 + a^2 is positive for N = 5 and not for N = 2
    q = coefficients(from_sympy(N - 3 + A**2).numerator, "a")
    assert promising(q, [{"n": Fraction(5)}])
    assert not promising(q, [{"n": Fraction(5)}, {"n": Fraction(2)}])


def test_three_squares_of_a_quadratic() -> None:
    weights = three_squares(numbers(2 - 4 * A + 7 * A**2))
    assert weights is not None
    x, y, z = (w.at({}) for w in weights)
    assert all(x + y * a**2 + z * (1 - a) ** 2 == 2 - 4 * a + 7 * a**2 for a in POINTS)
    assert three_squares(numbers(1 + A)) is None


def test_lowest_square_takes_the_two_lowest_terms() -> None:
    q = numbers(3 - 5 * A + 2 * A**2 + A**4)
    slope, rest = lowest_square(q)
    for a in POINTS:
        assert at(q, a) == 3 * (1 + slope.at({}) * a) ** 2 + a**2 * at(rest, a)


def test_coefficients_keep_the_other_variables() -> None:
    found = coefficients(from_sympy(N * A**2 + P - A).numerator, "a")
    assert [sorted(c.names()) for c in found] == [["p"], [], ["n"]]
