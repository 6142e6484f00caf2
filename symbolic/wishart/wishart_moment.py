"""E[W^k prod tr W^l] for a Wishart matrix W and any integers k and l, each by the method that fits.

W = X^T X, where X is n x p with independent rows N(0, Sigma).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from symbolic.algebra.dimension_coefficients import Coefficient, as_rational
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart import existence, mixed, wishart_inverse
from symbolic.wishart import identity as wishart
from symbolic.wishart.covariance_matrix import Entry, dimension, exact_covariance, row_count
from symbolic.wishart.covariance_polynomial import CovariancePolynomial, Value
from symbolic.wishart.general import matrix_moment_general, trace_moment_general
from symbolic.wishart.partitions import Partition, as_partition

Covariance = Literal["identity", "general"]


@dataclass(frozen=True)
class WishartMoment:
    """E[W^power prod tr W^l], l over ``traces``: a p x p matrix, or a scalar when the power is 0.

    ``value`` is its polynomial in Sigma and tr Sigma^i; for the identity covariance the one term (0, ()), a
    function of n and p, times the identity when this is a matrix.
    """

    power: int
    traces: Partition
    covariance: Covariance
    value: CovariancePolynomial

    @property
    def inverse_degree(self) -> int:
        """The sum of the negative powers, without sign."""
        return -sum(part for part in (self.power, *self.traces) if part < 0)

    @property
    def condition(self) -> str:
        """What makes the moment exist when p > 1, such as ``n - p > 3``; empty when it always does."""
        return existence.condition(self.inverse_degree)

    def at(self, n: int, covariance: int | Sequence[Sequence[Entry]]) -> Value:
        """The value for n rows and a covariance: its rows, or the integer p for the p x p identity.

        Exact for exact input; see `CovariancePolynomial.at`.  Raises `MomentDoesNotExist` (a ValueError) that
        states the condition where the expectation diverges, and ValueError for bad input or when a covariance
        matrix is given to a moment with identity covariance.
        """
        if self.covariance == "identity" and not isinstance(covariance, int):
            raise Refused("this moment has identity covariance: give p, or ask for covariance='general'")
        p = dimension(covariance) if isinstance(covariance, int) else exact_covariance(covariance)[0].nrows()
        total = self.power + sum(self.traces)
        existence.check_existence(row_count(n), p, self.inverse_degree, total)
        if p == 1 and self.inverse_degree:
            return self._at_one_column(total).at(n, covariance)
        return self.value.at(n, covariance)

    def _at_one_column(self, total: int) -> CovariancePolynomial:
        """The moment for p = 1, where all powers multiply to one and the general form may be 0/0."""
        value = moment(0, (total,) if total else ()).value
        return CovariancePolynomial(value.terms, is_matrix=self.power != 0)


def moment(power: int, traces: Iterable[int] = (), covariance: Covariance = "general") -> WishartMoment:
    """E[W^power prod tr W^l] over the integers l in ``traces``, exact; a scalar when the power is 0.

    Any power may be negative: the result then holds under its ``condition``.  Raises ValueError when a power
    is no integer, a trace has power 0, the covariance is not "identity" or "general", or a degree is over the
    limit of its method (the message states the limit).
    """
    if covariance not in ("identity", "general"):
        raise Refused(f"{covariance!r} is no covariance: say 'identity' or 'general'")
    if not isinstance(power, int) or isinstance(power, bool):
        raise Refused(f"{power!r} is no power: give an integer")
    parts = as_partition(traces)
    value = _identity(power, parts) if covariance == "identity" else _general(power, parts)
    return WishartMoment(power, parts, covariance, value)


def _general(power: int, parts: Partition) -> CovariancePolynomial:
    powers = (power, *parts)
    if min(powers) >= 0:
        return matrix_moment_general(power, parts) if power else trace_moment_general(parts)
    if max(powers) <= 0:
        opposite = [-part for part in parts]
        if power:
            return wishart_inverse.inverse_matrix_moment(-power, opposite)
        return wishart_inverse.inverse_trace_moment(opposite)
    return mixed.mixed_moment(power, parts, is_matrix=power != 0)


def _identity(power: int, parts: Partition) -> CovariancePolynomial:
    coefficient: Coefficient
    if min((power, *parts)) >= 0:
        coefficient = wishart.matrix_moment(power, parts)
    else:
        p = Rational.generator("p")
        coefficient = Rational.number(0)
        for (_, sums), value in _general(power, parts).terms.items():
            coefficient += as_rational(value) * p ** len(sums)
    return CovariancePolynomial({(0, ()): coefficient}, is_matrix=power != 0)
