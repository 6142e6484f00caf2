"""What (5) and (14) neglect with few target points: an exact counterexample to the printed order, and the guards."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.language.symbols import alpha_r, alpha_t, dist0_sq, m, n_r, n_t, n_v, nu, p, sigma
from derivations.paper.theorem1 import remainder as overparameterized_remainder
from derivations.paper.theorem1.concentration import leading_loss
from derivations.paper.theorem1.remainder import (
    FEW,
    MANY,
    exact_loss_at_rate_zero,
    order_of,
    remainder_orders,
)
from derivations.paper.theorem3 import independent_entries
from derivations.paper.theorem3.independent_entries import LAW, row_square
from derivations.paper.theorem3.remainder import _derive as derive_general
from derivations.steps.contents import load
from derivations.steps.orders import ONE
from derivations.typeset import statements
from derivations.verification.prove import compare
from derivations.verification.verify import verify_step
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.over_laws import average

STEPS = load()


def gap(size: int) -> Fraction:
    """The exact loss minus (5) at alpha_t = 0, sigma = 1, nu = 0, n_v m = 2, n_r = 2, alpha_r = 1, p = size."""
    at = {alpha_t: 0, sigma: 1, nu: 0, n_v: 1, m: 2, n_r: 2, n_t: 7, alpha_r: 1, dist0_sq: 0, p: size}
    value = (exact_loss_at_rate_zero(PAPER) - leading_loss(PAPER)).subs(at)
    return Fraction(int(value.p), int(value.q))


def test_the_gap_is_known_in_closed_form() -> None:
    """h_r / 2 times N / (p - N - 1) - N / p with h_r = (p + 1) / 2 and N = 2."""
    for size in (8, 20, 333):
        expected = Fraction(size + 1, 4) * (Fraction(2, size - 3) - Fraction(2, size))
        assert gap(size) == expected


def test_the_gap_exceeds_the_printed_order() -> None:
    scaled = [float(gap(size)) * size**1.5 for size in (10**2, 10**4, 10**6)]
    assert scaled[2] > 9 * scaled[1] > 81 * scaled[0]
    assert math.isclose(float(gap(10**6)) * 10**6, 1.5, rel_tol=1e-5)


@pytest.mark.parametrize("name", ["theorem-1-remainder", "theorem-3-remainder"])
def test_the_printed_order_is_disproved_for_few_target_points(name: str) -> None:
    step = STEPS[name]
    found = verify_step(name, numeric=False)
    assert found["proof"] == "corrected"
    assert "-3/2 is printed, -1 derived" in found["proof_reason"]
    assert step.derive is not None
    derived, right = step.derive(PAPER), step.correction()
    assert derived == {FEW: -1, MANY: -2}
    wrong = replace(step, correction=lambda: {**right, FEW: sympy.Rational(-3, 2)})
    assert compare(step, step.claim(), derived).status == "corrected"
    assert compare(wrong, step.claim(), derived).status == "failed"


def test_the_orders_are_those_of_a_page() -> None:
    step = STEPS["theorem-1-remainder"]
    assert statements.lines(step, step.correction()) == [
        r"n_r=\mathrm{const}: \quad O\big(\xi^{-1}\big)",
        r"n_r\propto\xi: \quad O\big(\xi^{-2}\big)",
    ]


def test_without_adaptation_the_order_holds_at_any_number_of_target_points() -> None:
    formula = leading_loss(PAPER).subs(alpha_r, 0)
    remainder = overparameterized_remainder.next_loss(PAPER).subs(alpha_r, 0) - formula
    exact = exact_loss_at_rate_zero(PAPER).subs(alpha_r, 0) - formula.subs(alpha_t, 0)
    assert remainder_orders(remainder, exact) == {FEW: -2, MANY: -2}


def test_a_remainder_that_vanishes_or_contradicts_itself_is_refused() -> None:
    with pytest.raises(ArithmeticError, match="vanishes"):
        order_of(p - p, {"p": ONE})
    with pytest.raises(ArithmeticError, match="different orders"):
        remainder_orders(1 / p, 1 / p**2)


def test_the_remainder_of_theorem_3_is_that_of_theorem_1_at_the_isotropic_point() -> None:
    assert derive_general(PAPER) == STEPS["theorem-1-remainder"].derive(PAPER)


def test_the_fourth_moment_of_independent_entries_by_diagonals() -> None:
    """F = 2 Sigma^3 + Sigma Tr Sigma^2 + kappa_4 Sigma^(1/2) diag(Sigma^2) Sigma^(1/2), at a diagonal Sigma."""
    s, kappa = np.array([0.5, 1.25, 2.0]), -1.2
    values = {"p": 3, "Sigma": np.diag(s), "Sigma^(1/2)": np.diag(np.sqrt(s)), "kappa_4": kappa}
    found = np.asarray(evaluate_networks(average(row_square("Sigma"), LAW), values))
    expected = 2 * s**3 + s * np.sum(s**2) + kappa * s**3
    assert np.allclose(found, np.diag(expected), rtol=1e-12)


def test_a_wrong_form_in_f_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(independent_entries, "row_square", lambda covariance: 2 * row_square(covariance))
    with pytest.raises(ArithmeticError, match="not that of independent rows"):
        independent_entries.require_form_in_f()
