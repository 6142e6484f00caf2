"""The linear maps of the training tasks, drawn directly or through what of the inputs matters later.

After K inner steps on data y = X w + z, the validation residual of a task at omega is B (w - omega) + z^v - N
z^t, with B = X^v A^K, A = I - (alpha/n_t) X^T X, and N = X^v (alpha/n_t) sum_{j<K} A^j X^T.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.maml import training_loop
from numeric_check.problem.normals import normals
from numeric_check.problem.samplers import coloured, inputs, triangular_factor
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]


class TaskMaps(NamedTuple):
    """Per task: the map B of task deviations (..., rows, p) and N of training noise (..., rows, columns).

    rows = n_v and columns = n_t, or fewer of either where a factor with the same Gram matrix stands for the data.
    """

    b: Array
    noise: Array


def propagate(rows: Array, x: Array, rate: float, steps: int) -> tuple[Array, Array]:
    """(R A^K, rate sum_{j<K} R A^j X^T) for rows R and A = I - rate X^T X, without forming A.

    rows: (..., k, p). x: (..., n, p). rate: the learning rate over the number of points.
    """
    path = np.zeros((*rows.shape[:-1], x.shape[-2]))
    for _ in range(steps):
        step = rate * (rows @ np.swapaxes(x, -1, -2))
        path = path + step
        rows = rows - step @ x
    return rows, path


def direct_task_maps(generator: np.random.Generator, setting: Setting, batch: int) -> TaskMaps:
    """The maps of all m tasks for `batch` draws of the input matrices, leading axes (batch, m)."""
    s = setting
    x_t = inputs(generator, s, batch, s.m, s.n_t)
    x_v = x_t if s.split == "reused" else inputs(generator, s, batch, s.m, s.n_v)
    return _maps_of(x_v, x_t, s)


def _maps_of(x_v: Array, x_t: Array, setting: Setting) -> TaskMaps:
    s = setting
    if s.inner_step is None:
        return TaskMaps(*propagate(x_v, x_t, s.alpha_t / s.n_t, s.inner_steps))
    # through the Gram matrix alone, so that a triangular factor may stand for the data
    scaled = x_t * np.sqrt(x_t.shape[-2] / s.n_t)
    linear = training_loop(np.eye(s.p), scaled, np.zeros(1), s)
    path = training_loop(np.zeros((s.p, x_t.shape[-2])), scaled, np.eye(x_t.shape[-2]), s)
    return TaskMaps(x_v @ linear, x_v @ path * np.sqrt(x_t.shape[-2] / s.n_t))


def gram_factor(generator: np.random.Generator, setting: Setting, points: int, *shape: int) -> Array:
    """Matrices X with at most p rows whose X^T X has the law of that of `points` inputs.

    For points <= p the inputs themselves; otherwise their triangular QR factor, which for Gaussian inputs is
    drawn directly: independent entries, normal above the diagonal and chi with points, points - 1, ...
    degrees of freedom on it (Bartlett's decomposition). Shape (*shape, min(points, p), p).
    """
    p = setting.p
    if points <= p:
        return inputs(generator, setting, *shape, points)
    if setting.law is not GAUSSIAN:
        return np.asarray(np.linalg.qr(inputs(generator, setting, *shape, points), mode="r"))
    return coloured(triangular_factor(generator, points, p, *shape), setting)


def draw_task_maps(generator: np.random.Generator, setting: Setting, batch: int) -> TaskMaps:
    """As `direct_task_maps`, from fewer numbers: same law of all that is averaged later.

    That depends on X^t and X^v through B^T B and B^T N N^T B alone, hence on their Gram matrices.
    """
    s = setting
    x_v = gram_factor(generator, s, s.n_v, batch, s.m)
    if _one_step_pays(s):
        return _one_step(generator, s, x_v)
    x_t = x_v if s.split == "reused" else gram_factor(generator, s, s.n_t, batch, s.m)
    return _maps_of(x_v, x_t, s)


def numbers_per_draw(setting: Setting) -> int:
    """About how many floating-point numbers one draw of the maps holds at a time."""
    s = setting
    rows_v, rows_t = min(s.n_v, s.p), min(s.n_t, s.p)
    if s.law is not GAUSSIAN:
        rows_v, rows_t = s.n_v, s.n_t
    elif _one_step_pays(s):
        rows_t = 2 * s.n_v
    if s.inner_step is not None:
        rows_t += 2 * s.p  # the map of one step is formed on unit vectors
    return s.m * (3 * rows_v + rows_t) * s.p


def _one_step_pays(setting: Setting) -> bool:
    s = setting
    return (
        s.law is GAUSSIAN
        and s.split == "separate"
        and s.inner_steps == 1
        and s.inner_step is None
        and 2 * s.n_v <= min(s.n_t, s.rank)
    )


def _one_step(generator: np.random.Generator, setting: Setting, x_v: Array) -> TaskMaps:
    """The maps of one inner step given X^v, without drawing X^t = U R, R = Sigma^(1/2), for n_v < n_t, p.

    C = X^v X^tT = V U^T, V = X^v R, has independent columns of covariance V V^T. Given C, the law of U is
    that of C^T (V V^T)^-1 V + G (I - P), P the projection on the rows of V and G Gaussian. Only C U enters,
    and C G is a Gaussian matrix of row covariance C C^T. As C enters through C C^T alone, a square factor of
    that stands for it, whose size does not grow with n_t.
    """
    v = coloured(x_v, setting)
    gram = v @ np.swapaxes(v, -1, -2)
    factor = triangular_factor(generator, setting.n_t, setting.n_v, *v.shape[:-2])
    c = np.linalg.cholesky(gram) @ np.swapaxes(factor, -1, -2)
    square = c @ np.swapaxes(c, -1, -2)
    g = np.linalg.cholesky(square) @ normals(generator, v.shape)
    # C U = [C C^T - C G V^T] (V V^T)^-1 V + C G, both projections through one solve
    along = np.linalg.solve(gram, square - v @ np.swapaxes(g, -1, -2))
    c_x = coloured(np.swapaxes(along, -1, -2) @ v + g, setting)
    rate = setting.alpha_t / setting.n_t
    return TaskMaps(x_v - rate * c_x, rate * c)
