"""Stationary points of a rational function of one variable: closed forms, and which of them is the minimum."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from flint import fmpq_mpoly

from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.proofs.positivity import SignUnproved, quadratic_parts


class NoClosedForm(ArithmeticError):
    """The stationary points are not the two roots of one quadratic."""


@dataclass(frozen=True)
class QuadraticDerivative:
    """A derivative whose sign is that of a x^2 + b x + c times a positive factor (squares, denominators)."""

    variable: str
    a: Rational
    b: Rational
    c: Rational

    def roots(self, symbols: dict[str, sympy.Symbol]) -> tuple[sympy.Expr, sympy.Expr]:
        """The roots with the minus and the plus sign before the square root."""
        # common factors of the coefficients (a positive scale of the derivative) cancel in the ratios
        half, product = (
            quotient_to_sympy(part.reduced(), symbols)
            for part in (self.b / (self.a * Rational.number(2)), self.c / self.a)
        )
        spread = sympy.sqrt(sympy.factor(half**2 - product))
        return -half - spread, -half + spread


def derivative(value: Rational, variable: str) -> Rational:
    """The derivative of a rational function (without roots) in one of its variables."""
    if value.roots:
        raise NoClosedForm("cannot differentiate a root")
    ring = value.numerator.context()
    top, bottom = value.numerator, value.denominator
    if top.context() is not bottom.context():
        total = value + Rational.generator(variable) * Rational.number(0)
        top, bottom, ring = total.numerator, total.denominator, total.numerator.context()
    names = [str(name) for name in ring.names()]
    if variable not in names:
        return Rational.number(0)
    k = names.index(variable)
    return Rational(top.derivative(k) * bottom - top * bottom.derivative(k), bottom * bottom, {}).reduced()


def quadratic_derivative(value: Rational, variable: str) -> QuadraticDerivative:
    """The derivative's numerator as a quadratic; raises NoClosedForm when it is not one."""
    slope = derivative(value, variable)
    unit, factors = slope.numerator.factor()
    quadratic: fmpq_mpoly | None = None
    # factors free of the variable only rescale the quadratic; keep them with it so that its sign stays right
    rest = Rational.number(to_fraction(unit))
    for factor, multiplicity in factors:
        if variable not in Rational.polynomial(factor).names():
            rest = rest * Rational.polynomial(factor) ** int(multiplicity)
        elif quadratic is None and int(multiplicity) == 1:
            quadratic = factor
        else:
            raise NoClosedForm(f"the derivative has more than one factor in {variable}")
    if quadratic is None:
        raise NoClosedForm(f"the derivative does not vanish anywhere in {variable}")
    try:
        a, b, c = quadratic_parts(quadratic, variable)
    except SignUnproved as error:
        raise NoClosedForm(str(error)) from None
    parts = (Rational.polynomial(part) * rest for part in (a, b, c))
    return QuadraticDerivative(variable, *parts)
