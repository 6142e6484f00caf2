"""A Wishart matrix that occurs in a product only in traces of its powers and in at most one further run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbolic.algebra.quotients import Rational
from symbolic.wishart.fixed_letters import Word, base, is_inverse, is_wishart, joined
from symbolic.wishart.partitions import Partition
from symbolic.wishart.trace_polynomial import ONE, Monomial, product_of_traces


@dataclass(frozen=True)
class Block:
    """u W^power v prod tr W^l, l over ``parts``, times ``traces`` (and ``word``) that do not hold W.

    ``before`` is u and ``after`` is v. When ``traced``, u is empty and tr(W^power v) is meant; without a run
    the power is 0.
    """

    name: str
    power: int
    parts: Partition
    before: Word
    after: Word
    traced: bool
    traces: tuple[Word, ...]
    word: Word | None

    def around(self, middle: Word, traces: Iterable[Word]) -> tuple[Monomial, Rational]:
        """The product with ``middle`` in place of W^power and ``traces`` in place of the traces of powers."""
        inner = joined(joined(self.before, middle), self.after)
        kept = (*self.traces, *traces)
        if self.traced:
            return product_of_traces((*kept, inner), self.word, ONE)
        return product_of_traces(kept, inner if self.power else self.word, ONE)


def isolated(monomial: Monomial, name: str) -> Block | None:
    """The block of the Wishart matrix ``name``, or None when it is spread over several runs."""
    parts: list[int] = []
    others: list[Word] = []
    holders: list[Word] = []
    for trace in monomial.traces:
        own = [is_wishart(factor) and base(factor) == name for factor in trace]
        if all(own):
            parts.append(_exponent(trace))
        else:
            (holders if any(own) else others).append(trace)
    opened = monomial.word if monomial.word and any(_is(factor, name) for factor in monomial.word) else None
    if len(holders) + (opened is not None) > 1:
        return None
    powers = tuple(sorted(parts))
    if opened is not None:
        places = [place for place, factor in enumerate(opened) if _is(factor, name)]
        start, stop = places[0], places[-1] + 1
        if stop - start != len(places):
            return None
        run = opened[start:stop]
        return Block(name, _exponent(run), powers, opened[:start], opened[stop:], False, tuple(others), None)
    if holders:
        turned = _turned(holders[0], name)
        size = sum(_is(factor, name) for factor in turned)
        if not all(_is(factor, name) for factor in turned[:size]):
            return None
        power = _exponent(turned[:size])
        return Block(name, power, powers, (), turned[size:], True, tuple(others), monomial.word)
    return Block(name, 0, powers, (), (), False, tuple(others), monomial.word)


def _is(factor: str, name: str) -> bool:
    return base(factor) == name


def _exponent(run: Word) -> int:
    return sum(-1 if is_inverse(factor) else 1 for factor in run)


def _turned(trace: Word, name: str) -> Word:
    """A closed word turned to start with a run of the matrix."""
    start = next(
        place for place in range(len(trace)) if _is(trace[place], name) and not _is(trace[place - 1], name)
    )
    return trace[start:] + trace[:start]
