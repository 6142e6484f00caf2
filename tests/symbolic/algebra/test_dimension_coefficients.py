"""Coefficients in n and p: every kind read, factored, shown."""

from fractions import Fraction
from typing import Any

import pytest
import sympy
from flint import fmpz_poly

from symbolic.algebra.dimension_coefficients import as_rational, latex, polynomial_latex
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.wishart.identity import RING

N, P = RING.gens()
n, p = sympy.symbols("n p")
FRACTION = (Rational.generator("n") * Rational.number(Fraction(-2, 3))) / (
    Rational.generator("n") - Rational.generator("p") - Rational.number(1)
)
KINDS = [
    (fmpz_poly([0, 4, 3, 1]), n**3 + 3 * n**2 + 4 * n),
    (N**2 * P - 3 * P, n**2 * p - 3 * p),
    (as_rational(N * P).numerator, n * p),
    (FRACTION, sympy.Rational(-2, 3) * n / (n - p - 1)),
    (fmpz_poly([7]), sympy.Integer(7)),
    (fmpz_poly([]), sympy.Integer(0)),
]


@pytest.mark.parametrize(("value", "expected"), KINDS)
def test_every_kind_becomes_sympy(value: Any, expected: sympy.Expr) -> None:
    assert sympy.cancel(factored_to_sympy(as_rational(value)) - expected) == 0


@pytest.mark.parametrize(("value", "expected"), KINDS)
def test_every_kind_has_a_value(value: Any, expected: sympy.Expr) -> None:
    assert as_rational(value).at({"n": 11, "p": 4}) == Fraction(str(expected.subs({n: 11, p: 4})))


def test_symbols_may_be_chosen() -> None:
    rows = sympy.Symbol("n_t", positive=True)
    assert factored_to_sympy(as_rational(N * P), {"n": rows}) == rows * p


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (fmpz_poly([0, 4, 3, 1]), "n (n^{2} + 3 n + 4)"),
        (fmpz_poly([1, 1]), "(n + 1)"),
        (fmpz_poly([1]), ""),
        (fmpz_poly([-1]), "-"),
        (fmpz_poly([-6]), "-6"),
        (N * (N - P), "n (n - p)"),
        (FRACTION, r"-\frac{2 n}{3 (n - p - 1)}"),
        (Rational.number(1) / Rational.generator("n"), r"\frac{1}{n}"),
        (Rational.number(Fraction(1, 2)), r"\frac{1}{2}"),
    ],
)
def test_latex(value: Any, text: str) -> None:
    assert latex(value) == text


def test_polynomials_in_latex() -> None:
    assert polynomial_latex(as_rational(N**2 - 3 * N * P + 1).numerator) == "n^{2} - 3 n p + 1"
    half = as_rational(N).numerator / 2
    assert polynomial_latex(half) == r"\frac{1}{2} n"
    assert polynomial_latex(half - half) == "0"


def test_a_pole_has_no_value() -> None:
    with pytest.raises(ZeroDivisionError):
        FRACTION.at({"n": 5, "p": 4})
