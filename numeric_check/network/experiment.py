"""What section 5.4 prints of its experiment, the three readings of what it leaves open, and the draws of one run.

The target is y = (w^T x + b)^2 + z. How often b is drawn is not printed; `Reading` names the possibilities. All random
numbers of a run are drawn whatever the reading, so that runs under different readings share everything but b.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.seeds import generator_for
from numeric_check.network.relu import Weights, initial_weights
from numeric_check.problem.impossible import Impossible

Array = NDArray[np.float64]
# a network of any other width is trained with rates scaled by its mean tangent kernel, about width / 2 + 15
PRINTED_WIDTH, KERNEL_OFFSET = 400, 15.0


class Reading(StrEnum):
    """How often the bias b of the target is drawn: anew in each task, once for all tasks of a run, or at each data point."""

    TASK = "task"
    RUN = "run"
    POINT = "point"


def reading(name: str) -> Reading:
    """The reading with this name; raises Impossible for another."""
    try:
        return Reading(name)
    except ValueError:
        known = ", ".join(Reading)
        raise Impossible(f"unknown reading {name[:40]!r} of the bias: give one of {known}") from None


@dataclass(frozen=True)
class Experiment:
    """Sizes and rates of section 5.4 as printed.

    The loss is half the mean square, (11). Biases start at zero. Training ends at `epochs` or where the meta-training
    loss is below `stop`. A run is evaluated on `test_tasks` tasks of `test_points` points.
    """

    n_t: int = 30
    n_v: int = 2
    n_r: int = 20
    m: int = 3
    p: int = 60
    sigma: float = 1.0
    nu: float = 0.5
    alpha_r: float = 0.01
    width: int = PRINTED_WIDTH
    outer_rate: float = 0.001
    epochs: int = 5000
    stop: float = 1e-9
    test_tasks: int = 200
    test_points: int = 10

    @property
    def scale(self) -> float:
        """The factor for every rate at this width: one at the printed width."""
        return (PRINTED_WIDTH / 2 + KERNEL_OFFSET) / (self.width / 2 + KERNEL_OFFSET)


class Points(NamedTuple):
    """Tasks with their inputs (tasks, points, p) and labels, and the labels' mean and variance given the task.

    What is drawn at each point is averaged in the mean: z always, b where it is drawn at each point.
    """

    inputs: Array
    labels: Array
    mean: Array
    variance: Array


class Run(NamedTuple):
    """The draws of one run: initial weights, meta-training tasks (training points first), test tasks (target points first)."""

    weights: Weights
    meta: Points
    test: Points


def draw(experiment: Experiment, how: Reading, seed: int, run: int) -> Run:
    """Run number `run`: the same for every rate, and but for b for every reading."""
    e = experiment
    rng = generator_for(f"network/{seed}/{e.width}/{e.test_tasks}x{e.test_points}", run)
    weights = initial_weights(rng, e.p, e.width)
    common = rng.standard_normal()
    meta = _tasks(rng, e, how, (e.m, e.n_t + e.n_v), common)
    return Run(weights, meta, _tasks(rng, e, how, (e.test_tasks, e.n_r + e.test_points), common))


def _tasks(
    rng: np.random.Generator, e: Experiment, how: Reading, shape: tuple[int, int], common: float
) -> Points:
    inputs = rng.standard_normal((*shape, e.p))
    w = rng.standard_normal((shape[0], e.p)) * (e.nu / np.sqrt(e.p))
    noise = e.sigma * rng.standard_normal(shape)
    of_task, of_point = rng.standard_normal((shape[0], 1)), rng.standard_normal(shape)
    linear = np.einsum("ijk,ik->ij", inputs, w)
    if how == Reading.POINT:
        labels = (linear + of_point) ** 2 + noise
        return Points(inputs, labels, linear**2 + 1, 4 * linear**2 + 2 + e.sigma**2)
    mean = (linear + (common if how == Reading.RUN else of_task)) ** 2
    return Points(inputs, mean + noise, mean, np.full(shape, e.sigma**2))


def root_covariance(experiment: Experiment, how: Reading, inputs: Array, tasks: NDArray[np.int_]) -> Array:
    """The covariance C of w^T x + b between points with these inputs (..., n, p) and tasks (n,), shape (..., n, n).

    w is drawn in each task; the label's square root is Gaussian with mean zero, so that labels have mean diag C and
    covariance 2 C*C + sigma^2 I.
    """
    same = tasks[:, None] == tasks
    gram = inputs @ np.swapaxes(inputs, -1, -2)
    shared = {Reading.TASK: same, Reading.RUN: np.ones_like(same), Reading.POINT: np.eye(len(tasks))}[how]
    found: Array = experiment.nu**2 / experiment.p * gram * same + shared
    return found
