"""Readable words: the terms of an expression by the names of its letters, in an order fixed by the names."""

from functools import lru_cache
from typing import NamedTuple

from flint import fmpq_mpoly

from symbolic.algebra import canonical, letters
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.letters import Factor

Word = tuple[Factor, ...]


class Term(NamedTuple):
    """A readable monomial: its closed words (traces) and its open word (None in a scalar, () an identity)."""

    traces: tuple[Word, ...]
    word: Word | None


def readable_word(word: str) -> Word:
    """The factors of a coded word."""
    return tuple(Factor(letters.letter_of(c).name, letters.is_transposed(c)) for c in word)


@lru_cache(maxsize=1 << 16)
def readable_trace(trace: str) -> Word:
    """The factors of a closed word, turned to the representative that comes first by name."""
    turns = canonical.turns(readable_word(trace), readable_word(canonical.transpose(trace)))
    return min(turns, key=word_order)


def readable(key: Monomial) -> Term:
    """A coded monomial by names."""
    traces, word = key
    return Term(
        tuple(sorted(map(readable_trace, traces), key=word_order)),
        None if word is None else readable_word(word),
    )


def word_order(word: Word) -> tuple[int, int, Word]:
    """Sort key of words: short before long, few transposes before many, then by name."""
    return len(word), sum(factor.transposed for factor in word), word


def term_order(term: Term) -> tuple[object, ...]:
    """Sort key of terms: by the open word, then by the traces."""
    return word_order(term.word or ()), len(term.traces), [word_order(trace) for trace in term.traces]


def show_word(word: Word) -> str:
    """A word as text: ``X.T X A``."""
    return " ".join(name + (".T" if transposed else "") for name, transposed in word)


def show_term(term: Term, value: fmpq_mpoly) -> str:
    """A term as text: ``(n*p + n) * tr(A) * B``."""
    factors = [f"({value})"] if len(value) > 1 else [str(value)] if not value.is_one() else []
    factors += [f"tr({show_word(trace)})" for trace in term.traces]
    if term.word is not None:
        factors.append(show_word(term.word) or "I")
    return " * ".join(factors) or "1"
