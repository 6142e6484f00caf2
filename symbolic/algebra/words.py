"""Matrix words: the letters and constants from which expressions are built.

Dimensions are names such as ``n_t`` or ``p``, or ``"1"``; `symbolic.algebra.expression` has the algebra.
"""

from __future__ import annotations

from dataclasses import replace

from symbolic.algebra import coefficients, entry_laws, letters
from symbolic.algebra.coefficients import Exact
from symbolic.algebra.expression import Expression, one, polynomial, single
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Term

__all__ = [
    "Expression",
    "Term",
    "constant",
    "dimension",
    "gaussian",
    "identity",
    "independent_entries",
    "letter_expression",
    "matrix",
    "polynomial",
    "reciprocal",
    "scalar",
    "tr",
    "unit",
    "vector",
    "zero",
]


def letter_expression(letter: Letter) -> Expression:
    """A letter as an expression."""
    return single(chr(2 * letters.index_of(letter)))


def _check(name: str, rows: str, columns: str) -> None:
    coefficients.check_name(name)
    letters.check_dimension(rows)
    letters.check_dimension(columns)


def gaussian(name: str, rows: str, columns: str, covariance: str | None = None) -> Expression:
    """A random matrix with independent rows N(0, covariance).

    Shape: rows x columns, both dimension names or "1".  ``covariance`` is None for the identity, or the name
    of a symmetric deterministic letter on ``columns``. Matrices with different names are independent.
    Raises ValueError when a name is no name, or ``covariance`` is the matrix itself.
    """
    _check(name, rows, columns)
    if covariance is not None and coefficients.check_name(covariance) == name:
        raise ValueError(f"{name} cannot be its own covariance: name another letter")
    symmetric = rows == columns == ONE
    return letter_expression(Letter(name, rows, columns, symmetric, random=True, covariance=covariance))


def independent_entries(
    name: str, rows: str, columns: str, law: str, covariance: str | None = None
) -> Expression:
    """A random matrix with independent rows covariance^(1/2) u, u with iid entries of a law.

    ``law`` is a name that `symbolic.algebra.entry_laws.law_of_letter` reads; everything else as in `gaussian`, which is the law
    ``gaussian``. Raises ValueError also for an unknown law.
    """
    if entry_laws.law_of_letter(law) is entry_laws.GAUSSIAN:
        return gaussian(name, rows, columns, covariance)
    (known,) = gaussian(name, rows, columns, covariance).letters().values()
    return letter_expression(replace(known, law=law))


def matrix(name: str, rows: str, columns: str, symmetric: bool = False) -> Expression:
    """A deterministic matrix of shape rows x columns.

    Raises ValueError when a name is no name, or a symmetric matrix is not square.
    """
    _check(name, rows, columns)
    if symmetric and rows != columns:
        raise ValueError(f"{name} cannot be symmetric with shape {rows} x {columns}: make it square")
    return letter_expression(Letter(name, rows, columns, symmetric or rows == columns == ONE))


def vector(name: str, dimension: str) -> Expression:
    """A deterministic column vector of shape dimension x 1."""
    return matrix(name, dimension, ONE)


def unit(dimension: str, index: int) -> Expression:
    """The standard basis vector e_index, dimension x 1, index from 1.

    Inside words e_a^T e_b is 1 or 0, so ``tr(Y @ unit(d, 1) @ unit(d, 2).T)`` is an element of Y. The index
    is taken to be at most the dimension. Raises ValueError for an index below 1.
    """
    letters.check_dimension(dimension)
    if not isinstance(index, int) or index < 1 or (dimension == ONE and index != 1):
        raise ValueError(f"no basis vector {index!r} of dimension {dimension}: the index starts at 1")
    if dimension == ONE:
        return constant(1)
    return letter_expression(Letter(f"e_{index}_{dimension}", dimension, ONE, unit=index))


def identity(dimension: str) -> Expression:
    """The identity matrix of shape dimension x dimension."""
    return one(letters.check_dimension(dimension))


def scalar(name: str) -> Expression:
    """A scalar parameter, or a dimension as a number; inverses are made by `reciprocal`."""
    return polynomial(coefficients.generator(name))


def reciprocal(name: str) -> Expression:
    """One over a scalar parameter or a dimension: 1/n of ``n``."""
    return scalar(coefficients.INVERSE + name)


def constant(value: Exact) -> Expression:
    """An exact number."""
    return polynomial(coefficients.number(value))


def dimension(name: str) -> Expression:
    """The number that a dimension is: the generator of that name, or 1."""
    return constant(1) if letters.check_dimension(name) == ONE else scalar(name)


def zero(rows: str | None = None, columns: str | None = None) -> Expression:
    """Zero: a scalar, or of shape rows x columns."""
    if rows is None or columns is None or rows == columns == ONE:
        return Expression({}, None, frozenset())
    return Expression({}, (letters.check_dimension(rows), letters.check_dimension(columns)), frozenset())


def tr(expr: Expression) -> Expression:
    """The trace of a square expression; a scalar (a 1 x 1 matrix) is its own trace.

    Raises ValueError when the shape is not square.
    """
    return expr.trace()
