"""Values of expressions: numbers for dimensions and scalars, matrices for letters.

Exact matrices (nested lists of int and Fraction, flint ``fmpq_mat``, integer arrays) give exact values.
Arrays of floating-point numbers give floats, whatever library they come from, as long as they know ``@``,
``.T``, ``.trace()`` and their array namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat, fmpz_mat

from symbolic.algebra.coefficients import evaluate_at, names_in, names_of, to_fmpq, to_fraction
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, ROW_CUTS, Letter, is_transposed, letter_of

Value = Any
"""A number, nested lists, a flint matrix or an array: whatever the caller computes with."""


def evaluate(expr: Expression, values: Mapping[str, Value]) -> Value:
    """The value of ``expr`` when names take ``values``.

    A dimension may be left out where a matrix shows it; ``1/x`` follows ``x``; basis vectors need no value.
    Vectors are matrices with one column (one-dimensional arrays are read so). Exact input gives a
    Fraction, or a matrix as nested lists of Fraction (an ``fmpq_mat`` when the matrices are given so); arrays
    give a float or an array.
    Raises ValueError when a value is missing or shapes disagree.
    """
    known = {x.name: x for x in expr.letters().values() if not x.unit}
    missing = sorted(known.keys() - values.keys())
    if missing:
        raise ValueError(f"no value given for {', '.join(missing)}: add it to the values")
    matrices = {name: values[name] for name in known}
    numbers = {name: v for name, v in values.items() if name not in known and _is_number(v)}
    exact = all(map(_is_exact, [*matrices.values(), *numbers.values()]))
    backend: _Exact | _Arrays = _Exact(matrices) if exact or not matrices else _Arrays(matrices)
    _infer_sizes(known, backend, numbers)
    factors = {name: backend.matrices[name] for name in known}
    for letter in expr.letters().values():
        if letter.unit:
            factors[letter.name] = backend.unit(_size(letter.rows, numbers), letter.unit - 1)
    total: Value = None
    traced: dict[str, Value] = {}
    products: dict[str, Value] = {}
    for (traces, word), coefficient in expr.monomials.items():
        value = _number(coefficient, numbers, backend)
        for trace in traces:
            if trace not in traced:
                traced[trace] = backend.trace(_product(_from_cut(trace), factors, backend))
            value = value * traced[trace]
        if word is not None and expr.shape is not None:
            if word not in products:
                products[word] = (
                    _product(word, factors, backend) if word else backend.eye(_size(expr.shape[0], numbers))
                )
            value = backend.scale(products[word], value)
        total = value if total is None else total + value
    if total is None:
        total = backend.number(Fraction(0))
        if expr.shape is not None:
            total = backend.zeros(*(_size(name, numbers) for name in expr.shape))
    return backend.result(total)


class _Exact:
    """Rational matrices."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        self.as_flint = bool(given) and all(isinstance(value, fmpq_mat) for value in given.values())
        self.matrices = {name: self._read(name, value) for name, value in given.items()}

    @staticmethod
    def _read(name: str, value: Value) -> fmpq_mat:
        if isinstance(value, fmpq_mat):
            return value
        if isinstance(value, fmpz_mat):
            return fmpq_mat(value)
        table = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(table, list | tuple):
            return fmpq_mat([[to_fmpq(table)]])
        rows = [line if isinstance(line, list | tuple) else [line] for line in table]
        if len({len(line) for line in rows}) != 1:
            raise ValueError(f"the rows of {name} must have equal length")
        return fmpq_mat([[to_fmpq(x) for x in line] for line in rows])

    def shape(self, matrix: fmpq_mat) -> tuple[int, int]:
        return matrix.nrows(), matrix.ncols()

    def number(self, value: Fraction) -> fmpq:
        return to_fmpq(value)

    def product(self, a: fmpq_mat, b: fmpq_mat) -> fmpq_mat:
        return a * b

    def transpose(self, a: fmpq_mat) -> fmpq_mat:
        return a.transpose()

    def trace(self, a: fmpq_mat) -> fmpq:
        return sum((a[i, i] for i in range(a.nrows())), fmpq(0))

    def scale(self, a: fmpq_mat, factor: fmpq) -> fmpq_mat:
        return a * factor

    def zeros(self, rows: int, columns: int) -> fmpq_mat:
        return fmpq_mat(rows, columns)

    def eye(self, size: int) -> fmpq_mat:
        return fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])

    def unit(self, size: int, place: int) -> fmpq_mat:
        return fmpq_mat(size, 1, [int(i == place) for i in range(size)])

    def result(self, value: Value) -> Value:
        if isinstance(value, fmpq_mat):
            return value if self.as_flint else [[to_fraction(x) for x in row] for row in value.tolist()]
        return to_fraction(value) if isinstance(value, fmpq) else value


