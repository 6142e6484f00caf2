"""The prices of work are measured without the limit, and nothing stays changed."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from symbolic.query import query
from symbolic.query import work as moment_work

ROOT = Path(__file__).parents[2]


def test_a_query_is_measured_beside_its_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    work = importlib.import_module("benchmarks.work")
    monkeypatch.setattr(moment_work, "MAX_WORK", 1)
    before = moment_work.of_query, query.examine
    seconds, check, estimate = work.measured("W^3 A W", "general")
    assert seconds > check > 0
    assert estimate > moment_work.MAX_WORK / 1000
    assert before == (moment_work.of_query, query.examine)
