"""What (12) leaves out, and the moments of the tangent features, against features written out."""

from __future__ import annotations

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.network.experiment import Experiment, Reading, draw
from numeric_check.network.features import feature_moments, linearisation_gap, moved
from numeric_check.network.linearised import Linearised
from numeric_check.network.relu import initial_weights, tangents
from tests.numeric_check.network.plain import jacobian

SMALL = Experiment(n_t=4, n_v=2, n_r=3, m=2, p=5, width=7, nu=1.5, test_tasks=3, test_points=4)


def test_moving_along_gradients_is_moving_along_gradients() -> None:
    rng = np.random.default_rng(2)
    w, x, c = initial_weights(rng, 5, 7), rng.standard_normal((6, 5)), rng.standard_normal(6)
    change = [(new - old).reshape(-1) for new, old in zip(moved(w, tangents(w, x), c), w, strict=True)]
    np.testing.assert_allclose(np.concatenate(change), c @ jacobian(w, x), rtol=1e-12, atol=1e-13)


def test_the_gap_is_that_of_output_and_expansion() -> None:
    run = draw(SMALL, Reading.TASK, 0, 1)
    found = Linearised(SMALL, run)
    c = found.projection(0.1) @ (run.meta.labels.reshape(-1) - found.points.f)
    x = run.test.inputs.reshape(-1, 5)
    omega = c @ jacobian(run.weights, run.meta.inputs.reshape(-1, 5))
    expansion = tangents(run.weights, x).f + jacobian(run.weights, x) @ omega
    exact = tangents(moved(run.weights, found.points, c), x).f
    expected = np.sqrt(np.mean((exact - expansion) ** 2))
    assert linearisation_gap(SMALL, 0, 1, 0.1) == pytest.approx(expected, rel=1e-9)
    assert expected > 0


@pytest.mark.parametrize("how", Reading)
def test_feature_moments_are_averages_over_the_sampled_inputs(how: Reading) -> None:
    """Traces from the moments, against kernel sums and against the variance of labels between sampled tasks."""
    e, n, seed = SMALL, 12, 3
    found = feature_moments(e, how, n, seed)
    rng = generator_for(f"network features/{seed}/{e.width}")
    weights = initial_weights(rng, e.p, e.width)
    x = rng.standard_normal((n, e.p))
    phi = jacobian(weights, x)
    k = phi @ phi.T
    assert np.trace(found.Sigma) == pytest.approx(np.trace(k) / n, rel=1e-9)
    assert np.trace(found.F) == pytest.approx(np.mean(np.sum(k**2, axis=1) / n * np.diag(k)), rel=1e-9)
    assert found.largest == pytest.approx(np.linalg.eigvalsh(k)[-1] / np.trace(k), rel=1e-9)
    # the mean label of a task at the inputs, for many tasks of many runs
    rng = np.random.default_rng(1)
    tasks = rng.standard_normal((400, 50, 1, e.p)) * e.nu / np.sqrt(e.p)
    a = np.sum(tasks * x, axis=-1)
    b = {
        Reading.TASK: rng.standard_normal((400, 50, 1)),
        Reading.RUN: rng.standard_normal((400, 1, 1)),
        Reading.POINT: 0.0,
    }[how]
    labels = (a + b) ** 2
    between = np.var(labels, axis=1, ddof=1).sum(axis=1)
    error = between.std() / np.sqrt(len(between))
    signal = n * np.trace(found.Sigma @ found.Sigma_w)
    assert abs(signal - between.mean()) < 5 * error
    assert error < 0.05 * signal
    expected = 1 + (4 * e.nu**2 / e.p * np.mean(np.sum(x**2, axis=1)) + 2 if how == Reading.POINT else 0)
    assert found.noise_sq == pytest.approx(expected, rel=1e-12, abs=0)
