"""The table of waits says what is missed, and every aim of minutes has its row."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def waits() -> ModuleType:
    return importlib.import_module("benchmarks.waits")


def test_an_aim_is_met_or_missed_by_the_seconds_it_is_about(waits: ModuleType) -> None:
    assert waits.row("a", 1.0, 3.0, 2.0).endswith("wall under 2: met")
    assert waits.row("a", 1.0, 3.0, 2.0, of_cpu=True).endswith("CPU under 2: MISSED")
    assert "under" not in waits.row("a", 1.0, 3.0, None)


def test_the_modules_that_get_a_line_exist(waits: ModuleType) -> None:
    edited = [path for path, _, _ in waits.IN_A_CLONE.values() if path is not None]
    assert len(edited) == 2
    assert all((Path(waits.ROOT) / path).is_file() for path in edited)


def test_short_rows_are_printed(waits: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(waits, "run", lambda command: (0.1, 0.7))
    monkeypatch.setattr(waits, "full_against_open", lambda repeats: 1.5)
    assert waits.main(["--repeats", "1"]) == 0
    shown = capsys.readouterr().out
    assert "derive --help" in shown
    assert shown.count("MISSED") == 1
    assert "times under 2: met" in shown
