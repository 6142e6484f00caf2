"""Trace moments of a Wishart matrix with identity covariance, as polynomials in n and p.

W = X^T X, where X is n x p with independent standard normal entries, and T_k = tr W^k, T_0 = p.  Gaussian
integration by parts in the first X of T_k gives the loop equation

    E[T_k prod_j T_{l_j}] = (n + k - 1) E[T_{k-1} prod_j T_{l_j}]
                            + sum_{s=1}^{k-1} E[T_s T_{k-1-s} prod_j T_{l_j}]
                            + sum_j 2 l_j E[T_{k+l_j-1} prod_{i != j} T_{l_i}],

in which every term on the right has one degree less.  It may be applied to any trace of the product; here it
is applied to the smallest, because a factor tr W then needs one term and no splitting.
"""

from collections.abc import Iterable

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import context
from symbolic.algebra.refusal import Refused
from symbolic.wishart.partitions import Partition, as_positive_partition, distinct_parts, partitions

RING = context(("n", "p"))
"""The ring Q[n, p] in which the moments lie, with integer coefficients."""

MAX_DEGREE = 28
"""Above this degree the table of lower moments would outgrow memory (half a gigabyte at 28)."""

_n, _p = RING.gens()
_moments: dict[Partition, fmpq_mpoly] = {(): RING.constant(1)}


def trace_moment(partition: Iterable[int]) -> fmpq_mpoly:
    """E[prod_k tr W^k] over the parts k of ``partition``, a polynomial in n and p over the integers.

    The order of the parts does not matter; the empty product is 1.  Raises ValueError when a part is no
    positive integer, or when the degree (the sum of the parts) exceeds `MAX_DEGREE`.
    """
    parts = as_positive_partition(partition)
    _check_degree(sum(parts))
    return _moment(parts)


def matrix_moment(power: int, partition: Iterable[int] = ()) -> fmpq_mpoly:
    """The number c in E[W^power prod_k tr W^k] = c I, with k over the parts of ``partition``.

    W and O^T W O have the same law for every orthogonal O, so the expectation is a multiple of the identity
    and c is the trace moment divided by p, exactly.  Raises ValueError for a negative power, a part that is
    no positive integer, or a degree over `MAX_DEGREE`.
    """
    if not isinstance(power, int) or isinstance(power, bool) or power < 0:
        raise Refused(f"{power!r} is no power here: give an integer of at least 0")
    if power == 0:
        return trace_moment(partition)
    return trace_moment((*partition, power)) / _p


def trace_moments(degree: int) -> dict[Partition, fmpq_mpoly]:
    """`trace_moment` of every partition of ``degree``; raises ValueError outside 0..`MAX_DEGREE`."""
    _check_degree(degree)
    return {partition: _moment(partition) for partition in partitions(degree)}


def clear_cache() -> None:
    """Forget all moments computed so far (they are kept for reuse)."""
    _moments.clear()
    _moments[()] = RING.constant(1)


def _check_degree(degree: int) -> None:
    if degree > MAX_DEGREE:
        raise Refused(f"degree {degree} is over the limit: ask for a degree of at most {MAX_DEGREE}")


def _moment(partition: Partition) -> fmpq_mpoly:
    known = _moments.get(partition)
    if known is not None:
        return known
    k, others = partition[0], partition[1:]
    total = (_n + (k - 1)) * _with_trace(others, k - 1)
    for s in range(1, k):
        total += _with_trace(tuple(sorted((s, *others))), k - 1 - s)
    for part, multiplicity, rest in distinct_parts(others):
        total += 2 * part * multiplicity * _moment(tuple(sorted((*rest, k - 1 + part))))
    _moments[partition] = total
    return total


def _with_trace(partition: Partition, k: int) -> fmpq_mpoly:
    """The moment of the partition times T_k, where T_0 = p."""
    return _p * _moment(partition) if k == 0 else _moment(tuple(sorted((*partition, k))))
