"""Answers to moment queries as SymPy trees in the paper's symbols, inverses and transposes included."""

from __future__ import annotations

from functools import reduce

import sympy
from sympy import Identity, MatrixExpr, MatrixSymbol
from sympy.matrices.expressions.matexpr import MatrixElement

from derivations.language.symbols import p, symbol_table
from symbolic.algebra.refusal import Refused
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.grammar.shapes import ONE
from symbolic.query.query_words import Setting
from symbolic.query.result import Result
from symbolic.wishart.fixed_letters import (
    ROW_IDENTITY,
    TRANSPOSED,
    Word,
    base,
    element,
    indices_of,
    is_inverse,
    of_rows,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import TracePolynomial


def answer_tree(result: Result) -> sympy.Basic:
    """The expectation of a query as a scalar or a p x p matrix expression.

    Raises ValueError for an answer with sums over indices, which products and traces do not express.
    """
    if result.kronecker:
        raise Refused("a Kronecker product is written as latex, text and python: give numbers for a value")
    if result.determinants is not None:
        raise Refused(
            "powers and logarithms of determinants are written as latex and text here: give numbers for a value"
        )
    if any(monomial.index_sums for monomial in result.expectation.terms):
        raise ValueError(
            f"E[{result.query}] has sums over indices under {result.law}: ask for the identity covariance"
        )
    return _Trees(result.setting).tree(result.expectation)


class _Trees:
    """Trees of words whose letters have the shapes of a setting."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._symbols = symbol_table()

    def tree(self, answer: TracePolynomial) -> sympy.Basic:
        """A sum of products."""
        terms = []
        for (traces, word, _, _), value in answer.sorted_terms:
            scale = sympy.Mul(factored_to_sympy(value, self._symbols), *map(self._trace, traces))
            terms.append(scale if word is None else scale * self._product(word))
        if answer.is_matrix:
            zero = sympy.ZeroMatrix(*map(self._length, self._setting.whole))
            return reduce(lambda left, right: left + right, terms, zero)
        return sympy.Add(*terms)

    def _length(self, name: str) -> sympy.Expr:
        return self._symbols.get(name, sympy.Integer(1) if name == ONE else sympy.Symbol(name))

    def _trace(self, word: Word) -> sympy.Expr:
        """A trace, or the element of a product that it is."""
        found = element(word)
        if found is None:
            return sympy.Trace(self._product(word))
        inner, row, column = found
        # indexing a product would write the sum out
        return MatrixElement(self._product(inner), row - 1, column - 1)

    def _product(self, word: Word) -> MatrixExpr:
        """The matrix product of a word; the empty word is the identity."""
        return reduce(lambda left, right: left * right, map(self._factor, word)) if word else Identity(p)

    def _factor(self, factor: str) -> MatrixExpr:
        if indices_of(factor):
            raise Refused(
                f"{factor}, the matrix of a single 1, has no form in SymPy here: ask for an element or a trace"
            )
        if of_rows(factor) == ROW_IDENTITY:
            return Identity(self._length(row_dimension(factor)))
        name = base(factor)
        symbol = MatrixSymbol(name, *map(self._length, self._setting.shape(name)))
        if is_inverse(factor):
            return symbol.inv()
        return symbol.T if factor.endswith(TRANSPOSED) else symbol
