"""Derivatives along the training rate, draw by draw: differences between rates at the same random numbers.

What is random is common to all rates, so a difference is far more precise than the losses it is taken of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
Estimator = Callable[[np.random.Generator, Setting, int], Array]

# In units of `rate_scale`. A slope is then wrong by 1e-8 of its size through truncation and by 1e-12 of the
# loss through rounding; a curvature, which only sets the length of a step, by 1e-3.
SLOPE_STEP = 1e-4
CURVATURE_STEP = 0.03


def rate_scale(setting: Setting) -> float:
    """The rate over which the loss varies, from the spread of the eigenvalues of X^T X / n_t."""
    return setting.n_t / (setting.n_t + setting.p)


@lru_cache(maxsize=64)
def at_rate(setting: Setting, rate: float) -> Setting:
    """The setting with this training rate."""
    return replace(setting, alpha_t=rate)


def _neighbours(
    estimator: Estimator,
    generator: np.random.Generator,
    setting: Setting,
    draws: int,
    *,
    step: float,
    count: int,
) -> tuple[list[Array], float]:
    """Values at `count` rates around the setting's, at the same random numbers, and their distance."""
    width = step * rate_scale(setting)
    state = generator.bit_generator.state
    values = []
    for index in range(count):
        generator.bit_generator.state = state
        rate = setting.alpha_t + (index - (count - 1) / 2) * width
        values.append(estimator(generator, at_rate(setting, rate), draws))
    return values, width


def slopes(
    estimator: Estimator,
    generator: np.random.Generator,
    setting: Setting,
    draws: int,
    *,
    step: float = SLOPE_STEP,
) -> Array:
    """d/d alpha_t of an estimator at the setting's rate, by a central difference. Shape (draws,)."""
    (lower, upper), width = _neighbours(estimator, generator, setting, draws, step=2 * step, count=2)
    return np.asarray((upper - lower) / width)


def changes(
    estimator: Estimator, generator: np.random.Generator, setting: Setting, draws: int, *, rate: float
) -> Array:
    """The value of an estimator at another training rate minus that at the setting's, draw by draw. Shape (draws,)."""
    state = generator.bit_generator.state
    here = estimator(generator, setting, draws)
    generator.bit_generator.state = state
    return np.asarray(estimator(generator, at_rate(setting, rate), draws) - here)


def curvatures(estimator: Estimator, generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """d^2/d alpha_t^2 of an estimator at the setting's rate, by a second difference. Shape (draws,)."""
    (lower, middle, upper), width = _neighbours(
        estimator, generator, setting, draws, step=CURVATURE_STEP, count=3
    )
    return np.asarray((upper - 2 * middle + lower) / width**2)
