"""Checks of a whole answer to a moment query, from the text of the query to the printed terms and value.

The query is read, multiplied out, and averaged entry by entry at small sizes (`symbolic.checks.wishart_entries`);
nothing that took the expectation has a part in it. The printed terms are evaluated there as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, TypeVar

from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.algebra.entry_laws import GAUSSIAN, Law, law
from symbolic.checks.claims import NotApplicable
from symbolic.checks.small_sizes import MOST_COST
from symbolic.checks.wishart_entries import SmallWishart, Term, inverse_counts
from symbolic.query import query_value
from symbolic.query.expanded import expand
from symbolic.query.printed_terms import ROOT, Point
from symbolic.query.query_tree import Numbers
from symbolic.query.syntax import Node, parse, symbols
from symbolic.wishart.fixed_letters import COLUMNS, DETERMINISTIC, SIGMA, is_wishart, row_dimension
from symbolic.wishart.trace_polynomial import TracePolynomial

LOW_COST = {True: 100_000, False: 3_000}
"""More choices of sizes are taken up to this cost; beyond the Gaussian law (False) a term is dearer."""

SIZES = ((2, 3), (3, 2), (1, 4))
"""p and the rows of the first Wishart matrix, in the order of preference."""

ONE_COLUMN = ((1, 3), (1, 6))
"""The same when the answer is for p = 1 only."""

Data = Mapping[str, Any]
Values = tuple[str, str]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    """What was asked and what was printed: plain data, with exact numbers as text.

    ``given`` holds dimensions and matrices (`symbolic.query.query_value.kept`); ``formula`` the terms before these
    numbers are put in, ``terms`` those after.
    """

    query: str
    covariance: str
    law: str
    given: Data
    formula: Sequence[Data]
    terms: Sequence[Data]
    value: Any

    @cached_property
    def tree(self) -> Node:
        """The query as it is read."""
        return parse(self.query)

    @cached_property
    def multiplied_out(self) -> TracePolynomial:
        """The query multiplied out."""
        return expand(self.query, self.tree)

    @cached_property
    def one_column(self) -> bool:
        """Whether the answer is for p = 1 only, where matrices commute and an inverse may cancel."""
        return self.sizes.get(COLUMNS) == 1 and any(
            inverse_counts(monomial.words) for monomial in self.multiplied_out.terms
        )

    @cached_property
    def expanded(self) -> TracePolynomial:
        """The query multiplied out, as what its expectation was taken of."""
        return self.multiplied_out.commuted() if self.one_column else self.multiplied_out

    @cached_property
    def entry_law(self) -> Law:
        """The law of the entries."""
        return law(self.law)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The dimensions that have numbers."""
        return {name: x for name, x in self.given.items() if isinstance(x, int)}

    @cached_property
    def inverses(self) -> dict[str, int]:
        """The Wishart matrices, each with the largest number of its inverses in one product."""
        names = {symbol.name for symbol in symbols(self.tree) if is_wishart(symbol.name)}
        degrees = dict.fromkeys(sorted(names), 0)
        for monomial in self.expanded.terms:
            for name, count in inverse_counts(monomial.words).items():
                degrees[name] = max(degrees[name], count)
        return degrees

    def small(self, size: int, rows: int) -> SmallWishart:
        """Matrices of a small size; W, W1, ... have different numbers of rows, from ``rows`` on."""
        # one that is inverted d times needs n - p > 2 d - 1
        counts = {
            name: rows + k + (size + 2 * degree if degree else 0)
            for k, (name, degree) in enumerate(self.inverses.items())
        }
        gaussian = self.entry_law is GAUSSIAN
        span = range(size)
        root = [[Fraction(i == j) for j in span] for i in span]
        if self.covariance == "general" and gaussian:
            # diagonal: the Gaussian law turns with Sigma, and no letter commutes with it
            root = [[Fraction(int(i == j) * (i + 1)) for j in span] for i in span]
        elif self.covariance == "general":
            root = [[Fraction(i + 2 if i == j else int(abs(i - j) == 1)) for j in span] for i in span]
        letters = {
            name: [[Fraction((7 * k + 3 * i + 5 * j + 2 * i * j + 6) % 11 - 4) for j in span] for i in span]
            for k, name in enumerate(DETERMINISTIC)
        }
        return SmallWishart(size, counts, letters, root, None if gaussian else self.entry_law.rule)

    def dimensions(self, small: SmallWishart) -> dict[str, int]:
        """Numbers for all dimensions of the query; for those that are no rows of a matrix there, others."""
        rows = {row_dimension(name): number for name, number in small.rows.items()}
        names = {symbol.name for symbol in symbols(self.tree) if not symbol.is_matrix}
        others = sorted(names - rows.keys() - {COLUMNS})
        return {**rows, **{name: 7 + k for k, name in enumerate(others)}, COLUMNS: small.size}


ROOM = 6
"""Numbers of rows that are tried one after the other where a divisor such as n - 3 vanishes."""


class DivisorVanishes(Exception):
    """A divisor that the query itself holds is zero at the numbers that are tried."""


def _off_poles(compute: Callable[[int], Found], first: int) -> Found:
    """What `compute` gives at the first number, from ``first`` on, where no divisor of the query vanishes."""
    for number in range(first, first + ROOM):
        try:
            return compute(number)
        except DivisorVanishes:
            continue
    raise NotApplicable("a divisor vanishes at all numbers that are tried")


