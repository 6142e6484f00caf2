"""Second routes at exact random matrices: definitions put in, inverses expanded, sums over tasks taken one by one."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from derivations.language.normal_form import quotient
from derivations.steps.rules.stacked import Tasks, unlike
from symbolic.algebra.coefficients import INVERSE, to_fraction
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.matrices import exact_matrix, multiple
from symbolic.algebra.quotients import Rational
from symbolic.algebra.words import Expression

# sizes at which exact random matrices are drawn: unequal, so that no two dimensions are taken for one another
EXACT_SIZES = (2, 3, 4, 5)
SEED = 20_210_503


def random_matrix(source: random.Random, rows: int, columns: int, *, symmetric: bool = False) -> fmpq_mat:
    """A random matrix of small fractions."""
    entries = [
        [fmpq(source.randint(-5, 5), source.randint(1, 3)) for _ in range(columns)] for _ in range(rows)
    ]
    found = fmpq_mat(entries)
    return found + found.transpose() if symmetric and rows == columns else found


def inverse_of_chi_square(freedom: int) -> Fraction:
    """The mean of one over a chi-square variable, by its gamma integral."""
    half = sympy.Rational(freedom, 2)
    return Fraction(str(sympy.gamma(half - 1) / (2 * sympy.gamma(half))))


def moment_of_beta(first: Fraction, second: Fraction, power: int) -> Fraction:
    """The mean of a power of a beta variable, by its beta integral; 1 where the second parameter is 0."""
    a, whole = sympy.Rational(str(first)), sympy.Rational(str(first + second))
    ratio = sympy.gamma(a + power) * sympy.gamma(whole) / (sympy.gamma(a) * sympy.gamma(whole + power))
    return Fraction(str(ratio))


def extremes(source: random.Random, size: int, count: int = 12) -> Iterator[fmpq_mat]:
    """Random square matrices, and those at which an inequality would fail first.

    Multiples of the identity, ranks down to zero, one entry or one row far larger or smaller than all others.
    """
    one = multiple(size)
    for far in (fmpq(1), fmpq(1000), fmpq(1, 1000)):
        yield one * far
        scaled = random_matrix(source, size, size)
        for k in range(size):
            scaled[0, k] = scaled[0, k] * far
        yield scaled
        corner = fmpq_mat(size, size)
        corner[size - 1, size - 1] = far
        yield corner
        yield one + corner * far
    yield fmpq_mat(size, size)
    for _ in range(count):
        yield random_matrix(source, size, size)


def invertible_matrix(source: random.Random, size: int) -> fmpq_mat:
    """A random matrix that has an inverse."""
    while True:
        found = random_matrix(source, size, size)
        if found.det() != 0:
            return found


def _dimensions(exprs: Collection[Expression]) -> list[str]:
    sizes = {side for expr in exprs for x in expr.letters().values() for side in (x.rows, x.columns)}
    return sorted((sizes | {side for expr in exprs for side in expr.shape or ()}) - {ONE})


def _put(place: dict[str, Any], values: Mapping[str, Expression], inverses: Mapping[str, Expression]) -> None:
    """Give letters and names that stand for something their values; raises ZeroDivisionError for a singular inverse."""
    for name, expr in in_order(values, inverses):
        found = evaluate(expr, place)
        if not expr.is_scalar and not isinstance(found, fmpq_mat):
            found = exact_matrix(found)
        place[name] = found.inv() if name in inverses else found


def in_order(
    values: Mapping[str, Expression], inverses: Mapping[str, Expression]
) -> list[tuple[str, Expression]]:
    """Definitions in an order in which each rests on earlier ones only; raises ValueError when there is none."""
    pending = {**values, **inverses}
    found: list[tuple[str, Expression]] = []
    while pending:
        ready = [
            name
            for name, expr in pending.items()
            if not pending.keys() & {x.removeprefix(INVERSE) for x in (*expr.letters(), *expr.scalars())}
        ]
        if not ready:
            raise ValueError(f"{', '.join(pending)} would stand for something it is part of")
        found += [(name, pending.pop(name)) for name in ready]
    return found


def put_in(whole: Rational, values: Mapping[str, Expression]) -> Rational:
    """A quotient with scalar definitions written out in it, those in one another too."""
    for name, value in reversed(in_order(values, {})):
        if name in whole.names():
            whole = whole.replace(name, quotient(value))
    return whole


def differs_exactly(
    before: Expression,
    after: Expression,
    values: Mapping[str, Expression],
    inverses: Mapping[str, Expression] | None = None,
) -> str:
    """Why `after` is not `before` with the values put in, at exact random rational matrices; nothing if it is.

    The values are evaluated first, as matrices of numbers, and put into `before`; the algebra of words has no part
    in that.
    """
    source = random.Random(SEED)
    inverse = inverses or {}
    exprs = (before, after, *values.values(), *inverse.values())
    letters: dict[str, Letter] = {}
    names: set[str] = set()
    for expr in exprs:
        letters |= expr.letters()
        names |= expr.scalars()
    dimensions = _dimensions(exprs)
    # an inverse wants the larger of its two dimensions inside
    for order in (EXACT_SIZES, EXACT_SIZES[: max(len(dimensions), 1)][::-1]):
        place: dict[str, Any] = {name: order[k % len(order)] for k, name in enumerate(dimensions)}
        size = {ONE: 1, **place}
        for name in sorted(names | {n.removeprefix(INVERSE) for n in names}):
            if not name.startswith(INVERSE) and name not in values:
                place.setdefault(name, Fraction(source.randint(1, 9), source.randint(1, 9)))
        for name, letter in sorted(letters.items()):
            if name not in values and name not in inverse and not letter.unit:
                sides = int(size[letter.rows]), int(size[letter.columns])
                place[name] = random_matrix(source, *sides, symmetric=letter.symmetric)
        try:
            _put(place, values, inverse)
        except ZeroDivisionError:
            continue
        sides = (evaluate(before, place), evaluate(after, place))
        left, right = (exact_matrix(x) if isinstance(x, list) else x for x in sides)
        return "" if left == right else "the two sides differ at exact random matrices"
    return "no sizes were found at which the inverses exist"


def entries(value: Any) -> Any:
    """A flint matrix as rows of fractions, the form in which a matrix of zeros comes; a number unchanged."""
    return [[to_fraction(x) for x in row] for row in value.tolist()] if isinstance(value, fmpq_mat) else value


def differs_on_stacks(before: Expression, after: Expression, tasks: Tasks) -> str:
    """Why `after`, in labelled letters, is not the sum over tasks that `before` is; nothing if it is.

    Exact random blocks are drawn for up to four tasks and put together to stacked matrices, at which `before` is
    evaluated; `after` is evaluated with the blocks themselves, averaged over which task bears which label. That the
    tasks are alike is checked on their definitions.
    """
    odd = unlike(after, tasks)
    if odd:
        return odd
    source = random.Random(SEED)
    letters = {**after.letters(), **before.letters()}
    labelled = {*tasks.definitions(after)}
    stacked = {name: x for name, x in letters.items() if tasks.stacked in (x.rows, x.columns)}
    names = sorted({n.removeprefix(INVERSE) for n in before.scalars() | after.scalars()})
    most = max((int(name[len(name.rstrip("0123456789")) :]) for name in labelled), default=1)
    for count in range(1, most + 2):
        sizes: dict[str, int] = {tasks.rows: 2, tasks.stacked: 2 * count, tasks.count: count}
        for k, name in enumerate(d for d in _dimensions((before, after)) if d not in sizes):
            sizes[name] = EXACT_SIZES[(k + 1) % len(EXACT_SIZES)]
        place: dict[str, Any] = dict(sizes)
        for name in names:
            place.setdefault(name, Fraction(source.randint(1, 9), source.randint(1, 9)))
        size = {ONE: 1, **sizes}
        drawn: dict[str, list[fmpq_mat]] = {}
        for name, x in letters.items():
            if name in stacked:
                sides = [2 if side == tasks.stacked else size[side] for side in (x.rows, x.columns)]
                drawn[name] = [
                    random_matrix(source, *sides, symmetric=x.symmetric) for _ in range(max(count, most))
                ]
                place[name] = stack(drawn[name][:count], diagonal=x.rows == x.columns == tasks.stacked)
            elif name not in labelled and not x.unit:
                place[name] = random_matrix(source, size[x.rows], size[x.columns], symmetric=x.symmetric)
        total: Any = None
        for order in permutations(range(count)):
            tasks_by_label = (*order, *range(count, most))
            for name in labelled:
                stem = name.rstrip("0123456789")
                place[name] = drawn[stem][tasks_by_label[int(name[len(stem) :]) - 1]]
            value = evaluate(after, place)
            total = value if total is None else total + value
        left = evaluate(before, place)
        scale = fmpq(1, factorial(count)) if isinstance(total, fmpq_mat) else Fraction(1, factorial(count))
        if left != total * scale:
            return f"summed over {count} tasks one by one it is another"
    return ""


def stack(blocks: list[fmpq_mat], *, diagonal: bool) -> fmpq_mat:
    """Blocks one below the other, or on the diagonal."""
    rows = [[block[i, j] for j in range(block.ncols())] for block in blocks for i in range(block.nrows())]
    if diagonal:
        width = blocks[0].ncols()
        rows = [
            [fmpq(0)] * (width * k)
            + [block[i, j] for j in range(width)]
            + [fmpq(0)] * (width * (len(blocks) - k - 1))
            for k, block in enumerate(blocks)
            for i in range(block.nrows())
        ]
    return fmpq_mat(rows)
