"""The moves that write a scalar as one fraction without a common factor, and 1/x - 1 as (1 - x)/x."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_poly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.certified_signs import EVERYWHERE, Domain, opened, points, written_out
from symbolic.algebra.coefficients import INVERSE, to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, polynomial, reciprocal, scalar

DENOMINATOR = "d"


@carries_out
def one_fraction(
    chain: Chain, variable: str, names: Mapping[str, Expression], *reads: str, below: str = DENOMINATOR
) -> tuple[Expression, Expression]:
    """Write the present scalar as one polynomial over another: these two, without a common factor.

    names: what the names in it stand for. below: the name of the denominator.
    """
    before = chain.result
    found = written_out(before, names, EVERYWHERE).reduced()
    top, bottom = polynomial(found.numerator), polynomial(found.denominator)
    after = top * reciprocal(below)
    values = {**opened(before, names, EVERYWHERE), below: bottom}

    def second_route() -> SecondRoute:
        return "random points, and the common factors there", not_one_fraction(
            before, after, top, bottom, values, variable
        )

    chain.made(Move(Rule.FRACTION, before, after, reads, (below,), values, second_route))
    return top, bottom


def not_one_fraction(
    before: Expression,
    after: Expression,
    top: Expression,
    bottom: Expression,
    values: Mapping[str, Expression],
    variable: str,
) -> str:
    """Why a scalar is not a fraction, or why that has a common factor in a variable; nothing if neither."""
    for place, value in points(before, after, values, EVERYWHERE):
        if value != Fraction(evaluate(after, place)):
            return "the two sides differ at a random point"
        first, second = (_in_one_variable(part, variable, place) for part in (top, bottom))
        if first.gcd(second).degree() > 0:
            return f"numerator and denominator have a common factor in {variable}"
    return ""


def _in_one_variable(expr: Expression, variable: str, place: Mapping[str, Fraction]) -> fmpq_poly:
    parts = {power: Fraction(evaluate(part, place)) for (power,), part in by_powers(expr, [variable]).items()}
    return fmpq_poly([to_fmpq(parts.get(power, Fraction(0))) for power in range(max(parts) + 1)])


@carries_out
def complement(
    chain: Chain, name: str, rest: str, names: Mapping[str, Expression], domain: Domain = EVERYWHERE
) -> Chain:
    """Write 1/name - 1 as (1 - name)/name, with 1 - name by a name of its own.

    Raises DoesNotApply where the terms without and with a single 1/name are not opposite.
    """
    before = chain.result
    parts = by_powers(before, [INVERSE + name])
    once = parts.get((1,), constant(0))
    if parts.get((0,), constant(0)) != -1 * once:
        raise DoesNotApply(f"{Rule.EXPAND}: {before} does not hold 1/{name} - 1")
    after = once * scalar(rest) * reciprocal(name)
    for (power,), part in parts.items():
        if power > 1:
            after = after + part * reciprocal(name) ** power
    given = {**names, rest: constant(1) - scalar(name)}
    values = {**opened(before, given, domain), **opened(after, given, domain)}

    def second_route() -> SecondRoute:
        same = all(value == evaluate(after, place) for place, value in points(before, after, values, domain))
        return "random points", "" if same else "the two sides differ at a random point"

    where = domain.where
    return chain.made(
        Move(Rule.EXPAND, before, after, (), (rest,), values, second_route, held=True, where=where)
    )
