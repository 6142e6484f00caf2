"""Expectations of index networks over matrices with independent entries, by cumulants.

With u independent of law with cumulants kappa_k,

    E prod_k U_(i_k a_k) = sum over set partitions, prod over blocks b of kappa_|b| [rows in b equal, columns
    in b equal].

One entry is taken, with every possible rest of its block among the other entries of the same matrix; the rows
of the block become one index, and its columns. Networks that become equal are averaged once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb, prod

from flint import fmpq_mpoly, fmpq_mpoly_ctx

from symbolic.algebra.coefficients import context, lift
from symbolic.algebra.entry_laws import Law
from symbolic.algebra.letters import ONE
from symbolic.algebra.refusal import Refused
from symbolic.averages.network_order import Edge, Entry, Label, Network
from symbolic.averages.networks import TERMINAL, reduce_network

MAX_BLOCKS = 4_000_000
"""How many blocks are looked at in one expectation of an expression."""

CACHE_SIZE = 200_000
"""How many networks are remembered."""

State = tuple[Network, ...]
"""Networks with entries, each connected."""

Finished = tuple[tuple[str, ...], tuple[Network, ...]]
"""Traces, and networks without entries."""

Block = tuple[State, Finished, tuple[str, ...], int]
"""What a block leaves, with its dimensions, and its size."""

Entries = Mapping[tuple[str, int, int], int]
"""Matrix, row vertex and column vertex, with multiplicity."""

Averages = dict[Finished, fmpq_mpoly]
"""A linear combination of products of finished networks."""


class TooManyBlocks(Refused):
    """An expectation is a sum over too many set partitions."""


@dataclass
class Budget:
    """How many blocks may still be looked at; networks that are remembered cost nothing."""

    total: int = MAX_BLOCKS
    left: int = 0

    def __post_init__(self) -> None:
        self.left = self.total

    def spend(self, blocks: int) -> None:
        """Take off. Raises TooManyBlocks when nothing is left."""
        self.left -= blocks
        if self.left < 0:
            raise TooManyBlocks(
                f"the expectation is a sum over more than {self.total} blocks of set partitions: lower the degree"
            )


class Cumulants:
    """Expectations over the matrices in ``laws`` (by their names), in a ring of coefficients."""

    def __init__(self, laws: Mapping[str, Law], ring: fmpq_mpoly_ctx) -> None:
        self.laws = dict(laws)
        self.ring = ring
        self._budget = Budget()
        self._known: dict[State, Averages] = {(): {((), ()): ring.constant(1)}}

    def start(self, budget: Budget | None = None) -> None:
        """Begin an expectation: forget networks when they are many, and allow `MAX_BLOCKS` anew, or a budget."""
        self._budget = Budget(MAX_BLOCKS) if budget is None else budget
        if len(self._known) > CACHE_SIZE:
            self._known = {(): self._known[()]}

    def average(self, labels: Sequence[Label], edges: Sequence[Edge], entries: Entries) -> Averages:
        """The expectation of a network.

        Raises LawOrderError beyond the order of a law, TooManyBlocks beyond the budget.
        """
        for name, law in self.laws.items():
            count = sum(n for (matrix, _, _), n in entries.items() if matrix == name)
            if count % 2 and law.symmetric:
                law.check(count)
                return {}
        split = _split(labels, edges, entries)
        if split is None:
            return {}
        state, finished, dimensions = split
        total: Averages = {}
        self._add(total, {finished: _monomial(self.ring, dimensions)}, self._integrate(state))
        return total

    @staticmethod
    def _add(total: Averages, factors: Averages, averages: Averages) -> None:
        for (traces, networks), value in factors.items():
            for (more_traces, more_networks), other in averages.items():
                key = (
                    tuple(sorted(traces + more_traces)) if traces and more_traces else traces + more_traces,
                    tuple(sorted(networks + more_networks)),
                )
                known = total.get(key)
                total[key] = value * other if known is None else known + value * other

    def _integrate(self, state: State) -> Averages:
        known = self._known.get(state)
        if known is not None:
            return known
        matrix, own, _ = _pivot(_entries_of(state))
        law = self.laws[matrix]
        self._budget.spend(prod(count + 1 for count in _counts(own)))
        sizes = tuple(size for size in range(2, sum(entry[3] for entry in own) + 1) if _may_occur(law, size))
        parts: dict[State, Averages] = {}
        for (child, finished, dimensions, size), weight in _blocks(state, sizes).items():
            into = parts.setdefault(child, {})
            factor = lift(law.cumulant(size), self.ring) * weight * _monomial(self.ring, dimensions)
            into[finished] = into[finished] + factor if finished in into else factor
        total: Averages = {}
        for child, factors in parts.items():
            self._add(total, factors, self._integrate(child))
        total = {key: value for key, value in total.items() if value}
        self._known[state] = total
        return total


def _may_occur(law: Law, size: int) -> bool:
    """Whether a block of this size counts; beyond the order of the law it does, and is refused where there is one."""
    return not (size % 2 and law.symmetric) and (size > law.order or bool(law.cumulant(size)))


@lru_cache(maxsize=CACHE_SIZE)
def _blocks(state: State, sizes: tuple[int, ...]) -> Mapping[Block, int]:
    """What becomes of a state for every block, of one of these sizes, of one of its entries: the same for all laws."""
    labels: list[Label] = []
    edges: list[Edge] = []
    for network in state:
        base = len(labels)
        labels += network.labels
        edges += [
            (a + base if a >= 0 else TERMINAL, b + base if b >= 0 else TERMINAL, word)
            for a, b, word in network.edges
        ]
    matrix, own, others = _pivot(_entries_of(state))
    counts = _counts(own)
    found: dict[Block, int] = {}
    for chosen in product(*(range(count + 1) for count in counts)):
        size = 1 + sum(chosen)
        if size not in sizes:
            continue
        block = [own[0], *(entry for entry, k in zip(own[1:], chosen[1:], strict=True) if k)]
        merged = _merged(labels, [entry[1] for entry in block], [entry[2] for entry in block])
        if merged is None:
            continue
        place_of, new_labels = merged
        remaining: dict[tuple[str, int, int], int] = {}
        for entry, count, taken in zip(own, counts, chosen, strict=True):
            if count > taken:
                key = matrix, place_of[entry[1]], place_of[entry[2]]
                remaining[key] = remaining.get(key, 0) + count - taken
        for name, i, a, n in others:
            remaining[name, place_of[i], place_of[a]] = remaining.get((name, place_of[i], place_of[a]), 0) + n
        split = _split(
            new_labels,
            [(place_of[a] if a >= 0 else a, place_of[b] if b >= 0 else b, word) for a, b, word in edges],
            remaining,
        )
        if split is not None:
            weight = prod(comb(count, taken) for count, taken in zip(counts, chosen, strict=True))
            found[*split, size] = found.get((*split, size), 0) + weight
    return found


def forget_blocks() -> None:
    """Forget what becomes of states."""
    _blocks.cache_clear()


def _split(
    labels: Sequence[Label], edges: Sequence[Edge], entries: Entries
) -> tuple[State, Finished, tuple[str, ...]] | None:
    """The part with entries, the finished part, and the dimensions; None when the network is zero."""
    reduced = reduce_network(labels, edges, entries)
    if reduced is None:
        return None
    state = tuple(part for part in reduced.networks if part.entries)
    finished = tuple(part for part in reduced.networks if not part.entries)
    return state, (reduced.traces, finished), reduced.dimensions


@lru_cache(maxsize=4096)
def _monomial(ring: fmpq_mpoly_ctx, names: tuple[str, ...]) -> fmpq_mpoly:
    result = ring.constant(1)
    for name in names:
        if name != ONE:
            result *= ring.gen(ring.variable_to_index(name))
    return result


def _entries_of(state: State) -> list[Entry]:
    """The entries of all networks, on the vertices of all."""
    found: list[Entry] = []
    base = 0
    for network in state:
        found += [(matrix, i + base, a + base, n) for matrix, i, a, n in network.entries]
        base += len(network.labels)
    return found


def _pivot(entries: Sequence[Entry]) -> tuple[str, list[Entry], list[Entry]]:
    """The matrix with the fewest entries left, these with that of highest multiplicity first, and those of others."""
    totals: dict[str, int] = {}
    for matrix, _, _, n in entries:
        totals[matrix] = totals.get(matrix, 0) + n
    chosen = min(totals, key=lambda name: (totals[name], name))
    own = [entry for entry in entries if entry[0] == chosen]
    own.insert(0, own.pop(max(range(len(own)), key=lambda place: own[place][3])))
    return chosen, own, [entry for entry in entries if entry[0] != chosen]


def _counts(own: Sequence[Entry]) -> list[int]:
    """How often each entry may be in the rest of the block of the first."""
    return [own[0][3] - 1, *(entry[3] for entry in own[1:])]


def _merged(
    labels: Sequence[Label], rows: Sequence[int], columns: Sequence[int]
) -> tuple[list[int], list[Label]] | None:
    """The new place of every vertex and the new labels when rows become one, and columns become one.

    None when two different fixed indices would be equal.
    """
    target = list(range(len(labels)))
    new: list[Label] = list(labels)
    for group in (rows, columns):
        first = group[0]
        fixed = 0
        for vertex in group:
            index = labels[vertex][1]
            if index:
                if fixed and fixed != index:
                    return None
                fixed = index
            target[vertex] = first
        new[first] = labels[first][0], fixed
    kept = [vertex for vertex in range(len(labels)) if target[vertex] == vertex]
    position = {vertex: number for number, vertex in enumerate(kept)}
    return [position[target[vertex]] for vertex in range(len(labels))], [new[vertex] for vertex in kept]


def ring_of(names: Sequence[str], laws: Sequence[Law], order: int) -> fmpq_mpoly_ctx:
    """The ring in the dimensions ``names`` and the symbols of the cumulants up to ``order``."""
    found = {name for name in names if name != ONE}
    for law in laws:
        if law.symbols is not None:
            found |= {f"{law.symbols}_{k}" for k in range(4, int(min(order, law.order)) + 1, 2)}
    return context(found)
