"""The meta-learning problem from its definition: inner loop, meta loss, exact outer solution, test loss.

Arrays carry any number of leading batch axes. A parameter vector has shape (..., p); data of the m training
tasks have shapes (..., m, n, p) and (..., m, n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.known_ranks import pseudo_inverses
from numeric_check.problem.samplers import deviations, noise, plain_inputs
from numeric_check.problem.setting import InnerStep, Setting

Array = NDArray[np.float64]


# singular values below this part of the largest are zero up to rounding


class ConvergenceError(RuntimeError):
    """Gradient descent reached its step limit before its gradient was small enough."""


@dataclass(frozen=True)
class MetaData:
    """Training and validation data of the m training tasks, equations (18), (19)."""

    x_t: Array
    y_t: Array
    x_v: Array
    y_v: Array


def labels(x: Array, w: Array, z: Array) -> Array:
    """y = X w + z."""
    return np.asarray(np.einsum("...np,...p->...n", x, w) + z)


def draw_meta_data(generator: np.random.Generator, setting: Setting, w_0: Array, batch: int) -> MetaData:
    """`batch` independent draws of all training tasks: parameters, inputs, noise, labels."""
    s = setting
    w = w_0 + deviations(generator, s, batch, s.m)
    x_t = plain_inputs(generator, s, batch, s.m, s.n_t)
    y_t = labels(x_t, w, noise(generator, s.sigma, batch, s.m, s.n_t))
    if s.split == "reused":
        return MetaData(x_t, y_t, x_t, y_t)
    x_v = plain_inputs(generator, s, batch, s.m, s.n_v)
    y_v = labels(x_v, w, noise(generator, s.sigma_v, batch, s.m, s.n_v))
    return MetaData(x_t, y_t, x_v, y_v)


def inner_loop(
    theta: Array, x: Array, y: Array, alpha: float, steps: int, step: InnerStep | None = None
) -> Array:
    """Gradient steps on |y - X theta|^2 / 2n from `theta`, equations (3), (21); `step` makes other ones.

    theta: (..., p, k), k starting points in columns. y: (..., n, 1), or 0 for the linear part of the map.
    """
    n = x.shape[-2]
    for k in range(steps):
        gradient = np.swapaxes(x, -1, -2) @ (x @ theta - y) / n
        theta = theta - alpha * gradient if step is None else step(k, theta, gradient, alpha)
    return theta


def training_loop(theta: Array, x: Array, y: Array, setting: Setting) -> Array:
    """The inner loop at meta-training."""
    return inner_loop(theta, x, y, setting.alpha_t, setting.inner_steps, setting.inner_step)


def adapted(omega: Array, data: MetaData, setting: Setting) -> Array:
    """The m adapted parameters theta^(i)(omega), shape (..., m, p)."""
    start = np.broadcast_to(omega[..., None, :, None], (*data.x_t.shape[:-2], setting.p, 1))
    return training_loop(start, data.x_t, data.y_t[..., None], setting)[..., 0]


def meta_loss(omega: Array, data: MetaData, setting: Setting) -> Array:
    """Equation (20): mean squared validation error after adaptation, halved. Shape: the leading axes."""
    residual = data.y_v - labels(data.x_v, adapted(omega, data, setting), np.zeros(1))
    return np.asarray(np.square(residual).sum(axis=(-1, -2)) / (2 * setting.n_v * setting.m))


def meta_gradient(omega: Array, data: MetaData, setting: Setting) -> Array:
    """Gradient of the meta loss, propagated backwards through the inner loop. Shape (..., p)."""
    residual = data.y_v - labels(data.x_v, adapted(omega, data, setting), np.zeros(1))
    adjoint = -np.einsum("...np,...n->...p", data.x_v, residual)[..., None]
    # an inner step is theta -> A theta + const with symmetric A, and those of one task commute: the transpose
    # of the loop is the loop without labels
    adjoint = training_loop(adjoint, data.x_t, np.zeros(1), setting)[..., 0]
    return np.asarray(adjoint.sum(axis=-2) / (setting.n_v * setting.m))


def outer_map(data: MetaData, setting: Setting) -> tuple[Array, Array]:
    """(B, gamma) with stacked validation residuals gamma - B omega, equations (66)-(68), (125)-(127).

    Found by running the inner loop: on the unit vectors without labels (its linear part), and from 0 (its
    constant). Shapes (..., n_v m, p) and (..., n_v m).
    """
    linear = training_loop(np.eye(setting.p), data.x_t, np.zeros(1), setting)
    constant = training_loop(np.zeros((setting.p, 1)), data.x_t, data.y_t[..., None], setting)[..., 0]
    b = data.x_v @ linear
    gamma = data.y_v - labels(data.x_v, constant, np.zeros(1))
    return b.reshape(*b.shape[:-3], -1, setting.p), gamma.reshape(*gamma.shape[:-2], -1)


def solve_outer(data: MetaData, setting: Setting, omega_0: Array) -> Array:
    """The minimizer of the meta loss nearest to omega_0, equations (69), (83), (128). Shape (..., p).

    Least squares when it is unique, otherwise the minimum-norm change from omega_0: in either case the
    pseudo-inverse of B applied to the residual at omega_0.
    """
    b, gamma = outer_map(data, setting)
    residual = gamma - b @ omega_0
    inverse, _ = pseudo_inverses(b, setting.alpha_t)
    return np.asarray(omega_0 + np.einsum("...pn,...n->...p", inverse, residual))


def gradient_descent_outer(
    data: MetaData, setting: Setting, omega_0: Array, *, tolerance: float = 1e-10, max_steps: int = 100_000
) -> Array:
    """Plain gradient descent on the meta loss from omega_0, to convergence; one problem, no batch axes.

    The step is the inverse of the largest eigenvalue of the Hessian B^T B / (n_v m). Stops when the gradient
    norm is `tolerance` times its first value. Raises ConvergenceError after `max_steps`.
    """
    b, _ = outer_map(data, setting)
    curvature = float(np.linalg.norm(b, 2)) ** 2 / (setting.n_v * setting.m)
    omega = np.array(omega_0, dtype=np.float64)
    first = float(np.linalg.norm(meta_gradient(omega, data, setting)))
    for _ in range(max_steps):
        gradient = meta_gradient(omega, data, setting)
        if float(np.linalg.norm(gradient)) <= tolerance * first:
            return omega
        omega -= gradient / curvature
    raise ConvergenceError(
        f"gradient above {tolerance:g} of its start after {max_steps} steps: raise max_steps"
    )


def target_loss(
    generator: np.random.Generator, setting: Setting, omega: Array, w_0: Array, tasks: int
) -> Array:
    """Equation (23) averaged over `tasks` fresh target tasks: adapt from omega, test on n_s points.

    omega: (batch, p). Returns (batch,).
    """
    s, batch = setting, omega.shape[0]
    w = w_0 + deviations(generator, s, batch, tasks)
    x_r = plain_inputs(generator, s, batch, tasks, s.n_r)
    y_r = labels(x_r, w, noise(generator, s.sigma, batch, tasks, s.n_r))
    start = np.broadcast_to(omega[:, None, :, None], (batch, tasks, s.p, 1))
    theta = inner_loop(start, x_r, y_r[..., None], s.alpha_r, s.adaptation_steps)[..., 0]
    x_s = plain_inputs(generator, s, batch, tasks, s.n_s)
    y_s = labels(x_s, w, noise(generator, s.sigma, batch, tasks, s.n_s))
    return np.asarray(np.square(y_s - labels(x_s, theta, np.zeros(1))).mean(axis=(-1, -2)) / 2)
