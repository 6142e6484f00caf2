"""Moments that mix positive and negative powers of a Wishart matrix.

W = X^T X, where X is n x p with independent rows N(0, Sigma), m = n - p - 1.  Integration by parts over W
(the identity of Stein and Haff) gives, for every integer k and any product P of traces tr W^l, l != 0,

    Sigma^{-1} E[W^k P] = E[D_k P] + sum_l 2 l E[W^{k-1+l} P / tr W^l],
    D_k = (n + k - 1) W^{k-1} + sum_{s=1}^{k-1} tr W^s W^{k-1-s}             for k >= 1,
    D_k = (m + k) W^{k-1} - sum_{s=1}^{-k} tr W^{-s} W^{k-1+s}               for k <= 0.

For k >= 1 it removes one positive power.  For k <= 0 the terms with the same negative degree as D_k P make
(m - L) W^{k-1} P, L the operator of `symbolic.wishart.marked_basis` acting on the negative powers, so its resolvent
removes one negative power.  Both together reach 1 from every moment.  (`symbolic.wishart.wishart_inverse`
differentiates in Sigma instead and acts on the results, so the two agree only if both are right.)
"""

from collections.abc import Iterable
from functools import lru_cache

from flint import fmpq_mpoly, fmpz_poly

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart.identity import RING
from symbolic.wishart.marked_basis import Marked, contents
from symbolic.wishart.partitions import Partition, as_partition, distinct_parts, with_part
from symbolic.wishart.resolvent import DIFFERENCE, in_dimensions, resolvent
from symbolic.wishart.wishart_inverse import Quotients

MAX_DEGREE = 12
"""Limit on the sum of the absolute powers."""

MAX_INVERSE_DEGREE = 6
"""Limit on the sum of the negative powers: common denominators grow quickly beyond it."""

Numerators = dict[Marked, fmpq_mpoly]
"""(j, nu) of Sigma^j prod tr Sigma^i, i in nu (of either sign), to the numerator over `_denominator`."""

_n, _p = RING.gens()


def mixed_moment(power: int, traces: Iterable[int] = ()) -> Quotients:
    """E[W^power prod tr W^l] over the ``traces`` l; any of the powers may be negative.

    The result has negative powers of Sigma; with power 0 it is a scalar, or that times the identity.  It holds
    for n - p > 2d - 1 with d the sum of the negative powers.
    Raises ValueError when a power is no integer (no non-zero integer in a trace) or a limit is exceeded.
    """
    if not isinstance(power, int) or isinstance(power, bool):
        raise Refused(f"{power!r} is no power here: give an integer")
    parts = as_partition(traces)
    below = -sum(part for part in (*parts, power) if part < 0)
    above = sum(part for part in (*parts, power) if part > 0)
    if below > MAX_INVERSE_DEGREE or above + below > MAX_DEGREE:
        raise Refused(
            f"degree {above} with inverse degree {below} is over the limit: "
            f"ask for at most {MAX_DEGREE} in total, {MAX_INVERSE_DEGREE} of them inverse"
        )
    negative = tuple(sorted(-part for part in parts if part < 0))
    positive = tuple(part for part in parts if part > 0)
    bottom = _denominator(below)
    moment = _moment(power, negative, positive)
    return {key: Rational(top, bottom, {}).reduced() for key, top in moment.items()}


@lru_cache(maxsize=64)
def _denominator(degree: int) -> fmpq_mpoly:
    """The common denominator of moments of an inverse degree; each power removed adds a resolvent."""
    return _ratio(0, degree)


@lru_cache(maxsize=256)
def _ratio(lower: int, upper: int) -> fmpq_mpoly:
    """`_denominator` of the upper over that of the lower degree."""
    product = RING.constant(1)
    for degree in range(lower, upper):
        for root in contents(degree):
            product *= DIFFERENCE - root
    return product


@lru_cache(maxsize=1 << 14)
def _moment(power: int, negative: Partition, positive: Partition) -> Numerators:
    """Numerators of E[W^power prod tr W^-l prod tr W^l], over the parts of ``negative`` and ``positive``."""
    if power > 0:
        return _positive_power(power, negative, positive)
    if power < 0:
        return _negative_power(power, negative, positive)
    if positive:
        return _traced(_moment(positive[-1], negative, positive[:-1]))
    if negative:
        return _traced(_moment(-negative[-1], negative[:-1], positive))
    return {(0, ()): RING.constant(1)}


def _positive_power(k: int, negative: Partition, positive: Partition) -> Numerators:
    total: Numerators = {}
    degree = sum(negative)
    _add(total, _n + (k - 1), 1, _over(degree, k - 1, negative, positive))
    for s in range(1, k):
        _add(total, 1, 1, _over(degree, k - 1 - s, negative, with_part(positive, s)))
    for part, multiplicity, rest in distinct_parts(positive):
        _add(total, 2 * part * multiplicity, 1, _over(degree, k - 1 + part, negative, rest))
    for part, multiplicity, rest in distinct_parts(negative):
        _add(total, -2 * part * multiplicity, 1, _over(degree, k - 1 - part, rest, positive))
    return {key: value for key, value in total.items() if value}


def _negative_power(power: int, negative: Partition, positive: Partition) -> Numerators:
    total: Numerators = {}
    degree = sum(negative) - power
    solved, _ = resolvent({(-power - 1, negative): fmpz_poly([1])})
    for (k, others), polynomial in solved.items():
        factor = in_dimensions(polynomial)
        _add(total, factor, -1, _over(degree - 1, -k, others, positive))
        for part, multiplicity, rest in distinct_parts(positive):
            below = _over(degree - 1, part - k - 1, others, rest)
            _add(total, -2 * part * multiplicity * factor, 0, below)
    return {key: value for key, value in total.items() if value}


def _over(degree: int, power: int, negative: Partition, positive: Partition) -> Numerators:
    """`_moment` with its numerators brought over the denominator of another inverse degree."""
    factor = _ratio(sum(negative) + max(-power, 0), degree)
    return {key: factor * value for key, value in _moment(power, negative, positive).items()}


def _add(total: Numerators, factor: fmpq_mpoly | int, shift: int, numerators: Numerators) -> None:
    """Add factor * Sigma^shift * numerators."""
    for (power, partition), value in numerators.items():
        key = (power + shift, partition)
        term = factor * value
        total[key] = total[key] + term if key in total else term


def _traced(numerators: Numerators) -> Numerators:
    total: Numerators = {}
    for (power, partition), value in numerators.items():
        key = (0, with_part(partition, power) if power else partition)
        term = value if power else _p * value
        total[key] = total[key] + term if key in total else term
    return {key: value for key, value in total.items() if value}
