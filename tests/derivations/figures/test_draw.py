"""The figures: what the captions say, points that survive a kill, files that come out the same, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from derivations.command.cli import main
from derivations.figures import draw as figures
from derivations.figures import graphical_model
from derivations.figures import points as figure_points
from derivations.figures.captions import alt_text, caption, lowest_predicted
from derivations.figures.curves import predicted
from derivations.figures.draw import draw
from derivations.figures.panels import FIGURES, Figure, Panel, figure, grid, wishart_covariances
from derivations.figures.points import Point, Task, sample, simulated, stored, task, tasks
from derivations.formulas.by_name import evaluate_named
from derivations.language.assumptions import read
from derivations.support import store
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.plain import TASKS
from numeric_check.problem.setting import Setting

COARSE = 0.02
SMALL = Setting(n_t=6, n_v=1, n_r=4, m=2, p=12, sigma=0.5, nu=0.3, alpha_t=0.2, alpha_r=0.1)
TINY = Figure(
    "figure2",
    "A small figure",
    (
        Panel("a", "", SMALL, "alpha_r", grid(-0.2, 0.4, 3), 4, "eq5"),
        Panel("b", "", SMALL, "alpha_t", grid(-1.0, 1.0, 5), 8, "eq5"),
    ),
)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is the small one, its conditional points coarse, everything in this process."""
    monkeypatch.setattr(figures, "figure", lambda name: TINY)
    monkeypatch.setattr(figure_points, "RESOLUTION", COARSE)
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)


# What the captions say

OVER = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1.0, "nu": 0.5, "dist0_sq": 0.0}
UNDER = {"n_t": 5, "n_v": 25, "n_r": 10, "m": 40, "p": 30, "sigma": 0.2, "nu": 0.2}
BETWEEN = {"n_t": 40, "n_r": 40, "p": 50, "sigma": 0.5, "nu": 0.5, "alpha_r": 0.2, "dist0_sq": 50 * 0.1**2}


@pytest.mark.parametrize(
    ("name", "letter", "rate", "runs", "values"),
    [
        ("2", "a", "alpha_r", 100, {**OVER, "alpha_t": 0.2}),
        ("2", "b", "alpha_t", 1000, {**OVER, "alpha_r": 0.2}),
        ("3", "a", "alpha_r", 100, {**UNDER, "alpha_t": 0.2}),
        ("3", "b", "alpha_t", 1000, {**UNDER, "alpha_r": 0.2}),
        ("4", "a", "alpha_r", 100, {**OVER, "alpha_t": 0.2}),
        ("4", "b", "alpha_t", 500, {**OVER, "alpha_r": 0.2}),
        ("6", "a", "alpha_t", 100, {**BETWEEN, "m": 1, "n_v": 2}),
        ("6", "b", "alpha_t", 100, {**BETWEEN, "m": 5, "n_v": 5}),
        ("6", "c", "alpha_t", 100, {**BETWEEN, "m": 10, "n_v": 10}),
        ("6", "d", "alpha_t", 100, {**BETWEEN, "m": 10, "n_v": 40}),
    ],
)
def test_panels_are_those_of_the_captions(
    name: str, letter: str, rate: str, runs: int, values: dict[str, float]
) -> None:
    (panel,) = (panel for panel in figure(name).panels if panel.letter == letter)
    assert (panel.rate, panel.runs) == (rate, runs)
    for point in panel.grid:
        setting = panel.at(point)
        assert getattr(setting, rate) == point
        for key, value in values.items():
            assert getattr(setting, key) == pytest.approx(value)
        assert (setting.n_s, TASKS) == (50, 100)
        assert (setting.inner_steps, setting.adaptation_steps, setting.split) == (1, 1, "separate")
    theories = {"over": "eq5" if panel.base.Sigma is None else "eq14", "under": "eq9"}
    assert panel.theory == theories[panel.base.regime]


def test_covariances_of_figure_4_are_one_wishart_draw() -> None:
    sigma, sigma_w = wishart_covariances(60, 0.5)
    base = figure("4").panels[0].base
    assert base.Sigma is not None
    assert base.Sigma_w is not None
    np.testing.assert_array_equal(base.Sigma, (sigma + sigma.T) / 2)
    # means I and nu^2/p I: the traces of p-dimensional draws are within a few percent of p and nu^2
    assert np.trace(sigma) == pytest.approx(60, rel=0.1)
    assert np.trace(sigma_w) == pytest.approx(0.25, rel=0.1)
    assert np.linalg.eigvalsh(sigma)[0] > 0
    # eigenvalues of a square Wishart matrix reach up to about 4
    assert 3 < np.linalg.eigvalsh(sigma)[-1] < 5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2", "figure2"),
        ("figure6", "figure6"),
        ("eq5", "figure2"),
        ("eq9", "figure3"),
        ("eq14", "figure4"),
        ("figure-2", "figure2"),
        ("Figure 3", "figure3"),
        ("FIGURE-4", "figure4"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert figure(name).name == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("5", "not part of this version"),
        ("figure-5", "not part of this version"),
        ("7", "no figure '7'"),
        ("figur2", "did you mean 'figure2'"),
        ("", "no figure"),
    ],
)
def test_unknown_figures_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        figure(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(FIGURES))
def test_lines_are_the_derived_formulas(name: str) -> None:
    for panel in figure(name).panels:
        rates = [panel.grid[0], panel.grid[7]]
        for rate, value in zip(rates, predicted(panel, rates), strict=True):
            here = panel.at(rate)
            names = ["n_t", "n_v", "n_r", "m", "p", "sigma", "alpha_t", "alpha_r"]
            names += ["nu", "dist0_sq"] if here.Sigma is None else ["Sigma", "Sigma_w"]
            exact = evaluate_named(panel.theory, {key: getattr(here, key) for key in names})
            assert value == pytest.approx(exact["value"], rel=1e-11)


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
from derivations.figures import points as figure_points
from derivations.support import workers
from derivations.figures.panels import Figure, Panel
from derivations.language.assumptions import Assumptions
from numeric_check.problem.setting import Setting

