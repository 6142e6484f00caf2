"""Statements `Y = c I + O(xi^a)` about random matrix words: exact leading coefficient, sharp exponent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from derivations.language.assumptions import Assumptions
from derivations.steps.labels import LEADING, ORDER, Order
from symbolic.algebra.words import Expression, polynomial, scalar, tr, unit, zero
from symbolic.averages.expectation import variance
from symbolic.proofs.asymptotics import DELTA, Exponent

if TYPE_CHECKING:
    from derivations.steps.step import Step

ONE = Exponent(Fraction(1))
TRACE = Exponent(Fraction(0), Fraction(1))
# the overparameterized regime: p and n_t grow together; Tr D and Tr D^2 are of order xi^delta
WEIGHTS: Mapping[str, Exponent] = {"p": ONE, "n_t": ONE, "trace": TRACE, "trace_of_square": TRACE}


def element(y: Expression, row: int, column: int) -> Expression:
    """The (row, column) element of a square word."""
    if y.shape is None or y.shape[0] != y.shape[1]:
        raise ValueError(f"elements are taken of square matrices, not of shape {y.shape}; give a square word")
    size = y.shape[0]
    return tr(y @ unit(size, column) @ unit(size, row).T)


def bound_traces(expr: Expression) -> Expression:
    """Traces of D and D^2 as scalars; the square of Tr D bounded by p Tr D^2 (Cauchy-Schwarz)."""
    total = zero()
    for term, coefficient in expr.terms.items():
        if term.word is not None:
            raise ValueError("an order is read off a scalar")
        powers = sorted(len(word) for word in term.traces)
        if any(factor.name != "D" for word in term.traces for factor in word) or any(k > 2 for k in powers):
            raise ValueError(f"cannot bound the traces of {expr}: only Tr D and Tr D^2 have a given order")
        single = powers.count(1)
        bound = (scalar("p") * scalar("trace_of_square")) ** (single // 2) * scalar("trace") ** (single % 2)
        total = total + polynomial(coefficient) * bound * scalar("trace_of_square") ** powers.count(2)
    return total


def variances_of_elements(
    blocks: Iterable[Expression], bound: Callable[[Expression], Expression] = bound_traces
) -> tuple[Expression, ...]:
    """The exact variances, from which orders are read, of a diagonal and an off-diagonal element of square words.

    `bound` writes the traces that are left in them as scalars of known order.
    """
    return tuple(bound(variance(element(word, 1, column))) for word in blocks for column in (1, 2))


def leading_of(step: Step, assumptions: Assumptions) -> sympy.Basic | Expression:
    """The leading coefficient that a step derives."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no leading coefficient")
    return step.derive(assumptions)[LEADING]


def exponent_of(step: Step, assumptions: Assumptions, label: Order = ORDER) -> float:
    """The exponent that a step derives, at delta = 1/2 where it depends on the order of the traces."""
    exponent = None if step.derive is None else step.derive(assumptions)[label]
    if not isinstance(exponent, sympy.Expr):
        raise ValueError(f"{step.name} derives no exponent")
    return float(exponent.subs(DELTA, sympy.Rational(1, 2)))
