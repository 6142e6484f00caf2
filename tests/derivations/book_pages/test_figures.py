"""The figures on the pages: an image with its caption and alternative text, and its numbers."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from derivations.book_pages import figures
from derivations.book_pages.reader.drawings import themed
from derivations.figures.curves import predicted
from derivations.paper.experiments.panels import Figure, figure
from derivations.paper.experiments.points import Point
from numeric_check.draws.estimate import Estimate

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
SERIES = [
    {
        "panel": "a",
        "label": "theory",
        "rate": "alpha_t",
        "x": [0.0],
        "y": [0.7],
        "stderr": None,
        "runs": None,
    },
    {
        "panel": "a",
        "label": "experiment",
        "rate": "alpha_t",
        "x": [0.0],
        "y": [0.71],
        "stderr": [0.01],
        "runs": [100],
    },
]


@pytest.fixture(autouse=True)
def no_simulation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # what the pages have shown is kept, and is not asked for again
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))

    def draw(name: str, out: Path, *, also: Sequence[Path] = ()) -> tuple[Path, list[object]]:
        for file in (out, *also):
            file.write_bytes(DRAWING)
        return out, SERIES

    def simulated(shown: Figure) -> list[list[Point]]:
        mean = Estimate(0.7123, 0.0011, 100)
        return [[Point(rate, mean, mean) for rate in panel.grid] for panel in shown.panels]

    monkeypatch.setattr(figures, "draw", draw)
    monkeypatch.setattr(figures, "simulated", simulated)


def test_a_picture_carries_the_drawing_its_caption_and_an_alternative_text() -> None:
    text = figures.picture("2").text
    assert "<svg xmlns" in text
    assert "smallest near" in text
    assert "<figcaption>" in text
    assert "<figcaption>" not in figures.drawing("2").text


def test_a_picture_says_how_it_was_made_and_hands_out_its_files() -> None:
    text = figures.picture("2").text
    assert "derive figure 2 --out figure2.svg" in text
    assert "runs in all, seed 0" in text
    files = dict(re.findall(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', text))
    assert files.keys() == {"figure2.csv", "figure2.svg", "figure2.pdf"}
    assert base64.b64decode(files["figure2.svg"]) == DRAWING
    assert base64.b64decode(files["figure2.csv"]).decode().splitlines() == [
        "panel,label,rate,x,y,stderr,runs",
        "a,theory,alpha_t,0.0,0.7,,",
        "a,experiment,alpha_t,0.0,0.71,0.01,100",
    ]


def test_a_drawing_has_the_colours_of_the_page_and_names_of_its_own() -> None:
    svg = (
        '<?xml version="1.0"?>\n<svg width="9pt" viewBox="0 0 9 9"><title>T</title><defs><path id="m1" '
        'style="stroke: #000000"/></defs><use xlink:href="#m1"/><g clip-path="url(#m1)" style="fill: #d55e00"/></svg>'
    )
    text = themed(svg, "figure9", "what it shows")
    assert 'aria-label="what it shows"' in text
    assert text.count("figure9-m1") == 3
    assert "stroke: currentColor" in text
    assert "#000000" not in text
    assert "fill: var(--line-vermilion, #d55e00)" in text


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="viewBox"):
        themed("<svg></svg>", "figure9", "")


def test_the_numbers_of_every_panel_are_listed() -> None:
    text = figures.points("2").text
    assert [figures._percent(share) for share in (-0.123, 0.0004, 1.5)] == ["\u221212 %", "+0.04 %", "+150 %"]
    assert text.count("<details>") == 2
    assert "0.7123 ± 0.0011" in text


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="17"):
        figures.picture("17")


def test_the_gain_and_the_gaps_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = figures.training_rate("3").text
    assert re.search(r"at rate \u22120\.0282, lies 0\.035 % below the loss at rate zero", text)
    panel = figure("3").panels[1]
    low = float(predicted(panel, [panel.grid[0]])[0])

    def simulated(shown: Figure) -> list[list[Point]]:
        estimate = Estimate(low * 1.01, low * 0.0001, 100)
        return [[Point(rate, estimate, None) for rate in panel.grid] for panel in shown.panels]

    monkeypatch.setattr(figures, "simulated", simulated)
    assert "100 standard errors apart, 0.99 % of the loss" in figures.training_rate("3").text


@pytest.mark.parametrize(
    ("name", "k", "rate"), [("2", 1, -1.01115), ("3", 1, -0.0281557), ("4", 1, -0.858833)]
)
def test_the_least_of_a_formula_is_no_point_of_its_line(name: str, k: int, rate: float) -> None:
    panel = figure(name).panels[k]
    least = figures._least(panel)
    assert least == pytest.approx(rate, abs=1e-5)
    around = predicted(panel, [least - 1e-3, least, least + 1e-3])
    assert around[1] < min(around[0], around[2])
