"""The check of an answer to a moment query: the query averaged at small sizes, entry by entry.

The query is read, multiplied out, and averaged by `symbolic.checks.wishart_entries`, which knows nothing of how
expectations are taken; the formula that is the answer is evaluated at the same sizes, as any value of it is. No answer
leaves without this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce
from operator import add
from typing import NoReturn, TypeVar

from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.entry_laws import GAUSSIAN
from symbolic.algebra.matrices import exact_matrix
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import constant, matrix
from symbolic.checks.entries import cost_by_entries, expect_by_entries, letter_values
from symbolic.checks.entry_products import Table
from symbolic.checks.joint_moments import JointLaw
from symbolic.checks.wishart_entries import MAX_SIZE, SmallWishart, Term
from symbolic.grammar.query_tree import Value, tree_value
from symbolic.query.answer import Answer, fixed_letter
from symbolic.query.query_words import (
    INVERSE_OF_SIGMA,
    UNIT_NAME,
    monomial_expression,
)
from symbolic.query.value import Matrices, Shown, evaluate
from symbolic.wishart.determinant_powers import twice_derivative
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    MEAN,
    PSEUDO,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    ROWS,
    SIGMA,
    indices_of,
    of_rows,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import TracePolynomial

MOST_COST = 60_000_000
"""A query is multiplied out in entries up to about this number of terms, about a second; degree 24 is below."""

MOST_FRAME_COST = 25_000_000
"""The same where frames are averaged column by column, whose terms take longer."""

LOW_COST = {True: 30_000, False: 3_000}
"""More choices of sizes are taken up to this cost; beyond the Gaussian law (False) a term is dearer."""

TERM_COST = 100
"""What a term of the formula costs, so that long formulas are evaluated once."""

MOST_SIZES = 3
"""At how many sizes an answer is compared at most."""

ROOM = 6
"""Numbers of rows that are tried one after the other where a divisor such as n - 3 vanishes."""

LARGEST_FRAME = 2
"""Most rows of a Moore-Penrose inverse that is averaged entry by entry."""

LARGEST_COMPLEX = 2
"""The largest size of complex matrices beside a logarithm."""

Found = TypeVar("Found")


class CheckFailed(ArithmeticError):
    """An answer is not what the query is at small sizes."""


class _DivisorVanishes(Exception):
    """A divisor that the query itself holds is zero at the numbers that are tried."""


def examine(answer: Answer) -> tuple[str, ...]:
    """The sizes at which an answer was compared, such as ``n=3 p=2``.

    Raises CheckFailed where it differs, and Refused where no small size can be used.
    """
    read = any(_off_poles(partial(_compare_tree, answer, size), 3) for size in answer.tree_sizes)
    found: list[str] = []
    for size, rows in answer.sizes:
        if len(found) == MOST_SIZES or (found and size > MAX_SIZE and not answer.pseudo_inverses):
            break
        most = MOST_FRAME_COST if answer.pseudo_inverses else MOST_COST
        limit = LOW_COST[answer.law is GAUSSIAN] if found else int(most * max(1, answer.effort))
        compare = _compare_rows if answer.needs_rows else _compare_means
        found.append(_off_poles(partial(compare, answer, size, limit), rows))
        found = [point for point in found if point]
    if not read or not found:
        raise Refused(
            "there is no small size at which the answer could be checked: shorten the expression, or leave out "
            "divisors that vanish there"
        )
    return tuple(dict.fromkeys(found))


def examine_logarithm(answer: Answer, name: str) -> None:
    """Compare what the logarithm of det(name) adds to an answer with means taken entry by entry.

    Raises CheckFailed where they differ, and Refused where no small size can be used.
    """
    slope = twice_derivative(answer.formula, row_dimension(name), 1 if answer.setting.is_complex else 2)
    beside = replace(answer, formula=slope)
    if name not in answer.inverses:
        if slope.terms:
            _fail(AVERAGED, {}, "independent of the logarithm", "not so")
        return
    if answer.needs_rows:
        raise Refused(
            f"words in X beside the logarithm of a determinant are not checked: write {name} for the product of X' and X, or "
            "leave one of the two out"
        )
    largest = LARGEST_COMPLEX if answer.setting.is_complex else MAX_SIZE
    found = 0
    for size, rows in (*answer.sizes, (1, 3)):
        if found == MOST_SIZES - 1:
            break
        if size <= largest and answer.small(size, rows).rows[name] >= size:
            limit = LOW_COST[True] if found else int(MOST_COST * max(1, answer.effort))
            found += bool(_off_poles(partial(_compare_means, beside, size, limit, beside=name), rows))
    if not found:
        raise Refused(
            "there is no small size at which the logarithm could be checked: shorten the expression"
        )


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
        table = fixed_letter(k, number, size if of_rows(name) in (ROWS, MEAN) else number)
        if of_rows(name) == ROW_IDENTITY:
            table = _identity(number)
        elif of_rows(name) == ROW_COVARIANCE:
            table = [[table[min(i, j)][max(i, j)] for j in range(number)] for i in range(number)]
        letters[name] = exact_matrix(table)
        if of_rows(name) == ROWS:
            letters["W" + name[1:]] = letters[name].transpose() * letters[name]
    try:
        value = tree_value(answer.tree, dimensions, letters, size)
        products = answer.averaged.at(dimensions)
    except ZeroDivisionError:
        raise _DivisorVanishes from None
    shape = (value.nrows(), value.ncols()) if isinstance(value, fmpq_mat) else None
    return _same(READ, dimensions, _shown(value), evaluate(products, Matrices(size, letters), shape))


def _compare_means(answer: Answer, size: int, limit: int, rows: int, beside: str = "") -> str:
    """The average in entries and the formula at one size; "" where that would cost more than `limit`.

    ``beside``: the matrix the logarithm of whose determinant, less its mean, is a factor.
    """
    if size > MAX_SIZE and any(answer.inverses.values()):
        return ""
    if rows > LARGEST_FRAME and answer.pseudo_inverses:
        return ""
    small = replace(answer.small(size, rows), beside=beside)
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
        root = exact_matrix(values[ROW_COVARIANCE + length[1:]])
        values[ROW_COVARIANCE + length[1:]] = _table(root * root.transpose())
    for name in [x for x in values if x.startswith(INVERSE_OF_SIGMA)]:
        covariance = SIGMA + name.removeprefix(INVERSE_OF_SIGMA)
        if covariance in values:
            values[name] = _table(exact_matrix(values[covariance]).inv())
    joint = {
        name: JointLaw(
            values[MEAN + name[1:]]
            if length in setting.means
            else [[Fraction(0)] * size for _ in range(dimensions[length])],
            values[ROW_COVARIANCE + name[1:]]
            if length in setting.correlated
            else _identity(dimensions[length]),
            values[setting.sigma(name)[0]] if setting.sigma(name) else _identity(size),
        )
        for name, letter in found.items()
        if letter.random and (length := row_dimension(name)) in setting.means | setting.correlated
    }
    if cost_by_entries(expression, dimensions, values, roots, joint) + TERM_COST * answer.length > limit:
        return ""
    expected = expect_by_entries(expression, dimensions, values, roots, joint=joint)
    letters = {name: exact_matrix(table) for name, table in values.items()}
    for name in answer.units:
        row, column = indices_of(name) or (0, 0)
        known = letters.get(UNIT_NAME.format(*sorted((row, column))))
        if known is not None:
            letters[name] = known if row <= column else known.transpose()
    for length, number in dimensions.items():
        if length != COLUMNS:
            letters[ROW_IDENTITY + length[1:]] = exact_matrix(_identity(number))
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
    covariances = {name: small.covariance(name) for name in (SIGMA, *small.roots)}
    return {name: exact_matrix(table) for name, table in {**small.letters, **covariances}.items()}


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
