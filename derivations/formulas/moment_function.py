"""The answer to a moment query as a function of its dimensions and matrices."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.formulas.parameters import common_shape
from derivations.support.bad_input import BadInput
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.code.codegen import compiled
from symbolic.query.result import Result
from symbolic.query.value import covariance_of_floats, require_symmetric
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    TRANSPOSED,
    Word,
    base,
    indices_of,
    is_covariance,
    of_rows,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import TracePolynomial

LOG = sympy.Symbol("log_det")
"""The mean of the logarithm of a determinant."""
CONDITION = re.compile(r"(\w+)(?: - (\w+))? (>=|>) (-?[\w/]+)")
"""What a moment requires, as it is said: `n - p > 3`, `n >= p`."""


class Parts:
    """An answer as a sum of scalar formulas times words: traces are symbols t_1, t_2, ..., and `LOG` is one of its own."""

    def __init__(self, result: Result) -> None:
        self.determinants = result.determinants
        if result.kronecker:
            raise BadInput(
                "a Kronecker product is written as latex, text, sympy and python: give numbers for a value"
            )
        self.traces: dict[Word, sympy.Symbol] = {}
        self.scalars: dict[Word | None, sympy.Expr] = {}
        self.log = self.determinants.log if self.determinants is not None else ""
        self._add(result.expectation, LOG if self.log else sympy.Integer(1))
        if self.determinants is not None:
            self._add(self.determinants.slope, sympy.Integer(1))
        if not self.scalars:
            self.scalars[() if result.expectation.is_matrix else None] = sympy.Integer(0)
        self.powers = self.determinants.powers if self.determinants is not None else ()
        self.log_shift = float(self.determinants.log_shift) if self.determinants is not None else 0.0
        self.step = 1 if self.determinants is not None and self.determinants.is_complex else 2
        self.known = dict(result.sizes)
        words = [*self.traces, *(word for word in self.scalars if word is not None)]
        words += [sigma for _, _, sigma in self.powers]
        self.log_sigma = self.determinants.log_sigma if self.determinants is not None else ()
        words.append(self.log_sigma)
        self.shapes = result.setting.shapes
        self.letters = sorted(
            {base(f) for word in words for f in word if not indices_of(f) and of_rows(f) != ROW_IDENTITY}
        )
        self.row_identities = sorted({f for word in words for f in word if of_rows(f) == ROW_IDENTITY})
        names = {str(s.name) for expr in self.scalars.values() for s in expr.free_symbols}
        names |= {row_dimension(f) for f in self.row_identities}
        moved = [name for name, _, _ in self.powers] + [self.log] * bool(self.log)
        names |= {row_dimension(name) for name in moved} - self.known.keys()
        self.dimensions = sorted(names - {str(s.name) for s in (LOG, *self.traces.values())} - {COLUMNS})
        self.is_matrix = None not in self.scalars
        self.symmetric = frozenset(result.symmetric)
        self.inverted = {base(f) for word in words for f in word if f.endswith(INVERSE)}
        self.inverted |= {sigma[0] for _, power, sigma in self.powers if sigma and power < 0}
        self.inverted |= {*self.log_sigma}
        units = any(indices_of(factor) for word in self.scalars for factor in word or ())
        units = units or bool(moved and COLUMNS not in self.known)
        self.needs_columns = COLUMNS in names or () in self.scalars or units

    def _add(self, polynomial: TracePolynomial, factor: sympy.Expr) -> None:
        for monomial, value in polynomial.sorted_terms:
            factors = [
                self.traces.setdefault(w, sympy.Symbol(f"t_{len(self.traces) + 1}")) for w in monomial.traces
            ]
            term = reduce(mul, factors, factor * factored_to_sympy(value))
            self.scalars[monomial.word] = self.scalars.get(monomial.word, sympy.Integer(0)) + term

    def shape(self, name: str) -> tuple[str, str]:
        """Rows and columns of a letter."""
        return self.shapes.get(name, (COLUMNS, COLUMNS))

    @property
    def column_letter(self) -> tuple[str, int] | None:
        """A letter that shows p, and by which of its axes; None where none does."""
        shown = [
            (name, self.shape(name).index(COLUMNS)) for name in self.letters if COLUMNS in self.shape(name)
        ]
        return shown[0] if shown else None

    @property
    def parameters(self) -> list[str]:
        """The arguments: rows, p where no matrix shows it, and the letters."""
        columns = [COLUMNS] if self.needs_columns and self.column_letter is None else []
        return [*self.dimensions, *columns, *self.letters]


def moment_function(result: Result) -> Callable[..., Any]:
    """The answer as a function of its dimensions and matrices by name, in doubles.

    Dimensions broadcast against each other; a matrix answer has two axes more, at the end. ``p`` is an argument where no
    matrix shows it; for a matrix answer it is one integer. Raises BadInput on a missing or unknown name, or matrices
    whose shapes do not agree.
    """
    if any(monomial.index_sums for monomial in result.expectation.terms):
        raise BadInput(
            "the answer has sums over indices, and is no function: give values to the query itself"
        )
    if result.parts:
        return _sum_of(result)
    parts = Parts(result)
    names = [*parts.dimensions, COLUMNS, str(LOG), *map(str, parts.traces.values())]
    scalars = {word: compiled(expr, names) for word, expr in parts.scalars.items()}

    def function(**values: Any) -> Any:
        odd = sorted({*values} ^ {*parts.parameters})
        if odd:
            kind = "unknown" if odd[0] in values else "missing"
            raise BadInput(
                f"{kind} argument {odd[0]!r}: this moment takes {', '.join(parts.parameters) or 'none'}"
            )
        matrices, lengths = _matrices({name: values[name] for name in parts.letters}, parts)
        known = {name: float(size) for name, size in parts.known.items()}
        columns = lengths.get(COLUMNS) or _numbers(COLUMNS, values.get(COLUMNS, known.get(COLUMNS, 1)))
        if np.any(columns != known.get(COLUMNS, columns)):
            raise BadInput(
                f"p is {str(columns)[:50]}, and this moment was taken at p = {known[COLUMNS]:g}: let them agree"
            )
        if parts.is_matrix and not (np.ndim(columns) == 0 and int(columns) == columns and columns > 0):
            raise BadInput(f"p is {columns}: give a positive integer for a matrix")
        for name in parts.row_identities:
            rows = _numbers(row_dimension(name), values[row_dimension(name)])
            if np.ndim(rows) or int(rows) != rows:
                raise BadInput(
                    f"{row_dimension(name)} is {str(rows)[:50]}: give a positive integer for a matrix"
                )
            matrices[name] = np.eye(int(rows))
        # what overflows is looked at where it is put together
        with np.errstate(all="ignore"):
            traces = {
                str(symbol): np.trace(_value(word, matrices, columns))
                for word, symbol in parts.traces.items()
            }
        numbers = {
            **{name: _numbers(name, values[name]) for name in parts.dimensions},
            COLUMNS: columns,
            **traces,
        }
        common_shape(numbers)
        for name, length in lengths.items():
            if name in parts.dimensions and np.any(numbers[name] != length):
                raise BadInput(
                    f"{name} is {str(numbers[name])[:50]}, and a matrix has {length} rows: let them agree"
                )
        shown = COLUMNS in parts.parameters or COLUMNS in lengths or COLUMNS in known
        sizes = known | {name: x for name, x in numbers.items() if name in parts.dimensions}
        _require_sizes(result, sizes | ({COLUMNS: columns} if shown else {}))
        with np.errstate(all="ignore"):
            found = computed(numbers, matrices, columns)
        if not np.all(np.isfinite(found)):
            raise BadInput("the moment has a pole, or is beyond 1e308, at one of these places: take others")
        return found

    def computed(numbers: dict[str, Any], matrices: Mapping[str, NDArray[np.float64]], columns: Any) -> Any:
        try:
            numbers[str(LOG)] = _log(parts, numbers, matrices) if parts.log else 0.0
            before = _before(parts, numbers, matrices)
        except OverflowError:
            return math.inf
        if None in scalars:
            return before * scalars[None](**numbers)
        return sum(
            np.multiply.outer(
                before * scalar(**numbers), _value(word, matrices, columns) if word else np.eye(int(columns))
            )
            for word, scalar in scalars.items()
            if word is not None
        )

    return function


def all_parameters(parts: Iterable[Parts]) -> list[str]:
    """The arguments of a sum: rows, p, and the letters."""
    parts = list(parts)
    names = {name for part in parts for name in part.parameters}
    letters = {name for part in parts for name in part.letters}
    return [*sorted(names - letters - {COLUMNS}), *({COLUMNS} & names), *sorted(letters)]


def _sum_of(result: Result) -> Callable[..., Any]:
    """The sum of the functions of its parts."""
    parts = [Parts(part) for part in result.parts]
    functions = [
        moment_function(replace(x, bounds=result.bounds, conditions=result.conditions)) for x in result.parts
    ]
    names = all_parameters(parts)

    def function(**values: Any) -> Any:
        odd = sorted({*values} ^ {*names})
        if odd:
            kind = "unknown" if odd[0] in values else "missing"
            raise BadInput(f"{kind} argument {odd[0]!r}: this moment takes {', '.join(names) or 'none'}")
        for part in parts:
            _, lengths = _matrices({name: values[name] for name in part.letters}, part)
            size = lengths.get(COLUMNS)
            if size is not None and COLUMNS in values and np.any(np.asarray(values[COLUMNS]) != size):
                raise BadInput(
                    f"p is {str(values[COLUMNS])[:50]}, and a matrix has {size} columns: let them agree"
                )
        return sum(
            each(**{name: values[name] for name in part.parameters})
            for each, part in zip(functions, parts, strict=True)
        )

    return function


def _before(parts: Parts, numbers: Mapping[str, Any], matrices: Mapping[str, NDArray[np.float64]]) -> Any:
    """The mean of the powers of determinants that stand before an answer."""
    found: Any = 1.0
    for name, power, sigma in parts.powers:
        rows, size = (
            float(parts.known[x]) if x in parts.known else numbers[x] for x in (row_dimension(name), COLUMNS)
        )
        scale = float(np.linalg.slogdet(matrices[sigma[0]])[1]) if sigma else 0.0
        found = found * np.vectorize(_mean_power)(rows, size, float(power), scale, parts.step)[()]
    return found


def digamma(x: float) -> float:
    """The derivative of the logarithm of the gamma function, for x > 0: its series at x + k > 16, and k steps down."""
    down = 0.0
    while x < 16:
        down, x = down + 1 / x, x + 1
    y = 1 / x**2
    return (
        math.log(x)
        - 1 / (2 * x)
        - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
        - down
    )


def _log(parts: Parts, numbers: Mapping[str, Any], matrices: Mapping[str, NDArray[np.float64]]) -> Any:
    """The mean of the logarithm of a determinant that is a factor of an answer."""
    rows, size = (
        float(parts.known[x]) if x in parts.known else numbers[x] for x in (row_dimension(parts.log), COLUMNS)
    )
    scale = float(np.linalg.slogdet(matrices[parts.log_sigma[0]])[1]) if parts.log_sigma else 0.0
    return scale + np.vectorize(_mean_log)(rows, size, parts.step, parts.log_shift)[()]


def _mean_log(rows: float, size: float, step: int, shift: float) -> float:
    return size * math.log(step) + sum(digamma((rows - i) / step + shift) for i in range(int(size)))


def _mean_power(rows: float, size: float, power: float, scale: float, step: int) -> float:
    logs = (log_gamma_ratio((rows - i) / step, power) for i in range(int(size)))
    return math.exp(power * (scale + size * math.log(step)) + sum(logs))


def log_gamma_ratio(x: float, k: float) -> float:
    """log(gamma(x + k) / gamma(x)), for x and x + k > 0: the difference of two series at large numbers, from where steps lead down."""
    down = 0.0
    while min(x, x + k) < 16:
        down, x = down + math.log((x + k) / x), x + 1
    y, z = 1 / x, 1 / (x + k)
    series = [u * (1 / 12 - u**2 * (1 / 360 - u**2 * (1 / 1260 - u**2 / 1680))) for u in (y, z)]
    return (x - 0.5) * math.log1p(k * y) + k * math.log(x + k) - k + (series[1] - series[0]) - down


def _numbers(name: str, value: Any) -> Any:
    """A number or an array of positive ones."""
    array: Any = np.nan  # of what is no number
    with suppress(TypeError, ValueError, OverflowError):
        array = np.asarray(value, dtype=float)[()]
    if not np.all((array > 0) & np.isfinite(array)):
        raise BadInput(f"{name} is {str(value)[:50]}: give positive numbers")
    if name == COLUMNS and not np.all(array == np.floor(array)):
        raise BadInput(f"{name} is {str(value)[:50]}: give positive integers (the rows n need not be)")
    return array


def _require_sizes(result: Result, numbers: Mapping[str, Any]) -> None:
    """Raises BadInput where no matrix has such dimensions, or the expectation does not exist for them."""
    rows = {name: number for name, number in numbers.items() if name != COLUMNS}
    for name, number in rows.items():
        few = number <= numbers.get(COLUMNS, 0) - 1
        if np.any((number != np.floor(number)) & (few | (result.law not in ("gaussian", "complex")))):
            raise BadInput(
                f"{name} is {str(number)[:50]}, and no Wishart matrix has it: give an integer, or more than p - 1"
            )
    for k, said in enumerate(result.conditions):
        found = CONDITION.fullmatch(said)
        if found is None:
            raise RuntimeError(f"a condition of another form: {said}")
        left, taken, sign, right = found.groups()
        names = {name for name in (left, taken, right) if name and not name[0].isdigit()}
        if not names <= numbers.keys():
            continue
        above = numbers[left] - (numbers[taken] if taken else 0)
        bound = numbers[right] if right in names else float(Fraction(right))
        if k < len(result.bounds):  # n >= p in whole numbers is n > p - 1 in all
            holds = numbers[left] - numbers[COLUMNS] > float(result.bounds[k][1])
        else:
            holds = above > bound if sign == ">" else above >= bound
        if not np.all(holds):
            kind = "exists only" if k < len(result.bounds) else "is by this formula only"
            least = bound + (numbers[taken] if taken else 0)
            raise BadInput(
                f"the expectation {kind} for {said}: take {left} {'over' if sign == '>' else 'of at least'} {np.max(least):g}"
            )


def _matrices(
    given: Mapping[str, Any], parts: Parts
) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]:
    """The letters as arrays, and the dimensions that they show."""
    try:
        found = {name: np.asarray(value, dtype=float) for name, value in given.items()}
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{', '.join(given)}: give matrices of real numbers") from None
    for name, array in found.items():
        if not np.isfinite(array).all():
            raise BadInput(f"{name} has elements that are not finite: give finite real numbers")
    lengths = {"1": 1}
    for name in parts.letters:
        expected, array = parts.shape(name), found[name]
        if expected[1] == "1" and array.ndim == 1:
            array = found[name] = array[:, None]
        agree = array.ndim == 2 and all(
            lengths.setdefault(axis, length) == length
            for axis, length in zip(expected, array.shape, strict=True)
        )
        if not agree:
            shapes = ", ".join(str(x.shape) for x in found.values())
            raise BadInput(
                f"{', '.join(found)} have the shapes {shapes}: {name} is {' x '.join(expected)}, let them agree"
            )
    for name in parts.letters:
        if is_covariance(name) or of_rows(name) == ROW_COVARIANCE:
            found[name] = covariance_of_floats(name, found[name], np)
        elif name in parts.symmetric:
            require_symmetric(name, found[name])
    for name in parts.inverted:
        if np.linalg.matrix_rank(found[name]) < len(found[name]):
            raise BadInput(f"{name} is singular, and stands under a negative power: give another one")
    return found, lengths


def _value(word: Word, matrices: Mapping[str, NDArray[np.float64]], columns: float) -> NDArray[np.float64]:
    def one(factor: str) -> NDArray[np.float64]:
        if place := indices_of(factor):
            if max(place) > columns:
                raise BadInput(f"the index {max(place)} is over p = {columns:g}: take a smaller one")
            row, column = np.eye(int(columns))[np.subtract(place, 1)]
            return np.outer(row, column)
        matrix = matrices[factor if of_rows(factor) == ROW_IDENTITY else base(factor)]
        if factor.endswith(INVERSE):
            return np.asarray(np.linalg.inv(matrix))
        return matrix.T if factor.endswith(TRANSPOSED) else matrix

    return reduce(np.matmul, map(one, word))
