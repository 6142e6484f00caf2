"""Control variates for the conditional estimators: features of the task maps whose means are known exactly.

With one inner step and separate data, B_i^T B_i has mean n_v H_t, H_t = E A Sigma A, and tasks are
independent. So |B|^2, |N|^2 and the sum over i != j of |B_i B_j^T|^2 have elementary means, and so have Tr B
Sigma_w B^T and Tr B H_r B^T. Below p = n_v m, with Gaussian inputs of identity covariance, the traces of S = sum_i
(B_i^T B_i)^2, of V = sum_i B_i^T N_i N_i^T B_i, of M S and of M V, M = B^T B, have exact means too (`trace_moments`):
the expansion of Tr M^-1 Gamma M^-1 about the mean of M begins with them. Subtracting a multiple of (feature - mean) leaves the mean of an estimator
unchanged and takes away the variance the feature explains. The multiples are fitted on draws that are not
used otherwise, so no bias enters.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from numeric_check.estimators.conditional import loss_of_maps, weighted_excess
from numeric_check.estimators.target_loss import one_step_noise, one_step_weight
from numeric_check.estimators.task_maps import TaskMaps, draw_task_maps
from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.setting import Setting
from numeric_check.problem.trace_moments import mean_of_word, times

Array = NDArray[np.float64]
Coefficients = tuple[float, ...]


def applies(setting: Setting) -> bool:
    """Whether the means of the features are known in closed form."""
    return setting.split == "separate" and setting.inner_steps == 1 and setting.inner_step is None


def _below(setting: Setting) -> bool:
    """Whether the traces of S and V are taken."""
    s = setting
    return s.law is GAUSSIAN and s.Sigma is None and s.Sigma_w is None and s.p < s.validation_points


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
    if _below(setting):
        noise = maps.noise @ np.swapaxes(maps.noise, -1, -2)
        through = maps.b @ gram[:, None] @ np.swapaxes(maps.b, -1, -2)
        pairs = [(own, own), (own, noise), (through, own), (through, noise)]
        columns += [np.einsum("bmij,bmij->b", one, other) for one, other in pairs]
    return np.stack(columns, axis=1)


def means(setting: Setting) -> Array:
    """The exact means of the features, shape (k,)."""
    s = setting
    h = one_step_weight(s, s.alpha_t, s.n_t)
    count = s.n_v * s.m
    cross = s.n_v**2 * s.m * (s.m - 1) * float(np.sum(h * h))
    values = [count * float(np.trace(h)), count * one_step_noise(s, s.alpha_t, s.n_t), cross]
    values += [count * float(np.sum(weight * h)) for weight in _weights(s)]
    return np.array([*values, *(_traces(s) if _below(s) else ())])


@lru_cache(maxsize=256)
def _traces(setting: Setting) -> tuple[float, ...]:
    """The exact means of Tr S, Tr V, Tr M S and Tr M V."""
    s = setting
    rate = Fraction(s.alpha_t) / s.n_t
    one_step = (Fraction(1), -rate)
    kept, path = times(one_step, one_step), (Fraction(0), rate**2)
    # with C = B_1^T B_1: Tr C, Tr C^2, Tr V, Tr C^3 and Tr C V of one task
    words = ((kept,), (kept, kept), (path, kept), (kept, kept, kept), (kept, path, kept))
    c, cc, v, ccc, cv = (mean_of_word(word, s.n_v, s.n_t, s.p) for word in words)
    # the mean of another task's C is a multiple of the identity
    others = (s.m - 1) * c / s.p
    return tuple(float(s.m * value) for value in (cc, v, ccc + others * cc, cv + others * v))


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
    varies = np.ptp(design, axis=0) > 0
    design = np.column_stack([np.ones(len(design)), design[:, varies]])
    found = np.zeros(len(scale))
    found[varies] = np.linalg.lstsq(design, np.concatenate(targets), rcond=1e-10)[0][1:] / scale[varies]
    return tuple(float(value) for value in found)


def controlled(
    generator: np.random.Generator, setting: Setting, quantity: str, coefficients: Coefficients, draws: int
) -> Array:
    """Draws of the quantity with the fitted features subtracted, shape (draws,)."""
    maps = draw_task_maps(generator, setting, draws)
    values = _values(generator, maps, setting, quantity)
    surplus = (features(maps, setting) - means(setting)) @ np.array(coefficients)
    return np.asarray(values - surplus)
