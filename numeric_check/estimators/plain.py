"""The paper's experimental protocol: everything is drawn, nothing is averaged in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.maml import draw_meta_data, solve_outer, target_loss
from numeric_check.problem.samplers import means
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
TASKS = 100


def plain_loss(generator: np.random.Generator, setting: Setting, draws: int, tasks: int = TASKS) -> Array:
    """Test losses of `draws` runs, shape (draws,).

    Each run draws its m training tasks, solves the outer problem exactly from omega_0, and averages the test
    loss over `tasks` target tasks of n_s points each (the paper: 100 tasks of 50 points).
    """
    omega_0, w_0 = means(setting)
    data = draw_meta_data(generator, setting, w_0, draws)
    return target_loss(generator, setting, solve_outer(data, setting, omega_0), w_0, tasks)


def plain_excess(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """|omega* - w_0|^2 of `draws` runs, shape (draws,)."""
    omega_0, w_0 = means(setting)
    data = draw_meta_data(generator, setting, w_0, draws)
    return np.asarray(np.square(solve_outer(data, setting, omega_0) - w_0).sum(axis=-1))
