"""Training by gradient descent ends at the exact solution, and depends on its start in one regime only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.book_pages import training
from derivations.paper.experiments.panels import FIGURE_2, FIGURE_3

SMALL_OVER = replace(FIGURE_2, p=20, n_t=10)
SMALL_UNDER = replace(FIGURE_3, p=6, m=5)


@pytest.mark.parametrize("setting", [SMALL_OVER, SMALL_UNDER])
def test_training_ends_at_the_exact_solution(setting: training.Setting) -> None:
    for run in training.runs(setting):
        assert run.miss <= 1e-7 * max(run.way, 1.0)


def test_with_more_parameters_the_start_is_remembered() -> None:
    first, *others = training.runs(SMALL_OVER)
    assert first.apart == 0.0
    assert all(0.3 * run.start < run.apart <= run.start for run in others)
    assert all(run.loss < 1e-15 for run in others)


def test_with_more_points_the_start_is_forgotten() -> None:
    assert all(run.apart < 1e-7 for run in training.runs(SMALL_UNDER))


def test_a_wrong_solution_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = training.solve_outer
    monkeypatch.setattr(
        training, "solve_outer", lambda data, setting, start: exact(data, setting, np.zeros_like(start))
    )
    assert max(run.miss for run in training.runs(SMALL_OVER)) > 0.1
