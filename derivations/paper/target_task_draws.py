"""What sampling sees of the test phase: plain NumPy from the definitions (23)-(26)."""

from __future__ import annotations

import numpy as np

from derivations.steps.draws import Array, fixed_column, squared_norms
from derivations.steps.labels import LOSS, Within
from derivations.steps.step import Observed
from derivations.steps.task_draws import gradient_step, isotropic_tasks
from numeric_check.draws.sample import Sample

LOSS_OF_TASK = Within(
    r"\tfrac1{2n_s}|y^s-X^s\theta^\star|^2",
    LOSS,
    r"\mathbb{E}",
)
SPLIT = Within(
    r"\mathbb{E}_{X^s}\mathbb{E}_{z^s}L^{test}-\tfrac12|w'|^2+\tfrac12\mathbb{E}|w'|^2",
    LOSS,
    r"\mathbb{E}",
    outside=3,
)
MEAN_ADAPTED = r"\mathbb{E}_{X^r}\mathbb{E}_{z^r}\theta^\star"
SQUARE_GIVEN_INPUTS = r"\mathbb{E}_{w'}\mathbb{E}_{z^r}|\theta^\star|^2"
SQUARE = r"\mathbb{E}_{X^r}\mathbb{E}_{w'}\mathbb{E}_{z^r}|\theta^\star|^2"


def _target_task(sample: Sample) -> Array:
    return np.asarray(fixed_column(sample, "w_0", "p") + isotropic_tasks(sample, "p"))


def _adapt(sample: Sample, omega: Array, w_prime: Array, x_r: Array) -> Array:
    labels = x_r @ w_prime + sample["sigma"] * sample.gaussian("n_r", 1)
    return gradient_step(omega, x_r, labels, sample["alpha_r"])


def _test_loss(sample: Sample, theta: Array, w_prime: Array) -> Array:
    x_s = sample.gaussian("n_s", "p")
    labels = x_s @ w_prime + sample["sigma"] * sample.gaussian("n_s", 1)
    return squared_norms(labels - x_s @ theta) / (2 * sample["n_s"])


def observe_residual(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    x_s, z_s = sample.matrix("X_s", "n_s", "p"), fixed_column(sample, "z_s", "n_s")
    labels = x_s @ fixed_column(sample, "w_prime", "p") + z_s
    residual = labels - x_s @ fixed_column(sample, "theta_star", "p")
    return {LOSS_OF_TASK: np.array([float(np.mean(residual**2)) / 2])}


def observe_split(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    fixed = fixed_column(sample, "w_0", "p") + fixed_column(sample, "delta_w", "p")
    theta = fixed_column(sample, "theta_star", "p")
    loss = _test_loss(sample, theta[None], fixed[None])
    return {SPLIT: loss - float(np.sum(fixed**2)) / 2 + squared_norms(_target_task(sample)) / 2}


def observe_mean_adapted(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    fixed = fixed_column(sample, "w_0", "p") + fixed_column(sample, "delta_w", "p")
    omega = fixed_column(sample, "omega_star", "p")
    return {MEAN_ADAPTED: _adapt(sample, omega[None], fixed[None], sample.gaussian("n_r", "p"))}


def observe_after_mean(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    omega, w_0 = fixed_column(sample, "omega_star", "p"), fixed_column(sample, "w_0", "p")
    w_prime = _target_task(sample)
    theta = _adapt(sample, omega[None], w_prime, sample.gaussian("n_r", "p"))
    # the formula keeps E|theta|^2 as a symbol: a number takes its place on both sides, large enough that what is
    # subtracted does not cancel the rest
    square = 2.0 + float(np.sum(omega**2) + np.sum(w_0**2))
    sample.define("mean_theta_star_sq", square)
    sample.define("mean_w_0_omega_star", float(np.sum(w_0 * omega)))
    return {LOSS: _test_loss(sample, theta, w_prime) + (square - squared_norms(theta)) / 2}


def observe_square_given_inputs(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    omega = fixed_column(sample, "omega_star", "p")
    theta = _adapt(sample, omega[None], _target_task(sample), sample.matrix("X_r", "n_r", "p")[None])
    return {SQUARE_GIVEN_INPUTS: squared_norms(theta)}


def observe_square(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    omega = fixed_column(sample, "omega_star", "p")
    theta = _adapt(sample, omega[None], _target_task(sample), sample.gaussian("n_r", "p"))
    return {SQUARE: squared_norms(theta)}


def observe_loss(sample: Sample) -> Observed:
    """Sample the statement of the step of that name."""
    omega, w_0 = fixed_column(sample, "omega_star", "p"), fixed_column(sample, "w_0", "p")
    sample.define("excess", float(np.sum((omega - w_0) ** 2)))
    w_prime = _target_task(sample)
    theta = _adapt(sample, omega[None], w_prime, sample.gaussian("n_r", "p"))
    return {LOSS: _test_loss(sample, theta, w_prime)}
