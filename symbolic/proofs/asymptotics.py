"""Orders in a growing size xi, from exact means and variances.

Every dimension is a multiple of a power of xi, so an exact polynomial in the dimensions has an exact degree in
xi. A random element with mean ``leading + error`` and variance V is ``leading + O(xi^a)`` in mean square with the
sharp exponent a = max(degree(error), degree(V) / 2). Exponents are affine in one parameter delta, the assumed
order of the traces of a deterministic matrix, for every delta > 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy

from symbolic.algebra.coefficients import INVERSE, names_of
from symbolic.algebra.words import Expression

DELTA = sympy.Symbol("delta", positive=True)


class UndecidedOrder(ArithmeticError):
    """Two terms dominate in different ranges of delta: there is no single exponent."""


@dataclass(frozen=True)
class Exponent:
    """The exponent ``constant + slope * delta`` of xi."""

    constant: Fraction
    slope: Fraction = Fraction(0)

    def __add__(self, other: Exponent) -> Exponent:
        return Exponent(self.constant + other.constant, self.slope + other.slope)

    def scaled(self, factor: Fraction | int) -> Exponent:
        """The exponent times a number."""
        return Exponent(self.constant * factor, self.slope * factor)

    def dominates(self, other: Exponent) -> bool:
        """Whether xi to this exponent is at least as large for every delta > 0."""
        return self.constant >= other.constant and self.slope >= other.slope

    def sympy(self) -> sympy.Expr:
        """The exponent as a SymPy expression in delta."""
        slope = sympy.Rational(self.slope.numerator, self.slope.denominator)
        return sympy.Rational(self.constant.numerator, self.constant.denominator) + slope * DELTA


def largest(exponents: list[Exponent]) -> Exponent:
    """The dominating exponent; raises UndecidedOrder when none dominates all others for every delta > 0."""
    for candidate in exponents:
        if all(candidate.dominates(other) for other in exponents):
            return candidate
    raise UndecidedOrder("no exponent dominates for every delta > 0; compare the terms separately")


def degree(expr: Expression, weights: Mapping[str, Exponent]) -> Exponent | None:
    """The degree in xi of a scalar polynomial expression without traces; None for zero.

    `weights` gives the exponent of each scalar or dimension; the rest have exponent zero, and ``1/x`` has minus
    the exponent of ``x``. Terms of the highest degree cannot cancel, because the multiples of xi that the
    dimensions stand for are independent positive numbers and the polynomial is already in normal form.
    """
    exponents: set[Exponent] = set()
    for (traces, word), coefficient in expr.monomials.items():
        if traces or word is not None:
            raise ValueError("an order needs a scalar without traces; bound the traces by scalars first")
        names = names_of(coefficient.context())
        of = [weights.get(name.removeprefix(INVERSE)) for name in names]
        growing = [
            (place, weight.scaled(-1 if name.startswith(INVERSE) else 1))
            for place, (name, weight) in enumerate(zip(names, of, strict=True))
            if weight is not None
        ]
        # many monomials have the same powers of what grows
        for powers in {tuple(monomial[place] for place, _ in growing) for monomial in coefficient.monoms()}:
            scaled = (weight.scaled(int(power)) for power, (_, weight) in zip(powers, growing, strict=True))
            exponents.add(sum(scaled, start=Exponent(Fraction(0))))
    return largest(list(exponents)) if exponents else None


def sharp_exponent(
    mean_errors: list[Expression], variances: list[Expression], weights: Mapping[str, Exponent]
) -> Exponent:
    """The smallest exponent a with every element equal to its leading part + O(xi^a) in mean square."""
    found = [degree(error, weights) for error in mean_errors]
    for variance in variances:
        order = degree(variance, weights)
        found.append(None if order is None else order.scaled(Fraction(1, 2)))
    exponents = [exponent for exponent in found if exponent is not None]
    if not exponents:
        raise ValueError("every error vanishes identically; the statement is exact and has no order")
    return largest(exponents)
