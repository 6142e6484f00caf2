"""Canonical form of words: rotation, transposition, 1 x 1 factors and standard basis vectors.

A word is a string of letter codes (`symbolic.algebra.letters`). A closed word stands for its trace, so it may be
rotated and transposed; the representative is the smallest string. Where a word passes through the dimension
1 it is a product of scalars and is cut there.
"""

from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from symbolic.algebra.letters import ROW_CUTS, TRANSPOSE, UNITS, letter_of

Factor = TypeVar("Factor")
Monomial = tuple[tuple[str, ...], str | None]
"""Closed words (sorted) and the open word, or None in a scalar. The empty open word is an identity."""


@lru_cache(maxsize=1 << 18)
def transpose(word: str) -> str:
    """The word of the transposed product."""
    return word[::-1].translate(TRANSPOSE)


@lru_cache(maxsize=1 << 18)
def closed(word: str) -> tuple[str, ...] | None:
    """The canonical closed words whose product is the trace of a non-empty ``word``; None when it is zero.

    There are several when the word passes through dimension 1 more than once, and none when the trace is 1.
    """
    if ROW_CUTS.isdisjoint(word):
        return _settle(word)
    cuts = [position for position, factor in enumerate(word) if factor in ROW_CUTS]
    if len(cuts) == 1:
        return _settle(word)
    pieces: list[str] = []
    for start, stop in zip(cuts, [*cuts[1:], cuts[0] + len(word)], strict=True):
        settled = _settle((word + word)[start:stop])
        if settled is None:
            return None
        pieces.extend(settled)
    return tuple(sorted(pieces))


def _settle(word: str) -> tuple[str, ...] | None:
    """One closed word with at most one cut: e_a^T e_b is a Kronecker delta, the rest is rotated."""
    if len(word) == 2 and word[0] in UNITS and word[1] in UNITS:
        return () if letter_of(word[0]) == letter_of(word[1]) else None
    mirrored = transpose(word)
    # the smallest rotation begins with the lowest character, and most words hold few of those
    lowest = min(word + mirrored)
    turns = []
    for text in (word, mirrored):
        place = text.find(lowest)
        while place >= 0:
            turns.append(text[place:] + text[:place])
            place = text.find(lowest, place + 1)
    return (min(turns),)


def turns(word: tuple[Factor, ...], mirrored: tuple[Factor, ...]) -> list[tuple[Factor, ...]]:
    """All rotations of a readable closed word and of its transpose: words of one trace."""
    return [text[k:] + text[:k] for text in (word, mirrored) for k in range(len(word))]


@lru_cache(maxsize=1 << 18)
def opened(word: str, rows_are_one: bool, columns_are_one: bool) -> tuple[tuple[str, ...], str] | None:
    """Split the 1 x 1 factors off an open word: closed words and what stays open; None when zero."""
    cuts = [position for position, factor in enumerate(word) if factor in ROW_CUTS and position]
    if rows_are_one:
        cuts.insert(0, 0)
    if columns_are_one:
        cuts.append(len(word))
    if len(cuts) <= 1:
        return (), word
    traces: list[str] = []
    for start, stop in pairwise(cuts):
        pieces = closed(word[start:stop]) if start < stop else ()
        if pieces is None:
            return None
        traces.extend(pieces)
    return tuple(sorted(traces)), word[: cuts[0]] + word[cuts[-1] :]


def reopened(traces: tuple[str, ...], end: str) -> Monomial | None:
    """The monomial of which an open word was closed by the letter ``end``; None when no trace holds it."""
    for position, trace in enumerate(traces):
        for text in (trace, transpose(trace)):
            place = text.find(end)
            if place >= 0:
                return traces[:position] + traces[position + 1 :], text[place + 1 :] + text[:place]
    return None
