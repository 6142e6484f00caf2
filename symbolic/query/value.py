"""The number, or the matrix, that a trace polynomial is when all its letters and dimensions have values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from numbers import Rational
from sys import float_info
from typing import Any

from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.evaluation import Arrays, Exact, combined
from symbolic.algebra.refusal import Refused
from symbolic.averages.networks import ROOT_SUFFIX
from symbolic.query.index_sums import values
from symbolic.wishart.covariance_matrix import exact_covariance, rational_root
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    SIGMA,
    TRANSPOSED,
    Word,
    base,
    indices_of,
    is_covariance,
    of_rows,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import IndexSum, TracePolynomial

Matrix = Any
"""An ``fmpq_mat``, or an array of floats."""

MAX_EXACT_SIZE = 300
"""Largest p of matrices in exact arithmetic."""

MAX_DEFINITE_WORK, MAX_INVERSE_WORK = 10**10, 5 * 10**8
"""Largest p^4 times the bits of an element for which an exact Sigma is checked, and inverted, in about a second."""

ROOT = SIGMA + ROOT_SUFFIX

EPSILON = float_info.epsilon
"""Rounding of floats: the least eigenvalue of a p x p matrix is known up to about p times this, relatively."""

ROUNDING = 1e-10
"""Relative asymmetry and negative eigenvalues of a covariance of floats that count as rounding."""


class _Floats(Arrays):
    """Arrays of floats, whose traces are rounded once."""

    def trace(self, a: Matrix) -> float:
        """The trace. Raises Refused for one that is beyond floats."""
        try:
            return math.fsum(float(a[i, i]) for i in range(len(a)))
        except OverflowError:
            raise Refused("a trace is too large for a float: scale the matrices") from None


class Matrices:
    """The values of letters, exact or all in floats, and of the factors that are made of them."""

    def __init__(
        self,
        size: int,
        letters: Mapping[str, Matrix],
        space: Any = None,
        lengths: Mapping[str, int] | None = None,
    ) -> None:
        """``space`` is the array namespace of floats, None when all are exact; ``lengths`` are the dimensions, p is ``size``."""
        self.size = size
        self.lengths = {**(lengths or {}), COLUMNS: size, "1": 1}
        self.is_exact = space is None
        self.backend = Exact(letters) if self.is_exact else _Floats(letters)
        self._space = space
        self._letters = letters
        self.largest = max([size, *(max(self.backend.shape(x)) for x in letters.values())])
        self._factors: dict[str, Matrix] = {}

    def rows(self, matrix: Matrix) -> list[list[Any]]:
        """A matrix as rows of numbers: Fractions if exact, floats otherwise."""
        lists: list[list[Any]] = matrix.tolist()
        return [[to_fraction(x) for x in row] for row in lists] if self.is_exact else lists

    def identity(self) -> Matrix:
        """The identity matrix."""
        return self.backend.eye(self.size)

    def root(self) -> Matrix:
        """The symmetric root of Sigma: exact, or in floats, where eigenvalues below zero are rounding."""
        if self.is_exact:
            return rational_root(self._letters[SIGMA])
        values, vectors = self._space.linalg.eigh(self._letters[SIGMA])
        floor = ROUNDING * abs(float(values[-1]))
        kept = self._space.where(values > floor, values, self._space.zeros_like(values))
        return (vectors * self._space.sqrt(kept)) @ vectors.T

    def _unit(self, row: int, column: int) -> Matrix:
        """The matrix of a single 1."""
        if max(row, column) > self.size:
            raise Refused(f"the index {max(row, column)} is over p = {self.size}: take a smaller one")
        span = range(self.size)
        rows = [[int((i, j) == (row - 1, column - 1)) for j in span] for i in span]
        return fmpq_mat(rows) if self.is_exact else self._space.asarray(rows, dtype=self._space.float64)

    def require_definite(self) -> None:
        """Raise ValueError when a Sigma is given that is singular: a Wishart matrix then has no inverse."""
        for name in filter(is_covariance, self._letters):
            self.factor(name + INVERSE)

    def determinant(self, name: str) -> Fraction:
        """That of a letter; of floats, what they give, also where that is no float."""
        matrix = self._letters[name]
        if self.is_exact:
            return to_fraction(matrix.det())
        # each row by a power of two, so that none of its elements is over one
        powers = self._space.frexp(abs(matrix).max(axis=1))[1]
        within = float(self._space.linalg.det(self._space.ldexp(matrix, -powers[:, None])))
        return Fraction(within) * Fraction(2) ** int(powers.sum())

    def quiet(self) -> AbstractContextManager[None]:
        """Inside, floats overflow without a warning: what comes out is looked at."""
        return nullcontext() if self.is_exact else self._space.errstate(all="ignore")

    def factor(self, factor: str) -> Matrix:
        """The matrix of a factor. Raises ValueError for the inverse of a singular Sigma."""
        known = self._factors.get(factor)
        if known is None:
            known = self._factors[factor] = self._made(factor)
        return known

    def _made(self, factor: str) -> Matrix:
        if factor == ROOT:
            return self.root()
        if factor not in self._letters and (place := indices_of(factor)):
            return self._unit(*place)
        if factor not in self._letters and of_rows(factor) == ROW_IDENTITY:
            return self.backend.eye(self.lengths[row_dimension(factor)])
        if factor in self._letters:
            return self._letters[factor]
        matrix = self._letters[base(factor)]
        if factor.endswith(TRANSPOSED):
            return self.backend.transpose(matrix)
        if not factor.endswith(INVERSE):
            return matrix
        if self.is_exact:
            require_affordable(base(factor), matrix, MAX_INVERSE_WORK)
            singular = matrix.det() == 0
        else:
            eigenvalues = self._space.linalg.eigvalsh(matrix)
            singular = float(eigenvalues[0]) <= self.size * EPSILON * float(eigenvalues[-1])
        if singular:
            floats = "" if self.is_exact else ", or too ill-conditioned for floats,"
            fractions = "" if self.is_exact else ", in fractions if it is nearly singular"
            raise Refused(
                f"{base(factor)} is singular{floats} and a negative power is asked for: give a positive definite "
                f"matrix{fractions}"
            )
        return matrix.inv() if self.is_exact else self._space.linalg.inv(matrix)


def read_matrices(
    values: Mapping[str, Any],
    size: int | None,
    shapes: Mapping[str, tuple[str, str]] | None = None,
    rows: Mapping[str, int] | None = None,
) -> Matrices:
    """The letters with these values; ``size`` is p and ``rows`` the other dimensions, as far as they are given.

    ``shapes`` are of the letters that are not p x p. A column may be a list of numbers.
    Raises ValueError naming the letter unless its value is a matrix of finite real numbers of its shape, all agree
    in the dimensions, and Sigma and U are symmetric and positive semidefinite.
    """
    lengths = {**(rows or {}), "1": 1, **({} if size is None else {COLUMNS: size})}
    columns = {}
    for name, given in values.items():
        expected = (shapes or {}).get(name, (COLUMNS, COLUMNS))
        value = columns[name] = _as_column(given) if expected[1] == "1" else given
        shape = _shape(name, value)
        for dimension, length in zip(expected, shape, strict=True):
            if lengths.setdefault(dimension, length) != length:
                what = "square matrix" if expected[0] == expected[1] else "matrix"
                others = " and ".join(
                    f"{x} = {lengths[x]}" for x in sorted({*expected} & lengths.keys() - {"1"})
                )
                raise Refused(
                    f"{name} is {shape[0]} x {shape[1]}: give a {what} that agrees with "
                    + (others if size is not None or expected != (COLUMNS, COLUMNS) else "the others")
                )
    values = columns
    size = lengths.get(COLUMNS)
    covariances = [name for name in values if is_covariance(name) or of_rows(name) == ROW_COVARIANCE]
    spaces = [value.__array_namespace__() for value in values.values() if _is_floating(value)]
    if spaces:
        arrays = {name: _array(name, value, spaces[0]) for name, value in values.items()}
        for name in covariances:
            arrays[name] = covariance_of_floats(name, arrays[name], spaces[0])
        return Matrices(size or 0, arrays, spaces[0], lengths)
    if any(max(_shape(name, value)) > MAX_EXACT_SIZE for name, value in values.items()):
        raise Refused(
            f"exact matrices are taken up to {MAX_EXACT_SIZE} x {MAX_EXACT_SIZE}: give arrays of floats"
        )
    tables = {name: _table(name, value) for name, value in values.items()}
    exact = {name: _exact(rows) for name, rows in tables.items()}
    for name in covariances:
        require_affordable(name, exact[name], MAX_DEFINITE_WORK)
        exact[name], _ = exact_covariance(tables[name])
    return Matrices(size or 0, exact, None, lengths)


def _as_column(value: Any) -> Any:
    """A list of numbers as a column."""
    if hasattr(value, "dtype"):
        return value.reshape(-1, 1) if value.ndim == 1 else value
    is_list = isinstance(value, list | tuple) and not any(isinstance(x, list | tuple) for x in value)
    return [[x] for x in value] if is_list else value


def require_affordable(name: str, matrix: fmpq_mat, limit: int) -> None:
    """Raise ValueError when exact linear algebra with a matrix would take more than `limit` (see there)."""
    size = int(matrix.nrows())
    bits = max(int(x.p).bit_length() + int(x.q).bit_length() for x in matrix.entries())
    if size**4 * bits > limit:
        raise Refused(
            f"{name} is {size} x {size} with elements of up to {bits} bits, too much for exact arithmetic: "
            "give an array of floats"
        )


def _is_floating(value: Any) -> bool:
    return hasattr(value, "__array_namespace__") and value.dtype.kind == "f"


def _shape(name: str, value: Any) -> tuple[int, int]:
    """Rows and columns of a value that is not empty."""
    if hasattr(value, "dtype"):
        if value.dtype.kind not in "biuf":
            raise Refused(f"{name} has elements of type {value.dtype}: give real numbers")
        shape = tuple(value.shape)
    elif isinstance(value, list | tuple) and all(isinstance(row, list | tuple) for row in value):
        lengths = {len(row) for row in value}
        if len(lengths) > 1:
            raise Refused(f"{name} has rows of different lengths: give p rows of p numbers")
        shape = (len(value), *lengths)
    else:
        raise Refused(f"{name} is a matrix: give p rows of p numbers")
    if len(shape) != 2 or 0 in shape:
        raise Refused(f"{name} has the shape {shape}: give p rows of p numbers")
    return int(shape[0]), int(shape[1])


def _table(name: str, value: Any) -> list[list[int | Fraction]]:
    """The rows of an exact matrix."""
    rows: list[list[Any]] = [list(row) for row in (value.tolist() if hasattr(value, "dtype") else value)]
    for x in (x for row in rows for x in row):
        if isinstance(x, float):
            raise Refused(f"{name} has floats in lists: give an array of floats, or integers and fractions")
        if not isinstance(x, Rational):
            raise Refused(f"{name} has an element {type(x).__name__}: give real numbers")
    return [[Fraction(int(x.numerator), int(x.denominator)) for x in row] for row in rows]


def _array(name: str, value: Any, space: Any) -> Matrix:
    """A matrix as an array of finite floats."""
    if not _is_floating(value):
        try:
            value = [[float(x) for x in row] for row in _table(name, value)]
        except OverflowError:
            raise Refused(f"{name} has an element too large for a float: scale the matrix") from None
    array = space.asarray(value, dtype=space.float64)
    if not bool(space.all(space.isfinite(array))):
        raise Refused(f"{name} has elements that are not finite: give finite real numbers")
    return array


def _exact(rows: list[list[int | Fraction]]) -> fmpq_mat:
    return fmpq_mat([[to_fmpq(x) for x in row] for row in rows])


def require_symmetric(name: str, value: Any) -> None:
    """Raises Refused unless a letter that is said to be symmetric has a value that is."""
    rows, columns = _shape(name, value)
    if rows != columns:
        raise Refused(f"{name} is said to be symmetric and is {rows} x {columns}: give a square matrix")
    table = value.tolist() if _is_floating(value) else _table(name, value)
    largest = max(abs(x) for row in table for x in row)
    slack = ROUNDING * largest if _is_floating(value) else 0
    if any(abs(table[i][j] - table[j][i]) > slack for i in range(rows) for j in range(i)):
        raise Refused(f"{name} is said to be symmetric and is not: give (A + A.T)/2, or do not say so")


def covariance_of_floats(name: str, array: Matrix, space: Any) -> Matrix:
    """The symmetric part of a covariance of floats, after checking."""
    largest = float(space.max(space.abs(array)))
    if float(space.max(space.abs(array - array.T))) > ROUNDING * largest:
        raise Refused(f"{name} is not symmetric: give (S + S.T)/2 if only rounding differs")
    symmetric = array / 2 + array.T / 2
    eigenvalues = space.linalg.eigvalsh(symmetric)
    if float(eigenvalues[0]) < -ROUNDING * max(float(eigenvalues[-1]), 0.0):
        raise Refused(f"{name} has a negative eigenvalue: give a positive semidefinite matrix")
    return symmetric


Shown = str | float | list[list[str]] | list[list[float]]
"""Exact numbers as text (``"3/2"``), floats as numbers; a matrix as its rows."""

MAX_SIZE = 500
"""Largest p for which a p x p result is written out."""

MAX_EXACT_WORK = 100_000_000
"""Most multiplications of integers for a value in exact arithmetic."""

MAX_FLOAT_WORK = 50_000_000_000
"""Most multiplications for a value in floating point."""


def evaluate(polynomial: TracePolynomial, matrices: Matrices, shape: tuple[int, int] | None = None) -> Shown:
    """The value of a polynomial without dimensions in its coefficients; ``shape`` of a matrix, p x p unless given.

    Raises ValueError when the work or the result is too large (the message names the limit), when a singular
    Sigma is inverted, or when floats overflow.
    """
    with matrices.quiet():
        return _evaluated(polynomial, matrices, shape or _shape_of(polynomial, matrices))


def _evaluated(polynomial: TracePolynomial, matrices: Matrices, shape: tuple[int, int]) -> Shown:
    if polynomial.is_matrix and max(shape) > MAX_SIZE:
        raise Refused(
            f"the result has {shape[0]} x {shape[1]} elements and is written out up to "
            f"{MAX_SIZE} x {MAX_SIZE}: ask for its trace"
        )
    _check_work(polynomial, matrices)
    backend = matrices.backend
    sums = values({x for monomial in polynomial.terms for x in monomial.index_sums}, matrices)
    # what stands before each sum that is a matrix, and the rest
    groups: dict[IndexSum | None, list[tuple[Any, Sequence[Word], Word | None]]] = {}
    for monomial, coefficient in polynomial.terms.items():
        number = _number(coefficient.at({}), backend)
        for part in monomial.sums:
            number = number * backend.number(sums[part])
        groups.setdefault(monomial.matrix, []).append((number, monomial.traces, monomial.word))
    total: Any = backend.number(Fraction(0))
    if polynomial.is_matrix:
        total = backend.zeros(*shape)
    for matrix, terms in groups.items():
        found: Any = combined(terms, matrices.factor, backend, matrices.identity)
        total = total + (found if matrix is None else backend.scale(sums[matrix], found))
    if polynomial.is_matrix:
        rows = matrices.rows(total)
        if matrices.is_exact:
            return [[str(x) for x in row] for row in rows]
        return [[_finite(x) for x in row] for row in rows]
    return str(to_fraction(total)) if matrices.is_exact else _finite(float(total))


def _shape_of(polynomial: TracePolynomial, matrices: Matrices) -> tuple[int, int]:
    """Rows and columns of the value of a matrix, as its first word has them."""
    word = next((key.word for key in polynomial.terms if key.word), None)
    if word is None:
        return matrices.size, matrices.size
    first, last = matrices.factor(word[0]), matrices.factor(word[-1])
    return matrices.backend.shape(first)[0], matrices.backend.shape(last)[1]


def _check_work(polynomial: TracePolynomial, matrices: Matrices) -> None:
    products: set[Word] = set()
    for monomial in polynomial.terms:
        for word in monomial.words:
            products.update(word[:stop] for stop in range(2, len(word) + 1))
    work = len(products) * matrices.largest**3
    limit = MAX_EXACT_WORK if matrices.is_exact else MAX_FLOAT_WORK
    if work > limit:
        remedy = "give arrays of floats" if matrices.is_exact else "take smaller matrices"
        raise Refused(f"the value takes {work:.0e} multiplications and the limit is {limit:.0e}: {remedy}")


def _number(number: Fraction, backend: Exact | Arrays) -> Any:
    try:
        return backend.number(number)
    except OverflowError:
        raise Refused("a coefficient is too large for floats: give integers or fractions") from None


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise Refused("the value is too large for floats: give integers or fractions, or scale the matrices")
    return number
