"""Sampling stops where it should, and its results do not depend on who computes them."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from numeric_check.draws.estimate import Estimate, Moments
from numeric_check.draws.executor import SerialExecutor, processes
from numeric_check.draws.seeds import generator_for, seed_for
from numeric_check.estimators import simulation
from numeric_check.estimators.simulation import MIN_BATCHES, PILOT_DRAWS, batch_draws, run_until, simulate
from numeric_check.problem.setting import Setting

SETTING = Setting(n_t=5, n_v=2, n_r=4, m=2, p=12, sigma=0.5, nu=0.5, alpha_t=0.1, alpha_r=0.1, n_s=5)


def normal_batch(generator: np.random.Generator) -> np.ndarray:
    return 1.0 + generator.standard_normal(100)


def nan_batch(generator: np.random.Generator) -> np.ndarray:
    return np.full(100, math.nan)


class Reversed:
    """An executor that computes later tasks first, as fast workers may."""

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        source = iter(tasks)
        while block := list(itertools.islice(source, 5)):
            results = [function(task) for task in reversed(block)]
            yield from reversed(results)


class Ending:
    """An executor that loses tasks."""

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        return map(function, itertools.islice(tasks, 3))


def test_merged_moments_are_those_of_all_values() -> None:
    values = 1e6 + generator_for("merge").standard_normal(1000)
    total = Moments()
    for block in np.array_split(values, [1, 10, 400, 401]):
        total = total.merge(Moments.of(block))
    estimate = total.estimate()
    assert estimate.draws == 1000
    assert estimate.mean == pytest.approx(values.mean(), rel=1e-14, abs=0)
    assert estimate.stderr == pytest.approx(values.std(ddof=1) / math.sqrt(1000), rel=1e-9)


def test_estimates_of_nothing_and_of_one_claim_nothing() -> None:
    assert Moments().merge(Moments()).estimate().stderr == math.inf
    assert math.isnan(Moments().estimate().mean)
    assert Moments.of(np.array([2.0])).estimate() == Estimate(2.0, math.inf, 1)
    for bad in (np.zeros(0), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="one-dimensional"):
            Moments.of(bad)


def test_stops_at_the_error_asked_for() -> None:
    estimate = run_until(normal_batch, rel_error=0.02, seed_text="stop")
    assert estimate.stderr <= 0.02 * abs(estimate.mean)
    assert 2000 < estimate.draws < 3500
    absolute = run_until(normal_batch, rel_error=1e-9, abs_error=0.02, seed_text="stop")
    assert 2000 < absolute.draws < 3500


def test_stops_at_the_budget_of_draws_and_of_time() -> None:
    assert run_until(normal_batch, rel_error=1e-9, seed_text="budget", max_draws=1500).draws == 1500
    assert run_until(normal_batch, rel_error=1e-9, seed_text="budget", max_seconds=1e-9).draws == 100


def test_never_stops_before_the_least_number_of_batches() -> None:
    assert run_until(normal_batch, rel_error=10.0, seed_text="least").draws == 100 * MIN_BATCHES


def test_the_standard_error_is_honest() -> None:
    errors = []
    for repeat in range(400):
        estimate = run_until(normal_batch, rel_error=0.03, seed_text=f"honest/{repeat}")
        errors.append((estimate.mean - 1.0) / estimate.stderr)
    assert abs(float(np.mean(errors))) < 0.25
    assert 0.88 < float(np.std(errors)) < 1.12


def test_nan_stops_at_once_and_is_reported() -> None:
    assert math.isnan(run_until(nan_batch, rel_error=0.01, seed_text="nan").mean)


def test_an_executor_that_ends_early_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="executor ended"):
        run_until(normal_batch, rel_error=1e-9, seed_text="lost", executor=Ending())


@pytest.mark.parametrize("name", ["rel_error", "max_draws", "max_seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_budgets_must_be_positive(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is"):
        run_until(normal_batch, seed_text="bad", **({"rel_error": 0.1} | {name: value}))


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    run_until(normal_batch, rel_error=0.02, seed_text="progress", progress=seen.append)
    assert seen[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in seen)


@pytest.mark.parametrize("protocol", ["conditional", "plain"])
def test_results_do_not_depend_on_the_executor(protocol: Any) -> None:
    results = [
        simulate(SETTING, protocol=protocol, rel_error=0.02, seed=3, executor=executor)
        for executor in (None, SerialExecutor(), Reversed())
    ]
    assert results[0] == results[1] == results[2]


def test_the_limit_is_of_processor_time_where_one_process_does_all() -> None:
    assert {simulation._clock(None), simulation._clock(SerialExecutor())} == {time.process_time}
    assert simulation._clock(Reversed()) is time.monotonic


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes() -> None:
    serial = simulate(SETTING, rel_error=0.0005, seed=3)
    assert serial.draws > PILOT_DRAWS
    for workers in (1, 2, 3):
        with processes(workers) as executor:
            assert simulate(SETTING, rel_error=0.0005, seed=3, executor=executor) == serial


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        processes(0)


def test_seeds_differ_and_repeat() -> None:
    first = simulate(SETTING, rel_error=0.02, seed=1)
    assert simulate(SETTING, rel_error=0.02, seed=1) == first
    assert simulate(SETTING, rel_error=0.02, seed=2) != first


def test_seed_streams_are_fixed_for_ever() -> None:
    assert seed_for("eq5", 0).entropy == seed_for("eq5", 7).entropy != seed_for("eq8", 0).entropy
    drawn = {float(generator_for(text, index).random()) for text in ("a", "b") for index in range(50)}
    assert len(drawn) == 100
    assert float(generator_for("eq5", 3).random()) == 0.27090755332341376
    with pytest.raises(ValueError, match="batch_index"):
        seed_for("eq5", -1)


def test_one_batch_fits_in_the_budget_of_memory_and_overhead() -> None:
    for n_v, p in ((1, 1), (2, 60), (50, 2000)):
        wide = Setting(10, n_v, 5, 2, p, 1.0, 1.0, 0.1, 0.1)
        for protocol in ("conditional", "plain"):
            assert 4 <= batch_draws(wide, "loss", protocol) <= 4096


def test_unknown_quantities_are_refused() -> None:
    quantity: Any = "median"
    with pytest.raises(ValueError, match="no estimator of 'median' by 'plain'"):
        simulate(SETTING, quantity, protocol="plain")


def test_plain_runs_can_be_counted() -> None:
    # the paper's figures average a stated number of runs
    estimate = simulate(SETTING, protocol="plain", rel_error=1e-9, max_draws=100)
    assert 100 <= estimate.draws < 100 + batch_draws(SETTING, "loss", "plain")


def test_controls_are_fitted_on_draws_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    drawn = simulation.generator_for
    monkeypatch.setattr(simulation, "generator_for", lambda *seed: asked.append(seed) or drawn(*seed))
    setting = Setting(n_t=9, n_v=2, n_r=8, m=3, p=16, sigma=0.8, nu=0.7, alpha_t=-0.5, alpha_r=0.6, n_s=5)
    simulate(setting, rel_error=2e-5, protocol="reduced")
    fits = [seed for seed in asked if len(seed) == 1]
    batches = [seed for seed in asked if len(seed) == 2]
    assert len(fits) == 1
    assert len(batches) == len({*batches}) > 8
    assert not {text for (text,) in fits} & {text for text, _ in batches}
