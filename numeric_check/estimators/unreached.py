"""One task's label noise from definitions, beside what is left of it where only directions count that training inputs do not reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.normals import normals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Traces:
    """Draw by draw, for label noise of variance one.

    noise: Tr (B B^T)^-1 (I + N N^T), N what the inner loop makes of the training labels. unreached: the same with X_v Pi X_v^T in the
    place of B B^T, Pi the projection on what X_t does not reach. grown: the least eigenvalue of B B^T - X_v X_v^T.
    """

    noise: Array
    unreached: Array
    grown: Array


def traces(
    generator: np.random.Generator, n_t: int, n_v: int, p: int, steps: int, rate: float, draws: int
) -> Traces:
    """The inner loop moves omega by -rate/n_t X_t^T (X_t omega - y), so many times. p >= n_t + n_v, else ValueError."""
    if p < n_t + n_v:
        raise ValueError(f"{n_t} training inputs leave less than {n_v} of {p} dimensions unreached")
    x_t, x_v = (normals(generator, (draws, rows, p)) for rows in (n_t, n_v))
    turned = np.swapaxes(x_t, 1, 2)
    row, path = x_v, np.zeros((draws, n_v, n_t))
    for _ in range(steps):
        seen = row @ turned
        path, row = path + rate / n_t * seen, row - rate / n_t * seen @ x_t
    noise = np.eye(n_v) + path @ np.swapaxes(path, 1, 2)
    gram = row @ np.swapaxes(row, 1, 2)
    rest = x_v - (x_v @ turned) @ np.linalg.solve(x_t @ turned, x_t)
    unreached = _trace(rest @ np.swapaxes(rest, 1, 2), noise)
    grown = np.linalg.eigvalsh(gram - x_v @ np.swapaxes(x_v, 1, 2))[:, 0]
    return Traces(_trace(gram, noise), unreached, np.asarray(grown))


def _trace(below: Array, above: Array) -> Array:
    return np.asarray(np.trace(np.linalg.solve(below, above), axis1=1, axis2=2))
