"""Answers to moment queries as SymPy trees in the paper's symbols, inverses and transposes included."""

from __future__ import annotations

from functools import reduce

import sympy
from sympy import Identity, MatrixExpr, MatrixSymbol
from sympy.matrices.expressions.matexpr import MatrixElement

from derivations.language.symbols import p, symbol_table
from symbolic.algebra.refusal import Refused
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.query.query import Result
from symbolic.wishart.fixed_letters import TRANSPOSED, Word, base, element, indices_of, is_inverse
from symbolic.wishart.trace_polynomial import TracePolynomial


def answer_tree(result: Result) -> sympy.Basic:
    """The expectation of a query as a scalar or a p x p matrix expression.

    Raises ValueError for an answer with sums over indices, which products and traces do not express.
    """
    if any(monomial.index_sums for monomial in result.expectation.terms):
        raise ValueError(
            f"E[{result.query}] has sums over indices under {result.law}: ask for the identity covariance"
        )
    return _tree(result.expectation)


def _tree(answer: TracePolynomial) -> sympy.Basic:
    symbols = symbol_table()
    terms = []
    for (traces, word, _, _), value in answer.sorted_terms:
        scale = sympy.Mul(factored_to_sympy(value, symbols), *map(_trace, traces))
        terms.append(scale if word is None else scale * _product(word))
    if answer.is_matrix:
        return reduce(lambda left, right: left + right, terms, sympy.ZeroMatrix(p, p))
    return sympy.Add(*terms)


def _trace(word: Word) -> sympy.Expr:
    """A trace, or the element of a product that it is."""
    found = element(word)
    if found is None:
        return sympy.Trace(_product(word))
    inner, row, column = found
    # indexing a product would write the sum out
    return MatrixElement(_product(inner), row - 1, column - 1)


def _product(word: Word) -> MatrixExpr:
    """The matrix product of a word; the empty word is the identity."""
    return reduce(lambda left, right: left * right, map(_factor, word), Identity(p))


def _factor(factor: str) -> MatrixExpr:
    if is_inverse(factor):
        return MatrixSymbol(base(factor), p, p).inv()
    if indices_of(factor):
        raise Refused(
            f"{factor}, the matrix of a single 1, has no form in SymPy here: ask for an element or a trace"
        )
    symbol = MatrixSymbol(base(factor), p, p)
    return symbol.T if factor.endswith(TRANSPOSED) else symbol
