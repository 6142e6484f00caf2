"""The progress line fits the terminal and is rewritten in place; elsewhere nothing is written."""

from __future__ import annotations

import io
import os
import re

import pytest

from derivations.support import progress
from derivations.support.progress import ProgressLine

NAMES = ["weighted-rows-of-two-tasks-two-wisharts", "loss-rises-with-noise-underparameterized"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_the_line_fits(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    with ProgressLine("verifying") as line:
        line.show(NAMES, 7, 180)
        line.show(NAMES[:1], 8, 180)
    written = stream.getvalue()
    assert "\n" not in written
    assert {len(text) for text in written.split("\r") if text} == {columns - 1}
    if columns >= 40:
        assert "7/180" in written
    if columns >= 80:
        assert re.search(r"verifying 7/180, 0:00 \[[#.]+\] weighted-rows", written)
    if columns == 200:
        assert all(name in written for name in NAMES)
    assert written.endswith(" \r")


def test_nothing_is_written_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with ProgressLine("verifying") as line:
        line.show(NAMES, 7, 180)
    assert stream.getvalue() == ""
