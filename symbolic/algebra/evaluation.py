"""Values of expressions: numbers for dimensions and scalars, matrices for letters.

Exact matrices (nested lists of int and Fraction, flint ``fmpq_mat``, integer arrays) give exact values.
Arrays of floating-point numbers give floats, whatever library they come from, as long as they know ``@``,
``.T``, ``.trace()`` and their array namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any, TypeVar

from flint import fmpq, fmpq_mat, fmpz_mat

from symbolic.algebra.coefficients import evaluate_at, names_in, names_of, to_fmpq, to_fraction
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, ROW_CUTS, Letter, is_transposed, letter_of

Value = Any
"""A number, nested lists, a flint matrix or an array: whatever the caller computes with."""
W = TypeVar("W", str, tuple[str, ...])
"""A word of coded factors, or of their names."""


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
    backend: Exact | Arrays = Exact(matrices) if exact or not matrices else Arrays(matrices)
    _infer_sizes(known, backend, numbers)
    factors = {name: backend.matrices[name] for name in known}
    for letter in expr.letters().values():
        if letter.unit:
            factors[letter.name] = backend.unit(_size(letter.rows, numbers), letter.unit - 1)
    total = combined(
        (
            (_number(coefficient, numbers, backend), [*map(_from_cut, traces)], word)
            for (traces, word), coefficient in expr.monomials.items()
        ),
        lambda character: _factor(character, factors, backend),
        backend,
        lambda: backend.eye(_size((expr.shape or (ONE,))[0], numbers)),
    )
    if total is None:
        total = backend.number(Fraction(0))
        if expr.shape is not None:
            total = backend.zeros(*(_size(name, numbers) for name in expr.shape))
    return backend.result(total)


def combined(
    terms: Iterable[tuple[Value, Sequence[W], W | None]],
    factor: Callable[[Any], Value],
    backend: Exact | Arrays,
    identity: Callable[[], Value],
) -> Value | None:
    """The sum of a number times traces of words, times a word where there is one, over the terms; None without any.

    A word is a string or a tuple of what `factor` gives the matrices of.
    """
    listed = list(terms)
    closed = {trace for _, traces, _ in listed for trace in traces}
    traced = {word: backend.trace(product) for word, product in products(closed, factor, backend, identity)}
    numbers: dict[W | None, Value] = {}
    for number, traces, word in listed:
        value = reduce(mul, (traced[trace] for trace in traces), number)
        numbers[word] = numbers[word] + value if word in numbers else value
    total: Value = numbers.pop(None, None)
    for word, product in products([word for word in numbers if word is not None], factor, backend, identity):
        part = backend.scale(product, numbers[word])
        total = part if total is None else total + part
    return total


def products(
    words: Iterable[W], factor: Callable[[Any], Value], backend: Exact | Arrays, identity: Callable[[], Value]
) -> Iterator[tuple[W, Value]]:
    """Each word and its matrix product, in an order in which products of common beginnings are shared."""
    chain: list[Value] = []  # the products of the beginnings of the previous word
    previous: Sequence[Any] = ()
    for word in sorted(set(words)):
        common = next(
            (k for k, pair in enumerate(zip(previous, word, strict=False)) if pair[0] != pair[1]),
            min(len(previous), len(word)),
        )
        del chain[common:]
        for letter in word[common:]:
            chain.append(backend.product(chain[-1], factor(letter)) if chain else factor(letter))
        previous = word
        yield word, chain[-1] if chain else identity()


class Exact:
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
        """Rows and columns."""
        return matrix.nrows(), matrix.ncols()

    def number(self, value: Fraction) -> fmpq:
        """A rational number as one of the elements."""
        return to_fmpq(value)

    def product(self, a: fmpq_mat, b: fmpq_mat) -> fmpq_mat:
        """The matrix product."""
        return a * b

    def transpose(self, a: fmpq_mat) -> fmpq_mat:
        """The transpose."""
        return a.transpose()

    def trace(self, a: fmpq_mat) -> fmpq:
        """The trace."""
        return sum((a[i, i] for i in range(a.nrows())), fmpq(0))

    def scale(self, a: fmpq_mat, factor: fmpq) -> fmpq_mat:
        """A matrix times a number."""
        return a * factor

    def zeros(self, rows: int, columns: int) -> fmpq_mat:
        """The zero matrix."""
        return fmpq_mat(rows, columns)

    def eye(self, size: int) -> fmpq_mat:
        """The identity matrix."""
        return fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])

    def unit(self, size: int, place: int) -> fmpq_mat:
        """A basis vector, counted from 0."""
        return fmpq_mat(size, 1, [int(i == place) for i in range(size)])

    def result(self, value: Value) -> Value:
        """A value as the caller gave the matrices."""
        if isinstance(value, fmpq_mat):
            return value if self.as_flint else [[to_fraction(x) for x in row] for row in value.tolist()]
        return to_fraction(value) if isinstance(value, fmpq) else value


class Arrays:
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
        """Rows and columns."""
        rows, columns = array.shape
        return int(rows), int(columns)

    def number(self, value: Fraction) -> float:
        """A rational number as one of the elements."""
        return float(value)

    def product(self, a: Value, b: Value) -> Value:
        """The matrix product."""
        return a @ b

    def transpose(self, a: Value) -> Value:
        """The transpose."""
        return a.T

    def trace(self, a: Value) -> Value:
        """The trace."""
        return a.trace()

    def scale(self, a: Value, factor: Value) -> Value:
        """A matrix times a number."""
        return a * factor

    def zeros(self, rows: int, columns: int) -> Value:
        """The zero matrix."""
        return self._space.zeros((rows, columns))

    def eye(self, size: int) -> Value:
        """The identity matrix."""
        return self._space.eye(size)

    def unit(self, size: int, place: int) -> Value:
        """A basis vector, counted from 0."""
        return self._space.eye(size)[:, place : place + 1]

    def result(self, value: Value) -> Value:
        """A value as the caller gave the matrices."""
        return value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float | Fraction | fmpq) or not hasattr(value, "__len__")


def _is_exact(value: Value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_exact, value))
    if isinstance(value, int | Fraction | fmpq | fmpq_mat | fmpz_mat):
        return True
    return getattr(getattr(value, "dtype", None), "kind", "") in {"i", "u", "b"}


def _infer_sizes(known: Mapping[str, Letter], backend: Exact | Arrays, numbers: dict[str, Value]) -> None:
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


def _number(coefficient: Value, numbers: Mapping[str, Value], backend: Exact | Arrays) -> Value:
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
    # the terms are many: all at once, one generator after the other, of which all powers are taken beforehand
    terms: list[Value] = [int(one.p) / int(one.q) for one in coefficient.coeffs()]
    columns = zip(*coefficient.monoms(), strict=True)
    for name, degree, column in zip(
        names_of(coefficient.context()), coefficient.degrees(), columns, strict=bool(terms)
    ):
        if degree:
            base = numbers[name] if name in numbers else 1 / numbers[name.removeprefix("1/")]
            powers = [base**k for k in range(int(degree) + 1)]
            terms = [term * powers[exponent] for term, exponent in zip(terms, column, strict=True)]
    return sum(terms)


def _from_cut(trace: str) -> str:
    """A closed word turned to start with a single row, where it has one, so that vectors come first."""
    start = next((place for place, factor in enumerate(trace) if factor in ROW_CUTS), 0)
    return trace[start:] + trace[:start]


def _factor(character: str, factors: Mapping[str, Value], backend: Exact | Arrays) -> Value:
    factor = factors[letter_of(character).name]
    return backend.transpose(factor) if is_transposed(character) else factor
