"""A small figure, drawn in a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from derivations.figures import draw as figures
from derivations.paper.experiments import points as figure_points
from derivations.paper.experiments.panels import Figure, Panel, grid
from numeric_check.problem.setting import Setting

COARSE = 0.02
SMALL = Setting(n_t=6, n_v=1, n_r=4, m=2, p=12, sigma=0.5, nu=0.3, alpha_t=0.2, alpha_r=0.1)
TINY = Figure(
    "figure2",
    "A small figure",
    (
        Panel("a", "", SMALL, "alpha_r", grid(-0.2, 0.4, 3), 4, "eq5"),
        Panel("b", "", SMALL, "alpha_t", grid(-1.0, 1.0, 5), 8, "eq5"),
    ),
)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is the small one, its conditional points coarse, everything in this process."""
    monkeypatch.setattr(figures, "figure", lambda name: TINY)
    monkeypatch.setattr(figure_points, "RESOLUTION", COARSE)
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)
