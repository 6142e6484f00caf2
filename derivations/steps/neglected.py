"""What a formula to leading order leaves out: the order that is printed, and the one that a chain of moves comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy

from derivations.language.normal_form import equal, scalar
from symbolic.algebra.words import Expression, polynomial
from symbolic.proofs.asymptotics import Exponent, degree

Quantity: TypeAlias = "sympy.Basic | Expression"
# exponents by what grows
Orders: TypeAlias = Mapping[str, sympy.Expr]
_LATEX = {"xi": r"\xi", "m": "m"}


@dataclass(frozen=True)
class Neglected:
    """The order of what is left out, by what grows (xi, m); none where the print says in words that it is lower.

    words: those of the print, in LaTeX.
    """

    exponents: Orders
    words: str = ""

    @property
    def tex(self) -> str:
        """As it is printed."""
        if self.words:
            return self.words
        # powers that are alike stand together
        bases: dict[sympy.Expr, list[str]] = {}
        for name, value in reversed([*self.exponents.items()]):
            bases.setdefault(value, []).append(_LATEX[name])
        powers = (
            rf"{names[0] if len(names) == 1 else '(' + ''.join(names) + ')'}^{{{value}}}"
            for value, names in bases.items()
        )
        return rf"O\big({''.join(powers)}\big)"

    def exceeded(self, found: Orders) -> list[str]:
        """Along what grows an order found is larger than this one, or is not known."""
        return [
            name for name, value in self.exponents.items() if not (name in found and found[name] <= value)
        ]


@dataclass(frozen=True)
class Remainder:
    """The order by which a quantity deviates from what is stated of it, by what grows."""

    of: Quantity
    orders: Orders


def power_of(orders: Orders) -> str:
    """The product of powers, in plain text."""
    return " ".join(f"{name}^{value}" if value != 1 else name for name, value in reversed([*orders.items()]))


def order_of(formula: sympy.Expr, weights: Mapping[str, Exponent]) -> Exponent:
    """The degree in xi of a rational function of the sizes; raises ArithmeticError for zero."""
    value = scalar(formula)
    above, below = (degree(polynomial(part), weights) for part in (value.numerator, value.denominator))
    if above is None or below is None:
        raise ArithmeticError("it vanishes: there is no order")
    return above + below.scaled(Fraction(-1))


# what a step says about the orders of quantities, from what it derives
Remainders: TypeAlias = Callable[[Mapping[str, Quantity]], Iterable[Remainder]]


def same(first: Quantity, second: Quantity) -> bool:
    """Whether two quantities are one, by normal form."""
    if isinstance(first, Expression) and isinstance(second, Expression):
        return first.shape == second.shape and first == second
    return equal(first, second)
