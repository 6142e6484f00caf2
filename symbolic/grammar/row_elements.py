"""Elements of X, as X[1,2]: X between a row and a column of the identity, which are vectors x_1 and w_2 until the average is taken.

The average holds for any such vectors, and is checked so; then x_i' x_k is 1 or 0, and w_j' Sigma w_l is Sigma[j,l].
"""

from __future__ import annotations

import re
from dataclasses import replace

from symbolic.algebra.refusal import Refused
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import (
    Covariance,
    Element,
    Node,
    OfOne,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    symbols,
)
from symbolic.wishart.fixed_letters import COLUMNS, ROWS, TRANSPOSED, Word, base, of_rows, unit
from symbolic.wishart.trace_polynomial import TracePolynomial, collect, product_of_traces

_NAME = re.compile(r"(?:(?P<rows>x[0-9]*)|w)_(?P<index>[0-9]+)")


def is_place(name: str) -> bool:
    """Whether a vector is a row or a column of the identity that an element of X is taken with."""
    return bool(_NAME.fullmatch(base(name)))


def index_of(name: str) -> tuple[str, int]:
    """The dimension of such a vector, and which of the identity it is."""
    found = _NAME.fullmatch(base(name))
    if found is None:
        raise ValueError(f"{name} is no row of the identity")
    rows = found["rows"]
    return (COLUMNS if rows is None else "n" + rows[1:]), int(found["index"])


def written_out(node: Node) -> Node:
    """The tree with elements of X as products of a row, X, and a column."""
    match node:
        case Element(of=inner) if (found := _rows(inner)) is not None:
            name, turned = found
            row, column = (node.column, node.row) if turned else (node.row, node.column)
            first = Symbol(node.position, True, f"x{name[1:]}_{row}")
            last = Symbol(node.position, True, f"w_{column}")
            middle = Symbol(inner.position, True, name)
            return Product(node.position, False, (Transpose(node.position, True, first), middle, last))
        case OfOne():
            return replace(node, of=written_out(node.of))
        case Covariance():
            left = written_out(node.left)
            right = left if node.right is node.left else written_out(node.right)
            return replace(node, left=left, right=right)
        case Quotient():
            return replace(node, top=written_out(node.top), bottom=written_out(node.bottom))
        case Product():
            return replace(node, factors=tuple(map(written_out, node.factors)))
        case Sum():
            return replace(node, terms=tuple((sign, written_out(term)) for sign, term in node.terms))
    return node


def _rows(node: Node) -> tuple[str, bool] | None:
    """X and whether it is transposed; None for any other part."""
    turned = False
    while isinstance(node, Transpose):
        node, turned = node.of, not turned
    if isinstance(node, Symbol) and of_rows(node.name) == ROWS:
        return node.name, turned
    return None


def require_plain(text: str, node: Node, *, plain: bool) -> None:
    """Raises MomentSyntaxError for elements of X where it has a mean, or its rows a covariance."""
    if not plain and any(is_place(symbol.name) for symbol in symbols(node)):
        reason = "elements of X are averaged for a mean of zero and independent rows: take c' X b with column vectors c and b"
        raise MomentSyntaxError(text, node.position, reason)


def as_elements(polynomial: TracePolynomial) -> TracePolynomial:
    """The same with the rows and columns of the identity put in. Raises Refused where one stands in an open word."""
    terms = []
    for key, value in polynomial.terms.items():
        word = None if key.word is None else _opened(key.word)
        found = [_element(trace) for trace in key.traces]
        if ZERO not in found:
            kept = [trace for trace in found if trace != ONE]
            monomial, factor = product_of_traces(kept, word, value)
            terms.append((monomial._replace(sums=key.sums, matrix=key.matrix), factor))
    return collect(terms, polynomial.is_matrix)


ONE: Word = ("1",)
ZERO: Word = ("0",)
"""What stands for a trace that is 1, and for one that is 0."""


def _opened(word: Word) -> Word:
    """An open word with a column of the identity and the row after it as the matrix of a single 1."""
    found: list[str] = []
    for factor in word:
        before = found[-1] if found else ""
        both = factor.endswith(TRANSPOSED) and is_place(factor) and before and is_place(before)
        if both and {index_of(factor)[0], index_of(before)[0]} == {COLUMNS}:
            found[-1] = unit(index_of(before)[1], index_of(factor)[1])
            continue
        found.append(factor)
    if any(map(is_place, found)):
        raise Refused(
            "an element of X stands beside X itself: ask for the elements of the product one by one"
        )
    return tuple(found)


def _element(trace: Word) -> Word:
    """A product from a row to a column of the identity as an element, `ONE` or `ZERO`; any other as it is."""
    starts = [k for k, f in enumerate(trace) if is_place(f) and f.endswith(TRANSPOSED)]
    if not starts:
        return trace
    if len(starts) > 1:
        raise Refused("elements of X beside other columns: ask for the parts one by one")
    turned = trace[starts[0] :] + trace[: starts[0]]
    first, *middle, last = turned
    if not is_place(last):
        raise Refused("elements of X beside other columns: ask for c' X b with columns throughout")
    row, column = index_of(first)[1], index_of(last)[1]
    if not middle:
        return ONE if row == column else ZERO
    return (*middle, unit(column, row))
