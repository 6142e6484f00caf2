"""A network of two hidden ReLU layers, and its tangent kernel (13) from the Gram matrices of its layers.

f(x) = w3 . relu(W2 relu(W1 x + b1) + b2) + b3. The gradient of f by a layer's weights is an outer product of what enters
the layer and what comes back to it, so that inner products of gradients are products of two small Gram matrices: the
184,801 columns of k(x, omega_0) at width 400 are never formed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Weights(NamedTuple):
    """W1 (width, p), b1 (width,), W2 (width, width), b2 (width,), w3 (width,), b3 ()."""

    W1: Array
    b1: Array
    W2: Array
    b2: Array
    w3: Array
    b3: Array


def initial_weights(rng: np.random.Generator, p: int, width: int) -> Weights:
    """Gaussian weights of variance one over the number of inputs of their layer, and biases zero."""
    zero = np.zeros(width)
    first = rng.standard_normal((width, p)) / np.sqrt(p)
    second = rng.standard_normal((width, width)) / np.sqrt(width)
    return Weights(first, zero, second, zero, rng.standard_normal(width) / np.sqrt(width), np.asarray(0.0))


class Tangents(NamedTuple):
    """What the gradient of f at some points is made of: layer inputs x, z1, z2, returns d1, d2, and the output f."""

    x: Array
    z1: Array
    z2: Array
    d1: Array
    d2: Array
    f: Array


def tangents(weights: Weights, x: Array) -> Tangents:
    """The layers at points x (..., p)."""
    flat = x.reshape(-1, x.shape[-1])
    a1 = flat @ weights.W1.T + weights.b1
    z1 = np.maximum(a1, 0.0)
    a2 = z1 @ weights.W2.T + weights.b2
    z2 = np.maximum(a2, 0.0)
    d2 = weights.w3 * (a2 > 0)
    d1 = (d2 @ weights.W2) * (a1 > 0)
    f = z2 @ weights.w3 + weights.b3
    z1, z2, d1, d2 = (array.reshape(*x.shape[:-1], -1) for array in (z1, z2, d1, d2))
    return Tangents(x, z1, z2, d1, d2, f.reshape(x.shape[:-1]))


def kernel(one: Tangents, other: Tangents) -> Array:
    """k(x)^T k(x') between points (..., n, p) and (..., n', p), shape (..., n, n')."""

    def gram(a: Array, b: Array) -> Array:
        found: Array = a @ np.swapaxes(b, -1, -2)
        return found

    found: Array = (
        (1 + gram(one.z2, other.z2))
        + (1 + gram(one.z1, other.z1)) * gram(one.d2, other.d2)
        + (1 + gram(one.x, other.x)) * gram(one.d1, other.d1)
    )
    return found
