"""The figures on the pages: an image with its caption and alternative text, and its numbers."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from derivations.book_pages import figures
from derivations.figures.curves import predicted
from derivations.figures.panels import Figure, figure
from derivations.figures.points import Point
from numeric_check.draws.estimate import Estimate

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture(autouse=True)
def no_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(name: str, out: Path) -> tuple[Path, list[object]]:
        out.write_bytes(DRAWING)
        return out, []

    def simulated(shown: Figure) -> list[list[Point]]:
        mean = Estimate(0.7123, 0.0011, 100)
        return [[Point(rate, mean, mean) for rate in panel.grid] for panel in shown.panels]

    monkeypatch.setattr(figures, "draw", draw)
    monkeypatch.setattr(figures, "simulated", simulated)


def test_a_picture_carries_the_drawing_its_caption_and_an_alternative_text() -> None:
    text = figures.picture("2").text
    data = re.search(r'base64,([^"]+)"', text)
    assert data is not None
    assert base64.b64decode(data[1]) == DRAWING
    assert "smallest near" in text
    assert "<figcaption>" in text
    assert "<figcaption>" not in figures.picture("2", with_caption=False).text


def test_the_numbers_of_every_panel_are_listed() -> None:
    text = figures.points("2").text
    assert text.count("<details>") == 2
    assert "0.7123 ± 0.0011" in text


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="17"):
        figures.picture("17")


def test_the_gain_and_the_gaps_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = figures.training_rate("3").text
    assert re.search(r"lies 0\.035 % below the loss at rate zero", text)
    panel = figure("3").panels[1]
    low = float(predicted(panel, [panel.grid[0]])[0])

    def simulated(shown: Figure) -> list[list[Point]]:
        estimate = Estimate(low * 1.01, low * 0.0001, 100)
        return [[Point(rate, estimate, None) for rate in panel.grid] for panel in shown.panels]

    monkeypatch.setattr(figures, "simulated", simulated)
    assert "100 standard errors apart, 0.99 % of the loss" in figures.training_rate("3").text
