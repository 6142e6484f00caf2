"""Theorem 2: against exact results at a zero rate, at degenerate sizes, and what the guards refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.symbols import alpha_t, m, n_t, n_v, nu, p, sigma
from derivations.paper.theorem2 import moments, solution
from derivations.paper.theorem2.concentration import task_blocks
from derivations.paper.theorem2.expansion import leading_excess
from derivations.paper.theorem2.moments import G_3, G_4
from derivations.steps.contents import load
from derivations.steps.rules import solutions
from derivations.verification.prove import prove
from symbolic.algebra.words import Expression

STEPS = load()
N = n_v * m


def exact_at_zero_rate() -> sympy.Expr:
    """E|omega_star - w_0|^2 at alpha_t = 0, N > p + 1, from the inverse Wishart and matrix-variate beta laws."""
    noise = sigma**2 * p / (N - p - 1)
    same = p * n_v * (n_v + 2) / (N * (N + 2))
    cross = (p * (N * p - 2) / (N - p - 1) - p) * n_v * (N - n_v) / ((N - 1) * N * (N + 2))
    return noise + nu**2 / p * m * (same + cross)


@pytest.mark.parametrize("values", [(3, 4), (1, 2), (7, 1), (2, 9)])
def test_expansion_at_zero_rate_is_that_of_the_exact_result(values: tuple[int, int]) -> None:
    """Leading order and correction are the terms in 1/m and 1/m^2 of an exact formula found otherwise."""
    at = {n_v: values[0], p: values[1], alpha_t: 0}
    t = sympy.Symbol("t")
    series = sympy.series(exact_at_zero_rate().subs(at).subs(m, 1 / t), t, 0, 3).removeO()
    ours = leading_excess(read(["order=next"])).subs(at).subs(m, 1 / t)
    assert sympy.expand(series - sympy.together(ours)) == 0


def test_more_inner_steps_change_nothing_at_zero_rate() -> None:
    two = leading_excess(read(["inner_steps=2"])).subs(alpha_t, 0)
    assert sympy.cancel(two - leading_excess(PAPER).subs(alpha_t, 0)) == 0


def test_one_task_with_one_point_each() -> None:
    """n_t = n_v = p = 1: W_t and W_v are squares of Gaussian numbers, E W^k = (2k - 1)!!, and A = 1 - a W_t."""
    moment = (1, 1, 3, 15, 105)
    a, w = sympy.symbols("a w")

    def mean(poly: sympy.Expr) -> sympy.Expr:
        return sum(c * moment[power] for (power,), c in sympy.Poly(poly, w).terms())

    square = (1 - a * w) ** 2
    noise = mean(square) + a**2 * moment[2] * mean(w * square)
    by_hand = (sigma**2 * noise + nu**2 * moment[2] * mean(square**2)) / (5 * mean(square) ** 2)
    ours = leading_excess(PAPER).subs({n_v: 1, n_t: 1, p: 1, m: 5}).subs(alpha_t, a)
    assert sympy.cancel(ours - by_hand) == 0


@pytest.mark.parametrize("name", ["g-3", "task-average", "excess-underparameterized", "theorem-2"])
def test_a_lost_term_is_refused(name: str) -> None:
    step = STEPS[name]
    assert step.claim is not None
    claim = step.claim()
    label = next(reversed(claim))
    wrong = claim[label].subs(alpha_t, 2 * alpha_t)
    assert prove(replace(step, claim=lambda: {**claim, label: wrong})).status == "failed"


def test_corrections_are_needed_and_right() -> None:
    step = STEPS["slope-at-zero-underparameterized"]
    assert prove(step).status == "corrected"
    assert "off at" in prove(step).detail
    assert prove(replace(step, correction=None)).status == "failed"
    assert prove(replace(step, correction=step.claim)).status == "failed"
    assert "1/2 derived" in prove(STEPS["normal-noise-concentrates"]).detail


def test_printed_slope_is_right_without_adaptation() -> None:
    step = STEPS["slope-at-zero-underparameterized"]
    assert step.claim is not None
    assert step.correction is not None
    label = next(iter(step.claim()))
    alpha_r = sympy.Symbol("alpha_r", real=True)
    assert sympy.cancel(step.correction()[label].subs(alpha_r, 0) - step.claim()[label]) == 0


# -- guards -------------------------------------------------------------------------------------------------


def test_a_point_that_is_no_minimum_is_disproved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solutions, "TARGET", 2 * solutions.TARGET)
    chain = solution.solution_chain(PAPER)
    assert "does not solve the equations" in chain.moves[0].disproved


def test_terms_must_make_up_the_noise_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    right = moments.target_covariance

    def lost(assumptions: object) -> Expression:
        return right(PAPER).replace({"nu": 0})

    monkeypatch.setattr(moments, "target_covariance", lost)
    with pytest.raises(NotDerivable, match="other parts"):
        moments.terms(PAPER)


@pytest.mark.parametrize("word", ["covariance=general"])
def test_unsupported_assumptions_are_refused_with_a_reason(word: str) -> None:
    with pytest.raises(NotDerivable):
        task_blocks(read([word]))


def test_a_claim_about_the_papers_formula_is_not_made_of_another() -> None:
    status = prove(STEPS["ratio-of-quartics"], read(["inner_steps=2"]))
    assert status.status == "not-applicable"
    assert "inner_steps" in status.detail


def test_fraction_of_remainders() -> None:
    """The exponents of the remainder, as numbers: tasks -1 in xi, label noise -2, both -2 in m."""
    step = STEPS["theorem-2-remainder"]
    assert step.derive is not None
    found = [Fraction(str(value)) for value in step.derive(PAPER).values()]
    assert found == [-1, -2, -2, -2]


def test_the_short_form_is_taken_as_the_long_one_has_it() -> None:
    """One index of (97) cannot be read: g_4 is proved, and g_3 in its place would be wrong."""
    step = STEPS["excess-underparameterized-short"]
    assert step.claim is not None
    assert step.unreadable
    assert prove(step).status == "corrected"
    (label,) = step.claim()
    other = step.claim()[label].subs(G_4, G_3)
    assert prove(replace(step, claim=lambda: {label: other})).status == "failed"
