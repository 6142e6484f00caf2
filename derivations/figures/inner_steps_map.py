"""On which side of zero the loss (5) is least, over the number of inner steps and of training points.

Both panels evaluate (5) as derived for so many inner steps, at the other sizes of Figure 2, on a grid of training rates.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from derivations.figures.panels import FIGURE_2
from derivations.figures.style import BLUE, VERMILION, Series, rounded
from derivations.formulas.by_name import function
from derivations.language.assumptions import Assumptions

Array = NDArray[np.float64]
NAME = "inner-steps"
# the losses that are looked up by name
THEORIES: tuple[str, ...] = ("eq5",)
STATEMENT = "The side of zero on which the loss (5) is least, by the number of inner steps"
STEPS = (1, 2, 3, 4)
DASHES = ("-", "--", "-.", ":")
POINTS = np.unique(np.round(np.geomspace(3, 10 * FIGURE_2.p, 40)))
# finer towards zero, and far beyond where the loss has come near its limits
REACH, RATES = 60.0, 2001
FIXED = {
    name: getattr(FIGURE_2, name) for name in ("n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r", "dist0_sq")
}


def _rates() -> Array:
    place = np.linspace(-1, 1, RATES + 2)[1:-1]
    rates = 8 * place / (1 - np.abs(place))
    return np.asarray(rates[np.abs(rates) < REACH])


@cache
def least(steps: int) -> tuple[Array, Array]:
    """For each number of training points the rate at which (5) is least, and by how much, in per cent of the loss, its least value
    at positive rates is below that at negative ones.
    """
    rates = _rates()
    formula = function("eq5", Assumptions(inner_steps=steps))
    loss = np.asarray(formula(**FIXED, n_t=POINTS[:, None], alpha_t=rates[None, :]))
    negative, positive = (loss[:, side].min(axis=1) for side in (rates < 0, rates > 0))
    return rates[loss.argmin(axis=1)], 100 * (1 - positive / negative)


def canvas() -> Canvas:
    """Draws the best rate, and what its side gains on the other."""
    figure = Canvas(figsize=(10.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(1, 2, k + 1) for k in range(2)]
    for steps, dashes in zip(STEPS, DASHES, strict=True):
        for axis, values in zip(axes, least(steps), strict=True):
            colour = BLUE if values.min() > 0 else VERMILION if values.max() < 0 else "black"
            label = f"{steps} inner step{'s' if steps > 1 else ''}"
            axis.plot(POINTS / FIGURE_2.p, rounded(values), dashes, color=colour, label=label)
    for axis, letter, said in zip(
        axes, "ab", ("best training rate", "gain of positive over negative rates, %"), strict=True
    ):
        axis.axhline(0.0, color="0.8", linewidth=1.0, zorder=0)
        axis.set_xscale("log")
        axis.set_xlabel(r"$n_t/p$")
        axis.set_ylabel(said)
        axis.set_title(f"{letter})")
    axes[0].set_ylim(-6, 6)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(STEPS))
    return figure


def series() -> list[Series]:
    """The best rate and the gain by n_t, for each number of inner steps."""
    return [
        {
            "panel": letter,
            "label": f"inner_steps = {steps}",
            "x": [*map(float, POINTS)],
            "y": [*map(float, values)],
        }
        for k, letter in enumerate("ab")
        for steps in STEPS
        for values in (least(steps)[k],)
    ]


def caption() -> str:
    """What the figure shows, in plain text."""
    s = FIGURE_2
    return (
        f"{STATEMENT}, for n_t from {POINTS[0]:g} to {POINTS[-1]:g}. (a) The rate at which it is least, beyond the axis for one step and "
        "large n_t. (b) By how much the least loss at positive rates is below that at negative ones. Blue: positive throughout; vermilion: "
        f"negative throughout. n_v = {s.n_v}, n_r = {s.n_r}, m = {s.m}, p = {s.p}, sigma = {s.sigma:g}, nu = {s.nu:g}, alpha_r = "
        f"{s.alpha_r:g}; to leading order, on a grid of rates up to {REACH:g}."
    )


def alt_text() -> str:
    """What a reader who cannot see the figure should know."""
    said = []
    for steps in STEPS:
        best = least(steps)[0]
        side = "positive" if best.min() > 0 else "negative" if best.max() < 0 else "of both signs"
        said.append(f"with {steps} it is {side}")
    return f"2 panels over n_t/p. The best training rate by the number of inner steps: {', '.join(said)}."
