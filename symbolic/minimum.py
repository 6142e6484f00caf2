"""The global minimum over all real numbers of a quotient of two polynomials with exact coefficients.

Stationary points are isolated rigorously as the real roots of the derivative's numerator, and the values
there and at both infinities are compared through enclosures, with as many bits as it takes. The answer comes
with a certificate of plain data, which `minimum_check.recheck` verifies by other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq_poly, fmpz_poly

Certificate = dict[str, Any]
FIRST_BITS, MOST_BITS = 256, 8192
# Significant digits of the intervals in a certificate.
DIGITS = 60
INFINITE = "infinite"
NOT_ATTAINED = "the loss at every rate is above the limit it approaches as the rate grows without bound"


class NoMinimum(ValueError):
    """The function has a pole on the real line or falls without bound."""


@dataclass(frozen=True)
class Minimum:
    """Where a function is least.

    at: the point, None when the function is constant or only approaches its infimum. value: the least value
    (the infimum). certificate: plain data, see `recheck`; its `reason` says in one line why it is global.
    """

    at: float | None
    value: float
    certificate: Certificate


@dataclass(frozen=True)
class _Quotient:
    """A quotient of polynomials with integer coefficients and without common factor."""

    top: fmpz_poly
    bottom: fmpz_poly

    @property
    def slope(self) -> fmpz_poly:
        """The derivative's numerator, without its content."""
        raw = self.top.derivative() * self.bottom - self.top * self.bottom.derivative()
        return raw if raw == 0 else fmpz_poly([c // raw.content() for c in raw.coeffs()])

    def limits(self) -> tuple[Fraction | None, Fraction | None]:
        """The limits at minus and plus infinity, None for plus infinity; raises NoMinimum otherwise."""
        excess = self.top.degree() - self.bottom.degree()
        ratio = Fraction(int(self.top[self.top.degree()]), int(self.bottom[self.bottom.degree()]))
        if excess <= 0:
            end = ratio if excess == 0 else Fraction(0)
            return end, end
        if ratio < 0 or excess % 2:
            raise NoMinimum("the function falls without bound as the rate grows")
        return None, None

    def value(self, x: arb, bits: int) -> arb:
        """An enclosure of the value on an enclosure of the point."""
        with ctx.workprec(bits):
            return self.top(x) / self.bottom(x)


def minimum(numerator: fmpq_poly, denominator: fmpq_poly) -> Minimum:
    """The least value of numerator/denominator over the real line; raises NoMinimum when there is none.

    Raises ArithmeticError where the coefficients differ by so much that no enclosure decides, and OverflowError where
    the answer is no double.
    """
    common = numerator.gcd(denominator)
    over, under = numerator / common, denominator / common
    function = _Quotient(over.numer() * under.denom(), under.numer() * over.denom())
    if real_roots(function.bottom, FIRST_BITS):
        raise NoMinimum("the function has a pole at a real rate, so it has no least value")
    if function.slope == 0:
        constant = Fraction(int(function.top[0]), int(function.bottom[0]))
        return Minimum(None, float(constant), _flat(function))
    limits = function.limits()
    bits = FIRST_BITS
    while True:
        points = [(x, function.value(x, bits)) for x in real_roots(function.slope, bits)]
        if not all(value.is_finite() for _, value in points):
            # the denominator is smaller than its enclosure is wide
            if bits >= MOST_BITS:
                raise ArithmeticError(f"{MOST_BITS} bits do not tell the function's least value")
            bits *= 2
            continue
        best = _least(points)
        if bits >= MOST_BITS or _decided(best, points, limits):
            return _conclusion(function, points, best, limits)
        bits *= 2


def real_roots(poly: fmpz_poly, bits: int) -> list[arb]:
    """Disjoint enclosures of the distinct real roots in increasing order, to about `bits` bits."""
    if poly.degree() < 1:
        return []
    with ctx.workprec(bits):
        found = [root.real for root, _ in poly.complex_roots() if root.imag == 0]
    return sorted(found, key=_centre)


Point = tuple[arb, arb]


def _fraction(exact: arb) -> Fraction:
    q = exact.fmpq()
    return Fraction(int(q.p), int(q.q))


def _centre(x: arb) -> Fraction:
    return _fraction(x.mid())


def _ends(x: arb) -> tuple[Fraction, Fraction]:
    # from centre and radius: arb's own end points are rounded to the working precision
    centre, radius = _centre(x), _fraction(x.rad())
    return centre - radius, centre + radius


def _least(points: list[Point]) -> int:
    """The position of the point with the least value, -1 when there are no points."""
    return min(range(len(points)), key=lambda k: _centre(points[k][1]), default=-1)


def _decided(best: int, points: list[Point], limits: tuple[Fraction | None, Fraction | None]) -> bool:
    """Whether the least value is known to be below all others, and on which side of the limits it is."""
    if best < 0:
        return True
    low, high = _ends(points[best][1])
    others = all(_ends(value)[0] > high for k, (_, value) in enumerate(points) if k != best)
    return others and all(end is None or end > high or end < low for end in limits)


def _conclusion(
    function: _Quotient, points: list[Point], best: int, limits: tuple[Fraction | None, Fraction | None]
) -> Minimum:
    low = min((end for end in limits if end is not None), default=None)
    attained = best >= 0 and (low is None or _ends(points[best][1])[0] <= low)
    certificate: Certificate = {
        "kind": _kind(function, points) if attained else "not attained",
        "reason": _reason(function, points, best) if attained else NOT_ATTAINED,
        "numerator": [str(c) for c in function.top.coeffs()],
        "denominator": [str(c) for c in function.bottom.coeffs()],
        "derivative": [str(c) for c in function.slope.coeffs()],
        "stationary": [{"at": _interval(x), "value": _interval(value)} for x, value in points],
        "limits": [INFINITE if end is None else str(end) for end in limits],
        "minimum": best if attained else None,
    }
    if certificate["kind"] == "closed form":
        # a, b, c: coefficients of the derivative; the lower root has the square root with the sign of -a
        before = "-" if (function.slope[2] > 0) == (best == 0) else "+"
        certificate["closed_form"] = f"(-b {before} sqrt(b^2 - 4 a c)) / (2 a)"
    if not attained and low is not None:
        return Minimum(None, float(low), certificate)
    x, value = points[best]
    return Minimum(float(_centre(x)), float(_centre(value)), certificate)


def _flat(function: _Quotient) -> Certificate:
    return {
        "kind": "flat",
        "reason": "the loss does not depend on the rate: every rate is a minimum",
        "numerator": [str(c) for c in function.top.coeffs()],
        "denominator": [str(c) for c in function.bottom.coeffs()],
    }


def _kind(function: _Quotient, points: list[Point]) -> str:
    return "closed form" if function.slope.degree() == 2 and len(points) == 2 else "isolated roots"


def _reason(function: _Quotient, points: list[Point], best: int) -> str:
    slope = function.slope
    if _kind(function, points) != "closed form":
        others = {1: "", 2: "the value at the other and "}.get(len(points), "the values at all others and ")
        count = f"{len(points)} real rates, each isolated" if len(points) > 1 else "one real rate"
        where = f"below {others}the limits at infinity"
        return f"the derivative vanishes at exactly {count}; the value here is {where}"
    shape = "falls, rises and falls again" if slope[2] < 0 else "rises, falls and rises again"
    signs = ", one negative and one positive" if slope[0] * slope[2] < 0 else ""
    which = ("lower", "upper")[best]
    return (
        f"the derivative has the sign of a quadratic with two real roots{signs}: the loss {shape}, "
        f"and its limits at both infinities are equal, so the {which} root is the global minimum"
    )


def _interval(x: arb) -> list[str]:
    """Two decimal numbers that enclose the ball."""
    low, high = _ends(x)
    if low == high:
        return [str(low), str(high)]
    return [_decimal(low, 0), _decimal(high, 1)]


def _decimal(q: Fraction, up: int) -> str:
    """A decimal number with DIGITS significant digits just below (or above) a fraction."""
    magnitude = len(str(abs(q.numerator))) - len(str(q.denominator))
    shift = DIGITS - magnitude
    scaled = q * Fraction(10) ** shift
    return f"{scaled.__floor__() + up}e{-shift}"
