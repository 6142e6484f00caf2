"""Figures as files: the same call gives the same file, what cannot be is refused, every text lies within the picture."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from derivations.command.cli import main
from derivations.figures import draw as figures
from derivations.figures import graphical_model, style
from derivations.figures.captions import alt_text, caption, lowest_predicted
from derivations.figures.curves import exact, next_order, predicted
from derivations.figures.draw import draw
from derivations.language.assumptions import read
from derivations.paper.experiments.panels import FIGURES, figure
from derivations.paper.experiments.points import Point, simulated
from derivations.support.bad_input import BadInput
from numeric_check.draws.estimate import Estimate
from tests.derivations.paper.experiments.conftest import TINY

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
def test_one_drawing_is_written_to_several_files(tmp_path: Path) -> None:
    out, also = tmp_path / "one.svg", [tmp_path / "one.pdf", tmp_path / "two.svg"]
    assert draw("2", out, also=also)[0] == out
    assert also[0].read_bytes().startswith(b"%PDF")
    assert also[1].read_bytes() == out.read_bytes()


@pytest.mark.usefixtures("_tiny")
def test_nothing_is_written_where_one_of_the_files_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="end its name in"):
        draw("2", tmp_path / "one.svg", also=[tmp_path / "one.txt"])
    assert not [*tmp_path.glob("one*")]


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
    assert labels == [
        "theory, equation (5)",
        figures.NEXT,
        figures.EXACT,
        figures.EXPERIMENT,
        figures.ESTIMATE,
    ]


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
    with mpl.rc_context(style.STYLE):
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
    monkeypatch.setitem(style.STYLE, "font.size", 16)
    assert outside("figure6")


@pytest.mark.usefixtures("_tiny")
def test_under_changed_assumptions_theory_and_estimate_are_drawn(tmp_path: Path) -> None:
    changed = read(["inner_steps=2"])
    _, series = draw("2", tmp_path / "one.svg", assumptions=changed)
    assert [one["label"] for one in series[:2]] == ["theory, equation (5)", figures.ESTIMATE]
    _, paper = draw("2", tmp_path / "two.svg")
    assert [one["label"] for one in paper[:4]] == [
        "theory, equation (5)",
        figures.NEXT,
        figures.EXACT,
        "experiment",
    ]
    assert paper[0]["y"] != series[0]["y"]
    assert paper[4]["y"] != series[1]["y"]


def test_the_next_order_is_nearer_to_the_exact_loss() -> None:
    for panel in (figure("2").panels[1], figure("6").panels[1]):
        rates = [-1.0, 0.5]
        known, following = exact(panel, rates), next_order(panel, rates)
        assert known is not None
        assert following is not None
        assert (np.abs(following - known) < 0.5 * np.abs(predicted(panel, rates) - known)).all()
    assert next_order(figure("4").panels[0], [0.0]) is None


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
