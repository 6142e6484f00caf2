"""Second moments of a uniform rotation, or a frame: two factors of it average as two of a Gaussian matrix do, over p.

E O_ij O_kl = delta_ik delta_jl / p for p columns. The second route turns an exact rational rotation by all signed permutations of
its columns, a group which leaves the law alone and whose own second moments are these, and takes the mean.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import entries
from derivations.steps.rules.rotations import places, signed_permutations
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, gaussian, reciprocal
from symbolic.averages.pairings import expect_by_pairings

SIZES = ({"n": 1, "p": 1}, {"n": 1, "p": 2}, {"n": 2, "p": 3}, {"n": 3, "p": 3})


@carries_out
def two_of_a_rotation(chain: Chain, rotation: str, *reads: str) -> Chain:
    """The average over a uniform rotation, or over a frame of its first rows, a letter that every term has two factors of.

    Raises DoesNotApply where a term has another number of them.
    """
    before = chain.result
    letter = before.letters().get(rotation)
    if letter is None:
        raise DoesNotApply(f"{Rule.INVARIANCE}: there is no letter {rotation}")
    for term in before.terms:
        factors = [factor.name for word in (*term.traces, term.word or ()) for factor in word]
        if factors.count(rotation) != 2:
            raise DoesNotApply(
                f"{Rule.INVARIANCE}: a term has {factors.count(rotation)} factors {rotation}, not two"
            )
    size = letter.columns
    drawn = before.replace({rotation: gaussian(rotation, letter.rows, size)})
    after = reciprocal(size) * expect_by_pairings(drawn, {rotation})
    rest = f"{rotation}_rest"

    def second_route() -> SecondRoute:
        return "the mean over signed permutations", not_turned(before, after, rotation, rest)

    return chain.made(
        Move(Rule.INVARIANCE, before, after, reads, (rotation,), {}, second_route, frames={rotation: rest})
    )


def not_turned(before: Expression, after: Expression, rotation: str, rest: str) -> str:
    """Why `after` is not the mean of `before` over signed permutations of the columns; nothing where it is."""
    for place in places((before, after), {}, {}, {rotation: rest}, SIZES):
        turned = [
            _table(evaluate(before, {**place, rotation: place[rotation] * signs}))
            for signs in signed_permutations(place[rotation].ncols())
        ]
        mean = [
            [sum(found) / len(turned) for found in zip(*rows, strict=True)]
            for rows in zip(*turned, strict=True)
        ]
        if mean != _table(evaluate(after, place)):
            return f"the mean over signed permutations is another at p = {place['p']}"
    return ""


def _table(value: Any) -> list[list[Fraction]]:
    """The entries of a matrix of fractions, or a number as one."""
    found = entries(value)
    return found if isinstance(found, list) else [[found]]
