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
    indices_of,
    is_wishart,
    row_dimension,
    unit,
)
from symbolic.wishart.trace_polynomial import Monomial
from symbolic.wishart.wishart_moment import Covariance

INVERSE_OF_SIGMA = "Sigma_inverse"
"""Sigma^-1 in the engine: a symmetric letter of its own; claims about it hold for every such letter."""

UNIT_NAME = "unit_{}_{}"
"""A matrix of a single 1 on or above the diagonal; those below it are transposes."""


def factor_of(name: str, transposed: bool) -> str:
    """The factor that a letter of the engine stands for, as far as it is not plain."""
    if name == INVERSE_OF_SIGMA:
        return SIGMA + INVERSE
    if name.startswith(UNIT_NAME[:5]):
        row, column = map(int, name[5:].split("_"))
        return unit(column, row) if transposed else unit(row, column)
    return name + (TRANSPOSED if transposed else "")


def factor_expression(factor: str, covariance: Covariance) -> Expression:
    """A factor (no inverse of a Wishart matrix) as an expression; W = X^T X."""
    if is_wishart(factor):
        rows = gaussian(
            "X" + factor[1:], row_dimension(factor), COLUMNS, SIGMA if covariance == "general" else None
        )
        return rows.T @ rows
    if factor == SIGMA + INVERSE:
        return matrix(INVERSE_OF_SIGMA, COLUMNS, COLUMNS, symmetric=True)
    if place := indices_of(factor):
        one = matrix(UNIT_NAME.format(*sorted(place)), COLUMNS, COLUMNS, symmetric=place[0] == place[1])
        return one.T if place[0] > place[1] else one
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
