"""Several inner steps at the sizes of Figure 2: every move holds, and the pairs that are simulated are the two candidates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER
from derivations.paper.beyond.several_steps import BEST, PAIRS, PLACE, minimum_chain


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