class _Arrays:
    """Arrays of floating-point numbers, from whatever library they come."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        spaces = [v.__array_namespace__() for v in given.values() if hasattr(v, "__array_namespace__")]
        if not spaces:
            raise ValueError("matrices must be nested lists of exact numbers, flint matrices or arrays")
        self._space = spaces[0]
        self.matrices = {name: self._read(value) for name, value in given.items()}

    def _read(self, value: Value) -> Value:
        array = self._space.asarray(value)
        return array.reshape((-1, 1)) if len(array.shape) < 2 else array

    def shape(self, array: Value) -> tuple[int, int]:
        rows, columns = array.shape
        return int(rows), int(columns)

    def number(self, value: Fraction) -> float:
        return float(value)

    def product(self, a: Value, b: Value) -> Value:
        return a @ b

    def transpose(self, a: Value) -> Value:
        return a.T

    def trace(self, a: Value) -> Value:
        return a.trace()

    def scale(self, a: Value, factor: Value) -> Value:
        return a * factor

    def zeros(self, rows: int, columns: int) -> Value:
        return self._space.zeros((rows, columns))

    def eye(self, size: int) -> Value:
        return self._space.eye(size)

    def unit(self, size: int, place: int) -> Value:
        return self._space.eye(size)[:, place : place + 1]

    def result(self, value: Value) -> Value:
        return value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float | Fraction | fmpq) or not hasattr(value, "__len__")


def _is_exact(value: Value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_exact, value))
    if isinstance(value, int | Fraction | fmpq | fmpq_mat | fmpz_mat):
        return True
    return getattr(getattr(value, "dtype", None), "kind", "") in {"i", "u", "b"}


def _infer_sizes(known: Mapping[str, Letter], backend: _Exact | _Arrays, numbers: dict[str, Value]) -> None:
    """Check the shapes of the matrices against the sizes given, and take the sizes not given from them."""
    for name, letter in known.items():
        for dimension, size in zip(
            (letter.rows, letter.columns), backend.shape(backend.matrices[name]), strict=True
        ):
            expected = 1 if dimension == ONE else numbers.setdefault(dimension, size)
            if expected != size:
                raise ValueError(f"{name} has {size} where {dimension} = {expected}: give matching sizes")


def _size(name: str, numbers: Mapping[str, Value]) -> int:
    if name == ONE:
        return 1
    if name not in numbers:
        raise ValueError(f"no value given for the dimension {name}: add it to the values")
    return int(numbers[name])


def _number(coefficient: Value, numbers: Mapping[str, Value], backend: _Exact | _Arrays) -> Value:
    """The value of a coefficient, exact as long as the numbers are."""
    exact = {name: v for name, v in numbers.items() if isinstance(v, int | Fraction)}
    if exact.keys() >= {*names_of(coefficient.context())}:
        return backend.number(evaluate_at(coefficient, exact))
    used = names_in(coefficient)
    needed = {name.removeprefix("1/") for name in used - numbers.keys()} | (used & numbers.keys())
    missing = sorted(needed - numbers.keys())
    if missing:
        raise ValueError(f"no value given for {', '.join(missing)}: add it to the values")
    if needed <= exact.keys():
        return backend.number(evaluate_at(coefficient, {name: exact[name] for name in needed}))
    names = names_of(coefficient.context())
    total: Value = 0
    for exponents, number in coefficient.terms():
        term: Value = float(to_fraction(number))
        for name, exponent in zip(names, exponents, strict=True):
            base = (
                numbers[name] if name in numbers else 1 / numbers[name.removeprefix("1/")] if exponent else 1
            )
            term = term * base ** int(exponent)
        total = total + term
    return total


def _from_cut(trace: str) -> str:
    """A closed word turned to start with a single row, where it has one, so that vectors come first."""
    start = next((place for place, factor in enumerate(trace) if factor in ROW_CUTS), 0)
    return trace[start:] + trace[:start]


def _product(word: str, factors: Mapping[str, Value], backend: _Exact | _Arrays) -> Value:
    result: Value = None
    for character in word:
        factor = factors[letter_of(character).name]
        if is_transposed(character):
            factor = backend.transpose(factor)
        result = factor if result is None else backend.product(result, factor)
    return result
