"""Conditional estimators: only the input matrices are drawn, the rest is averaged in closed form.

Given the inputs, omega* - w_0 = B^+ (gamma - B w_0) + (I - B^+ B)(omega_0 - w_0) is linear in task deviations
and label noise, so its second moment is a trace. With B_i = X^v A^K and the noise path N_i = X^v (alpha/n)
sum_j A^j X^T of task i (K inner steps), the residual at w_0 is B_i (w - w_0) + z^v - N_i z^t, of covariance
Gamma_i = B_i Sigma_w B_i^T + sigma_v^2 I + sigma^2 N_i N_i^T  (equations (73), (130)).

One draw is one set of training inputs (and of target inputs, where several adaptation steps leave no closed
form). Its variance is finite for |p - n_v m| > 3, its mean for |p - n_v m| > 1, when the inputs are Gaussian:
the smallest eigenvalue of the Gram matrix of B has a density that vanishes like a power (|p - n_v m| - 1)/2
at zero. Between, standard errors are not to be trusted; atomic input laws have finite moments always.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.samplers import inputs
from numeric_check.setting import Setting

Array = NDArray[np.float64]
RANK_TOLERANCE = 1e-12


class TaskMaps(NamedTuple):
    """Per task: the map B_i of task deviations (..., n_v, p) and that of training noise (..., n_v, n_t)."""

    b: Array
    noise: Array


def propagate(rows: Array, x: Array, alpha: float, steps: int) -> tuple[Array, Array]:
    """(R A^K, (alpha/n) sum_{j<K} R A^j X^T) for rows R, A = I - (alpha/n) X^T X, without forming A.

    rows: (..., k, p). x: (..., n, p).
    """
    path = np.zeros(())
    for _ in range(steps):
        step = (alpha / x.shape[-2]) * (rows @ np.swapaxes(x, -1, -2))
        path = path + step
        rows = rows - step @ x
    return rows, path


def draw_task_maps(generator: np.random.Generator, setting: Setting, batch: int) -> TaskMaps:
    """The maps of all m tasks for `batch` draws of the inputs, leading axes (batch, m)."""
    x_t = inputs(generator, setting, batch, setting.m, setting.n_t)
    x_v = x_t if setting.split == "reused" else inputs(generator, setting, batch, setting.m, setting.n_v)
    return TaskMaps(*propagate(x_v, x_t, setting.alpha_t, setting.inner_steps))


def noise_covariance(maps: TaskMaps, setting: Setting) -> Array:
    """The label-noise part of Gamma_i, shape (..., n_v, n_v)."""
    identity = np.eye(setting.n_v)
    if setting.split == "reused":
        # z^v and z^t are the same draw: the residual holds (I - N) z
        factor = identity - maps.noise
        return setting.sigma**2 * (factor @ np.swapaxes(factor, -1, -2))
    return setting.sigma_v**2 * identity + setting.sigma**2 * (maps.noise @ np.swapaxes(maps.noise, -1, -2))


def gram_inverse(gram: Array, setting: Setting) -> tuple[Array, Array | int]:
    """(Pseudo-)inverses of Gram matrices, and their ranks, which an atomic input law can make deficient."""
    if not setting.law.atomic:
        return np.asarray(np.linalg.inv(gram), dtype=np.float64), gram.shape[-1]
    values, vectors = np.linalg.eigh(gram)
    kept = values > RANK_TOLERANCE * values[..., -1:]
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    return (vectors * inverse[..., None, :]) @ np.swapaxes(vectors, -1, -2), kept.sum(axis=-1)


def weighted_excess(maps: TaskMaps, setting: Setting, weight: Array | None) -> Array:
    """E[(omega* - w_0)^T H (omega* - w_0) | inputs] for a weight H (identity when None), shape (batch,).

    weight: (p, p) or (batch, p, p). The part of omega_0 - w_0 outside the row space of B counts with its
    average over the symmetries of the inputs, (1 - rank/p) |omega_0 - w_0|^2: exact in the mean, for H = I.
    """
    b = maps.b.reshape(-1, setting.validation_points, setting.p)
    bt = np.swapaxes(b, -1, -2)
    wide = setting.p > setting.validation_points
    inverse, rank = gram_inverse(b @ bt if wide else bt @ b, setting)
    pseudo = bt @ inverse if wide else inverse @ bt
    blocks = np.moveaxis(pseudo.reshape(-1, setting.p, setting.m, setting.n_v), 2, 1)
    left = blocks if weight is None else np.expand_dims(weight, -3) @ blocks
    value = _noise_part(blocks, left, maps, setting) + _task_part(blocks, left, maps, setting)
    return np.asarray(value + (1 - rank / setting.p) * setting.dist0_sq)


def _noise_part(blocks: Array, left: Array, maps: TaskMaps, setting: Setting) -> Array:
    inner = np.swapaxes(blocks, -1, -2) @ left
    return np.asarray(np.einsum("bmij,bmij->b", inner, noise_covariance(maps, setting)))


def _task_part(blocks: Array, left: Array, maps: TaskMaps, setting: Setting) -> Array:
    """sum_i Tr[H D_i B_i Sigma_w B_i^T D_i^T] through the smaller of n_v x n_v and p x p matrices."""
    root = setting.task_root
    spread = maps.b * root if isinstance(root, float) else maps.b @ root
    if setting.n_v <= setting.p:
        inner = np.swapaxes(blocks, -1, -2) @ left
        return np.asarray(np.einsum("bmij,bmij->b", inner, spread @ np.swapaxes(spread, -1, -2)))
    return np.asarray(np.einsum("bmij,bmij->b", blocks @ spread, left @ spread))


def excess(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """E[|omega* - w_0|^2 | inputs] for `draws` draws of the inputs, equations (71), (85). Shape (draws,)."""
    return weighted_excess(draw_task_maps(generator, setting, draws), setting, None)


def fourth_moment(setting: Setting) -> Array:
    """F = E (x^T Sigma x) x x^T (111), by E u_a u_b u_c u_d of independent entries. Shape (p, p)."""
    identity = np.eye(setting.p)
    if setting.Sigma is None or setting.root is None:
        return (setting.p + setting.law.kurtosis - 1) * identity
    square = setting.Sigma @ setting.Sigma
    # u^T M u u u^T has mean (Tr M) I + 2 M + (kurtosis - 3) diag(M), here with M = Sigma^2
    inner = np.trace(square) * identity + 2 * square + (setting.law.kurtosis - 3) * np.diag(np.diag(square))
    return np.asarray(setting.root @ inner @ setting.root)


def adaptation_weight(generator: np.random.Generator, setting: Setting, draws: int) -> tuple[Array, Array]:
    """(H, c): the test loss is [sigma^2 (1 + c) + Tr(H (Sigma_w + E (omega* - w_0)(omega* - w_0)^T))] / 2.

    H = E A^K Sigma A^K and c = E |Sigma^(1/2) (alpha/n) sum_j A^j X^T|^2 over the target inputs: in closed
    form for one step (shapes (p, p) and ()), otherwise one draw of the target inputs each (shapes (draws, p,
    p), (draws,)).
    """
    alpha, n = setting.alpha_r, setting.n_r
    sigma_x = np.eye(setting.p) if setting.Sigma is None else setting.Sigma
    if setting.adaptation_steps == 1:
        # two different rows of X^r give Sigma^3, equal rows give F
        square = ((n - 1) * sigma_x @ sigma_x @ sigma_x + fourth_moment(setting)) / n
        weight = sigma_x - 2 * alpha * sigma_x @ sigma_x + alpha**2 * square
        return weight, np.asarray(alpha**2 / n * np.trace(sigma_x @ sigma_x))
    x = inputs(generator, setting, draws, n)
    start = np.eye(setting.p) if setting.root is None else setting.root
    rows, path = propagate(
        np.broadcast_to(start, (draws, setting.p, setting.p)), x, alpha, setting.adaptation_steps
    )
    return np.swapaxes(rows, -1, -2) @ rows, np.square(path).sum(axis=(-1, -2))


def loss(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """Test loss given the training inputs, averaged over all else, (65) and (123). Shape (draws,)."""
    maps = draw_task_maps(generator, setting, draws)
    weight, noise_gain = adaptation_weight(generator, setting, draws)
    isotropic = setting.Sigma is None
    if isotropic:
        # inputs are symmetric under signs and permutations of coordinates, so H is a multiple of the identity
        scale = np.trace(weight, axis1=-2, axis2=-1) / setting.p
        quadratic = scale * weighted_excess(maps, setting, None)
    else:
        quadratic = weighted_excess(maps, setting, weight)
    root = setting.task_root
    if isinstance(root, float):
        spread = root**2 * np.trace(weight, axis1=-2, axis2=-1)
    else:
        spread = np.einsum("...ij,ji->...", weight, root @ root)
    return np.asarray((setting.sigma**2 * (1 + noise_gain) + spread + quadratic) / 2)
