"""The gap between the leading order of Theorem 1 and the exact average: its size, its decay, its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from derivations.book_pages.undershoot import Gap, gap, slope


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))


def test_the_formula_undershoots_at_the_sizes_of_figure_2() -> None:
    found = gap("excess", 0.2, rel_error=0.005)
    assert found.resolved
    assert 0.05 < found.relative < 0.2


def test_the_gap_closes_with_the_size() -> None:
    small, large = (gap("excess", 0.2, xi, rel_error=0.004 / xi) for xi in (1, 3))
    assert abs(large.mean - large.theory) < 0.3 * abs(small.mean - small.theory)


def test_a_result_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    first = gap("loss", 0.0, rel_error=0.02)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("sampled again")

    monkeypatch.setattr("numeric_check.estimators.simulation.run_batch", fail)
    assert gap("loss", 0.0, rel_error=0.02) == first


@pytest.mark.parametrize("exponent", [-1.0, -2.0])
def test_the_slope_is_that_of_the_gap(exponent: float) -> None:
    gaps = [
        Gap("excess", 0.2, xi, 0.0, float(xi) ** exponent, 0.001 * float(xi) ** exponent, 1)
        for xi in (1, 2, 4)
    ]
    found, error = slope(gaps)
    assert found == pytest.approx(exponent, abs=5 * error)
