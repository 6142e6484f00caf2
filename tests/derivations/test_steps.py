"""Every step of the paper has a computed proof status that counts, and guards that can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derivations.assumptions import PAPER
from derivations.power import score
from derivations.prove import prove
from derivations.registry import load
from derivations.symbols import n, p

STEPS = load()
CLAIMED = [name for name, step in STEPS.items() if step.derive is not None and step.claim is not None]


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_proved_corrected_or_says_why_not(name: str) -> None:
    found = prove(STEPS[name])
    assert found.status in ("proved", "corrected", "definition", "not-applicable")
    if found.status == "not-applicable":
        assert STEPS[name].kind in ("figure", "approximation")
        assert found.detail


def test_a_wrong_claim_fails() -> None:
    step = STEPS["wishart-second-moment"]
    (label,) = step.claim()
    wrong = replace(step, claim=lambda: {label: n * (n + p + 2) * sympy.Identity(p)})
    assert prove(wrong).status == "failed"


def test_a_wrong_correction_fails() -> None:
    step = next(
        step for step in STEPS.values() if step.correction is not None and prove(step).status == "corrected"
    )
    wrong = replace(step, correction=step.claim)
    assert prove(wrong).status == "failed"


def test_a_claim_about_something_else_fails() -> None:
    step = STEPS["wishart-second-moment"]
    assert prove(replace(step, claim=lambda: {"other": n * sympy.Identity(p)})).status == "failed"


def test_a_claim_that_cannot_be_read_fails() -> None:
    step = STEPS["inner-factor"]
    assert prove(replace(step, claim=lambda: {"h_t": sympy.sin(n)})).status == "failed"


def test_a_broken_engine_is_noticed() -> None:
    step = STEPS["wishart-third-moment"]
    derived = dict(step.derive(PAPER))
    halved = {label: part * 2 for label, part in derived.items()}
    assert prove(replace(step, derive=lambda assumptions: halved)).status == "failed"


@pytest.mark.slow
def test_every_perturbed_claim_is_rejected_by_proof(capsys: pytest.CaptureFixture[str]) -> None:
    scores = [score(STEPS[name], sampling=False) for name in CLAIMED]
    total, equivalent = sum(s.total for s in scores), sum(len(s.equivalent) for s in scores)
    survived = [f"{s.step}: {what}" for s in scores for what in s.survived_proof]
    with capsys.disabled():
        print(
            f"\nproof: rejected {total - len(survived)} of {total} perturbed claims ({equivalent} more are equal by algebra)"
        )
    assert not survived
    assert total > 4000


@pytest.mark.slow
def test_sampling_rejects_what_its_draws_resolve(capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        name
        for name in CLAIMED
        if STEPS[name].observe is not None and STEPS[name].page in ("lemma1", "averages", "moments")
    ]
    scores = [score(STEPS[name], sampling=True, seconds=0.3) for name in names]
    sampled, unresolved = sum(s.sampled for s in scores), [(s.step, u) for s in scores for u in s.unresolved]
    with capsys.disabled():
        print(
            f"\nsampling: rejected {sampled - len(unresolved)} of {sampled} perturbed claims; not resolved within the budget:"
        )
        for step, item in unresolved:
            print(f"  {step}: {item.label}: {item.change}: would take {item.draws:.2g} draws")
    assert len(unresolved) < 0.2 * sampled
    assert all(item.draws > 0 for _, item in unresolved)
