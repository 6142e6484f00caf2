"""E tr W^k by Isserlis' theorem in SymPy, as one would first write it: a sum over all pairings."""

from collections.abc import Iterator

import sympy


def pairings(slots: list[int]) -> Iterator[list[tuple[int, int]]]:
    """All perfect matchings."""
    if not slots:
        yield []
        return
    first, *others = slots
    for k, partner in enumerate(others):
        for rest in pairings(others[:k] + others[k + 1 :]):
            yield [(first, partner), *rest]


def components(size: int, links: list[tuple[int, int]]) -> int:
    """The number of connected components of a graph."""
    label = list(range(size))
    for a, b in links:
        old, new = label[a], label[b]
        label = [new if x == old else x for x in label]
    return len(set(label))


def trace_moment(power: int) -> sympy.Expr:
    """E tr W^power for the identity covariance: n^(row loops) p^(column loops), summed over the pairings.

    Slot 2t and 2t+1 are the two X of factor t; they share a row, and 2t+1 shares a column with 2t+2.
    """
    n, p = sympy.symbols("n p")
    size = 2 * power
    rows = [(2 * t, 2 * t + 1) for t in range(power)]
    columns = [(2 * t + 1, (2 * t + 2) % size) for t in range(power)]
    total = sympy.Integer(0)
    terms = []
    for pairing in pairings(list(range(size))):
        terms.append(n ** components(size, rows + pairing) * p ** components(size, columns + pairing))
    total = sympy.Add(*terms)
    return sympy.expand(total)
