"""What is conjectured of the exact deviation below p = n_v m, at a hundred random sizes, and what is false of it.

Conjectured: its part due to label noise is larger at a positive rate than at the same negative one. The part due to the tasks is
not ordered so: at n_t = 4, n_v = 2, m = 10, p = 8 it is larger at -0.4 than at 0.4.
"""

from __future__ import annotations

import random
from functools import partial
from math import inf

import pytest

from numeric_check.draws.estimate import Estimate
from numeric_check.estimators import conditional
from numeric_check.estimators.differences import changes, rate_scale
from numeric_check.estimators.simulation import batch_draws, run_until
from numeric_check.estimators.tails import mean_is_finite
from numeric_check.problem.setting import Setting

COUNT, MOST_DRAWS = 100, 200_000


def change(setting: Setting, rate: float) -> Estimate:
    """The deviation at another rate minus that at the setting's, at the same inputs."""
    return run_until(
        partial(
            changes,
            conditional.excess,
            setting=setting,
            draws=batch_draws(setting, "excess", "conditional"),
            rate=rate,
        ),
        rel_error=0.1,
        seed_text=f"below/{rate!r}/{setting.fingerprint}",
        max_draws=MOST_DRAWS,
        max_seconds=inf,
    )


def random_setting(generator: random.Random) -> Setting:
    """Label noise alone, at random sizes below p = n_v m with a finite mean at rates of both signs, and a negative rate."""
    while True:
        n_t, n_v, m = generator.randint(1, 12), generator.randint(1, 5), generator.randint(3, 12)
        if n_v * m < 6:
            continue
        p = generator.randint(1, n_v * m - 4)
        found = Setting(n_t=n_t, n_v=n_v, n_r=3, m=m, p=p, sigma=1.0, nu=0.0, alpha_t=0.1, alpha_r=0.0)
        rate = generator.uniform(0.3, 2.0) * rate_scale(found)
        settings = [Setting(n_t, n_v, 3, m, p, 1.0, 0.0, side * rate, 0.0) for side in (-1, 1)]
        if all(map(mean_is_finite, settings)):
            return settings[0]


@pytest.mark.slow(30)
def test_label_noise_costs_more_at_the_positive_rate_at_a_hundred_random_sizes() -> None:
    generator, undecided = random.Random(9), []
    for _ in range(COUNT):
        setting = random_setting(generator)
        found = change(setting, -setting.alpha_t)
        undecided += [(setting, found)] if not found.mean > 5 * found.stderr else []
    assert undecided == []


def test_the_part_due_to_the_tasks_is_not_ordered_so() -> None:
    setting = Setting(n_t=4, n_v=2, n_r=3, m=10, p=8, sigma=0.0, nu=1.0, alpha_t=-0.4, alpha_r=0.0)
    found = change(setting, 0.4)
    assert found.mean < -5 * found.stderr
