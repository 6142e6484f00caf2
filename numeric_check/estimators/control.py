"""Control variates for the conditional estimators: features of the task maps whose means are known exactly.

With one inner step and separate data, B_i^T B_i has mean n_v H_t, H_t = E A Sigma A, and tasks are
independent. So |B|^2, |N|^2 and the sum over i != j of |B_i B_j^T|^2 have elementary means, and so have Tr B
Sigma_w B^T and Tr B H_r B^T. Subtracting a multiple of (feature - mean) leaves the mean of an estimator
unchanged and takes away the variance the feature explains. The multiples are fitted on draws that are not
used otherwise, so no bias enters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.estimators.conditional import loss_of_maps, weighted_excess
from numeric_check.estimators.target_loss import one_step_noise, one_step_weight
from numeric_check.estimators.task_maps import TaskMaps, draw_task_maps
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
Coefficients = tuple[float, ...]


def applies(setting: Setting) -> bool:
    """Whether the means of the features are known in closed form."""
    return setting.split == "separate" and setting.inner_steps == 1 and setting.inner_step is None


def _weights(setting: Setting) -> list[Array]:
    if setting.Sigma is None and setting.Sigma_w is None:
        return []
    return [setting.task_covariance, one_step_weight(setting, setting.alpha_r, setting.n_r)]


def features(maps: TaskMaps, setting: Setting) -> Array:
    """The features of each draw, shape (batch, k)."""
    b = maps.b.reshape(maps.b.shape[0], -1, setting.p)
    bt = np.swapaxes(b, -1, -2)
    gram = b @ bt if b.shape[-2] < setting.p else bt @ b
    own = maps.b @ np.swapaxes(maps.b, -1, -2)
    columns = [
        np.einsum("bmii->b", own),
        np.einsum("bmij,bmij->b", maps.noise, maps.noise),
        np.einsum("bij,bij->b", gram, gram) - np.einsum("bmij,bmij->b", own, own),
    ]
    columns += [np.einsum("bij,bij->b", b @ weight, b) for weight in _weights(setting)]
    return np.stack(columns, axis=1)


def means(setting: Setting) -> Array:
    """The exact means of the features, shape (k,)."""
    s = setting
    h = one_step_weight(s, s.alpha_t, s.n_t)
    count = s.n_v * s.m
    cross = s.n_v**2 * s.m * (s.m - 1) * float(np.sum(h * h))
    values = [count * float(np.trace(h)), count * one_step_noise(s, s.alpha_t, s.n_t), cross]
    values += [count * float(np.sum(weight * h)) for weight in _weights(s)]
    return np.array(values)


def _values(generator: np.random.Generator, maps: TaskMaps, setting: Setting, quantity: str) -> Array:
    return weighted_excess(maps, setting) if quantity == "excess" else loss_of_maps(generator, maps, setting)


def fit(
    generator: np.random.Generator, setting: Setting, quantity: str, draws: int, batch: int
) -> Coefficients:
    """The multiples that minimise the variance over `draws` draws, taken `batch` at a time.

    They are the regression of the values on the features; features that do not vary get 0.
    """
    scale = np.abs(means(setting)) + np.finfo(np.float64).tiny
    rows, targets = [], []
    for _ in range(0, draws, batch):
        maps = draw_task_maps(generator, setting, batch)
        rows.append(features(maps, setting) / scale)
        targets.append(_values(generator, maps, setting, quantity))
    design = np.concatenate(rows)
    design = np.column_stack([np.ones(len(design)), design])
    solution = np.linalg.lstsq(design, np.concatenate(targets), rcond=1e-10)[0]
    return tuple(float(value) for value in solution[1:] / scale)


def controlled(
    generator: np.random.Generator, setting: Setting, quantity: str, coefficients: Coefficients, draws: int
) -> Array:
    """Draws of the quantity with the fitted features subtracted, shape (draws,)."""
    maps = draw_task_maps(generator, setting, draws)
    values = _values(generator, maps, setting, quantity)
    surplus = (features(maps, setting) - means(setting)) @ np.array(coefficients)
    return np.asarray(values - surplus)
