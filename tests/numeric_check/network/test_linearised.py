"""The outer problem in the space of the kernel, held against explicit features, and the averages over labels."""

from __future__ import annotations

import numpy as np
import pytest

from numeric_check.network.experiment import Experiment, Points, Reading, Run, draw, reading
from numeric_check.network.linearised import Linearised
from numeric_check.network.relu import Weights
from numeric_check.problem.impossible import Impossible
from tests.numeric_check.network.plain import jacobian

SMALL = Experiment(
    n_t=4, n_v=2, n_r=3, m=3, p=5, sigma=0.7, nu=1.3, alpha_r=0.1, width=8, test_tasks=2, test_points=3
)


@pytest.mark.parametrize("rate", [-0.2, 0.0, 0.3])
def test_kernel_space_solves_the_outer_problem(rate: float) -> None:
    """(67), (68) and (128) with the features written out, and a least-squares routine in place of the kernel."""
    e = SMALL
    run = draw(e, Reading.TASK, 0, 3)
    found = Linearised(e, run)
    phi = np.stack([jacobian(run.weights, x) for x in run.meta.inputs])
    distance = run.meta.labels - found.points.f.reshape(e.m, -1)
    blocks, targets = [], []
    for f, y in zip(phi, distance, strict=True):
        f_t, f_v, y_t, y_v = f[: e.n_t], f[e.n_t :], y[: e.n_t], y[e.n_t :]
        a = rate * e.scale / e.n_t
        blocks.append(f_v @ (np.eye(f.shape[1]) - a * f_t.T @ f_t))
        targets.append(y_v - a * f_v @ f_t.T @ y_t)
    omega = np.linalg.lstsq(np.concatenate(blocks), np.concatenate(targets), rcond=None)[0]
    predictions = []
    for k in range(e.test_tasks):
        f = jacobian(run.weights, run.test.inputs[k])
        residual = f[: e.n_r] @ omega + found.test.f[k, : e.n_r] - run.test.labels[k, : e.n_r]
        adapted = omega - e.alpha_r * e.scale / e.n_r * f[: e.n_r].T @ residual
        predictions.append(found.test.f[k, e.n_r :] + f[e.n_r :] @ adapted)
    np.testing.assert_allclose(found.predictions(rate), predictions, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("how", Reading)
def test_averages_over_labels_are_those_of_sampled_labels(how: Reading) -> None:
    e, rates, draws = SMALL, (-0.1, 0.2), 4000
    run = draw(e, how, 0, 1)
    expected = Linearised(e, run).mean_losses(rates)[how]
    rng = np.random.default_rng(8)
    losses = np.empty((draws, len(rates)))
    signs = [Linearised(e, run._replace(weights=signed(run.weights, s))) for s in (1, -1)]
    for k in range(draws):
        common = rng.standard_normal()
        fresh = Run(
            run.weights, *(relabelled(rng, how, points.inputs, common) for points in (run.meta, run.test))
        )
        linearised = signs[k % 2]
        linearised.run = fresh
        losses[k] = [linearised.loss(rate) for rate in rates]
    error = losses.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(losses.mean(axis=0) - expected) < 5 * error)
    assert np.all(error < 0.06 * expected)


def signed(weights: Weights, sign: int) -> Weights:
    return weights._replace(w3=sign * weights.w3)


def relabelled(rng: np.random.Generator, how: Reading, inputs: np.ndarray, common: float) -> Points:
    """Labels of new tasks at the same inputs, nothing averaged."""
    shape = inputs.shape[:2]
    w = SMALL.nu / np.sqrt(SMALL.p) * rng.standard_normal((shape[0], 1, SMALL.p))
    b = {
        Reading.TASK: rng.standard_normal((shape[0], 1)),
        Reading.RUN: common,
        Reading.POINT: rng.standard_normal(shape),
    }[how]
    labels = (np.sum(inputs * w, axis=2) + b) ** 2 + SMALL.sigma * rng.standard_normal(shape)
    return Points(inputs, labels, labels, np.zeros(shape))


def test_readings_share_everything_but_the_bias() -> None:
    runs = {how: draw(SMALL, how, 0, 2) for how in Reading}
    for run in runs.values():
        for part, other in zip(run.weights, runs[Reading.TASK].weights, strict=True):
            np.testing.assert_array_equal(part, other)
        np.testing.assert_array_equal(run.test.inputs, runs[Reading.TASK].test.inputs)
    assert len({float(run.meta.labels[0, 0]) for run in runs.values()}) == 3
    assert not np.array_equal(draw(SMALL, Reading.TASK, 0, 3).meta.labels, runs[Reading.TASK].meta.labels)


def test_mean_and_variance_of_labels_are_those_given_the_task() -> None:
    e = Experiment(test_tasks=400, test_points=30, p=3)
    for how in Reading:
        points = draw(e, how, 0, 0).test
        standard = (points.labels - points.mean) / np.sqrt(points.variance)
        assert abs(standard.mean()) < 5 / np.sqrt(standard.size)
        assert abs(standard.var() - 1) < 0.1


def test_an_unknown_reading_is_refused_in_one_line() -> None:
    with pytest.raises(Impossible, match="unknown reading 'epoch' of the bias: give one of task, run, point"):
        reading("epoch")
