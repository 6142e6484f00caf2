"""The chances of false alarms against sampling, and the runs with random seeds."""

from __future__ import annotations

import math
import secrets
from typing import Any

import numpy as np
import pytest

from derivations.steps.step import Check
from derivations.verification import false_alarms
from derivations.verification.false_alarms import (
    LADDER_RUNS,
    LADDERS,
    LEVELS,
    RUNS,
    SUBSET,
    budget,
    chance_beyond,
    chances,
    exponents,
    shipped,
    sign_lost,
    tally,
    text_of_budget,
)
from derivations.verification.growth import ROUNDS
from derivations.verification.plain_records import CheckRecord, Sampled, as_record
from derivations.verification.verify import verify
from numeric_check.verdicts.decay import judge_decay
from numeric_check.verdicts.verdict import SIGMAS

CHECK = as_record(Check("p", {"n": 7.0}, 1.0, 1.001, 1e-3, 300, 0.1, "agree", "close"))


def sampled(name: str, checks: list[CheckRecord]) -> Sampled:
    return {"name": name, "numeric": "agree", "numeric_reason": "", "checks": checks}


@pytest.mark.parametrize(("sigmas", "draws"), [(2.0, 6), (1.5, 40), (3.0, 12)])
def test_the_chance_that_a_mean_is_far_off(sigmas: float, draws: int) -> None:
    sample = np.random.default_rng(5).standard_normal((200_000, draws))
    far = np.abs(sample.mean(axis=1)) > sigmas * sample.std(axis=1, ddof=1) / math.sqrt(draws)
    expected = chance_beyond(sigmas, draws)
    assert far.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected / len(far)))


def test_many_draws_are_normal() -> None:
    assert chance_beyond(5.0, 10**7) == pytest.approx(math.erfc(5 / math.sqrt(2)), rel=1e-3)
    assert chance_beyond(5.0, 256) > 1.5 * chance_beyond(5.0, 10**7)


@pytest.mark.parametrize(("truth", "error"), [(-1.1, 0.05), (-0.9, 0.04), (-1.2, 0.02)])
@pytest.mark.parametrize("longer", [1, 16])
def test_the_chances_of_a_fitted_exponent(truth: float, error: float, longer: int) -> None:
    check = CHECK | {
        "comparison": "power",
        "value": -1.0,
        "mean": truth,
        "stderr": error,
        "verdict": "inconclusive",
        "longer": longer,
    }
    # the exponent is known to its error alone, and another seed sees it with the error of its own, the longest, draws
    normal, last = np.random.default_rng(3).standard_normal((2, 4000)), error / math.sqrt(longer)
    seen = truth + error * normal[0] + last * normal[1]
    verdicts = [judge_decay(slope, last, -1.0, sharp=True).status for slope in seen]
    _, left_open = chances(check)
    assert (4000 - verdicts.count("agree")) / 4000 == pytest.approx(left_open, abs=0.03)


def test_the_chance_that_a_fitted_exponent_is_contradicted() -> None:
    check = CHECK | {
        "comparison": "power",
        "value": -1.0,
        "mean": -1.3,
        "stderr": 0.05,
        "verdict": "disagree",
    }
    seen = -1.3 + 0.05 * np.random.default_rng(3).standard_normal(4000)
    verdicts = [judge_decay(slope, 0.05, -1.0, sharp=True).status for slope in seen]
    assert verdicts.count("disagree") / 4000 == pytest.approx(chances(check)[0], abs=0.01)
    # at most once in each round of draws
    assert chances(check | {"longer": 16})[0] == pytest.approx(3 * chances(check)[0])


def test_a_bound_that_decays_faster_is_rarely_left_open() -> None:
    check = CHECK | {"comparison": "power", "value": -0.5, "mean": -0.9, "stderr": 0.05}
    assert chances(check)[1] < 1e-6 < 0.9 < chances(check | {"verdict": "inconclusive"})[1]


def test_what_is_not_drawn_raises_no_alarm() -> None:
    assert chances(CHECK | {"draws": 0}) == chances(CHECK | {"stderr": 0.0}) == (0.0, 0.0)


@pytest.mark.parametrize(("errors", "draws"), [(8.0, 60), (10.0, 60), (7.0, 4000), (20.0, 12)])
def test_the_chance_that_a_sign_is_lost(errors: float, draws: int) -> None:
    source = np.random.default_rng(7)

    def seen(centre: np.ndarray | float) -> np.ndarray:
        """Standard errors between zero and means of draws whose true mean is so many true errors away."""
        spread = np.sqrt(source.chisquare(draws - 1, 100_000) / (draws - 1))
        return (source.standard_normal(100_000) + centre) / spread

    # the true distance is known as far as the one seen tells
    lost = float(np.mean(seen(2 * errors - seen(errors)) < SIGMAS))
    assert lost == pytest.approx(sign_lost(errors, draws), abs=0.03, rel=0.3)


