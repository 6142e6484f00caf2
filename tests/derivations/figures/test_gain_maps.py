"""The maps of best rates and gains: random places are those of `optimum` and of the losses by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from derivations.figures import gain_maps
from derivations.figures.draw import draw
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.optimum import optimum
from derivations.support.bad_input import BadInput

DRAWN = np.random.default_rng().integers(0, 1000, size=(3, 3))
FIXED = {"n_r": gain_maps.FIGURE_2.n_r, "p": gain_maps.SIZE, "nu": 1, "dist0_sq": 0}


def place(draws: np.ndarray) -> tuple[int, int, gain_maps.Map]:
    return (
        int(draws[0]) % len(gain_maps.TASKS),
        int(draws[1]) % len(gain_maps.POINTS),
        gain_maps.MAPS[int(draws[2]) % len(gain_maps.MAPS)],
    )


@pytest.mark.parametrize("draws", DRAWN, ids=["first", "second", "third"])
def test_a_random_place_is_that_of_the_losses_by_name(draws: np.ndarray) -> None:
    j, k, panel = place(draws)
    points, tasks = int(gain_maps.POINTS[k]), int(gain_maps.TASKS[j])
    given = {
        **FIXED,
        "alpha_r": gain_maps.FIGURE_2.alpha_r,
        "sigma": panel.ratio,
        "n_t": points,
        "n_v": 1,
        "m": tasks,
    }
    found = optimum("exact-loss", {name: value for name, value in given.items() if name != "alpha_t"})
    assert gain_maps.best(points)[0] == pytest.approx(found["alpha_t"], rel=0.1)
    if panel.all_points:
        if abs((points + 1) * tasks - gain_maps.SIZE) <= 1:
            assert panel.values[j, k] == 100
            return
        without = evaluate_named("exact-loss-at-zero", {**given, "n_v": points + 1})["value"]
    else:
        without = evaluate_named("exact-loss", {**given, "alpha_t": 0})["value"]
    assert panel.values[j, k] == pytest.approx(100 * (1 - found["loss"] / without), abs=0.01)


def test_what_the_page_says_of_the_maps() -> None:
    gains = [panel.values for panel in gain_maps.MAPS if not panel.all_points]
    for values in gains:
        assert (np.diff(values, axis=0) > 0).all()
        assert (np.diff(values, axis=1) > 0).all()
        assert (values > 0).all()
    assert (gains[0] > gains[1]).all()
    assert (gains[1] > gains[2]).all()
    rates = [gain_maps.best(int(points))[0] for points in gain_maps.POINTS]
    assert (np.diff(rates) < 0).all()
    assert max(rates) < 0
    for panel in gain_maps.MAPS:
        if panel.all_points:
            assert np.mean(panel.values > 0) < 0.4
            assert (panel.values[0] > 0).all()
            rows = (gain_maps.POINTS[None, :] + 1) * gain_maps.TASKS[:, None]
            near = np.abs(rows / gain_maps.SIZE - 1) < 0.1
            assert near.any()
            assert (panel.values[near] > 0).all()
            assert (panel.values[rows < gain_maps.SIZE - 1] > 0).all()


def test_it_is_drawn(tmp_path: Path) -> None:
    path, series = draw("gain-maps", tmp_path / "maps.svg")
    assert path.stat().st_size > 10_000
    assert len(series) == 1 + len(gain_maps.MAPS) * len(gain_maps.TASKS)
    assert "best rate falls" in gain_maps.alt_text()
    assert "all n_t + n_v points" in gain_maps.caption()
    with pytest.raises(BadInput, match="nothing to recompute"):
        draw("gain-maps", tmp_path / "maps.svg", recomputed=True)
