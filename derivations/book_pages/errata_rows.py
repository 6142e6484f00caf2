"""Everything that a reader of the paper should know of its print, collected from the steps.

Nothing is entered by hand here. A step is listed when its derivation disproves the print and a right form is
proved (in a sort of its own where the print could not be read with certainty), when something could not be read in the available text, or when its remark is marked as one about the
print: a bound that can be sharpened, a condition left out or not met, a slip of wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sympy

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.prove import disagreeing, prove

Sort = Literal["corrected", "as read", "unreadable", "not sharp", "condition", "wording"]
SORTS: tuple[Sort, ...] = ("corrected", "as read", "not sharp", "condition", "wording", "unreadable")


@dataclass(frozen=True)
class Erratum:
    """One entry.

    step: slug. equations: its numbers (of the equations it is about, for a claim without one). sort: as
    above. text: what there is to say. reservation: what could not be read, where that bears on the entry.
    printed, right: the parts that differ, by label. detail: the exact point or exponents at which they do.
    """

    step: str
    equations: tuple[str, ...]
    sort: Sort
    statement: str
    text: str
    page: str
    reservation: str = ""
    printed: Mapping[str, sympy.Basic] | None = None
    right: Mapping[str, sympy.Basic] | None = None
    detail: str = ""


class NotProved(ArithmeticError):
    """A step carries a correction that its derivation does not bear out."""


def errata() -> list[Erratum]:
    """All entries, by sort and in reading order; raises NotProved when a correction is not proved."""
    steps = load()
    found = [entry for step in steps.values() for entry in _entries(step, steps)]
    return sorted(found, key=lambda entry: SORTS.index(entry.sort))


def _entries(step: Step, steps: Mapping[str, Step]) -> list[Erratum]:
    if step.correction is not None:
        return [_corrected(step, steps)]
    found = []
    if step.erratum:
        found.append(_entry(step, steps, step.erratum, step.remark, step.unreadable))
    if step.unreadable:
        found.append(_entry(step, steps, "unreadable", step.unreadable))
    return found


def _entry(step: Step, steps: Mapping[str, Step], sort: Sort, text: str, reservation: str = "") -> Erratum:
    return Erratum(
        step.name, _numbers(step, steps), sort, step.statement, text, step.anchor(), reservation=reservation
    )


def _numbers(step: Step, steps: Mapping[str, Step]) -> tuple[str, ...]:
    if step.equations:
        return step.equations
    return tuple(number for name in step.uses for number in steps[name].equations)


def _corrected(step: Step, steps: Mapping[str, Step]) -> Erratum:
    from_print = {} if step.claim is None else step.claim()
    from_correction = {} if step.correction is None else step.correction()
    proof = prove(step)
    if proof.status != "corrected" or step.derive is None:
        raise NotProved(f"{step.name} carries a correction, but its proof status is {proof.status}")
    labels = disagreeing(from_print, step.derive(PAPER))
    # what could not be read with certainty disproves a reading, not the print
    sort: Sort = "as read" if step.unreadable else "corrected"
    return Erratum(
        step.name,
        _numbers(step, steps),
        sort,
        step.statement,
        step.remark,
        step.anchor(),
        reservation=step.unreadable,
        printed={label: to_sympy(from_print[label]) for label in labels},
        right={label: to_sympy(from_correction[label]) for label in labels},
        detail=proof.detail,
    )
