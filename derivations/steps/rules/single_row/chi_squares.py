"""The move that averages a polynomial over independent chi-square variables, which it may be divided by once each.

The engine takes one variable after the other, E s^k = f (f + 2) ... (f + 2 k - 2), with degrees of freedom f that are polynomials
themselves; E h(s) / s is E h(s) with two degrees fewer, over f - 2. The second route takes gamma integrals of all terms at numbers.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import lru_cache

import sympy
from flint import fmpq, fmpq_mpoly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.domains import ANYWHERE, Where
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import (
    INVERSE,
    NUMBERS,
    cancel_inverses,
    context,
    lift,
    names_of,
    number,
    substitute,
    to_fmpq,
    to_fraction,
    union,
)
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, polynomial, reciprocal, scalar

# sizes at which the second route takes gamma integrals
TRIALS = 2


@carries_out
def average_chi_squares(
    chain: Chain,
    freedom: Mapping[str, Expression],
    divided: str = "",
    *reads: str,
    where: Where = ANYWHERE,
) -> Chain:
    """The mean of the present scalar over independent chi-square variables with these degrees of freedom.

    divided: the name of the product of all degrees less two, where all terms are divided by each variable once. Raises DoesNotApply
    where a variable is divided by otherwise. where: for which sizes these are their degrees.
    """
    before, degrees, names = chain.result, dict(freedom), list(freedom)
    rest, values = before, {}
    if divided:
        below = product = constant(1)
        for name in names:
            product = product * scalar(name)
            degrees[name] = degrees[name] - constant(2)
            below = below * degrees[name]
        rest, values = before * product, {divided: below}
    if any(INVERSE + name in rest.scalars() for name in names):
        raise DoesNotApply(f"{Rule.CHI_SQUARE}: it is divided by a variable otherwise than once")
    after = _mean(rest, degrees)
    if divided:
        after = after * reciprocal(divided)

    def second_route() -> SecondRoute:
        return "gamma integrals", not_the_mean(before, after, freedom, values)

    return chain.made(
        Move(Rule.CHI_SQUARE, before, after, reads, tuple(names), values, second_route, where=where)
    )


def _mean(expr: Expression, freedom: Mapping[str, Expression]) -> Expression:
    """The mean over one variable after the other: of all terms with the same powers of the others at once."""
    whole, ring = expr.coefficient(), NUMBERS
    factors = {name: value.coefficient() for name, value in freedom.items()}
    for one in factors.values():
        ring = union(ring, one.context())
    labels = names_of(whole.context())
    others = [place for place, name in enumerate(labels) if name not in freedom]
    ring = union(ring, context(labels[place] for place in others))
    # the powers of a variable, or 0 where it does not occur, and of all else: terms are many
    columns = dict(zip(labels, zip(*whole.monoms(), strict=True), strict=bool(whole)))
    nothing = (0,) * len(whole)
    kept = [columns.get(name, nothing) for name in names_of(ring)]
    parts: dict[tuple[int, ...], dict[tuple[int, ...], fmpq]] = {}
    for powers, rest, factor in zip(
        zip(*(columns.get(name, nothing) for name in freedom), strict=True),
        zip(*kept, strict=True) if kept else [()] * len(whole),
        whole.coeffs(),
        strict=True,
    ):
        parts.setdefault(powers, {})[rest] = factor
    found = {powers: ring.from_dict(terms) for powers, terms in parts.items()}
    for name in freedom:
        moments = [ring.constant(1)]
        for k in range(max((powers[0] for powers in found), default=0)):
            moments.append(moments[-1] * (lift(factors[name], ring) + 2 * k))
        left: dict[tuple[int, ...], fmpq_mpoly] = {}
        for powers, part in found.items():
            mean = part * moments[powers[0]]
            left[powers[1:]] = left[powers[1:]] + mean if powers[1:] in left else mean
        found = left
    return polynomial(cancel_inverses(found.get((), ring.constant(0))))


# -- the second route ----------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def moment_by_gamma(freedom: int, power: int) -> fmpq:
    """E s^power by its gamma integral."""
    half = sympy.Rational(freedom, 2)
    return to_fmpq(Fraction(str(2 ** sympy.Integer(power) * sympy.gamma(half + power) / sympy.gamma(half))))


def mean_by_gamma(expr: Expression, freedom: Mapping[str, int], place: Mapping[str, Fraction]) -> Fraction:
    """The mean of a scalar, term by term, at numbers for all that is not averaged over."""
    at_place = substitute(expr.coefficient(), {name: number(value) for name, value in place.items()})
    # all terms at once, one variable after the other: a product with its inverse in it is none
    terms = at_place.coeffs()
    columns = zip(*at_place.monoms(), strict=True)
    for label, degree, column in zip(
        names_of(at_place.context()), at_place.degrees(), columns, strict=bool(terms)
    ):
        name, sign = label.removeprefix(INVERSE), -1 if label.startswith(INVERSE) else 1
        moments = [moment_by_gamma(freedom[name], sign * k) for k in range(int(degree) + 1)]
        terms = [one * moments[power] for one, power in zip(terms, column, strict=True)]
    return to_fraction(sum(terms, fmpq(0)))


def not_the_mean(
    before: Expression, after: Expression, freedom: Mapping[str, Expression], values: Mapping[str, Expression]
) -> str:
    """Why a scalar is not the mean of another over chi-square variables, at numbers; nothing if it is."""
    source = random.Random(SEED)
    names = {
        name.removeprefix(INVERSE) for expr in (before, after, *freedom.values()) for name in expr.scalars()
    }
    free = sorted(names - freedom.keys() - values.keys())
    for _ in range(TRIALS):
        place = {name: Fraction(source.randint(1, 9), source.randint(1, 9)) for name in free}
        # sizes are whole, and leave all degrees of freedom above two
        place |= {name: Fraction(source.randint(11, 40)) for name in sizes_in(freedom.values())}
        degrees = {name: int(Fraction(evaluate(value, place))) for name, value in freedom.items()}
        told = {**place, **{name: Fraction(evaluate(value, place)) for name, value in values.items()}}
        if mean_by_gamma(before, degrees, place) != Fraction(evaluate(after, told)):
            return "gamma integrals give another mean"
    return ""


def sizes_in(exprs: Collection[Expression]) -> set[str]:
    """The names in expressions."""
    return {name for expr in exprs for name in expr.scalars()}
