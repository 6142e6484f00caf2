"""The verdict's truth table, and each of its guards seen failing."""

from __future__ import annotations

import math

import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.verdict import draws_needed, judge

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("mean", "stderr", "value", "resolution", "status"),
    [
        (1.001, 0.001, 1.0, None, "agree"),
        (-1.001, 0.001, -1.0, None, "agree"),
        (1.0049, 0.001, 1.0, None, "agree"),
        (1.006, 0.001, 1.0, None, "disagree"),  # six standard errors
        (1.006, 0.001, 1.0, 0.1, "disagree"),  # a resolution forgives no significant difference
        (1.0, 0.003, 1.0, None, "inconclusive"),  # 5 stderr is 1.5 %: too few draws
        (1.5, 0.2, 1.0, None, "inconclusive"),
        (3.0, 0.2, 1.0, None, "disagree"),
        (0.0004, 0.0001, 0.0, None, "inconclusive"),  # 1 % of zero is never reached
        (0.0004, 0.0001, 0.0, 0.001, "agree"),
        (0.0004, 0.0003, 0.0, 0.001, "inconclusive"),
        (0.0006, 0.0001, 0.0, 0.001, "disagree"),
        (NAN, 0.001, 1.0, None, "inconclusive"),
        (1.0, NAN, 1.0, None, "inconclusive"),
        (1.0, INF, 1.0, None, "inconclusive"),
        (1.0, 0.001, NAN, None, "inconclusive"),
        (INF, 0.0, INF, None, "inconclusive"),
        (1.0, 0.0, 1.0, None, "agree"),  # exactly equal in every draw
        (3.0, 0.0, 3.0 - 4e-16, None, "agree"),  # up to rounding
        (1.0, 0.0, 1.0 + 1e-12, None, "inconclusive"),  # pointwise identities need a tolerance
        (1.0, 0.0, 1.0 + 1e-12, 1e-9, "agree"),
        (1.0, 0.0, 1.0 + 1e-6, 1e-9, "disagree"),
        (1e-13, 1e-17, 0.0, 1e-9, "agree"),  # spread from rounding alone
        (1e-8, 1e-17, 0.0, 1e-9, "disagree"),
    ],
)
def test_truth_table(mean: float, stderr: float, value: float, resolution: float | None, status: str) -> None:
    verdict = judge(mean, stderr, value, resolution=resolution)
    assert verdict.status == status, verdict.reason
    assert verdict.reason
    assert "\n" not in verdict.reason


@pytest.mark.parametrize(
    ("stderr", "resolution"), [(-1.0, None), (0.1, 0.0), (0.1, -1.0), (0.1, NAN), (0.1, INF)]
)
def test_bad_input_is_refused(stderr: float, resolution: float | None) -> None:
    with pytest.raises(ValueError, match=r"stderr is|resolution is"):
        judge(1.0, stderr, 1.0, resolution=resolution)


def test_no_nan_ever_agrees() -> None:
    for mean in (1.0, NAN):
        for stderr in (0.0, 0.001, NAN):
            for value in (1.0, NAN):
                if any(map(math.isnan, (mean, stderr, value))):
                    assert judge(mean, stderr, value).status != "agree"
                    assert judge(mean, stderr, value, resolution=1.0).status != "agree"


def test_draws_needed_is_enough_and_not_by_luck() -> None:
    value, perturbed = 1.0, 1.02
    pilot = draws_needed(1.0 / math.sqrt(1000), 1000, value, perturbed)
    rejected = 0
    for repeat in range(50):
        values = value + generator_for("power", repeat).standard_normal(int(pilot))
        stderr = float(values.std(ddof=1)) / math.sqrt(values.size)
        rejected += judge(float(values.mean()), stderr, perturbed).status == "disagree"
    assert rejected == 50
    half = draws_needed(1.0 / math.sqrt(1000), 1000, value, 1.04)
    assert half == pytest.approx(pilot / 4, abs=1)


def test_draws_needed_at_the_limits() -> None:
    assert draws_needed(0.1, 100, 1.0, 1.0) == INF
    assert draws_needed(1e-9, 100, 1.0, 2.0) == 1
    with pytest.raises(ValueError, match="must be positive"):
        draws_needed(0.0, 100, 1.0, 2.0)
