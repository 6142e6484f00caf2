"""The average over inputs that are 1 or -1 of what two rows leave of the outer problem: every choice of inputs, one by one.

Two rows of B may be parallel with positive probability; then the inverse of B B^T is a pseudo-inverse, and where they
are so at one rate alone the average grows without bound beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import add
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mat, fmpq_poly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.stacked import Tasks
from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import Letter
from symbolic.algebra.matrices import exact_matrix
from symbolic.algebra.quotients import Rational
from symbolic.algebra.words import Expression, constant, matrix, polynomial, reciprocal, scalar, tr

VALUES = (1, -1)
DENOMINATOR = "d"
DESIGN, NOISE = "B", "Gamma"
# rates at which the second route takes pseudo-inverses of numbers, and what all other scalars are there
RATES, OTHERS = (Fraction(-2, 5), Fraction(1, 7)), Fraction(2, 3)
# the elements of a task's row of B and of its noise, as polynomials in the rate
Row: TypeAlias = tuple[tuple[tuple[fmpq, ...], ...], tuple[fmpq, ...]]
Sizes = Mapping[str, int]


@carries_out
def average_inputs(
    chain: Chain, inverse: str, tasks: Tasks, sizes: Sizes, variable: str, *reads: str
) -> Chain:
    """The mean of a scalar times Tr (B B^T)^+ Gamma over two tasks with one validation row each, inputs 1 or -1 alike.

    inverse: the letter of the pseudo-inverse. tasks: the blocks of B and Gamma. sizes: of the inputs. The mean is one fraction in
    the variable, its denominator written `DENOMINATOR`, which is one at zero unless it vanishes there. Raises DoesNotApply where the present expression
    is another.
    """
    before = chain.result
    trace = tr(matrix(inverse, "N", "N", symmetric=True) @ matrix(NOISE, "N", "N", symmetric=True))
    if before.shape or len(before.terms) != 1 or before.terms.keys() != trace.terms.keys():
        raise DoesNotApply(f"{Rule.SIGNS}: {before} is not the trace of {inverse} {NOISE}")
    rows = Counter(_row(tasks, sizes, place, variable) for place in _places(tasks, sizes))
    by_bottom: dict[tuple[fmpq, ...], fmpq_poly] = {}
    for (one, often), (other, as_often) in product(rows.items(), repeat=2):
        top, bottom = _trace(one, other)
        key = tuple(bottom.coeffs())
        by_bottom[key] = by_bottom.get(key, fmpq_poly([0])) + top * (often * as_often)
    count = Rational.number(sum(rows.values()) ** 2)
    (factor,) = before.terms.values()
    found = (
        Rational.polynomial(factor)
        / count
        * reduce(
            add,
            (
                _written(top, variable) / _written(fmpq_poly([*key]), variable)
                for key, top in by_bottom.items()
            ),
        )
    )
    reduced = found.reduced()
    top_of, bottom_of = polynomial(reduced.numerator), polynomial(reduced.denominator)
    at_zero = bottom_of.replace({variable: constant(0)}) if variable in bottom_of.scalars() else bottom_of
    values: dict[str, Expression] = {}
    scale = constant(1) if at_zero == constant(0) else constant(1 / Fraction(evaluate(at_zero, {})))
    after = scale * top_of
    if variable in bottom_of.scalars():
        after, values = after * reciprocal(DENOMINATOR), {DENOMINATOR: scale * bottom_of}

    def second_route() -> SecondRoute:
        said = not_the_mean(before, after, values, inverse, tasks, sizes, variable)
        return "pseudo-inverses by rank factorization, at every choice of inputs", said

    letters = tuple(sorted(tasks.blocks[DESIGN]("1").letters()))
    return chain.made(Move(Rule.SIGNS, before, after, reads, letters, values, second_route))


def _written(poly: fmpq_poly, variable: str) -> Rational:
    total = constant(0)
    for power, number in enumerate(poly.coeffs()):
        total = total + constant(to_fraction(number)) * scalar(variable) ** power
    return Rational.polynomial(total.coefficient())


def _inputs(tasks: Tasks) -> dict[str, Letter]:
    return {name: x for name, x in tasks.blocks[DESIGN]("1").letters().items() if x.random}


def _places(tasks: Tasks, sizes: Sizes) -> Iterator[dict[str, fmpq_mat]]:
    """Every choice of one task's inputs."""
    letters = _inputs(tasks)
    shapes = {name: (sizes[x.rows], sizes[x.columns]) for name, x in letters.items()}
    for entries in product(VALUES, repeat=sum(a * b for a, b in shapes.values())):
        rest, place = list(entries), {}
        for name, (a, b) in shapes.items():
            place[name], rest = fmpq_mat(a, b, rest[: a * b]), rest[a * b :]
        yield place


