"""Where means and variances exist, and what is done where they do not."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.simulation import simulate
from numeric_check.estimators.tails import mean_is_finite, tail_exponent, task_exponent, variance_is_finite
from numeric_check.estimators.task_maps import direct_task_maps
from numeric_check.problem.setting import Setting


def setting(
    n_v: int,
    m: int,
    p: int,
    n_t: int = 5,
    alpha_t: float = 0.6,
    sigma: float = 1.0,
    law: str = "gaussian",
    steps: int = 1,
) -> Setting:
    return Setting(n_t, n_v, 3, m, p, sigma, 1.0, alpha_t, 0.1, inputs=law, inner_steps=steps)


@pytest.mark.parametrize(
    ("case", "mean", "variance"),
    [
        (setting(2, 2, 4), False, False),
        (setting(2, 2, 5), False, False),
        (setting(2, 2, 3), False, False),
        (setting(2, 2, 6), True, False),
        (setting(2, 2, 7), True, False),
        (setting(2, 2, 8), True, True),
        (setting(5, 4, 16), True, True),
        (setting(8, 1, 2), False, False),  # a single task whose A can be singular
        (setting(8, 1, 2, alpha_t=-0.6), True, True),
        (setting(8, 1, 2, alpha_t=0.0), True, True),
        (setting(8, 3, 4), True, True),
        (setting(2, 1, 2, sigma=0.0), True, True),
        (setting(2, 2, 5, sigma=0.0), False, False),
        # tasks that are all alike, without label noise
        (replace(setting(2, 2, 5, sigma=0.0), nu=0.0), True, True),
        (replace(setting(2, 2, 5), nu=0.0), False, False),
        (setting(2, 2, 4, law="rademacher"), True, True),
        (setting(1, 1, 3, n_t=2, steps=2), True, False),
        (setting(1, 1, 3, n_t=2, steps=3), False, False),
        (setting(1, 1, 3, n_t=1, steps=8), True, False),
        (setting(1, 1, 3, n_t=2, steps=3, sigma=0.0), True, True),
        (setting(1, 2, 4, steps=5), False, False),
        (setting(1, 2, 4, steps=4), True, False),
        (setting(2, 1, 6, n_t=4, steps=8), True, False),
        (setting(2, 1, 6, n_t=5, steps=8), False, False),
        (setting(2, 1, 6, n_t=5, steps=8, alpha_t=-0.6), True, True),
    ],
)
def test_existence(case: Setting, mean: bool, variance: bool) -> None:
    assert mean_is_finite(case) is mean
    assert variance_is_finite(case) is variance


def test_an_infinite_mean_is_refused() -> None:
    for case in (setting(2, 2, 4), setting(8, 1, 2), setting(1, 1, 3, steps=3)):
        for protocol in ("conditional", "plain"):
            with pytest.raises(ValueError, match="the mean is infinite") as caught:
                simulate(case, protocol=protocol)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "case",
    [
        setting(2, 2, 5, n_t=6),
        setting(6, 1, 2),
        setting(8, 2, 2),
        setting(8, 2, 1),
        setting(8, 1, 3, n_t=2),
        setting(2, 1, 4, n_t=6, steps=6),
        setting(1, 1, 3, n_t=2, steps=6),
    ],
    ids=[
        "over",
        "one task",
        "two tasks",
        "one dimension",
        "few points",
        "many steps",
        "many steps, few points",
    ],
)
def test_small_singular_values_are_as_rare_as_said(case: Setting) -> None:
    b = direct_task_maps(generator_for(f"tails/{case.fingerprint}"), case, 200_000).b
    b = b.reshape(len(b), -1, case.p)
    smallest = np.sort(np.linalg.svd(b, compute_uv=False)[:, -1])
    # P(smallest < e) ~ e^a: between the quantiles q and 10 q, e grows by 10^(1/a)
    low, high = smallest[[100, 1000]]
    assert 1 / math.log10(high / low) == pytest.approx(tail_exponent(case), rel=0.2)


def test_the_likeliest_number_of_small_eigenvalues_decides() -> None:
    for steps in range(1, 9):
        for n_t in range(1, 9):
            for room in range(3, 9):
                ways = [Fraction(j * (j + 1), 2 * steps) + room - j for j in range(min(room, n_t) + 1)]
                assert task_exponent(steps, n_t, 4, room + 3) == min(ways)
