"""Letters: the matrices that words are made of.

A letter is known inside words by a character: an even code for the letter, the next odd code for its
transpose. A symmetric letter (and every 1 x 1 letter) is its own transpose and uses the even code only.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from symbolic.algebra import coefficients

ONE = "1"
"""The dimension that is the number 1."""


def check_dimension(name: str) -> str:
    """Return ``name`` if it is a dimension: a name such as ``n_t``, or ``"1"``; ValueError otherwise."""
    return name if name == ONE else coefficients.check_name(name)


@dataclass(frozen=True)
class Letter:
    """A matrix of shape ``rows`` x ``columns``, random (independent rows N(0, covariance)) or deterministic.

    ``covariance`` is the name of a symmetric deterministic letter on ``columns``, or None for the identity.
    ``unit`` is the index a of a standard basis vector e_a, or 0 for any other letter.
    ``law`` names the law of the iid entries of u in a row Sigma^(1/2) u of a random letter
    (`symbolic.algebra.entry_laws`); None: Gaussian.
    """

    name: str
    rows: str
    columns: str
    symmetric: bool = False
    random: bool = False
    covariance: str | None = None
    unit: int = 0
    law: str | None = None


class Factor(NamedTuple):
    """A letter in a readable word: its name, and whether it is transposed."""

    name: str
    transposed: bool


END = ""
"""Name of the letter that closes an open word into a trace; no letter of a reader has it."""

LETTERS: dict[int, Letter] = {}
"""The letters by number. Numbers start at three places, because canonical words begin with their least letter and
integration by parts meets fewest states when that is the closing letter, else a deterministic one."""
_INDEX: dict[Letter, int] = {}
_CLOSING, _FIXED, _RANDOM = count(), count(16), count(1024)
TRANSPOSE: dict[int, int] = {}
"""Translation table: the code of a factor to the code of its transpose."""
ROW_CUTS: set[str] = set()
"""Characters with a single row: a word may be cut before them."""
UNITS: set[str] = set()
"""Characters of standard basis vectors and their transposes."""


def index_of(letter: Letter) -> int:
    """The number of a letter; equal letters share it."""
    index = _INDEX.get(letter)
    if index is None:
        free = _RANDOM if letter.random else _CLOSING if letter.name == END else _FIXED
        index = next(number for number in free if number not in LETTERS)
        LETTERS[index] = letter
        _INDEX[letter] = index
        straight, transposed = 2 * index, 2 * index + (0 if letter.symmetric else 1)
        TRANSPOSE[straight], TRANSPOSE[transposed] = transposed, straight
        if letter.rows == ONE:
            ROW_CUTS.add(chr(straight))
        if letter.columns == ONE:
            ROW_CUTS.add(chr(transposed))
        if letter.unit:
            UNITS.update((chr(straight), chr(transposed)))
    return index


def end_letter(shape: tuple[str, str] | None) -> str:
    """The character that closes an open word of a shape; empty for scalars."""
    return chr(2 * index_of(Letter(END, shape[1], shape[0]))) if shape else ""


def letter_of(character: str) -> Letter:
    """The letter a character stands for, transposed or not."""
    return LETTERS[ord(character) >> 1]


def is_transposed(character: str) -> bool:
    """Whether a character stands for the transpose of its letter."""
    return bool(ord(character) & 1)


def row_dimension(character: str) -> str:
    """The number of rows of a factor."""
    letter = letter_of(character)
    return letter.columns if is_transposed(character) else letter.rows


def column_dimension(character: str) -> str:
    """The number of columns of a factor."""
    letter = letter_of(character)
    return letter.rows if is_transposed(character) else letter.columns


def covariance_letter(letter: Letter) -> Letter | None:
    """The deterministic letter that is the covariance of a random letter's rows (None: the identity)."""
    if letter.covariance is None:
        return None
    return Letter(letter.covariance, letter.columns, letter.columns, symmetric=True)


def _definitions(indices: frozenset[int]) -> dict[str, int]:
    names: dict[str, int] = {}
    for index in sorted(indices):
        letter = LETTERS[index]
        covariance = covariance_letter(letter)
        for candidate in (letter,) if covariance is None else (letter, covariance):
            known = names.setdefault(candidate.name, index_of(candidate))
            if LETTERS[known] != candidate:
                raise ValueError(
                    f"the letter {candidate.name} is used with two different definitions: rename one of them"
                )
    return names


@lru_cache(maxsize=65536)
def merge_alphabets(first: frozenset[int], second: frozenset[int]) -> frozenset[int]:
    """The letters of two expressions together.

    Raises ValueError when one name stands for two different letters.
    """
    if first <= second:
        return second
    if second <= first:
        return first
    _definitions(first | second)
    return first | second
