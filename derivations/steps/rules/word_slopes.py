"""Moves that differentiate words: in a rate, averaging what the derivative is linear in; and in a Gaussian matrix, by parts.

Stein: the mean of a word that is linear in one occurrence of a Gaussian X is that of the word with a copy Y in its place and the
derivative of all the rest in the direction of the same Y, averaged over Y; an inverse R of S(X) has the derivative -R dS R.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.derivatives import LEAST_FALL, STEPS
from derivations.steps.rules.exact_routes import SEED, random_matrix
from derivations.steps.rules.stacked import Tasks
from derivations.steps.second_routes import compared
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE
from symbolic.algebra.words import Expression, constant, letter_expression, polynomial, scalar, zero
from symbolic.averages.expectation import expect
from symbolic.averages.pairings import expect_by_pairings

SMALL = "small"
# letters in their order, each with whether it is transposed
Word = tuple[tuple[str, bool], ...]
# powers of the inverse's series that are compared: with the terms of the first two all of the derivative is seen
SERIES = 2


@carries_out
def slope_of_words(
    chain: Chain,
    variable: str,
    slopes: Mapping[str, Expression],
    inverses: Mapping[str, Expression],
    sizes: Mapping[str, int],
    *reads: str,
) -> Chain:
    """The derivative of the present scalar in a variable at zero, where letters depend on it: by the product rule.

    slopes: the derivatives of letters, as letters. inverses: letters that are the inverse of a word. sizes: at which
    central differences are taken. Raises DoesNotApply where no letter depends on the variable.
    """
    before = chain.result
    here = before.letters()
    changes = {name: slope for name, slope in slopes.items() if name in here}
    for name, word in inverses.items():
        if name in here:
            inverse = letter_expression(here[name])
            changes[name] = -1 * inverse @ _linear_part(word, slopes) @ inverse
    if not changes:
        raise DoesNotApply(f"{Rule.DIFFERENTIATE}: no letter of {before} depends on {variable}")
    after = _linear_part(before, changes)

    def second_route() -> SecondRoute:
        return "exact central differences", _not_the_slope_of_words(before, after, slopes, inverses, sizes)

    return chain.made(
        Move(Rule.DIFFERENTIATE, before, after, reads, (variable,), {}, second_route, inverses=dict(inverses))
    )


def coefficient(expr: Expression, variable: str, power: int) -> Expression:
    """The coefficient of a power of a variable in a word."""
    return by_powers(expr, [variable]).get((power,), zero(*expr.shape) if expr.shape else zero())


def _linear_part(expr: Expression, changes: Mapping[str, Expression]) -> Expression:
    """What is linear in the changes of letters."""
    letters = expr.letters()
    moved = {
        name: letter_expression(letters[name]) + scalar(SMALL) * change
        for name, change in changes.items()
        if name in letters
    }
    return coefficient(expr.replace(moved), SMALL, 1)


def _not_the_slope_of_words(
    before: Expression,
    after: Expression,
    slopes: Mapping[str, Expression],
    inverses: Mapping[str, Expression],
    sizes: Mapping[str, int],
) -> str:
    """Why a scalar is not the derivative of another at zero; nothing if it is, at exact random matrices."""
    source = random.Random(SEED)
    place: dict[str, object] = dict(sizes)
    letters = {**before.letters(), **after.letters()}
    for word in inverses.values():
        letters |= word.letters()
    for name, x in sorted(letters.items()):
        if name not in inverses:
            shape = [1 if side == ONE else sizes[side] for side in (x.rows, x.columns)]
            place[name] = random_matrix(source, *shape, symmetric=x.symmetric)

    def at(step: Fraction, expr: Expression) -> Fraction:
        here = dict(place)
        for name, slope in slopes.items():
            if name in letters:
                moved = letter_expression(letters[name]) + scalar(SMALL) * slope
                here[name] = evaluate(moved, {**place, SMALL: step})
        for name, word in inverses.items():
            here[name] = evaluate(word, here).inv()
        return Fraction(str(evaluate(expr, here)))

    claimed = at(Fraction(0), after)
    wide, narrow = (abs((at(h, before) - at(-h, before)) / (2 * h) - claimed) for h in STEPS)
    return "" if narrow <= LEAST_FALL * wide else "central differences do not come close to it"


@carries_out
def average_linear(
    chain: Chain,
    means: Mapping[str, Expression],
    over: tuple[str, ...],
    tasks: Tasks,
    inverses: Mapping[str, Expression],
    *reads: str,
) -> Chain:
    """The average over data of a task that stand only in letters of which every term holds one: their means put in.

    means: the stacked letter of which the mean of each is a multiple, which the engine finds. over: the data, without the
    label of a task. Raises DoesNotApply where a term holds another number of these letters, or a mean is no such multiple.
    """
    rule, before = Rule.LINEAR, chain.result
    for term in before.terms:
        words = (*term.traces, term.word or ())
        if sum(factor.name in means for word in words for factor in word) != 1:
            raise DoesNotApply(f"{rule}: a term of {before} does not hold one of {', '.join(means)}")
    values, blocks = {}, {}
    for name, letter in means.items():
        (stem,) = letter.letters()
        block, like = tasks.blocks[name]("1"), tasks.blocks[stem]("1")
        data = [f"{x}1" for x in over]
        mean = expect(block, [x for x in data if x in block.letters()])
        (term, *_) = like.terms
        factor = polynomial(mean.terms[term]) if term in mean.terms else constant(0)
        if mean != factor * like:
            raise DoesNotApply(f"{rule}: the mean of {name} is no multiple of {letter}")
        values[name], blocks[name] = factor * letter, (block, mean)

    def second_route() -> SecondRoute:
        found = (compared(block, [f"{x}1" for x in over], mean, {})[1] for block, mean in blocks.values())
        return "the means of blocks by pairings", next(filter(None, found), "")

    return chain.made(
        Move(
            rule,
            before,
            before.replace(values),
            reads,
            tuple(means),
            {},
            second_route,
            inverses=dict(inverses),
            tasks=tasks,
        )
    )


@carries_out
def by_parts(
    chain: Chain,
    data: str,
    copy: str,
    marks: Mapping[Word, Expression],
    inverses: Mapping[str, Expression],
    *reads: str,
) -> Chain:
    """The average over a Gaussian matrix of one occurrence in each marked term, by parts.

    marks: a word before that occurrence and with it, and the same with the copy; terms without one stay as they are. inverses:
    letters that are the inverse of a word. Raises DoesNotApply where marks change more, or a term gets two copies.
    """
    rule, before = Rule.STEIN, chain.result
    marked = before.rewrite(marks)
    letters = {**before.letters(), **marked.letters()}
    if copy not in marked.letters() or marked.replace({copy: letter_expression(letters[data])}) != before:
        raise DoesNotApply(f"{rule}: {copy} does not mark occurrences of {data} in {before}")
    linear = coefficient(marked.replace({copy: scalar(SMALL) * letter_expression(letters[copy])}), SMALL, 1)
    rest = marked - linear
    if copy in rest.letters():
        raise DoesNotApply(f"{rule}: a term of {marked} has several copies")
    after = rest + _by_parts_of(linear, data, letter_expression(letters[copy]), copy, inverses)

    def second_route() -> SecondRoute:
        return "series of the inverses, by pairings", _other_series(before, after, data, inverses)

    return chain.made(Move(rule, before, after, reads, (data,), {}, second_route, inverses=dict(inverses)))


def _by_parts_of(
    linear: Expression, data: str, direction: Expression, copy: str, inverses: Mapping[str, Expression]
) -> Expression:
    """The derivative of all but the copy, in the direction of the copy, averaged over it."""
    here, changes = linear.letters(), {data: direction}
    for name, word in inverses.items():
        if name in here and data in word.letters():
            inverse = letter_expression(here[name])
            changes[name] = -1 * inverse @ _linear_part(word, {data: direction}) @ inverse
    return expect(_linear_part(linear, changes), {copy})


def _other_series(
    before: Expression, after: Expression, data: str, inverses: Mapping[str, Expression]
) -> str:
    """Why two expressions have other means over the data: a power of a series in which they differ; nothing if none is found.

    The identity holds for the inverse of I + S as for that of S: with the fixed letters in S made small, both are series of
    polynomials in the data, of which the means are sums over pairings.
    """
    series: dict[str, Expression] = {}
    small: dict[str, Expression] = {}
    for name, word in inverses.items():
        if data not in word.letters():
            continue
        for fixed, letter in word.letters().items():
            if fixed != data:
                small[fixed] = scalar(SMALL) * letter_expression(letter)
        one = (letter_expression((before.letters() | after.letters())[name])) ** 0
        terms = [constant((-1) ** k) * word**k for k in range(SERIES + 1)]
        series[name] = sum(terms[1:], one)
    degree = max(
        sum(factor.name in small for factor in term.word or ())
        for word in inverses.values()
        for term in word.terms
    )
    for power in range(SERIES * degree + 1):
        left, right = (
            expect_by_pairings(coefficient(side.replace(series).replace(small), SMALL, power), {data})
            for side in (before, after)
        )
        if left != right:
            return f"at power {power} of the fixed letters the means differ"
    return ""
