"""The value of a moment query, as it is read, with an exact matrix for every letter, nothing taken at random."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import mul
from typing import Any

from flint import fmpq, fmpq_mat

from symbolic.algebra.matrices import multiple
from symbolic.grammar import tree
from symbolic.wishart.fixed_letters import unit

Value = Any
"""A flint number or matrix."""


def tree_value(
    node: tree.Node, dimensions: Mapping[str, int], matrices: Mapping[str, fmpq_mat], size: int
) -> Value:
    """The value of a part of a query: ``dimensions`` by name, p x p ``matrices`` by letter, p = ``size``.

    Elements are traces with the matrices ``e[i,j]``, which may be any where `e[j,i]` is the transpose.

    Raises ZeroDivisionError where a divisor is zero or singular.
    """
    identity = multiple(size)

    def value(part: tree.Node) -> Value:
        result: Value = fmpq(0)
        match part:
            case tree.Number(value=number):
                result = fmpq(number)
            case tree.Symbol(name=name, is_matrix=True):
                result = matrices.get(name, identity)
            case tree.Symbol(name=name):
                result = fmpq(dimensions[name])
            case tree.Trace(of=inner):
                table = value(inner)
                result = sum((table[i, i] for i in range(table.nrows())), fmpq(0))
            case tree.Element(of=inner, row=row, column=column):
                table = value(inner) * matrices[unit(column, row)]
                result = sum((table[i, i] for i in range(size)), fmpq(0))
            case tree.Determinant(of=inner, order=order):
                # det(x - M) has (-1)^k e_k at x^(p-k); at other sizes than that which was asked for e_k is as good
                coefficients = value(inner).charpoly().coeffs()
                result = (-1) ** order * coefficients[size - order] if order <= size else fmpq(0)
            case tree.Transpose(of=inner):
                result = value(inner).transpose()
            case tree.Power(of=inner, exponent=exponent):
                result = _power(value(inner), exponent, identity)
            case tree.Quotient(top=top, bottom=bottom):
                result = value(top) * (1 / value(bottom))
            case tree.Product(factors=factors):
                whole, result = tree.Kind.SCALAR, fmpq(1)
                for factor in factors:
                    result = result * value(factor)
                    if whole is tree.Kind.ROW and tree.kind(factor) is tree.Kind.COLUMN:
                        result = result[0, 0]
                    whole = tree.multiplied(whole, tree.kind(factor)) or tree.Kind.MATRIX
            case tree.Sum(terms=terms):
                result = reduce(
                    lambda left, right: left + right, (value(x) * fmpq(sign) for sign, x in terms)
                )
        return result

    return value(node)


def _power(value: Value, exponent: int, identity: fmpq_mat) -> Value:
    if isinstance(value, fmpq):
        return value**exponent
    factor = value if exponent >= 0 else value.inv()
    return reduce(mul, [factor] * abs(exponent)) if exponent else identity
