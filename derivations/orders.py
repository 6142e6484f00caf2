"""Statements `Y = c I + O(xi^a)` about random matrix words: exact leading coefficient, sharp exponent."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derivations.step import Derived
from symbolic.asymptotics import Exponent, sharp_exponent
from symbolic.moments import expect, variance
from symbolic.words import Expression, matrix, polynomial, scalar, tr, unit, zero

LEADING, ORDER = "c", "a"
ONE = Exponent(Fraction(1))
TRACE = Exponent(Fraction(0), Fraction(1))
# the overparameterized regime: p and n_t grow together; Tr D and Tr D^2 are of order xi^delta
WEIGHTS: Mapping[str, Exponent] = {"p": ONE, "n_t": ONE, "trace": TRACE, "trace_of_square": TRACE}


def element(y: Expression, row: int, column: int) -> Expression:
    """The (row, column) element of an n_v x n_v word."""
    return tr(y @ unit("n_v", column) @ unit("n_v", row).T)


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


def derive_order(
    blocks: Mapping[str, Expression],
    weights: Mapping[str, Exponent] = WEIGHTS,
    squared_length: str | None = None,
) -> tuple[Expression, Exponent]:
    """Exact mean of the diagonal, and the sharp exponent of the elementwise error.

    `blocks`: words of shape n_v x n_v: "same task" has the leading part on its diagonal; "other task", where given,
    is an off-diagonal block. `squared_length` names the scalar that stands for |d|^2 of a vector letter d.
    """
    means, variances = [], []
    leading = zero()
    for which, word in blocks.items():
        for row, column in ((1, 1), (1, 2)):
            entry = element(word, row, column)
            mean = _scalars(expect(entry), squared_length)
            if which == "same task" and row == column:
                leading = mean
            elif not mean.is_zero:
                means.append(bound_traces(mean))
            variances.append(bound_traces(_scalars(variance(entry), squared_length)))
    return leading, sharp_exponent(means, variances, weights)


def _scalars(expr: Expression, squared_length: str | None) -> Expression:
    if squared_length is None:
        return expr
    # |d|^2 appears as the 1 x 1 word d^T d; a multiple of a unit vector has the same length
    total = zero()
    for term, coefficient in expr.terms.items():
        lengths = len(term.traces)
        total = total + polynomial(coefficient) * scalar(squared_length) ** lengths
    return total


def order_parts(leading: Expression, exponent: Exponent) -> Derived:
    """The derived parts of such a statement."""
    return {LEADING: leading, ORDER: exponent.sympy()}
