"""The figures: theory as lines, the experiment as points with error bars, our finer estimate beside it.

The same call gives the same file: no dates, fixed identifiers, and numbers rounded before they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from derivations.figures import (
    gain_maps,
    graphical_model,
    inner_steps_map,
    network_figure,
    network_runs,
    phase_diagram,
)
from derivations.figures.captions import alt_text, equation_number, panel_title
from derivations.figures.curves import exact, in_proportion, next_order, predicted
from derivations.figures.style import BARS, BLUE, LABELS, VERMILION, Series, rounded, styled
from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.experiments.panels import Figure, Panel, figure, grid, slug_of
from derivations.paper.experiments.points import Point, Report, recompute, simulated
from derivations.support.bad_input import BadInput
from derivations.support.files import require_place, whole

Array = NDArray[np.float64]
FORMATS = ("svg", "png", "pdf")
# Figure 1, the one without data.
MODEL = "figure1"
# the figures that draw themselves
OWN = {module.NAME: module for module in (network_figure, phase_diagram, inner_steps_map, gain_maps)}
CURVE_POINTS, EXACT_POINTS = 241, 41
# More entries than this stand in two rows.
LEGEND_COLUMNS = 3
# The first theory of a figure is drawn solid, a second one dashed.
DASHES = ("-", "--")
EXACT = "exact loss"
NEXT = "with its next order"
LIMIT = "limit of sizes in proportion"
EXPERIMENT_LABEL = "experiment"
EXPERIMENT = rf"experiment, mean $\pm$ {BARS:g} standard errors"
ESTIMATE = "only inputs drawn, error below the mark"
SIMULATED = (EXPERIMENT, ESTIMATE)


def draw(
    name: str,
    out: Path | None = None,
    *,
    also: Sequence[Path] = (),
    assumptions: Assumptions = PAPER,
    recomputed: bool = False,
    progress: Report | None = None,
) -> tuple[Path, list[Series]]:
    """Draws a figure (`1` to `6`, `figure-2`, `phase-diagram`, `inner-steps`, `gain-maps`, or by equation: `eq5`); returns the file and what it shows.

    out: an .svg, .png or .pdf file, by default NAME.svg here; Figure 1 is no plot and always .svg. also: more such files, of
    the same drawing. Points not in the store are simulated and stored one by one; progress hears of each. recomputed: make the shipped experiment anew
    first, of Figure 5 what is missing (`network_runs.recompute`). Raises BadInput for an unknown figure, another suffix, assumptions under which nothing is derived, or a
    place where nothing can be written, before anything is simulated.
    """
    model = slug_of(name) == MODEL
    slug = slug_of(name) if slug_of(name) in (MODEL, *OWN) else figure(name).name
    target = Path(f"{slug}.svg") if out is None else out
    targets = (target, *also)
    for file in targets:
        _require_place(file, model)
    if (model or recomputed or slug in OWN) and assumptions != PAPER:
        raise BadInput(f"{slug} and the paper's experiments are drawn as they are: leave out --assume")
    if model:
        if recomputed:
            raise BadInput("figure 1 is a drawing, with nothing to recompute: leave out --recompute")
        for file in targets:
            with whole(file) as temporary:
                temporary.write_text(graphical_model.draw(), encoding="utf-8")
        return target, []
    if slug in OWN:
        own = OWN[slug]
        if recomputed:
            if own is not network_figure:
                raise BadInput(f"{slug} has nothing to recompute: leave out --recompute")
            network_runs.recompute(progress)
        with styled(slug):
            _save(own.canvas(), targets, own.STATEMENT, own.alt_text())
        return target, own.series()
    shown = figure(name).under(assumptions)
    for panel in shown.panels:  # refused before anything is simulated
        predicted(panel, panel.grid[:1])
    if recomputed:
        recompute(shown, progress)
    points = simulated(shown, progress)
    with styled(shown.name):
        _save(_canvas(shown, points), targets, shown.statement, alt_text(shown))
    return target, series(shown, points)


def _require_place(target: Path, model: bool) -> None:
    """Raises BadInput for a file that is no figure, and where nothing can be written; model: whether it is Figure 1."""
    kind = _kind(target)
    if kind not in FORMATS:
        raise BadInput(f"{target.name!r} is no figure file: end its name in .svg, .png or .pdf")
    if model and kind != "svg":
        raise BadInput(f"figure 1 is a drawing, not a plot: end {target.name!r} in .svg")
    require_place(target)


def _kind(target: Path) -> str:
    return target.suffix.removeprefix(".").lower()


def series(shown: Figure, points: Sequence[Sequence[Point]]) -> list[Series]:
    """What the figure shows as numbers: for each panel the lines, the experiment and the estimate."""
    found: list[Series] = []
    for panel, marks in zip(shown.panels, points, strict=True):
        rates = np.linspace(panel.grid[0], panel.grid[-1], CURVE_POINTS)
        line = predicted(panel, rates)
        theory = f"theory, equation ({equation_number(panel)})"
        found.append(_one(panel, theory, list(map(float, rates)), list(map(float, line)), None, None))
        following = next_order(panel, rates)
        if following is not None:
            found.append(_one(panel, NEXT, list(map(float, rates)), list(map(float, following)), None, None))
        known = _known(panel)
        if known is not None:
            at, values = (list(map(float, part)) for part in known)
            found.append(_one(panel, EXACT, at, values, None, None))
        limit = in_proportion(panel, rates)
        if limit is not None:
            found.append(_one(panel, LIMIT, list(map(float, rates)), list(map(float, limit)), None, None))
        for label, estimates in (
            (EXPERIMENT_LABEL, [p.plain for p in marks]),
            (ESTIMATE, [p.conditional for p in marks]),
        ):
            ready = [estimate for estimate in estimates if estimate is not None]
            if ready:
                found.append(
                    _one(
                        panel,
                        label,
                        [point.rate for point in marks],
                        [estimate.mean for estimate in ready],
                        [estimate.stderr for estimate in ready],
                        [estimate.draws for estimate in ready],
                    )
                )
    return found


def _known(panel: Panel) -> tuple[Array, Array] | None:
    """Rates and exact losses, where they are known."""
    rates = np.array(grid(panel.grid[0], panel.grid[-1], EXACT_POINTS))
    found = exact(panel, rates)
    return None if found is None else (rates, found)


def _one(
    panel: Panel,
    label: str,
    x: list[float],
    y: list[float],
    stderr: list[float] | None,
    runs: list[int] | None,
) -> Series:
    return {
        "panel": panel.letter,
        "label": label,
        "rate": panel.rate,
        "x": x,
        "y": y,
        "stderr": stderr,
        "runs": runs,
    }


def _save(canvas: Canvas, targets: Sequence[Path], title: str, described: str) -> None:
    """Writes each file whole or not at all; they have the layout of the first."""
    for target in targets:
        kind = _kind(target)
        metadata: dict[str, str | None] = {"Title": title, "Description": described}
        if kind == "pdf":
            metadata = {"Title": title, "Subject": described, "CreationDate": None}
        elif kind == "svg":
            metadata |= {"Date": None, "Creator": None}
        else:
            metadata |= {"Software": None}
        with whole(target) as temporary:
            canvas.savefig(temporary, format=kind, metadata=metadata)
        canvas.set_layout_engine("none")


def _canvas(shown: Figure, points: Sequence[Sequence[Point]]) -> Canvas:
    rows, columns = (len(shown.panels) + 1) // 2, 2
    # titles over four panels say more, and so need more room
    width = 9.0 if rows == 1 else 10.8
    canvas = Canvas(figsize=(width, 0.5 + 3.4 * rows), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = [canvas.add_subplot(rows, columns, k + 1) for k in range(len(shown.panels))]
    theories = list(dict.fromkeys(panel.theory for panel in shown.panels))
    for axis, panel, found in zip(axes, shown.panels, points, strict=True):
        _panel(axis, panel, found, DASHES[theories.index(panel.theory)])
    handles, labels = _legend(axes)
    canvas.legend(
        handles, labels, loc="outside upper center", ncols=len(labels) if len(labels) <= LEGEND_COLUMNS else 2
    )
    return canvas


def _legend(axes: Sequence[Axes]) -> tuple[list[Artist], list[str]]:
    """Each kind of mark once: the lines of theory, then the two simulations."""
    found: dict[str, Artist] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = [label for label in found if label not in SIMULATED]
    labels += [label for label in SIMULATED if label in found]
    return [found[label] for label in labels], labels


def _panel(axis: Axes, panel: Panel, points: Sequence[Point], dashes: str) -> None:
    rates = np.linspace(panel.grid[0], panel.grid[-1], CURVE_POINTS)
    marks = [point.rate for point in points]
    if panel.rate == "alpha_t":
        axis.axvline(0.0, color="0.8", linewidth=1.0, zorder=0)
    axis.plot(
        rates,
        rounded(predicted(panel, rates)),
        dashes,
        color="black",
        linewidth=1.5,
        label=f"theory, equation ({equation_number(panel)})",
    )
    following = next_order(panel, rates)
    if following is not None:
        axis.plot(rates, rounded(following), "-.", color="black", linewidth=1.0, zorder=2.5, label=NEXT)
    known = _known(panel)
    if known is not None:
        axis.plot(known[0], rounded(known[1]), color=BLUE, linewidth=1.0, label=EXACT)
    limit = in_proportion(panel, rates)
    if limit is not None:
        axis.plot(rates, rounded(limit), ":", color=VERMILION, linewidth=1.5, label=LIMIT)
    plain = [point.plain for point in points if point.plain is not None]
    if plain:
        axis.errorbar(
            marks,
            rounded([estimate.mean for estimate in plain]),
            yerr=rounded([BARS * estimate.stderr for estimate in plain]),
            fmt="o",
            color=VERMILION,
            markerfacecolor="white",
            markersize=6,
            elinewidth=1.3,
            capsize=2.5,
            zorder=3,
            label=EXPERIMENT,
        )
    axis.plot(
        marks,
        rounded([point.conditional.mean for point in points]),
        "D",
        color=BLUE,
        markersize=2.8,
        zorder=4,
        label=ESTIMATE,
    )
    axis.set_title(f"{panel.letter})  {panel_title(panel)}")
    axis.set_xlabel(LABELS[panel.rate])
    axis.set_ylabel("average test loss")
