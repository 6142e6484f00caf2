"""Means beside the logarithm of a determinant: chi-squared and gamma variables by quadrature, and shifts of the rows."""

from __future__ import annotations

from itertools import product
from math import prod

import mpmath
import pytest

from symbolic.checks.gram_moments import ComplexGramMoments, GramMoments, pairs, places
from symbolic.checks.log_determinants import LogGramMoments, complex_log_moments, steps


@pytest.mark.parametrize(
    ("freedom", "first", "power", "width"), [(7, 0, 3, 2), (9, 2, 0, 2), (9, 2, 3, 2), (5, 1, 2, 1)]
)
def test_steps_are_differences_of_the_digamma_function(
    freedom: int, first: int, power: int, width: int
) -> None:
    ends = [mpmath.digamma(mpmath.mpf(freedom) / width + k) for k in (power - first, 0)]
    assert float(steps(freedom, first, power, width)) == pytest.approx(
        float(ends[0] - ends[1]), rel=1e-12, abs=0
    )


@pytest.mark.parametrize(
    ("size", "complex_entries"), [(1, False), (2, False), (3, False), (1, True), (2, True)]
)
def test_a_power_of_the_determinant_beside_differs_by_the_slope(size: int, complex_entries: bool) -> None:
    """E f det^k/E det^k is the mean at more rows; its derivative at k = 0 is taken by means at real rows near by."""
    rows, step = 6, 1e-4
    entries = places(size) if complex_entries else pairs(size)
    for exponents in product(range(3 if size < 3 else 2), repeat=len(entries)):
        slope = (complex_log_moments(rows, size, 0) if complex_entries else LogGramMoments(rows, size, 0))(
            exponents
        )
        means = [_mean(rows + way * step, size, exponents, complex_entries) for way in (1, -1)]
        factor = 1 if complex_entries else 2
        assert float(slope) == pytest.approx(factor * (means[0] - means[1]) / (2 * step), rel=1e-5, abs=1e-6)


def _mean(rows: float, size: int, exponents: tuple[int, ...], complex_entries: bool) -> float:
    """The mean, a polynomial in the number of rows, at any rows: through its values at whole ones."""
    degree = sum(exponents)
    points = range(size, size + degree + 1)
    made = ComplexGramMoments if complex_entries else GramMoments
    values = [float(made(n, size)(exponents)) for n in points]
    return sum(
        value * prod((rows - m) / (n - m) for m in points if m != n)
        for n, value in zip(points, values, strict=True)
    )


def test_inverses_shift_what_the_mean_is_taken_off() -> None:
    """At p = 1, E x^-1 log x = E x^-1 (E log x - 2/(n - 2)) for a chi-squared x, here by quadrature."""
    n = 9

    def over(power: int, logarithms: int) -> mpmath.mpf:
        def weighted(x: mpmath.mpf) -> mpmath.mpf:
            return x ** (mpmath.mpf(n) / 2 - 1 + power) * mpmath.exp(-x / 2) * mpmath.log(x) ** logarithms

        return mpmath.quad(weighted, [0, 1, 10, 60, 300])

    mean_log, inverse, both = (over(*kind) / over(0, 0) for kind in ((0, 1), (-1, 0), (-1, 1)))
    shifted = LogGramMoments(n - 2, 1, 1)((0,))
    assert float(shifted) == pytest.approx(float(both / inverse - mean_log), rel=1e-8)
