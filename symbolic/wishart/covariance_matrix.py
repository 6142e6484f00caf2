"""Reading a numeric covariance exactly: Python numbers in, an exact rational matrix out."""

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational, Real

import mpmath
from flint import fmpq, fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.algebra.refusal import Refused

Entry = int | Fraction | float
"""An element of a covariance; real number types of other libraries are read the same way."""

ROUNDING = fmpq(1, 10**12)
"""How far below zero, relative to the trace, rounding may push an eigenvalue of a covariance of floats."""

MAX_ROOT_SIZE = 20
"""Largest p for which a root is taken exactly."""

ROOT_DIGITS = 90
"""Digits in which a root is searched; its denominators have at most a third of them."""


def exact_covariance(covariance: Sequence[Sequence[Entry]]) -> tuple[fmpq_mat, bool]:
    """The covariance as an exact p x p matrix, and whether it was given exactly (without floats).

    Raises ValueError unless the matrix is square, not empty,
    symmetric, finite, real and positive semidefinite (floats: up to rounding, `ROUNDING`).
    """
    try:
        rows = [list(row) for row in covariance]
    except TypeError:
        raise Refused(f"{covariance!r} is no covariance: give p rows of p numbers") from None
    if not rows or any(len(row) != len(rows) for row in rows):
        raise Refused("the covariance is not square: give p rows of p numbers")
    sigma = fmpq_mat([[_exact(entry) for entry in row] for row in rows])
    exact = all(isinstance(entry, Rational) for row in rows for entry in row)
    if sigma != sigma.transpose():
        raise Refused("the covariance is not symmetric: give (S + S.T)/2 if only rounding differs")
    if not _is_positive_semidefinite(sigma, exact):
        raise Refused("the covariance has a negative eigenvalue: give a positive semidefinite matrix")
    return sigma, exact


def rational_root(sigma: fmpq_mat) -> fmpq_mat:
    """The symmetric positive semidefinite root of an exact covariance.

    Found in long floats and checked exactly. Raises ValueError where it is not rational, or sigma is large.
    """
    size = int(sigma.nrows())
    if size > MAX_ROOT_SIZE:
        raise Refused(
            f"an exact root of Sigma is taken up to {MAX_ROOT_SIZE} x {MAX_ROOT_SIZE}: give an array of floats"
        )
    with mpmath.workdps(ROOT_DIGITS):
        rows = [[mpmath.mpf(int(x.p)) / int(x.q) for x in row] for row in sigma.tolist()]
        values, vectors = mpmath.eigsy(mpmath.matrix(rows))
        scaled = vectors * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values])
        nearest = [
            [Fraction(str(x)).limit_denominator(10 ** (ROOT_DIGITS // 3)) for x in row]
            for row in (scaled * vectors.T).tolist()
        ]
    root = fmpq_mat([[to_fmpq(x) for x in row] for row in nearest])
    if root * root != sigma or root != root.transpose() or not _is_positive_semidefinite(root, exact=True):
        raise Refused("the root Sigma^(1/2) is not rational: give Sigma as an array of floats")
    return root


def identity(size: int) -> fmpq_mat:
    """The identity matrix."""
    return fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])


def _exact(entry: object) -> fmpq:
    if isinstance(entry, Rational):
        return fmpq(int(entry.numerator), int(entry.denominator))
    if isinstance(entry, Real) and math.isfinite(entry):
        return fmpq(*float(entry).as_integer_ratio())
    raise Refused(f"the covariance has the element {entry!r}: give finite real numbers")


def _is_positive_semidefinite(sigma: fmpq_mat, exact: bool) -> bool:
    """A symmetric Sigma has no negative eigenvalue just when det(x + Sigma) has no negative coefficient."""
    size = sigma.nrows()
    if not exact:
        trace = sum((sigma[i, i] for i in range(size)), fmpq(0))
        sigma = sigma + identity(size) * (ROUNDING * trace)
    return all(c >= 0 for c in (-sigma).charpoly().coeffs())
