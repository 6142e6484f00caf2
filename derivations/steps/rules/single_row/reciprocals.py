"""Moves for the mean of K / M with positive M and K that is not negative: an exact expansion, and bounds from either side.

For any number g, 1/M = 2 g - g^2 M + (1 - g M)^2 / M, whose last term is not negative. Where M is a sum of squares c_j^2 pi_j with
positive products pi_j, it is at least the last of them. R stands for 1/M.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import INVERSE, inverse_of
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, polynomial, reciprocal, scalar, zero

TRIALS = 48
# what is far larger or smaller than all else
FAR = (Fraction(1), Fraction(1), Fraction(1000), Fraction(1, 1000))


@carries_out
def expand_reciprocal(chain: Chain, over: str, below: str, about: Expression) -> Chain:
    """R = 1/M by its value and slope at M = 1/g, and the last term exactly. Raises DoesNotApply unless R stands there once."""
    before = chain.result
    once = _factor_of(before, over)
    rest = constant(1) - about * scalar(below)
    after = once * (2 * about - about**2 * scalar(below)) + once * rest**2 * scalar(over)

    def second_route() -> SecondRoute:
        for place in _places((before, after), {}, over, below):
            if evaluate(before, place) != evaluate(after, place):
                return "", "the two sides differ at exact random numbers"
        return "", ""

    values = {over: reciprocal(below)}
    return chain.made(Move(Rule.INVERSE, before, after, (), (over,), values, second_route))


@carries_out
def at_least_last_square(
    chain: Chain,
    over: str,
    below: str,
    values: Mapping[str, Expression],
    squares: Sequence[tuple[Expression, Expression]],
) -> Chain:
    """R is at most one over the last of the squares c^2 pi that make up M.

    values: what M and K stand for. Raises DoesNotApply where the squares do not make M up, or the last is no product.
    """
    before = chain.result
    total = zero()
    for root, product in squares:
        total = total + root**2 * product
    if total != values[below]:
        raise DoesNotApply(f"{Rule.COMPONENT}: the squares do not make up {below}")
    root, product = squares[-1]
    last = (root**2 * product).coefficient()
    if len(list(last.terms())) != 1 or any(len(one.terms) != 1 for _, one in squares):
        raise DoesNotApply(f"{Rule.COMPONENT}: the last square is no product")
    parts = by_powers(before, [over])
    after = parts.get((0,), zero()) + _factor_of(before, over) * polynomial(inverse_of(last))

    def second_route() -> SecondRoute:
        return "exact random numbers", not_at_most(before, after, values, over, below)

    return chain.made(Move(Rule.COMPONENT, before, after, (), (over,), dict(values), second_route))


@carries_out
def at_least_tangent(chain: Chain, over: str, below: str, about: str) -> Chain:
    """K R is at least K (2 g - g^2 M) for any number g. Raises DoesNotApply where R does not stand once, or g stands there."""
    before = chain.result
    g, m = scalar(about), scalar(below)
    if about in before.scalars():
        raise DoesNotApply(f"{Rule.TANGENT}: {about} stands in {before}")
    after = _factor_of(before, over) * (2 * g - g**2 * m)

    def second_route() -> SecondRoute:
        return "exact random numbers", not_at_most(after, before, {}, over, below)

    return chain.made(Move(Rule.TANGENT, before, after, (), (over,), {over: reciprocal(below)}, second_route))


def _factor_of(expr: Expression, name: str) -> Expression:
    parts = by_powers(expr, [name])
    if max(parts, default=(0,)) != (1,):
        raise DoesNotApply(f"{Rule.INVERSE}: {name} does not stand once in {expr}")
    return parts[1,]


def not_at_most(
    before: Expression, after: Expression, values: Mapping[str, Expression], over: str, below: str
) -> str:
    """Why a scalar is not at most another, at exact numbers with R = 1/M, M positive and all else not negative; nothing if it is."""
    for place in _places((before, after, *values.values()), values, over, below):
        low, high = (Fraction(evaluate(side, place)) for side in (before, after))
        if low > high:
            return f"at exact random numbers {float(low):.3g} is more than {float(high):.3g}"
    return ""


def _places(
    exprs: Sequence[Expression], values: Mapping[str, Expression], over: str, below: str
) -> Iterator[dict[str, Fraction]]:
    """Exact random numbers for all names, M and R = 1/M among them."""
    source = random.Random(SEED)
    names = {name.removeprefix(INVERSE) for expr in exprs for name in expr.scalars()} | {below}
    found = 0
    while found < TRIALS:
        place = {
            name: Fraction(source.randint(1, 99), source.randint(1, 30)) * source.choice(FAR)
            for name in sorted(names - values.keys() - {over})
        }
        if "alpha_t" in place:
            place["alpha_t"] *= source.choice((1, -1))
        for name, value in values.items():
            place[name] = Fraction(evaluate(value, place))
        if place[below] > 0:
            found += 1
            yield {**place, over: 1 / place[below]}
