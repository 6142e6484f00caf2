"""Several inner steps at the sizes of Figure 2: every move holds, and the pairs that are simulated are the two candidates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER
from derivations.paper.inner_loops.several_steps import (
    BEST,
    EXACT,
    PAIRS,
    PLACE,
    Exact,
    grid_check,
    minimum_chain,
)
from derivations.steps.status import NumericStatus


def test_every_move_is_proved_and_one_step_alone_has_a_negative_rate() -> None:
    chain = minimum_chain(PAPER)
    assert [move.disproved for move in chain.moves if move.disproved] == []
    assert {steps: int(chain.parts[label]) for steps, label in BEST.items()} == {1: -1, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize("steps", PAIRS)
def test_what_is_simulated_are_the_lowest_minima_on_both_sides(steps: int) -> None:
    found = optimum("eq5", PLACE, replace(PAPER, inner_steps=steps))
    other, best = PAIRS[steps]
    assert found["alpha_t"] == pytest.approx(best, abs=1e-4)
    points = [
        (float(point["value"][0]), float(point["at"][0])) for point in found["certificate"]["stationary"]
    ]
    beyond = [at for _, at in sorted(points) if at * best < 0]
    assert other == -best if steps == 1 else beyond[0] == pytest.approx(other, abs=1e-4)


@pytest.mark.slow(20)
@pytest.mark.parametrize("place", EXACT)
def test_the_exact_loss_by_the_words_of_the_proof_is_least_there_too(place: Exact) -> None:
    """The search of `optimum` draws the derived words; the check samples a reduction that is written apart from them."""
    found = optimum("exact-loss", {**PLACE, "n_t": place.n_t}, replace(PAPER, inner_steps=place.steps))
    assert found["alpha_t"] == pytest.approx(place.best, rel=0.1)


@pytest.mark.parametrize("place", [Exact(1, 30, 1.0, -1.0), Exact(4, 30, 0.7267, -0.2)])
def test_a_positive_rate_that_is_not_below_all_negative_ones_is_told(place: Exact) -> None:
    """With one inner step no positive rate is; with four that of (5) is not."""
    assert grid_check(place, 1, 0).verdict != NumericStatus.AGREE


def test_the_other_sign_is_refused() -> None:
    assert grid_check(EXACT[0], -1, 0).verdict == NumericStatus.DISAGREE
