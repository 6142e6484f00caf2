"""Exact Wishart moments for p = 2 and Sigma = diag(1, s), from the Bartlett decomposition: a check of the engines.

With independent a ~ chi^2_n, b ~ chi^2_{n-1} and y = z^2, z standard normal, W has the elements a and s (y + b) on
its diagonal, the trace t = a + s (y + b) and the determinant d = s a b. By Cayley and Hamilton the powers of W are
polynomials in t and d, so every moment is a polynomial in a, y and b, whose powers have known expectations. Neither
pairings nor integration by parts occur.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import prod

from flint import Ordering, fmpz_mpoly, fmpz_mpoly_ctx

RING = fmpz_mpoly_ctx.get(("a", "y", "b"), Ordering.deglex)
_a, _y, _b = RING.gens()


@cache
def _powers(degree: int, s: int) -> list[tuple[fmpz_mpoly, fmpz_mpoly]]:
    """(f, g) with W^k = f W + g, for k from 0 to the degree."""
    trace, determinant = _a + s * (_y + _b), s * _a * _b
    found = [(RING.constant(0), RING.constant(1))]
    for _ in range(degree):
        f, g = found[-1]
        found.append((trace * f + g, -determinant * f))
    return found


@cache
def _trace(power: int, s: int) -> fmpz_mpoly:
    f, g = _powers(power, s)[power]
    return f * (_a + s * (_y + _b)) + 2 * g


@cache
def _traces(parts: tuple[int, ...], s: int) -> fmpz_mpoly:
    return _traces(parts[:-1], s) * _trace(parts[-1], s) if parts else RING.constant(1)


def _expected(value: fmpz_mpoly, n: int) -> int:
    def rising(freedom: int, power: int) -> int:
        return prod(range(freedom, freedom + 2 * power, 2))

    return sum(
        int(number) * rising(n, int(i)) * rising(1, int(j)) * rising(n - 1, int(k))
        for (i, j, k), number in value.terms()
    )


def trace_moment(parts: Iterable[int], n: int, s: int) -> int:
    """E prod tr W^k over the parts k, for n rows and Sigma = diag(1, s)."""
    return _expected(_traces(tuple(sorted(parts)), s), n)


def power_moment(power: int, n: int, s: int) -> tuple[int, int]:
    """The diagonal of E W^power, for n rows and Sigma = diag(1, s)."""
    f, g = _powers(power, s)[power]
    return _expected(f * _a + g, n), _expected(f * s * (_y + _b) + g, n)
