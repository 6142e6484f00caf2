"""The numbers of Figures 2, 3, 4 and 6: the experiment at every point against an estimate that draws inputs alone.

The experiment is the plain protocol, shipped as data with the runs of the caption: tasks, labels, the outer problem, new tasks, fresh test
points. The estimate draws the inputs of meta-training and averages over all else in closed form; it is drawn anew, with
the seed of the verification. They share the model's definition and no estimator. A single point has the error bar that the
paper's runs give it, so that the mean over a panel is compared too, which is known several times better; and the scatter
of the points about the estimate, which their error bars say.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial

from derivations.language.assumptions import Assumptions
from derivations.paper.experiments.panels import Panel, figure
from derivations.paper.experiments.points import SHARE, shipped
from derivations.steps.step import Check, Step
from derivations.support.estimates import estimated
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import simulate
from numeric_check.verdicts.verdict import judge

# what five standard errors of a point, and of the mean over a panel, may be of the loss: what the runs of the captions give
OF_A_POINT, OF_A_PANEL = 0.15, 0.025
# of the cube root of a mean square distance, at the least number of rates: from a thirtieth of what is due to four times that
OF_THE_SCATTER = 0.66


def agreement(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """At every rate of every panel the experiment against the estimate, and over each panel the mean of their ratio against 1."""
    return [check for panel in figure(step.name).panels for check in of_panel(panel, seed)]


def of_panel(panel: Panel, seed: int) -> list[Check]:
    """The checks of one panel. Raises LookupError where its experiment is not shipped."""
    found, ratios = [], []
    for rate in panel.grid:
        started = time.monotonic()
        setting = panel.at(rate)
        plain = shipped(setting, panel.runs)
        if plain is None:
            raise LookupError(
                f"no experiment is shipped for panel {panel.letter} at {panel.rate} = {rate}: redo the figure with --recompute"
            )
        # other draws than those the figure shows, as exact as makes what is compared wider by two percent
        rel_error = SHARE * plain.stderr / plain.mean
        estimate = estimated(partial(simulate, setting, "loss", seed=seed + 1, rel_error=rel_error))
        apart = Estimate(estimate.mean, math.hypot(plain.stderr, estimate.stderr), estimate.draws)
        resolution = OF_A_POINT * plain.mean
        label = f"panel {panel.letter}: experiment and estimate"
        drawn = estimate.stderr / apart.stderr
        point = _check(label, {panel.rate: rate}, plain.mean, apart, resolution, started)
        found.append(replace(point, drawn=drawn))
        ratio = plain.mean / estimate.mean
        ratios.append(Estimate(ratio, ratio * apart.stderr / plain.mean, estimate.draws))
    mean = Estimate(
        sum(one.mean for one in ratios) / len(ratios),
        math.hypot(*(one.stderr for one in ratios)) / len(ratios),
        sum(one.draws for one in ratios),
    )
    label = f"panel {panel.letter}: experiment over estimate, mean over the rates"
    rates = {f"{panel.rate} from": panel.grid[0], f"{panel.rate} to": panel.grid[-1]}
    whole = _check(label, rates, 1.0, mean, OF_A_PANEL, time.monotonic())
    seconds, drawn = sum(one.seconds for one in found), max(one.drawn for one in found)
    whole = replace(whole, seconds=seconds, drawn=drawn)
    scatter = replace(_scatter(panel, found, rates), seconds=seconds, drawn=drawn)
    return [*found, whole, scatter]


def _scatter(panel: Panel, found: list[Check], places: dict[str, float]) -> Check:
    """The mean square of the distances in standard errors, of which the cube root is nearly normal (Wilson and Hilferty)."""
    square = sum(((one.value - one.mean) / one.stderr) ** 2 for one in found) / len(found)
    variance = 2 / (9 * len(found))
    seen = Estimate(math.cbrt(square), math.sqrt(variance), sum(one.draws for one in found))
    label = f"panel {panel.letter}: cube root of the mean square distance in standard errors"
    return _check(label, places, 1 - variance, seen, OF_THE_SCATTER, time.monotonic())


def _check(
    label: str, places: dict[str, float], value: float, seen: Estimate, resolution: float, started: float
) -> Check:
    verdict = judge(seen.mean, seen.stderr, value, resolution=resolution)
    seconds = time.monotonic() - started
    return Check(
        label, places, value, seen.mean, seen.stderr, seen.draws, seconds, verdict.status, verdict.reason
    )
