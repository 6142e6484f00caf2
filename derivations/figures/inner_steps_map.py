"""On which side of zero the loss is least, over the number of inner steps and of training points: (5), and the exact loss.

Both panels evaluate (5) as derived for so many inner steps, at the other sizes of Figure 2, on a grid of training rates. The exact loss at
some numbers of training points is sampled by the reduction to one task, at the same draws for all rates, and shipped.

`python -m derivations.figures.inner_steps_map` draws these again; takes about a minute.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from derivations.figures.style import BLUE, VERMILION, Series, rounded
from derivations.formulas.by_name import function
from derivations.language.assumptions import Assumptions
from derivations.paper.experiments.panels import FIGURE_2
from derivations.support.files import read_json, write_json
from derivations.support.provenance import Provenance, versions
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import reduced

Array = NDArray[np.float64]
NAME = "inner-steps"
# the losses that are looked up by name
THEORIES: tuple[str, ...] = ("eq5",)
STATEMENT = "The side of zero on which the loss is least, (5) and the exact one, by the number of inner steps"
STEPS = (1, 2, 3, 4)
DASHES = ("-", "--", "-.", ":")
MARKS = {1: "o", 2: "s", 3: "D", 4: "^"}
POINTS = np.unique(np.round(np.geomspace(3, 10 * FIGURE_2.p, 40)))
# finer towards zero, and far beyond where the loss has come near its limits
REACH, RATES = 60.0, 2001
FIXED = {
    name: getattr(FIGURE_2, name) for name in ("n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r", "dist0_sq")
}

# where the exact loss is drawn: training points, rates on either side of zero, draws
EXACT_POINTS = (6, 12, 18, 30, 60, 120, 300, 600)
EXACT_RATES = np.geomspace(0.02, 60, 49)
DRAWS, SEED = 6_000, 0
# by panel
SHOWN: tuple[Literal["best", "gain"], ...] = ("best", "gain")
FILE = Path(__file__).with_name("inner_steps_exact.json")


class ExactPlace(TypedDict):
    """Where the exact loss is least, and its gain with its standard error, in per cent."""

    steps: int
    n_t: int
    best: float
    gain: float
    stderr: float


class Shipped(Provenance):
    """All places that were drawn."""

    date: str
    seed: int
    draws: int
    rows: list[ExactPlace]


def exact_place(points: int, steps: int) -> ExactPlace:
    """The rate of the grid at which the exact loss is least, and by how much, in per cent, its least value at positive rates is below
    that at negative ones, with its error; all rates at the same draws.
    """
    setting = replace(FIGURE_2, n_t=points, inner_steps=steps)
    drawn: dict[float, Array] = {}
    for rate in map(float, (*-EXACT_RATES, *EXACT_RATES)):
        source = generator_for(f"inner steps/{points}/{steps}/{SEED}")
        drawn[rate] = np.asarray(reduced.loss(source, replace(setting, alpha_t=rate), DRAWS))
    negative, positive = (
        min((rate for rate in drawn if rate * side > 0), key=lambda rate: float(drawn[rate].mean()))
        for side in (-1, 1)
    )
    low, high = drawn[negative], drawn[positive]
    share = float(high.mean() / low.mean())
    error = float((high - share * low).std(ddof=1) / low.mean() / np.sqrt(DRAWS))
    best = negative if share > 1 else positive
    return {"steps": steps, "n_t": points, "best": best, "gain": 100 * (1 - share), "stderr": 100 * error}


def document() -> Shipped:
    """All places of the exact loss, with their provenance."""
    started = time.process_time()
    rows = [exact_place(points, steps) for steps in STEPS for points in EXACT_POINTS]
    return {
        "command": "python -m derivations.figures.inner_steps_map",
        "seed": SEED,
        "draws": DRAWS,
        "versions": versions(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.process_time() - started),
        "rows": rows,
    }


def shipped() -> Shipped:
    """The exact places as they were drawn, with their provenance."""
    found: Shipped = read_json(FILE)
    return found


def _exact(steps: int) -> list[ExactPlace]:
    return [row for row in shipped()["rows"] if row["steps"] == steps]


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
        for axis, name in zip(axes, SHOWN, strict=True):
            axis.plot([], [], MARKS[steps], color="black", markersize=5, label=f"{steps}, exact")
            for row in _exact(steps):
                colour = BLUE if row["best"] > 0 else VERMILION
                axis.plot(
                    [row["n_t"] / FIGURE_2.p], rounded([row[name]]), MARKS[steps], color=colour, markersize=5
                )
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
    """The best rate and the gain by n_t, for each number of inner steps; of (5), then of the exact loss."""
    exact: list[Series] = []
    for letter, name in zip("ab", SHOWN, strict=True):
        for steps in STEPS:
            rows = _exact(steps)
            one: Series = {
                "panel": letter,
                "label": f"inner_steps = {steps}, exact",
                "x": [row["n_t"] for row in rows],
            }
            one["y"] = [row[name] for row in rows]
            if name == "gain":
                one["stderr"] = [row["stderr"] for row in rows]
            exact.append(one)
    leading: list[Series] = [
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
    return leading + exact


def caption() -> str:
    """What the figure shows, in plain text."""
    s, document = FIGURE_2, shipped()
    worst = max(row["stderr"] for row in document["rows"])
    return (
        f"{STATEMENT}, for n_t from {POINTS[0]:g} to {POINTS[-1]:g}. (a) The rate at which it is least, beyond the axis for one step and "
        "large n_t. (b) By how much the least loss at positive rates is below that at negative ones. Blue: positive throughout; vermilion: "
        f"negative throughout. n_v = {s.n_v}, n_r = {s.n_r}, m = {s.m}, p = {s.p}, sigma = {s.sigma:g}, nu = {s.nu:g}, alpha_r = "
        f"{s.alpha_r:g}. Lines: to leading order, on a grid of rates up to {REACH:g}. Marks: the exact loss, least on a grid of rates, each in the colour of its sign, "
        f"{document['draws']} draws of one task each; standard errors of the gain are at most {worst:.1g} %."
    )


def alt_text() -> str:
    """What a reader who cannot see the figure should know."""
    said = []
    for steps in STEPS:
        best = least(steps)[0]
        side = "positive" if best.min() > 0 else "negative" if best.max() < 0 else "of both signs"
        said.append(f"with {steps} it is {side}")
    other = [f"{row['steps']} steps and n_t = {row['n_t']:g}" for row in _against()]
    exact = (
        f" The exact loss is least on the other side of zero with {' and with '.join(other)}."
        if other
        else ""
    )
    return f"2 panels over n_t/p. The rate at which (5) is least by the number of inner steps: {', '.join(said)}.{exact}"


def _against() -> list[ExactPlace]:
    """The places at which the exact loss is least on the side of zero on which (5) is not."""
    found = []
    for row in shipped()["rows"]:
        k = int(np.argmin(np.abs(POINTS - row["n_t"])))
        if least(int(row["steps"]))[0][k] * row["best"] < 0:
            found.append(row)
    return found


def main() -> None:
    """Draws the exact places and writes them."""
    write_json(FILE, document())


if __name__ == "__main__":
    main()
