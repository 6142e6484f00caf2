"""What is said of a claim that is not what its proof leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.steps.contents import load
from derivations.verification.prove import prove


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (0, "after move 2, average by parts: claim and derivation differ by"),
        (1, "after move 4, sum over tasks that are alike: claim and derivation differ by"),
    ],
)
def test_a_chain_that_does_not_end_at_the_claim_says_where_it_differs_first(place: int, said: str) -> None:
    """(91) is shown before (92), whatever the claim names first."""
    step = load()["task-average"]
    assert step.claim is not None
    right = step.claim()
    wrong = {label: 2 * right[label] if k >= place else right[label] for k, label in enumerate(right)}
    failed = prove(replace(step, claim=lambda: dict(reversed(wrong.items()))))
    assert failed.status == "failed"
    assert said in failed.detail
