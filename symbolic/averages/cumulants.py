"""Expectations of index networks over matrices with independent entries, by cumulants.

With u independent of law with cumulants kappa_k,

    E prod_k U_(i_k a_k) = sum over set partitions, prod over blocks b of kappa_|b| [rows in b equal, columns
    in b equal].

One entry is taken, with every possible rest of its block among the other entries of the same matrix; the rows
of the block become one index, and its columns. Networks that become equal are averaged once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, prod

from flint import fmpq_mpoly, fmpq_mpoly_ctx

from symbolic.algebra.coefficients import context, lift
from symbolic.algebra.entry_laws import Law
from symbolic.algebra.letters import ONE
from symbolic.algebra.refusal import Refused
from symbolic.averages.network_order import Edge, Entry, Label, Network, canonical_network
from symbolic.averages.networks import TERMINAL, flipped, reduce_network

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

Joined = tuple[int, int, int]
"""The rows and the columns that a block joins, as sets of vertices, and its size."""

Entries = Mapping[tuple[str, int, int], int]
"""Matrix, row vertex and column vertex, with multiplicity."""

_ROW, _COLUMN = ("", 1), ("", 2)
"""What stands for the row and the column of a block beside a piece that hangs on them."""

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
    joining = Joining(state)
    # a network is reduced once for all the blocks, most of them alike, that leave the same but for the names of indices
    alike: dict[Hashable, tuple[Joined, int]] = {}
    for joined, weight in joining.ways(sizes).items():
        sign = joining.sign(joined)
        first, known = alike.get(sign, (joined, 0))
        alike[sign] = first, known + weight
    found: dict[Block, int] = {}
    for joined, weight in alike.values():
        split = joining.left(joined)
        if split is not None:
            key = *split, joined[2]
            found[key] = found.get(key, 0) + weight
    return found


class Joining:
    """A state of which a block of entries becomes one; a set of vertices is a number, with a bit for each."""

    def __init__(self, state: State) -> None:
        self._labels: list[Label] = []
        self._edges: list[Edge] = []
        for network in state:
            base = len(self._labels)
            self._labels += network.labels
            self._edges += [
                (a + base if a >= 0 else TERMINAL, b + base if b >= 0 else TERMINAL, word)
                for a, b, word in network.edges
            ]
        self._matrix, self._own, others = _pivot(_entries_of(state))
        self._entries = [*self._own, *others]
        self._bits = [(name, 1 << i, 1 << a, count) for name, i, a, count in self._entries]
        self._beside = [0] * len(self._labels)
        ends = [(a, b) for a, b, _ in self._edges if a >= 0 and b >= 0]
        for a, b in (*ends, *((i, a) for _, i, a, _ in self._entries)):
            self._beside[a] |= 1 << b
            self._beside[b] |= 1 << a
        self._everywhere = (1 << len(self._labels)) - 1
        self._fixed = [(1 << vertex, index) for vertex, (_, index) in enumerate(self._labels) if index]
        self._parts: dict[int, list[tuple[int, int]]] = {}
        self._pieces: dict[tuple[int, int], int] = {}
        self._numbers: dict[Network, int] = {}

    def ways(self, sizes: tuple[int, ...]) -> Mapping[Joined, int]:
        """The rows and the columns that blocks with the first entry join, with the size: how many blocks do."""
        _, row, column, _ = self._own[0]
        most = max(sizes, default=0)
        found = {(1 << row, 1 << column, 1): 1}
        for (_, i, a, _), count in zip(self._own, _counts(self._own), strict=True):
            more = found.copy()
            for taken in range(1, count + 1):
                times = comb(count, taken)
                for (rows, columns, size), weight in found.items():
                    if size + taken <= most:
                        key = rows | 1 << i, columns | 1 << a, size + taken
                        more[key] = more.get(key, 0) + weight * times
            found = more
        wanted: dict[Joined, int] = {}
        for (rows, columns, size), weight in found.items():
            if size in sizes:
                # of a square matrix a row may be a column as well: all are then one index
                key = (rows | columns, rows | columns, size) if rows & columns else (rows, columns, size)
                wanted[key] = wanted.get(key, 0) + weight
        return wanted

    def sign(self, joined: Joined) -> Hashable:
        """What is left, but for the names of indices: the pieces that hang on the row and the column of the block, and these."""
        rows, columns, size = joined
        block = rows | columns
        entries: dict[tuple[str, bool, bool], int] = {}
        for name, row, column, count in self._bits:
            if row & block and column & block:
                key = name, row & rows > 0, column & rows > 0
                entries[key] = entries.get(key, 0) + count
        edges = [
            (a if a < 0 else rows >> a & 1, b if b < 0 else rows >> b & 1, word)
            for a, b, word in self._edges
            if (a < 0 or block >> a & 1) and (b < 0 or block >> b & 1)
        ]
        pieces = []
        for part, around in self._beside_block(block):
            place = part, around & rows
            if place not in self._pieces:
                self._pieces[place] = self._piece(part, around, rows)
            pieces.append(self._pieces[place])
        fixed = [(vertex & rows > 0, index) for vertex, index in self._fixed if vertex & block]
        return (
            size,
            tuple(sorted({*fixed})),
            tuple(sorted(entries.items())),
            tuple(sorted(edges)),
            tuple(sorted(pieces)),
        )

    def _beside_block(self, block: int) -> Sequence[tuple[int, int]]:
        """The connected parts of what is outside of the block, each with the vertices of the block that it hangs on."""
        known = self._parts.get(block)
        if known is not None:
            return known
        found = []
        rest = self._everywhere & ~block
        while rest:
            part, around, new = 0, 0, rest & -rest
            while new:
                part |= new
                beside = 0
                while new:
                    beside |= self._beside[(new & -new).bit_length() - 1]
                    new &= new - 1
                around |= beside & block
                new = beside & rest & ~part
            found.append((part, around))
            rest &= ~part
        self._parts[block] = found
        return found

    def _piece(self, part: int, around: int, rows: int) -> int:
        """The number of a part with the row and the column that it hangs on: the same for parts that differ in names alone."""
        vertices = _vertices(part)
        place = {vertex: number for number, vertex in enumerate(vertices)}
        labels = [self._labels[vertex] for vertex in vertices]
        for group, mark in ((around & rows, _ROW), (around & ~rows, _COLUMN)):
            place |= dict.fromkeys(_vertices(group), len(labels))
            labels += [mark] if group else []
        place[TERMINAL] = TERMINAL
        entries: dict[tuple[str, int, int], int] = {}
        for name, i, a, count in self._entries:
            if part >> i & 1 or part >> a & 1:
                key = name, place[i], place[a]
                entries[key] = entries.get(key, 0) + count
        network = canonical_network(
            tuple(labels),
            tuple(
                (place[a], place[b], word)
                for a, b, word in self._edges
                if (a >= 0 and part >> a & 1) or (b >= 0 and part >> b & 1)
            ),
            tuple((*ends, count) for ends, count in entries.items()),
            flipped,
        )
        return self._numbers.setdefault(network, len(self._numbers))

    def left(self, joined: Joined) -> tuple[State, Finished, tuple[str, ...]] | None:
        """The part with entries that such a block leaves, the finished part and the dimensions (`_split`)."""
        rows, columns, size = joined
        merged = _merged(self._labels, _vertices(rows), _vertices(columns))
        if merged is None:
            return None
        place, labels = merged
        _, row, column, _ = self._own[0]
        remaining = {(self._matrix, place[row], place[column]): -size}
        for name, i, a, count in self._entries:
            key = name, place[i], place[a]
            remaining[key] = remaining.get(key, 0) + count
        return _split(
            labels,
            [(place[a] if a >= 0 else a, place[b] if b >= 0 else b, word) for a, b, word in self._edges],
            {key: count for key, count in remaining.items() if count},
        )


def _vertices(group: int) -> list[int]:
    """The vertices of a set, in order."""
    found = []
    while group:
        found.append((group & -group).bit_length() - 1)
        group &= group - 1
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
