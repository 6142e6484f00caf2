"""Gaussian integration by parts on closed words.

For a Gaussian X with independent rows N(0, Sigma), E X_ia f(X) = sum_b Sigma_ab E df/dX_ib. Applied to
one occurrence of X in a product of traces it removes that occurrence together with each other one in turn:

    tr(X v X^T w) -> tr(Sigma v) tr(w)          tr(X v X w)    -> tr(v^T Sigma w)
    tr(X^T v X w) -> tr(v) tr(Sigma w)          tr(X^T v X^T w) -> tr(Sigma v^T w)

    tr(X u) tr(X w)     -> tr(u^T Sigma w)      tr(X u) tr(X^T w)   -> tr(Sigma u w)
    tr(X^T u) tr(X w)   -> tr(u Sigma w)        tr(X^T u) tr(X^T w) -> tr(u Sigma w^T)

A `State` is the product of those closed words that still hold random letters; `steps` gives the states that one
contraction leads to, with the finished words that fall off. In canonical words deterministic letters come before
random ones (`symbolic.algebra.letters`), so that a step continues next to where the last one stopped: far fewer
different states are met that way.
"""

from __future__ import annotations

from functools import lru_cache

from symbolic.algebra import letters
from symbolic.algebra.canonical import closed, transpose
from symbolic.algebra.letters import ONE, Letter, covariance_letter, letter_of

State = tuple[str, ...]
"""Canonical closed words with random letters in them, sorted."""

Loop = str | tuple[str]
"""A finished closed word, or the dimension, (name,), that an empty one is worth."""

Step = tuple[State, tuple[Loop, ...], int]
"""A following state, the finished words, and how many contractions lead there."""

Closed = tuple[State, tuple[Loop, ...]]
"""Closed words that still hold random letters, and those that do not."""

CACHE_SIZE = 1 << 18
"""How many states are remembered."""


@lru_cache(maxsize=CACHE_SIZE)
def steps(state: State, random: frozenset[str]) -> tuple[Step, ...]:
    """All contractions of one occurrence of one random letter in a state, equal results merged.

    ``random``: the characters of the random letters, upright and transposed.
    """
    number, place = _chosen(state, random)
    word, others = state[number], state[:number] + state[number + 1 :]
    factor, turned = word[place], transpose(word[place])
    letter, upright = letter_of(factor), not letters.is_transposed(factor)
    sigma = _covariance(letter)
    rest = word[place + 1 :] + word[:place]
    flipped = transpose(rest)
    found: dict[tuple[State, tuple[Loop, ...]], int] = {}

    def add(untouched: State, result: Closed, copies: int = 1) -> None:
        key = tuple(sorted(untouched + result[0])), result[1]
        found[key] = found.get(key, 0) + copies

    for split, other in enumerate(rest):
        if other == factor:
            before, after = transpose(rest[:split]), rest[split + 1 :]
            joined = before + sigma + after if upright else sigma + before + after
            if result := _settled(joined, letter.rows, random):
                add(others, result)
        elif other == turned:
            before, after = rest[:split], rest[split + 1 :]
            left, right = (sigma + before, after) if upright else (sigma + after, before)
            first, second = _settled(left, letter.columns, random), _settled(right, letter.rows, random)
            if first and second:
                add(others, (first[0] + second[0], first[1] + second[1]))
    for partner in dict.fromkeys(others):
        position, copies = others.index(partner), others.count(partner)
        untouched = others[:position] + others[position + 1 :]
        for split, other in enumerate(partner):
            if other not in (factor, turned):
                continue
            tail = partner[split + 1 :] + partner[:split]
            if other == factor:
                joined = flipped + sigma + tail if upright else rest + sigma + transpose(tail)
            else:
                joined = sigma + rest + tail if upright else rest + sigma + tail
            if result := _settled(joined, letter.columns, random):
                add(untouched, result, copies)
    return tuple((following, loops, count) for (following, loops), count in found.items())


def _chosen(state: State, random: frozenset[str]) -> tuple[int, int]:
    """The word and the place to contract: the matrix that occurs least often, its first word, last place.

    The first word begins with the least deterministic letter there is, so that one step after the other
    continues at the same end of the same word.
    """
    matrices = _matrices(random)
    rarest = matrices[0]
    if len(matrices) > 1:
        counts = {m: sum(word.count(c) for word in state for c in m) for m in matrices}
        rarest = min((m for m in matrices if counts[m]), key=counts.__getitem__)
    for number, word in enumerate(state):
        place = max(map(word.rfind, rarest))
        if place >= 0:
            return number, place
    raise AssertionError("a state holds random letters")


@lru_cache(maxsize=1024)
def _matrices(random: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """The characters of each matrix: upright and transposed, or one where it is its own transpose."""
    return tuple(sorted({tuple(sorted({c, transpose(c)})) for c in random}))


def _covariance(letter: Letter) -> str:
    """The word of the covariance of the rows; empty for the identity."""
    sigma = covariance_letter(letter)
    return "" if sigma is None else chr(2 * letters.index_of(sigma))


def _settled(word: str, dimension: str, random: frozenset[str]) -> Closed | None:
    """The trace of a word in canonical form, of the identity of a dimension for an empty one; None when zero."""
    if not word:
        return (), () if dimension == ONE else ((dimension,),)
    pieces = closed(word)
    if pieces is None:
        return None
    if len(pieces) == 1:
        return ((), pieces) if random.isdisjoint(pieces[0]) else (pieces, ())
    finished = tuple(piece for piece in pieces if random.isdisjoint(piece))
    return tuple(piece for piece in pieces if piece not in finished), finished
