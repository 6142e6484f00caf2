"""Where the exact loss is finite: the bounds hold at exact averages, and wrong ones are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, n_t, n_v, p, sigma
from derivations.paper.beyond.one_task import average
from derivations.paper.beyond.reduction import OWN
from derivations.paper.inner_loops.finite_loss import (
    INPUTS,
    WHOLE,
    _claim,
    finite_chain,
    last_square,
)
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.contents import find
from derivations.steps.held import Held
from derivations.steps.rules.rotations import gram
from derivations.steps.signs import positive_at_positive_rates
from derivations.verification.prove import prove
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.tails import task_exponent
from numeric_check.estimators.unreached import traces

STEP = find("exact-loss-finite")


@pytest.mark.parametrize(("rows", "rate"), [(1, 0.6), (1, 3.0), (2, 1.2), (2, -0.8)])
def test_the_exact_average_is_below_the_bound(rows: int, rate: float) -> None:
    given = {"n_t": 5, "n_v": rows, "p": 12, "alpha_t": rate, "sigma": 1.0, "sigma_v": 1.0}
    bound = to_sympy(finite_chain(PAPER).parts[WHOLE])
    at = float(bound.subs({n_t: 5, n_v: rows, p: 12, alpha_t: rate, sigma: 1}))
    assert average(PAPER, given).mean < at


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_one_over_m_is_below_the_mean_of_its_last_square(steps: int) -> None:
    size, points, rate = steps + 5, steps + 3, 2.5
    source = generator_for(f"last square/{steps}")
    x = source.standard_normal((4_000, size))
    row, data = x[:, None, :], source.standard_normal((4_000, points, size))
    for _ in range(steps):
        row = row - rate / points * (row @ np.swapaxes(data, 1, 2)) @ data
    seen = np.sum(x**2, axis=1) / np.sum(row[:, 0] ** 2, axis=1)
    bound = to_sympy(finite_chain(PAPER).parts[last_square(steps)]).subs(
        {n_t: points, p: size, alpha_t: rate}
    )
    assert seen.mean() < float(bound)


def test_the_count_of_powers_says_finite_wherever_it_is_proved() -> None:
    for steps in (1, 2, 3, 4):
        for rows in (1, 2, 3):
            for points in range(1, 9):
                for size in range(rows + 2, 16):
                    unreached = size > points + rows + 1
                    if unreached or (rows == 1 and points >= steps + 2 and size >= steps + 3):
                        assert task_exponent(steps, points, rows, size) > 2


def test_the_count_of_powers_says_infinite_where_it_is_proved() -> None:
    assert all(task_exponent(steps, points, 1, 3) <= 2 for steps in (3, 4) for points in range(2, 9))
    assert all(task_exponent(steps, 1, 1, 3) > 2 for steps in (3, 4))


def test_what_is_not_reached_is_left_alone_and_the_rest_is_not() -> None:
    seen = traces(generator_for("left alone"), 3, 2, 9, 3, 0.7, 200)
    assert (seen.unreached > seen.noise).all()
    assert (seen.grown < 0).any()
    with pytest.raises(ValueError, match="unreached"):
        traces(generator_for("all reached"), 8, 2, 9, 1, 0.7, 5)


def test_at_a_positive_rate_it_is_no_gram_matrix() -> None:
    under = replace(PAPER, inner_steps=2)
    chain = Chain(OWN @ OWN.T - INPUTS @ INPUTS.T)
    chain.insert({"B_1": model.task(under).design}, "stacked-design", held=Held(under))
    with pytest.raises(DoesNotApply, match="not positive"):
        gram(chain, positive_at_positive_rates)


def test_another_number_of_directions_is_not_proved() -> None:
    claim = _claim()
    wrong = {**claim, WHOLE: claim[WHOLE].subs(p, p - 1)}
    assert prove(replace(STEP, claim=lambda: wrong)).status == "failed"
