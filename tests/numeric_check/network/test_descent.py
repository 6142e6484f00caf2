"""The low-rank second-order gradient, held against plain versions that form every matrix, and training to the end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numeric_check.network import autodiff
from numeric_check.network.descent import Tasks, adapted, meta_gradient, train, trained_loss
from numeric_check.network.experiment import Experiment, Reading, draw
from numeric_check.network.linearised import Linearised
from numeric_check.network.relu import Weights, initial_weights
from numeric_check.problem.impossible import Impossible
from tests.numeric_check.network.plain import STEP, along, layers, meta_loss, stepped

ROOT = Path(__file__).resolve().parents[3]
SMALL = Experiment(n_t=5, n_v=2, n_r=4, m=3, p=6, width=9, test_tasks=5, test_points=3)
RATES = [-0.3, 0.0, 0.04, 0.5]


def problem(seed: int) -> tuple[Weights, Tasks, np.ndarray]:
    rng = np.random.default_rng(seed)
    start = initial_weights(rng, SMALL.p, SMALL.width)
    w = Weights(*(part + 0.3 * rng.standard_normal(part.shape) for part in start))
    x, y = rng.standard_normal((3, 7, SMALL.p)), rng.standard_normal((3, 7))
    return w, Tasks(x[:, :5], y[:, :5], x[:, 5:]), y[:, 5:]


@pytest.mark.parametrize("rate", RATES)
def test_gradient_by_complex_steps(rate: float) -> None:
    w, tasks, y_new = problem(3)
    loss, gradient = meta_gradient(w, tasks, y_new, rate)
    rng = np.random.default_rng(4)
    for k in range(len(w)):
        way = [rng.standard_normal(part.shape) * (j == k) for j, part in enumerate(w)]
        plain = meta_loss(along(w, Weights(*way)), *tasks, y_new, rate)
        assert loss == pytest.approx(plain.real, rel=1e-13, abs=0)
        assert float(np.sum(way[k] * gradient[k])) == pytest.approx(plain.imag / STEP, rel=1e-10, abs=0)


@pytest.mark.parametrize("rate", RATES)
def test_the_adapted_network_is_that_of_the_stepped_weights(rate: float) -> None:
    w, tasks, _ = problem(6)
    plain = [layers(stepped(w, tasks.x[i], tasks.y[i], rate), tasks.x_new[i])[-1] for i in range(3)]
    np.testing.assert_allclose(adapted(w, tasks, rate).f_v, plain, rtol=1e-12)


def test_the_trained_loss_is_that_of_adapted_weights() -> None:
    run = draw(SMALL, Reading.TASK, 0, 0)
    w = problem(2)[0]
    losses = []
    for x, y, mean in zip(run.test.inputs, run.test.labels, run.test.mean, strict=True):
        at = stepped(w, x[:4], y[:4], SMALL.alpha_r * SMALL.scale)
        losses.append(0.5 * (np.mean((layers(at, x[4:])[-1] - mean[4:]) ** 2) + SMALL.sigma**2))
    assert trained_loss(SMALL, run, w) == pytest.approx(np.mean(losses), rel=1e-12, abs=0)


def test_without_jax_one_line_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autodiff, "find_spec", lambda name: None)
    with pytest.raises(Impossible, match=r"pip install .*\[nn\]") as caught:
        autodiff.meta_gradient(*problem(3), 0.1)
    assert "\n" not in str(caught.value)


# in a process of its own: JAX starts threads, beside which no other test may fork
BY_JAX = """
import sys
import numpy as np
from numeric_check.network import autodiff
from tests.numeric_check.network.test_descent import RATES, problem

for k, rate in enumerate(RATES):
    loss, gradient = autodiff.meta_gradient(*problem(3), rate)
    np.savez(f"{sys.argv[1]}/{k}.npz", loss, *gradient)
"""


@pytest.mark.slow
def test_the_gradient_is_that_of_jax(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BY_JAX, str(tmp_path)], cwd=ROOT, check=True)
    for k, rate in enumerate(RATES):
        loss, gradient = meta_gradient(*problem(3), rate)
        plain, *slopes = np.load(tmp_path / f"{k}.npz").values()
        assert loss == pytest.approx(float(plain), rel=1e-13, abs=0)
        for one, other in zip(gradient, slopes, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_training_ends_at_the_loss_asked_for() -> None:
    e = Experiment(p=20, width=60, test_tasks=3, stop=1e-6)
    run = draw(e, Reading.TASK, 0, 0)
    found = train(e, run, -0.005)
    assert found.meta_loss < e.stop
    assert 10 < found.epochs < e.epochs
    few = train(replace(e, epochs=7), run, -0.005)
    assert few.epochs == 7
    assert few.meta_loss > found.meta_loss


@pytest.mark.parametrize("rate", [-0.01, 0.005])
def test_a_wide_network_trains_as_its_linearised_form(rate: float) -> None:
    """What is predicted after training; a median, as single runs have large gaps at small width."""
    medians = []
    for width in (20, 320):
        e = Experiment(n_t=10, n_r=10, m=1, p=30, width=width, test_tasks=20, test_points=5, stop=1e-6)
        gaps = []
        for k in range(8):
            run = draw(e, Reading.RUN, 0, k)
            x, y = run.test.inputs, run.test.labels
            tasks = Tasks(x[:, : e.n_r], y[:, : e.n_r], x[:, e.n_r :])
            found = adapted(train(e, run, rate).weights, tasks, e.alpha_r * e.scale).f_v
            gaps.append(np.mean((found - Linearised(e, run).predictions(rate)) ** 2))
        medians.append(np.sqrt(np.median(gaps)))
    assert medians[1] < 0.2 * medians[0]


def test_the_first_epoch_is_a_step_at_rates_that_go_with_the_width() -> None:
    experiment = replace(SMALL, epochs=1)
    run = draw(experiment, Reading.TASK, 0, 0)
    x, y = run.meta.inputs, run.meta.labels
    tasks = Tasks(x[:, :5], y[:, :5], x[:, 5:])
    # the mean tangent kernel at the printed width of 400 beside that at 9
    scale = (200 + 15) / (4.5 + 15)
    _, gradient = meta_gradient(run.weights, tasks, y[:, 5:], 0.01 * scale)
    for now, was, g in zip(train(experiment, run, 0.01).weights, run.weights, gradient, strict=True):
        np.testing.assert_allclose(now, was - 0.001 * scale * g, rtol=0, atol=1e-13)
