"""Index networks: sums over indices of products of matrix elements, reduced and in canonical form.

A vertex is an index that runs over a dimension, or is fixed (a standard basis vector, or the one index of the
dimension 1). An edge is an element of a word of matrices between two indices; an entry is an element of a
random matrix that is still to be averaged. An index at which two edges meet is a matrix product and goes into
the word; a loop is then a trace, a single index its dimension. What remains is irreducible, for example
sum_a (A)_aa (B)_aa.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from symbolic.algebra import canonical, letters
from symbolic.algebra.letters import ONE, Letter
from symbolic.averages.network_order import Edge, Entry, Label, Network, canonical_network

TERMINAL = -1
"""The end of an edge with a fixed index, which is part of its word."""

ROOT_SUFFIX = "^(1/2)"
"""What a covariance's name is followed by in the name of its symmetric root; no letter of a reader has it."""

_ROOTS: dict[str, str] = {}
"""The character of each root, and that of its covariance."""


class Reduced(NamedTuple):
    """A product of dimensions, traces of words, and irreducible connected networks."""

    dimensions: tuple[str, ...]
    traces: tuple[str, ...]
    networks: tuple[Network, ...]


def root_of(covariance: Letter) -> str:
    """The character of the symmetric root R of a covariance: R R = Sigma, and R commutes with Sigma."""
    name = covariance.name + ROOT_SUFFIX
    root = chr(2 * letters.index_of(Letter(name, covariance.rows, covariance.columns, symmetric=True)))
    _ROOTS[root] = chr(2 * letters.index_of(covariance))
    return root


@lru_cache(maxsize=1 << 16)
def normal(word: str) -> str:
    """The word with powers of each root collected: R Sigma^k, at most one root in a run."""
    for root in _ROOTS.keys() & {*word}:
        sigma = _ROOTS[root]
        found, place = [], 0
        while place < len(word):
            stop = place
            while stop < len(word) and word[stop] in (root, sigma):
                stop += 1
            run = word[place:stop]
            count = run.count(root)
            found.append(root * (count % 2) + sigma * (len(run) - count + count // 2))
            if stop < len(word):
                found.append(word[stop])
            place = stop + 1
        word = "".join(found)
    return word


@lru_cache(maxsize=1 << 16)
def flipped(word: str) -> str:
    """The transposed word."""
    return normal(canonical.transpose(word))


@lru_cache(maxsize=1 << 16)
def closed(word: str) -> tuple[str, ...] | None:
    """The trace of a word as a product of canonical traces; None if it vanishes."""
    roots = _ROOTS.keys() & {*word}
    if roots:
        powers = roots | {_ROOTS[root] for root in roots}
        start = next((place for place, factor in enumerate(word) if factor not in powers), 0)
        word = normal(word[start:] + word[:start])
    return canonical.closed(word)


@lru_cache(maxsize=4096)
def _unit(label: Label) -> tuple[str, str]:
    """The characters of the basis vector of a fixed index and of its transpose; empty in dimension 1."""
    dimension, index = label
    if dimension == ONE:
        return "", ""
    number = 2 * letters.index_of(Letter(f"e_{index}_{dimension}", dimension, ONE, unit=index))
    return chr(number), chr(number + 1)


def _terminated(edge: Edge, labels: Sequence[Label]) -> Edge:
    """An edge with the basis vectors of fixed indices at its ends in its word."""
    start, stop, word = edge
    first = _unit(labels[start])[1] if start >= 0 and labels[start][1] else None
    last = _unit(labels[stop])[0] if stop >= 0 and labels[stop][1] else None
    return (
        start if first is None else TERMINAL,
        stop if last is None else TERMINAL,
        (first or "") + word + (last or ""),
    )


def reduce_network(
    labels: Sequence[Label], edges: Iterable[Edge], entries: Mapping[tuple[str, int, int], int]
) -> Reduced | None:
    """The network as a product of irreducible ones; None when it is zero.

    ``labels``: the dimension of each vertex and its fixed index, or 0. ``edges``: start, end and word.
    ``entries``: matrix, row vertex and column vertex, with multiplicity.
    """
    traces: list[str] = []
    kept: list[Edge] = []
    for edge in edges:
        start, stop, word = _terminated(edge, labels)
        if start == stop == TERMINAL:
            pieces = closed(word)
            if pieces is None:
                return None
            traces.extend(pieces)
        else:
            kept.append((start, stop, word))
    busy = {vertex for _, row, column in entries for vertex in (row, column)}
    incident: list[list[int]] = [[] for _ in labels]
    current: dict[int, Edge] = dict(enumerate(kept))
    for number, (start, stop, _) in current.items():
        for vertex in (start, stop):
            if vertex >= 0:
                incident[vertex].append(number)
    dimensions: list[str] = []
    for vertex, label in enumerate(labels):
        if label[1] or vertex in busy:
            continue
        around = incident[vertex]
        if not around:
            dimensions.append(label[0])
        elif len(around) == 2:
            first, second = around
            if first == second:
                pieces = closed(current.pop(first)[2])
                if pieces is None:
                    return None
                traces.extend(pieces)
                continue
            start, stop, word = current[first]
            if stop != vertex:
                start, word = stop, flipped(word)
            begin, end, other = current.pop(second)
            if begin != vertex:
                end, other = begin, flipped(other)
            if start == end == TERMINAL:
                del current[first]
                pieces = closed(word + other)
                if pieces is None:
                    return None
                traces.extend(pieces)
                continue
            current[first] = start, end, normal(word + other)
            if end >= 0:
                incident[end][incident[end].index(second)] = first
    networks = _components(labels, list(current.values()), entries)
    return Reduced(tuple(sorted(dimensions)), tuple(sorted(traces)), networks)


def _components(
    labels: Sequence[Label], edges: Sequence[Edge], entries: Mapping[tuple[str, int, int], int]
) -> tuple[Network, ...]:
    """The connected parts; a fixed index connects nothing."""
    parent = list(range(len(labels)))

    def find(vertex: int) -> int:
        while parent[vertex] != vertex:
            vertex = parent[vertex]
        return vertex

    for start, stop, _ in edges:
        if start >= 0 and stop >= 0:
            parent[find(start)] = find(stop)
    alone = []
    for matrix, row, column in entries:
        if labels[row][1] and labels[column][1]:
            alone.append((matrix, row, column))
        elif not labels[row][1] and not labels[column][1]:
            parent[find(row)] = find(column)
    parts: dict[int, tuple[list[Edge], list[Entry]]] = {}
    for edge in edges:
        parts.setdefault(find(edge[0] if edge[0] >= 0 else edge[1]), ([], []))[0].append(edge)
    for (matrix, row, column), count in entries.items():
        free = column if labels[row][1] else row
        key = -1 - len(parts) if (matrix, row, column) in alone else find(free)
        parts.setdefault(key, ([], []))[1].append((matrix, row, column, count))
    found = []
    for own_edges, own_entries in parts.values():
        used = sorted(
            {v for start, stop, _ in own_edges for v in (start, stop) if v >= 0}
            | {v for _, row, column, _ in own_entries for v in (row, column)}
        )
        place = {vertex: number for number, vertex in enumerate(used)}
        place[TERMINAL] = TERMINAL
        found.append(
            canonical_network(
                tuple(labels[v] for v in used),
                tuple((place[start], place[stop], word) for start, stop, word in own_edges),
                tuple((matrix, place[row], place[column], n) for matrix, row, column, n in own_entries),
                flipped,
            )
        )
    return tuple(sorted(found))
