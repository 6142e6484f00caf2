"""An estimate is drawn once for all who ask for it, where they look it up at all, and never under the name of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
import pytest

from derivations.language.extension import add_input_law, for_a_while, load_extensions
from derivations.support import estimates, store
from derivations.support.estimates import Draw, estimated, from_store, key, simulated, spared
from derivations.verification.growth import changed_loss
from derivations.verification.verify import verify
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators import conditional, simulation
from numeric_check.estimators.simulation import run_until, simulate
from numeric_check.problem import laws
from numeric_check.problem.setting import Setting
from symbolic.algebra.entry_laws import law as exact_law
from tests.derivations.conftest import edited

SETTING = Setting(n_t=5, n_v=2, n_r=4, m=2, p=12, sigma=0.5, nu=0.5, alpha_t=0.1, alpha_r=0.1, n_s=5)
DRAW = partial(simulate, SETTING, "loss", rel_error=0.05, seed=3)
ASKS: dict[str, Callable[[], Estimate]] = {
    "a loss": lambda: simulated(SETTING, "loss", 0.05, 3),
    "a change of the loss": lambda: changed_loss(SETTING, 1.5, 0.3, 3),
    "what is given": lambda: estimated(DRAW),
}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))


@pytest.fixture(autouse=True)
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The batches that are drawn, where nothing is remembered within the process."""
    drawn: list[int] = []
    run = simulation.run_batch
    monkeypatch.setattr(simulation, "run_batch", lambda task: (drawn.append(task.number), run(task))[1])
    _forget(monkeypatch)
    return drawn


def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "_simulated", {})
    monkeypatch.setattr(estimates, "_batches", {})
    monkeypatch.setattr("derivations.verification.growth._changed", {})