def expansion(answer: Answer) -> Values:
    """The query as it is read against the query multiplied out, integers for all letters, random or not."""
    try:
        return _off_poles(partial(_expanded_at, answer, 2), 3)
    except NotApplicable:  # a divisor such as p - 2
        return _off_poles(partial(_expanded_at, answer, 1), 3)


def _expanded_at(answer: Answer, size: int, rows: int) -> Values:
    small = answer.small(size, rows)
    matrices = _matrices(small)
    for k, name in enumerate(answer.inverses):
        matrices[name] = fmpq_mat([[k + 2, 1], [1, 1]] if size == 2 else [[k + 2]])
    pairs = [(Numbers(answer.dimensions(small), matrices, size), answer.multiplied_out)]
    if answer.one_column:
        # and with the factors in another order, as they commute for p = 1
        single = {name: fmpq_mat([[table[0, 0] + 1]]) for name, table in matrices.items()}
        pairs.append((Numbers({**answer.dimensions(small), COLUMNS: 1}, single, 1), answer.expanded))
    try:
        expected = [numbers.of_tree(answer.tree) for numbers, _ in pairs]
    except ZeroDivisionError:
        raise DivisorVanishes from None
    obtained = [numbers.of_products(products) for numbers, products in pairs]
    return "; ".join(map(str, expected)), "; ".join(map(str, obtained))


def small_sizes(answer: Answer) -> Values:
    """The query multiplied out and averaged at small sizes, against the formula evaluated there."""
    expected: list[str] = []
    obtained: list[str] = []
    reason = NotApplicable("the query is too long to be multiplied out in entries")
    for size, rows in ONE_COLUMN if answer.one_column else SIZES:
        limit = LOW_COST[answer.entry_law is GAUSSIAN] if expected else MOST_COST
        try:
            found = _off_poles(partial(_averaged_at, answer, size, limit), rows)
        except NotApplicable as vanishing:  # a divisor such as p - 1
            reason = vanishing
            continue
        if found is not None:
            expected.append(found[0])
            obtained.append(found[1])
    if not expected:
        raise reason
    return "; ".join(expected), "; ".join(obtained)


def _averaged_at(answer: Answer, size: int, limit: int, rows: int) -> Values | None:
    """The average in entries and the formula at one size; None where that would cost more than `limit`."""
    small = answer.small(size, rows)
    dimensions = answer.dimensions(small)
    try:
        terms = list(_terms(answer.expanded, dimensions))
    except ZeroDivisionError:
        raise DivisorVanishes from None
    if small.cost(terms) > limit:
        return None
    point = " ".join(f"{name}={number}" for name, number in sorted(dimensions.items()))
    table = small.expectation(terms) if terms else _zero(answer, size)
    value = (
        Point(dimensions, _matrices(small), size).value(answer.formula)
        if answer.formula
        else _zero(answer, size)
    )
    return f"{point}: {_text(table)}", f"{point}: {_text(value)}"


def _terms(polynomial: TracePolynomial, dimensions: Mapping[str, int]) -> Iterator[Term]:
    numbers = {name: Fraction(number) for name, number in dimensions.items()}
    for monomial, coefficient in polynomial.terms.items():
        yield coefficient.at(numbers), monomial.traces, monomial.word


def _zero(answer: Answer, size: int) -> list[list[Fraction]]:
    size = size if answer.expanded.is_matrix else 1
    return [[Fraction(0)] * size for _ in range(size)]


def _matrices(small: SmallWishart) -> dict[str, fmpq_mat]:
    """The deterministic letters, Sigma and its root."""
    tables = {**small.letters, SIGMA: small.covariance, ROOT: small.root}
    return {name: fmpq_mat([[to_fmpq(x) for x in row] for row in table]) for name, table in tables.items()}


def _text(table: list[list[Fraction]]) -> str:
    return " ".join("[" + " ".join(map(str, row)) + "]" for row in table)


def numbers_put_in(answer: Answer) -> Values:
    """The formula with the given dimensions against the printed terms, at integer matrices for the letters."""
    if not answer.sizes:
        raise NotApplicable("no dimension has a number")
    small = answer.small(2, 3)
    # no two of these differ by an integer, so that differences such as n - p are no poles
    left = sorted(answer.dimensions(small).keys() - answer.sizes.keys())
    return _off_poles(partial(_put_in_at, answer, small, left), 100)


def _put_in_at(answer: Answer, small: SmallWishart, left: Sequence[str], start: int) -> Values:
    others = {name: Fraction(start + 7 * k, 3 + 2 * k) for k, name in enumerate(left)}
    point = Point({**others, **answer.sizes}, _matrices(small), 2)
    try:
        expected = point.value(answer.formula) if answer.formula else _zero(answer, 2)
    except ZeroDivisionError:
        raise DivisorVanishes from None
    printed = Point(others, _matrices(small), 2)
    obtained = printed.value(answer.terms) if answer.terms else _zero(answer, 2)
    return _text(expected), _text(obtained)


def value(answer: Answer) -> Values:
    """The printed terms at the given matrices against the printed value."""
    size = answer.sizes.get(COLUMNS, 1)
    return query_value.compare(answer.terms, answer.given, size, answer.value)


CHECKS = (expansion, small_sizes, numbers_put_in, value)
