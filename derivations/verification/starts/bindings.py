"""What names stand for in the parts of a proof that do not tell: one thing each, or the value that was found of it.

A sign is that of many formulas: where a value of one name is put in for another, or a name stands for something else in one
move than in the next, what the proof leads to may be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import OF_THE_MODEL
from derivations.steps.chain import Chain
from derivations.steps.held import same, stated_by
from derivations.steps.move import Move
from derivations.verification.starts.origins import squares_of_means
from derivations.verification.starts.sections import (
    Section,
    is_found,
    is_parameter,
    names_in,
    sections,
    telling,
)
from symbolic.algebra.words import Expression, letter_expression, scalar, zero


def wrongly_named(chain: Chain, assumptions: Assumptions) -> str:
    """The first name that is given the value of something else; nothing where there is none."""
    # the centre of a mean square is known to be the mean
    centred = squares_of_means(chain)
    told, parts = telling(chain), list(sections(chain))
    known: dict[int, dict[str, Expression]] = {}
    for one in parts:
        if one.first in told:
            continue
        # elsewhere other assumptions may hold, under which names stand for something else
        meanings = known.setdefault(one.first if one.first in chain.under else -1, _meanings(chain))
        for place, move, name, value in _values(one):
            found = any(is_found(value, move, before.sides) for before in parts if before.first < one.first)
            meaning = meanings.get(name) if found else meanings.setdefault(name, value)
            if value == meaning or any(root.first in centred for root in roots(one, parts)):
                continue
            if _is_value_of(name, value, meaning, move, one, parts):
                continue
            if _is_stated(chain, one, name, value, meaning, assumptions):
                continue
            return (
                f"move {place + 1}, {move.rule}: {name} is given {str(value)[:80]}, which was not found of it"
            )
    return ""


def _meanings(chain: Chain) -> dict[str, Expression]:
    """The names and letters that a proof gives a meaning of its own."""
    return {name: move.values[name] for move in chain.moves for name in move.own if name in move.values}


def _values(one: Section) -> Iterator[tuple[int, Move, str, Expression]]:
    for k, move in enumerate(one.moves):
        for name, value in move.values.items():
            if (
                name not in move.own
                and not is_parameter(name, move)
                and (value.is_scalar or name in OF_THE_MODEL)
            ):
                yield one.first + k, move, name, value


def _is_value_of(
    name: str,
    value: Expression,
    meaning: Expression | None,
    move: Move,
    one: Section,
    parts: Sequence[Section],
) -> bool:
    """Whether a value was found above of a name, or of what it stands for."""
    letter = move.before.letters().get(name)
    of = (scalar(name) if letter is None else letter_expression(letter), meaning)
    return any(
        is_found(value, move, (before.sides[-1],)) and any(root.start in of for root in roots(before, parts))
        for before in parts
        if before.first < one.first
    )


def _is_stated(
    chain: Chain,
    one: Section,
    name: str,
    value: Expression,
    meaning: Expression | None,
    assumptions: Assumptions,
) -> bool:
    """Whether a value is the meaning with names written out, or what a step states holds with it for the name."""
    names = names_in(chain, one)
    if meaning is not None and value.is_scalar:
        return same(value - meaning, zero(), names)
    reads = [slug for move in one.moves for slug in move.reads]
    under = chain.under.get(one.first, assumptions)
    return names.get(name) == value and stated_by(one.start, reads, names, under)


def roots(one: Section, parts: Sequence[Section]) -> list[Section]:
    """The parts from which another goes on, each from the end or a side of the one before; itself where there are none."""
    before = [part for part in parts if part.first < one.first and one.start in part.sides]
    return [root for part in before for root in roots(part, parts)] or [one]
