"""The tangent kernel from layer Gram matrices, held against gradients by every single weight."""

from __future__ import annotations

import numpy as np

from numeric_check.network.relu import Weights, initial_weights, kernel, tangents
from tests.numeric_check.network.plain import jacobian, layers


def test_the_kernel_is_the_gram_matrix_of_the_gradients() -> None:
    rng = np.random.default_rng(5)
    start = initial_weights(rng, 4, 7)
    w = Weights(*(part + 0.2 * rng.standard_normal(part.shape) for part in start))
    x = rng.standard_normal((3, 5, 4))
    flat = x.reshape(-1, 4)
    features = jacobian(w, flat)
    assert features.shape[1] == sum(part.size for part in w)
    found = tangents(w, x)
    np.testing.assert_allclose(found.f.reshape(-1), layers(w, flat)[-1], rtol=1e-13)
    one = tangents(w, flat)
    np.testing.assert_allclose(kernel(one, one), features @ features.T, rtol=1e-12, atol=1e-12)
    blocks = np.stack([f @ f.T for f in features.reshape(3, 5, -1)])
    np.testing.assert_allclose(kernel(found, found), blocks, rtol=1e-12, atol=1e-12)


def test_weights_start_as_printed() -> None:
    w = initial_weights(np.random.default_rng(1), 60, 400)
    assert [part.shape for part in w] == [(400, 60), (400,), (400, 400), (400,), (400,), ()]
    for part, inputs in ((w.W1, 60), (w.W2, 400), (w.w3, 400)):
        assert abs(np.mean(part**2) * inputs - 1) < 5 * np.sqrt(2 / part.size)
    assert not any(part.any() for part in (w.b1, w.b2, w.b3))
