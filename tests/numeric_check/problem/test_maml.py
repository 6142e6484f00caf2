"""The meta-learning problem: exact solution, gradients, training to convergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.problem import maml
from numeric_check.problem.maml import (
    ConvergenceError,
    draw_meta_data,
    gradient_descent_outer,
    inner_loop,
    meta_gradient,
    meta_loss,
    outer_map,
    solve_outer,
    target_loss,
)
from numeric_check.problem.setting import Setting

OVER: dict[str, Any] = {
    "n_t": 5,
    "n_v": 2,
    "n_r": 4,
    "m": 3,
    "p": 10,
    "sigma": 0.5,
    "nu": 0.8,
    "alpha_t": 0.2,
    "alpha_r": 0.1,
}
UNDER = OVER | {"n_v": 6, "p": 4}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"alpha_t": -0.4},
    {"alpha_t": 0.0},
    {"inner_steps": 3},
    {"noise_val": 0.1},
    {"inputs": "laplace"},
    {"split": "reused", "n_t": 3, "n_v": 3},
]
CASES = [Setting(**{**base, **change}) for base in (OVER, UNDER) for change in VARIANTS]


def case(setting: Setting, batch: int = 3) -> tuple[maml.MetaData, np.ndarray]:
    generator = generator_for(f"maml/{setting.fingerprint}")
    omega_0 = generator.standard_normal(setting.p)
    return draw_meta_data(generator, setting, np.ones(setting.p), batch), omega_0


def name(setting: Setting) -> str:
    return f"{setting.regime}-{setting.alpha_t}-{setting.inner_steps}-{setting.split}-{setting.inputs}"


@pytest.mark.parametrize("setting", CASES, ids=name)
def test_gradient_is_that_of_the_loss(setting: Setting) -> None:
    data, omega = case(setting)
    gradient = meta_gradient(omega, data, setting)
    step = 1e-6
    for k, direction in enumerate(np.eye(setting.p)):
        above = meta_loss(omega + step * direction, data, setting)
        below = meta_loss(omega - step * direction, data, setting)
        assert gradient[:, k] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("setting", CASES, ids=name)
def test_no_change_improves_the_exact_solution(setting: Setting) -> None:
    data, omega_0 = case(setting)
    best = solve_outer(data, setting, omega_0)
    lowest = meta_loss(best, data, setting)
    assert np.abs(meta_gradient(best, data, setting)).max() < 1e-10
    generator = generator_for("perturb")
    for size in (1e-3, 0.1, 10.0):
        for _ in range(20):
            other = best + size * generator.standard_normal(setting.p)
            assert (meta_loss(other, data, setting) >= lowest - 1e-14).all()


@pytest.mark.parametrize("setting", CASES, ids=name)
def test_residual_is_affine_with_the_map_found(setting: Setting) -> None:
    data, omega = case(setting)
    b, gamma = outer_map(data, setting)
    half_mean_square = np.square(gamma - b @ omega).sum(axis=-1) / (2 * setting.n_v * setting.m)
    assert meta_loss(omega, data, setting) == pytest.approx(half_mean_square)


@pytest.mark.parametrize("setting", CASES[:6], ids=name)
def test_overparameterized_solution_fits_and_stays_nearest(setting: Setting) -> None:
    data, omega_0 = case(setting)
    best = solve_outer(data, setting, omega_0)
    assert np.abs(meta_loss(best, data, setting)).max() < 1e-20
    b, _ = outer_map(data, setting)
    null = np.eye(setting.p) - np.linalg.pinv(b) @ b
    # the null-space component of omega_0 is untouched, so any other minimizer is farther away
    assert np.abs(np.einsum("bpq,bq->bp", null, best - omega_0)).max() < 1e-10
    assert np.abs(np.einsum("bpq,q->bp", null, omega_0)).max() > 0.1


@pytest.mark.parametrize("setting", CASES[7:13], ids=name)
def test_underparameterized_solution_forgets_omega_0(setting: Setting) -> None:
    data, omega_0 = case(setting)
    assert solve_outer(data, setting, omega_0) == pytest.approx(solve_outer(data, setting, 0 * omega_0))


@pytest.mark.parametrize("setting", [CASES[k] for k in (0, 1, 3, 7, 8)], ids=name)
def test_gradient_descent_converges_to_the_exact_solution(setting: Setting) -> None:
    data, omega_0 = case(setting, batch=1)
    single = maml.MetaData(*(array[0] for array in (data.x_t, data.y_t, data.x_v, data.y_v)))
    reached = gradient_descent_outer(single, setting, omega_0, tolerance=1e-12)
    assert reached == pytest.approx(solve_outer(single, setting, omega_0), abs=1e-6)


def test_gradient_descent_says_when_it_has_not_converged() -> None:
    data, omega_0 = case(CASES[0], batch=1)
    single = maml.MetaData(*(array[0] for array in (data.x_t, data.y_t, data.x_v, data.y_v)))
    with pytest.raises(ConvergenceError, match="raise max_steps"):
        gradient_descent_outer(single, CASES[0], omega_0, max_steps=3)


def test_inner_loop_is_gradient_descent_on_the_mean_squared_error() -> None:
    generator = generator_for("inner")
    x, y, theta = (generator.standard_normal(shape) for shape in ((6, 4), (6, 1), (4, 1)))
    by_hand = theta
    for _ in range(3):
        step = 1e-6
        gradient = np.array(
            [
                (
                    np.square(y - x @ (by_hand + step * e)).sum()
                    - np.square(y - x @ (by_hand - step * e)).sum()
                )
                / (2 * 6 * 2 * step)
                for e in np.eye(4)[:, :, None]
            ]
        )
        by_hand = by_hand - 0.3 * gradient[:, None]
    assert inner_loop(theta, x, y, 0.3, 3) == pytest.approx(by_hand, abs=1e-7)


def test_reused_data_are_the_same_arrays() -> None:
    data, _ = case(CASES[6])
    assert data.x_v is data.x_t
    assert data.y_v is data.y_t


def test_reused_overparameterized_optimum_does_not_depend_on_the_rate() -> None:
    first = Setting(**{**OVER, "split": "reused", "n_t": 3, "n_v": 3, "inner_steps": 2})
    data, omega_0 = case(first)
    expected = solve_outer(data, first, omega_0)
    for rate in (-1.0, 0.0, 0.5):
        other = Setting(**{**OVER, "split": "reused", "n_t": 3, "n_v": 3, "alpha_t": rate})
        assert solve_outer(data, other, omega_0) == pytest.approx(expected)


def test_target_loss_of_the_true_mean_without_variability_is_label_noise() -> None:
    setting = Setting(**{**OVER, "nu": 0.0, "alpha_r": 0.0})
    w_0 = np.ones(setting.p)
    losses = target_loss(generator_for("target"), setting, np.tile(w_0, (400, 1)), w_0, 20)
    assert abs(losses.mean() - setting.sigma**2 / 2) < 5 * losses.std() / 20


def test_a_wrong_solution_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "numeric_check.problem.maml.pseudo_inverses", lambda b, rate: (1.01 * np.linalg.pinv(b), 0)
    )
    with pytest.raises(AssertionError):
        test_no_change_improves_the_exact_solution(CASES[0])
