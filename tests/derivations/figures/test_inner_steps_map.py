"""The map over inner steps: its best rates are those of `optimum`, and the exact loss lies on the same side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from derivations.figures import inner_steps_map
from derivations.figures.draw import draw
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import Assumptions
from derivations.support.bad_input import BadInput


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("place", [5, 20])
def test_the_rate_is_the_certified_one(steps: int, place: int) -> None:
    points = int(inner_steps_map.POINTS[place])
    best = optimum("eq5", {**inner_steps_map.FIXED, "n_t": points}, Assumptions(inner_steps=steps))["alpha_t"]
    assert inner_steps_map.least(steps)[0][place] == pytest.approx(best, abs=0.05)


@pytest.mark.parametrize(("steps", "points"), [(1, 12), (2, 12), (2, 120)])
def test_the_exact_loss_is_lower_on_the_same_side(steps: int, points: int) -> None:
    """With one validation point, where it is a quadrature: at rates of both signs that are near those where (5) is least."""
    k = int(np.argmin(np.abs(inner_steps_map.POINTS - points)))
    best, gain = (float(values[k]) for values in inner_steps_map.least(steps))
    given = {**inner_steps_map.FIXED, "n_v": 1, "n_t": int(inner_steps_map.POINTS[k])}

    def exact(rate: float) -> float:
        found: float = evaluate_named(
            "exact-loss", {**given, "alpha_t": rate}, Assumptions(inner_steps=steps), 1e-4
        )["value"]
        return found

    others = [-np.sign(best) * rate for rate in (0.2, 0.4, 0.8)]
    assert min(map(exact, others)) > exact(best)
    assert np.sign(gain) == np.sign(best)


def test_a_shipped_place_is_drawn_again_as_it_stands() -> None:
    (row,) = (one for one in inner_steps_map.shipped()["rows"] if (one["steps"], one["n_t"]) == (2, 30))
    again = inner_steps_map.exact_place(30, 2)
    assert again["best"] == row["best"]
    assert again["gain"] == pytest.approx(row["gain"], rel=1e-6)


def test_every_shipped_side_is_beyond_doubt() -> None:
    rows = inner_steps_map.shipped()["rows"]
    assert all(abs(row["gain"]) > 10 * row["stderr"] for row in rows)
    assert all(np.sign(row["gain"]) == np.sign(row["best"]) for row in rows)
    assert "3 steps and n_t = 6 " in inner_steps_map.alt_text()


def test_it_is_drawn_with_its_numbers(tmp_path: Path) -> None:
    path, series = draw("inner-steps", tmp_path / "steps.svg")
    assert path.read_text(encoding="utf-8").startswith("<?xml")
    assert [(one["panel"], one["label"]) for one in series] == [
        (panel, f"inner_steps = {steps}{exact}")
        for exact in ("", ", exact")
        for panel in "ab"
        for steps in inner_steps_map.STEPS
    ]
    assert "with 1 it is negative, with 2 it is positive" in inner_steps_map.alt_text()
    assert "leading order" in inner_steps_map.caption()
    with pytest.raises(BadInput, match="nothing to recompute"):
        draw("inner-steps", tmp_path / "steps.svg", recomputed=True)
