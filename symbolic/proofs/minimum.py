"""The global minimum over all real numbers of a quotient of two polynomials with exact coefficients.

Stationary points are isolated rigorously as the real roots of the derivative's numerator, and the values
there and at both infinities are compared through enclosures, with as many bits as it takes. At a real pole the
function must rise on both sides, which its exact signs just beside the pole decide. The answer comes with a
certificate of plain data, which `minimum_check.recheck` verifies by other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq_poly, fmpz_poly

from symbolic.proofs.real_roots import Interval, ball, centre, ends, real_roots, sign_at

Certificate = dict[str, Any]
FIRST_BITS, MOST_BITS = 256, 8192
# Coefficients beyond these bits are numbers that Python does not write out in digits.
MOST_COEFFICIENT_BITS = 14_000
# Significant digits of the intervals in a certificate.
DIGITS, MOST_DIGITS = 60, 4_000
INFINITE = "infinite"
NOT_ATTAINED = "the loss at every rate is above the limit it approaches as the rate grows without bound"


class NoMinimum(ValueError):
    """The function falls without bound, at infinity or at a pole."""


class Undecided(ValueError):
    """The numbers are too long to be compared."""


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
        return fmpz_poly([c // raw.content() for c in raw.coeffs()]) if raw else raw

    @property
    def stationary(self) -> fmpz_poly:
        """The derivative's numerator without the roots that are poles, of each of which it has one fewer."""
        return self.slope // self.slope.gcd(self.bottom)

    def height(self) -> int:
        """The number of bits of the longest coefficient."""
        return max(abs(int(c)).bit_length() for part in (self.top, self.bottom) for c in part.coeffs())

    def limits(self) -> tuple[Fraction | None, Fraction | None]:
        """The limits at minus and plus infinity, None for plus infinity; raises NoMinimum otherwise."""
        excess = self.top.degree() - self.bottom.degree()
        ratio = Fraction(int(self.top[self.top.degree()]), int(self.bottom[self.bottom.degree()]))
        if excess <= 0:
            end = ratio if excess == 0 else Fraction(0)
            return end, end
        if ratio < 0 or excess % 2:
            raise NoMinimum("it falls without bound as the rate grows")
        return None, None

    def value(self, x: arb, bits: int) -> arb:
        """An enclosure of the value on an enclosure of the point."""
        with ctx.workprec(bits):
            return self.top(x) / self.bottom(x)


def minimum(numerator: fmpq_poly, denominator: fmpq_poly) -> Minimum:
    """The least value of numerator/denominator over the real line, poles left out.

    Raises NoMinimum when there is none, Undecided when the coefficients are too long to tell.
    """
    common = numerator.gcd(denominator)
    over, under = numerator / common, denominator / common
    function = _Quotient(over.numer() * under.denom(), under.numer() * over.denom())
    if not function.slope:
        constant = Fraction(int(function.top[0]), int(function.bottom[0]))
        return Minimum(None, float(constant), _flat(function))
    height = function.height()
    if height > MOST_COEFFICIENT_BITS:
        raise Undecided(
            "the numbers in it have thousands of digits, give values nearer to each other in size"
        )
    bits, most = FIRST_BITS, max(MOST_BITS, 2 * height)
    limits: Limits | None = None
    while True:
        points = [(x, function.value(x, bits)) for x in real_roots(function.stationary, bits)]
        poles = _rising_poles(function, [x for x, _ in points], bits)
        limits = limits or function.limits()
        known = poles is not None and all(value.is_finite() for _, value in points)
        best = _least(points) if known else -1
        if poles is not None and known and (bits >= most or _decided(best, points, limits)):
            return _conclusion(function, points, best, limits, poles, bits)
        if bits >= most:
            raise Undecided(
                "its values are too close to be told apart, give values nearer to each other in size"
            )
        bits *= 2


Point = tuple[arb, arb]
Limits = tuple[Fraction | None, Fraction | None]


