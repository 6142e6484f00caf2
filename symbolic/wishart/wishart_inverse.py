"""Moments of the inverse of a Wishart matrix: rational in n - p, polynomial in Sigma^{-1} and its traces.

W = X^T X, where X is n x p with independent rows N(0, Sigma).  Write H_k = W^{-k} prod tr W^{-l}.  Since
W = Sigma^{1/2} V Sigma^{1/2} with V invariant under rotations, E[H_k] is a matrix polynomial in Sigma^{-1}
whose terms all have a factor Sigma^{-1}.  The identity of `symbolic.wishart.general` for f = H_k,

    E[H_{k-1}] = E[W H_k] = n Sigma E[H_k] + 2 Sigma (d/dSigma E[H_k]) Sigma,

reads E[H_{k-1}] = (m - L) Sigma E[H_k] with m = n - p - 1 and L the operator of `symbolic.wishart.marked_basis` over
Sigma^{-1}: each derivative of an inverse has a minus sign, and tr I = p and one transposition turn n into m.
So

    E[H_k] = Sigma^{-1} (m - L)^{-1} E[H_{k-1}],

and a moment of degree d is built in d such steps from 1.
"""

from collections.abc import Iterable

from flint import fmpz_poly

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart.identity import RING
from symbolic.wishart.marked_basis import Marked, Vector
from symbolic.wishart.partitions import Partition, as_positive_partition, with_part
from symbolic.wishart.resolvent import DIFFERENCE, M, in_dimensions, resolvent

MAX_DEGREE = 12
"""Above this degree the rational functions take many seconds."""

Quotients = dict[Marked, Rational]
"""A vector over the marked basis, of powers of Sigma of either sign, with coefficients in Q(n, p)."""


def inverse_trace_moment(partition: Iterable[int]) -> Quotients:
    """E[prod_k tr W^{-k}] over the parts k of ``partition``: a scalar in the sums tr Sigma^{-i}.

    Powers of Sigma are negative integers in the result.  It holds for n - p > 2d - 1, d the degree; see
    `symbolic.wishart.existence`.  Raises ValueError when a part is no positive integer or d exceeds `MAX_DEGREE`.
    """
    parts = as_positive_partition(partition)
    _check_degree(sum(parts))
    return _result(*trace_numerators(parts))


def inverse_matrix_moment(power: int, partition: Iterable[int] = ()) -> Quotients:
    """E[W^{-power} prod_k tr W^{-k}] over the parts k of ``partition``: a p x p matrix in Sigma^{-1}.

    It holds for n - p > 2d - 1, d = power + the sum of the parts.  Raises ValueError for a negative power, a
    part that is no positive integer, or d over `MAX_DEGREE`.
    """
    if not isinstance(power, int) or isinstance(power, bool) or power < 0:
        raise Refused(f"{power!r} is no power here: give the k of W^-k, an integer of at least 0")
    parts = as_positive_partition(partition)
    _check_degree(power + sum(parts))
    vector, roots = trace_numerators(parts)
    for _ in range(power):
        vector, roots = _step(vector, roots)
    return _result(vector, roots)


def _check_degree(degree: int) -> None:
    if degree > MAX_DEGREE:
        raise Refused(f"inverse degree {degree} is over the limit: ask for at most {MAX_DEGREE}")


def _step(vector: Vector, roots: list[int]) -> tuple[Vector, list[int]]:
    """From E[H_{k-1}] to E[H_k], both as numerators over prod (m - root)."""
    solved, more = resolvent(vector)
    raised = {(power + 1, partition): value for (power, partition), value in solved.items()}
    return _cancelled(raised, roots + more)


def _cancelled(vector: Vector, roots: list[int]) -> tuple[Vector, list[int]]:
    """The same with the factors m - root removed that divide every numerator."""
    kept = []
    for root in roots:
        if any(value(root) for value in vector.values()):
            kept.append(root)
        else:
            vector = {key: value // (M - root) for key, value in vector.items()}
    return vector, kept


def trace_numerators(parts: Partition) -> tuple[Vector, list[int]]:
    """E[prod_k tr W^{-k}] in powers of Sigma^{-1}: numerators over prod (m - root), and the roots."""
    vector: Vector = {(0, ()): fmpz_poly([1])}
    roots: list[int] = []
    for part in reversed(parts):
        for _ in range(part):
            vector, roots = _step(vector, roots)
        traced: Vector = {}
        for (power, partition), value in vector.items():
            key = (0, with_part(partition, power))
            traced[key] = traced[key] + value if key in traced else value
        vector = traced
    return vector, roots


def _result(vector: Vector, roots: list[int]) -> Quotients:
    bottom = RING.constant(1)
    for root in roots:
        bottom *= DIFFERENCE - root
    terms = {}
    for (power, partition), value in vector.items():
        opposite = tuple(sorted(-part for part in partition))
        terms[-power, opposite] = Rational(in_dimensions(value), bottom, {}).reduced()
    return terms
