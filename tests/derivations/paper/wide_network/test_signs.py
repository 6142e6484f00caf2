"""Figure 5 is held against (14); another reading of how often b is drawn is told from the literal one."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.wide_network import signs
from derivations.paper.wide_network.signs import RATES, predicted_differences
from derivations.steps.contents import named
from derivations.verification.examine import examine
from numeric_check.network.experiment import Reading
from numeric_check.network.linearised import Linearised

STEP = named("figure-5")


def numeric(assumptions: Assumptions = PAPER) -> str:
    return str(examine(STEP, assumptions, ["numeric"]).parts["numeric"]["result"]["numeric"])


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "PAIRS", 30)
    monkeypatch.setattr(signs, "POINTS", 100)


def test_the_formula_says_on_which_side_the_loss_is_lower() -> None:
    assert numeric() == "agree"
    assert numeric(Assumptions(inner_steps=2)) == "not-applicable"


def test_another_reading_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Linearised.mean_losses

    def other(self: Linearised, rates: tuple[float, ...]) -> dict[Reading, np.ndarray]:
        return dict.fromkeys(Reading, right(self, rates)[Reading.RUN])

    monkeypatch.setattr(Linearised, "mean_losses", other)
    assert numeric() == "disagree"


def test_the_slope_is_steep_only_where_each_task_has_its_own_bias() -> None:
    slopes = {how: predicted_differences(PAPER, how, 0, (0.0025,))[0.0025] for how in Reading}
    assert slopes[Reading.TASK] < 0
    for how in (Reading.RUN, Reading.POINT):
        assert abs(slopes[how]) < 0.3 * abs(slopes[Reading.TASK])
    assert set(predicted_differences(PAPER, Reading.TASK, 0)) == set(RATES)
