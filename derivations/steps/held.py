"""Definitions that a proof puts in, held against the steps that state them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import NormalForm, equal, normal_form
from derivations.steps.chains.products import Part, written
from derivations.steps.move import DoesNotApply
from derivations.steps.rules.exact_routes import put_in
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.words import Expression, letter_expression

if TYPE_CHECKING:
    from derivations.steps.chains.record import Record
    from derivations.steps.step import Step


def _itself(value: Expression) -> Expression:
    return value


@dataclass(frozen=True)
class Held:
    """How a definition compares with the step that states it.

    short: what abbreviations in the definition stand for. where: what letters and scalars of the statement are in the proof.
    read: what of the definition is stated, such as the block of one task, or what a matrix makes of a vector. What is
    stated of any one task holds of each: all letters may bear the label of one and the same task. inside: the formula that
    is stated, where the definitions are those of names in it. beside: of the steps that are read, those that state where the
    proof sets out, and nothing of what is put in.
    """

    assumptions: Assumptions
    short: Mapping[str, Part] = field(default_factory=dict)
    where: Mapping[str, Expression] = field(default_factory=dict)
    read: Callable[[Expression], Expression] = _itself
    inside: Expression | None = None
    beside: tuple[str, ...] = ()

    def not_stated(self, values: Mapping[str, Expression], reads: tuple[str, ...]) -> str:
        """Which of the values put in is not what one of the steps derives or claims, or which step states none of them; nothing
        where all are stated, and every step states one.
        """
        wholes = {name: self._whole(name, value) for name, value in values.items()}
        by_step = {
            slug: {
                name
                for name, whole in wholes.items()
                if any(_equal(part, whole, self.where) for part in stated(slug, self.assumptions))
            }
            for slug in reads
        }
        for name in wholes:
            if not any(name in found for found in by_step.values()):
                return f"{name} is not what {', '.join(reads)} states"
        idle = [slug for slug, found in by_step.items() if not found and slug not in self.beside]
        return f"{', '.join(idle)} states none of what is put in" if wholes and idle else ""

    def _whole(self, name: str, value: Expression) -> Part:
        """What the steps are to state of a definition."""
        seen = self.read(value)
        if self.inside is None:
            return written(seen, self.short)
        if INVERSE + name in self.inside.scalars():
            return written(self.inside, {**self.short, name: seen})
        return written(self.inside.replace({name: seen}), self.short)


def stated(slug: str, assumptions: Assumptions) -> tuple[Part, ...]:
    """What a step derives, as it reads with its names too, or claims where it derives nothing."""
    # looked up each time, remembered or not, so that whoever watches hears of it
    _named(slug)
    return _stated(slug, assumptions)


@lru_cache(maxsize=256)
def _stated(slug: str, assumptions: Assumptions) -> tuple[Part, ...]:
    step = _named(slug)
    try:
        if step.derive is not None:
            named = {} if step.derivation is None else step.derivation(assumptions).named_parts
            return (*(form for form, _ in named.values()), *step.derive(assumptions).values())
    except (DoesNotApply, NotDerivable):
        return ()
    return tuple(step.claim().values()) if step.claim is not None else ()


def proves(chain: Record, reads: Iterable[str], assumptions: Assumptions) -> bool:
    """Whether a chain is the proof of one of the steps."""
    proofs = (step.derivation for step in map(_named, reads) if step.derivation is not None)
    return any(_sides(proof(assumptions)) == _sides(chain) for proof in proofs)


def _sides(chain: Record) -> list[tuple[Expression, Expression]]:
    return [(move.before, move.after) for move in chain.moves]


def left_open(reads: Iterable[str]) -> set[str]:
    """The names of averages in which steps state something without a formula for them: a proof may put in what it finds."""
    return {step.average.name for step in map(_named, reads) if step.average is not None}


def _named(slug: str) -> Step:
    # named, not imported: the result of a step does not depend on the contents, but on the steps it rests on
    step: Step = importlib.import_module("derivations.steps.contents").named(slug)
    return step


def stated_by(
    value: Expression, reads: Iterable[str], names: Mapping[str, Expression], assumptions: Assumptions
) -> bool:
    """Whether one of the steps states a value, its names written out."""
    return any(same(value, part, names) for slug in reads for part in stated(slug, assumptions))


def same(value: Expression, part: Part, names: Mapping[str, Expression]) -> bool:
    """Whether two parts are the same with names written out; one with names in it is not told by them alone."""
    if isinstance(part, Expression) and part == value and not _named_in(value) & names.keys():
        return True
    try:
        return _normal(value, names).minus(_normal(part, {})).is_zero()
    except (ValueError, TypeError, ZeroDivisionError):
        return False


def _named_in(value: Expression) -> set[str]:
    return {name.removeprefix(INVERSE) for name in value.scalars()}


def _normal(value: Part, names: Mapping[str, Expression]) -> NormalForm:
    """The normal form of a part with its names written out, those in what they stand for too, also where they are divided by."""
    if not isinstance(value, Expression):
        return normal_form(value)
    found: dict[str, Expression] = {}
    ahead = [value]
    while ahead:
        used = {name.removeprefix(INVERSE) for name in ahead.pop().scalars()} & names.keys() - found.keys()
        found |= {name: names[name] for name in used}
        ahead += [names[name] for name in used]
    return NormalForm({word: put_in(one, found) for word, one in normal_form(value).terms.items()})


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


def _equal(part: Part, value: Part, where: Mapping[str, Expression]) -> bool:
    if isinstance(part, Expression) and isinstance(value, Expression):
        known = {*part.letters(), *part.scalars()}
        told = part.replace({name: x for name, x in where.items() if name in known})
        return value in (part, told) or _of_any_task(value, told) == told
    return equal(part, value)