@pytest.mark.parametrize("what", ASKS)
def test_it_is_drawn_once_for_all_who_look_it_up(
    what: str, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with from_store():
        first = ASKS[what]()
    count, before = len(batches), spared()
    assert count > 0
    _forget(monkeypatch)
    with from_store():
        assert ASKS[what]() == first
    assert len(batches) == count
    assert spared() > before
    # and once more for whoever does not, also after it was looked up
    with from_store(False):
        assert ASKS[what]() == first
    assert len(batches) == 2 * count
    assert ASKS[what]() == first


def test_a_smaller_error_goes_on_from_a_larger_one(
    batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = (5e-4, 3e-4, 2e-4)
    found = [simulated(SETTING, "loss", error, 3) for error in errors]
    together = len(batches)
    _forget(monkeypatch)
    batches.clear()
    assert simulated(SETTING, "loss", errors[-1], 3) == found[-1]
    assert len(batches) == together
    assert found[0].draws < found[1].draws < found[2].draws
    assert found == [simulate(SETTING, "loss", rel_error=error, seed=3) for error in errors]


def test_nothing_is_kept_where_it_is_not_looked_up() -> None:
    estimated(DRAW)
    with from_store(), from_store(False):
        estimated(DRAW)
    assert store.contents()["entries"] == 0


def test_what_the_limit_of_seconds_may_have_ended_is_not_kept(batches: list[int]) -> None:
    draw = partial(conditional.loss, setting=SETTING, draws=10)
    hard = partial(run_until, draw, rel_error=1e-9, seed_text="hard", max_draws=10**9)
    with from_store():
        for _ in range(2):
            estimated(hard, 1e-9)
        assert store.contents()["entries"] == 0
        assert len(batches) == 2
        # also where it is small enough already, which so few draws do not tell
        easy = partial(hard, rel_error=0.9)
        assert estimated(easy, 1e-9).draws == 10 < estimated(easy).draws
        batches.clear()
        # what ends by its draws is the same on every machine
        few = partial(hard, max_draws=20)
        assert estimated(few, 1e9) == estimated(few)
    assert len(batches) == 2


def _noise(generator: np.random.Generator) -> np.ndarray:
    return generator.standard_normal(10)


def _named(draw: Draw) -> store.Key:
    found = key(draw)
    assert found is not None
    return found


def test_nothing_that_matters_is_left_out_of_the_key() -> None:
    others: list[Draw] = [
        partial(simulate, SETTING, "excess", rel_error=0.05, seed=3),
        partial(simulate, SETTING, "loss", rel_error=0.04, seed=3),
        partial(simulate, SETTING, "loss", rel_error=0.05, seed=4),
        partial(simulate, SETTING, "loss", rel_error=0.05, seed=3, protocol="plain"),
        partial(simulate, SETTING, "loss", rel_error=0.05, seed=3, max_draws=100),
        partial(simulate, replace(SETTING, alpha_r=0.2), "loss", rel_error=0.05, seed=3),
        partial(simulate, replace(SETTING, Sigma_w=np.eye(12)), "loss", rel_error=0.05, seed=3),
        partial(run_until, _noise, rel_error=0.05, seed_text="3"),
    ]
    assert len({_named(draw).name for draw in (DRAW, *others[:-1])}) == len(others)
    assert _named(partial(simulate, replace(SETTING), "loss", seed=3, rel_error=0.05)) == _named(DRAW)
    # of a function that stands in no file of the edition nothing is known tomorrow
    assert key(others[-1]) is None


def test_the_key_is_of_what_draws_and_of_no_theorem() -> None:
    before = _named(DRAW)
    for module, changes in {
        "numeric_check.estimators.conditional": True,
        "numeric_check.estimators.control": True,
        "numeric_check.draws.seeds": True,
        "derivations.paper.theorem1.loss": False,
        "derivations.verification.growth": False,
        "numeric_check.verdicts.verdict": False,
    }.items():
        with edited(module):
            assert (_named(DRAW) != before) == changes


def test_an_added_law_is_kept_with_the_module_that_draws_it() -> None:
    load_extensions()
    added = _named(partial(simulate, replace(SETTING, inputs="triangular"), rel_error=0.05))
    assert "derivations.extensions.triangular" in added.modules
    with for_a_while():
        add_input_law("by_hand", exact_law("rademacher").rule, lambda generator, shape: np.ones(shape))
        assert key(partial(simulate, replace(SETTING, inputs="by_hand"), rel_error=0.05)) is None


Numbers = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def _numbers(size: float) -> Numbers:
    return lambda generator, shape: size * generator.standard_normal(shape)


@pytest.mark.parametrize("draw", [_numbers(1.0), laws._uniform])
def test_another_law_of_the_same_name_is_another(draw: Numbers) -> None:
    """As where a page adds one by hand, or a module takes what draws from a function of another module."""
    found = []
    for numbers in (draw, _numbers(3.0), laws._laplace, laws._signs):
        with for_a_while(), from_store():
            add_input_law("by_hand", exact_law("rademacher").rule, numbers)
            found.append(simulated(replace(SETTING, inputs="by_hand"), "loss", 0.05, 3))
    assert len(set(found)) == 4
    # a closure says nothing of itself tomorrow
    assert store.contents()["entries"] == 2 + (draw is laws._uniform)


def test_one_thread_does_not_make_another_look_up() -> None:
    heard: list[bool] = []
    with from_store():
        thread = threading.Thread(target=lambda: heard.append(estimates.asked()))
        thread.start()
        thread.join()
    assert heard == [False]


@pytest.mark.parametrize("changed", [{"mean": inf}, {"stderr": inf}])
def test_what_is_not_finite_is_no_result(changed: dict[str, float]) -> None:
    estimates.keep(_named(DRAW), replace(Estimate(1.0, 0.1, 10), **changed))
    assert store.contents()["entries"] == 0


def test_after_an_edit_of_a_step_its_losses_are_not_drawn_again_unless_all_is_asked_for(
    batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, module = "loss-falls-with-data", "derivations.paper.theorem2.learning_rates"
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)
    (first,) = verify([name])
    count = len(batches)
    assert count > 0
    _forget(monkeypatch)
    before = spared()
    with edited(module):
        (second,) = verify([name])
    assert len(batches) == count
    assert store.contents()["kinds"]["numeric"]["entries"] == 2
    compared = [[check | {"seconds": 0.0} for check in record["checks"]] for record in (first, second)]
    assert compared[0] == compared[1]
    # the seconds are those of all that it rests on
    assert second["seconds"] > spared() - before > 0
    verify([name], fresh=True)
    assert len(batches) == 2 * count
