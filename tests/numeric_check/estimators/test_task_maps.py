"""Task maps: the low-rank recursion is the definition, and the short cuts have the law of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric_check.draws.estimate import Moments
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import task_maps
from numeric_check.estimators.conditional import weighted_excess
from numeric_check.estimators.task_maps import direct_task_maps, draw_task_maps, gram_factor, propagate
from numeric_check.problem.maml import MetaData, inner_loop, outer_map
from numeric_check.problem.setting import Setting

OVER: dict[str, Any] = {
    "n_t": 6,
    "n_v": 2,
    "n_r": 4,
    "m": 2,
    "p": 12,
    "sigma": 0.7,
    "nu": 0.9,
    "alpha_t": 0.3,
    "alpha_r": 0.1,
}
UNDER = OVER | {"n_v": 6, "m": 3, "p": 4, "alpha_t": -0.3}
SPREAD = np.diag(np.linspace(0.3, 2.0, 12))
REDUCED: list[dict[str, Any]] = [
    OVER,
    OVER | {"Sigma": SPREAD},
    OVER | {"Sigma": SPREAD + 0.05},
    OVER | {"inner_steps": 2},
    OVER | {"n_t": 15, "inner_steps": 2},
    UNDER,
    UNDER | {"inner_steps": 2},
    UNDER | {"split": "reused", "n_t": 6},
    UNDER | {"inputs": "uniform"},
    UNDER | {"Sigma": np.diag([0.5, 1.0, 1.5, 2.0])},
]


def sigmas_apart(first: np.ndarray, second: np.ndarray) -> float:
    a, b = Moments.of(first).estimate(), Moments.of(second).estimate()
    return abs(a.mean - b.mean) / float(np.hypot(a.stderr, b.stderr))


def compared(setting: Setting, draws: int = 40_000) -> list[float]:
    """Standard errors between both routes for the excess, exp(-excess), and the size of the noise path."""
    routes = []
    for route in (direct_task_maps, draw_task_maps):
        maps = route(generator_for(f"{route.__name__}/{setting.fingerprint}"), setting, draws)
        excess = weighted_excess(maps, setting)
        routes.append((excess, np.exp(-excess), np.square(maps.noise).sum((1, 2, 3))))
    return [sigmas_apart(first, second) for first, second in zip(*routes, strict=True)]


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("rate", [-0.2, 0.3])
def test_propagation_is_the_inner_loop(steps: int, rate: float) -> None:
    generator = generator_for("propagate")
    x, rows = generator.standard_normal((5, 7)), generator.standard_normal((3, 7))
    linear, path = propagate(rows, x, rate / 5, steps)
    assert linear == pytest.approx(rows @ inner_loop(np.eye(7), x, np.zeros(1), rate, steps))
    # from 0 with labels z the inner loop reaches P z
    assert path == pytest.approx(rows @ inner_loop(np.zeros((7, 5)), x, np.eye(5), rate, steps))


@pytest.mark.parametrize("split", ["separate", "reused"])
def test_direct_maps_are_those_of_the_outer_problem(split: str) -> None:
    setting = Setting(**{**OVER, "n_v": 6 if split == "reused" else 2, "split": split, "inner_steps": 2})
    maps = direct_task_maps(generator_for("direct"), setting, 3)
    generator = generator_for("direct")
    x_t = generator.standard_normal((3, 2, 6, 12))
    x_v = x_t if split == "reused" else generator.standard_normal((3, 2, 2, 12))
    data = MetaData(x_t, np.zeros(x_t.shape[:-1]), x_v, np.zeros(x_v.shape[:-1]))
    assert maps.b.reshape(3, -1, 12) == pytest.approx(outer_map(data, setting)[0])


@pytest.mark.parametrize("case", REDUCED, ids=range(len(REDUCED)))
def test_fewer_numbers_give_the_same_law(case: dict[str, Any]) -> None:
    assert max(compared(Setting(**case))) < 5


def test_a_wrong_short_cut_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    true_solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: 0.9 * true_solve(a, b))
    assert max(compared(Setting(**OVER))) > 5


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
@pytest.mark.parametrize("points", [3, 4, 9])
def test_gram_factor_has_the_gram_matrix_of_the_data(law: str, points: int) -> None:
    covariance = np.diag([0.5, 1.0, 1.5, 2.0]) + 0.2
    setting = Setting(**{**OVER, "p": 4, "inputs": law, "Sigma": covariance})
    factor = gram_factor(generator_for(f"gram/{law}/{points}"), setting, points, 50_000)
    assert factor.shape == (50_000, min(points, 4), 4)
    gram = np.swapaxes(factor, -1, -2) @ factor
    assert np.abs(gram.mean(0) - points * covariance).max() < 5 * gram.std(0).max() / np.sqrt(50_000)
    if law == "gaussian":
        # E W^2 = n (n + 1) Sigma^2 + n Sigma Tr Sigma
        square = gram @ gram
        expected = (
            points * (points + 1) * covariance @ covariance + points * np.trace(covariance) * covariance
        )
        assert np.abs(square.mean(0) - expected).max() < 5 * square.std(0).max() / np.sqrt(50_000)


def test_numbers_per_draw_counts_what_is_kept() -> None:
    assert task_maps.numbers_per_draw(Setting(**OVER)) < task_maps.numbers_per_draw(
        Setting(**OVER, inner_steps=2)
    )
    many = Setting(**{**UNDER, "n_v": 10_000})
    assert task_maps.numbers_per_draw(many) < 1000
    few = Setting(**{**OVER, "n_t": 10**9})
    maps = draw_task_maps(generator_for("kept"), few, 1)
    assert maps.b.size + maps.noise.size <= task_maps.numbers_per_draw(few) < 1000
