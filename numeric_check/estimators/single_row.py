"""What K inner steps make of one task's label noise with one validation row, from definitions, at data of any size.

The inner loop moves omega by -alpha/n X^T (X omega - y); the validation row x sees B = x A^K, A = I - alpha W / n, and of the training
labels' noise P = alpha/n sum_(j < K) x A^j X^T. The row's own noise and that give (1 + |P|^2) / |B|^2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.normals import normals
from numeric_check.problem.samplers import triangular_factor

Array = NDArray[np.float64]
# rows and columns up to which inputs are drawn entry by entry
MOST_ENTRIES = 1_000_000


def label_noise(
    generator: np.random.Generator, points: int, size: int, steps: int, rates: Sequence[float], draws: int
) -> Array:
    """(1 + |P|^2) / |B|^2 for noise of variance one, at the same draws for all rates. Shape (rates, draws).

    Inputs larger than `MOST_ENTRIES` are drawn as far as x sees them in K steps: their first rows and columns in a basis in which
    they are a product of triangular factors of Gaussian matrices.
    """
    entered = points * size <= MOST_ENTRIES
    found, each = np.empty((len(rates), draws)), 1 if entered else draws
    scale = np.array(rates)[:, None] / points
    for k in range(0, draws, each):
        x, inputs = (_entries if entered else _factors)(generator, points, size, steps, each)
        # after the first step a row for each rate, so that large inputs are read once for all of them
        row, turned = x, np.swapaxes(inputs, 1, 2)
        seen = np.zeros((each, len(rates), inputs.shape[1]))
        for _ in range(steps):
            inside = row @ turned
            seen = seen + scale * inside
            row = row - scale * (inside @ inputs)
        found[:, k : k + each] = ((1 + np.sum(seen**2, axis=2)) / np.sum(row**2, axis=2)).T
    return found


def _entries(
    generator: np.random.Generator, points: int, size: int, steps: int, draws: int
) -> tuple[Array, Array]:
    """x and X with all their entries."""
    return normals(generator, (draws, 1, size)), normals(generator, (draws, points, size))


def _factors(
    generator: np.random.Generator, points: int, size: int, steps: int, draws: int
) -> tuple[Array, Array]:
    """x and X in a basis in which x, and then every row or column that is met, ends at its diagonal."""

    def length(count: int) -> Array:
        return triangular_factor(generator, count, 1, draws)[:, 0, 0]

    x, inputs = np.zeros((draws, 1, steps + 1)), np.zeros((draws, steps, steps + 1))
    x[:, 0, 0] = length(size)
    for k in range(steps):
        inputs[:, k, k] = length(points - k)
        inputs[:, k, k + 1] = length(size - 1 - k)
    return x, inputs


def small_label_noise(
    generator: np.random.Generator, points: int, size: int, steps: int, rate: float, draws: int
) -> Array:
    """(1 + |P|^2) / |B|^2 as `label_noise`, at one rate and inputs drawn entry by entry, many draws at once.

    Draws are along the last axis: products of so small matrices for each of them would take several times as long.
    """
    row, inputs = normals(generator, (1, size, draws))[0], normals(generator, (points, size, draws))
    seen = np.zeros((points, draws))
    for _ in range(steps):
        inside = rate / points * np.sum(inputs * row, axis=1)
        seen += inside
        row = row - np.sum(inside[:, None] * inputs, axis=0)
    return np.asarray((1 + np.sum(seen**2, axis=0)) / np.sum(row**2, axis=0))
