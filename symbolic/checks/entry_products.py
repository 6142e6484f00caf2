"""Expectations of products of matrices, multiplied out entry by entry at small sizes.

A product of traces and a word becomes a polynomial in the entries of its random matrices. The factors are
multiplied in order, and what is random in a matrix is averaged as soon as the matrix does not occur any more,
so that the polynomials stay small however many independent matrices there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from operator import itemgetter
from typing import Any, NamedTuple

from flint import fmpq, fmpq_mpoly

from symbolic.algebra.coefficients import Exact, context, names_of, to_fmpq, to_fraction

Polynomials = list[list[fmpq_mpoly]]
Table = list[list[Fraction]]
MEAN_COST = 3
"""What averaging a monomial costs, multiplications of terms being 1."""

Key = Any
"""What names a factor: anything hashable."""


@dataclass(frozen=True)
class Source:
    """Random variables: their names, and the expectation of a monomial by its exponents in this order."""

    names: tuple[str, ...]
    moment: Callable[[tuple[int, ...]], Fraction]


class Factor(NamedTuple):
    """A matrix and the name of the source of its entries; None when it is deterministic."""

    rows: Sequence[Sequence[Exact | fmpq_mpoly]]
    source: str | None = None


class Product(NamedTuple):
    """A term: a number times traces of words times a word, None in a scalar; words are of keys of factors."""

    number: Exact
    traces: tuple[tuple[Key, ...], ...]
    word: tuple[Key, ...] | None


class Step(NamedTuple):
    """One multiplication: what is multiplied so far and averaged, the next factor, whether it ends a trace."""

    done: tuple[object, ...]
    key: Key
    closes: bool
    finished: tuple[str, ...]


class State(NamedTuple):
    """The product of the traces so far, as a scalar or within the matrix that is being multiplied."""

    scalar: fmpq_mpoly
    matrix: Polynomials | None


def generators(sources: Mapping[str, Source]) -> dict[str, tuple[fmpq_mpoly, ...]]:
    """The variables of each source, in one ring for all."""
    names = sorted(name for source in sources.values() for name in source.names)
    by_name = dict(zip(names, context(tuple(names)).gens(), strict=True))
    return {key: tuple(by_name[name] for name in source.names) for key, source in sources.items()}


class EntryProducts:
    """Factors by key, and the sources of their entries."""

    def __init__(self, sources: Mapping[str, Source], factors: Mapping[Key, Factor]) -> None:
        self._sources = sources
        names = tuple(sorted(name for source in sources.values() for name in source.names))
        self._ring = context(names)
        places = {name: place for place, name in enumerate(names_of(self._ring))}
        self._places = {key: [places[name] for name in x.names] for key, x in sources.items()}
        self._factors = {
            key: [[x if isinstance(x, fmpq_mpoly) else to_fmpq(x) for x in line] for line in factor.rows]
            for key, factor in factors.items()
        }
        self._random = {key: factor.source for key, factor in factors.items()}
        self._degrees = {key: _degree(rows) for key, rows in self._factors.items()}
        self._states: dict[tuple[object, ...], State] = {}
        self._moments: dict[str, dict[tuple[int, ...], fmpq]] = {}

    def expectation(self, terms: Iterable[Product], shape: tuple[int, int]) -> Table:
        """The expectation of a sum of terms: a matrix of this shape, 1 x 1 for a scalar."""
        total = [[fmpq(0)] * shape[1] for _ in range(shape[0])]
        for term in terms:
            state = self._average(term)
            for i, line in enumerate(total):
                for j in range(len(line)):
                    if state.matrix is not None:
                        line[j] += _constant(state.matrix[i][j]) * to_fmpq(term.number)
                    elif i == j:
                        line[j] += _constant(state.scalar) * to_fmpq(term.number)
        return [[to_fraction(x) for x in line] for line in total]

    def cost(self, terms: Iterable[Product]) -> int:
        """About how many terms of polynomials are multiplied; nothing is."""
        seen: set[tuple[object, ...]] = set()
        total = 0
        for term in terms:
            degrees: dict[str, int] = {}
            for step in self._steps(term):
                source, rows = self._random[step.key], self._factors[step.key]
                if source is not None:
                    degrees[source] = degrees.get(source, 0) + self._degrees[step.key]
                if step.done not in seen:
                    seen.add(step.done)
                    size = 1
                    for name, degree in degrees.items():
                        size *= comb(degree + len(self._places[name]) - 1, degree)
                    lengths = len(rows), len(rows[0])
                    terms_each = max(
                        len(x) if isinstance(x, fmpq_mpoly) else 1 for line in rows for x in line
                    )
                    total += size * terms_each * lengths[0] * lengths[1] * max(lengths)
                    if step.finished:
                        total += MEAN_COST * size * lengths[0] * lengths[1]
                for name in step.finished:
                    degrees.pop(name)
        return total

    def _steps(self, term: Product) -> Iterator[Step]:
        """The multiplications of a term in order."""
        words = [*term.traces, *([term.word] if term.word else [])]
        open_word = len(term.traces) if term.word else -1
        flat = [
            (key, place == len(word) - 1 and number != open_word)
            for number, word in enumerate(words)
            for place, key in enumerate(word)
        ]
        last = {self._random[key]: place for place, (key, _) in enumerate(flat)}
        gone: frozenset[str] = frozenset()
        for place, (key, closes) in enumerate(flat):
            source = self._random[key]
            finished = (source,) if source is not None and last[source] == place else ()
            gone |= set(finished)
            yield Step((tuple(flat[: place + 1]), gone), key, closes, finished)

    def _average(self, term: Product) -> State:
        state = State(self._ring.constant(1), None)
        for step in self._steps(term):
            known = self._states.get(step.done)
            if known is None:
                known = _times(state, self._factors[step.key], step.closes)
                for source in step.finished:
                    known = self._without(known, source)
                self._states[step.done] = known
            state = known
        return state

    def _without(self, state: State, source: str) -> State:
        """A source averaged."""
        if state.matrix is None:
            return State(self._mean(state.scalar, source), None)
        return State(state.scalar, [[self._mean(x, source) for x in line] for line in state.matrix])

    def _mean(self, value: fmpq_mpoly, source: str) -> fmpq_mpoly:
        places = self._places[source]
        kept = [place for place in range(self._ring.nvars()) if place not in places]
        moment, moments = self._sources[source].moment, self._moments.setdefault(source, {})
        total: dict[tuple[int, ...], fmpq] = {}
        own, others = _picked(places), _picked(kept)
        # not to_dict, which takes twice as long
        for exponents, number in zip(value.monoms(), value.coeffs(), strict=True):
            averaged = own(exponents)
            known = moments.get(averaged)
            if known is None:
                known = moments[averaged] = to_fmpq(moment(tuple(map(int, averaged))))
            if known:
                rest = others(exponents)
                term = number * known
                total[rest] = total[rest] + term if rest in total else term
        back = _picked([kept.index(place) if place in kept else -1 for place in range(self._ring.nvars())])
        return self._ring.from_dict({back((*rest, 0)): number for rest, number in total.items()})


def _picked(places: Sequence[int]) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """The items at these places of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple(items[place] for place in places)


