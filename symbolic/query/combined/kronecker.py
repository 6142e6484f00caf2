"""E[kron(E1, E2)] for p x p expressions, a p^2 x p^2 matrix: E1 (x) E2 has the elements of the products of two elements.

E tr(E1 P) tr(E2 Q) is found for two fixed letters, and checked like any other. P and Q with a single 1 pick the elements, so

    tr(P M) tr(Q N) -> kron(M, N),   tr(P M Q N) -> kron(M, N) K,   tr(P M Q' N) -> vec(M') vec(N)',

K the commutation matrix, K vec(A) = vec(A'), and vec the columns below one another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.tokens import MAX_TEXT, MomentSyntaxError
from symbolic.query.asked import check_names, columns_of, needed_names
from symbolic.query.combined.kronecker_terms import OUTER, PLAIN, TURNED, Term
from symbolic.query.result import Result
from symbolic.query.sizes import read_size
from symbolic.query.value import Matrices, Shown, evaluate, read_matrices
from symbolic.wishart.fixed_letters import COLUMNS, TRANSPOSED, Word, base, is_dimension, transpose
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial

SPARE = "PQRSVYZABCDFGHJKLN"
"""Letters of which two that do not occur stand for what picks the elements."""

MOST_COLUMNS = 6
"""Largest p for which the p^2 x p^2 matrix is written out."""

Average = Callable[[str, Mapping[str, Any]], Result]

_OPENING = re.compile(r"(?<![A-Za-z0-9_])(?P<name>kron|vec)\s*\(")
_TURNED = re.compile(r"\s*\*?\s*K(?![A-Za-z0-9_'^\[])")
_SECOND = re.compile(r"\s*\*?\s*vec\s*\(")
_PRIME = re.compile(r"\s*'")


class Rewritten(NamedTuple):
    """A query with two traces in the place of each Kronecker product, by two ``letters`` that pick the elements.

    ``places``: where each character comes from, counted from 1.
    """

    text: str
    places: tuple[int, ...]
    letters: tuple[str, str]

    def averaged(self, query: str, average: Average, values: Mapping[str, Any]) -> Result:
        """The expectation of the text; what is wrong with it is said of the query."""
        try:
            return average(self.text, values)
        except MomentSyntaxError as error:
            if str(error) != str(MomentSyntaxError(self.text, error.position, error.reason)):
                raise  # of the text of a definition
            place = self.places[min(error.position, len(self.places)) - 1]
            raise MomentSyntaxError(query, place, error.reason) from None


def rewritten(text: str, names: Collection[str]) -> Rewritten | None:
    """A query in which Kronecker products stand in the terms of a sum; None for any other. ``names`` are taken.

    Raises MomentSyntaxError where a product is not written as it is to be.
    """
    if len(text) > MAX_TEXT or not _OPENING.search(text):
        return None
    free = [x for x in SPARE if x not in text and not any(x in name for name in names)]
    if len(free) < 2:
        raise MomentSyntaxError(text, 1, "beside kron two capitals must be free: rename letters")
    pieces: list[tuple[str, int]] = []
    place = depth = 0
    found = False
    while place < len(text):
        match = _OPENING.match(text, place) if depth == 0 else None
        if match is None:
            depth += (text[place] in "({[") - (text[place] in ")}]")
            pieces.append((text[place], place))
            place += 1
            continue
        more, place = _traces(text, match, free[0], free[1])
        pieces += more
        found = True
    if not found:
        return None
    places = [
        start + 1 + (k if text[start : start + len(piece)] == piece else 0)
        for piece, start in pieces
        for k in range(len(piece))
    ]
    return Rewritten("".join(piece for piece, _ in pieces), (*places, len(text) + 1), (free[0], free[1]))


def _traces(text: str, match: re.Match[str], first: str, second: str) -> tuple[list[tuple[str, int]], int]:
    """The traces for the product that begins at a place, each piece with where it comes from, and where the product ends."""
    start = match.start()
    if match["name"] == "kron":
        parts = _arguments(text, match.end())
        if parts is None or len(parts.starts) != 2:
            raise MomentSyntaxError(text, start + 1, "kron is of two expressions: write kron(W, W)")
        (one, at), (two, then) = ((text[a:b], a) for a, b in parts.starts)
        turned = _TURNED.match(text, parts.end)
        between = f") {second} (" if turned else f") {first}) tr(("
        last = f") {first})" if turned else f") {second})"
        # tr(E1 Q E2 P) and tr(E1 P) tr(E2 Q)
        return [(" tr((", start), (one, at), (between, start), (two, then), (last, start)], (
            turned.end() if turned else parts.end
        )
    left = _arguments(text, match.end())
    opening = _SECOND.match(text, left.end) if left is not None else None
    right = _arguments(text, opening.end()) if opening is not None else None
    prime = _PRIME.match(text, right.end) if right is not None else None
    if left is None or right is None or prime is None or len(left.starts) + len(right.starts) != 2:
        raise MomentSyntaxError(
            text,
            start + 1,
            "vec has no method here but in vec(W) vec(W)': ask for the elements, such as W[1,2], or for a' W b with column vectors",
        )
    (one, at), (two, then) = ((text[a:b], a) for a, b in (*left.starts, *right.starts))
    return [
        (f" tr({first} (", start),
        (one, at),
        (f")' {second}' (", start),
        (two, then),
        ("))", start),
    ], prime.end()


class _Arguments(NamedTuple):
    """Where the parts between commas begin and end, and the place after the closing bracket."""

    starts: tuple[tuple[int, int], ...]
    end: int


def _arguments(text: str, place: int) -> _Arguments | None:
    """The parts of a bracket that is open at a place; None where it is not closed, or a part is empty."""
    depth, start = 0, place
    found: list[tuple[int, int]] = []
    while place < len(text):
        character = text[place]
        if depth == 0 and character in ",)":
            found.append((start, place))
            start = place + 1
            if character == ")":
                return _Arguments(tuple(found), start) if all(text[a:b].strip() for a, b in found) else None
        depth += (character in "({[") - (character in ")}]")
        place += 1
    return None


def covariance_of(text: str) -> tuple[str, str] | None:
    """The two expressions of a query that is a covariance as a whole; None for any other."""
    opening = re.match(r"\s*cov\s*\(", text)
    parts = _arguments(text, opening.end()) if opening else None
    if parts is None or len(parts.starts) != 2 or text[parts.end :].strip():
        return None
    (a, b), (c, d) = parts.starts
    return text[a:b], text[c:d]


def with_kronecker(text: str, asked: Rewritten, given: Mapping[str, Any], average: Average) -> Result:
    """The expectation. Raises ValueError as for the products of two traces."""
    first, second = asked.letters
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    written = f"{text} {' '.join(texts.values())}"
    sizes = {
        name: read_size(name, value)
        for name, value in given.items()
        if name not in texts and is_dimension(name)
    }
    shown = columns_of({name: value for name, value in given.items() if name not in texts})
    known: dict[str, Fraction] = {**sizes, **({} if shown is None else {COLUMNS: Fraction(shown)})}
    inner = asked.averaged(text, average, {**texts, **known})
    if inner.determinants is not None:
        raise Refused(
            "powers and logarithms of determinants have no method beside kron: ask for elements of the product"
        )
    if any(inner.setting.shape(letter) != (COLUMNS, COLUMNS) for letter in (first, second)):
        raise MomentSyntaxError(text, 1, f"kron is of {COLUMNS} x {COLUMNS} matrices here: of X take X' X")
    if any(key.index_sums for key in inner.expectation.terms):
        raise Refused(
            "there are sums over indices under this law, which no Kronecker product expresses: ask for elements"
        )
    if inner.expectation.is_matrix or any(
        sorted(f for trace in key.traces for f in map(base, trace) if f in asked.letters)
        != sorted(asked.letters)
        for key in inner.expectation.terms
    ):
        raise MomentSyntaxError(
            text,
            1,
            "in each term of a sum with kron there is one Kronecker product, after scalars: take identity matrices, kron(I, I)",
        )
    products = tuple(_term(key, value, first, second) for key, value in inner.expectation.sorted_terms)
    letters = sorted(
        {
            base(f)
            for term in products
            for word in (term.left, term.right, *(w for key in term.scalar.terms for w in key.traces))
            for f in word
        }
    )
    matrices = {name: value for name, value in given.items() if name not in texts and name not in sizes}
    used = {name for name in re.findall(r"[A-Za-z]+[0-9]*", written) if name not in texts}
    needed, shaped = needed_names(
        [x for x in inner.setting.shapes if x not in (first, second)], inner.setting
    )
    check_names(matrices, [*shaped, *letters, *(used & matrices.keys() & set(inner.setting.shapes))])
    value = None
    missing = [name for name in (*needed, *letters) if name not in known and name not in matrices]
    if matrices and missing:
        raise Refused(
            f"no value given for {', '.join(dict.fromkeys(missing))}: give all of them, or no matrices"
        )
    if not missing and COLUMNS in known:
        value = _value(products, read_matrices(matrices, int(known[COLUMNS]), inner.setting.shapes))
    return replace(inner, query=" ".join(text.split()), value=value, kronecker=products)


def _term(key: Monomial, value: Rational, first: str, second: str) -> Term:
    rest, found = [], {}
    for trace in key.traces:
        names = [base(f) for f in trace]
        letter = first if first in names else second if second in names else ""
        if not letter:
            rest.append(trace)
            continue
        place = names.index(letter)
        turned = trace[place:] + trace[:place]
        if turned[0].endswith(TRANSPOSED):
            turned = transpose(turned)
            turned = turned[-1:] + turned[:-1]
        found[letter] = turned[1:]
    scalar = TracePolynomial({Monomial(tuple(rest), None): value}, is_matrix=False)
    if second in found:
        return Term(scalar, found[first], found[second], PLAIN)
    names = [base(f) for f in found[first]]
    place = names.index(second)
    left, middle, right = found[first][:place], found[first][place], found[first][place + 1 :]
    return Term(scalar, left, right, OUTER if middle.endswith(TRANSPOSED) else TURNED)


def _value(products: tuple[Term, ...], matrices: Matrices) -> Shown:
    size = matrices.size
    if size > MOST_COLUMNS:
        raise Refused(
            f"the result has {size**2} x {size**2} elements and is written out up to {COLUMNS} = {MOST_COLUMNS}"
        )
    span, exact = range(size), matrices.is_exact
    total: list[list[Any]] = [[Fraction(0) if exact else 0.0 for _ in range(size**2)] for _ in range(size**2)]
    for term in products:
        number = _number(evaluate(term.scalar, matrices), exact)
        left, right = (_table(word, matrices) for word in (term.left, term.right))
        for i in span:
            for k in span:
                for j in span:
                    for l in span:
                        total[i * size + k][j * size + l] += number * term.element(left, right, (i, k, j, l))
    return [[str(x) for x in row] for row in total] if exact else total


def _table(word: Word, matrices: Matrices) -> list[list[Any]]:
    found = evaluate(TracePolynomial.letter(word), matrices)
    rows = found if isinstance(found, list) else [[found]]
    return [[_number(x, matrices.is_exact) for x in row] for row in rows]


def _number(value: Any, exact: bool) -> Any:
    return Fraction(value) if exact else float(Fraction(value)) if isinstance(value, str) else float(value)
