"""The letters of a moment query: factors of words of matrices, by name.

A factor is a string: a deterministic letter such as ``A``, ``B2`` or ``Psi`` (not necessarily symmetric) or a column
vector such as ``a``, a transpose ``A'``, ``Sigma`` and ``Sigma^-1`` (``Sigma2`` where each Wishart
matrix has its own), a Wishart matrix ``W`` or ``W1`` to ``W99`` and its
inverses ``W1^-1`` and, of Moore and Penrose, ``W1^+``, or ``e[1,2]``, the matrix of a single 1 in row 1 and column 2, of which elements are traces:
M[1,2] = tr(M e[2,1]). The n x p matrix behind ``W`` is ``X``, its mean ``M``, the covariance of its rows ``U``, and
``I_n`` the n x n identity. A word is a tuple of factors, freely reduced; the empty word is the p x p identity.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from symbolic.algebra.canonical import turns

Word = tuple[str, ...]
"""Factors of a product, for example ``("W", "A'", "W")``."""

SIGMA = "Sigma"
ROWS, MEAN, ROW_COVARIANCE, ROW_IDENTITY = "X", "M", "U", "I_n"
IDENTITY = "I"
COLUMNS = "p"
INVERSE = "^-1"
TRANSPOSED = "'"
PSEUDO = "^+"
MAX_NUMBER = 99
"""The largest k in ``Wk``."""
# what is asked of a factor, again and again of the same few
_told = lru_cache(maxsize=1 << 12)


UNIT = "e"
"""How the name of a matrix of a single 1 begins."""


def unit(row: int, column: int) -> str:
    """The matrix of a single 1."""
    return f"{UNIT}[{row},{column}]"


def indices_of(factor: str) -> tuple[int, int] | None:
    """Row and column of the 1 of a matrix of a single 1; None for any other factor."""
    if not factor.startswith(f"{UNIT}["):
        return None
    row, column = factor[2:-1].split(",")
    return int(row), int(column)


def element(trace: tuple[str, ...]) -> tuple[tuple[str, ...], int, int] | None:
    """The word, row and column of which the trace with one matrix of a single 1 is an element; None for any other trace."""
    places = [k for k, factor in enumerate(trace) if indices_of(factor)]
    if len(places) != 1:
        return None
    column, row = indices_of(trace[places[0]]) or (0, 0)
    word = trace[places[0] + 1 :] + trace[: places[0]]
    if sum(factor.endswith(TRANSPOSED) for factor in word) * 2 > len(word):
        return transpose(word), column, row
    return word, row, column


@_told
def base(factor: str) -> str:
    """The name of a factor without its inverse, Moore-Penrose inverse or transpose."""
    return factor.removesuffix(INVERSE).removesuffix(TRANSPOSED).removesuffix(PSEUDO)


def is_pseudo(factor: str) -> bool:
    """Whether a factor is the Moore-Penrose inverse of a Wishart matrix."""
    return factor.endswith(PSEUDO)


def is_wishart(factor: str) -> bool:
    """Whether a factor is a Wishart matrix or an inverse of one."""
    return factor[0] == "W"


def is_inverse(factor: str) -> bool:
    """Whether a factor is an inverse."""
    return factor.endswith(INVERSE)


@_told
def of_rows(factor: str) -> str:
    """``X``, ``M``, ``U`` or ``I_n`` where a factor is one of these, numbered or transposed; "" for any other."""
    name = base(factor)
    if name.startswith(ROW_IDENTITY):
        return ROW_IDENTITY
    return name[0] if name[0] in (ROWS, MEAN, ROW_COVARIANCE) and (name[1:] or "0").isdigit() else ""


def is_dimension(name: str) -> bool:
    """Whether a name of a query is a dimension: ``n``, ``n1``, ..., or ``p``."""
    return name[0] in ("n", COLUMNS)


def is_vector(factor: str) -> bool:
    """Whether a factor is a column vector, transposed or not: a small letter, perhaps with a number."""
    return factor[0].islower() and not indices_of(factor) and not is_dimension(factor)


def row_dimension(wishart: str) -> str:
    """The number of rows behind a Wishart matrix: ``n`` for ``W``, ``n1`` for ``W1``, and so for X, M, U and I_n."""
    name = base(wishart)
    return "n" + name[len(ROW_IDENTITY) if name.startswith(ROW_IDENTITY) else 1 :]


def covariance_of(wishart: str, own: bool) -> str:
    """The covariance of the rows behind a Wishart matrix: Sigma, or where each has its ``own``, that with its number."""
    return SIGMA + (row_dimension(wishart)[1:] if own else "")


@_told
def is_covariance(factor: str) -> bool:
    """Whether a factor is Sigma, numbered or not, or an inverse of it."""
    name = base(factor)
    return name.startswith(SIGMA) and (name[len(SIGMA) :] or "0").isdigit()


def inverse(factor: str) -> str:
    """The inverse of a factor that has one."""
    return factor.removesuffix(INVERSE) if is_inverse(factor) else factor + INVERSE


@_told
def is_invertible(factor: str) -> bool:
    """Whether inverses of the factor are known: Wishart matrices and Sigma."""
    return (is_wishart(factor) and not is_pseudo(factor)) or is_covariance(factor)


def is_symmetric(factor: str) -> bool:
    """Whether a factor is its own transpose: what is invertible, the covariance of rows, and their identity."""
    return is_invertible(factor) or is_pseudo(factor) or of_rows(factor) in (ROW_COVARIANCE, ROW_IDENTITY)


def transpose(word: Word) -> Word:
    """The word of the transposed product; Wishart matrices and Sigma are symmetric."""
    return tuple(map(_transposed, reversed(word)))


@_told
def _transposed(factor: str) -> str:
    if is_symmetric(factor):
        return factor
    if place := indices_of(factor):
        return unit(*reversed(place))
    return factor.removesuffix(TRANSPOSED) if factor.endswith(TRANSPOSED) else factor + TRANSPOSED


def joined(first: Word, second: Word) -> Word:
    """The product of two words, factors cancelled against their inverses."""
    common = 0
    for left, right in zip(reversed(first), second, strict=False):
        if not (is_invertible(left) and left == inverse(right)):
            break
        common += 1
    return first[: len(first) - common] + second[common:]


@lru_cache(maxsize=1 << 16)
def closed(word: Word) -> Word:
    """The canonical word of the same trace: cyclically reduced, first of its rotations and transposes."""
    while len(word) > 1 and is_invertible(word[0]) and word[0] == inverse(word[-1]):
        word = word[1:-1]
    flipped = transpose(word)
    primes = (
        sum(factor[-1] == TRANSPOSED for factor in word),
        sum(factor[-1] == TRANSPOSED for factor in flipped),
    )
    # the order of `word_order`, of which a turn changes the names alone
    if primes[0] == primes[1]:
        return min(turns(word, flipped), default=())
    return min(turns(*[word if primes[0] < primes[1] else flipped] * 2))


def word_order(word: Word) -> tuple[int, int, Word]:
    """Sort key: short before long, few transposes before many, then by name."""
    return len(word), sum(factor.endswith(TRANSPOSED) for factor in word), word


def powers(word: Word) -> Iterator[tuple[str, int]]:
    """Runs of equal factors as a factor without inverse and an integer power."""
    for factor, run in groupby(word):
        count = len(list(run))
        yield (inverse(factor), -count) if is_inverse(factor) else (factor, count)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``did you mean X?`` for the nearest known name, or the list of the known ones."""
    options = list(known)
    same = [name for name in options if name.casefold() == word.casefold()]
    close = same or difflib.get_close_matches(word[:50], options, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(options)}" if options else "none is needed here"
