"""The check of an answer to a moment query: the query averaged at small sizes, entry by entry.

The query is read, multiplied out, and averaged by `symbolic.checks.wishart_entries`, which knows nothing of how
expectations are taken; the formula that is the answer is evaluated at the same sizes, as any value of it is. No answer
leaves without this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import NoReturn, TypeVar

from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.algebra.entry_laws import GAUSSIAN, Law
from symbolic.algebra.refusal import Refused
from symbolic.checks.entry_products import Table
from symbolic.checks.wishart_entries import MAX_SIZE, SmallWishart, Term, inverse_counts
from symbolic.query.query_tree import Value, tree_value
from symbolic.query.syntax import Determinant, Element, Node, subtrees, symbols
from symbolic.query.value import Matrices, Shown, evaluate
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    DETERMINISTIC,
    SIGMA,
    indices_of,
    is_wishart,
    row_dimension,
    unit,
)
from symbolic.wishart.trace_polynomial import TracePolynomial
from symbolic.wishart.wishart_moment import Covariance

MOST_COST = 60_000_000
"""A query is multiplied out in entries up to about this number of terms, about a second; degree 24 is below."""

LOW_COST = {True: 30_000, False: 3_000}
"""More choices of sizes are taken up to this cost; beyond the Gaussian law (False) a term is dearer."""

TERM_COST = 100
"""What a term of the formula costs, so that long formulas are evaluated once."""

SIZES = ((2, 3), (3, 2), (1, 4), (2, 5), (4, 5), (5, 6))
"""p and the rows of the first Wishart matrix, in the order of preference; the last are for divisors such as p - 1."""

MOST_SIZES = 3
"""At how many sizes an answer is compared at most."""

ONE_COLUMN = ((1, 3), (1, 6))
"""The sizes when the answer is for p = 1 only."""

ROOM = 6
"""Numbers of rows that are tried one after the other where a divisor such as n - 3 vanishes."""

Found = TypeVar("Found")


class CheckFailed(ArithmeticError):
    """An answer is not what the query is at small sizes."""


class _DivisorVanishes(Exception):
    """A divisor that the query itself holds is zero at the numbers that are tried."""


@dataclass(frozen=True)
class Answer:
    """What was asked and what was found.

    ``products`` is the query multiplied out, ``averaged`` what the expectation was taken of: the same, or for p = 1,
    where matrices commute and an inverse may cancel, what is left of it. ``formula`` is the expectation. ``effort``: how
    many times `MOST_COST` the check may take.
    """

    tree: Node
    products: TracePolynomial
    averaged: TracePolynomial
    formula: TracePolynomial
    covariance: Covariance
    law: Law
    effort: float = 1

    @property
    def one_column(self) -> bool:
        """Whether the answer is for p = 1 only."""
        return self.averaged is not self.products

    @property
    def length(self) -> int:
        """The number of terms of the formula."""
        return len(self.formula.terms)

    @property
    def tree_sizes(self) -> tuple[int, ...]:
        """The sizes at which the query as it is read may be compared, in the order of preference."""
        orders = {part.order for part in subtrees(self.tree) if isinstance(part, Determinant)}
        return (1,) if self.one_column else (*orders, 2, 1, 3, 4, 5)

    @cached_property
    def inverses(self) -> dict[str, int]:
        """The Wishart matrices, each with the largest number of its inverses in one product."""
        names = {symbol.name for symbol in symbols(self.tree) if is_wishart(symbol.name)}
        degrees = dict.fromkeys(sorted(names), 0)
        for monomial in self.averaged.terms:
            for name, count in inverse_counts(monomial.words).items():
                degrees[name] = max(degrees[name], count)
        return degrees

    @cached_property
    def units(self) -> list[str]:
        """The matrices of a single 1, those above the diagonal first, each with its transpose."""
        found = {symbol.name for symbol in symbols(self.tree)}
        found |= {unit(x.row, x.column) for x in subtrees(self.tree) if isinstance(x, Element)}
        places = {place for name in found if (place := indices_of(name))}
        places |= {(column, row) for row, column in places}
        return [unit(*place) for place in sorted(places, key=lambda place: (place[0] > place[1], place))]

    def small(self, size: int, rows: int) -> SmallWishart:
        """Matrices of a small size; W, W1, ... have different numbers of rows, from ``rows`` on."""
        # one that is inverted d times needs n - p > 2 d - 1
        counts = {
            name: rows + k + (size + 2 * degree if degree else 0)
            for k, (name, degree) in enumerate(self.inverses.items())
        }
        gaussian = self.law is GAUSSIAN
        span = range(size)
        root = [[Fraction(i == j) for j in span] for i in span]
        if self.covariance == "general" and gaussian:
            # diagonal: the Gaussian law turns with Sigma, and no letter commutes with it
            root = [[Fraction(int(i == j) * (i + 1)) for j in span] for i in span]
        elif self.covariance == "general":
            root = [[Fraction(i + 2 if i == j else int(abs(i - j) == 1)) for j in span] for i in span]
        letters = {
            name: [[Fraction((7 * k + 3 * i + 5 * j + 2 * i * j + 10) % 11 - 4) for j in span] for i in span]
            for k, name in enumerate(DETERMINISTIC)
        }
        for name in self.units:
            row, column = indices_of(name) or (0, 0)
            # any matrix, symmetric where row and column are the same: the answer is found for letters
            letters[name] = [
                [
                    Fraction((5 * row * (i + 1) + 3 * column * (j + 1) + 2 * row * column) % 7 - 2)
                    for j in span
                ]
                for i in span
            ]
            if row == column:
                letters[name] = [[letters[name][min(i, j)][max(i, j)] for j in span] for i in span]
            if row > column:
                letters[name] = [[letters[unit(column, row)][j][i] for j in span] for i in span]
        return SmallWishart(size, counts, letters, root, None if gaussian else self.law.rule)

    def dimensions(self, small: SmallWishart) -> dict[str, int]:
        """Numbers for all dimensions of the query; for those that are no rows of a matrix there, others."""
        rows = {row_dimension(name): number for name, number in small.rows.items()}
        names = {symbol.name for symbol in symbols(self.tree) if not symbol.is_matrix}
        others = sorted(names - rows.keys() - {COLUMNS})
        return {**rows, **{name: 7 + k for k, name in enumerate(others)}, COLUMNS: small.size}


def examine(answer: Answer) -> tuple[str, ...]:
    """The sizes at which an answer was compared, such as ``n=3 p=2``.

    Raises CheckFailed where it differs, and Refused where no small size can be used.
    """
    read = any(_off_poles(partial(_compare_tree, answer, size), 3) for size in answer.tree_sizes)
    found: list[str] = []
    for size, rows in ONE_COLUMN if answer.one_column else SIZES:
        if len(found) == MOST_SIZES or (found and size > MAX_SIZE):
            break
        limit = LOW_COST[answer.law is GAUSSIAN] if found else int(MOST_COST * max(1, answer.effort))
        found.append(_off_poles(partial(_compare_means, answer, size, limit), rows))
        found = [point for point in found if point]
    if not read or not found:
        raise Refused(
            "there is no small size at which the answer could be checked: shorten the expression, or leave out "
            "divisors that vanish there"
        )
    return tuple(found)


def _off_poles(compare: Callable[[int], str], first: int) -> str:
    """What `compare` gives at the first number, from ``first`` on, where no divisor vanishes; "" if at none."""
    for number in range(first, first + ROOM):
        try:
            return compare(number)
        except _DivisorVanishes:
            continue
    return ""


def _compare_tree(answer: Answer, size: int, rows: int) -> str:
    """The query as it is read against the query multiplied out, integers for all letters, random or not."""
    small = answer.small(size, rows)
    dimensions = answer.dimensions(small)
    letters = _letters(small)
    for k, name in enumerate(answer.inverses):
        letters[name] = fmpq_mat(
            [[min(i, j) + 1 + (k + 1) * (i == j == 0) for j in range(size)] for i in range(size)]
        )
    try:
        expected = _shown(tree_value(answer.tree, dimensions, letters, size))
        products = answer.averaged.at(dimensions)
    except ZeroDivisionError:
        raise _DivisorVanishes from None
    return _same(READ, dimensions, expected, evaluate(products, Matrices(size, letters)))


def _compare_means(answer: Answer, size: int, limit: int, rows: int) -> str:
    """The average in entries and the formula at one size; "" where that would cost more than `limit`."""
    if size > MAX_SIZE and any(answer.inverses.values()):
        return ""
    small = answer.small(size, rows)
    dimensions = answer.dimensions(small)
    try:
        terms = list(_terms(answer.averaged, dimensions))
    except ZeroDivisionError:
        raise _DivisorVanishes from None
    if small.cost(terms) + TERM_COST * answer.length > limit:
        return ""
    is_matrix = answer.averaged.is_matrix
    expected: Table = small.expectation(terms) if terms else [[Fraction(0)] * size] * size
    matrices = Matrices(size, _letters(small))
    try:
        formula = answer.formula.at(dimensions)
    except ZeroDivisionError:
        _fail(AVERAGED, dimensions, "a value", "a pole")
    shown = _texts(expected) if is_matrix else str(expected[0][0])
    return _same(AVERAGED, dimensions, shown, evaluate(formula, matrices))


def _terms(polynomial: TracePolynomial, dimensions: Mapping[str, int]) -> Iterator[Term]:
    numbers = {name: Fraction(number) for name, number in dimensions.items()}
    for monomial, coefficient in polynomial.terms.items():
        yield coefficient.at(numbers), monomial.traces, monomial.word


def _letters(small: SmallWishart) -> dict[str, fmpq_mat]:
    """The deterministic letters and Sigma."""
    tables = {**small.letters, SIGMA: small.covariance}
    return {name: fmpq_mat([[to_fmpq(x) for x in row] for row in table]) for name, table in tables.items()}


READ = "as it is read", "multiplied out"
AVERAGED = "averaged entry by entry", "by the formula"


def _same(ways: tuple[str, str], dimensions: Mapping[str, int], expected: Shown, obtained: Shown) -> str:
    """The sizes as text. Raises CheckFailed, naming the two ways to the value, where they differ."""
    if expected != obtained:
        _fail(ways, dimensions, expected, obtained)
    return _point(dimensions)


def _fail(ways: tuple[str, str], dimensions: Mapping[str, int], expected: Shown, obtained: Shown) -> NoReturn:
    raise CheckFailed(
        f"the answer is wrong at {_point(dimensions)}: the query {ways[0]} is {str(expected)[:60]}, and {ways[1]} "
        f"{str(obtained)[:60]}: do not use it"
    )


def _shown(value: Value) -> Shown:
    return _texts(value.tolist()) if isinstance(value, fmpq_mat) else str(value)


def _texts(table: Iterable[Iterable[object]]) -> list[list[str]]:
    return [[str(x) for x in row] for row in table]


def _point(dimensions: Mapping[str, int]) -> str:
    return " ".join(f"{name}={number}" for name, number in sorted(dimensions.items()))
