"""Ladders are drawn longer while their exponent does not tell, and no longer than that."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.steps.step import Check
from derivations.verification import growth
from derivations.verification.growth import ROUNDS, Array, fluctuation_check, slope_check, until_told
from numeric_check.draws.sample import Sample

SIZES = (1.0, 2.0, 4.0, 8.0)


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
        return growth._draw("longer", slug, rung, 2, observed, draws, 7, "n_t").first

    short, long = drawn("long", 6), drawn("long", 24)
    assert batches == [4] * 6
    assert len(short) == 8
    assert (long[:8] == short).all()
    assert len(np.unique(long)) == long.size == 24 * 25
    growth._batches.clear()
    assert (drawn("long", 24) == long).all()
    assert not (drawn("another", 24) == long).any()


def test_a_wrong_exponent_is_contradicted_at_the_first_draws() -> None:
    ladder = [{"xi": k, "p": k, "n_t": k} for k in (8, 16, 32, 64)]
    found = fluctuation_check(
        "wrong", "few", ladder, lambda sample: sample["xi"] ** -0.5 * sample.gaussian(1, 1), -1.0
    )
    assert (found.verdict, found.longer) == ("disagree", ROUNDS[-1])
    assert {key[0] for key in (*growth._observations, *growth._batches)} == {"few"}