def slowly(item, sample=figure_points.sample):
    time.sleep(0.1)
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
    deadline = time.monotonic() + 60
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
    figure_points.sample_and_store(item)
    assert stored(item) is not None
    path = store.path_of(item.key.name)
    for text in ("{", '{"mean": 1.0}', "[1, 2]"):
        path.write_text(text, encoding="utf-8")
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


@pytest.mark.usefixtures("_tiny")
def test_progress_counts_what_is_left() -> None:
    wanted = tasks(TINY.panels)
    for item in wanted[:10]:
        figure_points.sample_and_store(item)
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


# Files


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_call_gives_the_same_file(kind: str, tmp_path: Path) -> None:
    one, two = tmp_path / f"one.{kind}", tmp_path / f"two.{kind}"
    assert draw("2", one)[0] == one
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red"}):
        draw("2", two)
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size > 5_000


@pytest.mark.usefixtures("_tiny")
def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    text = draw("2", tmp_path / "one.svg")[0].read_text(encoding="utf-8")
    assert "A small figure" in text
    assert "is smallest near" in text
    assert "dc:date" not in text


@pytest.mark.usefixtures("_tiny")
def test_marks_are_the_points_and_bars_two_standard_errors() -> None:
    found = simulated(TINY)
    canvas = figures._canvas(TINY, found)
    for axis, panel, points in zip(canvas.axes, TINY.panels, found, strict=True):
        theory = next(line for line in axis.lines if str(line.get_label()).startswith("theory"))
        rates = np.asarray(theory.get_xdata(), dtype=float)
        np.testing.assert_allclose(theory.get_ydata(), predicted(panel, rates), rtol=1e-5)
        (bars,) = axis.containers
        np.testing.assert_allclose(
            bars[0].get_ydata(), [point.plain.mean for point in points if point.plain], rtol=1e-5
        )
        lengths = [np.ptp(segment[:, 1]) for segment in bars[2][0].get_segments()]
        np.testing.assert_allclose(
            lengths, [4 * point.plain.stderr for point in points if point.plain], rtol=1e-3
        )
        estimate = next(line for line in axis.lines if line.get_label() == figures.ESTIMATE)
        np.testing.assert_allclose(
            estimate.get_ydata(), [point.conditional.mean for point in points], rtol=1e-5
        )
    (legend,) = canvas.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["theory, equation (5)", figures.EXPERIMENT, figures.ESTIMATE]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("figure.txt", "end its name in .svg, .png or .pdf"),
        ("figure", "end its name in .svg, .png or .pdf"),
        ("missing/figure.svg", "does not exist"),
        (".", "is no figure file"),
        ("folder.svg", "is a folder"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_work(
    out: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("simulation started")

    monkeypatch.setattr(figures, "simulated", fail)
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(ValueError, match=said):
        draw("2", tmp_path / out)


def test_a_closed_folder_is_noticed_before_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(**options: object) -> None:
        raise PermissionError(13, "Permission denied")

    def fail(*arguments: object) -> None:
        raise AssertionError("simulation started")

    monkeypatch.setattr(figures, "simulated", fail)
    monkeypatch.setattr("derivations.support.files.tempfile.TemporaryFile", closed)
    with pytest.raises(ValueError, match="nothing can be written"):
        draw("2", tmp_path / "figure.svg")


@pytest.mark.parametrize("name", ["1", "figure-1", "figure1"])
def test_figure_1_is_the_graphical_model(name: str, tmp_path: Path) -> None:
    out, _ = draw(name, tmp_path / "model.svg")
    assert out.read_text(encoding="utf-8") == graphical_model.draw()
    with pytest.raises(ValueError, match=r"end 'model.png' in \.svg"):
        draw(name, tmp_path / "model.png")


@pytest.mark.usefixtures("_tiny")
def test_a_failure_leaves_the_old_file_and_no_part_of_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "pictures" / "one.svg"
    out.parent.mkdir()
    out.write_text("old", encoding="utf-8")

    def fail(self: object, path: str, **options: object) -> None:
        Path(path).write_text("<svg", encoding="utf-8")
        raise OSError("disk full")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        draw("2", out)
    assert [path.name for path in out.parent.iterdir()] == ["one.svg"]
    assert out.read_text(encoding="utf-8") == "old"


@pytest.mark.usefixtures("_tiny")
def test_the_default_file_is_named_after_the_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert draw("2")[0] == Path("figure2.svg")
    assert (tmp_path / "figure2.svg").is_file()


# Words


@pytest.mark.parametrize("name", list(FIGURES))
def test_captions_and_alternative_texts_name_every_panel(name: str) -> None:
    shown = figure(name)
    for panel in shown.panels:
        assert f"({panel.letter}) " in caption(shown)
        assert f"{panel.runs} runs a point" in caption(shown)
        assert f"Panel {panel.letter}, " in alt_text(shown)
        assert f"{lowest_predicted(panel):.2f}" in alt_text(shown)


def test_the_best_rates_of_figure_2_have_opposite_signs() -> None:
    adaptation, training = figure("2").panels
    assert lowest_predicted(adaptation) > 0
    assert lowest_predicted(training) == pytest.approx(-1.01, abs=0.02)


def outside(name: str) -> list[str]:
    """The texts of a figure that leave the canvas, drawn with points that are made up."""
    shown = FIGURES[name]()
    mean = Estimate(0.39, 0.002, 100)
    points = [[Point(rate, mean, mean) for rate in panel.grid] for panel in shown.panels]
    with mpl.rc_context(figures.STYLE):
        canvas = figures._canvas(shown, points)
        canvas.canvas.draw()
        box = canvas.bbox
        # ticks beyond the ends of an axis are not drawn
        ticks = [text for axis in canvas.axes for text in (*axis.get_xticklabels(), *axis.get_yticklabels())]
        texts = [text for text in canvas.findobj(Text) if text.get_text() and text not in ticks]
        return [
            text.get_text()
            for text in texts
            if (b := text.get_window_extent()).x0 < box.x0 - 1
            or b.x1 > box.x1 + 1
            or b.y0 < box.y0 - 1
            or b.y1 > box.y1 + 1
        ]


@pytest.mark.parametrize("name", list(FIGURES))
def test_every_text_lies_within_the_figure(name: str) -> None:
    assert outside(name) == []


def test_a_text_that_leaves_the_figure_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "LEGEND_COLUMNS", 9)
    monkeypatch.setitem(figures.STYLE, "font.size", 16)
    assert outside("figure6")


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


def apart(one: Estimate, other: Estimate) -> float:
    return abs(one.mean - other.mean) / float(np.hypot(one.stderr, other.stderr))


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


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FIGURES))
def test_the_shipped_points_agree_with_the_conditional_estimates(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_points, "RESOLUTION", 2e-3)
    for points in simulated(figure(name)):
        assert consistent(
            [apart(point.plain, point.conditional) for point in points if point.plain is not None]
        )


