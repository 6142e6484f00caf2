"""A batch is drawn once: by estimator, problem, seed and index, and never under the name of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations.language.extension import add_input_law, for_a_while, load_extensions
from derivations.support import batches, store
from derivations.support.batches import StoredBatches
from numeric_check.draws.executor import SerialExecutor
from numeric_check.estimators import conditional, plain, simulation
from numeric_check.estimators.located_minimum import located_minimum
from numeric_check.estimators.simulation import Batch, batch_function_of, run_batch, simulate
from numeric_check.problem.setting import Setting
from symbolic.algebra.entry_laws import law as exact_law
from tests.derivations.conftest import edited

SETTING = Setting(n_t=5, n_v=2, n_r=4, m=2, p=12, sigma=0.5, nu=0.5, alpha_t=0.1, alpha_r=0.1, n_s=5)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    drawn: list[int] = []

    def run(task: Batch) -> Any:
        drawn.append(task.number)
        return run_batch(task)

    monkeypatch.setattr(simulation, "run_batch", run)
    return drawn


# errors that take several batches, nine and twenty-four, or one where nothing is left to draw
@pytest.mark.parametrize(
    ("protocol", "error"), [("conditional", 0.001), ("plain", 0.012), ("reduced", 0.003)]
)
def test_finished_batches_are_not_drawn_again(
    protocol: Any, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simulate(SETTING, protocol=protocol, rel_error=error, seed=3)
    drawn = spied(monkeypatch)
    for seen in (True, False):
        executor = SerialExecutor(StoredBatches())
        assert simulate(SETTING, protocol=protocol, rel_error=error, seed=3, executor=executor) == whole
        assert bool(drawn) == seen
        drawn.clear()
    # a smaller error goes on from there
    executor = SerialExecutor(StoredBatches())
    further = simulate(SETTING, protocol=protocol, rel_error=error / 2, seed=3, executor=executor)
    assert further == simulate(SETTING, protocol=protocol, rel_error=error / 2, seed=3)


def test_a_minimum_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = spied(monkeypatch)
    found = [
        located_minimum(SETTING, rel_error=0.05, executor=SerialExecutor(StoredBatches())) for _ in range(2)
    ]
    count = len(drawn)
    assert found[0] == found[1]
    located_minimum(SETTING, rel_error=0.05, executor=SerialExecutor(StoredBatches()))
    assert len(drawn) == count


def key(function: Callable[..., Any], text: str = "text", number: int = 0) -> store.Key:
    found = batches._key(Batch(function, text, number))
    assert found is not None
    return found


def test_nothing_that_matters_is_left_out_of_the_key() -> None:
    draw = batch_function_of(SETTING, "loss", "conditional")
    others = [
        key(draw, "other"),
        key(draw, number=1),
        key(batch_function_of(SETTING, "excess", "conditional")),
        key(batch_function_of(SETTING, "loss", "plain")),
        key(batch_function_of(SETTING, "slope", "conditional")),
        key(batch_function_of(replace(SETTING, inner_steps=2), "loss", "conditional")),
        key(batch_function_of(replace(SETTING, Sigma=np.eye(12)), "loss", "conditional")),
        key(partial(conditional.loss, setting=SETTING, draws=7)),
        key(partial(conditional.loss, setting=SETTING, draws=7.5)),
        key(partial(plain.plain_loss, setting=SETTING, draws=7)),
        key(partial(plain.plain_loss, setting=SETTING, draws=7, tasks=3)),
        # the numbers of two arrays tell them apart
        *(key(partial(conditional.loss, setting=SETTING, draws=np.array([draws]))) for draws in (7.0, 8.0)),
    ]
    assert len({key(draw).name, *(other.name for other in others)}) == 1 + len(others)
    assert key(batch_function_of(replace(SETTING), "loss", "conditional")) == key(draw)


def test_an_edit_of_the_estimator_changes_the_key() -> None:
    draw = batch_function_of(SETTING, "loss", "conditional")
    before = key(draw)
    for module, changes in {
        "numeric_check.estimators.conditional": True,
        "numeric_check.draws.seeds": True,
        "numeric_check.problem.laws": True,
        "derivations.command.simulate": False,
        "numeric_check.network.relu": False,
    }.items():
        with edited(module):
            assert (key(draw) != before) == changes


def signs(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return 2.0 * generator.integers(2, size=shape) - 1.0


def test_the_module_that_draws_an_added_law_is_in_the_key_and_a_law_in_none_is_not_kept() -> None:
    load_extensions()
    added = batch_function_of(replace(SETTING, inputs="triangular"), "loss", "plain")
    assert "derivations.extensions.triangular" in key(added).modules
    for law in ("laplace", "kurtosis:2", "student:9", "cumulants:0,1"):
        assert key(batch_function_of(replace(SETTING, inputs=law), "loss", "plain"))
    with for_a_while():
        add_input_law("by_hand", exact_law("rademacher").rule, signs)
        batch = Batch(batch_function_of(replace(SETTING, inputs="by_hand"), "loss", "plain"), "text", 0)
        StoredBatches().keep(batch, simulation.Moments(3, 1.0, 0.0))
        assert StoredBatches().recall(batch) is None


def test_what_has_no_name_is_not_kept() -> None:
    for function in (lambda generator: np.ones(3), partial(conditional.loss, setting=object())):
        batch = Batch(function, "text", 0)
        StoredBatches().keep(batch, simulation.Moments(3, 1.0, 0.0))
        assert StoredBatches().recall(batch) is None


def test_a_batch_that_is_not_finite_is_not_kept() -> None:
    batch = Batch(batch_function_of(SETTING, "loss", "plain"), "text", 0)
    StoredBatches().keep(batch, simulation.Moments(3, float("nan"), 0.0))
    assert StoredBatches().recall(batch) is None
