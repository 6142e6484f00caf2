"""Products of words of Wishart matrices as expressions of the word engine."""

from __future__ import annotations

from functools import reduce

from symbolic.algebra.expression import Expression
from symbolic.algebra.words import constant, gaussian, identity, matrix, tr
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    SIGMA,
    TRANSPOSED,
    Word,
    is_wishart,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import Monomial
from symbolic.wishart.wishart_moment import Covariance

INVERSE_OF_SIGMA = "Sigma_inverse"
"""Sigma^-1 in the engine: a symmetric letter of its own; claims about it hold for every such letter."""


def factor_expression(factor: str, covariance: Covariance) -> Expression:
    """A factor (no inverse of a Wishart matrix) as an expression; W = X^T X."""
    if is_wishart(factor):
        rows = gaussian(
            "X" + factor[1:], row_dimension(factor), COLUMNS, SIGMA if covariance == "general" else None
        )
        return rows.T @ rows
    if factor == SIGMA + INVERSE:
        return matrix(INVERSE_OF_SIGMA, COLUMNS, COLUMNS, symmetric=True)
    plain = matrix(factor.removesuffix(TRANSPOSED), COLUMNS, COLUMNS, symmetric=factor == SIGMA)
    return plain.T if factor.endswith(TRANSPOSED) else plain


def word_expression(word: Word, covariance: Covariance) -> Expression:
    """The matrix product of a word."""
    factors = (factor_expression(factor, covariance) for factor in word)
    return reduce(lambda left, right: left @ right, factors, identity(COLUMNS))


def monomial_expression(monomial: Monomial, covariance: Covariance) -> Expression:
    """A product of traces and a word."""
    result = constant(1)
    for trace in monomial.traces:
        result = result * tr(word_expression(trace, covariance))
    return result if monomial.word is None else result * word_expression(monomial.word, covariance)
