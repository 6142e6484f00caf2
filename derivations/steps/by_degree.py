"""Moves on sizes: traces bounded by Cauchy-Schwarz or by eigenvalues, and what is left ordered by its degree in a growing size xi.

A word Y with E Y = c I has Y = c I + O(xi^a) elementwise, in mean square, where 2 a is the degree of the mean square of
Y - c I summed over its elements: a sum of squares, so that nothing can cancel, of a number of elements that does not
grow. The exponent is attained: it is sharp.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, Tasks, carries_out
from derivations.steps.chains.products import POWER_OF_SIZE, SIZE, degree_of_powers
from derivations.steps.held import Held
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.move import SQUARED_LENGTH, SecondRoute, without_traces
from derivations.steps.orders import bound_traces
from derivations.steps.rules.exact_routes import extremes
from derivations.steps.rules.far_out import Numbers, log_of, not_of_order
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, identity, matrix, reciprocal, scalar, tr, vector
from symbolic.proofs.asymptotics import Exponent, UndecidedOrder, degree

WORD = "Y"
SEED = 20_210_504


@carries_out
def bound(chain: Chain) -> Chain:
    """Bound (Tr D)^2 by p Tr D^2 in the present scalar; checked as an inequality at random symmetric matrices."""
    square = matrix("D", "p", "p", symmetric=True)
    values = {"trace": tr(square), "trace_of_square": tr(square @ square)}
    after = bound_traces(chain.result)
    return _bounded(chain, Rule.BOUND, after, "D", values, lambda half: half + half.transpose())


@carries_out
def bound_powers(chain: Chain) -> Chain:
    """Bound every Tr Sigma^k by Tr Sigma in the present scalar, for eigenvalues of at most one.

    Checked as an inequality at random such matrices. Raises DoesNotApply where another letter is left.
    """
    before, sigma = chain.result, matrix("Sigma", "p", "p", symmetric=True)
    odd = sorted({*before.letters()} - {"Sigma"})
    if odd:
        raise DoesNotApply(f"{Rule.EIGENVALUES}: no bound is known for traces of {', '.join(odd)}")
    after = without_traces(before, scalar("trace"))
    return _bounded(chain, Rule.EIGENVALUES, after, "Sigma", {"trace": tr(sigma)}, contraction)


def contraction(half: fmpq_mat) -> fmpq_mat:
    """A positive semidefinite matrix over its largest sum of a row, which no eigenvalue exceeds."""
    square = half * half.transpose()
    largest = max(sum((abs(x) for x in row), fmpq(0)) for row in square.tolist())
    return square / largest if largest else square


def _bounded(
    chain: Chain,
    rule: Rule,
    after: Expression,
    letter: str,
    values: Mapping[str, Expression],
    drawn: Callable[[fmpq_mat], fmpq_mat],
) -> Chain:
    before = chain.result

    def second_route() -> SecondRoute:
        return "", not_at_most(before, after, letter, values, drawn)

    return chain.made(Move(rule, before, after, (), (letter,), values, second_route))


def not_at_most(
    before: Expression,
    after: Expression,
    letter: str,
    values: Mapping[str, Expression],
    drawn: Callable[[fmpq_mat], fmpq_mat],
) -> str:
    """Why a scalar in one letter is not at most another, at exact matrices of several sizes; nothing if it is.

    Among these are multiples of the identity, of rank one, with one eigenvalue far from the others, and zero.
    """
    source = random.Random(SEED)
    for p in (1, 2, 3, 5):
        for half in extremes(source, p):
            place = {name: Fraction(source.randint(1, 9)) for name in before.scalars() | after.scalars()}
            at = {**place, "p": p, letter: drawn(half)}
            at |= {name: evaluate(value, at) for name, value in values.items()}
            if evaluate(after - before, at) < 0:
                return f"at a symmetric matrix of size {p} the bound is less than what it bounds"
    return ""


@carries_out
def order(
    chain: Chain, weights: Mapping[str, Exponent], names: Mapping[str, Expression] | None = None
) -> Chain:
    """Order the present scalar by its degree in xi.

    names: what is divided by, whose degrees are taken too. Raises DoesNotApply for zero, or where different terms dominate
    for different delta.
    """
    before, values = chain.result, dict(names or {})
    try:
        below = {name: degree(value, weights) or Exponent(Fraction(0)) for name, value in values.items()}
        found = degree(before, {**weights, **below})
    except (UndecidedOrder, ValueError) as error:
        raise DoesNotApply(f"{Rule.ORDER}: {error}") from None
    if found is None:
        raise DoesNotApply(f"{Rule.ORDER}: it vanishes identically and has no order")
    after = _power(SIZE, found.constant) * _power(POWER_OF_SIZE, found.slope)

    def second_route() -> SecondRoute:
        return "", not_of_degree(before, degree_of_powers(after), weights, values)

    return chain.made(Move(Rule.ORDER, before, after, (), (), values, second_route, weights=weights))


def not_of_degree(
    expr: Expression,
    claimed: Exponent,
    weights: Mapping[str, Exponent],
    values: Mapping[str, Expression] | None = None,
) -> str:
    """Why a scalar is not of the degree claimed, by its values at two very large sizes; nothing if it is.

    values: what names stand for.
    """
    known = values or {}
    names = {name.removeprefix("1/") for one in (expr, *known.values()) for name in one.scalars()}

    def size(at: Numbers) -> float:
        here = {**at, **{name: Fraction(evaluate(one, at)) for name, one in known.items()}}
        return log_of(evaluate(expr, here))

    try:
        return not_of_order(size, claimed, names - known.keys(), weights)
    except ArithmeticError as error:
        return str(error)


def _power(name: str, exponent: Fraction) -> Expression:
    if exponent.denominator != 1:
        raise DoesNotApply(f"{Rule.ORDER}: {name} to the power {exponent} is no whole power")
    return scalar(name if exponent >= 0 else f"1/{name}") ** abs(int(exponent)) if exponent else constant(1)


def concentration(
    word: Expression,
    over: Sequence[Collection[str]],
    weights: Mapping[str, Exponent],
    reads: tuple[str, ...] = (),
    tasks: Tasks | None = None,
    held: Held | None = None,
) -> Chain:
    """Y = c I + O(xi^a): the mean of the diagonal, and the order of the mean square of all elements of Y - c I.

    over: the random letters to average over, in turn; () for all at once. tasks: what stacked letters are made of; all
    blocks are summed over then, also those between tasks. held: compares these with what the steps `reads` state.
    """
    rows = (word.shape or ("",))[0]
    y = matrix(WORD, rows, rows)
    chain = Chain(reciprocal(rows) * tr(y)).define({WORD: word}, *reads)
    _averages(chain, over, tasks, *reads, held=held)
    mean = chain.shows(LEADING).result
    error = y - scalar(LEADING) * identity(rows) if not mean.is_zero else y
    chain.begin(tr(error @ error.T))
    if not mean.is_zero:
        chain.insert({LEADING: mean})
    chain.define({WORD: word}, *reads)
    _averages(chain, over, tasks, *reads, held=held)
    if "D" in chain.result.letters():
        bound(chain)
    return order(chain, weights).shows_degree(ORDER, Fraction(1, 2))


def _averages(
    chain: Chain, over: Sequence[Collection[str]], tasks: Tasks | None, *reads: str, held: Held | None
) -> None:
    if tasks is not None:
        chain.sum_tasks(tasks).insert_blocks(tasks, *reads, held=held)
    random = [name for name, letter in chain.result.letters().items() if letter.random]
    for letters in over or (random,):
        present = [name for name in letters if name in chain.result.letters()]
        if present:
            chain.average(*present)
    if "d" in chain.result.letters():
        start = vector("d", "p")
        chain.name(start.T @ start, SQUARED_LENGTH)
