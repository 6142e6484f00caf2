"""E[W^k prod tr W^l] for a Wishart matrix W and any integers k and l, each by the method that fits.

W = X^T X, where X is n x p with independent rows N(0, Sigma).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from flint import fmpz_poly

from symbolic.algebra.coefficients import context, from_terms, names_of
from symbolic.algebra.quotients import Rational, sum_of
from symbolic.algebra.refusal import Refused
from symbolic.wishart import identity as wishart
from symbolic.wishart import mixed, wishart_inverse
from symbolic.wishart.fixed_letters import COLUMNS, INVERSE, SIGMA
from symbolic.wishart.general import matrix_moment_general, trace_moment_general
from symbolic.wishart.marked_basis import Marked
from symbolic.wishart.partitions import Partition, as_partition
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial

Covariance = Literal["identity", "general"]


def moment(power: int, traces: Iterable[int] = (), covariance: Covariance = "general") -> TracePolynomial:
    """E[W^power prod tr W^l] over the integers l in ``traces``, in words of Sigma; a scalar when the power is 0.

    Any power may be negative: the result then holds under `symbolic.wishart.existence.condition`.  With covariance
    "identity" it is one term without Sigma.  Raises ValueError when a power is no integer, a trace has power 0, the
    covariance is not "identity" or "general", or a degree is over the limit of its method (the message states it).
    """
    if covariance not in ("identity", "general"):
        raise Refused(f"{covariance!r} is no covariance: say 'identity' or 'general'")
    if not isinstance(power, int) or isinstance(power, bool):
        raise Refused(f"{power!r} is no power: give an integer")
    parts = as_partition(traces)
    if covariance == "general":
        return in_sigma(_general(power, parts), is_matrix=power != 0)
    if min((power, *parts)) >= 0:
        value = Rational.polynomial(wishart.matrix_moment(power, parts))
    else:
        p = Rational.generator(COLUMNS)
        value = sum_of(as_rational(c) * p ** len(sums) for (_, sums), c in _general(power, parts).items())
    return TracePolynomial({Monomial((), () if power else None): value}, is_matrix=power != 0)


def in_sigma(vector: Mapping[Marked, fmpz_poly | Rational], is_matrix: bool) -> TracePolynomial:
    """A vector over the marked basis, of powers of either sign, as a polynomial in words of Sigma."""
    powers = {k for j, partition in vector for k in (j, *partition)}
    words = {k: (SIGMA if k > 0 else SIGMA + INVERSE,) * abs(k) for k in powers}
    terms = {}
    for (j, partition), value in vector.items():
        # the order of `word_order`
        traces = tuple(words[k] for k in sorted(partition, key=lambda k: (abs(k), k < 0)))
        terms[Monomial(traces, words[j] if is_matrix else None)] = as_rational(value)
    return TracePolynomial(terms, is_matrix)


def as_rational(value: fmpz_poly | Rational) -> Rational:
    """A coefficient of an engine; a dense polynomial is one in n."""
    if isinstance(value, Rational):
        return value
    return Rational.polynomial(from_terms(("n",), {(k,): c for k, c in enumerate(value.coeffs()) if c}))


def in_rows(value: Rational, rows: str) -> Rational:
    """A coefficient in n and p with another name, ``rows``, for n."""
    if rows == "n":
        return value
    parts = []
    for part in (value.numerator, value.denominator):
        names = [rows if name == "n" else name for name in names_of(part.context())]
        parts.append(context(names).from_dict(part.to_dict()))
    return Rational(parts[0], parts[1], {})


def _general(power: int, parts: Partition) -> Mapping[Marked, fmpz_poly | Rational]:
    powers = (power, *parts)
    if min(powers) >= 0:
        return matrix_moment_general(power, parts) if power else trace_moment_general(parts)
    if max(powers) <= 0:
        opposite = [-part for part in parts]
        if power:
            return wishart_inverse.inverse_matrix_moment(-power, opposite)
        return wishart_inverse.inverse_trace_moment(opposite)
    return mixed.mixed_moment(power, parts)
