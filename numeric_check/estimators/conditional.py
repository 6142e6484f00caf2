"""Conditional estimators: only the input matrices are drawn, the rest is averaged in closed form.

Given the inputs, omega* - w_0 = B^+ g + (I - B^+ B)(omega_0 - w_0) with g the stacked residuals at w_0,
linear in task deviations and label noise. Its second moment is therefore a trace with the covariance of g,
block diagonal with Gamma_i = B_i Sigma_w B_i^T + sigma_v^2 I + sigma^2 N_i N_i^T (equations (73), (130); maps
of `task_maps`).

One draw is one set of training inputs (and of target inputs, where several adaptation steps leave no closed
form). Whether its mean and variance are finite is the matter of `tails`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.estimators import target_loss
from numeric_check.estimators.task_maps import TaskMaps, draw_task_maps
from numeric_check.problem.known_ranks import gram_inverses, pseudo_inverses
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]


def noise_covariance(maps: TaskMaps, setting: Setting) -> Array:
    """The label-noise part of Gamma_i, shape (..., rows, rows)."""
    own, of_training = _label_noise(maps, setting)
    return own**2 * np.eye(maps.b.shape[-2]) + of_training @ np.swapaxes(of_training, -1, -2)


def _label_noise(maps: TaskMaps, setting: Setting) -> tuple[float, Array]:
    """What the label noise of validation and of training data is multiplied by in the residual; one where both are the same."""
    if setting.split == "reused":
        # z^v and z^t are the same draw: the residual holds (I - N) z
        return 0.0, setting.sigma * (np.eye(maps.b.shape[-2]) - maps.noise)
    return setting.sigma_v, setting.sigma * maps.noise


def weighted_excess(maps: TaskMaps, setting: Setting, weight: Array | None = None) -> Array:
    """E[(omega* - w_0)^T H (omega* - w_0) | inputs] for a weight H (identity when None), shape (batch,).

    weight: (p, p) or (batch, p, p). The part of omega_0 - w_0 outside the row space of B counts with its
    average over the signs and permutations of coordinates that leave the law of the inputs unchanged, (1 -
    rank/p) |omega_0 - w_0|^2: exact in the mean, for H = I.
    """
    p, rows = setting.p, maps.b.shape[-2]
    b = maps.b.reshape(-1, setting.m * rows, p)
    bt = np.swapaxes(b, -1, -2)
    wide = b.shape[-2] < p
    inverse, known = gram_inverses(b @ bt if wide else bt @ b)
    if wide and weight is None:
        # D = B^T (B B^T)^+ has D^T D = (B B^T)^+, of which the diagonal blocks are all that is needed
        inner = np.einsum("biris->birs", inverse.reshape(-1, setting.m, rows, setting.m, rows))
    else:
        dual = (inverse @ b if wide else b @ inverse).reshape(maps.b.shape)
        left = dual if weight is None else dual @ np.expand_dims(weight, -3)
        inner = left @ np.swapaxes(dual, -1, -2)
    root = setting.task_root
    spread = maps.b * root if isinstance(root, float) else maps.b @ root
    gamma = spread @ np.swapaxes(spread, -1, -2) + noise_covariance(maps, setting)
    value = np.einsum("bmij,bmij->b", inner, gamma)
    value += (1 - min(b.shape[-2], p) / p) * setting.dist0_sq
    if not known.all():
        rare = TaskMaps(maps.b[~known], maps.noise[~known])
        value[~known] = _by_singular_values(
            rare, setting, weight if weight is None or weight.ndim == 2 else weight[~known]
        )
    return np.asarray(value)


def _by_singular_values(maps: TaskMaps, setting: Setting, weight: Array | None) -> Array:
    """`weighted_excess` as |H^(1/2) B^+ Gamma^(1/2)|^2, which squares no singular value and knows a rank that is not full."""
    p, rows = setting.p, maps.b.shape[-2]
    inverse, rank = pseudo_inverses(maps.b.reshape(-1, setting.m * rows, p), setting.alpha_t)
    dual = np.moveaxis(inverse.reshape(-1, p, setting.m, rows), 1, 2)
    own, of_training = _label_noise(maps, setting)
    root = setting.task_root
    spread = maps.b * root if isinstance(root, float) else maps.b @ root
    moved = np.concatenate([dual @ spread, dual @ of_training, own * dual], axis=-1)
    weighed = moved if weight is None else np.expand_dims(weight, -3) @ moved
    return np.asarray(np.sum(moved * weighed, axis=(1, 2, 3)) + (1 - rank / p) * setting.dist0_sq)


def excess(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """E[|omega* - w_0|^2 | inputs] for `draws` draws of the inputs, equations (71), (85). Shape (draws,)."""
    return weighted_excess(draw_task_maps(generator, setting, draws), setting)


def loss_of_maps(generator: np.random.Generator, maps: TaskMaps, setting: Setting) -> Array:
    """The test loss given the training inputs, averaged over all else, (65) and (123). Shape (draws,).

    The generator is used for target inputs where there are several adaptation steps.
    """
    s, draws = setting, maps.b.shape[0]
    one_step = s.adaptation_steps == 1
    if s.Sigma is None and s.Sigma_w is None:
        # the law of the inputs is unchanged by signs and permutations of coordinates: H is a multiple of I
        if one_step:
            scale: Array | float = float(target_loss.one_step_weight(s, s.alpha_r, s.n_r)[0, 0])
            gain: Array | float = target_loss.one_step_noise(s, s.alpha_r, s.n_r)
        else:
            scale, gain = target_loss.sampled_scale(generator, s, draws)
        return np.asarray((s.sigma**2 * (1 + gain) + scale * (s.nu**2 + weighted_excess(maps, s))) / 2)
    if one_step:
        weight = target_loss.one_step_weight(s, s.alpha_r, s.n_r)
        gain = target_loss.one_step_noise(s, s.alpha_r, s.n_r)
    else:
        weight, gain = target_loss.sampled_weight(generator, s, draws)
    spread = np.sum(weight * s.task_covariance, axis=(-1, -2))
    return np.asarray((s.sigma**2 * (1 + gain) + spread + weighted_excess(maps, s, weight)) / 2)


def loss(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """The test loss given `draws` draws of the training inputs. Shape (draws,)."""
    return loss_of_maps(generator, draw_task_maps(generator, setting, draws), setting)
