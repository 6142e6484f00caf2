"""Everything that a reader of the paper should know of its print, collected from the steps.

Nothing is entered by hand here. A step is listed when its derivation disproves the print and a right form is proved (in
a sort of its own where the print could not be read with certainty), when it is true only under a condition that the print
lacks, when something could not be read in the available text, or when it says something of the print itself: a bound
that can be sharpened, a condition left out or not met, a slip of wording. What is said of several equations is said
once, and an equation stands in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.steps.contents import load
from derivations.steps.step import Erratum, Kind, Step
from derivations.verification.prove import disagreeing
from derivations.verification.verify import verify_step


@dataclass(frozen=True)
class Entry:
    """One entry.

    step: slug. equations: its numbers (of the equations it is about, for a claim without one). sort: as
    above. text: what there is to say. reservation: what could not be read, where that bears on the entry.
    printed, right: the parts that differ, by label. detail: the exact point or exponents at which they do.
    """

    step: str
    equations: tuple[str, ...]
    sort: Erratum
    statement: str
    text: str
    page: str
    reservation: str = ""
    printed: Mapping[str, sympy.Basic] | None = None
    right: Mapping[str, sympy.Basic] | None = None
    detail: str = ""


class NotProved(ArithmeticError):
    """A step carries a correction that its derivation does not bear out."""


def errata() -> list[Entry]:
    """All entries, by sort and in reading order; raises NotProved when a correction or a condition is not proved."""
    steps, order = load(), [*Erratum]
    found: dict[tuple[Erratum, str], Entry] = {}
    for step in steps.values():
        for entry in _entries(step, steps):
            same = found.setdefault((entry.sort, entry.text), entry)
            numbers = tuple(dict.fromkeys((*same.equations, *entry.equations)))
            found[entry.sort, entry.text] = replace(same, equations=numbers)
    return sorted(found.values(), key=lambda entry: order.index(entry.sort))


def by_place(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries that share an equation or a step, together: where the first of them stands stand all."""
    groups: list[list[Entry]] = []
    for entry in entries:
        own = {*entry.equations, entry.step}
        near = [group for group in groups if any(own & {*other.equations, other.step} for other in group)]
        if near:
            near[0].append(entry)
            for group in near[1:]:
                near[0].extend(group)
                groups.remove(group)
        else:
            groups.append([entry])
    return groups


def _entries(step: Step, steps: Mapping[str, Step]) -> list[Entry]:
    found = []
    if step.correction is not None:
        found.append(_corrected(step, steps))
    if step.condition:
        found.append(_conditional(step, steps))
    for sort, text in step.errata.items():
        found.append(_entry(step, steps, sort, text))
    if step.unreadable and step.correction is None:
        found.append(_entry(step, steps, Erratum.UNREADABLE, step.unreadable))
    return found


def _entry(step: Step, steps: Mapping[str, Step], sort: Erratum, text: str) -> Entry:
    return Entry(step.name, _numbers(step, steps), sort, step.statement, text, step.anchor())


def _conditional(step: Step, steps: Mapping[str, Step]) -> Entry:
    status = verify_step(step.name, numeric=False)["proof"]
    if status != "conditional":
        raise NotProved(f"{step.name} names a condition, but its proof status is {status}")
    without, needed = steps[step.counterexample], steps[step.condition]
    # a counterexample that is an entry itself stands in the same place already
    said = "." if without.correction is not None else f": {without.statement}"
    text = f"As printed it is false ({without.name}){said} It holds under a condition ({needed.name}): {needed.statement}"
    return _entry(step, steps, Erratum.CONDITION, text)


def _numbers(step: Step, steps: Mapping[str, Step]) -> tuple[str, ...]:
    if step.equations or step.kind == Kind.FIGURE:
        return step.equations
    # what it reads on other pages serves its proof
    of_page = (steps[name] for name in step.uses if steps[name].page == step.page)
    return tuple(number for one in of_page for number in one.equations)


def _corrected(step: Step, steps: Mapping[str, Step]) -> Entry:
    from_print = {} if step.claim is None else step.claim()
    from_correction = {} if step.correction is None else step.correction()
    record = verify_step(step.name, numeric=False)
    if record["proof"] != "corrected" or step.derive is None:
        raise NotProved(f"{step.name} carries a correction, but its proof status is {record['proof']}")
    labels = disagreeing(from_print, step.derive(PAPER))
    # what could not be read with certainty disproves a reading, not the print
    sort = Erratum.AS_READ if step.unreadable else Erratum.CORRECTED
    return Entry(
        step.name,
        _numbers(step, steps),
        sort,
        step.statement,
        step.remark,
        step.anchor(),
        reservation=step.unreadable,
        printed={label: to_sympy(from_print[label]) for label in labels},
        right={label: to_sympy(from_correction[label]) for label in labels},
        detail=record["proof_reason"],
    )
