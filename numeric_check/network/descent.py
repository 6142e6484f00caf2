"""MAML with the network itself: gradient descent on (1) through one inner step, with second-order gradients.

A step on n_t points changes each layer's weights by a matrix of rank n_t, so the adapted network is the network with a few
inner products more, W2' z = W2 z - alpha D2^T (Z1 z + 1), and neither adapted weights nor Hessians are formed. Reverse
differentiation of these products, by hand, gives the gradient (`autodiff` is the same in one line of JAX).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.network.experiment import Experiment, Run
from numeric_check.network.linearised import target_loss
from numeric_check.network.relu import Weights

Array = NDArray[np.float64]


class Tasks(NamedTuple):
    """Inputs (tasks, n, p) and labels (tasks, n) before a step, inputs at which the adapted network is read."""

    x: Array
    y: Array
    x_new: Array


class Pass(NamedTuple):
    """The layers of one adapted pass: z, active units, returns d at the step's points; `_v` at the new points."""

    z1: Array
    on1: NDArray[np.bool_]
    z2: Array
    on2: NDArray[np.bool_]
    r: Array
    d2: Array
    d1: Array
    z1_v: Array
    on1_v: NDArray[np.bool_]
    z2_v: Array
    on2_v: NDArray[np.bool_]
    f_v: Array


def _t(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _times(a: Array, matrix: Array) -> Array:
    """a (tasks, n, k) times a matrix, as one product."""
    found: Array = (a.reshape(-1, a.shape[-1]) @ matrix).reshape(*a.shape[:-1], -1)
    return found


def adapted(w: Weights, tasks: Tasks, rate: float, cross: Array | None = None) -> Pass:
    """The network after one step of this rate in each task, read at the new points; cross: 1 + x_new x^T where known."""
    x, y, x_v = tasks
    k0 = 1 + x_v @ _t(x) if cross is None else cross
    a1 = _times(x, w.W1.T) + w.b1
    on1 = a1 > 0
    z1 = a1 * on1
    a2 = _times(z1, w.W2.T) + w.b2
    on2 = a2 > 0
    z2 = a2 * on2
    r = (z2 @ w.w3 + w.b3 - y) / y.shape[1]
    d2 = r[..., None] * w.w3 * on2
    d1 = _times(d2, w.W2) * on1
    a1_v = _times(x_v, w.W1.T) + w.b1 - rate * (k0 @ d1)
    on1_v = a1_v > 0
    z1_v = a1_v * on1_v
    a2_v = _times(z1_v, w.W2.T) + w.b2 - rate * ((1 + z1_v @ _t(z1)) @ d2)
    on2_v = a2_v > 0
    z2_v = a2_v * on2_v
    f_v = z2_v @ w.w3 + w.b3 - rate * ((1 + z2_v @ _t(z2)) @ r[..., None])[..., 0]
    return Pass(z1, on1, z2, on2, r, d2, d1, z1_v, on1_v, z2_v, on2_v, f_v)


def meta_gradient(
    w: Weights, tasks: Tasks, y_new: Array, rate: float, cross: Array | None = None
) -> tuple[float, Weights]:
    """The meta-training loss (1), half the mean square at the new points after a step, and its gradient."""
    x, y, x_v = tasks
    k0 = 1 + x_v @ _t(x) if cross is None else cross
    s = adapted(w, tasks, rate, k0)
    width = len(w.w3)
    residual = s.f_v - y_new
    q = (residual / residual.size)[
        ..., None
    ]  # what comes back, (tasks, n_v, 1); `_` marks what comes back below
    z2q = _t(s.z2_v) @ q  # (tasks, width, 1)
    a2_v_ = q * (w.w3 - rate * _t(_t(s.z2) @ s.r[..., None])) * s.on2_v
    z2_ = -rate * s.r[..., None] * _t(z2q)
    r_ = -rate * (s.z2 @ z2q + q.sum(axis=1, keepdims=True))
    a1_v_ = (_times(a2_v_, w.W2) - rate * ((a2_v_ @ _t(s.d2)) @ s.z1)) * s.on1_v
    z1_ = -rate * ((s.d2 @ _t(a2_v_)) @ s.z1_v)
    d2_ = -rate * ((1 + s.z1 @ _t(s.z1_v)) @ a2_v_)
    e1 = -rate * (_t(k0) @ a1_v_) * s.on1
    e2 = (d2_ + _times(e1, w.W2.T)) * s.on2
    f_ = (r_ + (e2 @ w.w3)[..., None]) / y.shape[1]
    a2_ = (z2_ + f_ * w.w3) * s.on2
    a1_ = (z1_ + _times(a2_, w.W2)) * s.on1

    def flat(a: Array) -> Array:
        return a.reshape(-1, a.shape[-1])

    left = np.concatenate([flat(a2_v_), flat(s.d2), flat(a2_)])
    right = np.concatenate([flat(s.z1_v), flat(e1), flat(s.z1)])
    gradient = Weights(
        flat(a1_v_).T @ flat(x_v) + flat(a1_).T @ flat(x),
        flat(a1_v_).sum(axis=0) + flat(a1_).sum(axis=0),
        left.T @ right,
        flat(a2_v_).sum(axis=0) + flat(a2_).sum(axis=0),
        z2q.sum(axis=0)[:, 0]
        + s.r.reshape(-1) @ e2.reshape(-1, width)
        + f_.reshape(-1) @ s.z2.reshape(-1, width),
        np.asarray(q.sum() + f_.sum()),
    )
    return float(0.5 * np.mean(residual**2)), gradient


class Trained(NamedTuple):
    """The weights at the end, the epochs made, and the meta-training loss there."""

    weights: Weights
    epochs: int
    meta_loss: float


def train(experiment: Experiment, run: Run, rate: float) -> Trained:
    """Outer gradient descent from the run's initial weights, until the meta-training loss is below `stop`."""
    e = experiment
    x, y = run.meta.inputs, run.meta.labels
    tasks = Tasks(x[:, : e.n_t], y[:, : e.n_t], np.ascontiguousarray(x[:, e.n_t :]))
    y_v = y[:, e.n_t :]
    cross = 1 + tasks.x_new @ _t(tasks.x)
    w = run.weights
    for epoch in range(e.epochs):
        loss, gradient = meta_gradient(w, tasks, y_v, rate * e.scale, cross)
        if loss < e.stop or not np.isfinite(loss):
            return Trained(w, epoch, loss)
        w = Weights(*(part - e.outer_rate * e.scale * g for part, g in zip(w, gradient, strict=True)))
    return Trained(w, e.epochs, loss)


def trained_loss(experiment: Experiment, run: Run, weights: Weights) -> float:
    """The test loss of trained weights: a step on each test task's target points, then the residual at its test points."""
    e = experiment
    x, y = run.test.inputs, run.test.labels
    tasks = Tasks(x[:, : e.n_r], y[:, : e.n_r], x[:, e.n_r :])
    return target_loss(e, run, adapted(weights, tasks, e.alpha_r * e.scale).f_v)
