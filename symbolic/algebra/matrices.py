"""Exact matrices of flint, from rows and from diagonals of exact numbers."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from symbolic.algebra.coefficients import Exact, to_fmpq


def exact_matrix(rows: Sequence[Sequence[Exact | fmpq]]) -> fmpq_mat:
    """Rows of exact numbers as a matrix of flint. Raises ValueError for a number that is not exact."""
    return fmpq_mat([[to_fmpq(x) for x in row] for row in rows])


def diagonal(values: Sequence[Exact | fmpq]) -> fmpq_mat:
    """The diagonal matrix with these values.

    >>> diagonal([1, 2])
    [1, 0]
    [0, 2]
    """
    return exact_matrix([[x if i == j else 0 for j in range(len(values))] for i, x in enumerate(values)])


def multiple(size: int, factor: Exact | fmpq = 1) -> fmpq_mat:
    """A multiple of the identity matrix."""
    return diagonal([factor] * size)
