"""The label noise where all sizes grow in proportion: known values, its limits, and what the checks see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from derivations.formulas.by_name import evaluate_named
from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import dist0_sq, m, noise_limit, nu, sigma
from derivations.language.values import evaluate
from derivations.paper.large_sizes import proportional_limit
from derivations.paper.large_sizes.proportional_limit import FEW, fixed_point, noise_at
from derivations.paper.theorem1.concentration import leading_excess
from derivations.steps.contents import find
from derivations.steps.step import Comparison
from derivations.support.bad_input import BadInput

PLAIN = {
    "n_t": 40,
    "n_v": 5,
    "n_r": 40,
    "m": 5,
    "p": 50,
    "sigma": 0.5,
    "nu": 0.5,
    "alpha_t": -0.3,
    "alpha_r": 0.2,
}


@pytest.mark.parametrize(
    ("n_t", "n_v", "p", "rate"), [(40, 20, 60, -0.5), (80, 10, 40, 0.3), (30, 20, 60, 0.7)]
)
def test_it_is_what_large_matrices_come_to(n_t: int, n_v: int, p: int, rate: float) -> None:
    scale, generator = 8, np.random.default_rng(5)
    x_t = generator.standard_normal((scale * n_t, scale * p))
    loop = np.eye(scale * p) - rate / (scale * n_t) * x_t.T @ x_t
    x_v = generator.standard_normal((scale * n_v, scale * p))
    rows, path = x_v @ loop, rate / (scale * n_t) * x_v @ x_t.T
    seen = np.trace(np.linalg.solve(rows @ rows.T, np.eye(len(rows)) + path @ path.T))
    given = {"n_t": n_t, "n_v": n_v, "p": p, "alpha_t": rate, "sigma": 1.0}
    assert noise_at(PAPER, given).mean == pytest.approx(float(seen), rel=0.03)


def test_at_a_rate_of_zero_kappa_is_known() -> None:
    found, _, error = fixed_point(30, 7, 50, 0.0)
    assert found == pytest.approx(7 / 43, rel=1e-13, abs=0)
    assert error < 1e-12


@pytest.mark.parametrize("rate", [-1.5, -0.2, 0.3, 1.0])
def test_few_validation_points_give_the_paper_s_leading_order(rate: float) -> None:
    given = {"n_t": 4e6, "n_v": 1.0, "p": 6e6, "alpha_t": rate, "sigma": 1.0}
    at = {"n_t": 4e6, "n_v": 1, "p": 6e6, "m": 1, "sigma": 1, "nu": 0, "alpha_t": rate, "dist0_sq": 0}
    value = float(evaluate(leading_excess(PAPER), at))
    assert noise_at(PAPER, given).mean == pytest.approx(value, rel=1e-5)


def test_the_moves_lead_to_the_label_noise_of_80_exactly() -> None:
    step = find("proportional-fixed-point")
    assert step.derive is not None
    few = to_sympy(step.derive(PAPER)[FEW])
    printed = leading_excess(PAPER).subs({nu: 0, dist0_sq: 0})
    assert (m * few / printed).simplify() == 1


def test_the_loss_has_a_peak_that_the_leading_order_lacks() -> None:
    far, near = (
        {
            name: evaluate_named(name, {**PLAIN, "p": p})["value"]
            for name in ("proportional-loss", "eq5", "exact-loss")
        }
        for p in (50, 27)
    )
    assert near["proportional-loss"] > 3 * far["proportional-loss"]
    assert near["proportional-loss"] == pytest.approx(near["exact-loss"], rel=0.02)
    assert near["eq5"] < 1.5 * far["eq5"]


def test_a_size_without_the_loss_is_refused() -> None:
    with pytest.raises(BadInput, match="p > n_v m"):
        evaluate_named("proportional-loss", {**PLAIN, "p": 25})


@pytest.mark.parametrize("name", ["proportional-fixed-point", "proportional-loss"])
def test_a_wrong_limit_is_seen_by_the_ladder(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    step = find(name)
    assert step.check is not None
    assert {check.verdict for check in step.check(step, PAPER, 0)} == {"agree"}
    right = proportional_limit._noise_formula()
    monkeypatch.setattr(proportional_limit, "_noise_formula", lambda: sympy.Rational(101, 100) * right)
    ladders = [check for check in step.check(step, PAPER, 0) if check.comparison is Comparison.POWER]
    assert len(ladders) == 3
    assert "agree" not in {check.verdict for check in ladders}


def test_each_part_of_the_loss_is_seen_by_simulation() -> None:
    """It is held against draws that know neither the reduction to one task nor the exact loss."""
    step = find("proportional-loss")
    assert step.check is not None
    assert step.derive is not None
    ((label, right),) = step.derive(PAPER).items()
    terms = sympy.Add.make_args(sympy.expand(to_sympy(right)))
    for name in (noise_limit, nu, dist0_sq, sigma):
        part = sum(term for term in terms if term.has(name))
        wrong = to_sympy(right) + part / 20
        checks = step.check(replace(step, derive=lambda assumptions, to=wrong: {label: to}), PAPER, 0)
        assert "disagree" in {check.verdict for check in checks if check.label.startswith("loss, by")}, name
