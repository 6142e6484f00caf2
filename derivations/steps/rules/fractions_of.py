"""The move that writes a scalar as one fraction, without a common factor."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_poly

from derivations.language.normal_form import scalar as quotient_of
from derivations.steps.chain import Chain, Move, Rule, by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.certified_signs import EVERYWHERE, opened, points, written_out
from symbolic.algebra.coefficients import to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, polynomial, reciprocal

DENOMINATOR = "d"


def one_fraction(
    chain: Chain, variable: str, names: Mapping[str, Expression], *reads: str
) -> tuple[Expression, Expression]:
    """Write the present scalar as one polynomial over another: these two, without a common factor.

    names: what the names in it stand for. The denominator is written `DENOMINATOR`.
    """
    before = chain.result
    found = quotient_of(written_out(before, names, EVERYWHERE)).reduced()
    top, bottom = polynomial(found.numerator), polynomial(found.denominator)
    after = top * reciprocal(DENOMINATOR)
    values = {**opened(before, names, EVERYWHERE), DENOMINATOR: bottom}

    def second_route() -> SecondRoute:
        return "random points, and the common factors there", not_one_fraction(
            before, after, top, bottom, values, variable
        )

    chain.made(Move(Rule.FRACTION, before, after, reads, (DENOMINATOR,), values, second_route))
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