def consistent(gaps: list[float]) -> bool:
    """Whether gaps in standard errors are those of a right mean with a right error: none large, not all small."""
    spread = float(np.mean(np.square(gaps)))
    return max(gaps) < 5 and 0.2 < spread < 1 + 5 * np.sqrt(2 / len(gaps))


def test_changed_points_are_noticed() -> None:
    gaps = list(np.abs(np.random.default_rng(3).standard_normal(21)))
    assert consistent(gaps)
    assert not consistent([*gaps[:-1], gaps[-1] + 5])
    assert not consistent([gap / 4 for gap in gaps])
    assert not consistent([gap * 3 for gap in gaps])


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


@pytest.mark.usefixtures("_tiny")
def test_under_changed_assumptions_theory_and_estimate_are_drawn(tmp_path: Path) -> None:
    changed = read(["inner_steps=2"])
    _, series = draw("2", tmp_path / "one.svg", assumptions=changed)
    assert [one["label"] for one in series[:2]] == ["theory, equation (5)", figures.ESTIMATE]
    _, paper = draw("2", tmp_path / "two.svg")
    assert [one["label"] for one in paper[:3]] == ["theory, equation (5)", "experiment", figures.ESTIMATE]
    assert paper[0]["y"] != series[0]["y"]
    assert paper[2]["y"] != series[1]["y"]


def test_assumptions_without_a_formula_are_refused_before_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("simulation started")

    monkeypatch.setattr(figures, "simulated", fail)
    with pytest.raises(ValueError, match="next"):
        draw("2", tmp_path / "one.svg", assumptions=read(["order=next", "inputs=laplace"]))
    with pytest.raises(ValueError, match="leave out --assume"):
        draw("1", tmp_path / "one.svg", assumptions=read(["inner_steps=2"]))


@pytest.mark.usefixtures("_tiny")
def test_the_command_hands_out_file_numbers_and_provenance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "one.pdf"
    assert main(["figure", "2", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["file"] == str(out)
    assert out.read_bytes().startswith(b"%PDF")
    assert {"command", "seed", "versions", "seconds"} <= document["provenance"].keys()
    for series in document["series"]:
        assert {"panel", "label", "x", "y", "stderr", "runs"} <= series.keys()
        for name in ("y", "stderr", "runs"):
            assert series[name] is None or len(series[name]) == len(series["x"])
