"""Moments of entries of random frames, column by column, and of the Moore-Penrose inverse by the triangular decomposition.

The columns of a rotation, or the orthonormal columns of a uniform p x k frame, are drawn one after the other: given k others, a
column is uniform on the unit sphere of their orthogonal complement, so that

    E v_a v_b ... v_c = sum_b P_ab E(the rest) / (p - k + m - 2) for m factors,   P = I - sum of u u^T over the others.

X = T H with a lower triangular T, whose T_ii^2 are chi-squared with p - i degrees of freedom (i from 0) and whose other entries are
standard normal, and a frame H^T independent of it; X^T X = H^T T^T T H and (X^T X)^+ = H^T (T^T T)^-1 H. Neither pairings nor the Weingarten function
come into this.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, prod

from symbolic.checks.gram_moments import chi_squared_moment, normal_moment

Exponents = tuple[int, ...]

MAX_FRAME = 2
"""Most rows of X for which the inverse is written out."""


class FrameMoments:
    """E of monomials in the entries of a p x k frame, row by row, by their exponents; k = p for a rotation."""

    def __init__(self, size: int, columns: int) -> None:
        self._size, self._columns = size, columns
        self._known: dict[Exponents, Fraction] = {(0,) * (size * columns): Fraction(1)}

    def __call__(self, exponents: Exponents) -> Fraction:
        """The expectation of one monomial."""
        known = self._known.get(exponents)
        if known is None:
            # the law is that of the frame with its rows in any order
            width = self._columns
            rows = sorted((exponents[k : k + width] for k in range(0, len(exponents), width)), reverse=True)
            ordered = tuple(exponent for row in rows for exponent in row)
            known = self._known.get(ordered)
            if known is None:
                known = self._known[ordered] = self._integrated(ordered)
            self._known[exponents] = known
        return known

    def _integrated(self, exponents: Exponents) -> Fraction:
        columns = self._columns
        used = [c for c in range(columns) if any(exponents[c::columns])]
        degrees = [sum(exponents[c::columns]) for c in used]
        sums = [sum(exponents[k * columns : (k + 1) * columns]) for k in range(self._size)]
        if any(degree % 2 for degree in (*degrees, *sums)):
            return Fraction(
                0
            )  # the law is that of the frame with the signs of a column, or of a row, changed
        last, others = used[-1], used[:-1]
        first = next(k for k in range(self._size) if exponents[k * columns + last])
        rest = _changed(exponents, first * columns + last, -1)
        total = Fraction(0)
        for k in range(self._size):
            count = rest[k * columns + last]
            if not count:
                continue
            shorter = _changed(rest, k * columns + last, -1)
            if k == first:
                total += count * self(shorter)
            for other in others:
                moved = _changed(_changed(shorter, first * columns + other, 1), k * columns + other, 1)
                total -= count * self(moved)
        return total / (self._size - len(others) + degrees[-1] - 2)


def _changed(exponents: Exponents, place: int, by: int) -> Exponents:
    return (*exponents[:place], exponents[place] + by, *exponents[place + 1 :])


@lru_cache(maxsize=64)
def frame_moments(size: int, columns: int) -> FrameMoments:
    """The moments for these sizes, kept between moments."""
    return FrameMoments(size, columns)


def chi_squared_power(freedom: int, power: int) -> Fraction:
    """E x^power of a chi-squared variable. Raises ZeroDivisionError where it does not exist for an even freedom."""
    if power >= 0:
        return Fraction(chi_squared_moment(freedom, power))
    return Fraction(1, prod(freedom - 2 * step for step in range(1, 1 - power)))


def triangular_moment(size: int, exponents: Exponents) -> Fraction:
    """E of a monomial in the entries on and above the diagonal of (T^T T)^-1, and then those of T^T T, X of one or two rows.

    With r = T_00, t = T_10 and s = T_11, and ``size`` columns, they are 1/r^2, - t / (r^2 s), (1 + t^2/r^2) / s^2, and
    r^2 + t^2, t s, s^2.
    """
    half = len(exponents) // 2
    (first, *inverse), (start, *plain) = exponents[:half], exponents[half:]
    if not inverse:
        return chi_squared_power(size, start - first)
    (cross, last), (back, end) = inverse, plain
    if (cross + back) % 2:
        return Fraction(0)  # t is as often negative
    total = Fraction(0)
    for k in range(last + 1):
        for l in range(start + 1):
            normal = comb(last, k) * comb(start, l) * normal_moment(cross + back + 2 * (k + l))
            total += normal * chi_squared_power(size, start - l - first - cross - k)
    total *= chi_squared_power(size - 1, end + (back - cross) // 2 - last)
    return -total if cross % 2 else total