def _degree(rows: list[list[fmpq | fmpq_mpoly]]) -> int:
    """The largest degree of an entry."""
    return max(
        int(x.total_degree()) if isinstance(x, fmpq_mpoly) and len(x) else 0 for line in rows for x in line
    )


def _times(state: State, factor: list[list[fmpq | fmpq_mpoly]], closes: bool) -> State:
    """One more factor; where it closes a trace, the trace."""
    zero = state.scalar * 0
    columns = range(len(factor[0]))
    if closes and state.matrix is None:
        return State(sum((state.scalar * factor[i][i] for i in columns), zero), None)
    if closes and state.matrix is not None:
        pairs = ((x, factor[k][i]) for i, line in enumerate(state.matrix) for k, x in enumerate(line))
        return State(sum((x * y for x, y in pairs if y != 0), zero), None)
    if state.matrix is None:
        return State(state.scalar, [[state.scalar * x for x in line] for line in factor])
    return State(
        state.scalar,
        [
            [sum((x * factor[k][j] for k, x in enumerate(line) if factor[k][j] != 0), zero) for j in columns]
            for line in state.matrix
        ],
    )


def _constant(value: fmpq_mpoly) -> fmpq:
    """The number that a polynomial without variables is."""
    return value.leading_coefficient() if len(value) else fmpq(0)
