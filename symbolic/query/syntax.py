"""Reading a moment query such as ``2 W A W - tr(W)^2 W^-1``: text to a tree, by recursive descent.

The grammar is `GRAMMAR`. Names may touch (``WAW``). A number stands first in a product, or after ``*`` or ``/``. Every error is a
`MomentSyntaxError` that points at the character; nothing of the text is ever evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from symbolic.algebra.refusal import Refused
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    DETERMINISTIC,
    IDENTITY,
    MAX_NUMBER,
    SIGMA,
    UNIT,
    suggestion,
    unit,
)

GRAMMAR = """\
query     = sum | "cov" "(" sum "," sum ")" | "var" "(" sum ")"
sum       = ["+" | "-"] product { ("+" | "-") product }
product   = power { ["*"] power | "/" power }           read from left to right
power     = atom { "'" | "^" exponent | index }         a prime transposes; ** may stand for ^
index     = "[" digits "," digits "]"                   an element, by row and column from 1
exponent  = ["-"] digits | "T" | the same in ( ) or { }
atom      = digits | name | "tr" "(" sum ")" | "det" "(" sum ")" | "(" sum ")"
name      = "A" ... "D" | "I" | "Sigma" | "W" [digits] | "p" | "n" [digits] | "e" index (a single 1)
"""
"""What a query is; the same is printed by the help of the command."""

MAX_TEXT = 1000
"""Most characters of a query."""

MAX_NESTING = 32
"""Most parentheses inside one another."""

MAX_EXPONENT = 24
"""Largest exponent, without sign."""

MAX_DIGITS = 30
"""Most digits of a number."""

MAX_ORDER = 12
"""Largest p for determinants, which have as many terms as p has partitions."""

MAX_INDEX = 30
"""Largest index of an element."""

KNOWN = ("W", *DETERMINISTIC, SIGMA, IDENTITY, "tr", "n", COLUMNS, "W1", "n1", "det", "cov", "var")
"""Names for suggestions; W and n take numbers up to `symbolic.wishart.fixed_letters.MAX_NUMBER`."""

_RUN = re.compile(r"[A-Za-z0-9_Σ]+")
_NAME = re.compile(
    rf"Sigma|Σ|tr|det|cov|var|[Wn](?:[1-9][0-9]?)?|[{''.join(DETERMINISTIC)}{IDENTITY}{COLUMNS}{UNIT}]"
)
_DIGITS = re.compile(r"[0-9]+")
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
    """A piece of the text: kind ``number``, ``name``, ``symbol`` or ``end``; its position counts from 1."""

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
}
"""How functions of matrices are written, by the names they have elsewhere."""


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


def _stranger(character: str) -> str:
    if character in ".,":
        return f"unexpected {character!r}: write a fraction such as 1/2"
    return f"unexpected {excerpt(character)}: write letters, numbers and + - * / ^ ' ( )"


def _unknown(text: str, place: int, run: str) -> MomentSyntaxError:
    numbered = f" (W and n with a number go up to {MAX_NUMBER})" if run[0] in "Wn" else ""
    power = " (a power is written with ^, as in A^2)" if run[0] in DETERMINISTIC else ""
    reason = f"unknown letter {excerpt(run)}; {suggestion(run, KNOWN)}{numbered or power}"
    return MomentSyntaxError(text, place + 1, reason)


__all__ = ["MomentSyntaxError", "Node", "parse", "subtrees", "symbols"]

BRACKETS = {"(": ")", "{": "}"}


@dataclass(frozen=True)
class Node:
    """A part of the tree: where it starts in the text (from 1), and whether it is a p x p matrix."""

    position: int
    is_matrix: bool


@dataclass(frozen=True)
class Number(Node):
    """A non-negative integer."""

    value: int


@dataclass(frozen=True)
class Symbol(Node):
    """A letter (matrix) or a dimension (scalar)."""

    name: str


@dataclass(frozen=True)
class OfOne(Node):
    """What is made of one other part."""

    of: Node


class Trace(OfOne):
    """The trace of a matrix."""


class Transpose(OfOne):
    """The transpose of a matrix."""


@dataclass(frozen=True)
class Power(OfOne):
    """An integer power, perhaps negative."""

    exponent: int


@dataclass(frozen=True)
class Element(OfOne):
    """An element of a matrix, by row and column from 1."""

    row: int
    column: int


@dataclass(frozen=True)
class Determinant(OfOne):
    """The determinant of a matrix with ``order`` rows: that elementary symmetric polynomial of its eigenvalues."""

    order: int


@dataclass(frozen=True)
class Covariance(Node):
    """The covariance of two scalars; only the whole of a query is one."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Quotient(Node):
    """Something divided by a scalar."""

    top: Node
    bottom: Node


