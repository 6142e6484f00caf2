"""A proof of a sign, an exponent or a root sets out from what the steps that it reads state, and a wrong start is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.theorem1 import rate_chains
from derivations.paper.theorem1.concentration import EXCESS, excess_chain
from derivations.steps.contents import load
from derivations.verification.prove import prove
from derivations.verification.starts import unstated_start
from symbolic.algebra.words import Expression, scalar

STEPS = load()
REACH = ("theorem-1", "theorem-2")


@pytest.mark.parametrize(
    "name", [name for name, step in STEPS.items() if step.derivation is not None and {*step.uses} & {*REACH}]
)
def test_what_the_proofs_on_rates_set_out_from_is_stated(name: str) -> None:
    step = STEPS[name]
    assert step.derivation is not None
    assert unstated_start(step.derivation(PAPER), PAPER) == ""


@pytest.mark.parametrize(
    "wrong",
    [lambda loss: loss + scalar("sigma") ** 2, lambda loss: 2 * loss, lambda loss: loss - scalar("alpha_r")],
    ids=["a term more", "twice", "a term less"],
)
def test_a_typed_start_of_the_same_sign_is_named(
    wrong: Callable[[Expression], Expression], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The derivatives of all of these in sigma and nu are positive: only the start tells."""
    step = STEPS["loss-rises-with-noise"]
    assert prove(step).status == "proved"
    loss, names = rate_chains.loss_by_names(PAPER)
    monkeypatch.setattr(rate_chains, "loss_by_names", lambda assumptions: (wrong(loss), names))
    failed = prove(step)
    assert failed.status == "failed"
    assert "it sets out from" in failed.detail
    assert "which theorem-1 do not state" in failed.detail


def test_the_deviation_is_not_taken_for_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another step states is not what the moves read."""
    (deviation, names) = excess_chain(PAPER).named_parts[EXCESS]
    monkeypatch.setattr(rate_chains, "loss_by_names", lambda assumptions: (deviation, names()))
    assert "which theorem-1 do not state" in prove(STEPS["loss-rises-with-noise"]).detail
