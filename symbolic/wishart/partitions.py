"""Integer partitions as weakly increasing tuples, the index set of products of traces.

The partition ``(1, 1, 3)`` stands for ``(tr W)^2 tr W^3`` and, on the side of the covariance, for
``(tr Sigma)^2 tr Sigma^3``.  Where negative powers occur, parts are non-zero integers of either sign.
"""

from bisect import insort
from collections.abc import Iterable, Iterator

from symbolic.algebra.refusal import Refused

Partition = tuple[int, ...]


def as_partition(parts: Iterable[int]) -> Partition:
    """The parts in increasing order.

    Raises ValueError when a part is not a non-zero integer (tr W^0 is the number p: multiply by it).
    """
    given = tuple(parts)
    for part in given:
        if not isinstance(part, int) or isinstance(part, bool) or part == 0:
            raise Refused(f"{part!r} is no power of a trace: give a non-zero integer")
    return tuple(sorted(given))


def as_positive_partition(parts: Iterable[int]) -> Partition:
    """The parts in increasing order; raises ValueError when a part is not a positive integer."""
    partition = as_partition(parts)
    if partition and partition[0] < 0:
        raise Refused(f"{partition[0]} is negative: negative powers are in symbolic.wishart.wishart_moment")
    return partition


def partitions(degree: int, least: int = 1) -> Iterator[Partition]:
    """All partitions of ``degree`` into parts of at least ``least``, in lexicographic order.

    Raises ValueError when the degree is negative.
    """
    if degree < 0:
        raise Refused(f"{degree} has no partitions: give a degree of at least 0")
    if degree == 0:
        yield ()
        return
    for first in range(least, degree // 2 + 1):
        for rest in partitions(degree - first, first):
            yield (first, *rest)
    if degree >= least:
        yield (degree,)


def with_part(partition: Partition, part: int) -> Partition:
    """The partition with one more part."""
    parts = list(partition)
    insort(parts, part)
    return tuple(parts)


def distinct_parts(partition: Partition) -> Iterator[tuple[int, int, Partition]]:
    """Each distinct part, its multiplicity, and the partition with one copy of it removed."""
    position = 0
    while position < len(partition):
        part = partition[position]
        multiplicity = partition.count(part)
        yield part, multiplicity, partition[:position] + partition[position + 1 :]
        position += multiplicity


def total_pairings(degree: int) -> int:
    """(2 degree - 1)!!, the number of pairings of the Gaussian factors in a moment of that degree."""
    count = 1
    for odd in range(1, 2 * degree, 2):
        count *= odd
    return count
