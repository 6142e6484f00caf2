"""The move that differentiates: the derivative in a size or rate at zero, of a scalar whose names depend on it too."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, zero

# steps of central differences; their errors fall with the square of the step
STEPS = (Fraction(1, 2**100), Fraction(1, 2**200))
LEAST_FALL = Fraction(1, 2**150)


def slope_at_zero(chain: Chain, variable: str, names: Mapping[str, Expression], *reads: str) -> Chain:
    """The derivative of the present scalar in a variable, at zero: by the product rule, term by term.

    names: what the names in it stand for, as polynomials in the variable. Raises DoesNotApply where the variable does
    not occur, or something that is divided by is not one at zero.
    """
    before = chain.result
    if before.letters() or before.shape:
        raise DoesNotApply(f"{Rule.DIFFERENTIATE}: {before} is no polynomial in numbers")
    used = {name: value for name, value in names.items() if _occurs(name, before)}
    if not _occurs(variable, before) and not any(_occurs(variable, value) for value in used.values()):
        raise DoesNotApply(f"{Rule.DIFFERENTIATE}: {variable} does not occur")
    at_zero = {name: _first_two(value, variable) for name, value in used.items()}
    generators = [variable, *used, *(INVERSE + name for name in used)]
    after = zero()
    for powers, coefficient in by_powers(before, generators).items():
        value, slope = constant(1), zero()
        for name, power in zip(generators, powers, strict=True):
            if not power:
                continue
            if name == variable:
                start, change = zero(), constant(1)
            else:
                start, change = at_zero[name.removeprefix(INVERSE)]
            if name.startswith(INVERSE):
                if start != constant(1):
                    raise DoesNotApply(f"{Rule.DIFFERENTIATE}: {name} is not one at {variable} = 0")
                change = -change
            below = start ** (power - 1) if power > 1 else constant(1)
            value, slope = value * below * start, slope * below * start + value * power * below * change
        after = after + coefficient * slope

    def second_route() -> SecondRoute:
        return "exact central differences", not_the_slope(before, after, variable, used)

    values = {**used}
    return chain.made(Move(Rule.DIFFERENTIATE, before, after, reads, (variable,), values, second_route))


def _occurs(name: str, expr: Expression) -> bool:
    return bool({name, INVERSE + name} & expr.scalars())


def _first_two(value: Expression, variable: str) -> tuple[Expression, Expression]:
    """The value and the slope at zero of a polynomial in a variable."""
    parts = by_powers(value, [variable])
    return parts.get((0,), zero()), parts.get((1,), zero())


def not_the_slope(
    before: Expression, after: Expression, variable: str, names: Mapping[str, Expression]
) -> str:
    """Why a scalar is not the derivative of another at zero; nothing if it is.

    At exact random values of everything else the central difference comes closer with the square of the step.
    """
    source = random.Random(SEED)
    inside = {n.removeprefix(INVERSE) for expr in (before, after, *names.values()) for n in expr.scalars()}
    place = {name: Fraction(source.randint(1, 9), source.randint(1, 9)) for name in sorted(inside)}

    def at(step: Fraction) -> Fraction:
        here = {**place, variable: step}
        here |= {name: Fraction(evaluate(value, here)) for name, value in names.items()}
        return Fraction(evaluate(before, here))

    claimed = Fraction(evaluate(after, place))
    wide, narrow = (abs((at(step) - at(-step)) / (2 * step) - claimed) for step in STEPS)
    return "" if narrow <= LEAST_FALL * wide else "central differences do not come close to it"
