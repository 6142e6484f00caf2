"""The figures have numbers: experiment and estimate agree at every point, and a wrong one of either is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.experiments import agreement, points
from derivations.paper.experiments.panels import FIGURES, figure
from derivations.steps.contents import named
from derivations.steps.step import Check
from derivations.verification.examine import examine
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting

PANEL = figure("2").panels[0]
STEP = named("figure-2")


def verdicts(checks: list[Check]) -> set[str]:
    return {check.verdict for check in checks}


def gaps(checks: list[Check]) -> list[float]:
    """The gaps of the points in standard errors, without the two checks of the whole panel."""
    return [abs(check.value - check.mean) / check.stderr for check in checks[:-2]]


def consistent(found: list[float]) -> bool:
    """Whether gaps in standard errors are those of a right mean with a right error: none large, not all small."""
    spread = float(np.mean(np.square(found)))
    return max(found) < 5 and 0.2 < spread < 1 + 5 * np.sqrt(2 / len(found))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FIGURES))
def test_experiment_and_estimate_agree_at_every_point(name: str) -> None:
    for panel in figure(name).panels:
        found = agreement.of_panel(panel, 0)
        assert verdicts(found) == {"agree"}
        assert [check.sizes for check in found[:-2]] == [{panel.rate: rate} for rate in panel.grid]
        assert consistent(gaps(found))


def test_the_verdict_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(assumptions: Assumptions = PAPER) -> str:
        return str(examine(STEP, assumptions, ["numeric"]).parts["numeric"]["result"]["numeric"])

    monkeypatch.setattr(agreement, "figure", lambda name: replace(figure(name), panels=(PANEL,)))
    assert said() == "agree"
    assert said(Assumptions(inner_steps=2)) == "not-applicable"
    monkeypatch.setattr(agreement, "shipped", lambda setting, runs: None)
    assert said() == "failed"


def scaled(factor: float, spread: float = 1.0, at: int | None = None) -> Callable[[Setting, int], Estimate]:
    """The shipped experiment with means and errors multiplied, at one rate of the panel or at all."""

    def found(setting: Setting, runs: int) -> Estimate:
        one = points.shipped(setting, runs)
        assert one is not None
        here = at is None or setting.alpha_r == PANEL.grid[at]
        return replace(one, mean=one.mean * factor, stderr=one.stderr * spread) if here else one

    return found


@pytest.mark.parametrize(
    ("shipped", "said"),
    [
        # six errors of a point, which is 4 to 7 % of the loss there
        (scaled(1.07, at=3), "disagree"),
        # less than a point tells, and the mean over the panel does
        (scaled(1.02), "disagree"),
        (scaled(1.0, spread=4.0), "inconclusive"),
    ],
)
def test_a_wrong_experiment_is_noticed(
    shipped: Callable[[Setting, int], Estimate], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "shipped", shipped)
    assert said in verdicts(agreement.of_panel(PANEL, 0))


@pytest.mark.parametrize("gap", [2.6, 0.0])
def test_another_scatter_is_noticed(gap: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means that are made up: so many errors off, to either side in turn, so that the mean over the panel is right."""
    near = agreement.of_panel(PANEL, 0)[:-2]
    told = {check.sizes[PANEL.rate]: (check.mean, check.stderr) for check in near}
    sides = {rate: (-1) ** k for k, rate in enumerate(PANEL.grid)}

    def found(setting: Setting, runs: int) -> Estimate:
        mean, stderr = told[setting.alpha_r]
        return Estimate(mean + gap * sides[setting.alpha_r] * stderr, stderr, runs)

    monkeypatch.setattr(agreement, "shipped", found)
    *points, whole, scatter = agreement.of_panel(PANEL, 1)
    assert verdicts([*points, whole]) == {"agree"}
    assert scatter.verdict == "disagree"


def test_a_wrong_estimate_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = agreement.simulate

    def wrong(setting: Setting, quantity: Quantity, **options: Any) -> Estimate:
        # adapts with one point more
        return right(replace(setting, n_r=setting.n_r + 1), quantity, **options)

    monkeypatch.setattr(agreement, "simulate", wrong)
    assert "disagree" in verdicts(agreement.of_panel(figure("3").panels[1], 0))


def test_other_seeds_draw_other_estimates() -> None:
    one, other = (agreement.of_panel(replace(PANEL, grid=PANEL.grid[:1]), seed)[0] for seed in (0, 1))
    assert one.value == other.value
    assert one.mean != other.mean


def test_changed_gaps_are_noticed() -> None:
    found = list(np.abs(np.random.default_rng(3).standard_normal(21)))
    assert consistent(found)
    assert not consistent([*found[:-1], found[-1] + 5])
    assert not consistent([gap / 4 for gap in found])
    assert not consistent([gap * 3 for gap in found])
