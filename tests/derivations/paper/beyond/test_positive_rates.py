"""When a positive rate helps: the moves hold, the criterion is that of known spectra, and `derive optimum` finds the same sides."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER
from derivations.language.normal_form import normal_form, to_sympy
from derivations.language.values import Point, evaluate
from derivations.paper.beyond.positive_rates import (
    DIRECTIONS,
    EXAMPLE,
    FEW,
    HIGH,
    LOW,
    MANY,
    SLOPE,
    Case,
    _spiked,
    _start,
    aligned_chain,
    criterion_chain,
    spiked_chain,
)
from derivations.paper.theorem3.concentration import form_chain, weighed
from derivations.steps.chain import written
from derivations.steps.contents import find


def spectrum(count: int) -> np.ndarray:
    found = np.full(200, float(LOW))
    found[:count] = float(HIGH)
    return found


def test_every_move_is_proved() -> None:
    moves = (*criterion_chain(PAPER).moves, *spiked_chain(PAPER).moves, *aligned_chain(PAPER).moves)
    assert [move.disproved for move in moves if move.disproved] == []


@pytest.mark.parametrize(("count", "at"), [(FEW, 0.485), (MANY, None)])
def test_the_best_rate_of_theorem_3_is_on_the_side_that_is_certified(count: int, at: float | None) -> None:
    given = {
        **EXAMPLE,
        "n_r": 50,
        "alpha_r": 0,
        "Sigma": np.diag(spectrum(count)),
        "Sigma_w": np.eye(200) / 200,
    }
    best = optimum("eq14", given)["alpha_t"]
    assert (best > 0) == (count == FEW)
    assert at is None or best == pytest.approx(at, abs=1e-3)


@pytest.mark.parametrize("case", DIRECTIONS)
def test_the_inputs_are_the_same_and_the_tasks_decide(case: Case) -> None:
    inputs, tasks = case.covariances()
    assert np.array_equal(inputs, DIRECTIONS[0].covariances()[0])
    assert np.trace(tasks) == pytest.approx(1)
    given = {**EXAMPLE, "n_r": 50, "alpha_r": 0, "Sigma": inputs, "Sigma_w": tasks}
    assert np.sign(optimum("eq14", given)["alpha_t"]) == case.side


def test_where_tasks_differ_alike_in_place_of_aligned_the_claim_is_refused() -> None:
    step = find("positive-rate-aligned")
    swapped = replace(DIRECTIONS[0], along=DIRECTIONS[1].along, across=DIRECTIONS[1].across)
    parts = _spiked(PAPER, (swapped,)).parts
    claimed = step.claim()
    assert all(parts[label] != claimed[label] for label in (swapped.sloping, swapped.best))


@pytest.mark.parametrize(("opposed", "positive"), [(False, True), (True, False)])
def test_tasks_that_differ_along_the_large_eigenvalues_favour_a_positive_rate(
    opposed: bool, positive: bool
) -> None:
    slope = to_sympy(criterion_chain(PAPER).parts[SLOPE])
    sigma = spectrum(8)
    tasks = np.where((sigma > 1) != opposed, 1.0, 0.01) / 20
    matrices = {"Sigma": np.diag(sigma), "Sigma_w": np.diag(tasks), "H_r": np.diag(sigma)}
    value = float(evaluate(slope, Point({"n_v": 2.0, "m": 2.0, "p": 200.0, "sigma": 0.3, **matrices})))
    assert (value < 0) == positive


@pytest.mark.parametrize("factor", [1, Fraction(1, 2)])
def test_the_slope_is_that_of_the_loss_as_theorem_3_states_it(factor: Fraction) -> None:
    chain, stated = criterion_chain(PAPER), next(iter(find("theorem-3").derive(PAPER).values()))
    names = {**weighed(form_chain(PAPER), PAPER), **_start(PAPER)[2]}
    start = written(factor * chain.start, names)
    assert normal_form(start).minus(normal_form(stated)).is_zero() == (factor == 1)
