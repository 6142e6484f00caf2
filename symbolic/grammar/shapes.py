"""The shapes of the letters of a moment query, as its products and sums show them.

X is n x p and its mean M like it, the covariance U of its rows n x n, W and Sigma p x p. Any other letter takes the shape
that its neighbours ask for, and p where they ask for none; a small letter is a column vector.
"""

from __future__ import annotations

from functools import reduce

from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import (
    Covariance,
    Determinant,
    Element,
    Node,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Trace,
    Transpose,
)
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    MEAN,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    ROWS,
    base,
    indices_of,
    is_covariance,
    is_vector,
    is_wishart,
    of_rows,
    row_dimension,
)

ONE = "1"
Shape = tuple[str, str]

SQUARE = COLUMNS, COLUMNS


def known_shape(name: str) -> Shape | None:
    """The shape of a letter that has one by its name."""
    kind = of_rows(name)
    if kind in (ROWS, MEAN):
        return row_dimension(name), COLUMNS
    if kind in (ROW_COVARIANCE, ROW_IDENTITY):
        return row_dimension(name), row_dimension(name)
    return SQUARE if name == IDENTITY or is_covariance(name) or is_wishart(name) or indices_of(name) else None


def letter_shapes(text: str, node: Node) -> tuple[Shape, dict[str, Shape]]:
    """The shape of a query, and those of all its letters by name. Raises MomentSyntaxError where they cannot fit."""
    inference = _Inference(text)
    whole = inference.shape(node)
    letters = {name: inference.settled(shape) for name, shape in inference.letters.items()}
    return inference.settled(whole), letters


class _Inference:
    """Unknown dimensions ``A.rows``, ``A.columns``, and what each is known to be equal to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._same: dict[str, str] = {}
        self.letters: dict[str, Shape] = {}

    def settled(self, shape: Shape) -> Shape:
        rows, columns = (self._root(name) for name in shape)
        return COLUMNS if "." in rows else rows, COLUMNS if "." in columns else columns

    def _root(self, name: str) -> str:
        while name in self._same:
            name = self._same[name]
        return name

    def _unify(self, one: str, other: str, position: int) -> None:
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        if "." in other:
            one, other = other, one
        if "." not in one:
            raise MomentSyntaxError(
                self._text,
                position,
                f"a dimension that is {other} meets one that is {one}: X is n x p, W is p x p, {ROW_IDENTITY} is the "
                "n x n identity",
            )
        self._same[one] = other

    def shape(self, node: Node) -> Shape:
        """Rows and columns of a part, 1 x 1 for a scalar."""
        match node:
            case Symbol(name=name) if node.is_matrix:
                rows, columns = f"{name}.rows", ONE if is_vector(name) else f"{name}.columns"
                return self.letters.setdefault(name, known_shape(base(name)) or (rows, columns))
            case Transpose(of=inner):
                rows, columns = self.shape(inner)
                return columns, rows
            case Quotient(top=top, bottom=bottom):
                self.shape(bottom)
                return self.shape(top)
            case Power(of=inner, exponent=exponent):
                shape = self.shape(inner)
                self._unify(*shape, node.position)
                if exponent <= 0 and node.is_matrix:
                    # only p x p matrices have an inverse, and their power 0 is I
                    self._unify(shape[0], COLUMNS, node.position)
                return shape
            case Trace(of=inner):
                self._unify(*self.shape(inner), node.position)
            case Element(of=inner) | Determinant(of=inner):
                if isinstance(node, Element) and any(self._root(x)[0] == "n" for x in self.shape(inner)):
                    raise MomentSyntaxError(
                        self._text,
                        node.position,
                        "elements are of p x p products: of X take X' X, or c' X b with column vectors c and b",
                    )
                for dimension in self.shape(inner):
                    self._unify(dimension, COLUMNS, node.position)
            case Covariance(left=left, right=right):
                self.shape(left)
                self.shape(right)
            case Product(factors=factors):
                return reduce(self._product, ((self.shape(f), f.position) for f in factors))[0]
            case Sum(terms=terms):
                first, *others = (self.shape(part) for _, part in terms)
                for other, (_, part) in zip(others, terms[1:], strict=True):
                    self._unify(first[0], other[0], part.position)
                    self._unify(first[1], other[1], part.position)
                return first
        return ONE, ONE

    def _product(self, left: tuple[Shape, int], right: tuple[Shape, int]) -> tuple[Shape, int]:
        (rows, inner), (outer, columns), position = left[0], right[0], right[1]
        if (rows, inner) == (ONE, ONE) or (outer, columns) == (ONE, ONE):
            return ((outer, columns) if (rows, inner) == (ONE, ONE) else (rows, inner)), position
        self._unify(inner, outer, position)
        return (rows, columns), position
