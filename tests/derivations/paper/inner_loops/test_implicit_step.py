"""An implicit inner step: the Gram matrices hold, its noise is that of its definition, and its best rate is negative."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.paper.inner_loops.implicit_step import SHRUNK, _claim, best
from derivations.steps.contents import find
from derivations.verification.prove import prove
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.linear_loops import implicit_noise

STEP = find("implicit-step-shrinks")


@pytest.mark.parametrize("points", [4, 11])
def test_the_noise_is_that_of_the_step_solved_for(points: int) -> None:
    rates = [0.0, -0.02, 0.7]
    found = implicit_noise(generator_for("solved"), points, 7, rates, 3)
    source = generator_for("solved")
    x_t, x_v = source.standard_normal((3, points, 7)), source.standard_normal((3, 7, 1))
    for k, rate in enumerate(rates):
        for inputs, row, seen in zip(x_t, x_v, found[k], strict=True):
            loop = np.linalg.inv(np.eye(7) + rate / points * inputs.T @ inputs)
            passed, rows = rate / points * row.T @ loop @ inputs.T, row.T @ loop
            assert seen == pytest.approx(((1 + passed @ passed.T) / (rows @ rows.T))[0, 0], rel=1e-9)


def test_its_best_rate_is_negative_and_gains() -> None:
    rate, share, error = best(6, 60, 1.0, 0.5)
    assert rate < 0
    assert share + 5 * error < 1


def test_another_step_is_not_proved() -> None:
    claim = _claim()
    assert prove(STEP).status == "proved"
    assert prove(replace(STEP, claim=lambda: {**claim, SHRUNK: 2 * claim[SHRUNK]})).status == "failed"
