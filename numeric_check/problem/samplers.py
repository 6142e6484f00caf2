"""Batched random matrices of the model: inputs, task parameters, labels."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.normals import entries, normals
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]


def inputs(generator: np.random.Generator, setting: Setting, *shape: int) -> Array:
    """Input matrices of shape (*shape, p): rows are independent x = Sigma^(1/2) u, (28) and (109)."""
    return coloured(entries(generator, setting.law, (*shape, setting.p)), setting)


def plain_inputs(generator: np.random.Generator, setting: Setting, *shape: int) -> Array:
    """As `inputs`, from NumPy's own numbers of double precision, which are the same on every machine."""
    return coloured(setting.law.draw(generator, (*shape, setting.p)), setting)


def coloured(u: Array, setting: Setting) -> Array:
    """u Sigma^(1/2) for rows u of shape (..., p)."""
    if setting.root is None:
        return u
    return u * np.diag(setting.root) if setting.diagonal else u @ setting.root


@lru_cache(maxsize=64)
def _above(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of what lies above the diagonal."""
    return np.triu_indices(size, 1)


def triangular_factor(generator: np.random.Generator, points: int, size: int, *shape: int) -> Array:
    """R, shape (*shape, size, size), with R^T R distributed as Z^T Z for `points` >= size rows Z ~ N(0, I)."""
    factor = np.zeros((*shape, size, size))
    rows, columns = _above(size)
    factor[..., rows, columns] = normals(generator, (*shape, len(rows)))
    diagonal = np.arange(size)
    factor[..., diagonal, diagonal] = np.sqrt(generator.chisquare(points - diagonal, (*shape, size)))
    return factor


def deviations(generator: np.random.Generator, setting: Setting, *shape: int) -> Array:
    """Task deviations w - w_0 of shape (*shape, p), Gaussian with covariance Sigma_w, (30) and (110)."""
    normal = generator.standard_normal((*shape, setting.p))
    if isinstance(setting.task_root, float):
        normal *= setting.task_root
        return normal
    return normal @ setting.task_root


def noise(generator: np.random.Generator, std: float, *shape: int) -> Array:
    """Label noise: independent N(0, std^2), equation (29)."""
    return std * generator.standard_normal(shape)


def means(setting: Setting) -> tuple[Array, Array]:
    """(omega_0, w_0): omega_0 = 0 and w_0 with equal entries, at squared distance `dist0_sq`."""
    return np.zeros(setting.p), np.full(setting.p, math.sqrt(setting.dist0_sq / setting.p))
