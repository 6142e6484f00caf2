"""What sampling sees of Theorem 1: blocks of random rows, and the settings of the ladders."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derivations.observations import Array, fixed_column, squared_norms, transpose
from derivations.step import Observed
from numeric_check.sample import Sample
from numeric_check.setting import Setting

STARTS = 32  # coordinates along which a start is tried, in one draw of the inputs
SIMULATED = ((1.0, 24), (2.0, 48), (4.0, 96), (8.0, 192))


def setting_at(xi: float, base: int) -> Setting:
    """A point of the ladder: p and n_t in proportion to xi, |omega_0 - w_0|^2 falling as xi^(-1/2)."""
    return Setting(
        n_t=base, n_v=2, n_r=base, m=2, p=2 * base, sigma=0.9, nu=0.6, alpha_t=0.4, alpha_r=0.3,
        dist0_sq=0.5 * xi**-0.5,
    )  # fmt: skip


def numbers(setting: Setting) -> dict[str, float]:
    """The scalar parameters of a setting by name."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
    return {name: float(getattr(setting, name)) for name in names}


def _contracted_rows(sample: Sample, rows: Array, x_t: Array) -> Array:
    """rows (I - alpha_t/n_t X_t^T X_t)."""
    return np.asarray(rows - sample["alpha_t"] / sample["n_t"] * (rows @ transpose(x_t)) @ x_t)


def observe_inner_factor(sample: Sample) -> Observed:
    """Sampled inner factor."""
    row = _contracted_rows(sample, sample.gaussian(1, "p"), sample.gaussian("n_t", "p"))
    return {"h_t": np.sum(row**2, axis=(1, 2)) / sample["p"]}


def observe_adaptation_factor(sample: Sample) -> Observed:
    """Sampled adaptation factor."""
    x, e = sample.gaussian("n_r", "p"), fixed_column(sample, "e", "p")
    moved = e - sample["alpha_r"] / sample["n_r"] * transpose(x) @ (x @ e)
    return {"h_r": squared_norms(moved) / float(np.sum(e**2))}


FACTOR_SIZES = (
    {"n_t": 6, "n_r": 5, "p": 9, "alpha_t": 0.4, "alpha_r": 0.3},
    {"n_t": 11, "n_r": 14, "p": 5, "alpha_t": -0.5, "alpha_r": -0.4},
    {"n_t": 20, "n_r": 9, "p": 12, "alpha_t": 0.9, "alpha_r": 0.7},
)
BLOCK_SIZES: tuple[dict[str, float], ...] = (
    {"n_t": 6, "p": 4, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9},
    {"n_t": 4, "p": 7, "alpha_t": -0.5, "sigma": 0.6, "nu": 1.2},
    {"n_t": 9, "p": 5, "alpha_t": 0.9, "sigma": 1.3, "nu": 0.7},
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


def _design(sample: Sample) -> tuple[Array, Array, Array]:
    """B of two tasks with one validation row each, and the training data."""
    x_v = [sample.gaussian(1, "p") for _ in range(2)]
    x_t = [sample.gaussian("n_t", "p") for _ in range(2)]
    rows = [_contracted_rows(sample, v, t) for v, t in zip(x_v, x_t, strict=True)]
    return np.concatenate(rows, axis=1), np.stack(x_v), np.stack(x_t)


def gram_block(sample: Sample) -> Array:
    """B B^T / p."""
    b, _, _ = _design(sample)
    return np.asarray(b @ transpose(b) / sample["p"])


def inverse_block(sample: Sample) -> Array:
    """The inverse of B B^T."""
    b, _, _ = _design(sample)
    return np.asarray(np.linalg.inv(b @ transpose(b)))


def noise_block(sample: Sample) -> Array:
    """Gamma of one task."""
    b, x_v, x_t = _design(sample)
    mixed = x_v[0] @ transpose(x_t[0])
    row = b[:, :1]
    share = sample["alpha_t"] ** 2 / sample["n_t"] ** 2
    noise = 1 + share * mixed @ transpose(mixed)
    return np.asarray(sample["nu"] ** 2 / sample["p"] * row @ transpose(row) + sample["sigma"] ** 2 * noise)


def with_start(point: Mapping[str, float]) -> Mapping[str, float]:
    """A point of the ladder with the squared distance of its start, which falls as xi^(-1/2)."""
    return {**point, "dist0_sq": point["xi"] ** -0.5}


def start_block(sample: Sample) -> Array:
    """B d d^T B^T, for starts d along each of several coordinates."""
    b, _, _ = _design(sample)
    squared = with_start({"xi": sample["xi"]})["dist0_sq"]
    along = np.swapaxes(b[:, :, :STARTS], 1, 2)[..., None] * np.sqrt(squared)
    return np.asarray(along @ transpose(along))


def observed_leading(sample: Sample, block: str) -> Array:
    """A diagonal element of the block, whose mean is the leading coefficient at every size."""
    x_v, x_t = sample.gaussian(1, "p"), sample.gaussian("n_t", "p")
    row = _contracted_rows(sample, x_v, x_t)
    if block == "gram":
        return squared_norms(row) / sample["p"]
    if block == "noise":
        mixed = x_v @ transpose(x_t)
        share = sample["alpha_t"] ** 2 / sample["n_t"] ** 2
        return sample["nu"] ** 2 / sample["p"] * squared_norms(row) + sample["sigma"] ** 2 * (
            1 + share * squared_norms(mixed)
        )
    start = fixed_column(sample, "d", "p")
    sample.define("dist0_sq", float(np.sum(start**2)))
    return squared_norms(row @ start)
