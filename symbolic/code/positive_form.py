"""Positive forms: a function written so that no term cancels another when it is evaluated in floating point.

A polynomial in sizes (dimensions, at least one) is a sum of terms of one sign, if necessary in x - 1 or in a
declared positive difference such as p - n m. A polynomial in a rate a, of any real value, is written in a and
b = 1 - a: as a sum of even powers with positive coefficients, or else as a sum of squares of forms in (b, a).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy
from flint import fmpq_mpoly

from symbolic.algebra.coefficients import context, from_terms, lift, named_terms, names_in, names_of
from symbolic.algebra.polynomials import by_monomial, common_sign, nested, shifted_by_one
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import from_sympy, number_to_sympy
from symbolic.code.binary_forms import (
    coefficients,
    homogeneous,
    lowest_square,
    promising,
    squares,
    three_squares,
)

# Polynomials in sizes beyond this total degree could overflow at sizes near 1e9; they are not used as pivots.
HIGHEST_DEGREE = 16
# Sums of squares are looked for up to this degree in the rate.
HIGHEST_POWER = 8
ONE = Rational.number(1)


@dataclass(frozen=True)
class Form:
    """An expression for a function, and the function's certified sign (0 when no positive form was found)."""

    expr: sympy.Expr
    sign: int

    def __neg__(self) -> Form:
        return Form(-self.expr, -self.sign)


