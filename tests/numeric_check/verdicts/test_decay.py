"""Exponents of decay are recovered, and noise or a wrong claim is not confirmed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.decay import decay_rate, judge_decay

SIZES = [1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize("exponent", [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5])
def test_exact_power_laws(exponent: float) -> None:
    slope, error = decay_rate(SIZES, [-3 * x**exponent for x in SIZES], [0.0] * 5)
    assert slope == pytest.approx(exponent, abs=1e-12)
    assert error < 1e-12
    assert judge_decay(slope, error, exponent, sharp=True).status == "agree"
    assert judge_decay(slope, error, exponent - 0.5, sharp=True).status == "disagree"
    assert judge_decay(slope, error, exponent + 0.5, sharp=True).status == "disagree"
    assert judge_decay(slope, error, exponent - 0.5).status == "disagree"
    assert judge_decay(slope, error, exponent + 0.5).status == "agree"


def test_the_error_of_a_noisy_fit_is_its_standard_deviation() -> None:
    truth = np.array([x**-1.0 for x in SIZES])
    stderrs = 0.03 * truth
    fits = []
    for repeat in range(400):
        noisy = truth + stderrs * generator_for("decay", repeat).standard_normal(5)
        fits.append(decay_rate(SIZES, noisy.tolist(), stderrs.tolist()))
    slopes, errors = np.array(fits).T
    assert abs(slopes.mean() + 1) < 5 * slopes.std() / 20
    # the error is widened where the scatter exceeds expectation, so it is right or a little large
    assert 0.95 < errors.mean() / slopes.std() < 1.4


def test_residuals_lost_in_noise_are_inconclusive() -> None:
    residuals = [1.0, 0.5, 0.25, 0.125, 0.0625]
    stderrs = [0.01, 0.01, 0.01, 0.01, 0.0126]
    slope, error = decay_rate(SIZES, residuals, stderrs)
    assert math.isnan(slope)
    assert judge_decay(slope, error, -1.0).status == "inconclusive"
    stderrs[-1] = 0.01
    assert judge_decay(*decay_rate(SIZES, residuals, stderrs), -1.0).status == "agree"


def test_zero_and_nan_residuals_are_inconclusive() -> None:
    for bad in (0.0, math.nan, math.inf):
        assert judge_decay(*decay_rate([1, 2, 4], [1.0, 0.5, bad], [0.0] * 3), -1.0).status == "inconclusive"


def test_too_large_an_error_is_inconclusive() -> None:
    assert judge_decay(-1.0, 0.1, -1.0).status == "inconclusive"
    assert judge_decay(-1.2, 0.05, -1.0, sharp=True).status == "inconclusive"
    assert judge_decay(-0.7, 0.05, -1.0).status == "inconclusive"


def test_slow_convergence_to_the_exponent_is_recognised() -> None:
    # slopes -0.76, -0.87, -0.93, -0.96: first order with a correction
    residuals = [1 / (x + 0.6) for x in SIZES]
    slope, error = decay_rate(SIZES, residuals, [0.0] * 5)
    assert judge_decay(slope, error, -1.0).status == "agree"
    assert judge_decay(slope, error, -1.5).status == "disagree"


@pytest.mark.parametrize(
    ("sizes", "residuals", "stderrs", "said"),
    [
        ([1, 2], [1, 1], [0, 0], "at least three"),
        ([1, 2, 3], [1, 1], [0, 0, 0], "as many of each"),
        ([1, 2, 2], [1, 1, 1], [0, 0, 0], "distinct"),
        ([0, 1, 2], [1, 1, 1], [0, 0, 0], "positive"),
        ([1, 2, 3], [1, 1, 1], [0, 0.1, 0.1], "all positive"),
        ([1, 2, 3], [1, 1, 1], [-1, 0.1, 0.1], "all positive"),
    ],
)
def test_bad_input_is_refused(
    sizes: list[float], residuals: list[float], stderrs: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        decay_rate(sizes, residuals, stderrs)


def test_a_negative_error_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        judge_decay(-1.0, -0.1, -1.0)


@pytest.mark.parametrize(
    ("sharp", "within", "said"),
    [
        (False, 0.25, "exponent -3.114 +- 0.02 against -2.5, a bound: 0.25 above it are allowed"),
        (True, 0.08, "exponent -3.114 +- 0.02 against -2.5: 0.08 either way are allowed"),
    ],
)
def test_the_reason_says_what_is_allowed(sharp: bool, within: float, said: str) -> None:
    assert judge_decay(-3.114, 0.02, -2.5, sharp=sharp, within=within).reason == said
