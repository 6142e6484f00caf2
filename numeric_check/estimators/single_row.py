"""What K inner steps make of one task's label noise with one validation row, from definitions, at data of any size.

The inner loop moves omega by -alpha/n X^T (X omega - y); the validation row x sees B = x A^K, A = I - alpha W / n, and of the training
labels' noise P = alpha/n sum_(j < K) x A^j X^T. The row's own noise and that give (1 + |P|^2) / |B|^2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.samplers import triangular_factor

Array = NDArray[np.float64]
# rows and columns up to which inputs are drawn entry by entry
MOST_ENTRIES = 4_000_000


def label_noise(
    generator: np.random.Generator, points: int, size: int, steps: int, rates: Sequence[float], draws: int
) -> Array:
    """(1 + |P|^2) / |B|^2 for noise of variance one, at the same draws for all rates. Shape (rates, draws).

    Inputs larger than `MOST_ENTRIES` are drawn as far as x sees them in K steps: their first rows and columns in a basis in which
    they are a product of triangular factors of Gaussian matrices.
    """
    found = np.empty((len(rates), draws))
    scale = np.array(rates)[:, None] / points
    for k in range(draws):
        x, inputs = _data(generator, points, size, steps)
        # a row for each rate, so that large inputs are read once for all of them
        row, seen = np.tile(x, (len(rates), 1)), np.zeros((len(rates), len(inputs)))
        for _ in range(steps):
            inside = row @ inputs.T
            seen = seen + scale * inside
            row = row - scale * (inside @ inputs)
        found[:, k] = (1 + np.sum(seen**2, axis=1)) / np.sum(row**2, axis=1)
    return found


def _data(generator: np.random.Generator, points: int, size: int, steps: int) -> tuple[Array, Array]:
    if points * size <= MOST_ENTRIES:
        return generator.standard_normal(size), generator.standard_normal((points, size))
    x, inputs = np.zeros(steps + 1), np.zeros((steps, steps + 1))
    x[0] = triangular_factor(generator, size, 1, 1)[0, 0, 0]
    for k in range(steps):
        inputs[k, k] = triangular_factor(generator, points - k, 1, 1)[0, 0, 0]
        inputs[k, k + 1] = triangular_factor(generator, size - 1 - k, 1, 1)[0, 0, 0]
    return x, inputs


def small_label_noise(
    generator: np.random.Generator, points: int, size: int, steps: int, rate: float, draws: int
) -> Array:
    """(1 + |P|^2) / |B|^2 as `label_noise`, at one rate and inputs drawn entry by entry, many draws at once."""
    row, inputs = (generator.standard_normal((draws, rows, size)) for rows in (1, points))
    turned, seen = np.swapaxes(inputs, 1, 2), np.zeros((draws, 1, points))
    for _ in range(steps):
        inside = row @ turned
        seen = seen + rate / points * inside
        row = row - rate / points * inside @ inputs
    return np.asarray((1 + np.sum(seen**2, axis=(1, 2))) / np.sum(row**2, axis=(1, 2)))
