"""Values of network polynomials: numbers for dimensions, matrices for letters and roots of covariances.

A network is summed one index at a time: the factors that hold the index are multiplied and summed over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_mpoly

from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import NUMBERS
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.expression import Expression, Shape
from symbolic.algebra.letters import (
    ONE,
    Letter,
    column_dimension,
    end_letter,
    index_of,
    letter_of,
    row_dimension,
)
from symbolic.algebra.matrices import diagonal, exact_matrix
from symbolic.algebra.refusal import Refused
from symbolic.algebra.terms import accumulate
from symbolic.averages.network_order import Edge, Label, Network
from symbolic.averages.network_polynomial import NetworkPolynomial, kernel_of

MAX_EXACT = 300_000
"""Most products of elements in one sum over indices in exact arithmetic."""

MAX_FLOATS = 100_000_000
"""Most products of elements in one sum over indices in floating point."""

Value = Any
"""A number, a nested list, a flint matrix or an array."""

Factor = tuple[tuple[int, ...], Any]
"""Indices in increasing order, and elements by their values, or an array with these axes."""


def evaluate_networks(polynomial: NetworkPolynomial, values: Mapping[str, Value]) -> Value:
    """The value of a polynomial when names take ``values``; the root of Sigma has the name ``Sigma^(1/2)``.

    As `symbolic.algebra.evaluation.evaluate`: exact numbers (then every matrix must be exact) give Fractions or nested
    lists of them, arrays floats or an array. Every dimension needs a value.
    Raises ValueError when a value is missing, shapes disagree, or a sum is over `MAX_EXACT` or `MAX_FLOATS`.
    """
    point, given = _Point(values), dict(values)
    letters: dict[Network, str] = {}

    def letter(network: Network, shape: Shape) -> str:
        """The letter that stands for a sum, to which it gives the sum's value."""
        if network not in letters:
            rows, columns = shape or (ONE, ONE)
            name = f"[{len(letters)}]"
            letters[network] = chr(2 * index_of(Letter(name, rows, columns, symmetric=shape is None)))
            given[name] = point.matrix(network, shape) if shape else point.scalar(network)
        return letters[network]

    total: dict[Monomial, fmpq_mpoly] = {}
    for term, value in polynomial.terms.items():
        sums = tuple(letter(network, None) for network in term.networks)
        word = term.word if term.open_network is None else letter(term.open_network, polynomial.shape)
        accumulate(total, (tuple(sorted(term.traces + sums)), word), value)
    return evaluate(Expression(total, polynomial.shape, polynomial.indices), given)


def _indices(*words: str) -> frozenset[int]:
    return frozenset(index_of(letter_of(character)) for word in words for character in word)


