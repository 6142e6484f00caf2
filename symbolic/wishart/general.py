"""Moments of a Wishart matrix with general covariance, as vectors over the marked basis.

W = X^T X, where X is n x p with independent rows N(0, Sigma).  The law of W depends on Sigma through the
factor |Sigma|^{-n/2} exp(-tr(Sigma^{-1} W)/2), so for every polynomial f

    E[W f(W)] = n Sigma E[f(W)] + 2 Sigma (d/dSigma E[f(W)]) Sigma.

With f the elements of W^{k-1} prod tr W^l this is one linear operator on matrix polynomials in Sigma
(`symbolic.wishart.marked_basis`):

    E[W^k prod tr W^l] = Sigma (n + L) E[W^{k-1} prod tr W^l].

A moment of degree d is therefore built in d steps from 1: k steps and a trace for each factor tr W^k.

The coefficients are polynomials in n over the non-negative integers, and all integers of a moment sum to
(2d-1)!!, the number of pairings (put n = p = Sigma = 1).  A polynomial is carried as one integer, its value
at a power of 256 beyond that sum: exact, and many times faster than polynomial objects. Results keep flint's dense
polynomials in n: to build a table of moments in the coefficients of `symbolic.algebra.coefficients` takes 2.2 times
as long (all 231 of degree 16: 0.57 in place of 0.25 seconds). `symbolic.wishart.wishart_moment` converts single ones.
"""

from collections.abc import Iterable, Iterator

from flint import fmpz_poly

from symbolic.algebra.refusal import Refused
from symbolic.wishart import marked_basis
from symbolic.wishart.marked_basis import Vector
from symbolic.wishart.partitions import Partition, as_positive_partition, total_pairings

MAX_DEGREE = 24
"""Above this degree a single moment has over 10,000 terms."""

MAX_TABLE_DEGREE = 20
"""Above this degree the table of all trace moments would take minutes and gigabytes."""

Packed = list[int]


def trace_moment_general(partition: Iterable[int]) -> Vector:
    """E[prod_k tr W^k] over the parts k of ``partition``, in n and the power sums of Sigma; a scalar.

    The order of the parts does not matter.  Raises ValueError when a part is no positive integer, or when
    the degree (the sum of the parts) exceeds `MAX_DEGREE`.
    """
    parts = as_positive_partition(partition)
    degree = _check_degree(sum(parts), MAX_DEGREE)
    return _unpacked(_traces(parts, _width(degree)), degree)


def matrix_moment_general(power: int, partition: Iterable[int] = ()) -> Vector:
    """E[W^power prod_k tr W^k] over the parts k of ``partition``, a p x p matrix polynomial in Sigma.

    Raises ValueError for a negative power, a part that is no positive integer, or a degree over `MAX_DEGREE`.
    """
    if not isinstance(power, int) or isinstance(power, bool) or power < 0:
        raise Refused(f"{power!r} is no power here: give an integer of at least 0")
    parts = as_positive_partition(partition)
    degree = _check_degree(power + sum(parts), MAX_DEGREE)
    width = _width(degree)
    vector = _traces(parts, width)
    for step in range(power):
        vector = _raise(vector, degree - power + step, width)
    return _unpacked(vector, degree)


def trace_moments_general(degree: int) -> dict[Partition, Vector]:
    """`trace_moment_general` of every partition of ``degree``.

    Raises ValueError when the degree is negative or exceeds `MAX_TABLE_DEGREE`.
    """
    _check_degree(degree, MAX_TABLE_DEGREE)
    width = _width(degree)
    return {
        partition: _unpacked(vector, degree) for partition, vector in _all_traces((), [1], 0, degree, width)
    }


def _check_degree(degree: int, limit: int) -> int:
    if degree < 0 or degree > limit:
        raise Refused(f"degree {degree} is out of range: ask for a degree from 0 to {limit}")
    return degree


def _width(degree: int) -> int:
    """Bytes that hold every coefficient of n in a moment of the degree."""
    return (total_pairings(degree).bit_length() + 7) // 8


def _raise(vector: Packed, degree: int, width: int) -> Packed:
    """Sigma (n + L) applied to a vector of the degree (scalars may come without the zeros after them)."""
    result = [0] * len(marked_basis.basis(degree + 1))
    shift = 8 * width
    for value, (shifted, entries) in zip(vector, marked_basis.raised(degree), strict=False):
        if value:
            result[shifted] += value << shift
            for position, factor in entries:
                result[position] += factor * value
    return result


def _trace(vector: Packed, degree: int) -> Packed:
    """The trace of a vector without a term in Sigma^0."""
    scalars = marked_basis.scalar_count(degree)
    result = [0] * scalars
    for value, position in zip(vector[scalars:], marked_basis.traced(degree), strict=True):
        if value:
            result[position] += value
    return result


def _traces(parts: Partition, width: int) -> Packed:
    vector, degree = [1], 0
    for part in reversed(parts):
        for _ in range(part):
            vector = _raise(vector, degree, width)
            degree += 1
        vector = _trace(vector, degree)
    return vector


def _all_traces(
    parts: Partition, moment: Packed, reached: int, degree: int, width: int
) -> Iterator[tuple[Partition, Packed]]:
    """The moments of all partitions of the degree that extend ``parts`` by parts up to its smallest."""
    if reached == degree:
        yield parts, moment
        return
    vector = moment
    for part in range(1, min(parts[0] if parts else degree, degree - reached) + 1):
        vector = _raise(vector, reached + part - 1, width)
        longer = _trace(vector, reached + part)
        yield from _all_traces((part, *parts), longer, reached + part, degree, width)


def _unpacked(vector: Packed, degree: int) -> Vector:
    width = _width(degree)
    size = (degree + 1) * width
    cuts = range(0, size, width)
    read = int.from_bytes
    terms = {}
    for value, element in zip(vector, marked_basis.basis(degree), strict=False):
        if value:
            digits = value.to_bytes(size, "little")
            terms[element] = fmpz_poly([read(digits[cut : cut + width], "little") for cut in cuts])
    return terms
