"""What the runs of Figure 5 say: differences from rate zero, paired and in two levels, with errors by runs.

The loss of a trained network is that of its linearised form plus a difference. The first is averaged over many cheap runs
with all labels averaged exactly, the second over the trained runs, on the same draws as their linearised form.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from derivations.figures.network_runs import COLUMNS, RATES, provenance
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.network.experiment import PRINTED_WIDTH, Reading, reading

Array = NDArray[np.float64]
ZERO = RATES.index(0.0)
# the best training rate that section 5.4 reports, and the runs that it averages at each rate
REPORTED, REPORTED_RUNS = -0.0075, 10
FIGURES_DRAWN = 4000


class Mark(NamedTuple):
    """The loss at a rate minus that at rate zero: linearised, trained alone (paired), and trained in two levels."""

    rate: float
    linearised: Estimate
    trained: Estimate
    two_level: Estimate


@cache
def runs(how: Reading, width: int = PRINTED_WIDTH) -> dict[str, Array]:
    """The shipped losses by column, (runs, rates); only rate zero at other widths than the printed one."""
    groups = [g for g in provenance()["trained"] if reading(g["reading"]) == how and g["width"] == width]
    if not groups or not groups[0]["rows"]:
        raise ValueError(f"no runs under reading {how} at width {width} are shipped")
    values = np.array([group["rows"] for group in groups])
    return {name: values[:, :, k].T for k, name in enumerate(COLUMNS)}


def _linearised(how: Reading) -> dict[str, Any]:
    found: dict[str, Any] = provenance()["linearised"][how]
    return found


def _estimate(values: Array) -> Estimate:
    return Estimate(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values))


def _plus(one: Estimate, other: Estimate) -> Estimate:
    """The sum of two independent estimates; draws of the second."""
    return Estimate(one.mean + other.mean, math.hypot(one.stderr, other.stderr), other.draws)


def marks(how: Reading) -> list[Mark]:
    """The differences from rate zero under a reading, at each rate."""
    many, few = _linearised(how), runs(how)
    trained, linearised = (few[name] - few[name][:, [ZERO]] for name in ("trained", "linearised"))
    found = []
    for k, rate in enumerate(RATES):
        mean = Estimate(many["difference"][k], many["difference_stderr"][k], many["runs"])
        correction = _estimate(trained[:, k] - linearised[:, k])
        found.append(Mark(rate, mean, _estimate(trained[:, k]), _plus(mean, correction)))
    return found


def level(how: Reading) -> Estimate:
    """The loss at rate zero, in two levels."""
    many, few = _linearised(how), runs(how)
    gaps = few["trained"][:, ZERO] - few["linearised"][:, ZERO]
    return _plus(Estimate(many["loss"][ZERO], many["loss_stderr"][ZERO], many["runs"]), _estimate(gaps))


def lowest(how: Reading) -> Mark:
    """The mark with the lowest two-level mean."""
    return min(marks(how), key=lambda mark: mark.two_level.mean)


def between(how: Reading, rate: float, other: float) -> Estimate:
    """The loss of trained networks at a rate minus that at another, paired."""
    trained = runs(how)["trained"]
    return _estimate(trained[:, RATES.index(rate)] - trained[:, RATES.index(other)])


def lowered(how: Reading) -> int:
    """In how many of the trained runs the loss is lower at the reported rate than at rate zero."""
    trained = runs(how)["trained"]
    return int(np.sum(trained[:, RATES.index(REPORTED)] < trained[:, ZERO]))


class TenRuns(NamedTuple):
    """How figures of ten runs scatter: spread of their mean difference at the reported rate, share of figures in which
    that is below zero, and share of figures that are lowest at a negative rate."""

    spread: float
    improved: float
    negative: float


def ten_runs(how: Reading) -> TenRuns | None:
    """Figures of ten trained runs drawn again and again from the shipped ones, the same runs at every rate.

    None where fewer than ten are shipped.
    """
    trained = runs(how)["trained"]
    if len(trained) < REPORTED_RUNS:
        return None
    rng = generator_for(f"figure 5/ten runs/{how}")
    chosen = rng.integers(len(trained), size=(FIGURES_DRAWN, REPORTED_RUNS))
    drawn = trained[chosen].mean(axis=1)
    change = drawn[:, RATES.index(REPORTED)] - drawn[:, ZERO]
    best = np.array(RATES)[drawn.argmin(axis=1)]
    return TenRuns(float(change.std()), float(np.mean(change < 0)), float(np.mean(best < 0)))


class Gap(NamedTuple):
    """Trained minus linearised loss at rate zero over runs of a width: root mean square and median of its size."""

    width: int
    runs: int
    root_mean_square: float
    median: float


def gaps() -> list[Gap]:
    """The error of the linearisation on the ladder of widths, over the runs that all widths have."""
    widths = sorted({group["width"] for group in provenance()["trained"] if group["reading"] == Reading.TASK})
    found = []
    for width in widths:
        few = runs(Reading.TASK, width)
        k = ZERO if width == PRINTED_WIDTH else 0
        size = np.abs(few["trained"][:, k] - few["linearised"][:, k])
        found.append((width, size))
    least = min(len(size) for _, size in found)
    return [
        Gap(width, least, float(np.sqrt(np.mean(size[:least] ** 2))), float(np.median(size[:least])))
        for width, size in found
    ]