class _Point:
    """The values; exact results are flint's until the end."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values
        spaces = [x.__array_namespace__() for x in values.values() if _is_floating(x)]
        self.space = spaces[0] if spaces else None
        self._words: dict[str, Value] = {}

    def word(self, word: str) -> Value:
        """The matrix product of a word."""
        if word not in self._words:
            rows, columns = row_dimension(word[0]), column_dimension(word[-1])
            shape = None if rows == columns == ONE else (rows, columns)
            value = evaluate(
                Expression({((), word): NUMBERS.constant(1)}, shape, _indices(word)), self.values
            )
            if self.space is None and isinstance(value, list):
                value = exact_matrix(value)
            self._words[word] = value
        return self._words[word]

    def size(self, dimension: str) -> int:
        """The size of a dimension. Raises ValueError when it has no value."""
        if dimension != ONE and dimension not in self.values:
            raise Refused(f"no value given for the dimension {dimension}: add it to the values")
        return 1 if dimension == ONE else int(self.values[dimension])

    def scalar(self, network: Network) -> Value:
        """The value of a closed network, 1 x 1."""
        value = self.summed(network.labels, network.edges, ())
        return value if self.space is None else self.space.reshape(value, (1, 1))

    def matrix(self, network: Network, shape: tuple[str, str]) -> Value:
        """The matrix of a network that is closed by a letter."""
        kernel = kernel_of(network, end_letter(shape))
        outer = [vertex for vertex in (kernel.row, kernel.column) if vertex is not None]
        tensor = self.summed(kernel.labels, kernel.edges, tuple(sorted(set(outer))))
        sizes = [self.size(kernel.labels[vertex][0]) for vertex in outer]
        if kernel.row == kernel.column:
            matrix = self._filled(sizes[0], tensor)
        else:
            upright = outer == sorted(outer)
            matrix = self._table(
                tensor,
                1 if kernel.row is None else sizes[0],
                1 if kernel.column is None else sizes[-1],
                len(outer) == 1 or upright,
            )
        for word, first in ((kernel.before, True), (kernel.after, False)):
            if word:
                left, right = (self.word(word), matrix) if first else (matrix, self.word(word))
                matrix = left * right if self.space is None else left @ right
        return matrix.tolist() if self.space is None else matrix

    def _filled(self, size: int, values: Value) -> Value:
        """A diagonal matrix."""
        if self.space is not None:
            return self.space.eye(size) * values
        return diagonal([values[i,] for i in range(size)])

    def _table(self, tensor: Value, rows: int, columns: int, upright: bool) -> Value:
        """The matrix of a tensor in one or two indices."""
        if self.space is not None:
            return self.space.reshape(tensor, (rows, columns)) if upright else tensor.T
        items = product(range(rows), range(columns))
        single = len(next(iter(tensor))) == 1
        keys = [((max(i, j),) if single else (i, j) if upright else (j, i)) for i, j in items]
        return fmpq_mat(rows, columns, [tensor[key] for key in keys])

    # -- sums over indices ---------------------------------------------------------------------------------

    def summed(self, labels: Sequence[Label], edges: Sequence[Edge], outer: tuple[int, ...]) -> Value:
        """The sum over all indices but ``outer`` of the product of the elements."""
        sizes = [self.size(label[0]) for label in labels]
        factors = [self._factor(edge) for edge in edges]
        left = {vertex for vertex in range(len(labels)) if vertex not in outer}
        while left:
            around = {v: {w for held, _ in factors if v in held for w in held} | {v} for v in left}
            vertex = min(left, key=lambda v: (prod(sizes[w] for w in around[v]), v))
            holding = [factor for factor in factors if vertex in factor[0]]
            factors = [factor for factor in factors if vertex not in factor[0]]
            factors.append(self._product(holding, sizes, tuple(sorted(around[vertex])), vertex))
            left.remove(vertex)
        _, tensor = self._product(factors, sizes, outer, None)
        return tensor[()] if self.space is None and not outer else tensor

    def _factor(self, edge: Edge) -> Factor:
        start, stop, word = edge
        matrix = self.word(word)
        if self.space is not None:
            if start == stop:
                return (start,), self.space.linalg.diagonal(matrix)
            if start < 0 or stop < 0:
                return (max(start, stop),), self.space.reshape(matrix, (-1,))
            return ((start, stop), matrix) if start < stop else ((stop, start), matrix.T)
        span = range(matrix.nrows()), range(matrix.ncols())
        if start == stop:
            return (start,), {(i,): matrix[i, i] for i in span[0]}
        if start < 0 or stop < 0:
            return (max(start, stop),), {(max(i, j),): matrix[i, j] for i, j in product(*span)}
        if start < stop:
            return (start, stop), {(i, j): matrix[i, j] for i, j in product(*span)}
        return (stop, start), {(j, i): matrix[i, j] for i, j in product(*span)}

    def _product(
        self, factors: Sequence[Factor], sizes: Sequence[int], held: tuple[int, ...], drop: int | None
    ) -> Factor:
        """The product of factors as a tensor in the indices ``held``, summed over ``drop``."""
        work = prod(sizes[vertex] for vertex in held)
        limit = MAX_EXACT if self.space is None else MAX_FLOATS
        if work > limit:
            remedy = "give arrays of floats" if self.space is None else "take smaller matrices"
            raise Refused(f"a sum over indices has {work:.0e} terms and the limit is {limit:.0e}: {remedy}")
        kept = tuple(vertex for vertex in held if vertex != drop)
        if self.space is not None:
            result = self.space.ones([sizes[vertex] for vertex in held])
            for own, tensor in factors:
                shape = tuple(sizes[v] if v in own else 1 for v in held)
                result = result * self.space.reshape(tensor, shape)
            return kept, result if drop is None else self.space.sum(result, axis=held.index(drop))
        total: dict[tuple[int, ...], fmpq] = {}
        for values in product(*(range(sizes[vertex]) for vertex in held)):
            point = dict(zip(held, values, strict=True))
            element = fmpq(1)
            for own, tensor in factors:
                element *= tensor[tuple(point[v] for v in own)]
            key = tuple(point[v] for v in kept)
            total[key] = total.get(key, fmpq(0)) + element
        return kept, total


def _is_floating(value: Value) -> bool:
    return hasattr(value, "__array_namespace__") and value.dtype.kind == "f"
