"""The located minimum: where it is known, its error bar, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import located_minimum as located_minimum_module
from numeric_check.estimators.differences import Array
from numeric_check.estimators.located_minimum import located_minimum
from numeric_check.estimators.simulation import ESTIMATORS
from numeric_check.problem.setting import Setting

ONE_ROW = Setting(n_t=12, n_v=1, n_r=1, m=1, p=16, sigma=1.0, nu=0.0, alpha_t=0.0, alpha_r=0.0)


def located_by_quadratic_forms(setting: Setting, text: str, draws: int) -> float:
    """With one validation row x three numbers per draw give the loss at every rate; the lowest on a grid.

    It is E (1 + a^2 x^T W x / n_t^2) / |x - a W x / n_t|^2, from the definitions.
    """
    generator = generator_for(text)
    x = generator.standard_normal((draws, setting.p, 1))
    x_t = generator.standard_normal((draws, setting.n_t, setting.p))
    once = np.swapaxes(x_t, 1, 2) @ (x_t @ x) / setting.n_t
    length, first, second = (
        (left * right).sum(axis=(1, 2)) for left, right in ((x, x), (x, once), (once, once))
    )
    rates = np.linspace(-3.0, 0.0, 601)
    curve = [
        ((1 + a**2 / setting.n_t * first) / (length - 2 * a * first + a**2 * second)).mean() for a in rates
    ]
    return float(rates[int(np.argmin(curve))])


def test_minimum_of_one_validation_row() -> None:
    found = located_minimum(ONE_ROW, rel_error=0.005)
    others = np.array([located_by_quadratic_forms(ONE_ROW, f"forms/{k}", 4000) for k in range(8)])
    error = math.hypot(found.stderr, float(others.std(ddof=1)) / math.sqrt(8))
    assert abs(found.mean - others.mean()) < 5 * error
    assert 5 * error < 0.1 * abs(found.mean)


def parabola(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """Curves whose mean is about (rate + 0.7)^2 plus a cubic near its minimum, -0.7, and bounded far out."""
    shift = setting.alpha_t + 0.7
    noise = generator.standard_normal(draws)
    return np.asarray(2 + 0.3 * noise * np.tanh(shift) - np.exp(-(shift**2)) * (1 - shift**3 / 5))


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, ("excess", "conditional"), parabola)


@pytest.mark.usefixtures("_known")
def test_error_bars_mean_what_they_say() -> None:
    found = [located_minimum(ONE_ROW, rel_error=0.01, seed=seed) for seed in range(40)]
    scores = np.array([(estimate.mean + 0.7) / estimate.stderr for estimate in found])
    assert abs(scores.mean()) < 5 * scores.std() / math.sqrt(len(scores))
    assert 0.6 < scores.std() < 1.4
    assert max(estimate.stderr for estimate in found) <= 0.01 * 0.8


@pytest.mark.usefixtures("_known")
def test_same_seed_same_result() -> None:
    def found(seed: int) -> Estimate:
        return located_minimum(ONE_ROW, rel_error=0.05, seed=seed)

    assert found(1) == found(1)
    assert found(1) != found(2)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        # with reused data an interpolating solution does not depend on the rate
        (replace(ONE_ROW, n_v=3, n_t=3, split="reused"), "does not depend on the training rate"),
        (replace(ONE_ROW, n_v=4, m=4, p=16), "the mean is infinite"),
        (replace(ONE_ROW, sigma=0.0, nu=1.0), "does not depend on the training rate"),
    ],
)
def test_refused(setting: Setting, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        located_minimum(setting)


def test_a_minimum_at_infinity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def falling(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
        return np.full(draws, 3.0 - math.atan(setting.alpha_t))

    monkeypatch.setitem(ESTIMATORS, ("excess", "conditional"), falling)
    with pytest.raises(ValueError, match="no minimum at a finite training rate"):
        located_minimum(ONE_ROW)


def test_plain_protocol_finds_the_same_minimum() -> None:
    found = located_minimum(ONE_ROW, protocol="plain", rel_error=0.05)
    known = located_minimum(ONE_ROW, rel_error=0.01)
    assert abs(found.mean - known.mean) < 5 * math.hypot(found.stderr, known.stderr)


@pytest.mark.usefixtures("_known")
def test_from_far_away_the_rate_is_corrected_until_it_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(located_minimum_module, "_pilot", lambda *given: -0.3)
    found = located_minimum(ONE_ROW, rel_error=0.003)
    assert abs(found.mean + 0.7) < 5 * found.stderr < 0.02
