"""How far the figures carry: the best rate and what it gains over a rate of zero, from exact losses, over sizes and noise.

The tasks and their variability leave the best rate where it is (`one-task-suffices`), so that it is searched once for each number of
training points. The last two panels ask for more: at a rate of zero the training points may serve as validation points too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from derivations.figures.style import BLUE, VERMILION, Series, rounded
from derivations.formulas.by_name import formula
from derivations.language.assumptions import PAPER
from derivations.language.symbols import label_noise
from derivations.language.values import evaluate
from derivations.paper.beyond.exact_loss import label_noise_at
from derivations.paper.experiments.panels import FIGURE_2
from numeric_check.estimators.located_minimum import lowest_point

Array = NDArray[np.float64]
NAME = "gain-maps"
# the losses that are looked up by name
THEORIES: tuple[str, ...] = ("exact-loss", "exact-loss-at-zero")
STATEMENT = "The best training rate and what it gains, from exact losses with one validation point of a task"
SIZE = FIGURE_2.p
POINTS = np.unique(np.round(np.geomspace(3, 10 * SIZE, 14))).astype(int)
# up to p = n_v m + 2, where the loss is finite
TASKS = np.unique(np.round(np.concatenate([np.linspace(1, 54, 16), np.arange(55, 59)]))).astype(int)
FIXED = {
    "n_v": 1.0,
    "p": float(SIZE),
    "n_r": float(FIGURE_2.n_r),
    "alpha_r": FIGURE_2.alpha_r,
    "dist0_sq": 0.0,
}
# label noise over the spread of tasks; the paper's examples by n_t/p, n_v m/p and this ratio
RATIOS = (2.0, 1.0, 0.25)
EXAMPLES = (
    ("Figure 2", 0.5, 0.1, 2.0),
    ("Figure 6a", 0.8, 0.04, 1.0),
    ("Figure 6b", 0.8, 0.5, 1.0),
)
COARSE = -np.geomspace(0.03, 30.0, 9)
ROUNDS = 11


def _noise(points: int, rate: float) -> float:
    """The label noise of one task at sigma = 1."""
    given = {"n_t": float(points), "m": 1.0, "alpha_t": rate, "sigma": 1.0, "n_v": 1.0, "p": float(SIZE)}
    return label_noise_at(PAPER, given).mean


@cache
def best(points: int) -> tuple[float, float, float]:
    """The rate at which the exact loss is least, and the label noise of one task there and at zero: by a coarse grid and
    golden sections of the rate's logarithm.
    """
    k = int(np.argmin([_noise(points, float(rate)) for rate in COARSE]))
    low, high = (float(np.log(-COARSE[j])) for j in (max(k - 1, 0), min(k + 1, len(COARSE) - 1)))
    rate = -math.exp(lowest_point(lambda x: _noise(points, -math.exp(x)), low, high, ROUNDS))
    return rate, _noise(points, rate), _noise(points, 0.0)


def loss(tasks: int, ratio: float, noise: float) -> float:
    """The exact loss at nu = 1 and sigma = ratio, where the label noise of one task at sigma = 1 is `noise`."""
    at = {**FIXED, "m": float(tasks), "sigma": ratio, "nu": 1.0, label_noise.name: ratio**2 * noise}
    return float(evaluate(formula("exact-loss"), at))


def loss_of_all(points: int, tasks: int, ratio: float) -> float:
    """The exact loss at a rate of zero with all n_t + n_v points as validation points; infinite close to p = n_v m."""
    rows = (points + 1) * tasks
    if abs(rows - SIZE) <= 1:
        return float("inf")
    at = {**FIXED, "n_t": float(points), "n_v": points + 1.0, "m": float(tasks), "sigma": ratio, "nu": 1.0}
    return float(evaluate(formula("exact-loss-at-zero", key="over" if rows < SIZE else "under"), at))


@dataclass(frozen=True)
class Map:
    """One panel over n_t/p and n_v m/p: a letter, the ratio of noise, and whether all points are used at a rate of zero."""

    letter: str
    ratio: float
    all_points: bool

    @property
    def values(self) -> Array:
        """By tasks and training points, in per cent of the loss at a rate of zero, by how much the least loss is below it."""
        return _values(self.ratio, self.all_points)


MAPS = (
    *(Map(letter, ratio, False) for letter, ratio in zip("bcd", RATIOS, strict=True)),
    *(Map(letter, ratio, True) for letter, ratio in zip("ef", (RATIOS[0], RATIOS[-1]), strict=True)),
)


@cache
def _values(ratio: float, all_points: bool) -> Array:
    found = np.empty((len(TASKS), len(POINTS)))
    for k, points in enumerate(map(int, POINTS)):
        _, least, at_zero = best(points)
        for j, tasks in enumerate(map(int, TASKS)):
            without = loss_of_all(points, tasks, ratio) if all_points else loss(tasks, ratio, at_zero)
            found[j, k] = 100 * (1 - loss(tasks, ratio, least) / without)
    return found


# -- drawing -------------------------------------------------------------------------------------------------

SIGNED = LinearSegmentedColormap.from_list("signed", [VERMILION, "white", BLUE])
GAINS = LinearSegmentedColormap.from_list("gains", ["white", BLUE])
CLIPPED = 100.0


def canvas() -> Canvas:
    """Draws the best rate over n_t/p, the maps of the gain, and those of the comparison with all points at a rate of zero."""
    figure = Canvas(figsize=(11.4, 6.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(2, 3, k + 1) for k in range(6)]
    rates = [best(int(points))[0] for points in POINTS]
    axes[0].plot(POINTS / SIZE, rounded(rates), color="black")
    axes[0].set_xscale("log")
    axes[0].set_yscale("symlog", linthresh=0.1)
    axes[0].set_ylim(1.5 * min(rates), 0.5 * max(rates))
    axes[0].set_title("a)  best rate, any m and noise")
    axes[0].set_ylabel(r"training rate $\alpha_t$")
    for axis, panel in zip(axes[1:], MAPS, strict=True):
        _map(figure, axis, panel)
    for axis in axes:
        axis.set_xlabel(r"$n_t/p$")
    return figure


def _map(figure: Canvas, axis: Axes, panel: Map) -> None:
    clipped = np.clip(rounded(panel.values.ravel()).reshape(panel.values.shape), -CLIPPED, CLIPPED)
    limits = Normalize(-CLIPPED, CLIPPED) if panel.all_points else Normalize(0.0, float(clipped.max()))
    mesh = axis.pcolormesh(
        POINTS / SIZE,
        TASKS / SIZE,
        clipped,
        norm=limits,
        cmap=SIGNED if panel.all_points else GAINS,
        shading="nearest",
    )
    figure.colorbar(mesh, ax=axis, label="less than at a rate of zero, %")
    for said, x, y, ratio in EXAMPLES:
        if ratio == panel.ratio:
            axis.plot([x], [y], "o", color=VERMILION, markersize=5, markeredgecolor="black")
            # not black: on a page that follows the page's colours, and a map does not
            axis.annotate(said, (x, y), (6, 4), textcoords="offset points", fontsize=9, color="0.1")
    if panel.all_points:
        axis.plot(POINTS / SIZE, 1 / (POINTS + 1), "--", color="0.3", linewidth=1.0)
        axis.set_ylim(TASKS[0] / SIZE / 2, TASKS[-1] / SIZE * 1.05)
    axis.set_xscale("log")
    title = "all points at zero" if panel.all_points else "gain"
    axis.set_title(rf"{panel.letter})  {title}, $\sigma/\nu = {panel.ratio:g}$")
    axis.set_ylabel(r"$n_vm/p$")


def series() -> list[Series]:
    """The best rate by n_t/p, and each map by n_t/p for each n_v m/p."""
    x = [*map(float, POINTS / SIZE)]
    rates = [best(int(points))[0] for points in POINTS]
    found: list[Series] = [{"panel": "a", "label": "best rate", "x": x, "y": rates}]
    for panel in MAPS:
        said = "all points at a rate of zero" if panel.all_points else "gain"
        found += [
            {
                "panel": panel.letter,
                "label": f"{said}, sigma/nu = {panel.ratio:g}, n_v m/p = {tasks / SIZE:.3g}",
                "x": x,
                "y": [*map(float, row)],
            }
            for tasks, row in zip(TASKS, panel.values, strict=True)
        ]
    return found


def caption() -> str:
    """What the figure shows, in plain text."""
    return (
        f"{STATEMENT}. (a) The rate at which the loss is least, which neither the number of tasks nor the noise changes. (b-d) By how much the "
        "least loss is below that at a rate of zero, in per cent of the latter. Circles: the sizes and noise of the paper's figures, whose n_v is 2 or 5. (e-f) The same "
        "against a rate of zero with all n_t + n_v points as validation points: blue where the negative rate is better, vermilion where all "
        f"points at zero are, cut at {CLIPPED:g} %; dashed, where these points number p, and their loss is infinite. p = {SIZE}, n_v = 1, "
        f"n_r = {FIGURE_2.n_r}, alpha_r = {FIGURE_2.alpha_r:g}, training from the mean of the tasks."
    )


def alt_text() -> str:
    """What a reader who cannot see the figure should know."""
    most = ", ".join(
        f"{panel.values.max():.2g} % at sigma/nu = {panel.ratio:g}" for panel in MAPS if not panel.all_points
    )
    won = ", ".join(
        f"{100 * float(np.mean(panel.values > 0)):.0f} % of the places at sigma/nu = {panel.ratio:g}"
        for panel in MAPS
        if panel.all_points
    )
    rates = [best(int(points))[0] for points in POINTS]
    return (
        f"6 panels over n_t/p. The best rate falls from {rates[0]:.2f} to {rates[-1]:.1f} as n_t/p grows. The gain over a rate of zero is at most {most}. "
        f"Against all points at a rate of zero the negative rate is better at {won}."
    )
