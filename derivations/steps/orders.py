"""Statements `Y = c I + O(xi^a)` about random matrix words: exact leading coefficient, sharp exponent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from derivations.language.assumptions import Assumptions
from derivations.steps.labels import LEADING, ORDER, Order
from symbolic.algebra.words import Expression, polynomial, scalar, tr, unit, zero
from symbolic.averages.expectation import expect, variance
from symbolic.proofs.asymptotics import DELTA, Exponent

if TYPE_CHECKING:
    from derivations.steps.step import Step

SAME_TASK = "same task"
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


@dataclass(frozen=True)
class ElementMoments:
    """Exact means and variances of a diagonal and an off-diagonal element, traces bounded by scalars.

    leading: mean of the diagonal element of the same task. errors: means that should vanish. variances: of
    all these elements.
    """

    leading: Expression
    errors: tuple[Expression, ...]
    variances: tuple[Expression, ...]


def element_moments(
    blocks: Mapping[str, Expression],
    squared_length: str | None = None,
    bound: Callable[[Expression], Expression] = bound_traces,
) -> ElementMoments:
    """The moments from which orders are read.

    `blocks`: square words: "same task" has the leading part on its diagonal; "other task", where given, is an
    off-diagonal block. `squared_length` names the scalar that stands for |d|^2 of a vector letter d. `bound`
    writes the traces that are left in means and variances as scalars of known order.
    """
    errors, variances = [], []
    leading = zero()
    for which, word in blocks.items():
        for row, column in ((1, 1), (1, 2)):
            entry = element(word, row, column)
            mean = _scalars(expect(entry), squared_length)
            if which == SAME_TASK and row == column:
                leading = mean
            elif not mean.is_zero:
                errors.append(bound(mean))
            variances.append(bound(_scalars(variance(entry), squared_length)))
    return ElementMoments(leading, tuple(errors), tuple(variances))


def _scalars(expr: Expression, squared_length: str | None) -> Expression:
    if squared_length is None:
        return expr
    # |d|^2 appears as the 1 x 1 word d^T d; a multiple of a unit vector has the same length
    total = zero()
    for term, coefficient in expr.terms.items():
        lengths = len(term.traces)
        total = total + polynomial(coefficient) * scalar(squared_length) ** lengths
    return total


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
