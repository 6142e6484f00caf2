"""First-order MAML with one task: what it costs beside MAML, and its best rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.paper.beyond.one_task import average
from derivations.paper.inner_loops import first_order
from derivations.paper.inner_loops.first_order import best, deviation
from derivations.steps.contents import find
from numeric_check.estimators.first_order_descent import deviations

STEP = find("first-order-costs-more")


@pytest.mark.parametrize("rate", [0.0, -0.3, -2.0])
def test_the_rule_has_the_exact_deviation_of_maml(rate: float) -> None:
    given = {"n_t": 12, "n_v": 1, "p": 20, "alpha_t": rate, "sigma": 0.8, "sigma_v": 0.8}
    found = deviation(12, 20, rate, 0.8, 0.7)
    assert found.maml == pytest.approx(0.7**2 / 20 + average(PAPER, given).mean, rel=1e-6)
    assert found.error < 1e-6 * found.maml


@pytest.mark.parametrize("rate", [-0.1, -0.7, -3.0])
def test_first_order_costs_more(rate: float) -> None:
    found = deviation(12, 20, rate, 0.8, 0.7)
    assert found.first_order > found.maml
    assert deviation(12, 20, 0.0, 0.8, 0.7).first_order == pytest.approx(
        deviation(12, 20, 0.0, 0.8, 0.7).maml
    )


def test_its_best_rate_is_nearer_to_zero_and_gains_less() -> None:
    found = best(12, 20, 1.0, 0.5)
    assert found["maml"][0] < found["first_order"][0] < 0
    assert found["maml"][1] < found["first_order"][1] < 1


@pytest.mark.parametrize("n_v", [1, 3])
def test_the_descent_ends_where_the_first_order_gradient_vanishes(n_v: int) -> None:
    sizes = {"n_t": 4, "n_v": n_v, "p": 9, "sigma": 0.5, "nu": 0.6}
    found = deviations(np.random.default_rng(2), **sizes, alpha_t=-0.4, draws=5, labels=1)
    source = np.random.default_rng(2)
    x_t, x_v = (source.standard_normal((5, rows, 9)) for rows in (4, n_v))
    w = 0.6 / 3 * source.standard_normal((5, 9, 1))
    y_t = x_t @ w + 0.5 * source.standard_normal((5, 4, 1))
    y_v = x_v @ w + 0.5 * source.standard_normal((5, n_v, 1))
    rows = x_v + 0.1 * (x_v @ np.swapaxes(x_t, 1, 2)) @ x_t
    gamma = y_v + 0.1 * x_v @ np.swapaxes(x_t, 1, 2) @ y_t
    turned = np.swapaxes(x_v, 1, 2)
    omega = turned @ np.linalg.solve(rows @ turned, gamma)
    assert found == pytest.approx(np.sum(omega**2, axis=(1, 2)), rel=1e-8)


def test_a_wrong_deviation_is_seen_by_the_descent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_order, "PLACES", first_order.PLACES[:1])
    monkeypatch.setattr(first_order, "DRAWS", 20_000)
    assert STEP.check is not None
    right = deviation

    def wrong(*given: float) -> first_order.Deviation:
        found = right(*given)
        return replace(found, first_order=found.maml)

    monkeypatch.setattr(first_order, "deviation", wrong)
    assert {check.verdict for check in STEP.check(STEP, PAPER, 0)} == {"disagree"}


def test_it_claims_signs_and_words() -> None:
    assert STEP.claim is not None
    assert STEP.claim()[first_order.COSTS] == sympy.Integer(1)
