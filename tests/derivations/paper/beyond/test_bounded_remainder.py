"""The remainder of Theorem 1 is bounded: the series with its last term, the bounds, and what a wrong one would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.normal_form import to_sympy
from derivations.language.values import evaluate
from derivations.paper.beyond import bounded_remainder as module
from derivations.paper.beyond import one_task
from derivations.paper.beyond.bounded_remainder import LEADING, NEXT, STEPS
from derivations.paper.beyond.one_task import average, mean_of_inverse
from derivations.steps.chain import Chain, Rule
from derivations.steps.contents import find
from derivations.steps.labels import LOSS
from derivations.steps.rules.rotations import not_bounded
from derivations.verification.prove import prove
from symbolic.algebra.evaluation import evaluate as number
from symbolic.algebra.words import Expression, constant, reciprocal, scalar, tr
from symbolic.averages.expectation import expect

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


def _mean_of_traces(powers: int) -> list[Expression]:
    """E Tr M^j K for j = 0, ..., powers - 1, then E Tr M and E Tr M^2."""
    m, k = one_task._in_data(one_task.one_task(PAPER))
    words = [m**j @ k for j in range(powers)] + [m, m @ m]
    return [expect(tr(word)).rewrite(one_task.PROJECTED) for word in words]


def _sum_of_series(terms: int, given: Mapping[str, float]) -> float:
    """The sum of the terms before the last one, by means found in the training inputs themselves."""
    inverse = mean_of_inverse()
    *powers, first, _ = (
        float(evaluate(to_sympy(word).subs("mean_inverse", inverse), given))
        for word in _mean_of_traces(terms)
    )
    (move,) = (
        one
        for one in module._chain(PAPER).moves
        if one.rule is Rule.NAME and f"last_{terms}" in one.after.scalars() and not one.after.letters()
    )
    at = {"h": first / given["n_v"], f"last_{terms}": 0.0}
    at |= {f"k_{j}": power for j, power in enumerate(powers)}
    return float(number(move.after, at))


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
            found = _sum_of_series(terms, given)
            gaps.append(average(PAPER, given).mean - float(found))
        assert min(gaps) > 0
        assert float(sympy.log(gaps[0] / gaps[1], 2)) == pytest.approx(order, abs=0.1)


# for each formula a mistake of the order that it leaves out, which the exponent does not tell
MISTAKES = {LEADING: reciprocal("p") ** 2, NEXT: reciprocal("p") ** 2 * reciprocal("n_t")}


@pytest.mark.parametrize("larger", [True, False], ids=["of a larger order", "of the right order"])
@pytest.mark.parametrize("label", MISTAKES)
def test_a_wrong_formula_fails_the_proof(label: str, larger: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    right, which = module.loss_over_chain, module.ORDERS[label]
    mistake = MISTAKES[label] * scalar("sigma") ** 2 * scalar("alpha_t") ** 2 * (scalar("p") if larger else 1)

    def changed(assumptions: Assumptions) -> Chain:
        chain = right(assumptions)
        return _more(chain, mistake) if assumptions.order == which else chain

    exponents = STEP.derive(PAPER)
    monkeypatch.setattr(module, "loss_over_chain", changed)
    assert (STEP.derive(PAPER) != exponents) == larger
    failed = prove(STEP)
    assert failed.status == "failed"
    assert f"{which} is not what theorem-1 states" in failed.detail


@pytest.mark.parametrize("name", ["_exact", "_held"])
def test_a_wrong_exact_loss_fails_the_proof(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is not compared with the step that states it."""
    wrong = _more(module.loss_exact_chain(PAPER), MISTAKES[NEXT] * scalar("sigma") ** 2)
    monkeypatch.setattr(module, "loss_exact_chain", lambda assumptions: wrong)
    if name == "_held":
        monkeypatch.setattr(module.Held, "not_stated", lambda *given: "")
    failed = prove(STEP)
    assert failed.status == "failed"
    assert "exact-loss" in failed.detail


def _more(chain: Chain, mistake: Expression) -> Chain:
    """A chain that ends at its result and a mistake, with the same names."""
    wrong = chain._copy()
    wrong.begin(chain.result + mistake)
    stands = chain.named_parts[LOSS][1]
    wrong._named_parts[LOSS] = wrong.result, stands
    return wrong


@pytest.mark.parametrize("j", range(4))
def test_a_wrong_mean_of_the_series_is_not_put_in(j: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The series is written with names: what these stand for must be what is found of them."""
    right = module._weights

    def changed(chain: Chain, assumptions: Assumptions) -> tuple[int, dict[str, Expression]]:
        place, found = right(chain, assumptions)
        return place, {**found, f"k_{j}": found[f"k_{j}"] + scalar("sigma") ** 2 * reciprocal("p") ** 4}

    monkeypatch.setattr(module, "_weights", changed)
    failed = prove(STEP)
    assert failed.status == "failed"
    assert f"k_{j} is given" in failed.detail


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
