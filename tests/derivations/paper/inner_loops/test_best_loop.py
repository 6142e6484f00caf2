"""The best inner loop for given data: the square holds, changed ones do not, and no loop of a search comes below the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.paper.inner_loops.best_loop import SQUARE, _claim
from derivations.steps.contents import find
from derivations.steps.labels import Sign
from derivations.verification.prove import prove
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.linear_loops import shares

STEP = find("best-inner-loop")


def test_with_one_validation_point_the_implicit_step_attains_the_bound() -> None:
    seen = shares(generator_for("one point"), 9, 1, 14, draws=400)
    assert seen.implicit == pytest.approx(np.ones(400), rel=1e-10, abs=0)
    assert all((share < 1).all() for share in seen.others.values())


def test_with_more_the_bound_holds_and_is_not_attained() -> None:
    seen = shares(generator_for("three points"), 9, 3, 14, draws=400)
    assert all((share < 1).all() for share in (seen.implicit, *seen.others.values()))


def test_no_loop_beside_the_best_one_is_better() -> None:
    """From definitions at one draw: the noise at Y plus small changes of any direction is more than at Y."""
    source = generator_for("beside")
    x_t, x_v = source.standard_normal((7, 10)), source.standard_normal((1, 10))
    mu = np.linalg.eigvalsh(x_t.T @ x_t + x_v.T @ x_v)[-1]
    best = -x_v @ x_t.T @ np.linalg.inv(mu * np.eye(7) - x_t @ x_t.T)

    def noise(seen: np.ndarray) -> float:
        row = x_v - seen @ x_t
        return float((1 + seen @ seen.T)[0, 0] / (row @ row.T)[0, 0])

    assert noise(best) == pytest.approx(1 / mu, rel=1e-12, abs=0)
    assert all(noise(best + 0.1 * source.standard_normal((1, 7))) > 1 / mu for _ in range(50))


def test_another_square_is_not_proved() -> None:
    claim = _claim()
    wrong = {**claim, SQUARE: claim[SQUARE].subs(sympy.Symbol("mu"), 2 * sympy.Symbol("mu"))}
    assert prove(STEP).status == "proved"
    assert prove(replace(STEP, claim=lambda: wrong)).status == "failed"


def test_the_sampled_sign_is_held_against_what_is_derived() -> None:
    assert STEP.derive is not None
    assert STEP.check is not None
    derived = STEP.derive(PAPER)
    turned = {label: -1 * part if isinstance(label, Sign) else part for label, part in derived.items()}
    found = STEP.check(replace(STEP, derive=lambda assumptions: turned), PAPER, 0)
    assert {check.verdict for check in found if check.comparison == "sign"} == {"disagree"}
