"""Exact rational functions, with square roots as algebraic generators: the zero test behind every proof.

A `Rational` is a fraction of two python-flint polynomials over named generators. Square roots enter as
generators named ``sqrt(...)`` that carry their radicand; a numerator is zero when it reduces to the zero
polynomial modulo ``root**2 - radicand``. Nothing here is heuristic: an expression that cannot be read
exactly raises `NotRational` instead of being called equal or different.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod
from typing import NamedTuple

from flint import fmpq, fmpq_mpoly

from symbolic.algebra.coefficients import (
    INVERSE,
    NUMBERS,
    Exact,
    by_power,
    context,
    evaluate_at,
    lift,
    names_in,
    names_of,
    number,
    to_fraction,
    union,
)
from symbolic.algebra.refusal import Refused


class NotRational(Refused):
    """The expression is no rational function of its symbols, traces and square roots."""


class Factored(NamedTuple):
    """A function as a number times powers of irreducible polynomials (negative powers in the denominator)."""

    constant: Fraction
    factors: tuple[tuple[fmpq_mpoly, int], ...]


def _unified(*polynomials: fmpq_mpoly) -> tuple[fmpq_mpoly, ...]:
    ring = reduce(union, {polynomial.context() for polynomial in polynomials})
    return tuple(lift(polynomial, ring) for polynomial in polynomials)


@dataclass(frozen=True, eq=False)
class Rational:
    """A quotient of polynomials over Q; `roots` maps a generator that stands for a root to its radicand."""

    numerator: fmpq_mpoly
    denominator: fmpq_mpoly
    roots: Mapping[str, Rational]

    @staticmethod
    def number(value: Exact) -> Rational:
        """The constant function of an exact number."""
        return Rational(number(value), NUMBERS.constant(1), {})

    @staticmethod
    def generator(name: str) -> Rational:
        """The function that is one generator; a name ``1/x`` is read as the inverse of ``x``."""
        if name.startswith(INVERSE):
            return Rational.generator(name.removeprefix(INVERSE)) ** -1
        ring = context((name,))
        return Rational(ring.gen(0), ring.constant(1), {})

    @staticmethod
    def polynomial(poly: fmpq_mpoly) -> Rational:
        """A flint polynomial as a rational function; generators named ``1/x`` become inverses."""
        names = names_of(poly.context())
        inverse = [k for k, name in enumerate(names) if name.startswith(INVERSE)]
        if not inverse:
            return Rational(poly, poly.context().constant(1), {})
        degrees = poly.degrees()
        ring = context([n for k, n in enumerate(names) if k not in inverse] + [names[k][2:] for k in inverse])
        position = {name: k for k, name in enumerate(ring.names())}
        terms: dict[tuple[int, ...], fmpq] = {}
        for exponents, coefficient in poly.terms():
            target = [0] * len(position)
            for k, exponent in enumerate(exponents):
                if k in inverse:
                    target[position[names[k][2:]]] += int(degrees[k]) - int(exponent)
                else:
                    target[position[names[k]]] += int(exponent)
            key = tuple(target)
            terms[key] = terms.get(key, fmpq(0)) + coefficient
        bottom = [0] * len(position)
        for k in inverse:
            bottom[position[names[k][2:]]] += int(degrees[k])
        return Rational(ring.from_dict(terms), ring.from_dict({tuple(bottom): 1}), {}).reduced()

    def reduced(self) -> Rational:
        """The same function with common factors of numerator and denominator removed."""
        top, bottom = _unified(self.numerator, self.denominator)
        common = top.gcd(bottom)
        if common.is_one():
            return Rational(top, bottom, self.roots)
        return Rational(top / common, bottom / common, self.roots)

    def __add__(self, other: Rational) -> Rational:
        a, b, c, d = _unified(self.numerator, self.denominator, other.numerator, other.denominator)
        roots = {**self.roots, **other.roots}
        if b == d:
            return Rational(a + c, b, roots) if b.is_one() else Rational(a + c, b, roots).reduced()
        common = b.gcd(d)
        left, right = b / common, d / common
        return Rational(a * right + c * left, b * right, roots).reduced()

    def __mul__(self, other: Rational) -> Rational:
        a, b, c, d = _unified(self.numerator, self.denominator, other.numerator, other.denominator)
        product = Rational(a * c, b * d, {**self.roots, **other.roots})
        return product if product.denominator.is_one() else product.reduced()

    def __neg__(self) -> Rational:
        return Rational(-self.numerator, self.denominator, self.roots)

    def __sub__(self, other: Rational) -> Rational:
        return self + (-other)

    def __pow__(self, exponent: int) -> Rational:
        if exponent >= 0:
            return Rational(self.numerator**exponent, self.denominator**exponent, self.roots)
        if self.is_zero():
            raise ZeroDivisionError("division by an expression that is identically zero")
        return Rational(self.denominator**-exponent, self.numerator**-exponent, self.roots)

    def __truediv__(self, other: Rational) -> Rational:
        return self * other**-1

    def is_zero(self) -> bool:
        """Whether the function vanishes identically (numerator zero modulo the roots' defining equations)."""
        if not self.roots:
            return bool(self.numerator.is_zero())
        reduced = _reduce_roots(self.numerator, self.roots)
        if _reduce_roots(self.denominator, self.roots).is_zero():
            raise NotRational("the denominator vanishes identically")
        return bool(reduced.is_zero())

    def equals(self, other: Rational) -> bool:
        """Exact equality as functions."""
        return (self - other).is_zero()

    def at(self, values: Mapping[str, Exact | fmpq]) -> Fraction:
        """The exact value at rational arguments; raises ZeroDivisionError on a pole (roots are not allowed)."""
        if self.roots:
            raise NotRational("a function with square roots has no exact rational value")
        bottom = evaluate_at(self.denominator, values)
        if bottom == 0:
            raise ZeroDivisionError("the point is a pole")
        return evaluate_at(self.numerator, values) / bottom

    def replace(self, name: str, value: Rational) -> Rational:
        """The same function of another one in place of a generator; neither may have roots (NotRational otherwise).

        Both polynomials are taken to the denominator of ``value`` at once, and common factors are looked for once.
        """
        if self.roots or value.roots:
            raise NotRational("a function with square roots is not put into another")
        top, bottom, inside, below = _unified(
            self.numerator, self.denominator, value.numerator, value.denominator
        )
        parts = by_power(top, name), by_power(bottom, name)
        highest = max((power for part in parts for power in part), default=0)
        above, under = ([one.context().constant(1)] for one in (inside, below))
        for _ in range(highest):
            above.append(above[-1] * inside)
            under.append(under[-1] * below)
        over, divided = (
            sum((one * above[k] * under[highest - k] for k, one in part.items()), top.context().constant(0))
            for part in parts
        )
        if divided.is_zero():
            raise ZeroDivisionError("division by an expression that is identically zero")
        return Rational(over, divided, {}).reduced()

    def factored(self) -> Factored:
        """The factorisation over the rationals, simple factors first."""
        top, upper = self.numerator.factor()
        bottom, lower = self.denominator.factor()
        factors = [(base, int(power)) for base, power in upper] + [
            (base, -int(power)) for base, power in lower
        ]
        ordered = sorted(factors, key=lambda factor: (len(factor[0]), str(factor[0])))
        return Factored(to_fraction(top / bottom), tuple(ordered))

    def names(self) -> set[str]:
        """The generators that occur."""
        used = {*names_in(self.numerator), *names_in(self.denominator)}
        for name in list(used):
            if name in self.roots:
                used |= self.roots[name].names()
        return used


def _reduce_roots(poly: fmpq_mpoly, roots: Mapping[str, Rational]) -> fmpq_mpoly:
    """The polynomial with every root's square replaced by its radicand (denominators cleared)."""
    for name, radicand in roots.items():
        poly, top, bottom = _unified(poly, radicand.numerator, radicand.denominator)
        ring = poly.context()
        names = names_of(ring)
        if name not in names:
            continue
        root = ring.gen(names.index(name))
        parts = by_power(poly, name)
        highest = max(parts, default=0) // 2
        poly = ring.constant(0)
        for degree, part in parts.items():
            half = degree // 2
            poly += part * top**half * bottom ** (highest - half) * root ** (degree % 2)
    return poly


def square_root(radicand: Rational, positive: Collection[str] = ()) -> Rational:
    """The non-negative square root of a function, as a generator with its defining equation.

    Square factors are taken out where they are positive: rational numbers, and polynomials with positive
    coefficients in the names declared `positive`. So equal roots written differently become the same.
    """
    if radicand.roots:
        raise NotRational("a root under a root is not supported")
    reduced = radicand.reduced()
    top, bottom = _unified(reduced.numerator, reduced.denominator)
    one = top.context().constant(1)
    unit, factors = (top * bottom).factor()
    outside, inside = Rational(one, bottom, {}), one
    for factor, multiplicity in factors:
        out, rest = divmod(int(multiplicity), 2)
        names = Rational(factor, one, {}).names()
        if not (names <= set(positive) and all(c > 0 for c in factor.coeffs())):
            out, rest = 0, int(multiplicity)
        outside = outside * Rational(factor, one, {}) ** out
        inside = inside * factor**rest
    content = to_fraction(unit)
    square, free = _square_part(content.numerator * content.denominator)
    outside = outside * Rational.number(Fraction(square, content.denominator))
    under = (Rational(inside, one, {}) * Rational.number(free)).reduced()
    if not under.names() and under.at({}) == 1:
        return outside
    name = f"sqrt({under.numerator})"
    root = Rational.generator(name)
    return outside * Rational(root.numerator, root.denominator, {name: under})


def _square_part(number: int) -> tuple[int, int]:
    """(s, f) with number = s^2 f and f free of squares of small primes."""
    square, free = 1, number
    divisor = 2
    while divisor * divisor <= abs(free) and divisor < 10_000:
        while free % (divisor * divisor) == 0:
            free //= divisor * divisor
            square *= divisor
        divisor += 1
    return square, free


def sum_of(terms: Iterable[Rational]) -> Rational:
    """The sum; what has one denominator is added before any common factor is looked for."""
    terms = [Rational.number(0), *terms]
    parts = iter(_unified(*(part for term in terms for part in (term.numerator, term.denominator))))
    numerators: list[fmpq_mpoly] = []
    denominators: list[fmpq_mpoly] = []
    for top, bottom in zip(parts, parts, strict=True):
        if bottom in denominators:
            numerators[denominators.index(bottom)] += top
        else:
            numerators.append(top)
            denominators.append(bottom)
    roots = {name: radicand for term in terms for name, radicand in term.roots.items()}
    return reduce(
        operator.add, (Rational(*pair, roots) for pair in zip(numerators, denominators, strict=True))
    )


def product_of(factors: Iterable[Rational]) -> Rational:
    """The product; what is one term over one term, as most factors are, is multiplied in one ring before anything else."""
    single: list[Rational] = []
    others: list[Rational] = []
    for factor in factors:
        is_single = len(factor.numerator) == len(factor.denominator) == 1
        (single if is_single else others).append(factor)
    total = Rational.number(1)
    if single:
        parts = _unified(*(part for factor in single for part in (factor.numerator, factor.denominator)))
        roots = {name: radicand for factor in single for name, radicand in factor.roots.items()}
        total = Rational(
            prod(parts[2::2], start=parts[0]), prod(parts[3::2], start=parts[1]), roots
        ).reduced()
    return reduce(operator.mul, others, total)
