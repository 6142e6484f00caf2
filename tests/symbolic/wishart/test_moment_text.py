"""Coefficients of moments as LaTeX."""

from fractions import Fraction

import pytest

from symbolic.algebra.quotients import Rational
from symbolic.wishart.identity import RING
from symbolic.wishart.moment_text import factored_latex, flat_latex

N, P = RING.gens()
ONE, n = Rational.number(1), Rational.generator("n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Rational.polynomial(4 * N + 3 * N**2 + N**3), "n (n^{2} + 3 n + 4)"),
        (n + ONE, "(n + 1)"),
        (ONE, ""),
        (-ONE, "-"),
        (Rational.number(-6), "-6"),
        (Rational.polynomial(N * (N - P)), "n (n - p)"),
        (
            Rational.number(Fraction(-2, 3)) * n / Rational.polynomial(N - P - 1),
            r"-\frac{2 n}{3 (n - p - 1)}",
        ),
        (ONE / n, r"\frac{1}{n}"),
        (Rational.number(Fraction(1, 2)), r"\frac{1}{2}"),
    ],
)
def test_factored(value: Rational, text: str) -> None:
    assert factored_latex(value) == text


def test_multiplied_out() -> None:
    assert flat_latex(N**2 - 3 * N * P + 1) == "n^{2} - 3 n p + 1"
    assert flat_latex(N / 2) == r"\frac{1}{2} n"
    assert flat_latex(0 * N) == "0"
