"""Means of entries of Wishart matrices beside the logarithm of their determinant, at small sizes.

G = L L^* with a triangular L (Bartlett), the squares of whose diagonal are chi-squared with n - i degrees of freedom, or for
complex entries gamma variables of shape n - i, so that log det G is the sum of their logarithms. For a chi-squared x of
freedom m, by the density of x alone,

    E x^k log x = E x^k (E log x + sum_(j=0)^(k-1) 2/(m + 2j)),

the digamma function at m/2 + k being that at m/2 plus the sum over the steps between; for a gamma variable of shape m it is
1/(m + j). So what a mean beside log det G exceeds E log det G times the mean by is a rational number. No derivative of a formula is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb, factorial, prod

from symbolic.checks.gram_moments import GramMoments, chi_squared_moment, normal_moment

Exponents = tuple[int, ...]


def steps(freedom: int, first: int, power: int, width: int) -> Fraction:
    """The digamma function at (freedom - width first)/width + power less that at freedom/width, exactly."""
    end = power - first
    up = sum((Fraction(width, freedom + width * j) for j in range(end)), Fraction(0))
    return up - sum((Fraction(width, freedom - width * j) for j in range(1, 1 - end)), Fraction(0))


class LogGramMoments(GramMoments):
    """E of monomials in the entries of G times (log det G - its mean at ``2 degree`` rows more), for normal entries."""

    def __init__(self, rows: int, size: int, degree: int) -> None:
        super().__init__(rows, size)
        self._degree_of_inverse = degree

    def __call__(self, exponents: Exponents) -> Fraction:
        """That of one monomial."""
        return self._bartlett(exponents)

    def _triangular(self, powers: list[list[int]]) -> Fraction:
        """The moment of a monomial in the entries of L, times what the logarithms add."""
        result, added = Fraction(1), Fraction(0)
        for i, line in enumerate(powers):
            if line[i] % 2:
                return Fraction(0)
            half, freedom = line[i] // 2, self.rows - i
            result *= chi_squared_moment(freedom, half) * prod(map(normal_moment, line[:i]))
            added += steps(freedom + 2 * self._degree_of_inverse, self._degree_of_inverse, half, 2)
        return result * added


def complex_log_moments(rows: int, size: int, degree: int) -> Callable[[Exponents], Fraction]:
    """The same for complex normal entries, size at most two, the exponents of all entries row by row."""

    def of_one(exponents: Exponents) -> Fraction:
        (power,) = exponents
        return _gamma(rows, power) * steps(rows + degree, degree, power, 1)

    def of_two(exponents: Exponents) -> Fraction:
        first, cross, back, last = exponents
        if cross != back:
            return Fraction(0)  # the law of L is that of L with the phase of a row changed
        total = Fraction(0)
        # G = [[r, r^(1/2) z], [.., |z|^2 + s]] with gamma variables r, s, and E |z|^2k = k!
        for k in range(last + 1):
            one, two = first + cross, last - k
            added = steps(rows + degree, degree, one, 1) + steps(rows - 1 + degree, degree, two, 1)
            weight = comb(last, k) * factorial(cross + k) * _gamma(rows, one) * _gamma(rows - 1, two)
            total += weight * added
        return total

    return (of_one, of_two)[size - 1]


def _gamma(shape: int, power: int) -> int:
    return prod(shape + j for j in range(power))
