"""What leads to the losses under changed assumptions is sampled too, and a wrong factor or block does not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.language.assumptions import PAPER, read
from derivations.steps.contents import load
from derivations.variants import parts
from derivations.variants.losses import EXCESS_OVER, EXCESS_UNDER, variant_checks
from derivations.variants.parts import OBSERVERS, part_checks

CHANGED = [
    ("stacked-design", "inner_steps=2"),
    ("inner-factor", "inputs=rademacher"),
    ("inner-factor", "rate_decay=1/2 inner_steps=2"),
    ("adaptation-factor", "inputs=laplace"),
]


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "DESIGN_SIZES", parts.DESIGN_SIZES[:2])


@pytest.mark.parametrize(("name", "words"), [*CHANGED, ("stacked-design", "split=reused")])
def test_sampling_confirms_the_derived_part(name: str, words: str) -> None:
    found = part_checks(load()[name], read(words.split()), 0)
    assert found
    assert {check.verdict for check in found} == {"agree"}


@pytest.mark.parametrize(("name", "words"), CHANGED)
def test_the_part_of_the_paper_is_rejected(name: str, words: str) -> None:
    step = load()[name]
    assert step.derive is not None
    printed = step.derive(PAPER)
    wrong = replace(step, derive=lambda assumptions: printed)
    assert "disagree" in {check.verdict for check in part_checks(wrong, read(words.split()), 0)}


def test_every_observer_has_its_step() -> None:
    assert load().keys() >= OBSERVERS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", [EXCESS_OVER, EXCESS_UNDER])
@pytest.mark.parametrize("words", ["inner_steps=2", "inputs=rademacher"])
def test_simulation_confirms_the_deviation_and_rejects_the_paper_s(name: str, words: str) -> None:
    step = load()[name]
    assert step.derive is not None
    printed = step.derive(PAPER)
    assert {check.verdict for check in variant_checks(step, read([words]), 0)} == {"agree"}
    if (
        name == EXCESS_UNDER or words == "inner_steps=2"
    ):  # to leading order the law is not seen above p = n_v m
        wrong = replace(step, derive=lambda assumptions: printed)
        assert "disagree" in {check.verdict for check in variant_checks(wrong, read([words]), 0)}
