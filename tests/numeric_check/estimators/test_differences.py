"""Derivatives at common random numbers: exact on polynomials, with a small bias on the estimators."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import conditional, plain
from numeric_check.estimators.differences import SLOPE_STEP, Array, changes, curvatures, rate_scale, slopes
from numeric_check.estimators.simulation import simulate
from numeric_check.problem.setting import Setting

OVER = Setting(n_t=8, n_v=2, n_r=6, m=2, p=12, sigma=0.8, nu=0.5, alpha_t=0.3, alpha_r=0.2)
UNDER = replace(OVER, n_v=6, m=4, p=7)


def quadratic(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """a + b rate + c rate^2 with random a, b, c of each draw."""
    a, b, c = generator.standard_normal((3, draws))
    return np.asarray(a + b * setting.alpha_t + c * setting.alpha_t**2)


def test_differences_of_a_quadratic_are_exact_draw_by_draw() -> None:
    _, b, c = generator_for("quadratic").standard_normal((3, 50))
    slope = slopes(quadratic, generator_for("quadratic"), OVER, 50)
    curvature = curvatures(quadratic, generator_for("quadratic"), OVER, 50)
    np.testing.assert_allclose(slope, b + 2 * c * OVER.alpha_t, atol=1e-9)
    np.testing.assert_allclose(curvature, 2 * c, atol=1e-9)


def test_a_change_is_that_of_each_draw() -> None:
    _, b, c = generator_for("quadratic").standard_normal((3, 50))
    found = changes(quadratic, generator_for("quadratic"), OVER, 50, rate=-0.2)
    np.testing.assert_allclose(found, b * (-0.2 - 0.3) + c * (0.04 - 0.09), atol=1e-12)


def test_the_generator_advances_by_one_set_of_draws() -> None:
    one, other = generator_for("advance"), generator_for("advance")
    slopes(quadratic, one, OVER, 10)
    quadratic(other, OVER, 10)
    assert one.random() == other.random()


@pytest.mark.parametrize("setting", [OVER, UNDER, replace(OVER, p=9), replace(OVER, alpha_t=-1.5)])
@pytest.mark.parametrize("estimator", [conditional.loss, plain.plain_loss])
def test_truncation_is_far_below_any_error_bar(setting: Setting, estimator: object) -> None:
    # a central difference is wrong by a multiple of step^2: ten times the step shows a hundred times its bias
    function = {id(conditional.loss): conditional.loss, id(plain.plain_loss): plain.plain_loss}[id(estimator)]
    draws = 64
    fine = slopes(function, generator_for("bias"), setting, draws)
    coarse = slopes(function, generator_for("bias"), setting, draws, step=10 * SLOPE_STEP)
    bias = abs(float((coarse - fine).mean())) / 99
    assert bias < 1e-6 * float(np.abs(fine).mean())


@pytest.mark.parametrize(
    "setting", [pytest.param(replace(OVER, p=30), marks=pytest.mark.slow), replace(UNDER, n_v=12)]
)
def test_slope_is_the_difference_of_independent_losses(setting: Setting) -> None:
    slope = simulate(setting, "slope", rel_error=0.01)
    width = 0.4 * rate_scale(setting)
    rise, total, above, below = 0.0, 0.0, setting.alpha_t + width, setting.alpha_t - width
    for sign, rate in ((1, above), (-1, below)):
        loss = simulate(replace(setting, alpha_t=rate), rel_error=3e-4)
        rise, total = rise + sign * loss.mean, math.hypot(total, loss.stderr)
    # the loss rises over the whole interval, by Simpson's rule as its slopes there say
    ends = [simulate(replace(setting, alpha_t=rate), "slope", rel_error=0.02) for rate in (above, below)]
    expected = 2 * width * (ends[0].mean + 4 * slope.mean + ends[1].mean) / 6
    error = 2 * width * math.hypot(ends[0].stderr, 4 * slope.stderr, ends[1].stderr) / 6
    assert abs(rise - expected) < 5 * math.hypot(error, total) + 0.02 * abs(expected)
    assert 5 * math.hypot(error, total) < 0.2 * abs(expected)


@pytest.mark.slow
def test_plain_and_conditional_slopes_agree() -> None:
    setting = replace(OVER, p=30, alpha_t=0.0)
    known = simulate(setting, "slope", rel_error=0.005)
    found = simulate(setting, "slope", protocol="plain", rel_error=0.04)
    assert abs(found.mean - known.mean) < 5 * math.hypot(found.stderr, known.stderr)
    assert 5 * found.stderr < 0.25 * known.mean
