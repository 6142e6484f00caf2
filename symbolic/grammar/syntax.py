"""Reading a moment query such as ``2 W A W - tr(W)^2 W^-1``: text to a tree, by recursive descent.

The grammar is `GRAMMAR`. Names of one letter may touch (``WAW``). A number stands first in a product, or after ``*`` or ``/``. Every error is a
`MomentSyntaxError` that points at the character; nothing of the text is ever evaluated as code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NoReturn

from symbolic.grammar.tokens import MAX_TEXT, MomentSyntaxError, Token, excerpt, tokens
from symbolic.grammar.tree import (
    Covariance,
    Determinant,
    Element,
    Kind,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Trace,
    Transpose,
    kind,
    multiplied,
)
from symbolic.wishart.fixed_letters import IDENTITY, PSEUDO, UNIT, is_dimension, is_wishart, unit

GRAMMAR = """\
query     = sum | "cov" "(" sum "," sum ")" | "var" "(" sum ")" | krons
krons     = ["+" | "-"] kron { ("+" | "-") kron }       a matrix of p^2 rows; K is the commutation matrix
kron      = [product] ( "kron" "(" sum "," sum ")" ["K"] | "vec" "(" sum ")" "vec" "(" sum ")" "'" ) { "/" power }
real      = "det" "(" "W" [digits] ")" "^" number | "log" "det" "(" "W" [digits] ")"      for any p; one log in a term, in cov as one of its two
            | ["det(Sigma)^k"] "2^(k*p) prod(i=0..p-1: gamma((n - i)/2 + k)/gamma((n - i)/2))"       as answers have
            | "(" ["log det(Sigma) +"] "p log 2 + sum(i=0..p-1: digamma((n - i)/2)))"                 their means
number    = digits ["." digits] | "(" ["-"] digits ["/" digits | "." digits] ")"
sum       = ["+" | "-"] product { ("+" | "-") product }
product   = power { ["*"] power | "/" power }           read from left to right
power     = atom { "'" | "^" exponent | index }         a prime transposes; ** may stand for ^
index     = "[" digits "," digits "]"                   an element, by row and column from 1, of a p x p product or of X
exponent  = ["-"] digits | "T" | "+" | the same in ( ) or { }
atom      = digits ["." digits] | name | real | "tr" "(" sum ")" | "det" "(" sum ")" | "(" sum ")"
name      = random | matrix | vector | "Sigma" [digits] | "I" | "I_n" [digits] | "p" | "n" [digits] | "e" index
random    = "W" [digits] | "X" [digits]                 W = X' X; the mean of X is M, the covariance of its rows U
                                                        Sigma2 is the covariance of W2 and X2, where each has its own
