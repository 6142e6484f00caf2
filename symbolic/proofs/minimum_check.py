"""Verification of a certificate of a global minimum, from its own data and by other means than the search.

Real roots are counted by SymPy's exact root counting (sign variations), values are enclosed by interval
arithmetic on fractions. Nothing of the search is trusted.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

X = sympy.Symbol("x")
Interval = tuple[Fraction, Fraction]


def recheck(certificate: Mapping[str, Any]) -> bool:
    """Whether the certificate proves its minimum global (or the function constant, or below all values)."""
    top, bottom = (_polynomial(certificate[part]) for part in ("numerator", "denominator"))
    raw = top.diff(X) * bottom - top * bottom.diff(X)
    if certificate["kind"] == "flat":
        return bool(raw.is_zero)
    slope = _polynomial(certificate["derivative"])
    if not _positive_multiple(raw, slope):
        return False
    poles = [_interval(pole) for pole in certificate["poles"]]
    if not _isolating(bottom, poles) or not all(_rises(top, bottom, pole) for pole in poles):
        return False
    # a pole at which the function rises on both sides is of even order, and so a root of the derivative too
    points = [_interval(point["at"]) for point in certificate["stationary"]]
    if not _isolating(slope, sorted(points + poles)):
        return False
    values = [_quotient(top, bottom, point) for point in points]
    limits = _limits(top, bottom)
    chosen = certificate["minimum"]
    if chosen is None:
        return any(all(end < low for low, _ in values) for end in limits)
    upper = values[chosen][1]
    others = [low for k, (low, _) in enumerate(values) if k != chosen]
    return all(upper < low for low in others) and all(upper < end for end in limits)


def _polynomial(coefficients: Sequence[str]) -> sympy.Poly:
    return sympy.Poly([sympy.Integer(int(c)) for c in reversed(coefficients)], X)


def _positive_multiple(poly: sympy.Poly, other: sympy.Poly) -> bool:
    ratio = poly.LC() / other.LC()
    return bool(ratio > 0 and (poly - ratio * other).is_zero)


def _interval(ends: Sequence[str]) -> Interval:
    return Fraction(ends[0]), Fraction(ends[1])


def _isolating(slope: sympy.Poly, points: list[Interval]) -> bool:
    """Whether every interval contains one real root and together they contain all; none are needed for none."""
    apart = all(left[1] < right[0] for left, right in itertools.pairwise(points))
    exact = (tuple(sympy.Rational(end.numerator, end.denominator) for end in point) for point in points)
    return (
        apart and all(slope.count_roots(*ends) == 1 for ends in exact) and slope.count_roots() == len(points)
    )


def _rises(top: sympy.Poly, bottom: sympy.Poly, pole: Interval) -> bool:
    """Whether the function goes to plus infinity on both sides of the one pole in an interval."""
    low, high = (sympy.Rational(end.numerator, end.denominator) for end in pole)
    beside = [top.eval(end) * bottom.eval(end) > 0 for end in (low, high)]
    return low < high and all(beside) and top.count_roots(low, high) == 0


def _limits(top: sympy.Poly, bottom: sympy.Poly) -> list[Fraction]:
    """The finite limits at infinity; an infinite one must be plus infinity, or nothing is below it."""
    excess = top.degree() - bottom.degree()
    ratio = Fraction(int(top.LC()), int(bottom.LC()))
    if excess <= 0:
        return [ratio if excess == 0 else Fraction(0)]
    return [] if ratio > 0 and excess % 2 == 0 else [-(Fraction(10) ** 1000)]


def _quotient(top: sympy.Poly, bottom: sympy.Poly, x: Interval) -> Interval:
    """An enclosure of top/bottom on an interval; the denominator has no root there."""
    (a, b), (c, d) = _range(top, x), _range(bottom, x)
    if c <= 0 <= d:
        raise ArithmeticError("the interval is too wide to enclose the value")
    ends = [u / v for u in (a, b) for v in (c, d)]
    return min(ends), max(ends)


def _range(poly: sympy.Poly, x: Interval) -> Interval:
    low, high = Fraction(0), Fraction(0)
    for c in poly.all_coeffs():
        ends = [u * v for u in (low, high) for v in x]
        low, high = min(ends) + int(c), max(ends) + int(c)
    return low, high
