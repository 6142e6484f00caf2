"""Exact means of traces of one task's matrices, for Gaussian inputs of identity covariance.

W = X^T X with X of n x p standard normal entries (training inputs), G likewise of the validation inputs. What stands
between two G is a polynomial in W, so that all of it commutes. By fractions throughout: the terms cancel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod

# coefficients of 1, W, W^2, ...
Polynomial = tuple[Fraction, ...]
Pairs = tuple[tuple[int, int], ...]


@lru_cache(maxsize=100_000)
def mean_of_traces(powers: tuple[int, ...], n: int, p: int) -> int:
    """E prod_k Tr W^k over the powers k in descending order, by integration by parts of one factor of the first trace."""
    if not powers or powers[0] == 0:
        return int(p ** len(powers))
    k, rest = powers[0], powers[1:]

    def mean(*others: int) -> int:
        return mean_of_traces(tuple(sorted(others, reverse=True)), n, p)

    found = (n + k - 1) * mean(k - 1, *rest)
    found += sum(mean(s, k - 1 - s, *rest) for s in range(1, k))
    found += sum(2 * l * mean(k + l - 1, *rest[:j], *rest[j + 1 :]) for j, l in enumerate(rest) if l)
    return found


def times(one: Polynomial, other: Polynomial) -> Polynomial:
    """The product of two polynomials."""
    found = [Fraction(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] += a * b
    return tuple(found)


def mean_of_word(between: Sequence[Polynomial], n_v: int, n: int, p: int) -> Fraction:
    """E Tr G D_1 G D_2 ... G D_k over both inputs, for polynomials D_i in W: Isserlis' sum over pairings of the rows of G.

    Factor i of G has the ends 2i and 2i + 1; D_i leads from 2i + 1 to the next factor's first end.
    """
    ends = 2 * len(between)
    rows: Pairs = tuple((i, i + 1) for i in range(0, ends, 2))
    steps: Pairs = tuple((i + 1, (i + 2) % ends) for i in range(0, ends, 2))
    found = Fraction(0)
    for pairs in pairings(tuple(range(ends))):
        traces = []
        for cycle in _cycles(steps, pairs):
            word: Polynomial = (Fraction(1),)
            for index in cycle:
                word = times(word, between[index])
            traces.append(word)
        found += n_v ** len(list(_cycles(rows, pairs))) * _mean_of_product(traces, n, p)
    return found


def _mean_of_product(traces: Sequence[Polynomial], n: int, p: int) -> Fraction:
    return sum(
        (
            prod((c for c, _ in term), start=Fraction(1))
            * mean_of_traces(tuple(sorted((k for _, k in term), reverse=True)), n, p)
            for term in product(*([(c, k) for k, c in enumerate(word) if c] for word in traces))
        ),
        Fraction(0),
    )


def pairings(ends: tuple[int, ...]) -> Iterator[Pairs]:
    """All ways to join the ends two by two."""
    if not ends:
        yield ()
        return
    first, *others = ends
    for k, second in enumerate(others):
        for rest in pairings((*others[:k], *others[k + 1 :])):
            yield ((first, second), *rest)


def _cycles(edges: Pairs, pairs: Pairs) -> Iterator[list[int]]:
    """The closed walks along edges and pairs in turn: of each the edges, by index."""
    at = {end: index for index, edge in enumerate(edges) for end in edge}
    partner = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    left = set(range(len(edges)))
    while left:
        index = min(left)
        cycle, end = [], edges[index][1]
        while index in left:
            left.remove(index)
            cycle.append(index)
            start = partner[end]
            index = at[start]
            end = edges[index][0] if edges[index][1] == start else edges[index][1]
        yield cycle
