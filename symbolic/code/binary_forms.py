"""Binary forms: a polynomial in a as a form in b = 1 - a and a, and as a sum of squares of such forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import comb

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import by_power
from symbolic.algebra.quotients import Rational, sum_of

HALF = Rational.number(1) / Rational.number(2)


def coefficients(poly: fmpq_mpoly, name: str) -> list[Rational]:
    """The coefficients of the powers of one generator, from the constant term up."""
    parts = by_power(poly, name)
    zero = poly.context().constant(0)
    return [Rational.polynomial(parts.get(k, zero)) for k in range(max(parts, default=0) + 1)]


def homogeneous(q: list[Rational]) -> list[Rational]:
    """c with sum_k q[k] a^k = sum_j c[j] b^(d-j) a^j at b = 1 - a, by 1 = (a + b)^(d-k)."""
    top = len(q) - 1
    return [
        sum_of(q[i] * Rational.number(comb(top - i, j - i)) for i in range(j + 1)) for j in range(top + 1)
    ]


def catalecticant(q: list[Rational]) -> list[list[Rational]]:
    """The symmetric matrix G with sum_ij G[i][j] z_i z_j = sum_k q[k] a^k, z_i = b^(h-i) a^i, 2 h = degree.

    Among the matrices with this property it is the one that is positive semidefinite whenever the polynomial
    is an average of even powers of linear forms (its entries are then moments).
    """
    half = (len(q) - 1) // 2
    c = homogeneous(q)

    def entry(i: int, j: int) -> Rational:
        weight = comb(half, i) * comb(half, j)
        return c[i + j] * Rational.number(weight) / Rational.number(comb(2 * half, i + j))

    return [[entry(i, j) for j in range(half + 1)] for i in range(half + 1)]


def squares(
    q: list[Rational], accept: Callable[[Rational], bool]
) -> list[tuple[Rational, list[Rational]]] | None:
    """Pivots and rows of the L D L^T factors of the catalecticant: sum of pivot (sum_j row[j] z_j)^2.

    None when the degree is odd or a pivot that is not zero is not accepted.
    """
    if len(q) % 2 == 0:
        return None
    gram = catalecticant(q)
    size = len(gram)
    found = []
    for k in range(size):
        pivot = gram[k][k]
        if pivot.is_zero():
            if not all(entry.is_zero() for entry in gram[k][k:]):
                return None
            continue
        if not accept(pivot):
            return None
        row = [Rational.number(0)] * k + [gram[k][j] / pivot for j in range(k, size)]
        found.append((pivot, row))
        for i in range(k + 1, size):
            for j in range(k + 1, size):
                gram[i][j] = gram[i][j] - pivot * row[i] * row[j]
    return found


def promising(q: list[Rational], points: Iterable[Mapping[str, Fraction]]) -> bool:
    """Whether no pivot of the catalecticant is negative at any point: a cheap test before `squares`."""
    for point in points:
        numbers = [Rational.number(c.at(point)) for c in q]
        if squares(numbers, lambda pivot: pivot.at({}) > 0) is None:
            return False
    return True


def three_squares(q: list[Rational]) -> tuple[Rational, Rational, Rational] | None:
    """The unique (x, y, z) with q[0] + q[1] a + q[2] a^2 = x + y a^2 + z b^2; None for another degree."""
    if len(q) != 3:
        return None
    half = q[1] * HALF
    return q[0] + half, q[2] + half, -half


def lowest_square(q: list[Rational]) -> tuple[Rational, list[Rational]]:
    """(s, r) with sum_k q[k] a^k = q[0] (1 + s a)^2 + a^2 sum_k r[k] a^k; q[0] must not be zero."""
    slope = q[1] * HALF / q[0]
    return slope, [q[2] - q[0] * slope * slope, *q[3:]]
