"""What sampling sees of Theorem 1: blocks of random rows, and the settings of the ladders."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from derivations.language.values import Point
from derivations.steps.draws import Array, fixed_column, squared_norms, transpose
from derivations.steps.step import Observed
from derivations.steps.task_draws import (
    adapted_from,
    contracted_rows,
    covariance_halves,
    isotropic_tasks,
    target,
)
from derivations.verification.growth import Halves
from numeric_check.draws.sample import Sample
from numeric_check.problem.setting import Setting

STARTS = 32  # coordinates along which a start is tried, in one draw of the inputs
NOISES = 512  # draws of a task and its label noise for a sampled Gamma
SIMULATED = ((1.0, 24), (2.0, 48), (4.0, 96), (8.0, 192))


def setting_at(xi: float, base: int) -> Setting:
    """A point of the ladder: p, n_t and n_r in proportion to xi, |omega_0 - w_0|^2 falling as xi^(-1/2).

    No two sizes are equal, so that a formula with two of them exchanged has another value.
    """
    return Setting(
        n_t=base,
        n_v=2,
        n_r=3 * base // 4,
        m=3,
        p=2 * base,
        sigma=0.9,
        nu=0.6,
        alpha_t=0.4,
        alpha_r=0.3,
        dist0_sq=0.5 * xi**-0.5,
    )


def numbers(setting: Setting) -> dict[str, float]:
    """The scalar parameters of a setting by name."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
    return {name: float(getattr(setting, name)) for name in names}


@lru_cache(maxsize=64)
def point(setting: Setting) -> Point:
    """The same, with what many formulas have in common computed once."""
    return Point(numbers(setting))


def _design_rows(sample: Sample, tasks: int) -> list[Array]:
    """B of tasks with one validation row each."""
    return [
        contracted_rows(sample.gaussian(1, "p"), sample.gaussian("n_t", "p"), sample["alpha_t"])
        for _ in range(tasks)
    ]


def observe_inner_factor(sample: Sample) -> Observed:
    """Sampled inner factor."""
    (row,) = _design_rows(sample, 1)
    return {"h_t": np.sum(row**2, axis=(1, 2)) / sample["p"]}


def observe_adaptation_factor(sample: Sample) -> Observed:
    """Sampled adaptation factor."""
    x, e = sample.gaussian("n_r", "p"), fixed_column(sample, "e", "p")
    return {"h_r": squared_norms(adapted_from(e, x, sample["alpha_r"])) / float(np.sum(e**2))}


FACTOR_SIZES = (
    {"n_t": 6, "n_v": 2, "m": 3, "n_r": 5, "p": 9, "alpha_t": 0.4, "alpha_r": 0.3},
    {"n_t": 11, "n_v": 3, "m": 1, "n_r": 14, "p": 5, "alpha_t": -0.5, "alpha_r": -0.4},
    {"n_t": 20, "n_v": 1, "m": 2, "n_r": 9, "p": 12, "alpha_t": 0.9, "alpha_r": 0.7},
)
BLOCK_SIZES: tuple[dict[str, float], ...] = (
    {"n_t": 6, "n_v": 1, "m": 2, "p": 4, "dist0_sq": 0.6, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9},
    {"n_t": 4, "n_v": 2, "m": 1, "p": 7, "dist0_sq": 1.1, "alpha_t": -0.5, "sigma": 0.6, "nu": 1.2},
    {"n_t": 9, "n_v": 1, "m": 3, "p": 5, "dist0_sq": 0.8, "alpha_t": 0.9, "sigma": 1.3, "nu": 0.7},
)
# more parameters than data, validation or training, by enough for an inverse to have a variance
EXCESS_SIZES: tuple[dict[str, float], ...] = tuple(
    {**block, "n_t": n_t, "n_v": n_v, "m": m, "p": p, "n_r": 5 + m, "n_s": 3, "alpha_r": 0.3}
    for block, (n_t, n_v, m, p) in zip(
        BLOCK_SIZES, ((3, 2, 2, 12), (2, 1, 3, 13), (4, 2, 1, 11)), strict=True
    )
)
LADDER = tuple(
    {"xi": float(xi), "p": 2 * xi, "n_t": 3 * xi, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9}
    for xi in (16, 32, 64, 112)
)
# an inverse needs many more dimensions than rows for its expansion
INVERSE_LADDER = tuple(
    {**rung, "xi": float(xi), "p": 6 * xi, "n_t": 3 * xi}
    for rung, xi in zip(LADDER, (8, 16, 32, 64), strict=True)
)


def _design(sample: Sample) -> Array:
    """B of two tasks with one validation row each."""
    return np.concatenate(_design_rows(sample, 2), axis=1)


def sampled_gram(sample: Sample) -> Array:
    """B B^T / p."""
    b = _design(sample)
    return np.asarray(b @ transpose(b) / sample["p"])


def sampled_inverse(sample: Sample) -> Array:
    """(B B^T)^-1."""
    b = _design(sample)
    return np.asarray(np.linalg.inv(b @ transpose(b)))


def sampled_noise(sample: Sample) -> Halves:
    """Gamma of one task with two validation rows, from draws of the task and of the label noise at given inputs."""
    x_v, x_t = sample.gaussian(2, "p"), sample.gaussian("n_t", "p")
    return covariance_halves(sample, x_t, x_v, isotropic_tasks(sample, "p", NOISES))


def sampled_start(sample: Sample) -> Array:
    """B d d^T B^T for d = omega_0 - w_0 along each of several coordinates, |d|^2 = xi^(-1/2)."""
    b = _design(sample)
    squared = sample["xi"] ** -0.5
    sample.define("dist0_sq", squared)
    along = np.swapaxes(b[:, :, :STARTS], 1, 2)[..., None] * np.sqrt(squared)
    return np.asarray(along @ transpose(along))


def observed_leading(sample: Sample, block: str) -> Array:
    """A diagonal element of the block, whose mean is the leading coefficient at every size."""
    x_v, x_t = sample.gaussian(1, "p"), sample.gaussian("n_t", "p")
    if block == "noise":
        return squared_norms(target(sample, x_t, x_v, isotropic_tasks(sample, "p")))
    row = contracted_rows(x_v, x_t, sample["alpha_t"])
    if block == "gram":
        return squared_norms(row) / sample["p"]
    start = fixed_column(sample, "d", "p")
    sample.define("dist0_sq", float(np.sum(start**2)))
    return squared_norms(row @ start)
