"""The real roots of polynomials with integer coefficients, isolated exactly and enclosed as closely as asked for.

Descartes' rule of signs, applied to an interval mapped onto the positive half-line, bounds the number of roots in it;
the bound is exact where it is 0 or 1, and splitting reaches that for any polynomial without repeated roots. Splits
are geometric first, so that roots of very different sizes cost no more than others.

Written here because `fmpz_poly.complex_roots` isolates all roots, the complex ones too, by raising one working precision: of
(10^e x + 1) (10^e (1 - x)^2 - x^2), which very unequal numbers lead to, it takes 0.1, 2.8 and 327 s at e = 400, 600 and 900, and
this 0.05 to 0.3 s. SymPy's isolation is left to `symbolic.proofs.minimum_check`, which must not share a route with this.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

from flint import arb, ctx, fmpz_poly

from symbolic.algebra.coefficients import to_fmpq, to_fraction

Interval = tuple[Fraction, Fraction]


def real_roots(poly: fmpz_poly, bits: int) -> list[arb]:
    """Disjoint enclosures of the distinct real roots in increasing order, to about `bits` bits."""
    if poly.degree() < 1:
        return []
    simple = _without_repeated_roots(poly)
    mirrored = simple(fmpz_poly([0, -1]))
    found = [(-high, -low) for low, high in _positive_roots(mirrored)]
    found += [(Fraction(0), Fraction(0))] if simple[0] == 0 else []
    found += _positive_roots(simple)
    while True:
        enclosures = sorted((_enclosure(simple, root, bits) for root in found), key=centre)
        if all(ends(a)[1] < ends(b)[0] for a, b in itertools.pairwise(enclosures)):
            return enclosures
        bits *= 2


def centre(x: arb) -> Fraction:
    """The exact centre of an enclosure."""
    return _fraction(x.mid())


def ends(x: arb) -> Interval:
    """The exact ends of an enclosure, from centre and radius: arb's own are rounded to the working precision."""
    middle, radius = centre(x), _fraction(x.rad())
    return middle - radius, middle + radius


def ball(low: Fraction, high: Fraction) -> arb:
    """An enclosure of an interval at the working precision."""
    return arb(to_fmpq((low + high) / 2), to_fmpq((high - low) / 2))


def sign_at(poly: fmpz_poly, x: Fraction) -> int:
    """The sign of the value at a fraction, exact."""
    value = poly(to_fmpq(x))
    return int(value > 0) - int(value < 0)


def _fraction(exact: arb) -> Fraction:
    return to_fraction(exact.fmpq())


def _without_repeated_roots(poly: fmpz_poly) -> fmpz_poly:
    return poly // poly.gcd(poly.derivative())


def _positive_roots(poly: fmpz_poly) -> list[Interval]:
    """An interval for each positive root of a polynomial without repeated roots: open, or the root itself."""
    while poly[0] == 0:
        poly = fmpz_poly(poly.coeffs()[1:])
    if poly.degree() < 1:
        return []
    # Cauchy's bound for the roots, and for their reciprocals
    lengths = [abs(int(c)).bit_length() for c in poly.coeffs()]
    up, down = max(lengths) - lengths[-1] + 2, max(lengths) - lengths[0] + 2
    waiting = [(Fraction(1, 2**down), Fraction(2**up))]
    found: list[Interval] = []
    while waiting:
        low, high = waiting.pop()
        most = _most_roots(poly, low, high)
        if most == 1:
            found.append((low, high))
        if most < 2:
            continue
        middle = _split(low, high)
        if sign_at(poly, middle) == 0:
            found.append((middle, middle))
            poly = poly // fmpz_poly([-middle.numerator, middle.denominator])
        waiting += [(low, middle), (middle, high)]
    return found


def _most_roots(poly: fmpz_poly, low: Fraction, high: Fraction) -> int:
    """Descartes' bound for the roots between low and high: sign changes of (1+x)^n poly((low + high x)/(1+x))."""
    scale = max(low.denominator, high.denominator)  # both are powers of two
    start, width = int(low * scale), int((high - low) * scale)
    cleared = fmpz_poly([c * scale ** (poly.degree() - k) for k, c in enumerate(poly.coeffs())])
    along = cleared(fmpz_poly([start, width]))
    turned = fmpz_poly(along.coeffs()[::-1])(fmpz_poly([1, 1]))
    signs = [c > 0 for c in turned.coeffs() if c != 0]
    return sum(a != b for a, b in itertools.pairwise(signs))


def _split(low: Fraction, high: Fraction) -> Fraction:
    """A dyadic number between two positive ones: a power of two near their geometric mean, or their middle."""
    first, last = _exponent(low), _exponent(high)
    if last - first > 1:
        return Fraction(2) ** ((first + last) // 2)
    return (low + high) / 2


def _exponent(x: Fraction) -> int:
    """The k with 2^k <= x < 2^(k+1), for a dyadic x."""
    return x.numerator.bit_length() - x.denominator.bit_length()


def _enclosure(poly: fmpz_poly, root: Interval, bits: int) -> arb:
    """The one root in an interval, by exact bisection and, where the slope has one sign, interval Newton steps."""
    low, high = root
    slope = poly.derivative()
    with ctx.workprec(2 * bits):
        before = sign_at(poly, low)
        if before == 0 and low < high:  # an end that is a root itself, which was found on its own
            before = sign_at(slope, low)
        while high - low > min(abs(low), abs(high)) / 2**bits:
            middle = _dyadic((low + high) / 2, high - low)
            here = sign_at(poly, middle)
            if here == 0:
                low = high = middle
                break
            inner = (middle, high) if here == before else (low, middle)
            tangent = slope(ball(*inner))
            if not tangent.contains(0):
                step = arb(to_fmpq(middle)) - arb(poly(to_fmpq(middle))) / tangent
                left, right = ends(step)
                inner = max(inner[0], left), min(inner[1], right)
            low, high = inner
        exact = max(2 * bits, low.numerator.bit_length()) if low == high else 2 * bits
        with ctx.workprec(exact):
            return ball(low, high)


def _dyadic(x: Fraction, width: Fraction) -> Fraction:
    """A number within a quarter of the width of x, with few bits."""
    scale = 2 ** max(0, width.denominator.bit_length() - width.numerator.bit_length() + 3)
    return Fraction(round(x * scale), scale)
