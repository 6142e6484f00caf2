"""The closed-form averages agree with the plain experiment, in both regimes and under each assumption."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import conditional, control, plain, target_loss
from numeric_check.estimators.simulation import simulate
from numeric_check.estimators.task_maps import draw_task_maps
from numeric_check.problem.impossible import Impossible
from numeric_check.problem.samplers import inputs
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge


def spread(p: int, seed: str) -> np.ndarray:
    factor = generator_for(seed).standard_normal((p, p))
    return factor @ factor.T / p + 0.3 * np.eye(p)


OVER = Setting(n_t=5, n_v=2, n_r=5, m=2, p=12, sigma=0.4, nu=0.9, alpha_t=0.15, alpha_r=0.1, n_s=5)
UNDER = Setting(n_t=5, n_v=6, n_r=5, m=4, p=5, sigma=0.6, nu=0.6, alpha_t=0.15, alpha_r=0.1, n_s=5)
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {},
    "negative rate": {"alpha_t": -0.3},
    "distance": {"dist0_sq": 0.8},
    "inner steps": {"inner_steps": 3, "alpha_t": -0.1},
    "adaptation steps": {"adaptation_steps": 3},
    "reused": {"split": "reused"},
    "validation noise": {"noise_val": 0.1},
    "rademacher": {"inputs": "rademacher"},
    "uniform": {"inputs": "uniform", "dist0_sq": 0.5},
    "laplace": {"inputs": "laplace"},
    "kurtosis": {"inputs": "kurtosis:2.5"},
    "covariance": {"Sigma": spread},
    "both covariances": {"Sigma": spread, "Sigma_w": spread},
    "covariance, uniform": {"Sigma": spread, "inputs": "uniform"},
    "covariance, steps": {"Sigma": spread, "inner_steps": 2, "adaptation_steps": 2},
    "task covariance": {"Sigma_w": spread},
}


def varied(base: Setting, change: dict[str, Any]) -> Setting:
    values = {key: value(base.p, key) if callable(value) else value for key, value in change.items()}
    if "Sigma_w" in values:
        values["Sigma_w"] = 0.1 * values["Sigma_w"]
    if change.get("split") == "reused":
        values["n_v"] = values["n_t"] = base.n_v
    return replace(base, **values)


FAST = [(OVER, "paper"), (OVER, "reused"), (UNDER, "inner steps"), (UNDER, "both covariances")]
SLOW = [(base, name) for base in (OVER, UNDER) for name in VARIANTS]


def label(value: object) -> str:
    return value.regime if isinstance(value, Setting) else str(value)


def agreement(setting: Setting, quantity: str, rel_error: float = 0.004, draws: int = 400_000) -> None:
    """Both protocols give one number, resolved to 2 %."""
    exact = simulate(setting, quantity, rel_error=rel_error / 2, max_draws=draws)
    plain = simulate(setting, quantity, protocol="plain", rel_error=rel_error, max_draws=draws)
    stderr = math.hypot(exact.stderr, plain.stderr)
    assert stderr <= 1.2 * rel_error * abs(exact.mean)
    assert abs(exact.mean - plain.mean) <= 5 * stderr, (exact, plain)


@pytest.mark.parametrize(("base", "variant"), FAST, ids=label)
def test_excess_agrees_with_the_plain_experiment(base: Setting, variant: str) -> None:
    agreement(varied(base, VARIANTS[variant]), "excess")


@pytest.mark.parametrize(("base", "variant"), [(UNDER, "paper"), (UNDER, "adaptation steps")], ids=label)
def test_loss_agrees_with_the_plain_experiment(base: Setting, variant: str) -> None:
    agreement(varied(base, VARIANTS[variant]), "loss")


@pytest.mark.slow
@pytest.mark.parametrize(("base", "variant"), SLOW, ids=label)
def test_both_protocols_agree_under_every_assumption(base: Setting, variant: str) -> None:
    agreement(varied(base, VARIANTS[variant]), "loss")


def test_a_forgotten_noise_path_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_path(maps: Any, setting: Setting) -> np.ndarray:
        return setting.sigma**2 * np.eye(maps.b.shape[-2])

    monkeypatch.setattr(conditional, "noise_covariance", without_path)
    with pytest.raises(AssertionError):
        agreement(replace(UNDER, alpha_t=-0.3), "excess")


def figure(setting: Setting) -> Estimate:
    return simulate(setting, "excess", rel_error=0.001)


@pytest.mark.parametrize(
    ("setting", "measured"),
    [
        # the exact values at alpha_t = 0, by a Schur complement and by a matrix-variate beta law
        (Setting(5, 5, 5, 5, 50, 0.5, 0.5, 0.0, 0.2, dist0_sq=0.5), 0.739583),
        (Setting(5, 10, 5, 10, 50, 0.5, 0.5, 0.0, 0.2), 0.509558),
    ],
    ids=["over", "under"],
)
def test_known_values_at_rate_zero(setting: Setting, measured: float) -> None:
    estimate = figure(setting)
    assert judge(estimate.mean, estimate.stderr, measured).status == "agree"
    assert judge(estimate.mean, estimate.stderr, 1.01 * measured).status == "disagree"


@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
def test_slope_at_zero(law: str) -> None:
    # d loss / d alpha_t at 0 is h_r sigma^2 E Tr (X X^T)^+, the latter sampled here from its definition
    setting = replace(OVER, p=30, alpha_t=0.0, inputs=law)
    slope = simulate(setting, "slope", rel_error=0.006)
    stacked = inputs(generator_for(f"slope/{law}"), setting, 10_000, setting.n_v * setting.m)
    traces = np.square(np.linalg.pinv(stacked, rcond=1e-9)).sum(axis=(1, 2))
    h_r = target_loss.one_step_weight(setting, setting.alpha_r, setting.n_r)[0, 0]
    expected = h_r * setting.sigma**2 * traces.mean()
    error = math.hypot(slope.stderr, expected * traces.std() / traces.mean() / math.sqrt(traces.size))
    assert judge(slope.mean, error, expected, resolution=0.04 * expected).status == "agree"


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "laplace", "kurtosis:2.5"])
@pytest.mark.parametrize("covariance", [False, True])
def test_one_step_weight_is_the_sampled_one(law: str, covariance: bool) -> None:
    setting = replace(OVER, p=4, n_r=3, alpha_r=0.3, inputs=law, Sigma=spread(4, law) if covariance else None)
    weight, gain = target_loss.sampled_weight(generator_for(f"weight/{law}/{covariance}"), setting, 100_000)
    exact = target_loss.one_step_weight(setting, setting.alpha_r, setting.n_r)
    assert (np.abs(weight.mean(0) - exact) < 5 * weight.std(0) / math.sqrt(100_000) + 1e-12).all()
    expected = target_loss.one_step_noise(setting, setting.alpha_r, setting.n_r)
    assert abs(gain.mean() - expected) < 5 * gain.std() / math.sqrt(100_000) + 1e-12


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_target_is_the_same_at_every_training_rate(steps: int) -> None:
    """Draw by draw the loss is linear in the excess, with one slope at all rates: else differences of losses drown."""
    settings = [replace(OVER, adaptation_steps=steps, alpha_t=rate) for rate in (-0.3, 0.0, 0.4)]
    (low, zero, high), (below, at, above) = (
        [estimator(generator_for("common"), setting, 40) for setting in settings]
        for estimator in (conditional.loss, conditional.excess)
    )
    assert (low - zero) / (below - at) == pytest.approx((high - zero) / (above - at), rel=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("n_r", [3, 9])
def test_scale_is_the_trace_of_the_weight(steps: int, n_r: int) -> None:
    setting = replace(OVER, p=5, n_r=n_r, adaptation_steps=steps)
    traces, _ = target_loss.traces(generator_for("scale"), setting, 50)
    weight, gain = target_loss.sampled_weight(generator_for("scale"), setting, 50)
    assert traces[:, 0] == pytest.approx(np.trace(weight, axis1=1, axis2=2))
    assert traces[:, 1] == pytest.approx(gain)


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "laplace", "kurtosis:2.5", "student:4"])
def test_the_scale_keeps_its_mean_without_what_the_traces_explain(law: str) -> None:
    draws, setting = 40_000, replace(OVER, p=5, n_r=9, adaptation_steps=3, inputs=law)
    found = np.stack(target_loss.sampled_scale(generator_for("controlled"), setting, draws), axis=1)
    plain, _ = target_loss.traces(generator_for("plain"), setting, draws)
    plain[:, 0] /= setting.p
    error = np.hypot(found.std(axis=0), plain.std(axis=0)) / math.sqrt(draws)
    assert (np.abs(found.mean(axis=0) - plain.mean(axis=0)) < 5 * error).all()
    if law != "student:4":
        assert (found.std(axis=0) < 0.5 * plain.std(axis=0)).all()


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "laplace", "kurtosis:2.5"])
def test_the_scale_of_one_step_is_explained_entirely(law: str) -> None:
    setting = replace(OVER, p=5, n_r=4, alpha_r=0.3, inputs=law)
    scale, gain = target_loss.sampled_scale(generator_for("one step"), setting, 50)
    weight = target_loss.one_step_weight(setting, setting.alpha_r, setting.n_r)
    assert scale == pytest.approx(weight[0, 0])
    assert gain == pytest.approx(target_loss.one_step_noise(setting, setting.alpha_r, setting.n_r))


def test_an_atomic_law_can_lose_rank_and_is_still_solved() -> None:
    setting = replace(OVER, p=5, alpha_t=0.0, inputs="kurtosis:4", dist0_sq=1.0)
    agreement(setting, "excess", rel_error=0.006)


def _smallest(alpha_t: float) -> Setting:
    return Setting(
        n_t=1, n_v=1, n_r=3, m=2, p=3, sigma=1, nu=0, alpha_t=alpha_t, alpha_r=0, inputs="rademacher"
    )


@pytest.mark.parametrize("alpha_t", [1e-4, 1e-7])
def test_a_rank_that_a_small_rate_adds_is_not_lost(alpha_t: float) -> None:
    """All 8^3 signs at p = 3 in rational arithmetic: the mean is 3/64 alpha_t^-2 to leading order."""
    found = conditional.loss(generator_for("small rates"), _smallest(alpha_t), 200_000)
    stderr = found.std() / math.sqrt(len(found))
    assert abs(found.mean() - 3 / 64 / alpha_t**2) < 5 * stderr < 0.1 / alpha_t**2


@pytest.mark.parametrize("alpha_t", [1e-11, -1e-14, 1e-20])
def test_a_rank_that_rounding_hides_is_refused(alpha_t: float) -> None:
    for loss in (conditional.loss, plain.plain_loss):
        with pytest.raises(Impossible, match="rounding hides whether the data determine"):
            loss(generator_for("small rates"), _smallest(alpha_t), 1000)


@pytest.mark.parametrize("alpha_t", [-1.5, -0.7, 0.2])
def test_badly_conditioned_draws_are_those_of_a_hundred_digits(alpha_t: float) -> None:
    """Six inner steps make one direction of B up to ten orders of magnitude longer than others."""
    setting = Setting(n_t=1, n_v=2, n_r=3, m=2, p=9, sigma=1, nu=1, alpha_t=alpha_t, alpha_r=0, inner_steps=6)
    maps = draw_task_maps(generator_for("ill"), setting, 8)
    found = conditional.weighted_excess(maps, setting)
    with mpmath.workdps(100):
        for draw in range(8):
            b = mpmath.matrix(maps.b[draw].reshape(4, 9).tolist())
            gamma = mpmath.eye(4)
            for task in range(2):
                own, path = (mpmath.matrix(one[draw][task].tolist()) for one in maps)
                block = own * own.T / 9 + path * path.T
                for i, j in np.ndindex(2, 2):
                    gamma[2 * task + i, 2 * task + j] += block[i, j]
            left = b.T * mpmath.inverse(b * b.T)
            whole = left * gamma * left.T
            assert found[draw] == pytest.approx(float(sum(whole[k, k] for k in range(9))), rel=1e-5)


def test_a_control_whose_mean_no_draw_sees_is_left_out() -> None:
    setting = Setting(n_t=1, n_v=6, n_r=3, m=6, p=3, sigma=1, nu=1, alpha_t=-30, alpha_r=0, inner_steps=4)
    assert not any(control.fit(generator_for("unseen means"), setting, "loss", 512, 512))


@pytest.mark.parametrize("n_v", [2, 8])
def test_a_singular_covariance_is_solved_in_its_range(n_v: int) -> None:
    singular = np.diag([1.0, 2.0, 0.5, 1.5, 1.0, 0.7, 0.9, 1.1, 0.0, 0.0])
    agreement(replace(OVER, p=10, n_v=n_v, Sigma=singular), "excess")


def test_reused_overparameterized_excess_ignores_the_rate() -> None:
    first = varied(OVER, {"split": "reused", "inner_steps": 2})
    drawn = [
        conditional.excess(generator_for("reused"), replace(first, alpha_t=rate), 50)
        for rate in (-0.5, 0.0, 0.7)
    ]
    # two inner steps leave some draws badly conditioned
    assert drawn[0] == pytest.approx(drawn[1], rel=1e-3)
    assert drawn[0] == pytest.approx(drawn[2], rel=1e-3)


def test_many_validation_points_need_no_large_matrices() -> None:
    # n_v m = 400,000 equations in 5 unknowns: a matrix of that size would need a terabyte
    setting = replace(UNDER, n_v=100_000)
    assert conditional.excess(generator_for("large"), setting, 4).shape == (4,)
