"""First-order MAML for one task, from definitions: descent along the gradient that leaves the inner loop's derivative out."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# of what is left, relative to the start
CONVERGED, MOST_STEPS = 1e-12, 20_000
# draws at a time, which stay in the cache of a core
TOGETHER = 500


def deviations(
    generator: np.random.Generator,
    *,
    n_t: int,
    n_v: int,
    p: int,
    sigma: float,
    nu: float,
    alpha_t: float,
    draws: int,
    labels: int,
) -> Array:
    """|omega - w_0|^2 after meta-training from the task mean w_0, for each draw of inputs its mean over so many tasks and labels.

    alpha_t <= 0, where the descent converges; raises ArithmeticError where it has not within many steps.
    """
    each = partial(_deviations, generator, n_t, n_v, p, sigma, nu, alpha_t, labels)
    return np.concatenate([each(min(TOGETHER, draws - k)) for k in range(0, draws, TOGETHER)])


def _deviations(
    generator: np.random.Generator,
    n_t: int,
    n_v: int,
    p: int,
    sigma: float,
    nu: float,
    alpha_t: float,
    labels: int,
    draws: int,
) -> Array:
    x_t, x_v = (generator.standard_normal((draws, rows, p)) for rows in (n_t, n_v))
    w = nu / np.sqrt(p) * generator.standard_normal((draws, p, labels))  # minus w_0
    y_t = x_t @ w + sigma * generator.standard_normal((draws, n_t, labels))
    y_v = x_v @ w + sigma * generator.standard_normal((draws, n_v, labels))
    turned_t, turned_v = np.swapaxes(x_t, 1, 2), np.swapaxes(x_v, 1, 2)

    def gradient(omega: Array) -> Array:
        theta = omega - alpha_t / n_t * turned_t @ (x_t @ omega - y_t)
        return np.asarray(turned_v @ (x_v @ theta - y_v))

    omega = np.zeros_like(w)
    first = gradient(omega)
    # the sum of the curvatures, of which none is negative at these rates: no step is too long
    adapted = x_v - alpha_t / n_t * (x_v @ turned_t) @ x_t
    size = 1 / np.sum(x_v * adapted, axis=(1, 2), keepdims=True)
    for _ in range(MOST_STEPS):
        step = gradient(omega)
        if np.max(np.abs(step)) <= CONVERGED * np.max(np.abs(first)):
            return np.asarray(np.mean(np.sum(omega**2, axis=1), axis=1))
        omega -= size * step
    raise ArithmeticError("the descent has not converged")
