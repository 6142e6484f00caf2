"""The benchmark of the trace form compares before it times, and a wrong method stops it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from derivations.formulas.trace_form import trace_form

ROOT = Path(__file__).parents[2]
POINTS = [(-1.2, 0.3), (0.0, 0.0), (0.4, -0.2)]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.trace_form")


def test_all_methods_give_the_same_loss(benchmark: Any) -> None:
    pair = benchmark.covariances(12)
    form = trace_form("eq14", {**benchmark.SIZES, "Sigma": pair[0], "Sigma_w": pair[1]})
    losses = {"matrices": benchmark.by_matrices(*pair), "eigenvalues": benchmark.by_eigenvalues(*pair)}
    assert benchmark.compare(form, losses, POINTS) < 1e-13


def test_a_method_that_differs_is_not_timed(benchmark: Any) -> None:
    pair = benchmark.covariances(12)
    form = trace_form("eq14", {**benchmark.SIZES, "Sigma": pair[0], "Sigma_w": pair[1]})
    true = benchmark.by_matrices(*pair)
    with pytest.raises(ValueError, match="nothing is timed"):
        benchmark.compare(form, {"matrices": lambda t, r: true(t, r) * (1 + 1e-9)}, POINTS)
