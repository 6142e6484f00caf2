"""The operator on matrix polynomials in Sigma that raises a Wishart moment by one power of W.

A matrix polynomial in Sigma and its power sums s_i = tr Sigma^i is a vector over the marked basis
Sigma^j s_nu, with j >= 0, nu a partition and s_nu the product of s_i over the parts i of nu.  On it acts

    L Sigma^j s_nu = j Sigma^j s_nu + sum_{i=1}^{j} s_i Sigma^{j-i} s_nu
                     + sum_{l in nu} 2 l Sigma^{j+l} s_{nu - l}.

It is the derivative in Sigma: for a matrix polynomial G, the matrix with elements
sum_c [2 Sigma (dG_{cb}/dSigma) Sigma]_{ac} is [Sigma (L G)]_{ab}.  The terms without a trace of their own and
those with tr Sigma^i come from the j factors of Sigma^j (met in the given or the transposed order), the last
sum from the traces.  L keeps the degree j + |nu|, and its eigenvalues are the numbers in `contents`.
"""

from functools import lru_cache

from flint import fmpz_poly

from symbolic.wishart.partitions import Partition, distinct_parts, partitions, with_part

Marked = tuple[int, Partition]
"""(j, nu) for Sigma^j s_nu."""

Vector = dict[Marked, fmpz_poly]
"""Coefficients of elements of the marked basis: polynomials in n, or in m = n - p - 1."""


def images(power: int, partition: Partition) -> dict[Marked, int]:
    """L applied to one element of the marked basis."""
    result: dict[Marked, int] = {(power, partition): power} if power else {}
    for i in range(1, power + 1):
        key = (power - i, with_part(partition, i))
        result[key] = result.get(key, 0) + 1
    for part, multiplicity, rest in distinct_parts(partition):
        key = (power + part, rest)
        result[key] = result.get(key, 0) + 2 * part * multiplicity
    return result


def contents(degree: int) -> list[int]:
    """The eigenvalues of L in a degree, without multiplicity, in increasing order.

    They are the contents 2(j-1) - (i-1) of the boxes (i, j) that can be added to a partition of the degree.
    """
    boxes = ((i, j) for i in range(1, degree + 2) for j in range(1, degree + 2) if i * j <= degree + 1)
    return sorted({2 * (j - 1) - (i - 1) for i, j in boxes if i * j > 1 or degree == 0})


@lru_cache(maxsize=64)
def basis(degree: int) -> tuple[Marked, ...]:
    """The marked basis of a degree, in increasing order of the power of Sigma (the scalars come first)."""
    return tuple((j, nu) for j in range(degree + 1) for nu in partitions(degree - j))


@lru_cache(maxsize=64)
def positions(degree: int) -> dict[Marked, int]:
    """The position of each element in `basis`."""
    return {element: position for position, element in enumerate(basis(degree))}


@lru_cache(maxsize=64)
def raised(degree: int) -> tuple[tuple[int, tuple[tuple[int, int], ...]], ...]:
    """For each element e of `basis`, the position of Sigma e and the entries of Sigma L e, one degree up."""
    target = positions(degree + 1)
    return tuple(
        (target[j + 1, nu], tuple((target[i + 1, mu], a) for (i, mu), a in images(j, nu).items()))
        for j, nu in basis(degree)
    )


@lru_cache(maxsize=64)
def traced(degree: int) -> tuple[int, ...]:
    """For each element of `basis` with a positive power of Sigma, the position of its trace."""
    target = positions(degree)
    return tuple(target[0, with_part(nu, j)] for j, nu in basis(degree) if j)


def scalar_count(degree: int) -> int:
    """The number of scalars (elements with Sigma^0) in `basis`."""
    return len(basis(degree)) - len(traced(degree))


def clear_cache() -> None:
    """Forget the tables (they are kept for reuse)."""
    for table in (basis, positions, raised, traced):
        table.cache_clear()
