"""Definitions that a proof puts in, held against the steps that state them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import normal_form
from symbolic.algebra.quotients import NotRational
from symbolic.algebra.words import Expression, letter_expression


@dataclass(frozen=True)
class Held:
    """How a definition compares with the step that states it.

    short: what abbreviations in the definition stand for. where: what letters of the statement are in the proof. What is
    stated of any one task holds of each: all letters may bear the label of one and the same task.
    """

    assumptions: Assumptions
    short: Mapping[str, Expression] = field(default_factory=dict)
    where: Mapping[str, Expression] = field(default_factory=dict)

    def not_stated(self, values: Mapping[str, Expression], reads: tuple[str, ...]) -> str:
        """Which of the values put in is not what one of the steps derives or claims; nothing where all are."""
        # named, not imported: the result of a step does not depend on the contents, but on the steps it rests on
        named = importlib.import_module("derivations.steps.contents").named
        for name, value in values.items():
            whole = value.replace(self.short)
            stated = [part for slug in reads for part in _parts(named(slug), self.assumptions)]
            if not any(_equal(part, whole, self.where) for part in stated):
                return f"{name} is not what {', '.join(reads)} states"
        return ""


def _of_any_task(value: Expression, stated: Expression) -> Expression:
    """The value without the label of the task, where all its letters bear the same one; else as it is."""
    known, found = stated.letters(), value.letters()
    stems = {name: name.rstrip("0123456789") for name in found if name not in known}
    if (
        len({name.removeprefix(stem) for name, stem in stems.items()}) != 1
        or not {*stems.values()} <= known.keys()
    ):
        return value
    shared = {name for name, letter in found.items() if letter.random} & known.keys()
    return (
        value if shared else value.replace({name: letter_expression(known[x]) for name, x in stems.items()})
    )


def _parts(step: object, assumptions: Assumptions) -> list[sympy.Basic | Expression]:
    derive, claim = getattr(step, "derive", None), getattr(step, "claim", None)
    return list((derive(assumptions) if derive else claim() if claim else {}).values())


def _equal(part: sympy.Basic | Expression, value: Expression, where: Mapping[str, Expression]) -> bool:
    if isinstance(part, Expression):
        stated = part.replace({name: x for name, x in where.items() if name in part.letters()})
        return value == stated or _of_any_task(value, stated) == stated
    try:
        return normal_form(part).minus(normal_form(value)).is_zero()
    except (NotRational, ValueError):
        return False
