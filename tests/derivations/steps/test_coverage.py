"""Every numbered equation of the paper belongs to a step, and every step's claim is proved, corrected or defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from derivations.steps.contents import ALIASES, load
from derivations.steps.step import Kind, Step
from derivations.verification.plain_records import Record
from derivations.verification.verify import verify

LAST = 144
STEPS = load()
APPROXIMATIONS = {"12"}


def equations_without_a_step(steps: Mapping[str, Step]) -> list[int]:
    covered = {number for step in steps.values() for number in step.equations}
    return [number for number in range(1, LAST + 1) if str(number) not in covered]


def test_no_equation_is_missing() -> None:
    assert equations_without_a_step(STEPS) == []


def test_a_missing_equation_is_seen() -> None:
    remaining = {name: step for name, step in STEPS.items() if name != "theorem-2"}
    assert equations_without_a_step(remaining) == [9, 108]


def test_no_equation_has_two_steps_that_claim_the_same() -> None:
    counts = Counter(number for step in STEPS.values() for number in step.equations)
    # (82) prints both factors
    assert [number for number, count in counts.items() if count > 1] == ["82"]
    labels = Counter(
        label for step in STEPS.values() if "82" in step.equations and step.claim for label in step.claim()
    )
    assert labels == {"h_t": 1, "h_r": 1}
    assert set(counts) == {str(k) for k in range(1, LAST + 1)}


def test_the_command_lines_names_exist() -> None:
    assert {"eq5", "eq8", "eq9", "eq10", "eq14"} <= set(ALIASES)
    assert all(ALIASES[f"eq{number}"] in STEPS for number in (5, 8, 9, 10, 14))
    assert all(str(number) in STEPS[ALIASES[f"eq{number}"]].equations for number in (5, 8, 9, 10, 14))


@pytest.fixture(scope="module")
def proofs() -> Mapping[str, Record]:
    """What is said of the proof of every step; where the book has been built, it was proved there from these sources."""
    return {record["name"]: record for record in verify(numeric=False)}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_proved_corrected_or_defined(name: str, proofs: Mapping[str, Record]) -> None:
    step, status = STEPS[name], proofs[name]["proof"]
    if step.kind in (Kind.FIGURE, Kind.APPROXIMATION):
        assert status == "not-applicable"
        assert step.reason
        assert proofs[name]["proof_reason"]
        assert step.kind == Kind.FIGURE or set(step.equations) <= APPROXIMATIONS
        return
    if step.conjectured:
        assert (step.kind, status) == (Kind.BEYOND, "conjecture")
        return
    plain = "expanded" if step.counted or (step.neglects and not step.bounded_by) else "proved"
    derived = "conditional" if step.condition else plain
    corrected = step.correction or step.right_order
    assert status == ("corrected" if corrected else derived if step.derive else "definition")


@pytest.mark.parametrize("name", [name for name, step in STEPS.items() if step.kind == Kind.DEFINITION])
def test_every_definition_is_used(name: str) -> None:
    users = [step.name for step in STEPS.values() if name in step.uses]
    assert users


@pytest.mark.parametrize("name", STEPS)
def test_a_step_without_a_number_says_why(name: str) -> None:
    step = STEPS[name]
    if step.observe is None and step.check is None:
        assert step.reason
    else:
        assert step.check is not None or len({tuple(size.items()) for size in step.sizes}) >= 3
