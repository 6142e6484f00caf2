"""Exact rational functions, with square roots as algebraic generators: the zero test behind every proof.

A `Rational` is a fraction of two python-flint polynomials over named generators. Square roots enter as
generators named ``sqrt(...)`` that carry their radicand; a numerator is zero when it reduces to the zero
polynomial modulo ``root**2 - radicand``. Nothing here is heuristic: an expression that cannot be read
exactly raises `NotRational` instead of being called equal or different.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from symbolic.algebra.refusal import Refused


class NotRational(Refused):
    """The expression is no rational function of its symbols, traces and square roots."""


def context(names: Iterable[str]) -> fmpq_mpoly_ctx:
    """The polynomial ring over Q in the given generator names (sorted, without repeats)."""
    return fmpq_mpoly_ctx.get(tuple(sorted(set(names))), Ordering.lex)


def _unified(*polynomials: fmpq_mpoly) -> tuple[fmpq_mpoly, ...]:
    contexts = [polynomial.context() for polynomial in polynomials]
    if all(ring is contexts[0] for ring in contexts):
        return polynomials
    ring = context(name for c in contexts for name in c.names())
    return tuple(polynomial.project_to_context(ring) for polynomial in polynomials)


@dataclass(frozen=True, eq=False)
class Rational:
    """A quotient of polynomials over Q; `roots` maps a generator that stands for a root to its radicand."""

    numerator: fmpq_mpoly
    denominator: fmpq_mpoly
    roots: Mapping[str, Rational]

    @staticmethod
    def number(value: int | Fraction) -> Rational:
        """The constant function of an exact number."""
        ring = context(())
        q = Fraction(value)
        return Rational(ring.constant(fmpq(q.numerator, q.denominator)), ring.constant(1), {})

    @staticmethod
    def generator(name: str) -> Rational:
        """The function that is one generator; a name ``1/x`` is read as the inverse of ``x``."""
        if name.startswith("1/"):
            return Rational.generator(name[2:]) ** -1
        ring = context((name,))
        return Rational(ring.gens()[0], ring.constant(1), {})

    @staticmethod
    def polynomial(poly: fmpq_mpoly) -> Rational:
        """A flint polynomial as a rational function; generators named ``1/x`` become inverses."""
        names = poly.context().names()
        inverse = [k for k, name in enumerate(names) if name.startswith("1/")]
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

    def at(self, values: Mapping[str, Fraction]) -> Fraction:
        """The exact value at rational arguments; raises ZeroDivisionError on a pole (roots are not allowed)."""
        if self.roots:
            raise NotRational("a function with square roots has no exact rational value")
        bottom = _value(self.denominator, values)
        if bottom == 0:
            raise ZeroDivisionError("the point is a pole")
        return _value(self.numerator, values) / bottom

    def names(self) -> set[str]:
        """The generators that occur."""
        used: set[str] = set()
        for polynomial in (self.numerator, self.denominator):
            labels = polynomial.context().names()
            used.update(labels[k] for k, d in enumerate(polynomial.degrees()) if d > 0)
        for name in list(used):
            if name in self.roots:
                used |= self.roots[name].names()
        return used


def _value(poly: fmpq_mpoly, values: Mapping[str, Fraction]) -> Fraction:
    used = zip(poly.context().names(), poly.degrees(), strict=True)
    given = [Fraction(values[name]) if degree > 0 else Fraction(0) for name, degree in used]
    value = fmpq(poly(*(fmpq(x.numerator, x.denominator) for x in given)))
    return Fraction(int(value.p), int(value.q))


def _reduce_roots(poly: fmpq_mpoly, roots: Mapping[str, Rational]) -> fmpq_mpoly:
    """The polynomial with every root's square replaced by its radicand (denominators cleared)."""
    for name, radicand in roots.items():
        poly, top, bottom = _unified(poly, radicand.numerator, radicand.denominator)
        ring = poly.context()
        names = ring.names()
        if name not in names:
            continue
        k = names.index(name)
        root = ring.gens()[k]
        highest = int(poly.degrees()[k]) // 2
        total = ring.constant(0)
        by_degree: dict[int, dict[tuple[int, ...], fmpq]] = {}
        for exponents, coefficient in poly.terms():
            rest = tuple(0 if j == k else int(e) for j, e in enumerate(exponents))
            by_degree.setdefault(int(exponents[k]), {})[rest] = coefficient
        for degree, terms in by_degree.items():
            half = degree // 2
            total += ring.from_dict(terms) * top**half * bottom ** (highest - half) * root ** (degree % 2)
        poly = total
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
    content = Fraction(int(unit.p), int(unit.q))
    square, free = _square_part(content.numerator * content.denominator)
    outside = outside * Rational.number(Fraction(square, content.denominator))
    under = (Rational(inside, one, {}) * Rational.number(free)).reduced()
    if not under.names() and under.at({}) == 1:
        return outside
    name = f"sqrt({under.numerator})"
    root = Rational(context((name,)).gens()[0], context((name,)).constant(1), {name: under})
    return outside * root


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


def from_sympy(expr: sympy.Expr) -> Rational:
    """Read a scalar SymPy expression (symbols, rationals, integer powers, square roots) exactly.

    Raises `NotRational` on floats, functions, and powers that are neither integers nor halves.
    """
    if isinstance(expr, sympy.Rational):
        return Rational.number(Fraction(int(expr.p), int(expr.q)))
    if isinstance(expr, sympy.Symbol):
        return Rational.generator(expr.name)
    if isinstance(expr, sympy.Add):
        return sum_of(from_sympy(term) for term in expr.args)
    if isinstance(expr, sympy.Mul):
        return product_of(from_sympy(factor) for factor in expr.args)
    if isinstance(expr, sympy.Pow):
        return power(from_sympy(expr.base), expr.exp, positive_names(expr))
    raise NotRational(f"cannot read {expr} exactly; use symbols, exact rationals, powers and square roots")


def positive_names(expr: sympy.Basic) -> frozenset[str]:
    """Names of the symbols of an expression that are declared positive."""
    return frozenset(str(s) for s in expr.free_symbols if s.is_positive)


def power(base: Rational, exponent: sympy.Expr, positive: Collection[str] = ()) -> Rational:
    """`base` to an integer or half-integer power; `positive` as in `square_root`."""
    if isinstance(exponent, sympy.Integer):
        return base ** int(exponent)
    if isinstance(exponent, sympy.Rational) and exponent.q == 2:
        return square_root(base, positive) ** int(exponent.p)
    raise NotRational(f"cannot read the exponent {exponent}; use integers and halves")


def sum_of(terms: Iterable[Rational]) -> Rational:
    """The sum, started from zero."""
    total = Rational.number(0)
    for term in terms:
        total = total + term
    return total


def product_of(factors: Iterable[Rational]) -> Rational:
    """The product, started from one."""
    total = Rational.number(1)
    for factor in factors:
        total = total * factor
    return total
