"""Ladders are drawn longer while their exponent does not tell, and no longer than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.steps.step import Check
from derivations.verification import growth
from derivations.verification.growth import ROUNDS, Array, fluctuation_check, slope_check, until_told
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from numeric_check.problem.setting import Setting

SIZES = (1.0, 2.0, 4.0, 8.0)
SETTING = Setting(n_t=5, n_v=2, n_r=4, m=2, p=12, sigma=0.5, nu=0.5, alpha_t=0.1, alpha_r=0.1)
OTHER = replace(SETTING, alpha_t=0.9)


@pytest.mark.parametrize(
    ("error", "rounds", "verdict"), [(0.05, 1, "agree"), (0.4, 2, "agree"), (4.0, 3, "inconclusive")]
)
def test_a_ladder_is_drawn_until_it_tells(error: float, rounds: int, verdict: str) -> None:
    asked: list[int] = []

    def fitted(more: int) -> Check:
        asked.append(more)
        values = [1 / size for size in SIZES]
        errors = [error * value / more for value in values]
        return slope_check("ladder", SIZES, values, errors, -1.0, draws=more, seconds=0.0, sharp=True)

    found = until_told(fitted)
    assert (tuple(asked), found.verdict) == (ROUNDS[:rounds], verdict)
    assert found.longer * asked[-1] == ROUNDS[-1]


def test_few_draws_of_a_fluctuation_are_followed_by_more() -> None:
    ladder = [{"xi": k, "p": k, "n_t": k} for k in (8, 16, 32, 64)]

    def observed(sample: Sample) -> Array:
        return 3 * sample["xi"] ** -0.5 * sample.gaussian(1, 1)

    few, many = (fluctuation_check("few", "few", ladder, observed, -0.5, draws=draws) for draws in (12, 900))
    assert few.verdict == many.verdict == "agree"
    assert few.longer < many.longer == ROUNDS[-1]
    assert few.draws == 12 * len(ladder) * ROUNDS[-1] // few.longer


def test_a_longer_run_goes_on_from_a_shorter_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "ENTRIES_PER_BATCH", 200)
    rung = {"xi": 10.0, "p": 10, "n_t": 5}
    batches: list[int] = []

    def observed(sample: Sample) -> Array:
        batches.append(sample.batch)
        return sample.gaussian("n_t", "p") @ sample.matrix("M", "p", "n_t")

    def drawn(slug: str, draws: int) -> Array:
        return np.concatenate(growth._draw("longer", slug, rung, 2, observed, draws, 7, "n_t").squares)

    short, long = drawn("long", 6), drawn("long", 24)
    assert batches == [4] * 6
    assert len(short) == 8
    assert (long[:8] == short).all()
    assert len(np.unique(long)) == long.size == 24
    growth._drawn.clear()
    assert (drawn("long", 24) == long).all()
    assert not (drawn("another", 24) == long).any()


def test_a_wrong_exponent_is_contradicted_at_the_first_draws() -> None:
    ladder = [{"xi": k, "p": k, "n_t": k} for k in (8, 16, 32, 64)]
    found = fluctuation_check(
        "wrong", "few", ladder, lambda sample: sample["xi"] ** -0.5 * sample.gaussian(1, 1), -1.0
    )
    assert (found.verdict, found.longer) == ("disagree", ROUNDS[-1])


@pytest.mark.parametrize("centre", [None, 2.0, 7.5])
def test_two_numbers_a_draw_say_what_the_matrices_do(centre: float | None) -> None:
    """The mean square about any centre, as it is by definition; and no matrix is kept."""
    rung = {"xi": 3.0, "p": 3, "n_t": 4}
    seen: list[tuple[Array, Array]] = []

    def observed(sample: Sample) -> tuple[Array, Array]:
        first, second = (2 * np.eye(3) + sample.gaussian(3, 3)[:, None] for _ in range(2))
        seen.append((first, second))
        return first, second

    drawn = growth._draw("two", f"two numbers {centre}", rung, 0, observed, 8, 0, "n_t")
    first, second = (np.concatenate(side) for side in zip(*seen, strict=True))
    about = np.mean(np.diagonal(first + second, axis1=-2, axis2=-1)) / 2 if centre is None else centre
    products = (first - about * np.eye(3)) * (second - about * np.eye(3))
    assert drawn.squares_about(centre) == pytest.approx(products.mean(axis=(1, 2, 3)), rel=1e-12, abs=1e-12)
    assert all(kept.ndim == 1 for kept in (*drawn.squares, *drawn.diagonals))


def test_ladders_that_are_asked_for_in_turn_are_drawn_once() -> None:
    """As a check of several laws asks for one after the other, of every claim that it is held against."""
    ladder = [{"xi": k, "p": k, "n_t": k} for k in (8, 16, 32, 64)]
    drawn: list[float] = []

    def observed(sample: Sample) -> Array:
        drawn.append(sample["xi"])
        return sample["xi"] ** -0.5 * sample.gaussian(1, 1)

    asked: list[int] = []
    for claimed in (-0.5, -1.0, -1.5):
        for law in ("one law", "another law"):
            fluctuation_check("in turn", f"in turn/{law}", ladder, observed, claimed)
        asked.append(len(drawn))
    assert asked == [asked[0]] * 3


def test_the_error_of_a_difference_is_that_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {SETTING: Estimate(1.0, 0.3, 10), OTHER: Estimate(6.0, 0.4, 10)}
    monkeypatch.setattr(growth, "simulated", lambda setting, *asked: seen[setting])
    check = growth.difference_check("rises", SETTING, OTHER, 1, 0)
    assert check.signed == pytest.approx((5.0, 0.5))
    assert (check.verdict, growth.difference_check("falls", OTHER, SETTING, 1, 0).verdict) == (
        "agree",
        "disagree",
    )


def test_another_seed_changes_the_loss_at_other_numbers() -> None:
    first, again, other = (growth.changed_loss(SETTING, 1.5, 0.3, seed) for seed in (3, 3, 4))
    assert first == again
    assert first.mean != other.mean
