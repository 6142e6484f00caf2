"""Figures on a phone: each panel has a window of its own, which shows it whole and no other."""

from __future__ import annotations

import re

import pytest

from derivations.book_pages.reader import drawings
from derivations.figures.draw import draw


@pytest.fixture(scope="module")
def diagram(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drawn("phase-diagram", tmp_path_factory)


def drawn(name: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return draw(name, tmp_path_factory.mktemp("drawn") / "a.svg")[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "count"), [("phase-diagram", 2), ("gain-maps", 6), ("2", 2), ("5", 3)])
def test_each_window_shows_one_panel_whole(
    name: str, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    svg = drawn(name, tmp_path_factory)
    axes = [tuple(map(float, found)) for found in drawings._AXES.findall(svg)]
    axes = [one for one in axes if one[2] - one[0] > 100]
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    windows = drawings.panels(svg, (width, height))[-count:]
    assert len(windows) == len(axes) == count
    assert all(min(x, y) >= 0 and min(w, h) > 0 and x + w <= width for x, y, w, h in windows)
    for k, (x, y, wide, high) in enumerate(windows):
        for other, (left, bottom, right, top) in enumerate(axes):
            inside = x < left and right < x + wide and y < top and bottom < y + high
            apart = right < x or x + wide < left or bottom < y or y + high < top
            assert inside if k == other else apart


def test_each_entry_of_a_legend_has_a_window_of_its_own(diagram: str) -> None:
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', diagram)[0])
    texts = re.findall(r"<!-- (.*?) -->", diagram.partition('<g id="legend_1">')[2])
    *lines, _, _ = drawings.panels(diagram, (width, height))
    assert len(lines) == len(texts) > 1
    assert len({(x, y) for x, y, _, _ in lines}) == len(lines)
    assert all(0 <= x < x + w <= width and y >= 0 for x, y, w, _ in lines)


def test_what_is_no_legend_above_the_panels_has_a_window(diagram: str) -> None:
    above, *_ = drawings.panels(diagram.replace('"legend_1"', '"other"'), (820.8, 300))
    assert above[:3] == (0.0, 0.0, 820.8)


def test_the_windows_open_on_the_drawing_which_is_there_once(diagram: str) -> None:
    shown = drawings.themed(diagram, "diagram", "two panels")
    lines = len(re.findall(r"<!-- .*? -->", diagram.partition('<g id="legend_1">')[2]))
    assert shown.count('id="diagram-figure_1"') == 1
    assert shown.count('<use href="#diagram-figure_1"/>') == lines + 2
    assert len(re.findall(r"; width: [\d.]+%", shown)) == lines


def test_a_single_panel_stays_as_it_is() -> None:
    assert drawings.panels('<svg viewBox="0 0 9 9"></svg>', (9, 9)) == []
