"""The tokens of a moment query. Names of one letter may touch (``WAW``); every error points at the character."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from symbolic.algebra.refusal import Refused
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    MAX_NUMBER,
    ROW_IDENTITY,
    SIGMA,
    UNIT,
    suggestion,
)

MAX_TEXT = 60_000
"""Most characters of a query: an answer of 400 terms is to be read back, and reading takes a second."""

MAX_DIGITS = 30
"""Most digits of a number."""

GREEK = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Phi", "Psi", "Omega")
"""Letters that are spelled out."""

KNOWN = (
    *(
        "W",
        "A",
        "B",
        "C",
        "D",
        SIGMA,
        IDENTITY,
        "X",
        "M",
        "U",
        "tr",
        "n",
        COLUMNS,
        "W1",
        "n1",
        "det",
        "cov",
        "var",
    ),
    *GREEK,
)
"""Names for suggestions; all but I and p take numbers up to `symbolic.wishart.fixed_letters.MAX_NUMBER`."""

DECLARED = re.compile(r"(?!Sigma[0-9]*$|I_?n?[0-9]*$|[ET]$)[A-VX-Z][A-Za-z0-9]*")
"""Names that a value or a definition may give to a matrix."""

_RUN = re.compile(r"[A-Za-z0-9_Σ]+")
_NUMBERS = "(?:[1-9][0-9]?)?"
_NAME = re.compile(
    rf"Sigma{_NUMBERS}|Σ|tr|det|cov|var|(?:{'|'.join(GREEK)}|{ROW_IDENTITY}){_NUMBERS}|{IDENTITY}|{COLUMNS}|{UNIT}(?![a-z])"
    # capitals touch one another and small words that are known, not the rest of a word
    rf"|n{_NUMBERS}|[A-DF-HJ-SU-Z](?!(?!tr|det|n|p)[a-z]{{2}}){_NUMBERS}|[a-df-moq-suvyz](?![a-z]){_NUMBERS}"
)
_DIGITS = re.compile(r"[0-9]+(\.[0-9]+)?")
_SYMBOL = re.compile(r"\*\*|[-+*/^'(){}\[\],]")
_TRANSPOSE = re.compile(r"(?:\^|\*\*)[({]?$")


class MomentSyntaxError(Refused):
    """A query that cannot be read: one line that points at the character (counted from 1) and says why."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        before = text[: position - 1]
        place = f"after {excerpt(before)}" if before.strip() else "at the start"
        super().__init__(f"character {position} ({place}): {reason}")
        self.position = position
        self.reason = reason


class Token(NamedTuple):
    """A piece of the text: kind ``number`` (whole), ``decimal``, ``name``, ``symbol`` or ``end``; its position counts from 1."""

    kind: str
    text: str
    position: int


FUNCTIONS = {
    "tr": "tr",
    "trace": "tr",
    "inv": "W^-1",
    "inverse": "W^-1",
    "transpose": "A'",
    "determinant": "det",
    "ln": "log",
}
"""How functions of matrices are written, by the names they have elsewhere."""


WITHOUT_METHOD = {
    "kron": "kron(W, W) stands in the terms of a sum, after scalars; its elements are products, so ask for W[1,2] W[3,4], for "
    "its trace as tr(W)^2, or for (a' W b) (c' W d)",
    "vec": "ask for the elements, such as W[1,2], or for a' W b with column vectors",
    "lambda": "write a matrix as Lambda; of (W + c I)^-1 ask for the terms of its series W^-1 - c W^-2 + ..., as far as they "
    "exist",
    "log": "a logarithm is of the determinant of a Wishart matrix, log det(W), or is one of the two parts of cov; log det(c W) is "
    "p log c + log det(W)",
    "corr": "ask for cov(x, y), var(x) and var(y), of which it is made: the mean of the sample's own is no rational function",
    "diag": "ask for the elements, W[1,1], W[2,2], ...; of answers under other laws it is not read, as no sum over indices is",
    "sum": "sums over indices stand in answers under other laws and are not read: ask for the elements, or give values",
    "exp": "ask for the terms of its series, tr(W), tr(W^2), ...",
}
"""What is refused by name, and what would be possible."""


def excerpt(text: str) -> str:
    """The end of a text in quotes, on one line and in ASCII."""
    return ascii(text if len(text) <= 20 else "..." + text[-17:])


def tokens(text: str, names: Collection[str] = ()) -> list[Token]:
    """The tokens of a query, with one of kind ``end`` at the end; ``names`` are known besides.

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
        token = _token(text, place, names)
        found.append(token)
        place += len(token.text)
    return [
        *(token._replace(text=SIGMA) if token.text == "Σ" else token for token in found),
        Token("end", "", len(text) + 1),
    ]


def _token(text: str, place: int, names: Collection[str]) -> Token:
    position = place + 1
    if symbol := _SYMBOL.match(text, place):
        return Token("symbol", symbol.group(), position)
    if digits := _DIGITS.match(text, place):
        if len(digits.group()) > MAX_DIGITS:
            raise MomentSyntaxError(text, position, f"a number is over the limit of {MAX_DIGITS} digits")
        return Token("decimal" if digits.group(1) else "number", digits.group(), position)
    if text[place] == "T" and _TRANSPOSE.search(text[:place].replace(" ", "")):
        return Token("name", "T", position)
    run = _RUN.match(text, place)
    if run is None:
        after = text[place + 1 : place + 2]
        raise MomentSyntaxError(text, position, _stranger(text[place], after))
    declared = next(
        (name for name in sorted(names, key=len, reverse=True) if run.group().startswith(name)), ""
    )
    if declared and (len(declared) > 1 or declared == run.group()):
        return Token("name", declared, position)
    if run.group() == "E":
        raise MomentSyntaxError(
            text, position, "what is asked for is the expectation: leave E out, as in W^-1 A W^-1"
        )
    called = run.group().casefold().partition("_")[0]
    if called in WITHOUT_METHOD:
        reason = f"{excerpt(run.group())} has no method here: {WITHOUT_METHOD[called]}"
        raise MomentSyntaxError(text, position, reason)
    written = FUNCTIONS.get(run.group().casefold(), run.group())
    if written != run.group():
        raise MomentSyntaxError(text, position, f"{excerpt(run.group())} is written {written}")
    name = _NAME.match(text, place)
    if name is None:
        raise _unknown(text, place, run.group())
    following = text[name.end() : name.end() + 1]
    if following == "_" or (following and following in "0123456789"):
        raise _unknown(text, place, run.group())
    return Token("name", name.group(), position)


def _stranger(character: str, after: str) -> str:
    if character == "." and after == "T":
        return "unexpected '.T': a transpose is written A'"
    if character in ".,":
        return f"unexpected {character!r}: write a number such as 0.5 or 1/2"
    return f"unexpected {excerpt(character)}: write letters, numbers and + - * / ^ ' ( )"


def _unknown(text: str, place: int, run: str) -> MomentSyntaxError:
    numbered = f" (a letter with a number goes up to {MAX_NUMBER})" if run[-1].isdigit() else ""
    reason = f"unknown letter {excerpt(run)}; {suggestion(run, KNOWN)}{numbered}"
    return MomentSyntaxError(text, place + 1, reason)
