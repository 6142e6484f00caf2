"""The points of the figures: simulated, kept, shipped with the project, and found again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from derivations.figures.draw import draw
from derivations.language.extension import add_input_law, for_a_while, load_extensions
from derivations.paper.experiments import points as figure_points
from derivations.paper.experiments.panels import Panel, figure
from derivations.paper.experiments.points import Task, sample, simulated, stored, task, tasks
from derivations.support import store
from numeric_check.draws.estimate import Estimate
from symbolic.algebra.entry_laws import law as exact_law
from tests.derivations.conftest import edited
from tests.derivations.paper.experiments.conftest import COARSE, SMALL, TINY

# Points


@pytest.mark.usefixtures("_tiny")
def test_shapes_and_runs() -> None:
    found = simulated(TINY)
    assert [len(panel) for panel in found] == [3, 5]
    for panel, points in zip(TINY.panels, found, strict=True):
        assert [point.rate for point in points] == list(panel.grid)
        for point in points:
            assert point.plain is not None
            assert point.plain.draws >= panel.runs
            assert point.conditional.stderr <= COARSE * point.conditional.mean


@pytest.mark.usefixtures("_tiny")
def test_protocols_agree_on_the_small_figure() -> None:
    panel = replace(TINY.panels[1], runs=200)
    (points,) = simulated(replace(TINY, panels=(panel,)))
    for point in points:
        assert point.plain is not None
        gap = abs(point.plain.mean - point.conditional.mean)
        assert gap < 5 * np.hypot(point.plain.stderr, point.conditional.stderr)


def spied(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """The points simulated from now on."""
    computed: list[Task] = []

    def sampled(item: Task) -> Estimate:
        computed.append(item)
        return sample(item)

    monkeypatch.setattr(figure_points, "sample", sampled)
    return computed


@pytest.mark.usefixtures("_tiny")
def test_interrupted_work_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tasks(TINY.panels)
    computed: list[Task] = []

    def interrupted(item: Task) -> Estimate:
        if len(computed) == 7:
            raise KeyboardInterrupt
        computed.append(item)
        return sample(item)

    monkeypatch.setattr(figure_points, "sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulated(TINY)
    assert [stored(item) is not None for item in wanted] == [True] * 7 + [False] * 9
    rest = spied(monkeypatch)
    found = simulated(TINY)
    assert rest == wanted[7:]
    # and what comes out is what an uninterrupted run gives
    monkeypatch.setenv("DERIVE_STORE", os.environ["DERIVE_STORE"] + "-fresh")
    assert simulated(TINY) == found


CHILD = f"""
import time
from derivations.paper.experiments import points as figure_points
from derivations.support import workers
from derivations.paper.experiments.panels import Figure, Panel
from derivations.language.assumptions import Assumptions
from numeric_check.problem.setting import Setting

def slowly(item, computed=[], sample=figure_points.sample):
    computed.append(item)
    # at the last point it waits to be killed, however late that comes
    time.sleep(0.1 if len(computed) < {len(tasks(TINY.panels))} else 3600)
    return sample(item)

