"""Moments of the entries of G = Z^T Z, Z with independent rows of independent entries, at small sizes.

A monomial prod G_ij^e_ij, i <= j, is given by its exponents in the order of `pairs`. Two routes: for standard
normal entries Bartlett's G = L L^T, where L is lower triangular with independent entries, standard normal
below the diagonal, and L_ii^2 chi-squared with n - i degrees of freedom (i from 0); for any other law
G is a sum over rows, and the moments of a sum of independent terms are built row by row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, factorial, prod

from symbolic.algebra.coefficients import Exact

Exponents = tuple[int, ...]

Moments = Callable[[int], Exact]
"""E z^k of an entry, by k."""


def double_factorial(k: int) -> int:
    """k!! = k (k - 2) (k - 4) ...; 1 for k <= 0."""
    return prod(range(k, 0, -2))


def normal_moment(order: int) -> int:
    """E z^order of a standard normal variable."""
    return 0 if order % 2 else double_factorial(order - 1)


@lru_cache(maxsize=4096)
def chi_squared_moment(freedom: int, power: int) -> int:
    """E x^power = m (m + 2) ... (m + 2 power - 2) of a chi-squared variable; a polynomial in the freedom m."""
    return prod(freedom + 2 * step for step in range(power))


@lru_cache(maxsize=16)
def pairs(size: int) -> tuple[tuple[int, int], ...]:
    """The entries on and above the diagonal, by row and column."""
    return tuple((i, j) for i in range(size) for j in range(i, size))


def inverse_determinant_moment(rows: int, size: int, power: int) -> Fraction:
    """E det(G)^-power for normal entries: det G is a product of chi-squared variables, n - i of freedom.

    Raises ZeroDivisionError, or is meaningless, unless n - p > 2 power - 1.
    """
    bottom = prod(rows - i - 2 * step for i in range(size) for step in range(1, power + 1))
    return Fraction(1, bottom)


class GramMoments:
    """E of monomials in the entries of G for a number of rows, a size, and a law of the entries.

    ``law`` is None for standard normal entries; then the moments are polynomials in the number of rows, and
    the number may be any integer.
    """

    def __init__(self, rows: int, size: int, law: Moments | None = None) -> None:
        self.rows = rows
        self.size = size
        self._law = law
        self._known: dict[tuple[int, Exponents], Fraction] = {}

    def __call__(self, exponents: Exponents) -> Fraction:
        """The expectation of one monomial."""
        key = self.rows, exponents
        if key not in self._known:
            self._known[key] = self._bartlett(exponents) if self._law is None else self._sum(*key)
        return self._known[key]

    def _bartlett(self, exponents: Exponents) -> Fraction:
        size = self.size
        if any(self._degree(exponents, i) % 2 for i in range(size)):
            return Fraction(0)  # the law of L is that of L with the signs of row i changed
        total: int | Fraction = 0
        # G_ij is a sum of min(i, j) + 1 products L_ik L_jk
        sums = zip(exponents, pairs(size), strict=True)
        for chosen in product(*(_multinomial(power, i + 1) for power, (i, _) in sums)):
            powers = [[0] * size for _ in range(size)]
            weight = 1
            for (i, j), (factor, counts) in zip(pairs(size), chosen, strict=True):
                weight *= factor
                for k, count in enumerate(counts):
                    powers[i][k] += count
                    powers[j][k] += count
            total += weight * self._triangular(powers)
        return Fraction(total)

    def _triangular(self, powers: list[list[int]]) -> int | Fraction:
        """The moment of a monomial in the entries of L."""
        result = 1
        for i, line in enumerate(powers):
            if line[i] % 2:
                return 0
            result *= chi_squared_moment(self.rows - i, line[i] // 2)
            for k in range(i):
                result *= normal_moment(line[k])
        return result

    def _degree(self, exponents: Exponents, index: int) -> int:
        """How often an index occurs in a monomial."""
        return sum(
            e * ((i == index) + (j == index)) for e, (i, j) in zip(exponents, pairs(self.size), strict=True)
        )

    def _sum(self, rows: int, exponents: Exponents) -> Fraction:
        """The moment for a number of rows, the last row split off by the binomial theorem."""
        if rows == 1 or not any(exponents):
            return self._row(exponents) if any(exponents) else Fraction(1)
        known = self._known.get((rows, exponents))
        if known is not None:
            return known
        total = Fraction(0)
        for last in product(*(range(e + 1) for e in exponents)):
            moment = self._row(last)
            if moment:
                rest = tuple(e - f for e, f in zip(exponents, last, strict=True))
                weight = prod(map(comb, exponents, last))
                total += weight * moment * self._sum(rows - 1, rest)
        self._known[rows, exponents] = total
        return total

    def _row(self, exponents: Exponents) -> Fraction:
        """The moment for one row u: G_ij = u_i u_j."""
        known = self._known.get((1, exponents))
        if known is None:
            known = Fraction(1)
            for i in range(self.size):
                degree = self._degree(exponents, i)
                if degree and known and self._law is not None:
                    known *= Fraction(self._law(degree))
            self._known[1, exponents] = known
        return known


@lru_cache(maxsize=16)
def places(size: int) -> tuple[tuple[int, int], ...]:
    """All entries, by row and column."""
    return tuple((i, j) for i in range(size) for j in range(size))


class ComplexGramMoments:
    """E of monomials in all entries of G = Z^* Z, in the order of `places`, for complex normal entries with E |z|^2 = 1.

    G is a sum over rows u, of conj(u_i) u_j; a row has moments only where each u_i and its conjugate occur equally often,
    and E |u|^(2 a) = a!.
    """

    def __init__(self, rows: int, size: int) -> None:
        self._rows = rows
        self._places = places(size)
        self._known: dict[tuple[int, Exponents], int] = {}

    def __call__(self, exponents: Exponents) -> Fraction:
        """The expectation of one monomial."""
        return Fraction(self._sum(self._rows, exponents))

    def _sum(self, rows: int, exponents: Exponents) -> int:
        if not any(exponents):
            return 1
        if not rows or not self._row(exponents):
            return 0  # u_i has the law of u_i times any phase
        key = rows, exponents
        if key not in self._known:
            total = 0
            for last in product(*(range(e + 1) for e in exponents)):
                if moment := self._row(last):
                    rest = tuple(e - f for e, f in zip(exponents, last, strict=True))
                    total += prod(map(comb, exponents, last)) * moment * self._sum(rows - 1, rest)
            self._known[key] = total
        return self._known[key]

    def _row(self, exponents: Exponents) -> int:
        """The moment for one row."""
        conjugates, plain = Counter[int](), Counter[int]()
        for exponent, (i, j) in zip(exponents, self._places, strict=True):
            conjugates[i] += exponent
            plain[j] += exponent
        return prod(map(factorial, plain.values())) if conjugates == plain else 0


def complex_inverse_determinant_moment(rows: int, size: int, power: int) -> Fraction:
    """E det(G)^-power for complex normal entries: det G is a product of gamma variables, n - i of shape."""
    return Fraction(1, prod(rows - i - step for i in range(size) for step in range(1, power + 1)))


@lru_cache(maxsize=64)
def gram_moments(rows: int, size: int, law: Moments | None = None) -> GramMoments:
    """The moments for these sizes, kept between moments."""
    return GramMoments(rows, size, law)


@lru_cache(maxsize=256)
def _multinomial(power: int, parts: int) -> tuple[tuple[int, Exponents], ...]:
    """The terms of (x_1 + ... + x_parts)^power: coefficient and exponents."""
    found = []
    for bars in product(range(power + 1), repeat=parts - 1):
        last = power - sum(bars)
        if last >= 0:
            counts = (*bars, last)
            found.append((factorial(power) // prod(map(factorial, counts)), counts))
    return tuple(found)
