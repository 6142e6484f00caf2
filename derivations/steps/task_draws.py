"""Plain NumPy draws of one task, from the definitions (3), (18), (19): for the observations of steps."""

from __future__ import annotations

import numpy as np

from derivations.steps.draws import Array, fixed_column, transpose
from numeric_check.draws.sample import Sample

# rows from which on half of a symmetric product costs less than all of it
LARGE = 32


def gaussian_inputs(sample: Sample, rows: str) -> Array:
    """A batch of input matrices with standard Gaussian entries, rows x p."""
    return sample.gaussian(rows, "p")


def isotropic_tasks(sample: Sample, rows: str, count: int = 1) -> Array:
    """A batch of task deviations as columns, p x count, with variance nu^2/p in each coordinate."""
    return np.asarray(sample["nu"] / np.sqrt(sample["p"]) * sample.gaussian(rows, count))


def gradient_step(start: Array, x: Array, y: Array, rate: float) -> Array:
    """One step on the mean squared error of labels y at inputs x, from `start` (column by column)."""
    return np.asarray(start - rate / x.shape[-2] * transpose(x) @ (x @ start - y))


def adapted_from(start: Array, x: Array, rate: float) -> Array:
    """The same step with labels zero: the linear map that multiplies the start."""
    return gradient_step(start, x, np.zeros_like(x @ start), rate)


def contracted_rows(rows: Array, x_t: Array, rate: float) -> Array:
    """rows (I - rate/n_t X_t^T X_t), multiplied in the order that costs less: by rows, or with few columns X_t^T X_t first."""
    points, size = x_t.shape[-2:]
    few = rows.shape[-2]
    if size * (points + few) < 2 * points * few:
        passed = rows @ outer_product(transpose(x_t))
    else:
        passed = (rows @ transpose(x_t)) @ x_t
    return np.asarray(rows - rate / points * passed)


def design(x_t: Array, x_v: Array, rate: float) -> Array:
    """The task's block of B: predictions at the validation inputs after the step, per unit meta-parameter."""
    return contracted_rows(x_v, x_t, rate)


def target(sample: Sample, x_t: Array, x_v: Array, w: Array) -> Array:
    """The task's block of gamma, a column for each of w: validation residual at the meta-parameter zero, with fresh
    label noise."""
    y_t = x_t @ w + sample["sigma"] * sample.gaussian(x_t.shape[-2], w.shape[-1])
    y_v = x_v @ w + sample["sigma"] * sample.gaussian(x_v.shape[-2], w.shape[-1])
    return np.asarray(y_v - x_v @ gradient_step(np.zeros_like(w), x_t, y_t, sample["alpha_t"]))


def covariance_halves(sample: Sample, x_t: Array, x_v: Array, tasks: Array) -> tuple[Array, Array]:
    """Two independent estimates of the task's block of Gamma, the covariance of gamma given the inputs.

    tasks: draws of the task deviation as columns; each comes with label noise of its own, and each half averages over
    one half of them. As `target`, with few validation rows multiplied first, which makes many draws cheap.
    """
    path = sample["alpha_t"] / x_t.shape[-2] * x_v @ transpose(x_t)
    count = tasks.shape[-1]
    gamma = (x_v - path @ x_t) @ tasks
    gamma += sample["sigma"] * sample.gaussian(x_v.shape[-2], count)
    gamma -= path @ (sample["sigma"] * sample.gaussian(x_t.shape[-2], count))
    first, second = (outer_product(half) / half.shape[-1] for half in np.array_split(gamma, 2, axis=-1))
    return first, second


def nearest_solution(matrix: Array, right: Array, start: Array) -> Array:
    """The minimizer of |right - matrix omega|^2 nearest to `start`, by singular values."""
    return np.asarray(start + np.linalg.lstsq(matrix, right - matrix @ start, rcond=None)[0])


def outer_product(columns: Array) -> Array:
    """v v^T for a batch of columns.

    For a product of one array with itself NumPy takes a routine that costs more where there are few rows, so it is given a copy.
    """
    other = transpose(columns)
    return np.asarray(columns @ (other.copy() if columns.shape[-2] < LARGE else other))


def stacked_problem(sample: Sample) -> tuple[Array, Array]:
    """A fixed stacked problem: B (N x p) and a right-hand side gamma (N x 1)."""
    return sample.matrix("B", "N", "p"), fixed_column(sample, "gamma", "N")
