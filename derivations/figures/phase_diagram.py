"""Where a small positive training rate lowers (14): over the size and number of large eigenvalues, and where tasks differ.

Lines are the boundary, at which the slope of (14) at a training rate of zero vanishes, for Gaussian inputs and alpha_r = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from derivations.figures.style import BLUE, VERMILION, Series, rounded
from derivations.language.assumptions import PAPER
from derivations.paper.beyond.positive_rates import (
    DIRECTIONS,
    EXAMPLE,
    HIGH,
    LOW,
    NUMBERS_OF_SPIKES,
    SEVERAL,
    Case,
    slope_in_traces,
)
from symbolic.code.codegen import Compiled, compiled

Array = NDArray[np.float64]
NAME = "phase-diagram"
# the losses that are looked up by name
THEORIES: tuple[str, ...] = ()
STATEMENT = "Where a small positive training rate lowers the loss (14)"
SIZE = int(EXAMPLE["p"])
NOISES = (0.1, 0.3, 1.0)
DASHES = (":", "-", "--")
COUNTS = np.unique(np.round(np.geomspace(1, SIZE - 1, 40)))
RATIOS = np.geomspace(1.0, 1000.0, 61)[1:]
# the share of the tasks' spread that lies along the large eigenvalues
SHARES = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True)
class Panel:
    """A panel: x by name, the values of x, and the slope at ratios y and x, of a label noise."""

    letter: str
    title: str
    x_label: str
    x: Array
    slope: Callable[[Array, Array, float], Array]
    cases: tuple[Case, ...]
    place: Callable[[Case], float]


@cache
def _formula() -> Compiled:
    return compiled(slope_in_traces(PAPER))


def slope(ratio: Array, count: Array, share: Array, noise: float) -> Array:
    """The slope at zero, with `count` eigenvalues `ratio` times the others and a share of Tr Sigma_w = 1 along them."""
    low = float(LOW)
    high = low * ratio
    values: dict[str, Array | float] = {
        f"s_{j}": (SIZE - count) * low**j + count * high**j for j in (1, 2, 3)
    }
    values |= {f"r_{j}": values[f"s_{j + 1}"] for j in (1, 2)}
    values |= {f"v_{j}": (1 - share) * low**j + share * high**j for j in (1, 2)}
    values |= {name: float(EXAMPLE[name]) for name in ("n_v", "m")} | {"sigma": noise}
    formula = _formula()
    return np.asarray(formula(**{name: values[name] for name in formula.parameters}))


PANELS = (
    Panel(
        "a",
        "tasks that differ alike in all directions",
        "number of large eigenvalues",
        COUNTS,
        lambda ratio, count, noise: slope(ratio, count, count / SIZE, noise),
        NUMBERS_OF_SPIKES,
        lambda case: float(case.count),
    ),
    Panel(
        "b",
        f"{SEVERAL} large eigenvalues",
        "share of the tasks' spread along them",
        SHARES,
        lambda ratio, share, noise: slope(ratio, np.full_like(share, SEVERAL), share, noise),
        DIRECTIONS,
        lambda case: float(case.along * case.count),
    ),
)


def canvas() -> Canvas:
    """Draws the boundaries, and the examples that are certified and simulated."""
    figure = Canvas(figsize=(10.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for k, panel in enumerate(PANELS):
        axis = figure.add_subplot(1, 2, k + 1)
        for noise, dashes in zip(NOISES, DASHES, strict=True):
            x, y = np.meshgrid(panel.x, RATIOS)
            axis.contour(
                x, y, rounded_signed(panel.slope(y, x, noise)), [0.0], colors="black", linestyles=dashes
            )
            axis.plot([], [], dashes, color="black", label=rf"boundary, $\sigma = {noise:g}$")
        if panel.letter == "a":
            axis.set_xscale("log")
        for case in panel.cases:
            colour, said = (BLUE, "positive rate") if case.side > 0 else (VERMILION, "negative rate")
            label = f"{said}, certified and simulated"
            axis.plot([panel.place(case)], [float(HIGH / LOW)], "o", color=colour, label=label, clip_on=False)
        axis.set_yscale("log")
        axis.set_title(f"{panel.letter})  {panel.title}")
        axis.set_xlabel(panel.x_label)
        axis.set_ylabel("large eigenvalue over small" if k == 0 else "")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def rounded_signed(values: Array) -> Array:
    """The values as they are drawn, as those of other figures."""
    return rounded(values.ravel()).reshape(values.shape)


def series() -> list[Series]:
    """For each panel and noise the ratios at which the sign changes, by x."""
    found: list[Series] = []
    for panel in PANELS:
        for noise in NOISES:
            x, y = np.meshgrid(panel.x, RATIOS)
            falls = panel.slope(y, x, noise) < 0
            changes = [
                [float(RATIOS[j]) for j in np.flatnonzero(falls[1:, k] != falls[:-1, k])]
                for k in range(len(panel.x))
            ]
            found.append(
                {
                    "panel": panel.letter,
                    "label": f"boundary, sigma = {noise:g}",
                    "x": [*map(float, panel.x)],
                    "y": changes,
                }
            )
    return found


def caption() -> str:
    """What the figure shows, in plain text."""
    return (
        f"{STATEMENT}: the slope of (14) at a training rate of zero is negative where the blue circle lies in panel a, and right "
        f"of each line in panel b. The circles are certified and simulated at sigma = 0.3. {SIZE} eigenvalues, the small ones {float(LOW):g}; Tr Sigma_w = 1, spread "
        "over all directions in panel a, and in panel b between the large eigenvalues (right, aligned) and the small ones "
        "(left, opposed); alpha_r = 0, any n_t."
    )


def alt_text() -> str:
    """What a reader who cannot see the figure should know."""
    return (
        "2 panels with the boundary between positive and negative best rates, for three levels of label noise. In the first, few "
        "large eigenvalues give a positive best rate and many a negative one; in the second, tasks that differ along the "
        "large eigenvalues widen the region of a positive rate, and tasks that differ along the others narrow it."
    )
