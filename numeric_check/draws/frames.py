"""The first rows of uniform orthogonal matrices, many at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.normals import normals

Array = NDArray[np.float64]


def frames(generator: np.random.Generator, rows: int, size: int, draws: int) -> Array:
    """The first rows of uniform orthogonal matrices, shape (draws, rows, size).

    One row after the other, from the last one on: with a uniform direction v in k dimensions, the reflection that takes the first basis
    vector to v, of frames in the other k - 1. Done for all draws at once: QR factorisations of many small matrices take several times as long.
    """
    found, least = np.zeros((rows, size, draws)), size - rows + 1
    for row, k in zip(range(rows - 1, -1, -1), range(least, size + 1), strict=True):
        v = normals(generator, (k, draws))
        v /= np.sqrt(np.sum(v * v, axis=0))
        sign, long = np.copysign(1.0, v[0]), 1 + np.abs(v[0])
        # along u = v + sign e, u^T u = 2 long: it takes e to -sign v, which changes its sign then
        inside = found[row + 1 :, row + 1 :]
        share = np.sum(v[1:] * inside, axis=1)
        found[row + 1 :, row] = -sign * share
        inside -= v[1:] * (share / long)[:, None]
        found[row, row:] = v
    return np.ascontiguousarray(np.moveaxis(found, -1, 0))
