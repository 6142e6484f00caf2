"""The two gradient steps (21) and (25) are those of the model, and are steps down the gradient of the loss."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.steps.contents import load
from derivations.verification.measure import checks
from derivations.verification.prove import disagreeing, prove
from symbolic.algebra.words import Expression

STEPS = load()
GRADIENT_STEPS = ("inner-loop", "adapted-parameters")
Loop = Callable[..., Expression]


def doubled(loop: Loop) -> Loop:
    """The same loop with twice the step."""

    def wrong(start: Expression, *arguments: object) -> Expression:
        return start + 2 * (loop(start, *arguments) - start)

    return wrong


def upward(loop: Loop) -> Loop:
    """The same loop up the gradient."""

    def wrong(start: Expression, *arguments: object) -> Expression:
        return 2 * start - loop(start, *arguments)

    return wrong


@pytest.mark.parametrize("name", GRADIENT_STEPS)
@pytest.mark.parametrize("change", [doubled, upward])
def test_another_step_of_the_model_fails_both_ways(
    name: str, change: Callable[[Loop], Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = STEPS[name]
    assert prove(step).status == "proved"
    monkeypatch.setattr(model, "inner_loop", change(model.inner_loop))
    derived = step.derive(PAPER)
    assert prove(step).status == "failed"
    # both the printed form and the statement that it is a gradient step
    assert set(disagreeing(step.claim(), derived)) == set(derived)
    assert "disagree" in {check.verdict for check in checks(step, PAPER, derived)}


def test_the_adapted_parameters_come_from_the_loop_of_25(monkeypatch: pytest.MonkeyPatch) -> None:
    right = model.adapted(model.OMEGA_STAR, model.W_0, PAPER)
    monkeypatch.setattr(model, "adaptation_loop", doubled(model.adaptation_loop))
    assert model.adapted(model.OMEGA_STAR, model.W_0, PAPER) != right
