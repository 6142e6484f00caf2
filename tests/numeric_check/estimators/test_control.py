"""Control variates: exact means, less variance, no bias."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numeric_check.draws.estimate import Moments
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import control
from numeric_check.estimators.conditional import excess
from numeric_check.estimators.task_maps import draw_task_maps
from numeric_check.problem.setting import Setting

OVER = Setting(n_t=30, n_v=2, n_r=20, m=3, p=60, sigma=1, nu=0.5, alpha_t=0.2, alpha_r=0.2)
UNDER = Setting(n_t=5, n_v=8, n_r=4, m=3, p=5, sigma=0.7, nu=0.6, alpha_t=-0.2, alpha_r=0.1)
# far from the poles, where the expansion that the controls begin is of use
LARGE = replace(UNDER, m=12)
SPREAD = np.diag([0.5, 1.0, 1.5, 2.0, 0.3]) + 0.1
CASES = [
    replace(OVER, p=12, n_t=6),
    UNDER,
    replace(UNDER, inputs="rademacher"),
    replace(UNDER, inputs="laplace", Sigma=SPREAD),
    replace(UNDER, Sigma=SPREAD, Sigma_w=SPREAD / 5),
    replace(OVER, p=5, n_v=1, m=2, n_t=3, Sigma=SPREAD),
    replace(OVER, p=12, n_t=6, inner_steps=2),
    replace(UNDER, inner_steps=2),
    replace(UNDER, n_t=3, inner_steps=3, alpha_t=0.1),
    replace(OVER, p=12, n_t=3, n_v=3, split="reused"),
    replace(UNDER, n_t=8, split="reused"),
    replace(UNDER, n_t=3, n_v=3, split="reused", inner_steps=2),
]


def sigmas_off(setting: Setting) -> float:
    drawn = control.features(draw_task_maps(generator_for("features"), setting, 40_000), setting)
    stderr = drawn.std(axis=0) / math.sqrt(len(drawn))
    return float((np.abs(drawn.mean(axis=0) - control.means(setting)) / stderr).max())


@pytest.mark.parametrize("setting", CASES, ids=range(len(CASES)))
def test_features_have_the_stated_means(setting: Setting) -> None:
    assert sigmas_off(setting) < 5


def test_a_wrong_mean_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    true_noise = control.one_step_noise
    monkeypatch.setattr(control, "one_step_noise", lambda *arguments: 1.03 * true_noise(*arguments))
    assert sigmas_off(replace(UNDER, inputs="rademacher")) > 5


@pytest.mark.parametrize("change", [{"inner_steps": 2}, {"split": "reused", "n_t": 8, "inner_steps": 2}])
def test_means_of_another_number_of_steps_are_caught(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = replace(UNDER, **change)
    wrong = control.means(replace(setting, inner_steps=3))
    monkeypatch.setattr(control, "means", lambda _: wrong)
    assert sigmas_off(setting) > 5


@pytest.mark.parametrize(
    ("setting", "gain"),
    [
        (OVER, 4.0),
        (replace(UNDER, m=8), 1.15),
        (replace(LARGE, inner_steps=2, alpha_t=0.05), 25.0),
        (replace(LARGE, n_t=8, split="reused"), 7.0),
    ],
    ids=["over", "under", "two steps", "reused"],
)
def test_less_variance_and_the_same_mean(setting: Setting, gain: float) -> None:
    fitted = control.fit(generator_for("fit"), setting, "excess", 512, 128)
    with_control = control.controlled(generator_for("with"), setting, "excess", fitted, 20_000)
    without = excess(generator_for("without"), setting, 20_000)
    assert without.var() > gain * with_control.var()
    first, second = Moments.of(with_control).estimate(), Moments.of(without).estimate()
    assert abs(first.mean - second.mean) < 5 * math.hypot(first.stderr, second.stderr)


@pytest.mark.parametrize(
    "change",
    [
        {"inner_steps": 2, "inputs": "uniform"},
        {"inner_steps": 2, "Sigma": SPREAD},
        {"inner_steps": 5},
        {"split": "reused", "n_t": 8, "inputs": "rademacher"},
    ],
)
def test_where_means_are_unknown_it_does_not_apply(change: dict[str, object]) -> None:
    assert control.applies(UNDER)
    assert not control.applies(replace(UNDER, **change))


def test_features_that_do_not_vary_get_no_weight() -> None:
    fitted = control.fit(generator_for("fit"), replace(UNDER, alpha_t=0.0), "loss", 256, 256)
    assert fitted[1] == 0.0
    assert np.isfinite(fitted).all()


def test_features_whose_spread_few_draws_make_up_get_no_weight() -> None:
    """At three steps and a large rate the traces of M S are carried by single draws; with few tasks beside them the others stay."""
    wild = Setting(
        n_t=5, n_v=25, n_r=10, m=40, p=30, sigma=0.2, nu=0.2, alpha_t=0.16, alpha_r=0.2, inner_steps=3
    )
    fitted = control.fit(generator_for("few draws"), wild, "loss", 512, 16)
    assert fitted[-2:] == (0.0, 0.0)
    assert all(fitted[:3])
    tame = control.fit(generator_for("fit"), replace(wild, alpha_t=0.02), "loss", 256, 16)
    assert all(tame)


def test_a_feature_far_from_its_mean_gets_no_weight() -> None:
    """Draws whose mean is ten standard errors from the exact one do not see what carries that."""
    draws = np.random.default_rng(0).standard_normal((400, 2)) + np.array([0.0, 0.5])
    found = control.explaining(draws, draws @ np.array([2.0, 3.0]), 0.1)
    assert found[0] != 0.0
    assert found[1] == 0.0
