"""The comparison with the experiment: what was measured, and that nothing is compared where means disagree."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from benchmarks import sampling
from derivations.command.sweep import points
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.setting import Setting

SMALL = Setting(n_t=6, n_v=1, n_r=4, m=2, p=12, sigma=0.5, nu=0.3, alpha_t=0.2, alpha_r=0.1, n_s=5)


def test_the_goals_were_reached() -> None:
    report = json.loads(sampling.RESULTS.read_text(encoding="utf-8"))
    assert [point["point"] for point in report["points"]] == list(sampling.POINTS)
    for point in report["points"]:
        goal = sampling.POINTS[point["point"]][2]
        assert point["met"]
        assert point["goal"] == goal
        assert goal is None or point["ratio"] >= goal


def test_a_price_does_not_depend_on_the_length_of_the_run() -> None:
    assert sampling.price(Estimate(2.0, 0.2, 100), 3.0) == pytest.approx(
        sampling.price(Estimate(2.0, 0.1, 400), 12.0)
    )


def test_means_that_disagree_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sampling.POINTS, "small", (SMALL, 1e-3, 1.0))
    monkeypatch.setattr(sampling, "PLAIN_SECONDS", 0.3)
    found = sampling.compare("small")
    assert found["met"]
    assert found["ratio"] > 10
    monkeypatch.setattr(
        sampling, "timed", lambda setting, protocol, **options: (Estimate(len(protocol), 1e-3, 9), 1.0)
    )
    with pytest.raises(RuntimeError, match="disagree"):
        sampling.compare("small")


def test_the_sweep_that_is_named_has_a_million_rows() -> None:
    ranges = [word.split("=") for word in sampling.MILLION.split() if word.count(":") == 2]
    counts = [len(points(name, text)) for name, text in ranges]
    assert Fraction(counts[0] * counts[1], sampling.CONFIGURATIONS) == 1
