"""The reduction to one task gives what the whole problem gives, by estimators that share nothing with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import reduced
from numeric_check.estimators.simulation import simulate
from numeric_check.problem.setting import Setting

BASE = Setting(
    n_t=9, n_v=2, n_r=8, m=3, p=16, sigma=0.8, nu=0.7, alpha_t=-0.5, alpha_r=0.6, dist0_sq=0.4, n_s=5
)
SETTINGS = {
    "one step": BASE,
    "a positive rate": replace(BASE, alpha_t=0.4),
    "one validation point": replace(BASE, n_v=1, m=5, alpha_t=0.6),
    "three validation points": replace(BASE, n_v=3, p=19),
    "fewer training than validation points": replace(BASE, n_t=2, n_v=4, p=21, alpha_t=0.3),
    "training data with more room than is left": replace(BASE, n_t=25, n_v=5, m=1, p=8, alpha_t=-0.7),
    "two steps": replace(BASE, inner_steps=2, alpha_t=0.3),
    "three steps of one row": replace(BASE, inner_steps=3, n_v=1),
    "more steps than there is room for": replace(BASE, inner_steps=3, n_t=4),
    # where one degree of freedom shows
    "two steps with little room": Setting(
        n_t=6, n_v=2, n_r=5, m=1, p=8, sigma=1.0, nu=0.5, alpha_t=0.5, alpha_r=0.2, inner_steps=2
    ),
    "other noise at validation": replace(BASE, noise_val=0.3),
    "two steps of adaptation": replace(BASE, adaptation_steps=2),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("quantity", ["loss", "excess"])
def test_it_agrees_with_the_conditional_estimator(name: str, quantity: str) -> None:
    setting = SETTINGS[name]
    whole = simulate(setting, quantity, rel_error=1.5e-3, max_seconds=20)
    one = simulate(setting, quantity, protocol="reduced", rel_error=5e-4, max_seconds=20)
    assert abs(one.mean - whole.mean) < 5 * np.hypot(one.stderr, whole.stderr)
    assert 5 * np.hypot(one.stderr, whole.stderr) < 0.015 * whole.mean


@pytest.mark.parametrize("name", ["one step", "two steps", "fewer training than validation points"])
def test_it_agrees_with_the_experiment(name: str) -> None:
    setting = SETTINGS[name]
    plain = simulate(setting, protocol="plain", rel_error=4e-3, max_seconds=30)
    one = simulate(setting, protocol="reduced", rel_error=5e-4)
    assert abs(one.mean - plain.mean) < 5 * np.hypot(one.stderr, plain.stderr)


def test_its_slope_agrees() -> None:
    whole, one = (simulate(BASE, "slope", protocol=way, rel_error=0.01) for way in ("conditional", "reduced"))
    assert abs(one.mean - whole.mean) < 5 * np.hypot(one.stderr, whole.stderr)


@pytest.mark.parametrize("name", SETTINGS)
def test_products_have_mean_zero_and_size_one(name: str) -> None:
    setting, draws = SETTINGS[name], 40_000
    x = reduced.training_inputs(generator_for(f"products/{name}"), setting, draws)
    seen = list(reduced.features(x, setting, 2))
    assert len(seen) == len(reduced.products(setting, 2))
    for feature in seen:
        assert abs(feature.mean()) < 5 * feature.std() / draws**0.5
        assert feature.std() == pytest.approx(1, abs=0.25)


def test_products_are_those_that_signs_leave_alone() -> None:
    setting = replace(BASE, n_v=2)
    free = [variable.freedom > 0 for variable in reduced.variables(setting)]
    assert free == [True, False, True, True, False, True]
    for product in reduced.products(setting, 4):
        assert sum(power for index, power in product if not free[index]) % 2 == 0
    # triangles of three rows are even in every sign
    three = replace(BASE, n_v=3, p=30)
    places = [{variable.row, variable.column} for variable in reduced.variables(three)]
    assert any(
        len(product) == 3 and all(len(places[index]) == 2 and power == 1 for index, power in product)
        for product in reduced._all(reduced.variables(three), 0, 3, (), 0)
    )


@pytest.mark.parametrize("freedom", [0.0, 1.0, 7.0, 30.0])
def test_polynomials_are_orthonormal(freedom: float) -> None:
    # against a sum over a fine grid of the density
    if freedom:
        chi = np.linspace(0, np.sqrt(freedom) + 14, 400_001)[1:]
        weight, values = chi ** (freedom - 1) * np.exp(-(chi**2) / 2), chi**2
    else:
        values = np.linspace(-14, 14, 400_001)
        weight = np.exp(-(values**2) / 2)
    table = np.stack(reduced.polynomials(freedom, values, 6))
    gram = (table * (weight / weight.sum())) @ table.T
    assert np.allclose(gram, np.eye(7), atol=2e-5 if freedom == 1 else 1e-8)


def test_products_take_the_variance_and_leave_the_mean() -> None:
    setting = replace(BASE, n_t=30, p=60, alpha_t=0.2)
    fitted = reduced.fit(generator_for("fit"), setting, "loss", 512, 1024)
    plain = reduced.loss(generator_for("draws"), setting, 20_000)
    less = reduced.controlled(generator_for("draws"), setting, "loss", fitted, 20_000)
    assert fitted[0] >= 3
    assert less.std() < plain.std() / 100
    assert abs(less.mean() - plain.mean()) < 5 * plain.std() / 20_000**0.5


def test_wild_polynomials_are_not_taken() -> None:
    near_a_pole = replace(SETTINGS["one validation point"], n_t=3)
    fitted = reduced.fit(generator_for("fit"), near_a_pole, "loss", 512, 1024)
    plain = reduced.loss(generator_for("draws"), near_a_pole, 20_000)
    less = reduced.controlled(generator_for("draws"), near_a_pole, "loss", fitted, 20_000)
    assert less.std() < 1.1 * plain.std()


@pytest.mark.parametrize(("upper", "lower"), [(1, 0), (0, 2)])
def test_a_wrong_factor_is_noticed(upper: int, lower: int, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = replace(BASE, alpha_t=-2.0, dist0_sq=0.0, nu=0.1)
    right = reduced._freedoms(setting)
    monkeypatch.setattr(reduced, "_freedoms", lambda setting: [(a + upper, b + lower) for a, b in right])
    one = simulate(setting, "excess", protocol="reduced", rel_error=5e-4)
    monkeypatch.undo()
    whole = simulate(setting, "excess", rel_error=2e-3)
    assert abs(one.mean - whole.mean) > 5 * np.hypot(one.stderr, whole.stderr)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": "laplace"},
        {"Sigma": np.eye(16), "dist0_sq": 0.0},
        {"p": 3},
        {"n_v": 9, "split": "reused", "m": 1},
    ],
)
def test_it_is_refused_where_it_does_not_hold(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the reduction is for"):
        simulate(replace(BASE, **change), protocol="reduced")
