"""Does training converge to the exact solution? Gradient descent on the outer loss, from several starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.maml import (
    MetaData,
    draw_meta_data,
    gradient_descent_outer,
    meta_loss,
    solve_outer,
)
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
# distances of the start from the task mean
STARTS = (0.0, 1.0, 3.0)


@dataclass(frozen=True)
class Run:
    """One training run, as lengths: the start, the way to the exact solution, what training misses it by.

    apart: distance of the end from the end of the first run, which starts at the task mean.
    loss: the outer loss at the end.
    """

    start: float
    way: float
    miss: float
    apart: float
    loss: float


def runs(setting: Setting, starts: Sequence[float] = STARTS, seed: str = "training") -> list[Run]:
    """Gradient descent to convergence on one draw of the data, from starts at these distances (w_0 = 0)."""
    generator = generator_for(seed, 0)
    data = _single(draw_meta_data(generator, setting, np.zeros(setting.p), 1))
    direction = generator.standard_normal(setting.p)
    direction /= np.linalg.norm(direction)
    found: list[Run] = []
    first: Array | None = None
    for distance in starts:
        omega_0 = distance * direction
        exact = solve_outer(data, setting, omega_0)
        end = gradient_descent_outer(data, setting, omega_0)
        first = end if first is None else first
        lengths = (np.linalg.norm(v) for v in (exact - omega_0, end - exact, end - first))
        way, miss, apart = (float(length) for length in lengths)
        found.append(Run(distance, way, miss, apart, float(meta_loss(end, data, setting))))
    return found


def _single(data: MetaData) -> MetaData:
    """The data of one problem, without the batch axis."""
    return MetaData(data.x_t[0], data.y_t[0], data.x_v[0], data.y_v[0])
