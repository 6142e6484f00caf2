"""Products of words of Wishart matrices as expressions of the word engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from symbolic.algebra.expression import Expression
from symbolic.algebra.words import constant, gaussian, identity, matrix, tr
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    MEAN,
    ROW_IDENTITY,
    ROWS,
    SIGMA,
    TRANSPOSED,
    Word,
    base,
    covariance_of,
    indices_of,
    is_covariance,
    is_inverse,
    is_symmetric,
    is_wishart,
    joined,
    of_rows,
    row_dimension,
    unit,
)
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial, collect, product_of_traces
from symbolic.wishart.wishart_moment import Covariance

INVERSE_OF_SIGMA = "Sigma_inverse"
"""Sigma^-1 in the engine: a symmetric letter of its own; claims about it hold for every such letter."""

ROOT_OF_ROWS = "U_root"
"""A matrix L with U = L L^T."""

UNIT_NAME = "unit_{}_{}"
"""A matrix of a single 1 on or above the diagonal; those below it are transposes."""


def factor_of(name: str, transposed: bool) -> str:
    """The factor that a letter of the engine stands for, as far as it is not plain."""
    if name.startswith(INVERSE_OF_SIGMA):
        return SIGMA + name[len(INVERSE_OF_SIGMA) :] + INVERSE
    if name.startswith(UNIT_NAME[:5]):
        row, column = map(int, name[5:].split("_"))
        return unit(column, row) if transposed else unit(row, column)
    return name + (TRANSPOSED if transposed else "")


@dataclass(frozen=True)
class Setting:
    """What the random matrices of a query are, and the shapes of its letters.

    ``means`` are the matrices X that have a mean M, and ``correlated`` those whose rows have a covariance U, by their
    numbers of rows, such as ``n1``; a letter without a shape is p x p. ``whole`` is the shape of the query.
    ``is_complex``: W = X^* X for rows of complex normal entries. ``rotations`` are the letters that are uniform on the orthogonal
    group. ``own``: the rows behind W1, W2, ... have covariances Sigma1, Sigma2, ..., not one Sigma.
    """

    covariance: Covariance = "identity"
    shapes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    means: frozenset[str] = frozenset()
    correlated: frozenset[str] = frozenset()
    whole: tuple[str, str] = (COLUMNS, COLUMNS)
    is_complex: bool = False
    rotations: frozenset[str] = frozenset()
    own: bool = False

    def sigma(self, name: str) -> Word:
        """The covariance of the rows behind a Wishart matrix; no factor where it is the identity."""
        return (covariance_of(name, self.own),) if self.covariance == "general" else ()

    def needs_rows(self, monomial: Monomial) -> bool:
        """Whether a product is averaged in X itself, not in W."""
        return any(
            of_rows(factor) or (is_wishart(factor) and row_dimension(factor) in self.means | self.correlated)
            for word in monomial.words
            for factor in word
        )

    def rotation(self, monomial: Monomial) -> str:
        """The first rotation in a product; "" where there is none."""
        found = {base(factor) for word in monomial.words for factor in word} & self.rotations
        return min(found, default="")

    def shape(self, name: str) -> tuple[str, str]:
        """Rows and columns of a deterministic letter."""
        return self.shapes.get(name, (COLUMNS, COLUMNS))


def row_expression(factor: str, setting: Setting) -> Expression:
    """X, or M + U^(1/2) X where it has a mean and a covariance of rows; U^(1/2) is any root, a letter of its own."""
    rows, number = row_dimension(factor), base(factor)[1:]
    result = gaussian(ROWS + number, rows, COLUMNS, next(iter(setting.sigma(factor)), None))
    if rows in setting.correlated:
        result = matrix(ROOT_OF_ROWS + number, rows, rows) @ result
    if rows in setting.means:
        result = result + matrix(MEAN + number, rows, COLUMNS)
    return result


def factor_expression(factor: str, setting: Setting) -> Expression:
    """A factor as an expression; W = X^T X. Raises ValueError for an inverse of a Wishart matrix, which is none in entries."""
    if is_wishart(factor):
        if is_inverse(factor):
            raise ValueError(f"{factor} is no polynomial in the entries of X")
        rows = row_expression(factor, setting)
        return rows.T @ rows
    kind = of_rows(factor)
    if kind == ROW_IDENTITY:
        return identity(row_dimension(factor))
    if is_covariance(factor) and factor.endswith(INVERSE):
        return matrix(INVERSE_OF_SIGMA + base(factor)[len(SIGMA) :], COLUMNS, COLUMNS, symmetric=True)
    if place := indices_of(factor):
        one = matrix(UNIT_NAME.format(*sorted(place)), COLUMNS, COLUMNS, symmetric=place[0] == place[1])
        return one.T if place[0] > place[1] else one
    name = base(factor)
    plain = (
        row_expression(factor, setting)
        if kind == ROWS
        else matrix(name, *setting.shape(name), symmetric=is_symmetric(factor))
    )
    return plain.T if factor.endswith(TRANSPOSED) else plain


def word_expression(word: Word, setting: Setting) -> Expression:
    """The matrix product of a word."""
    if not word:
        return identity(COLUMNS)
    factors = (factor_expression(factor, setting) for factor in word)
    return reduce(lambda left, right: left @ right, factors)


def monomial_expression(monomial: Monomial, setting: Setting) -> Expression:
    """A product of traces and a word."""
    result = constant(1)
    for trace in monomial.traces:
        result = result * tr(word_expression(trace, setting))
    return result if monomial.word is None else result * word_expression(monomial.word, setting)


def with_wisharts(polynomial: TracePolynomial) -> TracePolynomial:
    """The same with W for each product X' X."""
    if not any(of_rows(f) == ROWS for key in polynomial.terms for word in key.words for f in word):
        return polynomial
    terms = []
    for key, value in polynomial.terms.items():
        word = None if key.word is None else _with_wisharts(key.word)
        traces = []
        for trace in key.traces:
            # turned so that no pair is cut
            cut = of_rows(trace[-1]) == ROWS and trace[0] == trace[-1].removesuffix(TRANSPOSED)
            cut = cut and trace[-1].endswith(TRANSPOSED)
            traces.append(_with_wisharts((trace[-1], *trace[:-1]) if cut else trace))
        terms.append(product_of_traces(traces, word, value))
    return collect(terms, polynomial.is_matrix)


def _with_wisharts(word: Word) -> Word:
    found: Word = ()
    for factor in word:
        if found and of_rows(factor) == ROWS and found[-1] == factor + TRANSPOSED:
            found = joined(found[:-1], ("W" + factor[1:],))
        else:
            found = joined(found, (factor,))
    return found
