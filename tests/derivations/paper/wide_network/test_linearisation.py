"""(12) is put to the test on a ladder of widths, and a wrong expansion is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.wide_network import linearisation
from derivations.steps.contents import named
from derivations.verification.examine import examine
from numeric_check.network.relu import Tangents, Weights

STEP = named("linearized-model")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linearisation, "WIDTHS", (25, 50, 100, 200))
    monkeypatch.setattr(linearisation, "RUNS", 120)


def test_what_the_expansion_leaves_out_falls_with_width() -> None:
    found = examine(STEP, PAPER, ["proof", "numeric"]).parts
    assert found["proof"]["result"]["proof"] == "not-applicable"
    assert found["numeric"]["result"]["numeric"] == "agree"


def test_a_gradient_that_is_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth more of the last layer's gradient: what is left out no longer falls."""
    from numeric_check.network import features

    right = features.moved

    def wrong(weights: Weights, points: Tangents, coefficients: np.ndarray) -> Weights:
        found = right(weights, points, coefficients)
        return found._replace(w3=weights.w3 + 1.5 * (found.w3 - weights.w3))

    monkeypatch.setattr(features, "moved", wrong)
    found = examine(STEP, PAPER, ["numeric"]).parts
    assert found["numeric"]["result"]["numeric"] in ("disagree", "inconclusive")
