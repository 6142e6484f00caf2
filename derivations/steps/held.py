"""Definitions that a proof puts in, held against the steps that state them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import normal_form
from symbolic.algebra.quotients import NotRational
from symbolic.algebra.words import Expression


@dataclass(frozen=True)
class Held:
    """How a definition compares with the step that states it.

    short: what abbreviations in the definition stand for. where: what letters of the statement are in the proof.
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


def _parts(step: object, assumptions: Assumptions) -> list[sympy.Basic | Expression]:
    derive, claim = getattr(step, "derive", None), getattr(step, "claim", None)
    return list((derive(assumptions) if derive else claim() if claim else {}).values())


def _equal(part: sympy.Basic | Expression, value: Expression, where: Mapping[str, Expression]) -> bool:
    if isinstance(part, Expression):
        return part.replace(where) == value
    try:
        return normal_form(part).minus(normal_form(value)).is_zero()
    except (NotRational, ValueError):
        return False
