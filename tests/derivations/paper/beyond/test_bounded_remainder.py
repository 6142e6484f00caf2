"""The remainder of Theorem 1 is bounded: the series with its last term, the bounds, and what a wrong one would be."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.symbols import alpha_t, n_t, n_v, p, sigma
from derivations.language.values import evaluate
from derivations.paper.beyond import bounded_remainder as module
from derivations.paper.beyond.bounded_remainder import LEADING, NEXT, STEPS, sum_of_terms
from derivations.paper.beyond.one_task import average
from derivations.paper.theorem1.concentration import leading_excess
from derivations.steps.contents import find
from derivations.steps.rules.rotations import not_bounded
from derivations.verification.prove import prove
from symbolic.algebra.words import constant

(STEP,) = STEPS


def test_the_bound_makes_the_deviation_proved_and_the_loss_so_where_h_r_is_bounded() -> None:
    assert prove(STEP).status == "proved"
    deviation, loss = find("excess-overparameterized"), find("theorem-1")
    assert prove(deviation).status == "proved"
    assert prove(replace(deviation, bounded_by="")).status == "expanded"
    assert prove(loss).status == "conditional"
    # at a fixed n_r the printed order is too small, and none without a condition is right
    assert prove(replace(loss, condition="", counterexample="")).status == "expanded"
    assert prove(replace(loss, condition="", counterexample="", where={})).status == "failed"


@pytest.mark.parametrize("rate", [-0.5, 0.3])
def test_the_last_term_is_not_negative_and_as_small_as_is_claimed(rate: float) -> None:
    """The exact average minus the sum of two and of four terms: it falls as xi^-2 and as xi^-3."""
    for terms, order in ((2, 2.0), (4, 3.0)):
        gaps = []
        for k in (16, 32):
            given = {
                "n_t": 24.0 * k,
                "n_v": 1.0,
                "p": 48.0 * k,
                "alpha_t": rate,
                "sigma": 1.0,
                "sigma_v": 1.0,
            }
            found = evaluate(sum_of_terms(PAPER, terms), given)
            gaps.append(average(PAPER, given).mean - float(found))
        assert min(gaps) > 0
        assert float(sympy.log(gaps[0] / gaps[1], 2)) == pytest.approx(order, abs=0.1)


# each formula with a mistake of the order that it should not have
MISTAKES = {
    LEADING: sigma**2 * n_v / p * alpha_t**2,
    NEXT: sigma**2 * n_v / p / n_t * alpha_t**2,
}


@pytest.mark.parametrize("label", MISTAKES)
def test_a_wrong_formula_has_a_larger_remainder(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order = "leading" if label == LEADING else "next"

    def changed(assumptions: Assumptions) -> sympy.Expr:
        return leading_excess(assumptions) + (MISTAKES[label] if assumptions.order == order else 0)

    monkeypatch.setattr(module, "leading_excess", changed)
    assert prove(STEP).status == "failed"


@pytest.mark.parametrize("factor", [2, 3])
def test_a_bound_that_is_none_is_seen(factor: int) -> None:
    chain = module._chain(PAPER)
    moves = [move for move in chain.moves if move.rule == "bound by Cauchy-Schwarz"]
    assert len(moves) == 3
    assert [move.disproved for move in moves] == [""] * 3
    for k, move in enumerate(moves):
        draw = (
            module._positive
            if k < 2
            else lambda source, size: module._two_wisharts(
                source, size, module.scalar("alpha_t") ** 2 * module.reciprocal("n_t") ** 2
            )
        )
        shrunk = move.after * constant(1) * module.Fraction(1, 10**factor)
        assert not_bounded(move.before, move.after, draw) == ""
        assert "is not between" in not_bounded(move.before, shrunk, draw)
        assert "is not between" in not_bounded(-move.before, move.after, draw)


@pytest.mark.parametrize("words", ["inner_steps=2", "noise_val=1/3", "inputs=laplace", "order=next"])
def test_it_is_said_of_the_formula_that_it_is_about(words: str) -> None:
    assert STEP.applies(read([words]))


@pytest.mark.parametrize("label", [LEADING, NEXT])
def test_a_wrong_exponent_is_seen_in_the_slopes(label: str) -> None:
    derived = {**STEP.derive(PAPER), label: sympy.Integer(-4)}
    found = STEP.check(replace(STEP, derive=lambda assumptions: derived), PAPER, 0)
    assert "disagree" in {check.verdict for check in found}