figure_points.sample = slowly
workers.cores = lambda: 1
figure_points.RESOLUTION = {COARSE}
figure_points.simulated({TINY!r})
"""


@pytest.mark.usefixtures("_tiny")
def test_a_killed_process_leaves_whole_points_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tasks(TINY.panels)
    child = subprocess.Popen([sys.executable, "-c", CHILD])
    deadline = time.monotonic() + 300
    while stored(wanted[5]) is None and time.monotonic() < deadline:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = [item for item in wanted if stored(item) is not None]
    assert 6 <= len(kept) < len(wanted)
    computed = spied(monkeypatch)
    simulated(TINY)
    assert computed == wanted[len(kept) :]


@pytest.mark.usefixtures("_tiny")
def test_a_damaged_or_foreign_entry_is_simulated_again() -> None:
    item = tasks(TINY.panels)[0]
    figure_points.keep(item, sample(item))
    assert stored(item) is not None
    for text in ("{", '{"mean": 1.0}', "[1, 2]"):
        with closing(sqlite3.connect(store.file())) as other, other:
            other.execute("UPDATE results SET result = ?", (text,))
        assert stored(item) is None


def test_a_point_is_named_by_what_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    key = task(SMALL, "plain", 10).key
    assert key == task(replace(SMALL), "plain", 10).key
    others = [
        task(SMALL, "plain", 11),
        task(SMALL, "conditional", 10),
        task(replace(SMALL, alpha_t=0.3), "plain", 10),
        task(replace(SMALL, Sigma=np.eye(12)), "plain", 10),
    ]
    assert len({key, *(other.key for other in others)}) == 5
    # a conditional point has no runs, but an error it is drawn to
    assert task(SMALL, "conditional", 1).key == task(SMALL, "conditional", 2).key
    monkeypatch.setattr(figure_points, "RESOLUTION", 0.5)
    assert task(SMALL, "conditional", 1).key != others[1].key


def test_a_point_under_an_added_law_is_kept_with_what_draws_it_and_under_one_of_no_file_not_at_all() -> None:
    load_extensions()
    added = replace(SMALL, inputs="triangular")
    before = task(added, "conditional", 1).key
    with edited("derivations.extensions.triangular"):
        assert before != task(added, "conditional", 1).key is not None
    with for_a_while():
        add_input_law("by_hand", exact_law("rademacher").rule, lambda generator, shape: np.ones(shape))
        item = task(replace(SMALL, inputs="by_hand"), "conditional", 1)
    assert item.key is None
    figure_points.keep(item, Estimate(1.0, 0.1, 10))
    assert stored(item) is None


@pytest.mark.usefixtures("_tiny")
def test_progress_counts_what_is_left() -> None:
    wanted = tasks(TINY.panels)
    for item in wanted[:10]:
        figure_points.keep(item, sample(item))
    heard: list[tuple[int, int]] = []
    simulated(TINY, lambda record, done, total: heard.append((done, total)))
    assert heard == [(k, 16) for k in range(11, 17)]


@pytest.mark.slow
def test_processes_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = []
    for count in (1, 2):
        monkeypatch.setenv("DERIVE_STORE", str(tmp_path / f"store-{count}"))
        monkeypatch.setattr("derivations.support.workers.cores", lambda count=count: count)
        found.append(simulated(replace(TINY, panels=TINY.panels[:1])))
    assert found[0] == found[1]


# Shipped experiments


def _shipped() -> list[tuple[str, Panel, float, Estimate]]:
    """Every shipped point with the panel and rate it belongs to."""
    found = []
    for name, experiment in figure_points.provenance().items():
        panels = {panel.letter: panel for panel in figure(name).panels}
        for point in experiment["points"]:
            estimate = Estimate(point["mean"], point["stderr"], point["draws"])
            found.append((name, panels[point["panel"]], point["rate"], estimate))
    return found


def test_the_shipped_points_are_those_of_the_figures() -> None:
    for name, experiment in figure_points.provenance().items():
        assert experiment.keys() >= {"command", "seed", "versions", "seconds", "cores"}
        wanted = [item for item in tasks(figure(name).panels) if item.protocol == "plain"]
        assert [(item.setting.fingerprint, item.runs) for item in wanted] == [
            (point["setting"], point["runs"]) for point in experiment["points"]
        ]
        assert all(stored(item) is not None for item in wanted)


@pytest.mark.slow
def test_a_sample_of_the_shipped_points_is_found_again() -> None:
    shipped = _shipped()
    chosen = np.random.default_rng(int(time.time()) // 86400).choice(len(shipped), 3, replace=False)
    for k in chosen:
        _, panel, rate, estimate = shipped[k]
        again = sample(task(panel.at(rate), "plain", panel.runs))
        assert again.draws == estimate.draws
        assert again.mean == pytest.approx(estimate.mean, rel=1e-9), (panel, rate)
        assert again.stderr == pytest.approx(estimate.stderr, rel=1e-6), (panel, rate)


@pytest.mark.usefixtures("_tiny")
def test_recomputing_replaces_the_shipped_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_points, "SHIPPED", tmp_path / "points.json")
    figure_points._plain_points.cache_clear()
    _, before = draw("2", tmp_path / "one.svg", recomputed=True)
    (experiment,) = figure_points.provenance().values()
    assert experiment["command"] == "derive figure 2 --recompute"
    assert len(experiment["points"]) == 8
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "another"))
    computed = spied(monkeypatch)
    assert draw("2", tmp_path / "two.svg")[1] == before
    assert {item.protocol for item in computed} == {"conditional"}
    figure_points._plain_points.cache_clear()


# Changed assumptions
