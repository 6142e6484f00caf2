"""From what a proof sets out, held against what the steps that it reads state.

A part that is a number or a matrix tells a wrong start: it ends elsewhere than at the claim. The sign, the exponent or the
root of a formula does not, so the formula must be stated by a step that the moves read, be a result of the same proof, or
be made of names that its moves put in.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import NormalForm, normal_form
from derivations.steps.chain import Chain, DoesNotApply, Rule, written
from derivations.steps.move import Move
from derivations.steps.neglected import Quantity
from derivations.steps.step import Step
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.quotients import NotRational
from symbolic.algebra.words import Expression

# rules to whose results many other starts would lead too
BLUNT = (Rule.SIGN, Rule.FACTOR, Rule.GRAM, Rule.ORDER, Rule.ROOT)


def unstated_start(chain: Chain, assumptions: Assumptions) -> str:
    """The first start that nothing states although what it leads to would not tell; nothing where there is none."""
    names: dict[str, Expression] = {}
    for move in chain.moves:
        names |= {name: value for name, value in move.values.items() if value.is_scalar}
    names |= chain.numbers()
    for first, moves in _sections(chain):
        start, reads = moves[0].before, [slug for move in moves for slug in move.reads]
        if (
            not reads
            or start.letters()
            or _tells(chain, first, moves)
            or _is_name(start)
            or _put_in(start, moves)
        ):
            continue
        if any(start in (move.before, move.after) for move in chain.moves[:first]):
            continue
        stated = (part for slug in reads for part in _stated(slug, assumptions))
        if not any(_same(start, part, names) for part in stated):
            return f"it sets out from {str(start)[:80]} before move {first + 1}, which {', '.join(dict.fromkeys(reads))} do not state"
    return ""


def _sections(chain: Chain) -> Iterator[tuple[int, tuple[Move, ...]]]:
    """The moves from each start to the next one."""
    places = [*sorted(chain.starts), len(chain.moves)]
    for first, end in pairwise(places):
        if end > first:
            yield first, chain.moves[first:end]


def _tells(chain: Chain, first: int, moves: tuple[Move, ...]) -> bool:
    """Whether what moves lead to, or show on their way, would be another from another start."""
    shown = [move for k, move in enumerate(moves) if first + k + 1 in chain.shown]
    return any(move.rule not in BLUNT for move in (*shown, moves[-1]))


def _is_name(start: Expression) -> bool:
    return len(start.terms) == 1 and len(start.scalars()) <= 1


def _put_in(start: Expression, moves: tuple[Move, ...]) -> bool:
    """Whether the first of the moves puts something in for all names, so that these only say what is looked at."""
    given = moves[0].values if moves[0].rule is Rule.INSERT else {}
    return {name.removeprefix(INVERSE) for name in start.scalars()} <= given.keys()


@lru_cache(maxsize=256)
def _stated(slug: str, assumptions: Assumptions) -> tuple[Quantity, ...]:
    """What a step derives, as it reads with its names too, or claims where it derives nothing."""
    # named, not imported: the result of a step does not depend on the contents, but on the steps it rests on
    step: Step = importlib.import_module("derivations.steps.contents").named(slug)
    try:
        if step.derive is not None:
            named = {} if step.derivation is None else step.derivation(assumptions).named_parts
            return (*(form for form, _ in named.values()), *step.derive(assumptions).values())
    except (DoesNotApply, NotDerivable):
        return ()
    return tuple(step.claim().values()) if step.claim is not None else ()


def _same(start: Expression, part: Quantity, names: Mapping[str, Expression]) -> bool:
    if isinstance(part, Expression) and part == start:
        return True
    try:
        return _normal(start, names).minus(_normal(part, names)).is_zero()
    except (NotRational, ValueError, TypeError):
        return False


def _normal(value: Quantity, names: Mapping[str, Expression]) -> NormalForm:
    return normal_form(written(value, names) if isinstance(value, Expression) else value)
