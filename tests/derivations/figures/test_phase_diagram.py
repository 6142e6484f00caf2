"""The phase diagram: its sides are those of the best rate of (14), and it is drawn as the other figures are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from derivations.figures import phase_diagram
from derivations.figures.draw import draw
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import Assumptions
from derivations.paper.beyond.positive_rates import EXAMPLE, LOW
from derivations.support.bad_input import BadInput


@pytest.mark.parametrize(
    ("ratio", "count", "share", "noise"),
    [
        (40.0, 2, 0.01, 0.3),
        (40.0, 50, 0.25, 0.3),
        (10.0, 8, 1.0, 0.3),
        (10.0, 8, 0.0, 0.1),
        (3.0, 8, 0.0, 0.1),
    ],
)
def test_a_negative_slope_is_where_the_best_rate_is_positive(
    ratio: float, count: int, share: float, noise: float
) -> None:
    slope = phase_diagram.slope(np.array([ratio]), np.array([count]), np.array([share]), noise)[0]
    inputs, tasks = (np.empty(phase_diagram.SIZE) for _ in range(2))
    inputs[:count], inputs[count:] = float(LOW) * ratio, float(LOW)
    tasks[:count], tasks[count:] = share / count, (1 - share) / (phase_diagram.SIZE - count)
    given = {**EXAMPLE, "sigma": noise, "n_r": 50, "alpha_r": 0}
    best = optimum("eq14", {**given, "Sigma": np.diag(inputs), "Sigma_w": np.diag(tasks)})["alpha_t"]
    assert (slope < 0) == (best > 0)


def test_it_is_drawn_with_its_boundaries_as_numbers(tmp_path: Path) -> None:
    path, series = draw("phase-diagram", tmp_path / "phase.svg")
    assert path.read_text(encoding="utf-8").startswith("<?xml")
    assert [(one["panel"], one["label"]) for one in series] == [
        (panel, f"boundary, sigma = {noise:g}") for panel in "ab" for noise in phase_diagram.NOISES
    ]
    assert "2 panels" in phase_diagram.alt_text()
    assert "aligned" in phase_diagram.caption()


def test_what_it_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to recompute"):
        draw("phase-diagram", tmp_path / "phase.svg", recomputed=True)
    with pytest.raises(BadInput, match="leave out --assume"):
        draw("phase-diagram", tmp_path / "phase.svg", assumptions=Assumptions(inner_steps=2))