matrix    = a capital but E, I, T, W, X | "Gamma" ... "Omega" | a name with a value; all but the last [digits]
vector    = a small letter but e, n, p, t, w, x [digits]
"""
"""What a query is; the same is printed by the help of the command."""

MAX_NESTING = 32
"""Most parentheses inside one another."""

MAX_APPLIED = 100
"""Most transposes, powers and indices on one factor, and most divisors of one product."""

MAX_EXPONENT = 24
"""Largest exponent, without sign."""

MAX_ORDER = 12
"""Largest p for determinants, which have as many terms as p has partitions."""

MAX_INVERSE_ORDER = 3
"""Largest p for negative powers of determinants as polynomials: `symbolic.checks.wishart_entries.MAX_SIZE`."""

MAX_INDEX = 30
"""Largest index of an element."""

BRACKETS = {"(": ")", "{": "}"}


def parse(
    text: str,
    columns: int | None = None,
    names: Collection[str] = (),
    definitions: Mapping[str, str] | None = None,
) -> Node:
    """The tree of a query; ``columns`` is p where it is known, which determinants need.

    ``names`` are known for matrices besides those of the grammar; ``definitions`` are put in the place of their names.

    Raises MomentSyntaxError, a ValueError whose one line points at the character, when the text does not
    follow the grammar, adds a scalar to a matrix, or exceeds a limit of `symbolic.grammar.syntax`.
    """
    return _Parser(text, columns, names, definitions or {}).query()


class _Parser:
    """The tokens of one text and how far they are read."""

    def __init__(
        self, text: str, columns: int | None, names: Collection[str], definitions: Mapping[str, str]
    ) -> None:
        self._text = text
        self._columns = columns
        self._tokens: list[Token] = []
        inner = {name: tokens(meaning, names)[:-1] for name, meaning in definitions.items()}
        for token in tokens(text, {*names, *definitions}):
            if token.kind == "name" and token.text in inner:
                opening, closing = (Token("symbol", sign, token.position) for sign in "()")
                body = (part._replace(position=token.position) for part in inner[token.text])
                self._tokens += [opening, *body, closing]
            else:
                self._tokens.append(token)
        if len(self._tokens) > MAX_TEXT + 1:
            self._fail(1, f"the text is over the limit of {MAX_TEXT} characters")
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
        if kind(node) is not Kind.SCALAR:
            self._fail(
                node.position,
                f"{name} is of scalars: take elements, as in W[1,2], or traces; of all elements at once kron(W, W) less that of "
                "the means",
            )
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
            this, others = kind(term), kind(terms[0][1])
            if this != others:
                remedy = (
                    f"multiply the scalar by {IDENTITY}, or take tr(...) of the matrix"
                    if {this, others} == {Kind.SCALAR, Kind.MATRIX}
                    else "small letters are column vectors, and a' is a row"
                )
                self._fail(term.position, f"a {this.value} is added to a {others.value}: {remedy}")
            terms.append((-1 if sign.text == "-" else 1, term))
        if terms[0][0] == 1 and len(terms) == 1:
            return terms[0][1]
        return Sum(start, terms[0][1].is_matrix, tuple(terms))

    def _product(self) -> Node:
        factors = [self._power()]
        divisors = 0
        while True:
            if self._take("*"):
                factors.append(self._power())
            elif slash := self._take("/"):
                bottom = self._power()
                divisors += 1
                self._require_few(divisors, "divisors", slash)
                if bottom.is_matrix:
                    self._fail(
                        bottom.position, "a matrix cannot be divided by: write its inverse as a power, W^-1"
                    )
                factors = [Quotient(slash.position, *self._both(self._joined(factors), bottom))]
            elif self._token.kind == "name" or self._token.text == "(":
                factors.append(self._power())
            elif self._token.kind in ("number", "decimal"):
                self._expected("* before a number, or ^ for a power")
            else:
                return self._joined(factors)

    @staticmethod
    def _both(top: Node, bottom: Node) -> tuple[bool, Node, Node]:
        return top.is_matrix, top, bottom

    def _joined(self, factors: list[Node]) -> Node:
        if len(factors) == 1:
            return factors[0]
        whole = kind(factors[0])
        for factor in factors[1:]:
            this = kind(factor)
            following = multiplied(whole, this)
            if following is None:
                self._fail(
                    factor.position,
                    f"a {whole.value} is multiplied by a {this.value}: small letters are column vectors, as in a' W b",
                )
            whole = following
        return Product(factors[0].position, whole is not Kind.SCALAR, tuple(factors))

    def _power(self) -> Node:
        node = self._atom()
        raised = False
        start = self._next
        while True:
            self._require_few(self._next - start, "signs behind a factor", self._token)
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

    def _require_few(self, count: int, what: str, at: Token) -> None:
        if count > MAX_APPLIED:
            self._fail(at.position, f"{what} are over the limit: at most {MAX_APPLIED}")

    def _element(self, node: Node, position: int) -> Node:
        if kind(node) is not Kind.MATRIX:
            self._fail(position, f"an element of a {kind(node).value} is taken: it is taken of matrices")
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
        if not sign and self._take("+"):
            node = self._pseudo_inverse(node, position)
            if bracket and not self._take(BRACKETS[bracket.text]):
                self._expected(f"{BRACKETS[bracket.text]!r} after the exponent")
            return node
        if token.kind == "name" and token.text == "T" and not sign:
            self._next += 1
            node = self._transpose(node, position)
        elif token.kind == "number":
            self._next += 1
            exponent = int(token.text)
            if exponent > MAX_EXPONENT:
                self._fail(token.position, f"the exponent is over the limit: at most {MAX_EXPONENT}")
            if kind(node) in (Kind.COLUMN, Kind.ROW):
                self._fail(position, "a vector has no powers: write a' a for its square")
            node = Power(node.position, node.is_matrix, node, -exponent if sign else exponent)
        else:
            self._expected("a whole number" if sign else "an exponent (a whole number, or T to transpose)")
        if bracket and self._token.text == "/":
            self._fail(
                position, "matrices have whole powers here; those of a determinant are real, det(W)^(1/2)"
            )
        if bracket and not self._take(BRACKETS[bracket.text]):
            self._expected(f"{BRACKETS[bracket.text]!r} after the exponent")
        return node

    def _pseudo_inverse(self, node: Node, position: int) -> Node:
        if not isinstance(node, Symbol) or not is_wishart(node.name):
            self._fail(
                position,
                "the Moore-Penrose inverse is of a Wishart matrix W, W1, ...: write W^+ for that one",
            )
        return Symbol(node.position, True, node.name + PSEUDO)

    def _transpose(self, node: Node, position: int) -> Node:
        if kind(node) is Kind.SCALAR:
            self._fail(position, "a scalar is transposed: leave the transpose out")
        return Transpose(node.position, True, node)

    def _atom(self) -> Node:
        token = self._token
        if token.kind == "number":
            self._next += 1
            return Number(token.position, False, int(token.text))
        if token.kind == "decimal":
            self._next += 1
            whole, digits = token.text.split(".")
            parts = (Number(token.position, False, part) for part in (int(whole + digits), 10 ** len(digits)))
            return Quotient(token.position, False, *parts)
        if token.kind == "name" and token.text in ("tr", "det"):
            self._next += 1
            if not self._take("("):
                self._expected(f"'(' after {token.text}")
            inner = self._inside(token)
            what = "trace" if token.text == "tr" else "determinant"
            if kind(inner) is not Kind.MATRIX:
                self._fail(
                    inner.position,
                    f"the {what} of a {kind(inner).value} is taken: leave {token.text} out, or take that of a matrix",
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
            return Symbol(token.position, not is_dimension(token.text), token.text)
        if self._take("("):
            return self._inside(token)
        self._expected("a letter, a number, tr(...) or '('")

    def _determinant(self, token: Token, inner: Node) -> Node:
        if self._columns is None:
            self._fail(
                token.position,
                "a determinant is a polynomial for a number of columns: give p, as in p=3; without it det(W)^k has a mean, and "
                "det(c W)^k is c^(p k) times that",
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
