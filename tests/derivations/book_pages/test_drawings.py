"""Figures on a phone: each panel has a window of its own, which shows it whole and no other."""

from __future__ import annotations

import re

import pytest

from derivations.book_pages.reader import drawings
from derivations.figures.draw import draw


@pytest.fixture(scope="module")
def diagram(tmp_path_factory: pytest.TempPathFactory) -> str:
    return draw("phase-diagram", tmp_path_factory.mktemp("drawn") / "a.svg")[0].read_text(encoding="utf-8")


def test_each_window_shows_one_panel_whole(diagram: str) -> None:
    axes = [tuple(map(float, found)) for found in drawings._AXES.findall(diagram)]
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', diagram)[0])
    above, *windows = drawings.panels(diagram, (width, height))
    assert above[:3] == (0.0, 0.0, width)
    assert len(windows) == len(axes) == 2
    for k, (x, y, wide, high) in enumerate(windows):
        for other, (left, bottom, right, top) in enumerate(axes):
            inside = x < left and right < x + wide and y < top and bottom < y + high
            apart = right < x or x + wide < left
            assert inside if k == other else apart


def test_the_windows_open_on_the_drawing_which_is_there_once(diagram: str) -> None:
    shown = drawings.themed(diagram, "diagram", "two panels")
    assert shown.count('id="diagram-figure_1"') == 1
    assert shown.count('<use href="#diagram-figure_1"/>') == 3


def test_a_single_panel_stays_as_it_is() -> None:
    assert drawings.panels('<svg viewBox="0 0 9 9"></svg>', (9, 9)) == []