@dataclass(frozen=True)
class Product(Node):
    """Factors in order."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Sum(Node):
    """Terms with their signs, all scalars or all matrices."""

    terms: tuple[tuple[int, Node], ...]


def parse(text: str, columns: int | None = None) -> Node:
    """The tree of a query; ``columns`` is p where it is known, which determinants need.

    Raises MomentSyntaxError, a ValueError whose one line points at the character, when the text does not
    follow the grammar, adds a scalar to a matrix, or exceeds a limit of `symbolic.query.syntax`.
    """
    return _Parser(text, columns).query()


def subtrees(node: Node) -> Iterator[Node]:
    """The node and all parts of it, in the order of the text."""
    yield node
    parts: tuple[Node, ...] = ()
    match node:
        case OfOne():
            parts = (node.of,)
        case Covariance():
            parts = (node.left, node.right)
        case Quotient():
            parts = (node.top, node.bottom)
        case Product():
            parts = node.factors
        case Sum():
            parts = tuple(term for _, term in node.terms)
    for part in parts:
        yield from subtrees(part)


def symbols(node: Node) -> Iterator[Symbol]:
    """The letters and dimensions of a tree, in the order of the text, with repetition."""
    return (part for part in subtrees(node) if isinstance(part, Symbol))


class _Parser:
    """The tokens of one text and how far they are read."""

    def __init__(self, text: str, columns: int | None) -> None:
        self._text = text
        self._columns = columns
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    def query(self) -> Node:
        if self._token.kind == "end":
            raise MomentSyntaxError(self._text, 1, "the expression is empty: write, for example, W^2 tr(W^2)")
        whole = self._token.kind == "name" and self._token.text in ("cov", "var")
        node = self._covariance() if whole else self._sum()
        if self._token.kind != "end":
            self._expected("the end" if whole else "an operator, a factor or the end")
        return node

    def _covariance(self) -> Node:
        token = self._token
        self._next += 1
        if not self._take("("):
            self._expected(f"'(' after {token.text}")
        first = second = self._scalar(token.text)
        if token.text == "cov":
            if not self._take(","):
                self._expected("',' between the two parts of cov")
            second = self._scalar(token.text)
        if not self._take(")"):
            self._expected(f"an operator, a factor or ')' to close {token.text}")
        return Covariance(token.position, False, first, second)

    def _scalar(self, name: str) -> Node:
        node = self._sum()
        if node.is_matrix:
            self._fail(node.position, f"{name} is of scalars: take elements, as in W[1,2], or traces")
        return node

    # -- tokens --------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> Token | None:
        """The next token, read, if it is one of these symbols."""
        token = self._token
        if token.kind == "symbol" and token.text in texts:
            self._next += 1
            return token
        return None

    def _expected(self, what: str) -> NoReturn:
        found = "the end of the text" if self._token.kind == "end" else excerpt(self._token.text)
        raise MomentSyntaxError(self._text, self._token.position, f"expected {what}, found {found}")

    def _fail(self, position: int, message: str) -> NoReturn:
        raise MomentSyntaxError(self._text, position, message)

    # -- grammar -------------------------------------------------------------------------------------------

    def _sum(self) -> Node:
        start = self._token.position
        sign = self._take("+", "-")
        terms = [(-1 if sign and sign.text == "-" else 1, self._product())]
        while sign := self._take("+", "-"):
            term = self._product()
            if term.is_matrix != terms[0][1].is_matrix:
                this, others = ("matrix", "scalar") if term.is_matrix else ("scalar", "matrix")
                self._fail(
                    term.position,
                    f"a {this} is added to a {others}: multiply the scalar by {IDENTITY}, or take tr(...) "
                    "of the matrix",
                )
            terms.append((-1 if sign.text == "-" else 1, term))
        if terms[0][0] == 1 and len(terms) == 1:
            return terms[0][1]
        return Sum(start, terms[0][1].is_matrix, tuple(terms))

    def _product(self) -> Node:
        result = self._power()
        factors = [result]
        while True:
            if self._take("*"):
                factors.append(self._power())
            elif slash := self._take("/"):
                bottom = self._power()
                if bottom.is_matrix:
                    self._fail(
                        bottom.position, "a matrix cannot be divided by: write its inverse as a power, W^-1"
                    )
                factors = [Quotient(slash.position, *self._both(_joined(factors), bottom))]
            elif self._token.kind == "name" or self._token.text == "(":
                factors.append(self._power())
            elif self._token.kind == "number":
                self._expected("* before a number, or ^ for a power")
            else:
                return _joined(factors)

    @staticmethod
    def _both(top: Node, bottom: Node) -> tuple[bool, Node, Node]:
        return top.is_matrix, top, bottom

    def _power(self) -> Node:
        node = self._atom()
        raised = False
        while True:
            if prime := self._take("'"):
                node = self._transpose(node, prime.position)
                raised = False
            elif bracket := self._take("["):
                node = self._element(node, bracket.position)
                raised = False
            elif caret := self._take("^", "**"):
                if raised:
                    self._fail(caret.position, "a second exponent: use parentheses, as in (W^2)^3")
                node = self._exponent(node, caret.position)
                raised = True
            else:
                return node

    def _element(self, node: Node, position: int) -> Node:
        if not node.is_matrix:
            self._fail(position, "an element of a scalar is taken: leave the index out")
        return Element(node.position, False, node, *self._index())

    def _index(self) -> tuple[int, int]:
        """Row and column, after the opening bracket."""
        found: list[int] = []
        for closing in (",", "]"):
            token = self._token
            if token.kind != "number":
                self._expected("a row and a column, as in W[1,2]")
            self._next += 1
            if not 1 <= int(token.text) <= MAX_INDEX:
                self._fail(token.position, f"an index is from 1 to {MAX_INDEX}: take another one")
            found.append(int(token.text))
            if not self._take(closing):
                self._expected(f"{closing!r} in an index, as in W[1,2]")
        return found[0], found[1]

    def _exponent(self, node: Node, position: int) -> Node:
        bracket = self._take("(", "{")
        sign = self._take("-")
        token = self._token
        if token.kind == "name" and token.text == "T" and not sign:
            self._next += 1
            node = self._transpose(node, position)
        elif token.kind == "number":
            self._next += 1
            exponent = int(token.text)
            if exponent > MAX_EXPONENT:
                self._fail(token.position, f"the exponent is over the limit: at most {MAX_EXPONENT}")
            node = Power(node.position, node.is_matrix, node, -exponent if sign else exponent)
        else:
            self._expected("a whole number" if sign else "an exponent (a whole number, or T to transpose)")
        if bracket and not self._take(BRACKETS[bracket.text]):
            self._expected(f"{BRACKETS[bracket.text]!r} after the exponent")
        return node

    def _transpose(self, node: Node, position: int) -> Node:
        if not node.is_matrix:
            self._fail(position, "a scalar is transposed: leave the transpose out")
        return Transpose(node.position, True, node)

    def _atom(self) -> Node:
        token = self._token
        if token.kind == "number":
            self._next += 1
            return Number(token.position, False, int(token.text))
        if token.kind == "name" and token.text in ("tr", "det"):
            self._next += 1
            if not self._take("("):
                self._expected(f"'(' after {token.text}")
            inner = self._inside(token)
            what = "trace" if token.text == "tr" else "determinant"
            if not inner.is_matrix:
                self._fail(
                    inner.position,
                    f"the {what} of a scalar is taken: leave {token.text} out, or take that of a matrix",
                )
            return Trace(token.position, False, inner) if what == "trace" else self._determinant(token, inner)
        if token.kind == "name" and token.text in ("cov", "var"):
            self._fail(token.position, f"{token.text}(...) stands alone: ask for the parts one by one")
        if token.kind == "name" and token.text == UNIT:
            self._next += 1
            if not self._take("["):
                self._expected(f"'[' after {UNIT}, which is the matrix of a single 1, as in {UNIT}[1,2]")
            return Symbol(token.position, True, unit(*self._index()))
        if token.kind == "name" and token.text != "T":
            self._next += 1
            is_matrix = not (token.text == COLUMNS or token.text.startswith("n"))
            return Symbol(token.position, is_matrix, token.text)
        if self._take("("):
            return self._inside(token)
        self._expected("a letter, a number, tr(...) or '('")

    def _determinant(self, token: Token, inner: Node) -> Node:
        if self._columns is None:
            self._fail(
                token.position, "a determinant is a polynomial for a number of columns: give p, as in p=3"
            )
        if self._columns > MAX_ORDER:
            self._fail(token.position, f"determinants are taken up to p = {MAX_ORDER}")
        return Determinant(token.position, False, inner, self._columns)

    def _inside(self, opening: Token) -> Node:
        """A sum up to the closing parenthesis of one that is already read."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._fail(opening.position, f"parentheses are nested over the limit: at most {MAX_NESTING} deep")
        node = self._sum()
        if not self._take(")"):
            self._expected(f"an operator, a factor or ')' to close the one at character {opening.position}")
        self._depth -= 1
        return node


def _joined(factors: list[Node]) -> Node:
    if len(factors) == 1:
        return factors[0]
    return Product(factors[0].position, any(factor.is_matrix for factor in factors), tuple(factors))
