"""The value of a moment query with an exact matrix for every letter, nothing taken at random.

Once from the tree, as the text is read, and once from the sum of products it is multiplied out to: whoever
does not trust the multiplication compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any

from flint import fmpq, fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.query.syntax import Node, Number, Power, Product, Quotient, Sum, Symbol, Trace, Transpose
from symbolic.wishart.fixed_letters import INVERSE, TRANSPOSED, Word, base
from symbolic.wishart.trace_polynomial import TracePolynomial

Value = Any
"""A flint number or matrix."""


@dataclass(frozen=True)
class Numbers:
    """Numbers for the dimensions and square matrices for the letters, all of the size p."""

    dimensions: Mapping[str, int]
    matrices: Mapping[str, fmpq_mat]
    size: int

    @property
    def identity(self) -> fmpq_mat:
        """The identity matrix."""
        span = range(self.size)
        return fmpq_mat(self.size, self.size, [int(i == j) for i in span for j in span])

    def of_tree(self, node: Node) -> Value:
        """The value of a part of a query. Raises ZeroDivisionError where a divisor is zero or singular."""
        result: Value = fmpq(0)
        match node:
            case Number(value=value):
                result = fmpq(value)
            case Symbol(name=name, is_matrix=True):
                result = self.matrices.get(name, self.identity)
            case Symbol(name=name):
                result = fmpq(self.dimensions[name])
            case Trace(of=inner):
                result = self._trace(self.of_tree(inner))
            case Transpose(of=inner):
                result = self.of_tree(inner).transpose()
            case Power(of=inner, exponent=exponent):
                result = self._power(self.of_tree(inner), exponent)
            case Quotient(top=top, bottom=bottom):
                result = self.of_tree(top) * (1 / self.of_tree(bottom))
            case Product(factors=factors):
                result = reduce(mul, map(self.of_tree, factors))
            case Sum(terms=terms):
                signed = [self.of_tree(part) * fmpq(sign) for sign, part in terms]
                result = reduce(lambda left, right: left + right, signed)
        return result

    def of_products(self, polynomial: TracePolynomial) -> Value:
        """The value of a sum of products of traces and words."""
        total: Value = self.identity * fmpq(0) if polynomial.is_matrix else fmpq(0)
        numbers = {name: Fraction(size) for name, size in self.dimensions.items()}
        for monomial, coefficient in polynomial.terms.items():
            value: Value = to_fmpq(coefficient.at(numbers))
            for trace in monomial.traces:
                value = value * self._trace(self._word(trace))
            total = total + (value if monomial.word is None else self._word(monomial.word) * value)
        return total

    def _word(self, word: Word) -> fmpq_mat:
        return reduce(mul, map(self._factor, word), self.identity)

    def _factor(self, factor: str) -> fmpq_mat:
        matrix = self.matrices[base(factor)]
        if factor.endswith(INVERSE):
            return matrix.inv()
        return matrix.transpose() if factor.endswith(TRANSPOSED) else matrix

    def _trace(self, matrix: fmpq_mat) -> fmpq:
        return sum((matrix[i, i] for i in range(self.size)), fmpq(0))

    def _power(self, value: Value, exponent: int) -> Value:
        if isinstance(value, fmpq):
            return value**exponent
        factor = value if exponent >= 0 else value.inv()
        return reduce(mul, [factor] * abs(exponent), self.identity)
