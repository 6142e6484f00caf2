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
from symbolic.query.combined.kronecker_terms import OUTER, TURNED, Term
from symbolic.query.query_words import Setting
from symbolic.query.result import Result
from symbolic.wishart.determinant_powers import Determinants
from symbolic.wishart.fixed_letters import (
    COLUMNS,
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

INDEX = sympy.Symbol("i", integer=True)
"""Counts the degrees of freedom of a determinant."""


def answer_tree(result: Result) -> sympy.Basic:
    """The expectation of a query as a scalar or a p x p matrix expression.

    Raises ValueError for an answer with sums over indices, which products and traces do not express.
    """
    if result.kronecker:
        trees = _Trees(result.setting)
        return reduce(lambda left, right: left + right, map(trees.kronecker, result.kronecker))
    if result.parts:
        return reduce(lambda left, right: left + right, map(answer_tree, result.parts))
    if any(monomial.index_sums for monomial in result.expectation.terms):
        raise ValueError(
            f"E[{result.query}] has sums over indices under {result.law}: ask for the identity covariance"
        )
    trees = _Trees(result.setting)
    rest = trees.tree(result.expectation)
    if result.determinants is None:
        return rest
    if result.determinants.log:
        rest = trees.log(result.determinants) * rest + trees.tree(result.determinants.slope)
    return trees.powers(result.determinants) * rest


def _places(turned: bool) -> sympy.FunctionMatrix:
    """The commutation matrix K, or vec(I) vec(I)', by the places of their ones."""
    row, column = sympy.symbols("row column", integer=True)
    (a, b), (c, d) = (_indices(x) for x in (row, column))
    pairs = ((a, d), (b, c)) if turned else ((a, b), (c, d))
    return sympy.FunctionMatrix(
        p**2, p**2, sympy.Lambda((row, column), sympy.Mul(*(sympy.KroneckerDelta(*pair) for pair in pairs)))
    )


def _indices(index: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """Of an index of p^2 the two indices of p."""
    return sympy.floor(index / p), sympy.Mod(index, p)


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

    def kronecker(self, term: Term) -> sympy.Basic:
        """A scalar times a Kronecker product: vec(L') vec(R)' is kron(L, I) vec(I) vec(I)' kron(R, I)."""
        left, right = self._product(term.left), self._product(term.right)
        scalar = self.tree(term.scalar)
        if term.form == OUTER:
            outer = sympy.KroneckerProduct(left, Identity(p)) * _places(turned=False)
            return scalar * outer * sympy.KroneckerProduct(right, Identity(p))
        found = sympy.KroneckerProduct(left, right)
        return scalar * (found * _places(turned=True) if term.form == TURNED else found)

    def powers(self, determinants: Determinants) -> sympy.Expr:
        """The mean of powers of determinants, as products of gamma functions."""
        i, found = INDEX, [sympy.Integer(1)]
        for name, power, sigma in determinants.powers:
            k = sympy.Rational(power.numerator, power.denominator)
            size, half = self._size(determinants, COLUMNS), self._half(determinants, name)
            found.append(sympy.Product(sympy.gamma(half + k) / sympy.gamma(half), (i, 0, size - 1)))
            found += [] if determinants.is_complex else [sympy.Integer(2) ** (k * size)]
            found += [sympy.Determinant(self._product(sigma)) ** k] if sigma else []
        return sympy.Mul(*found)

    def log(self, determinants: Determinants) -> sympy.Expr:
        """The mean of the logarithm of a determinant."""
        size, half = self._size(determinants, COLUMNS), self._half(determinants, determinants.log)
        shift = determinants.log_shift
        half += sympy.Rational(shift.numerator, shift.denominator)
        found = [sympy.Sum(sympy.digamma(half), (INDEX, 0, size - 1))]
        found += [] if determinants.is_complex else [size * sympy.log(2)]
        sigma = determinants.log_sigma
        return sympy.Add(*found, *([sympy.log(sympy.Determinant(self._product(sigma)))] if sigma else []))

    def _size(self, determinants: Determinants, name: str) -> sympy.Expr:
        known = dict(determinants.sizes).get(name)
        return self._length(name) if known is None else sympy.Rational(known.numerator, known.denominator)

    def _half(self, determinants: Determinants, name: str) -> sympy.Expr:
        """(n - i)/2, or n - i for complex rows."""
        free = self._size(determinants, row_dimension(name)) - INDEX
        return free if determinants.is_complex else free / 2

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
