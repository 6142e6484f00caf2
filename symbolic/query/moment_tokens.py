"""The tokens of a moment query, the limits on its text, and the error that points at a character."""

from __future__ import annotations

import re
from typing import NamedTuple

from symbolic.wishart.fixed_letters import COLUMNS, DETERMINISTIC, IDENTITY, MAX_NUMBER, SIGMA, suggestion

MAX_TEXT = 1000
"""Most characters of a query."""

MAX_NESTING = 32
"""Most parentheses inside one another."""

MAX_EXPONENT = 24
"""Largest exponent, without sign."""

MAX_DIGITS = 30
"""Most digits of a number."""

KNOWN = ("W", *DETERMINISTIC, SIGMA, IDENTITY, "tr", "n", COLUMNS, "W1", "n1")
"""Names for suggestions; W and n take numbers up to `symbolic.wishart.fixed_letters.MAX_NUMBER`."""

_RUN = re.compile(r"[A-Za-z0-9_Σ]+")
_NAME = re.compile(rf"Sigma|Σ|tr|[Wn](?:[1-9][0-9]?)?|[{''.join(DETERMINISTIC)}{IDENTITY}{COLUMNS}]")
_DIGITS = re.compile(r"[0-9]+")
_SYMBOL = re.compile(r"\*\*|[-+*/^'(){}]")
_TRANSPOSE = re.compile(r"(?:\^|\*\*)[({]?$")


class MomentSyntaxError(ValueError):
    """A query that cannot be read: one line that points at the character (counted from 1) and says why."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        before = text[: position - 1]
        place = f"after {excerpt(before)}" if before.strip() else "at the start"
        super().__init__(f"character {position} ({place}): {reason}")
        self.position = position
        self.reason = reason


class Token(NamedTuple):
    """A piece of the text: kind ``number``, ``name``, ``symbol`` or ``end``; its position counts from 1."""

    kind: str
    text: str
    position: int


def excerpt(text: str) -> str:
    """The end of a text in quotes, on one line and in ASCII."""
    return ascii(text if len(text) <= 20 else "..." + text[-17:])


def tokens(text: str) -> list[Token]:
    """The tokens of a query, with one of kind ``end`` at the end.

    Raises MomentSyntaxError at a character or name that has no meaning, and over the limits on lengths.
    """
    if len(text) > MAX_TEXT:
        raise MomentSyntaxError(text, MAX_TEXT + 1, f"the text is over the limit of {MAX_TEXT} characters")
    found: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _token(text, place)
        found.append(token)
        place += len(token.text)
    return [
        *(token._replace(text=SIGMA) if token.text == "Σ" else token for token in found),
        Token("end", "", len(text) + 1),
    ]


def _token(text: str, place: int) -> Token:
    position = place + 1
    if symbol := _SYMBOL.match(text, place):
        return Token("symbol", symbol.group(), position)
    if digits := _DIGITS.match(text, place):
        if len(digits.group()) > MAX_DIGITS:
            raise MomentSyntaxError(text, position, f"a number is over the limit of {MAX_DIGITS} digits")
        return Token("number", digits.group(), position)
    if text[place] == "T" and _TRANSPOSE.search(text[:place].replace(" ", "")):
        return Token("name", "T", position)
    run = _RUN.match(text, place)
    if run is None:
        raise MomentSyntaxError(text, position, _stranger(text[place]))
    name = _NAME.match(text, place)
    if name is None:
        raise _unknown(text, place, run.group())
    following = text[name.end() : name.end() + 1]
    if following == "_" or (following and following in "0123456789"):
        raise _unknown(text, place, run.group())
    return Token("name", name.group(), position)


def _stranger(character: str) -> str:
    if character in ".,":
        return f"unexpected {character!r}: write a fraction such as 1/2"
    return f"unexpected {excerpt(character)}: write letters, numbers and + - * / ^ ' ( )"


def _unknown(text: str, place: int, run: str) -> MomentSyntaxError:
    numbered = f" (W and n with a number go up to {MAX_NUMBER})" if run[0] in "Wn" else ""
    power = " (a power is written with ^, as in A^2)" if run[0] in DETERMINISTIC else ""
    reason = f"unknown letter {excerpt(run)}; {suggestion(run, KNOWN)}{numbered or power}"
    return MomentSyntaxError(text, place + 1, reason)
