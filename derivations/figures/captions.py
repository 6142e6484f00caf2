"""Captions and alternative texts of the figures, from the numbers that the figures are drawn from."""

from __future__ import annotations

import numpy as np

from derivations.figures.curves import predicted
from derivations.language.assumptions import PAPER
from derivations.language.regime import Regime
from derivations.paper.experiments.panels import Figure, Panel

RATES = {"alpha_r": "adaptation rate", "alpha_t": "training rate"}
FINE = 401


def equation_number(panel: Panel) -> str:
    """The paper's number of the equation that predicts the panel's loss."""
    return panel.theory.removeprefix("eq")


def panel_title(panel: Panel) -> str:
    """What distinguishes a panel within its figure, in TeX: its regime, or the rate it holds fixed."""
    s = panel.base
    if panel.title:
        sides = Regime(s.regime).inequality(f"p = {s.p}", f"n_v m = {s.validation_points}")
        return rf"{panel.title}: ${sides}$"
    return rf"$\alpha_t = {s.alpha_t:g}$" if panel.rate == "alpha_r" else rf"$\alpha_r = {s.alpha_r:g}$"


def lowest_predicted(panel: Panel) -> float:
    """The rate in the panel's range at which the predicted loss is smallest."""
    rates = np.linspace(panel.grid[0], panel.grid[-1], FINE)
    return float(rates[int(np.argmin(predicted(panel, rates)))])


def name_of(panel: Panel) -> str:
    """A panel in words."""
    return panel.title or f"over the {RATES[panel.rate]}"


def sizes(panel: Panel) -> str:
    """What is fixed in a panel, as text."""
    s = panel.base
    other = "alpha_t" if panel.rate == "alpha_r" else "alpha_r"
    values: dict[str, object] = {name: getattr(s, name) for name in ("n_t", "n_v", "n_r", "m", "p", "sigma")}
    if s.Sigma_w is None:
        values["nu"] = s.nu
    values[other] = getattr(s, other)
    if s.dist0_sq > 0:
        values["|omega_0 - w_0|^2"] = s.dist0_sq
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())


def caption(shown: Figure) -> str:
    """What the figure shows and how its points were obtained, in plain text."""
    experiment = (
        "Circles: the plain protocol, everything drawn, 100 test tasks of 50 points in each run, with bars of two "
        "standard errors. "
    )
    paper = all(panel.assumptions == PAPER for panel in shown.panels)
    known = any(panel.theory == "eq5" for panel in shown.panels)
    blue = (
        f"Blue lines{' in panels (a) and (b)' if len(shown.panels) > 2 else ''}: the exact loss. "
        if paper and known
        else ""
    )
    if paper and any(panel.base.Sigma is None for panel in shown.panels):
        blue += "Dash-dotted: the formulas with their next order. "
    if paper and any(panel.limit for panel in shown.panels):
        blue += "Dotted: the limit of the exact loss as training points, validation points and parameters grow in proportion. "
    lines = [
        f"{shown.statement}. Lines: the derived formulas. {blue}{experiment if paper else ''}Diamonds: the "
        "conditional estimator, whose error is smaller than its mark."
    ]
    for panel in shown.panels:
        runs = f", {panel.runs} runs a point" if paper else ""
        lines.append(
            f"({panel.letter}) {name_of(panel)}, equation ({equation_number(panel)}){runs}: {sizes(panel)}."
        )
    return " ".join(lines)


def alt_text(shown: Figure) -> str:
    """What a reader who cannot see the figure should know."""
    lines = [f"{len(shown.panels)} panels of average test loss against a learning rate."]
    for panel in shown.panels:
        low, high = panel.grid[0], panel.grid[-1]
        lines.append(
            f"Panel {panel.letter}, {name_of(panel)}: the predicted loss for a {RATES[panel.rate]} from "
            f"{low:g} to {high:g} is smallest near {lowest_predicted(panel):.2f}."
        )
    return " ".join(lines)
