"""Every part that a step derives is held against sampling: a wrong value of it is noticed by the numeric checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.measure import measure
from numeric_check.verdicts.verdict import judge

STEPS = load()
SAMPLED = [
    name
    for name, step in STEPS.items()
    if step.derive is not None and (step.observe is not None or step.check is not None)
]
SIGN = r"\mathrm{sign}"
BATCHES = 64  # for one observed size; a part three times too large shows long before its one per cent


def wrong(step: Step, label: str, part: object) -> Iterator[tuple[str, sympy.Basic, int, float]]:
    """Wrong values of a part, as trees and as a factor and an offset of its number.

    Three times as large, and of the other sign; where it is zero, one, or what the step says it resolves.
    """
    tree = to_sympy(part)
    if isinstance(tree, sympy.ZeroMatrix):
        offset = max(1.0, 3 * step.resolution.get(label, 0.0))
        yield "not zero", offset * sympy.OneMatrix(*tree.shape), 1, offset
        return
    if tree == 0:
        offset = max(1.0, 3 * step.resolution.get(label, 0.0))
        yield "not zero", sympy.Rational(offset), 1, offset
        return
    yield "other sign", -tree, -1, 0.0
    if not label.startswith(SIGN):  # a sign has no size
        yield "three times", 3 * tree, 3, 0.0


def seen_by_observation(step: Step) -> dict[str, list]:
    if step.observe is None:
        return {}
    found: dict[str, list] = {}
    for measured in measure(step, step.derive(PAPER), 0, batches=BATCHES):
        found.setdefault(measured.label, []).append(measured)
    return found


def survivors(step: Step) -> list[str]:
    """The wrong values of parts that every numeric check of the step lets pass."""
    derived = dict(step.derive(PAPER))
    observed = seen_by_observation(step)
    if step.check is not None:
        assert {check.verdict for check in step.check(step, PAPER, 0)} == {"agree"}
    found = []
    for label, part in derived.items():
        if label in step.not_sampled:
            continue
        for change, value, factor, offset in wrong(step, label, part):
            verdicts = {
                judge(
                    float(mean),
                    float(error),
                    factor * float(right) + offset,
                    resolution=step.resolution.get(label),
                ).status
                for measured in observed.get(label, [])
                for mean, error, right in zip(measured.mean, measured.stderr, measured.expected, strict=True)
            }
            if step.check is not None and "disagree" not in verdicts:
                parts = {**derived, label: value}
                mutated = replace(step, derive=lambda assumptions, parts=parts: parts)
                verdicts |= {check.verdict for check in step.check(mutated, PAPER, 0)}
            if "disagree" not in verdicts:
                found.append(f"{label}, {change}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    # in one worker with the changed claims of the same page, which are held against the same simulations
    [pytest.param(name, marks=pytest.mark.xdist_group(f"power {STEPS[name].page}")) for name in SAMPLED],
)
def test_a_wrong_part_is_noticed(name: str) -> None:
    assert survivors(STEPS[name]) == []


@pytest.mark.parametrize("name", STEPS)
def test_only_derived_parts_are_exempt_and_each_says_why(name: str) -> None:
    step = STEPS[name]
    if step.not_sampled:
        exempt, parts = set(step.not_sampled), set(step.derive(PAPER))
        # where every part is exempt, the moves of the proof are sampled instead
        assert exempt < parts or (exempt == parts and step.derivation is not None and step.sizes)
    assert all(step.not_sampled.values())


def test_a_check_that_ignores_a_part_is_seen() -> None:
    step = STEPS["inner-factor"]
    (label,) = step.derive(PAPER)
    blind = replace(
        step, derive=lambda assumptions: {label: step.derive(assumptions)[label], "other": sympy.Integer(2)}
    )
    assert survivors(blind) == ["other, other sign", "other, three times"]


def test_a_ladder_that_brings_its_own_centre_is_seen() -> None:
    """The check of the order alone lets any leading part pass."""
    step = STEPS["rows-concentrate"]
    own = step.check
    blind = replace(step, observe=None, check=lambda mutated, assumptions, seed: own(step, assumptions, seed))
    assert "c, three times" in survivors(blind)
    assert survivors(replace(step, observe=None)) == []
