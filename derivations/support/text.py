"""What a user writes: exact numbers, and the known word that is nearest to an unknown one. Text is never run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from fractions import Fraction

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_FRACTION = re.compile(r"[+-]?[0-9]+/[0-9]+")
# a longer text, or an exponent of more than three digits, could stand for a number that fills the memory
LONGEST = 400
# A list of up to this many words is shown whole.
FEW = 16


def exact_number(text: str) -> Fraction | None:
    """The number that an integer, a decimal or a fraction says; None for any other text.

    Raises ZeroDivisionError for a fraction over zero.
    """
    text = text.strip()
    if len(text) > LONGEST or not (_NUMBER.fullmatch(text) or _FRACTION.fullmatch(text)):
        return None
    return Fraction(text)


def shortened(text: str, longest: int = 30) -> str:
    """The text, or its beginning, for a message."""
    return text if len(text) <= longest else text[:longest] + "..."


def nearest(word: str, known: Iterable[str]) -> str:
    """'did you mean X?' for the closest known words, whatever their case; all of them when they are few and none is close.

    Of a long list the nearest three are named where none is close.
    """
    # of an enumeration the values
    options = {option.lower(): str(option) for option in reversed(list(known))}
    lowered, names = word[:LONGEST].lower(), list(reversed(options))
    if lowered in options:
        return f"did you mean {options[lowered]!r}?"
    close = difflib.get_close_matches(lowered, names, n=1, cutoff=0.5)
    if len(names) <= FEW:
        return (
            f"did you mean {options[close[0]]!r}?"
            if close
            else "known: " + ", ".join(options[n] for n in names)
        )
    found = difflib.get_close_matches(lowered, names, n=3, cutoff=0.0)
    return f"did you mean {', '.join(repr(options[n]) for n in found[:-1])} or {options[found[-1]]!r}?"