def _elements(expr: Expression, values: Mapping[str, Any]) -> list[fmpq]:
    found = evaluate(expr, values)
    return [*(found if isinstance(found, fmpq_mat) else exact_matrix(found)).entries()]


def _row(tasks: Tasks, sizes: Sizes, place: Mapping[str, fmpq_mat], variable: str) -> Row:
    """One task's row of B and element of Gamma, which hold no other scalar than the rate and sizes."""

    def polynomials(expr: Expression) -> list[list[fmpq]]:
        """For each element its coefficients."""
        parts = {
            power: _elements(part, {**sizes, **place})
            for (power,), part in by_powers(expr, [variable]).items()
        }
        none = [fmpq(0)] * len(next(iter(parts.values())))
        by_power = [parts.get(power, none) for power in range(max(parts) + 1)]
        return [[*element] for element in zip(*by_power, strict=True)]

    row, (noise,) = (polynomials(tasks.blocks[name]("1")) for name in (DESIGN, NOISE))
    return tuple(map(tuple, row)), tuple(noise)


def _trace(one: Row, other: Row) -> tuple[fmpq_poly, fmpq_poly]:
    """Tr G^+ Gamma of G = B B^T as a fraction: by the adjugate of G, or, where it has rank one, by G / (Tr G)^2."""
    (b, c), (noise, and_noise) = (
        [[fmpq_poly([*x]) for x in row] for row, _ in (one, other)],
        [fmpq_poly([*x]) for _, x in (one, other)],
    )
    across, first, second = (
        sum((x * y for x, y in zip(left, right, strict=True)), fmpq_poly([0]))
        for left, right in ((b, c), (b, b), (c, c))
    )
    determinant = first * second - across**2
    if determinant:
        return second * noise + first * and_noise, determinant
    if not first + second:
        return fmpq_poly([0]), fmpq_poly([1])
    return first * noise + second * and_noise, (first + second) ** 2


# -- the second route ----------------------------------------------------------------------------------------


def not_the_mean(
    before: Expression,
    after: Expression,
    values: Mapping[str, Expression],
    inverse: str,
    tasks: Tasks,
    sizes: Sizes,
    variable: str,
) -> str:
    """Why a scalar is not the mean of another over all inputs, at rates that are put in first; nothing if it is."""
    names = {name.removeprefix("1/") for name in (*before.scalars(), *after.scalars())} - values.keys()
    for rate in RATES:
        scalars = {**dict.fromkeys(names, OTHERS), variable: rate}
        drawn = Counter(
            tuple(
                tuple(_elements(tasks.blocks[name]("1"), {**sizes, variable: rate, **place}))
                for name in (DESIGN, NOISE)
            )
            for place in _places(tasks, sizes)
        )
        total = Fraction(0)
        for (one, often), (other, as_often) in product(drawn.items(), repeat=2):
            (b, noise), (c, and_noise) = one, other
            square = pseudo_inverse(fmpq_mat([[*b], [*c]]))
            square = square.transpose() * square
            place = {inverse: square, NOISE: fmpq_mat([[*noise, 0], [0, *and_noise]])}
            total += often * as_often * Fraction(evaluate(before, {**scalars, **place}))
        ends = dict(scalars)
        for name, value in values.items():
            ends[name] = Fraction(evaluate(value, scalars))
        if total / sum(drawn.values()) ** 2 != Fraction(evaluate(after, ends)):
            return f"taken one by one at {variable} = {rate} the mean is another"
    return ""


def pseudo_inverse(b: fmpq_mat) -> fmpq_mat:
    """B^+ = F^T (F F^T)^-1 (C^T C)^-1 C^T of B = C F, F the nonzero rows of its echelon form and C the columns of its pivots."""
    form, rank = b.rref()
    rows = fmpq_mat([[form[i, j] for j in range(b.ncols())] for i in range(rank)])
    pivots = [next(j for j in range(b.ncols()) if form[i, j] != 0) for i in range(rank)]
    columns = fmpq_mat([[b[i, j] for j in pivots] for i in range(b.nrows())])
    return (
        rows.transpose()
        * (rows * rows.transpose()).inv()
        * (columns.transpose() * columns).inv()
        * columns.transpose()
    )
