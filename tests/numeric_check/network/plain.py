"""The network written out plainly, with complex weights allowed: a complex step differentiates it to the last digit."""

from __future__ import annotations

from typing import Any

import numpy as np

from numeric_check.network.relu import Weights

STEP = 1e-30


def layers(w: Any, x: Any) -> tuple[Any, ...]:
    a1 = x @ w[0].T + w[1]
    z1 = np.where(a1.real > 0, a1, 0)
    a2 = z1 @ w[2].T + w[3]
    z2 = np.where(a2.real > 0, a2, 0)
    return a1, z1, a2, z2, z2 @ w[4] + w[5]


def half_mean_square(w: Any, x: Any, y: Any) -> Any:
    return 0.5 * np.mean((layers(w, x)[-1] - y) ** 2)


def stepped(w: Any, x: Any, y: Any, rate: float) -> list[Any]:
    """One gradient step with every weight matrix formed."""
    a1, z1, a2, z2, f = layers(w, x)
    r = (f - y) / len(y)
    back2 = np.outer(r, w[4]) * (a2.real > 0)
    back1 = (back2 @ w[2]) * (a1.real > 0)
    slopes = [back1.T @ x, back1.sum(0), back2.T @ z1, back2.sum(0), z2.T @ r, r.sum()]
    return [part - rate * slope for part, slope in zip(w, slopes, strict=True)]


def meta_loss(w: Any, x: Any, y: Any, x_new: Any, y_new: Any, rate: float) -> Any:
    losses = [half_mean_square(stepped(w, x[i], y[i], rate), x_new[i], y_new[i]) for i in range(len(x))]
    return np.mean(losses)


def along(w: Weights, direction: Weights) -> list[Any]:
    return [part + 1j * STEP * way for part, way in zip(w, direction, strict=True)]


def jacobian(w: Weights, x: Any) -> Any:
    """The gradients of the output by all weights, a row for each point."""
    columns = []
    for k, part in enumerate(w):
        for place in np.ndindex(part.shape):
            way = [np.zeros(p.shape) for p in w]
            way[k][place] = 1.0
            columns.append(layers(along(w, Weights(*way)), x)[-1].imag / STEP)
    return np.stack(columns, axis=-1)
