"""Moments of the entries of a Gaussian matrix X from its first two moments alone: E X = M, Cov(x_ia, x_jb) = U_ij Sigma_ab.

A monomial is integrated by parts over its first variable, E x f = E[x] E f + sum_y Cov(x, y) E df/dy: no root of a covariance
is taken, and the mean is nowhere added.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

Table = Sequence[Sequence[Fraction]]


class JointLaw(NamedTuple):
    """The mean of a Gaussian matrix, the covariance of its rows, and that of its columns."""

    mean: Table
    rows: Table
    columns: Table


class JointMoments:
    """E of monomials in the entries of X, row by row, by their exponents."""

    def __init__(self, law: JointLaw) -> None:
        self._means = [x for line in law.mean for x in line]
        size = len(law.columns)
        span = range(len(self._means))
        self._covariances = [
            [law.rows[k // size][j // size] * law.columns[k % size][j % size] for j in span] for k in span
        ]
        self._known: dict[tuple[int, ...], Fraction] = {(0,) * len(span): Fraction(1)}

    def __call__(self, exponents: tuple[int, ...]) -> Fraction:
        """The expectation of one monomial."""
        known = self._known.get(exponents)
        if known is None:
            first = next(k for k, exponent in enumerate(exponents) if exponent)
            rest = _less(exponents, first)
            known = self._means[first] * self(rest) if self._means[first] else Fraction(0)
            for j, covariance in enumerate(self._covariances[first]):
                if rest[j] and covariance:
                    known += rest[j] * covariance * self(_less(rest, j))
            self._known[exponents] = known
        return known


def _less(exponents: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*exponents[:place], exponents[place] - 1, *exponents[place + 1 :])
