"""One task's label noise for many linear inner loops, from definitions, over the largest eigenvalue of all inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DESCENT = tuple((steps, rate) for steps in (1, 2, 3) for rate in (-2.0, -0.5, 0.4, 1.2))
RIDGES = (-0.2, -0.05, 0.3, 2.0)


@dataclass(frozen=True)
class Shares:
    """n_v / mu over Tr (B B^T)^-1 (I + Y Y^T), draw by draw: for the implicit step with the rate -n_t / mu, and by name for others."""

    implicit: Array
    others: Mapping[str, Array]


def shares(generator: np.random.Generator, n_t: int, n_v: int, p: int, *, draws: int) -> Shares:
    """Gradient descent, implicit gradient steps at fixed rates and from random labels; mu is found from all inputs of a draw."""
    x_t, x_v = (generator.standard_normal((draws, rows, p)) for rows in (n_t, n_v))
    whole = np.concatenate([x_v, x_t], axis=1)
    mu = np.linalg.eigvalsh(whole @ np.swapaxes(whole, 1, 2))[:, -1]
    turned = np.swapaxes(x_t, 1, 2)

    def share(seen: Array) -> Array:
        rows, noise = x_v - seen @ x_t, np.eye(n_v) + seen @ np.swapaxes(seen, 1, 2)
        trace = np.trace(np.linalg.solve(rows @ np.swapaxes(rows, 1, 2), noise), axis1=1, axis2=2)
        return np.asarray(n_v / mu / trace)

    def implicit(rate: Array) -> Array:
        """omega_1 = omega - rate/n_t X_t^T (X_t omega_1 - y), solved for omega_1: what it makes of y."""
        factor = rate[:, None, None] / n_t
        loop = np.linalg.solve(np.eye(p) + factor * turned @ x_t, factor * turned)
        return np.asarray(x_v @ loop)

    others = {}
    for steps, rate in DESCENT:
        row, seen = x_v, np.zeros((draws, n_v, n_t))
        for _ in range(steps):
            seen = seen + rate / n_t * row @ turned
            row = row - rate / n_t * (row @ turned) @ x_t
        others[f"{steps} steps at {rate:g}"] = share(seen)
    for rate in RIDGES:
        others[f"an implicit step at {rate:g}"] = share(implicit(np.full(draws, rate)))
    others["a random loop"] = share(0.3 * generator.standard_normal((draws, n_v, n_t)))
    return Shares(share(implicit(-n_t / mu)), others)


def implicit_noise(
    generator: np.random.Generator, n_t: int, p: int, rates: Sequence[float], draws: int
) -> Array:
    """(1 + |Y|^2) / |B|^2 of an implicit step with one validation row, at the same draws for all rates. Shape (rates, draws).

    By eigenvalues of X_t^T X_t and the row's components along its eigenvectors, which the step multiplies by 1/(1 + rate / n_t times these).
    """
    x_t, x_v = generator.standard_normal((draws, n_t, p)), generator.standard_normal((draws, p, 1))
    turned, wide = np.ascontiguousarray(np.swapaxes(x_t, 1, 2)), n_t < p
    squares, vectors = np.linalg.eigh(x_t @ turned if wide else turned @ x_t)
    along = (np.swapaxes(vectors, 1, 2) @ (x_t @ x_v if wide else x_v))[:, :, 0] ** 2
    if wide:
        along = along / squares
    beside = np.sum(x_v[:, :, 0] ** 2, axis=1) - along.sum(axis=1)
    found = np.empty((len(rates), draws))
    for k, rate in enumerate(rates):
        kept = 1 / (1 + rate / n_t * squares)
        passed = np.sum(along * squares * (rate / n_t * kept) ** 2, axis=1)
        found[k] = (1 + passed) / (beside + np.sum(along * kept**2, axis=1))
    return found
