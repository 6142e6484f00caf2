"""The check of an answer to a moment query: the query averaged at small sizes, entry by entry.

The query is read, multiplied out, and averaged by `symbolic.checks.wishart_entries`, which knows nothing of how
expectations are taken; the formula that is the answer is evaluated at the same sizes, as any value of it is. No answer
leaves without this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial, reduce
from operator import add
from typing import NoReturn, TypeVar

from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.entry_laws import GAUSSIAN, Law
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import constant, matrix
from symbolic.checks.entries import cost_by_entries, expect_by_entries, letter_values
from symbolic.checks.entry_products import Table
from symbolic.checks.frame_moments import MAX_FRAME
from symbolic.checks.joint_moments import JointLaw
from symbolic.checks.wishart_entries import MAX_SIZE, SmallWishart, Term, inverse_counts
from symbolic.grammar.query_tree import Value, tree_value
from symbolic.grammar.tree import Determinant, Element, Node, subtrees, symbols
from symbolic.query.query_words import (
    INVERSE_OF_SIGMA,
    UNIT_NAME,
    Setting,
    monomial_expression,
)
from symbolic.query.value import Matrices, Shown, evaluate
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    MEAN,
    PSEUDO,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    ROWS,
    SIGMA,
    base,
    indices_of,
    is_dimension,
    is_pseudo,
    is_wishart,
    of_rows,
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
    setting: Setting
    law: Law
    effort: float = 1

    @property
    def covariance(self) -> Covariance:
        """That of a row."""
        return self.setting.covariance

    @property
    def needs_rows(self) -> bool:
        """Whether the query is averaged in X itself."""
        return any(map(self.setting.needs_rows, self.averaged.terms))

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
        return (1,) if self.one_column else (*self.orders, 2, 1, 3, 4, 5)

    @cached_property
    def pseudo_inverses(self) -> dict[str, int]:
        """The Wishart matrices with Moore-Penrose inverses, each with the largest number of them in one product."""
        found: dict[str, int] = {}
        for key in self.averaged.terms:
            for name, count in Counter(f for word in key.words for f in word if is_pseudo(f)).items():
                found[base(name)] = max(found.get(base(name), 0), count)
        return found

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """p and the rows of the first Wishart matrix, in the order of preference, at which the answer may be compared."""
        if self.one_column:
            return [*ONE_COLUMN]
        if self.pseudo_inverses:
            most = max(self.pseudo_inverses.values())
            return [(rows + 2 * most, rows) for rows in range(MAX_FRAME, 0, -1)]
        least = least_columns(self.averaged, self.setting)
        # at smaller sizes a determinant is zero, and anything may stand before it
        chosen = [(order, order + 1) for order in self.orders if order > 1]
        return [*chosen, *(pair for pair in SIZES if pair[0] >= least)]

    @property
    def orders(self) -> list[int]:
        """The sizes of determinants in the query."""
        return sorted({part.order for part in subtrees(self.tree) if isinstance(part, Determinant)})

    @cached_property
    def inverses(self) -> dict[str, int]:
        """The Wishart matrices, each with the largest number of its inverses in one product."""
        names = {base(symbol.name) for symbol in symbols(self.tree) if is_wishart(symbol.name)}
        names |= {base(f) for key in self.averaged.terms for word in key.words for f in word if is_wishart(f)}
        names |= {"W" + row_dimension(name)[1:] for name in self.row_letters}
        degrees = dict.fromkeys(sorted(names), 0)
        for monomial in self.averaged.terms:
            for name, count in inverse_counts(monomial.words).items():
                degrees[name] = max(degrees[name], count)
        return degrees

    @cached_property
    def plain_letters(self) -> list[str]:
        """The deterministic letters without a meaning of their own."""
        names = {symbol.name for symbol in symbols(self.tree) if symbol.is_matrix}
        terms = [*self.averaged.terms, *self.formula.terms]
        names |= {base(factor) for key in terms for word in key.words for factor in word}
        return sorted(
            name
            for name in names - {SIGMA, IDENTITY}
            if not (is_wishart(name) or indices_of(name) or of_rows(name))
        )

    @cached_property
    def row_letters(self) -> list[str]:
        """X, M, U and I_n, as far as they occur in the query as it is read."""
        return sorted({symbol.name for symbol in symbols(self.tree) if of_rows(symbol.name)})

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
        } | dict.fromkeys(self.pseudo_inverses, rows)
        gaussian = self.law is GAUSSIAN
        span = range(size)
        lengths = {COLUMNS: size, "1": 1, **{row_dimension(name): count for name, count in counts.items()}}
        root = [[Fraction(i == j) for j in span] for i in span]
        if self.covariance == "general" and gaussian:
            # diagonal: the Gaussian law turns with Sigma, and no letter commutes with it
            root = [[Fraction(int(i == j) * (i + 1)) for j in span] for i in span]
        elif self.covariance == "general":
            root = [[Fraction(i + 2 if i == j else int(abs(i - j) == 1)) for j in span] for i in span]
        letters = {
            name: _letter(k, *(lengths[length] for length in self.setting.shape(name)))
            for k, name in enumerate(self.plain_letters)
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
        rule = None if gaussian else self.law.rule
        rotations = self.setting.rotations
        return SmallWishart(size, counts, letters, root, rule, self.setting.is_complex, rotations)

    def dimensions(self, small: SmallWishart) -> dict[str, int]:
        """Numbers for all dimensions of the query; for those that are no rows of a matrix there, others."""
        rows = {row_dimension(name): number for name, number in small.rows.items()}
        names = {symbol.name for symbol in symbols(self.tree) if is_dimension(symbol.name)}
        others = sorted(names - rows.keys() - {COLUMNS})
        return {**rows, **{name: 7 + k for k, name in enumerate(others)}, COLUMNS: small.size}


def least_columns(query: TracePolynomial, setting: Setting) -> int:
    """The least p for which averages over rotations are by the formula: half the largest number of factors of one."""
    counts = [
        Counter(base(f) for word in key.words for f in word if base(f) in setting.rotations)
        for key in query.terms
    ]
    return max((count // 2 for found in counts for count in found.values()), default=1)


def _letter(number: int, rows: int, columns: int) -> Table:
    """A matrix of small integers, another one for each number."""
    return [
        [Fraction((7 * number + 3 * i + 5 * j + 2 * i * j + 10) % 11 - 4) for j in range(columns)]
        for i in range(rows)
    ]


def examine(answer: Answer) -> tuple[str, ...]:
    """The sizes at which an answer was compared, such as ``n=3 p=2``.

    Raises CheckFailed where it differs, and Refused where no small size can be used.
    """
    read = any(_off_poles(partial(_compare_tree, answer, size), 3) for size in answer.tree_sizes)
    found: list[str] = []
    for size, rows in answer.sizes:
        if len(found) == MOST_SIZES or (found and size > MAX_SIZE and not answer.pseudo_inverses):
            break
        limit = LOW_COST[answer.law is GAUSSIAN] if found else int(MOST_COST * max(1, answer.effort))
        compare = _compare_rows if answer.needs_rows else _compare_means
        found.append(_off_poles(partial(compare, answer, size, limit), rows))
        found = [point for point in found if point]
    if not read or not found:
        raise Refused(
            "there is no small size at which the answer could be checked: shorten the expression, or leave out "
            "divisors that vanish there"
        )
    return tuple(dict.fromkeys(found))


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
    for name in answer.pseudo_inverses:
        # any symmetric matrix: nothing is known of it here
        letters[name + PSEUDO] = 2 * letters[name] + letters[name] * letters[name]
    for k, name in enumerate(answer.row_letters):
        number = dimensions[row_dimension(name)]
        table = _letter(k, number, size if of_rows(name) in (ROWS, MEAN) else number)
        if of_rows(name) == ROW_IDENTITY:
            table = _identity(number)
        elif of_rows(name) == ROW_COVARIANCE:
            table = [[table[min(i, j)][max(i, j)] for j in range(number)] for i in range(number)]
        letters[name] = _exact(table)
        if of_rows(name) == ROWS:
            letters["W" + name[1:]] = letters[name].transpose() * letters[name]
    try:
        value = tree_value(answer.tree, dimensions, letters, size)
        products = answer.averaged.at(dimensions)
    except ZeroDivisionError:
        raise _DivisorVanishes from None
    shape = (value.nrows(), value.ncols()) if isinstance(value, fmpq_mat) else None
    return _same(READ, dimensions, _shown(value), evaluate(products, Matrices(size, letters), shape))


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
    shape = (1, 1)
    if is_matrix:
        lengths = {**dimensions, "1": 1}
        shape = lengths[answer.setting.whole[0]], lengths[answer.setting.whole[1]]
    expected: Table = (
        small.expectation(terms, shape) if terms else [[Fraction(0)] * shape[1] for _ in range(shape[0])]
    )
    matrices = Matrices(size, _letters(small))
    try:
        formula = answer.formula.at(dimensions)
    except ZeroDivisionError:
        _fail(AVERAGED, dimensions, "a value", "a pole")
    shown = _texts(expected) if is_matrix else str(expected[0][0])
    return _same(AVERAGED, dimensions, shown, evaluate(formula, matrices, shape))


def _compare_rows(answer: Answer, size: int, limit: int, rows: int) -> str:
    """The same for a query in X itself: its entries are integrated from E X = M and their covariances U_ij Sigma_ab."""
    dimensions = answer.dimensions(answer.small(size, rows))
    try:
        terms = [
            (coefficient.at({name: Fraction(number) for name, number in dimensions.items()}), monomial)
            for monomial, coefficient in answer.averaged.terms.items()
        ]
    except ZeroDivisionError:
        raise _DivisorVanishes from None
    setting = answer.setting
    # X is a letter of its own here, whatever its mean and its covariances are
    plain = replace(setting, means=frozenset(), correlated=frozenset())
    products = [constant(number) * monomial_expression(key, plain) for number, key in terms]
    expression = reduce(add, products)
    found = expression.letters()
    for kind, lengths in ((MEAN, setting.means), (ROW_COVARIANCE, setting.correlated)):
        for length in lengths:
            name = kind + length[1:]
            found.setdefault(name, matrix(name, length, COLUMNS if kind == MEAN else length).letters()[name])
    values, roots = letter_values(found, dimensions)
    for length in setting.correlated & dimensions.keys():
        root = _exact(values[ROW_COVARIANCE + length[1:]])
        values[ROW_COVARIANCE + length[1:]] = _table(root * root.transpose())
    if INVERSE_OF_SIGMA in values and SIGMA in values:
        values[INVERSE_OF_SIGMA] = _table(_exact(values[SIGMA]).inv())
    joint = {
        name: JointLaw(
            values[MEAN + name[1:]]
            if length in setting.means
            else [[Fraction(0)] * size for _ in range(dimensions[length])],
            values[ROW_COVARIANCE + name[1:]]
            if length in setting.correlated
            else _identity(dimensions[length]),
            values[SIGMA] if setting.covariance == "general" else _identity(size),
        )
        for name, letter in found.items()
        if letter.random and (length := row_dimension(name)) in setting.means | setting.correlated
    }
    if cost_by_entries(expression, dimensions, values, roots, joint) + TERM_COST * answer.length > limit:
        return ""
    expected = expect_by_entries(expression, dimensions, values, roots, joint=joint)
    letters = {name: _exact(table) for name, table in values.items()}
    for name in answer.units:
        row, column = indices_of(name) or (0, 0)
        known = letters.get(UNIT_NAME.format(*sorted((row, column))))
        if known is not None:
            letters[name] = known if row <= column else known.transpose()
    for length, number in dimensions.items():
        if length != COLUMNS:
            letters[ROW_IDENTITY + length[1:]] = _exact(_identity(number))
    try:
        formula = answer.formula.at(dimensions)
    except ZeroDivisionError:
        _fail(AVERAGED, dimensions, "a value", "a pole")
    shown = _texts(expected) if answer.averaged.is_matrix else str(expected[0][0])
    shape = len(expected), len(expected[0])
    return _same(AVERAGED, dimensions, shown, evaluate(formula, Matrices(size, letters), shape))


def _identity(size: int) -> Table:
    return [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]


def _terms(polynomial: TracePolynomial, dimensions: Mapping[str, int]) -> Iterator[Term]:
    numbers = {name: Fraction(number) for name, number in dimensions.items()}
    for monomial, coefficient in polynomial.terms.items():
        yield coefficient.at(numbers), monomial.traces, monomial.word


def _letters(small: SmallWishart) -> dict[str, fmpq_mat]:
    """The deterministic letters and Sigma."""
    return {name: _exact(table) for name, table in {**small.letters, SIGMA: small.covariance}.items()}


def _exact(table: Table) -> fmpq_mat:
    return fmpq_mat([[to_fmpq(x) for x in row] for row in table])


def _table(matrix: fmpq_mat) -> Table:
    return [[to_fraction(x) for x in row] for row in matrix.tolist()]


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
