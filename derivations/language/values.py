"""Numeric value of a formula: a SymPy tree with scalars, traces and matrix expressions, on NumPy arrays.

Walks the tree; nothing is compiled from text. Used to compare any claim, also a perturbed one, with samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce

import numpy as np
import sympy
from numpy.typing import NDArray

Value = float | NDArray[np.float64]
# what a point keeps: numbers, and the powers of a letter, its inverse among them, which are few; sums and products of
# matrices would fill the memory, hundreds of one size each
KEPT = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Trace, sympy.MatPow)

# rows of a matrix whose products are found sooner if it is diagonal
MANY = 32


class Point(dict[str, Value]):
    """Values by name that keep the numbers and powers computed from them, for many formulas with parts in common."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self.known: dict[sympy.Basic, Value] = {}


class MissingValue(ValueError):
    """A symbol of the formula has been given no value."""


def evaluate(node: sympy.Basic, values: Mapping[str, Value]) -> Value:
    """The value of `node` where every symbol takes its value by name.

    Raises MissingValue naming the symbol, or ValueError on a node that has no numeric meaning.
    """
    if not isinstance(values, Point) or not isinstance(node, KEPT):
        return _evaluated(node, values)
    if node in values.known:
        return values.known[node]
    found = _evaluated(node, values)
    if isinstance(found, float):
        values.known[node] = found
    elif isinstance(node, sympy.MatPow) and isinstance(node.base, sympy.MatrixSymbol):
        # a view, as the first power is the caller's own matrix, which stays as it is
        found = found.view()
        found.setflags(write=False)
        values.known[node] = found
    return found


def _evaluated(node: sympy.Basic, values: Mapping[str, Value]) -> Value:
    if isinstance(node, sympy.Rational):
        return int(node.p) / int(node.q)
    if isinstance(node, sympy.Symbol | sympy.MatrixSymbol):
        name = str(node.name)
        if name not in values:
            raise MissingValue(f"no value for {name!r}; give {name}=...")
        return values[name]
    if isinstance(node, sympy.Identity):
        return np.eye(round(float(evaluate(node.shape[0], values))))
    if isinstance(node, sympy.ZeroMatrix):
        rows, columns = (round(float(evaluate(side, values))) for side in node.shape)
        return np.zeros((rows, columns))
    if isinstance(node, sympy.Trace):
        return float(np.trace(np.asarray(evaluate(node.arg, values))))
    if isinstance(node, sympy.Transpose):
        return np.asarray(evaluate(node.arg, values)).T
    if isinstance(node, sympy.Inverse):
        return np.asarray(np.linalg.inv(np.asarray(evaluate(node.arg, values))))
    if isinstance(node, sympy.MatPow):
        matrix, times = np.asarray(evaluate(node.base, values)), int(node.exp)
        if times >= 0 and _is_diagonal(matrix):
            return np.diag(np.diagonal(matrix) ** times)
        return np.linalg.matrix_power(matrix, times)
    if isinstance(node, sympy.MatMul):
        return reduce(_product, (evaluate(factor, values) for factor in node.args))
    if isinstance(node, sympy.Add | sympy.MatAdd):
        terms = [evaluate(term, values) for term in node.args]
        if all(isinstance(term, float) for term in terms):
            return math.fsum(float(term) for term in terms)
        return reduce(lambda a, b: np.asarray(a) + np.asarray(b), terms)
    if isinstance(node, sympy.Mul):
        return reduce(lambda a, b: a * b, (evaluate(factor, values) for factor in node.args))
    if isinstance(node, sympy.Pow):
        base, exponent = float(evaluate(node.base, values)), float(evaluate(node.exp, values))
        with np.errstate(all="ignore"):  # a perturbed formula may take a root of a negative number: nan
            return float(np.float64(base) ** exponent)
    raise ValueError(f"no numeric value for a {type(node).__name__}")


def _product(left: Value, right: Value) -> Value:
    if not (isinstance(left, np.ndarray) and isinstance(right, np.ndarray)):
        return left * right
    if _is_diagonal(left) and _is_diagonal(right):
        return np.diag(np.diagonal(left) * np.diagonal(right))
    return np.asarray(left @ right)


def _is_diagonal(matrix: NDArray[np.float64]) -> bool:
    """Whether a large matrix is diagonal, as spectra of hundreds of dimensions are: of small ones it is not worth asking."""
    if matrix.ndim != 2 or not MANY <= len(matrix) == matrix.shape[1]:
        return False
    return bool(np.count_nonzero(matrix) == np.count_nonzero(np.diagonal(matrix)))
