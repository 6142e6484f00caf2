"""Laws of few values with given moments: Gaussian quadrature from moments (Golub and Welsch, 1969)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, sqrt

import numpy as np

from numeric_check.problem.impossible import Impossible

MOST_MOMENTS = 40
"""Most moments that are read."""


def moments_of(cumulants: Sequence[Fraction]) -> list[Fraction]:
    """E u^0, E u^1, ... from the cumulants of orders 1, 2, ...: m_k = sum_j C(k-1, j-1) kappa_j m_(k-j)."""
    moments = [Fraction(1)]
    for k in range(1, len(cumulants) + 1):
        terms = (comb(k - 1, j - 1) * cumulants[j - 1] * moments[k - j] for j in range(1, k + 1))
        moments.append(sum(terms, Fraction(0)))
    return moments


def quadrature(moments: Sequence[Fraction]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values and probabilities of a law with these moments E u^0 = 1, E u^1, ...

    The values are the eigenvalues of the Jacobi matrix of the orthogonal polynomials, found exactly up to its
    square roots; a diagonal element that the moments leave open is 0.
    Raises ValueError when no law has these moments, or they are more than `MOST_MOMENTS`.
    """
    if len(moments) > MOST_MOMENTS:
        raise Impossible(f"{len(moments)} moments are over the limit of {MOST_MOMENTS}: give fewer")
    diagonal, squares = _recurrence(moments)
    size = len(diagonal)
    jacobi = np.diag([float(a) for a in diagonal])
    for k, square in enumerate(squares[: size - 1]):
        jacobi[k, k + 1] = jacobi[k + 1, k] = sqrt(square)
    values, vectors = np.linalg.eigh(jacobi)
    weights = vectors[0] ** 2
    return tuple(map(float, values)), tuple(map(float, weights / weights.sum()))


def _recurrence(moments: Sequence[Fraction]) -> tuple[list[Fraction], list[Fraction]]:
    """The coefficients a_k and b_k^2 of the orthogonal polynomials, P_(k+1) = (x - a_k) P_k - b_k^2 P_(k-1)."""
    diagonal: list[Fraction] = []
    squares: list[Fraction] = []
    previous: list[Fraction] = []
    current = [Fraction(1)]
    norm = Fraction(1)
    order = len(moments) - 1
    while True:
        degree = len(current) - 1
        if 2 * degree + 1 <= order:
            diagonal.append(_mean([Fraction(0), *_product(current, current)], moments) / norm)
        else:
            diagonal.append(Fraction(0))
        if 2 * degree + 2 > order:
            return diagonal, squares
        following = [Fraction(0), *current]
        for k, c in enumerate(current):
            following[k] -= diagonal[-1] * c
        for k, c in enumerate(previous):
            following[k] -= squares[-1] * c
        ahead = _mean(_product(following, following), moments)
        beyond = (_mean([Fraction(0)] * k + following, moments) for k in range(order - degree))
        if ahead < 0 or (ahead == 0 and any(beyond)):
            raise Impossible("no law has these cumulants: E u^4 is at least 1 + (E u^3)^2, for example")
        if ahead == 0:
            return diagonal, squares
        squares.append(ahead / norm)
        previous, current, norm = current, following, ahead


def _product(a: Sequence[Fraction], b: Sequence[Fraction]) -> list[Fraction]:
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return result


def _mean(polynomial: Sequence[Fraction], moments: Sequence[Fraction]) -> Fraction:
    return sum((c * m for c, m in zip(polynomial, moments, strict=False)), Fraction(0))
