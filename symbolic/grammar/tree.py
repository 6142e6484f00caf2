"""The tree of a moment query: its parts, and what each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import reduce

from symbolic.wishart.fixed_letters import is_vector


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


class Kind(Enum):
    """What a part is, as far as its letters show it: vectors are small letters."""

    SCALAR = "scalar"
    MATRIX = "matrix"
    COLUMN = "column"
    ROW = "row"


def kind(node: Node) -> Kind:
    """What a part of a tree is."""
    match node:
        case Symbol(name=name) if is_vector(name):
            return Kind.COLUMN
        case Transpose(of=inner):
            return {Kind.COLUMN: Kind.ROW, Kind.ROW: Kind.COLUMN}.get(kind(inner), Kind.MATRIX)
        case Product(factors=factors):
            return reduce(lambda left, right: multiplied(left, right) or Kind.MATRIX, map(kind, factors))
        case Sum(terms=terms):
            return kind(terms[0][1])
        case Quotient(top=top):
            return kind(top)
    return Kind.MATRIX if node.is_matrix else Kind.SCALAR


def multiplied(left: Kind, right: Kind) -> Kind | None:
    """What a product is; None where there is none."""
    if left is Kind.SCALAR or right is Kind.SCALAR:
        return right if left is Kind.SCALAR else left
    if left in (Kind.MATRIX, Kind.ROW) and right in (Kind.MATRIX, Kind.COLUMN):
        column = right is Kind.COLUMN
        return (Kind.SCALAR if column else Kind.ROW) if left is Kind.ROW else right
    return Kind.MATRIX if (left, right) == (Kind.COLUMN, Kind.ROW) else None


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
