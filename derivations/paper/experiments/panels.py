"""What the figures show: panels, grids and numbers of runs.

Sizes, rates and runs are those of the captions in the paper. Its axes are not in its text, so the ranges are
ours, wide enough to show every minimum and maximum of the curves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.support.bad_input import BadInput
from derivations.support.text import nearest, shortened
from numeric_check.draws.seeds import generator_for
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
# the sizes of Figures 2 and 3, with both rates at the value that they hold fixed in turn
FIGURE_2 = Setting(n_t=30, n_v=2, n_r=20, m=3, p=60, sigma=1.0, nu=0.5, alpha_t=0.2, alpha_r=0.2)
FIGURE_3 = Setting(n_t=5, n_v=25, n_r=10, m=40, p=30, sigma=0.2, nu=0.2, alpha_t=0.2, alpha_r=0.2)
Rate = Literal["alpha_r", "alpha_t"]


@dataclass(frozen=True)
class Panel:
    """One set of axes: the loss over one learning rate, everything else fixed.

    letter: how the panel is called. title: its regime, where panels differ by that, else empty. base: the
    fixed values. rate: the one that varies, over `grid`. runs: of the plain protocol at each point. theory:
    the equation (`eq5`) that predicts the loss here, under `assumptions`. limit: whether the loss at large sizes in
    proportion is drawn too, where it is known.
    """

    letter: str
    title: str
    base: Setting
    rate: Rate
    grid: tuple[float, ...]
    runs: int
    theory: str
    assumptions: Assumptions = PAPER
    limit: bool = False

    def at(self, value: float) -> Setting:
        """The setting with the varying rate at this value."""
        return (
            replace(self.base, alpha_r=value) if self.rate == "alpha_r" else replace(self.base, alpha_t=value)
        )


@dataclass(frozen=True)
class Figure:
    """A figure of the paper: its name here, what it shows, its panels in reading order."""

    name: str
    statement: str
    panels: tuple[Panel, ...]

    def under(self, assumptions: Assumptions) -> Figure:
        """The same axes under changed assumptions; where the validation data are reused, n_t is n_v."""
        if assumptions == PAPER:
            return self
        reused = assumptions.split == "reused"
        changed = [
            replace(
                panel,
                base=replace(
                    panel.base,
                    n_t=panel.base.n_v if reused else panel.base.n_t,
                    **sampled_fields(assumptions),
                ),
                assumptions=assumptions,
            )
            for panel in self.panels
        ]
        return replace(
            self, statement=f"{self.statement}, under {assumptions.label()}", panels=tuple(changed)
        )


# -- the figures --------------------------------------------------------------------------------------------


def grid(low: float, high: float, points: int) -> tuple[float, ...]:
    """Equally spaced values, rounded so that they read as what they are (0.1, not 0.09999)."""
    return tuple(round(float(value), 6) for value in np.linspace(low, high, points))


@cache
def wishart_covariances(p: int, nu: float) -> tuple[Array, Array]:
    """(Sigma, Sigma_w) of (17): one draw of each, always the same, with means I and nu^2/p I."""
    pair = []
    for name, scale in (("Sigma", 1 / p), ("Sigma_w", nu**2 / p**2)):
        factor = generator_for(f"figure 4/{name}/{p}").standard_normal((p, p))
        # products of matrices differ between machines in their last digits, and the seeds with them
        digits = 10 - math.floor(math.log10(scale * p)) if scale > 0 else 10
        pair.append(np.round(scale * factor.T @ factor, digits))
    return pair[0], pair[1]


def _rates(
    base: Setting,
    theory: str,
    adaptation: tuple[float, ...],
    training: tuple[float, ...],
    runs: tuple[int, int],
) -> tuple[Panel, Panel]:
    """The two panels of Figures 2 to 4: over the adaptation rate, and over the training rate."""
    return (
        Panel("a", "", base, "alpha_r", adaptation, runs[0], theory),
        Panel("b", "", base, "alpha_t", training, runs[1], theory),
    )


def _figure_2() -> Figure:
    panels = _rates(FIGURE_2, "eq5", grid(-0.2, 0.7, 13), grid(-2.0, 2.0, 21), (100, 1000))
    return Figure("figure2", "Overparameterized: the loss over the two learning rates", panels)


def _figure_3() -> Figure:
    panels = _rates(FIGURE_3, "eq9", grid(-0.2, 0.7, 13), grid(-0.5, 0.5, 21), (100, 1000))
    return Figure("figure3", "Underparameterized: the loss over the two learning rates", panels)


def _figure_4() -> Figure:
    sigma_x, sigma_w = wishart_covariances(FIGURE_2.p, FIGURE_2.nu)
    base = replace(FIGURE_2, Sigma=sigma_x, Sigma_w=sigma_w)
    panels = _rates(base, "eq14", grid(-0.2, 0.7, 13), grid(-2.0, 2.0, 21), (100, 500))
    return Figure(
        "figure4", "Overparameterized, random covariances: the loss over the two learning rates", panels
    )


def _figure_6() -> Figure:
    panels = []
    for letter, title, m, n_v in (
        ("a", "strongly overparameterized", 1, 2),
        ("b", "weakly overparameterized", 5, 5),
        ("c", "weakly underparameterized", 10, 10),
        ("d", "strongly underparameterized", 10, 40),
    ):
        # w_0 = (0.1, ..., 0.1) and omega_0 = 0, so |omega_0 - w_0|^2 = 0.01 p
        base = Setting(
            n_t=40, n_v=n_v, n_r=40, m=m, p=50, sigma=0.5, nu=0.5, alpha_t=0.0, alpha_r=0.2, dist0_sq=0.5
        )
        theory = {Regime.OVER: "eq5", Regime.UNDER: "eq9"}[Regime(base.regime)]
        rates = grid(-2.0, 2.0, 21)
        panels.append(Panel(letter, title, base, "alpha_t", rates, 100, theory, limit=True))
    return Figure(
        "figure6",
        "From overparameterized to underparameterized: the loss over the training rate",
        tuple(panels),
    )


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "figure2": _figure_2,
    "figure3": _figure_3,
    "figure4": _figure_4,
    "figure6": _figure_6,
}
# The figure in which a central equation meets simulation.
ALIASES = {"eq5": "figure2", "eq9": "figure3", "eq14": "figure4"}


@cache
def _built(name: str) -> Figure:
    return FIGURES[name]()


def slug_of(name: str) -> str:
    """How this module calls the figure with a number, name or equation: `2`, `figure2`, `figure-2` and `eq5` are one."""
    found = re.fullmatch(r"(?:figure)?[- ]?0*([0-9]{1,3})", name.strip().lower())
    return f"figure{found[1]}" if found else ALIASES.get(name, name)


def figure(name: str) -> Figure:
    """The figure with this number, name or equation (`2`, `figure-2`, `eq5`); else raises ValueError."""
    slug = slug_of(name)
    if slug not in FIGURES:
        close = "" if slug.startswith("figure") else f"; {nearest(name, [*FIGURES, *ALIASES])}"
        raise BadInput(f"no figure {shortened(name)!r}{close}: draw one of 1 to 6")
    return _built(slug)