def _rising_poles(function: _Quotient, stationary: list[arb], bits: int) -> list[Interval] | None:
    """An interval around each pole in which numerator and slope have no other root; None when bits do not suffice.

    The function keeps its sign on either side of the pole there; raises NoMinimum unless both are positive.
    """
    found: list[Interval] = []
    for pole in real_roots(function.bottom, bits):
        low, high = ends(pole)
        margin = max(high - low, (abs(centre(pole)) or 1) / Fraction(2) ** (bits // 2))
        low, high = (Fraction(end) for end in _decimals(low - margin, high + margin, _digits(bits)))
        with ctx.workprec(bits):
            if function.top(ball(low, high)).contains(0):
                return None
        found.append((low, high))
    others = [*found, *map(ends, stationary)]
    if any(a is not b and a[0] <= b[1] and b[0] <= a[1] for a in found for b in others):
        return None
    for low, high in found:
        if any(sign_at(function.top, end) != sign_at(function.bottom, end) for end in (low, high)):
            raise NoMinimum(f"it falls without bound near its pole at the rate {float((low + high) / 2):.6g}")
    return found


def _least(points: list[Point]) -> int:
    """The position of the point with the least value, -1 when there are no points."""
    return min(range(len(points)), key=lambda k: centre(points[k][1]), default=-1)


def _decided(best: int, points: list[Point], limits: Limits) -> bool:
    """Whether the least value is known to be below all others, and on which side of the limits it is."""
    if best < 0:
        return True
    low, high = ends(points[best][1])
    others = all(ends(value)[0] > high for k, (_, value) in enumerate(points) if k != best)
    return others and all(end is None or end > high or end < low for end in limits)


def _conclusion(
    function: _Quotient, points: list[Point], best: int, limits: Limits, poles: list[Interval], bits: int
) -> Minimum:
    digits = _digits(bits)
    low = min((end for end in limits if end is not None), default=None)
    attained = best >= 0 and (low is None or ends(points[best][1])[0] <= low)
    certificate: Certificate = {
        "kind": _kind(function, points, poles) if attained else "not attained",
        "reason": _reason(function, points, best, poles) if attained else NOT_ATTAINED,
        "numerator": [str(c) for c in function.top.coeffs()],
        "denominator": [str(c) for c in function.bottom.coeffs()],
        "derivative": [str(c) for c in function.slope.coeffs()],
        "stationary": [
            {"at": _interval(x, digits), "value": _interval(value, digits)} for x, value in points
        ],
        "poles": [_decimals(low, high, digits) for low, high in poles],
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
    return Minimum(float(centre(x)), float(centre(value)), certificate)


def _flat(function: _Quotient) -> Certificate:
    return {
        "kind": "flat",
        "reason": "the loss does not depend on the rate: every rate is a minimum",
        "numerator": [str(c) for c in function.top.coeffs()],
        "denominator": [str(c) for c in function.bottom.coeffs()],
    }


def _kind(function: _Quotient, points: list[Point], poles: list[Interval]) -> str:
    closed = function.slope.degree() == 2 and len(points) == 2 and not poles
    return "closed form" if closed else "isolated roots"


def _reason(function: _Quotient, points: list[Point], best: int, poles: list[Interval]) -> str:
    slope = function.slope
    if _kind(function, points, poles) != "closed form":
        others = {1: "", 2: "the value at the other and "}.get(len(points), "the values at all others and ")
        count = f"{len(points)} real rates, each isolated" if len(points) > 1 else "one real rate"
        where = f"below {others}the limits at infinity"
        beside = "; near each pole the loss rises without bound on both sides" if poles else ""
        return f"the derivative vanishes at exactly {count}; the value here is {where}{beside}"
    shape = "falls, rises and falls again" if slope[2] < 0 else "rises, falls and rises again"
    signs = ", one negative and one positive" if slope[0] * slope[2] < 0 else ""
    which = ("lower", "upper")[best]
    return (
        f"the derivative has the sign of a quadratic with two real roots{signs}: the loss {shape}, "
        f"and its limits at both infinities are equal, so the {which} root is the global minimum"
    )


def _digits(bits: int) -> int:
    return min(max(DIGITS, 3 * bits // 10 - DIGITS // 4), MOST_DIGITS)


def _interval(x: arb, digits: int) -> list[str]:
    """Two decimal numbers that enclose the ball."""
    low, high = ends(x)
    if low == high and max(low.numerator.bit_length(), low.denominator.bit_length()) < digits:
        return [str(low), str(high)]
    return _decimals(low, high, digits)


def _decimals(low: Fraction, high: Fraction, digits: int) -> list[str]:
    """Two decimal numbers with so many significant digits, just below and just above an interval."""
    return [_decimal(low, 0, digits), _decimal(high, 1, digits)]


def _decimal(q: Fraction, up: int, digits: int) -> str:
    """A decimal number just below (or above) a fraction."""
    magnitude = (abs(q.numerator).bit_length() - q.denominator.bit_length()) * 3010 // 10_000
    shift = digits - magnitude
    scaled = q * Fraction(10) ** shift
    return f"{scaled.__floor__() + up}e{-shift}"