def test_a_sign_close_to_five_errors_is_a_risk() -> None:
    sign = CHECK | {"comparison": "sign", "mean": 1.0}
    assert chances(sign | {"stderr": 1 / 9, "draws": 60})[0] > 1e-3
    assert chances(sign | {"stderr": 1 / 30, "draws": 4000})[0] < 1e-40


def test_beside_an_experiment_only_what_is_drawn_anew_can_differ() -> None:
    beside = CHECK | {"drawn": 0.2}
    assert chances(beside)[0] < 1e-15 < chances(CHECK)[0]
    # already at the edge, by chance of the experiment
    assert 0.1 < chances(beside | {"mean": 1.0049})[0] < 1


def test_a_budget_is_a_sum() -> None:
    (means, exponents) = budget([sampled("two", [CHECK, CHECK]), sampled("none", [CHECK | {"draws": 0}])])
    assert means == ("means and signs", 2, pytest.approx(2 * chance_beyond(5.0, 300)), 0.0)
    assert exponents[1:] == (0, 0.0, 0.0)


def test_a_budget_that_is_spent_is_told() -> None:
    """Of a thousand means and a ladder that is often left open, only the ladder is too much."""
    means = sampled("means", [CHECK | {"draws": 10**6}] * 1000)
    ladder = sampled("ladder", [CHECK | {"comparison": "power", "mean": 0.9, "stderr": 0.05}])
    assert "in all: 5.7e-04, below the 0.001" in text_of_budget([means])
    assert chances(ladder["checks"][0])[1] > 1e-3
    assert "MORE than the 0.001" in text_of_budget([means, ladder])
    # as one whose exponent is known four times as well is not
    better = sampled("ladder", [ladder["checks"][0] | {"stderr": 0.0125}])
    assert "below the 0.001" in text_of_budget([means, better])


def test_the_runs_with_random_seeds_raised_no_alarm() -> None:
    document = shipped()["runs"]
    runs = document["found"]
    assert document["steps"] == list(SUBSET)
    assert len({run["seed"] for run in runs}) == len(runs) == RUNS
    assert [run for run in runs if run["failed"]] == []
    total = sum(run["checks"] for run in runs)
    assert total > 100 * RUNS
    # as many beyond each level as there should be: neither a wrong mean nor errors that are too large
    for k, level in enumerate(LEVELS):
        seen, expected = sum(run["beyond"][k] for run in runs), total * math.erfc(level / math.sqrt(2))
        assert abs(seen - expected) < 5 * math.sqrt(expected) + 5
    square = sum(run["mean_square"] * run["checks"] for run in runs) / total
    assert square == pytest.approx(1, abs=0.1)


def test_the_ladders_with_random_seeds_were_told() -> None:
    ladders = shipped()["ladders"]["found"]
    rows = [row for run in ladders for row in run["exponents"]]
    assert len({run["seed"] for run in ladders}) == len(ladders) == LADDER_RUNS
    assert {row["step"] for row in rows} == set(LADDERS)
    assert {row["verdict"] for row in rows} == {"agree"}
    assert {row["longer"] for row in rows} <= {ROUNDS[-1] // more for more in ROUNDS}


def test_exponents_of_a_seed_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_alarms, "LADDERS", LADDERS[-1:])
    run = secrets.choice(shipped()["ladders"]["found"])
    before = [row for row in run["exponents"] if row["step"] == LADDERS[-1]]
    after = exponents(run["seed"])
    assert len(after) == len(before) > 0
    for was, now in zip(before, after, strict=True):
        assert now["exponent"] == pytest.approx(was["exponent"])
        assert (now["longer"], now["verdict"]) == (was["longer"], was["verdict"])


@pytest.mark.usefixtures("_own_store")
def test_a_run_is_tallied_again() -> None:
    run = shipped()["runs"]["found"][0]
    found = tally(verify(SUBSET[:2], symbolic=False, seed=run["seed"]))
    assert found["failed"] == []
    assert found["checks"] > 10
    assert false_alarms.held() == []  # of another seed
    (before,) = verify(SUBSET[:1], symbolic=False)
    (after,) = false_alarms.held()
    assert (after["name"], after["checks"]) == (before["name"], before["checks"])
    assert "means and signs: 9 drawn" in false_alarms.text_of_budget([after])
    assert found["beyond"] == sorted(found["beyond"], reverse=True)


@pytest.fixture
def _own_store(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    assert false_alarms.LEVELS[-1] == 5