def eliminated(poly: fmpq_mpoly, difference: fmpq_mpoly, name: str) -> Iterator[fmpq_mpoly]:
    """The polynomial with one term t of a difference, which is called `name`, written by the name and the other terms.

    What is added in the difference comes first; a power of a product is replaced as often as it divides a term.
    """
    ring = context([*names_of(poly.context()), *names_of(difference.context()), name])
    here, known = lift(poly, ring), lift(difference, ring)
    gens = dict(zip(names_of(ring), ring.gens(), strict=True))

    def product(powers: Mapping[str, int]) -> fmpq_mpoly:
        return math.prod((gens[size] ** power for size, power in powers.items()), start=ring.constant(1))

    for powers, sign in sorted(named_terms(known), key=lambda item: -item[1]):
        others = known - sign * product(powers)
        if abs(sign) != 1 or not powers or names_in(others) & set(powers):
            continue
        image, found = sign * (gens[name] - others), ring.constant(0)
        for inside, coefficient in named_terms(here):
            times = min(inside.get(size, 0) // power for size, power in powers.items())
            left = {size: power - times * powers.get(size, 0) for size, power in inside.items()}
            found += coefficient * product(left) * image**times
        yield found


def total(forms: list[Form]) -> Form:
    """The sum of forms, certified when all have the same certified sign."""
    signs = {form.sign for form in forms}
    return Form(sympy.Add(*(form.expr for form in forms)), signs.pop() if len(signs) == 1 else 0)


@dataclass
class Rewriter:
    """Finds positive forms over given names.

    symbols: SymPy symbol by name. rates: real variables. sizes: variables that are at least one. weights:
    other variables that are not negative, in which functions are polynomial. differences: names for sums of
    sizes that are known to be positive, and as they are integers at least one. `definitions` collects the auxiliary symbols and what they stand for.
    """

    symbols: dict[str, sympy.Symbol]
    rates: tuple[str, ...]
    sizes: frozenset[str]
    weights: frozenset[str] = frozenset()
    differences: Mapping[str, sympy.Expr] = field(default_factory=dict)
    definitions: dict[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    _shapes: dict[str, tuple[fmpq_mpoly, int]] = field(default_factory=dict)

    # -- sums and products ----------------------------------------------------------------------------------

    def function(self, value: Rational) -> Form:
        """A rational function as a sum over the monomials in the weights, coefficients in positive form."""
        parts = by_monomial(value, self.weights)
        if len(parts) == 1:
            return self.fraction(value)
        forms = []
        for monomial, coefficient in parts.items():
            weight = sympy.Mul(*(self.symbols[name] ** power for name, power in monomial))
            form = self.fraction(coefficient)
            forms.append(Form(weight * form.expr, form.sign))
        return total(forms)

    def fraction(self, value: Rational) -> Form:
        """A rational function as a product of powers of irreducible factors, each in positive form."""
        if value.is_zero():
            return Form(sympy.Integer(0), 0)
        orientation, certified, factors = 1, True, []
        for polynomial, direction in ((value.numerator, 1), (value.denominator, -1)):
            unit, found = polynomial.factor()
            orientation *= 1 if unit > 0 else -1
            factors.append(abs(number_to_sympy(unit)) ** direction)
            for factor, multiplicity in found:
                form, times = self.factor(factor), int(multiplicity)
                if form.sign < 0:
                    form, orientation = -form, orientation * (-1) ** times
                # an even power is positive whatever the sign of its base
                certified &= form.sign != 0 or times % 2 == 0
                factors.append(form.expr ** (direction * times))
        return Form(orientation * sympy.Mul(*factors), orientation if certified else 0)

    def factor(self, poly: fmpq_mpoly) -> Form:
        """A polynomial without factors, in positive form where one is found, else as a plain sum."""
        names = names_in(poly)
        for rate in self.rates:
            if rate in names:
                return self._in_rate(coefficients(poly, rate), rate)
        return self._in_sizes(poly)

    # -- polynomials in sizes -------------------------------------------------------------------------------

    def _in_sizes(self, poly: fmpq_mpoly) -> Form:
        shape, sign = self._of_one_sign(poly)
        return Form(nested(shape, self.symbols), sign)

    def _of_one_sign(self, poly: fmpq_mpoly) -> tuple[fmpq_mpoly, int]:
        """The polynomial in sizes, x - 1 and differences with coefficients of one sign, else (poly, 0)."""
        key = str(poly)
        if key not in self._shapes:
            sign = common_sign(poly) if names_in(poly) <= self.sizes | self.weights else 0
            found = (poly, sign) if sign else self._through_difference(poly) or self._above_one(poly)
            self._shapes[key] = found or self._through_difference(poly, shifted=True) or (poly, 0)
        return self._shapes[key]

    def _through_difference(
        self, poly: fmpq_mpoly, *, shifted: bool = False
    ) -> tuple[fmpq_mpoly, int] | None:
        """A size, or a product of sizes, of a known positive difference eliminated in favour of the difference.

        shifted: sizes and the difference may then have to be written by what they exceed one by.
        """
        if not names_in(poly) <= self.sizes:
            return None
        for name, difference in self.differences.items():
            for moved in eliminated(poly, from_sympy(difference).numerator, name):
                found = self._above_one(moved) if shifted else (moved, common_sign(moved))
                if found and found[1]:
                    self._define(name, difference, positive=True)
                    return found
        return None

    def _above_one(self, poly: fmpq_mpoly) -> tuple[fmpq_mpoly, int] | None:
        """x - 1 in place of as few sizes and differences x as give all coefficients one sign."""
        shifted = sorted(names_in(poly))
        if not set(shifted) <= self.sizes | self.differences.keys() or not common_sign(
            shifted_by_one(poly, shifted)
        ):
            return None
        for name in list(shifted):
            fewer = [other for other in shifted if other != name]
            if common_sign(shifted_by_one(poly, fewer)):
                shifted = fewer
        moved = shifted_by_one(poly, shifted)
        for name in shifted:
            value = self.differences[name] if name in self.differences else self.symbols[name]
            self._define(f"{name}_less_1", value - 1, nonnegative=True)
        names = [f"{name}_less_1" if name in shifted else name for name in names_of(poly.context())]
        return from_terms(names, moved.to_dict()), common_sign(moved)

    def _define(self, name: str, expr: sympy.Expr, **properties: bool) -> sympy.Symbol:
        """The auxiliary symbol of that name, which stands for an expression of given symbols."""
        self.symbols.setdefault(name, sympy.Symbol(name, **properties))
        self.definitions[self.symbols[name]] = expr
        return self.symbols[name]

    # -- polynomials in a rate ------------------------------------------------------------------------------

    def _in_rate(self, q: list[Rational], rate: str) -> Form:
        for sign in (1, -1):
            expr = self._positive([c * Rational.number(sign) for c in q], rate)
            if expr is not None:
                return Form(sign * expr, sign)
        return Form(self._mixed(q, rate), 0)

    def _pair(self, rate: str) -> tuple[sympy.Symbol, sympy.Symbol]:
        """(b, a): the symbol that stands for one minus the rate, and the rate."""
        a = self.symbols[rate]
        name = rate.replace("alpha", "beta") if "alpha" in rate else f"{rate}_below_1"
        return self._define(name, 1 - a, real=True), a

    def _accepts(self, value: Rational) -> bool:
        """Whether a function is certified to be positive, or zero, and is not too large a quotient."""
        top, bottom = value.numerator, value.denominator
        if value.is_zero():
            return True
        if max(int(top.total_degree()), int(bottom.total_degree())) > HIGHEST_DEGREE:
            return False
        if value.names() & set(self.rates):
            return self.fraction(value).sign > 0
        sign = 1
        for polynomial in (top, bottom):
            unit, factors = polynomial.factor()
            sign *= 1 if unit > 0 else -1
            for factor, multiplicity in factors:
                sign *= self._of_one_sign(factor)[1] ** int(multiplicity)
        return sign > 0

    def _positive(self, q: list[Rational], rate: str) -> sympy.Expr | None:
        """A positive expression for sum_k q[k] rate^k, or None."""
        if len(q) % 2 == 0 or len(q) > HIGHEST_POWER + 1:
            return None
        a = self.symbols[rate]
        if all(c.is_zero() for c in q[1::2]) and all(map(self._accepts, q[::2])):
            return sympy.Add(*(self.fraction(c).expr * a ** (2 * k) for k, c in enumerate(q[::2])))
        weights = three_squares(q)
        if weights is not None and all(map(self._accepts, weights)):
            b, a = self._pair(rate)
            return sympy.Add(*(self.fraction(c).expr * x**2 for c, x in zip(weights, (1, a, b), strict=True)))
        terms = squares(q, self._accepts) if promising(q, self._samples(q)) else None
        if terms is not None:
            return sympy.Add(
                *(self.fraction(pivot).expr * self._line(row, rate) ** 2 for pivot, row in terms)
            )
        return self._peeled(q, rate)

    def _samples(self, q: list[Rational]) -> list[dict[str, Fraction]]:
        """A few points: small and large sizes, rates on both sides of 0 and 1."""
        names = sorted({name for c in q for name in c.names()})
        generator = random.Random(0)
        return [
            {
                name: Fraction(generator.randint(-30, 50), 16)
                if name in self.rates
                else Fraction(1 + int(10 ** generator.uniform(0, top)))
                for name in names
            }
            for top in (1, 1, 3, 3, 6, 9)
        ]

    def _line(self, row: list[Rational], rate: str) -> sympy.Expr:
        b, a = self._pair(rate)
        top = len(row) - 1
        return sympy.Add(*(self.fraction(x).expr * b ** (top - j) * a**j for j, x in enumerate(row)))

    def _peeled(self, q: list[Rational], rate: str) -> sympy.Expr | None:
        """q[0] times the square of a linear form that takes the two lowest terms, plus a^2 times the rest."""
        if len(q) < 5 or q[0].is_zero() or not self._accepts(q[0]):
            return None
        slope, rest = lowest_square(q)
        inner = self._positive(rest, rate)
        return None if inner is None else self._lowest(q[0], slope, rate) + self.symbols[rate] ** 2 * inner

    def _lowest(self, start: Rational, slope: Rational, rate: str) -> sympy.Expr:
        if slope.is_zero():
            return self.fraction(start).expr
        return self.fraction(start).expr * self._line([ONE, slope + ONE], rate) ** 2

    def _mixed(self, q: list[Rational], rate: str) -> sympy.Expr:
        """Without a positive form: the lowest terms apart where they are 1 or b^2, the rest in (b, a)."""
        if len(q) >= 5 and not q[0].is_zero():
            slope, rest = lowest_square(q)
            if slope.is_zero() or (slope + ONE).is_zero():
                return self._lowest(q[0], slope, rate) + self.symbols[rate] ** 2 * self._mixed(rest, rate)
        return self._line(homogeneous(q), rate)
