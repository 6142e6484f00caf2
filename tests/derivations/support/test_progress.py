"""The progress line fits the terminal and is rewritten in place; elsewhere long work writes a line now and then."""

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


def test_where_nobody_watches_only_long_work_writes_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    now = 100.0
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with ProgressLine("training") as line:
        for done in range(1, 9):
            now += 11.0
            line.show(["figure5, one point"], done, 8)
    assert stream.getvalue().splitlines() == [
        "training 3/8, 0:33 figure5, one point",
        "training 6/8, 1:06 figure5, one point",
    ]


def test_what_is_said_of_a_step_ends_the_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    now = 0.0
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with ProgressLine("verifying") as line:
        now = 25.0
        line.say("1/2 one")
        now = 50.0
        line.show(NAMES, 1, 2)
        now = 55.0
        line.show(NAMES[:1], 1, 2)
    assert stream.getvalue() == f"1/2 one\nverifying 1/2, 0:55 {NAMES[0]}\n"
