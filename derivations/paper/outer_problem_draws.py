"""What sampling sees of the outer problem: inner steps and least squares in plain NumPy."""

from __future__ import annotations

import numpy as np

from derivations.steps.draws import Array, fixed_column, transpose
from derivations.steps.labels import META_LOSS, OVER_TARGETS, OVER_TASKS, Within
from derivations.steps.step import Observed
from derivations.steps.task_draws import (
    gradient_step,
    isotropic_tasks,
    nearest_solution,
    stacked_problem,
    target,
)
from numeric_check.draws.sample import Sample

LOSS_OF_TASK = Within(
    r"\tfrac1{2n_vm}|\gamma^{(i)}-B^{(i)}\omega|^2",
    rf"{META_LOSS} = \tfrac1{{2n_vm}}|\gamma-B\omega|^2",
    OVER_TASKS,
)
OTHER_BLOCK = rf"{OVER_TARGETS}\delta\gamma^{{(i)}}\delta\gamma^{{(j)T}}\ (i\neq j)"
MEAN_SQUARE = rf"{OVER_TARGETS}|\omega^\star-w_0|^2"


def _task_residual(sample: Sample, omega: Array) -> Array:
    x_t, x_v = sample.matrix("X_t", "n_t", "p"), sample.matrix("X_v", "n_v", "p")
    w, z_t, z_v = (
        fixed_column(sample, "w", "p"),
        fixed_column(sample, "z_t", "n_t"),
        fixed_column(sample, "z_v", "n_v"),
    )
    theta = gradient_step(omega, x_t, x_t @ w + z_t, sample["alpha_t"])
    return np.asarray(x_v @ w + z_v - x_v @ theta)


def observe_stacked_loss(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    residual = _task_residual(sample, fixed_column(sample, "omega", "p"))
    return {LOSS_OF_TASK: np.array([float(np.sum(residual**2)) / (2 * sample["n_v"] * sample["m"])])}


def observe_target(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    return {r"\gamma^{(i)}": _task_residual(sample, np.zeros((int(sample["p"]), 1)))[None]}


def observe_design(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    dimension = int(sample["p"])
    at_zero = _task_residual(sample, np.zeros((dimension, 1)))
    columns = [at_zero - _task_residual(sample, np.eye(dimension)[:, [k]]) for k in range(dimension)]
    return {"B^{(i)}": np.concatenate(columns, axis=1)[None]}


def observe_solution(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    design, gamma = stacked_problem(sample)
    return {r"\omega^\star": nearest_solution(design, gamma, fixed_column(sample, "omega_0", "p"))[None]}


def observe_deviation(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    design, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    gamma = design @ w_0 + fixed_column(sample, "delta_gamma", "N")
    return {
        r"\omega^\star-w_0": (nearest_solution(design, gamma, fixed_column(sample, "omega_0", "p")) - w_0)[
            None
        ]
    }


def observe_mean_square(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    design, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    covariance = sample.matrix("Gamma", "N", "N", symmetric=True, positive=True)
    noise = np.linalg.cholesky(covariance) @ sample.gaussian("N", 1)
    targets = np.concatenate([design @ w_0 + draw for draw in noise], axis=1)
    start = np.repeat(fixed_column(sample, "omega_0", "p"), targets.shape[1], axis=1)
    gap = nearest_solution(design, targets, start) - w_0
    return {MEAN_SQUARE: np.sum(gap**2, axis=0)}


def _target_deviation(sample: Sample, x_t: Array, x_v: Array) -> Array:
    return target(sample, x_t, x_v, isotropic_tasks(sample, "p"))


def observe_block(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    gap = _target_deviation(sample, sample.matrix("X_t", "n_t", "p"), sample.matrix("X_v", "n_v", "p"))
    return {r"\Gamma^{(i)}": gap @ transpose(gap)}


def observe_blocks(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    one = _target_deviation(sample, sample.matrix("X_t1", "n_t", "p"), sample.matrix("X_v1", "n_v", "p"))
    other = _target_deviation(sample, sample.matrix("X_t2", "n_t", "p"), sample.matrix("X_v2", "n_v", "p"))
    return {OTHER_BLOCK: one @ transpose(other)}
