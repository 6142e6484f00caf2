"""Canonical form of small networks: colour refinement of the vertices, and branching where it leaves ties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

Label = tuple[str, int]
"""The dimension of an index, and its value when it is fixed (from 1), else 0."""

Edge = tuple[int, int, str]
"""Start, end and word; an end of -1 is fixed by the word."""

Entry = tuple[str, int, int, int]
"""Random matrix, row vertex, column vertex, multiplicity."""

Flip = Callable[[str], str]
"""Transposition of words."""

View = tuple[int, int]
"""An edge as one of its vertices sees it: the rank of its description, and the vertex at the other end."""


class Network(NamedTuple):
    """A connected network in canonical form: networks that differ in the names of their indices are equal."""

    labels: tuple[Label, ...]
    edges: tuple[Edge, ...]
    entries: tuple[Entry, ...]


@lru_cache(maxsize=1 << 16)
def canonical_network(
    labels: tuple[Label, ...], edges: tuple[Edge, ...], entries: tuple[Entry, ...], flip: Flip
) -> Network:
    """The canonical form: of all forms that respect the refined colouring, the smallest."""
    views = _views(len(labels), edges, entries, flip)
    ranks = {label: rank for rank, label in enumerate(sorted(set(labels)))}
    colours = _refined([ranks[label] for label in labels], views)
    return min(_written(labels, edges, entries, order, flip) for order in _orders(colours, views))


def _views(size: int, edges: Sequence[Edge], entries: Sequence[Entry], flip: Flip) -> list[list[View]]:
    seen: list[list[tuple[tuple[int, str, int], int]]] = [[] for _ in range(size)]
    for start, stop, word in edges:
        if start >= 0:
            seen[start].append(((0, word, 0), stop))
        if stop >= 0:
            seen[stop].append(((0, flip(word), 0), start))
    for matrix, row, column, count in entries:
        seen[row].append(((1, matrix, count), column))
        seen[column].append(((2, matrix, count), row))
    ranks = {text: rank for rank, text in enumerate(sorted({text for views in seen for text, _ in views}))}
    return [[(ranks[text], other) for text, other in views] for views in seen]


def _refined(colours: list[int], views: list[list[View]]) -> list[int]:
    """The colours split by those of the neighbours until nothing changes."""
    count = len(set(colours))
    while count < len(colours):
        seen = [
            (colour, sorted((rank, colours[other] if other >= 0 else -1) for rank, other in around))
            for colour, around in zip(colours, views, strict=True)
        ]
        keys = [(colour, tuple(around)) for colour, around in seen]
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        colours = [ranks[key] for key in keys]
        if len(ranks) == count:
            break
        count = len(ranks)
    return colours


def _orders(colours: list[int], views: list[list[View]]) -> Iterator[list[int]]:
    """The discrete refinements: for each, the position of every vertex."""
    sizes = Counter(colours)
    tied = [colour for colour, size in sizes.items() if size > 1]
    if not tied:
        ranks = {colour: rank for rank, colour in enumerate(sorted(sizes))}
        yield [ranks[colour] for colour in colours]
        return
    chosen = min(tied, key=lambda colour: (sizes[colour], colour))
    tried: set[tuple[View, ...]] = set()
    for vertex, colour in enumerate(colours):
        if colour != chosen:
            continue
        around = tuple(sorted(views[vertex]))
        loops = any(other == vertex for _, other in around)
        if not loops and around in tried:
            continue  # a twin of a vertex that was tried: exchanging the two changes nothing
        tried.add(around)
        split = [2 * c + (c == chosen and v != vertex) for v, c in enumerate(colours)]
        yield from _orders(_refined(split, views), views)


def _written(
    labels: Sequence[Label],
    edges: Sequence[Edge],
    entries: Sequence[Entry],
    order: Sequence[int],
    flip: Flip,
) -> Network:
    """The network with its vertices in a given order."""
    place = [*order, -1]  # so that the end -1 stays
    arranged: list[Label] = list(labels)
    for vertex, position in enumerate(order):
        arranged[position] = labels[vertex]
    return Network(
        tuple(arranged),
        tuple(
            sorted(
                min((place[start], place[stop], word), (place[stop], place[start], flip(word)))
                for start, stop, word in edges
            )
        ),
        tuple(sorted((matrix, place[row], place[column], n) for matrix, row, column, n in entries)),
    )
