"""Changed assumptions: laws, steps, noise and data as they must change the losses; the paper stays as it is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from derivations.formulas.by_name import evaluate_named
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable, read
from derivations.language.normal_form import scalar as to_rational
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, dist0_sq, m, n_r, n_t, p
from derivations.language.values import evaluate
from derivations.paper.theorem1 import reused_data
from derivations.paper.theorem1.concentration import leading_loss as over
from derivations.paper.theorem1.reused_data import row_factor
from derivations.paper.theorem2.expansion import leading_loss as under
from derivations.paper.theorem3.loss import loss_with
from derivations.steps.contents import load
from derivations.steps.labels import LOSS
from derivations.steps.step import Parts
from derivations.variants.losses import OVER, UNDER, envelope, setting_under, variant_checks
from numeric_check.problem.laws import NAMED, input_law
from symbolic.algebra.entry_laws import LawOrderError
from symbolic.algebra.words import Expression, identity, scalar

POINT = {
    "n_t": 30.0,
    "n_v": 2.0,
    "n_r": 20.0,
    "m": 3.0,
    "p": 60.0,
    "sigma": 1.0,
    "sigma_v": 1.0,
    "nu": 0.5,
    "alpha_t": 0.2,
    "alpha_r": 0.2,
    "dist0_sq": 0.3,
}


def isotropic(law: str) -> dict[str, Expression]:
    """The matrices of Theorem 3 under (4), for inputs of a law."""
    one = identity("p")
    kurtosis = Fraction(input_law(law).kurtosis).limit_denominator(100)
    return {
        "Sigma": one,
        "Sigma_w": scalar("nu") ** 2 * scalar("1/p") * one,
        "F": (scalar("p") + kurtosis - 1) * one,
    }


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "uniform", "laplace", "kurtosis:7/2"])
def test_theorem_3_with_the_fourth_moment_of_a_law_is_theorem_1_for_that_law(law: str) -> None:
    values = isotropic(law)
    general = loss_with(PAPER, values)
    assert to_rational(general - over(read([f"inputs={law}"])).subs(dist0_sq, 0)).is_zero()


def test_a_kurtosis_of_three_is_gaussian_as_far_as_fourth_moments_reach() -> None:
    assert over(read(["inputs=kurtosis:3"])) == over(PAPER)
    with pytest.raises(LawOrderError, match="kurtosis:3"):
        under(read(["inputs=kurtosis:3"]))


def test_a_law_changes_the_loss() -> None:
    for loss in (over, under):
        assert len({str(loss(read([f"inputs={law}"]))) for law in NAMED}) == len(NAMED)


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_inner_steps_do_not_matter_at_rate_zero(steps: int) -> None:
    changed = over(Assumptions(inner_steps=steps))
    at_zero = {**POINT, "alpha_t": 0.0}
    assert evaluate(changed, at_zero) == pytest.approx(evaluate(over(PAPER), at_zero), rel=1e-12, abs=0)


def test_reused_data_do_not_see_the_training_rate() -> None:
    assert sympy.Symbol("alpha_t", real=True) not in over(read(["split=reused"])).free_symbols


@pytest.mark.parametrize("law", ["rademacher", "uniform", "laplace", "kurtosis:7/2"])
def test_reused_data_of_any_law_by_two_routes(law: str) -> None:
    assumptions = read(["split=reused", f"inputs={law}"])
    values = isotropic(law)
    found = over(assumptions)
    assert alpha_t not in found.free_symbols
    assert to_rational(loss_with(assumptions, values) - found.subs(dist0_sq, 0)).is_zero()


def test_reused_gaussian_data_to_leading_order_are_the_limit_of_the_exact_result() -> None:
    one = identity("p")
    values = {"Sigma": one, "Sigma_w": scalar("nu") ** 2 * scalar("1/p") * one, "F": (scalar("p") + 2) * one}
    gap = loss_with(read(["split=reused"]), values) - over(read(["split=reused"])).subs(dist0_sq, 0)
    point = {**{sympy.Symbol(k, real=True): v for k, v in POINT.items()}, n_t: 3, n_r: p, m: 2}
    assert sympy.limit(sympy.together(gap.subs(point)) * p, p, sympy.oo) == 0


def test_reused_data_do_not_see_an_added_inner_loop() -> None:
    assert over(read(["split=reused", "rate_decay=1/2", "inner_steps=2"])) == over(read(["split=reused"]))


@pytest.mark.parametrize("words", ["inner_steps=2", "inner_steps=3 rate_decay=1/3"])
def test_the_factor_of_reused_rows_is_that_of_their_residuals(words: str) -> None:
    factor = row_factor(read(["split=reused", *words.split()]))
    assert factor.replace({"alpha_t": 0 * scalar("alpha_t")}) == identity("n_t")
    assert factor != identity("n_t")


def test_an_inner_loop_that_does_more_to_its_data_has_no_such_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reused_data, "row_factor", lambda assumptions: identity("n_t"))
    with pytest.raises(NotDerivable, match="along the gradient"):
        reused_data.require_shared_factor(read(["split=reused", "inner_steps=2"]))


def test_the_same_validation_noise_changes_nothing() -> None:
    changed = evaluate(over(read(["noise_val=1"])), POINT)
    assert changed == pytest.approx(evaluate(over(PAPER), POINT), rel=1e-12, abs=0)


def test_next_order_is_above_the_leading_one_at_figure_2() -> None:
    assert evaluate(over(read(["order=next"])), POINT) > evaluate(over(PAPER), POINT)


def test_a_constant_error_does_not_pass_the_envelope() -> None:
    assert envelope(0.01, 1e-5, 1.0, 0.0, first=True)[0] == "disagree"
    assert envelope(0.01, 1e-5, 1.0, 0.01 * 8**-1.5, first=False)[0] == "disagree"
    assert envelope(0.0, 0.1, 1.0, 0.01, first=False)[0] == "inconclusive"
    assert envelope(1e-4, 1e-5, 1.0, 1e-3, first=False)[0] == "agree"


@pytest.mark.parametrize("share", [0, Fraction(3, 2)], ids=["none of it", "half as much again"])
def test_what_the_next_order_adds_is_noticed(share: Fraction | int) -> None:
    """Below p = n_v m no exact loss is known: a wrong next order falls as fast as what the leading one leaves."""
    step, order_next = load()["theorem-2"], read(["order=next"])

    def wrong(assumptions: Assumptions) -> Parts:
        leading, following = (
            to_sympy(next(iter(step.derive(replace(assumptions, order=which)).values())))
            for which in ("leading", "next")
        )
        return {LOSS: leading + share * (following - leading) if assumptions.order == "next" else leading}

    verdicts = [check.verdict for check in variant_checks(replace(step, derive=wrong), order_next, 0)]
    assert "disagree" in verdicts
    assert {check.verdict for check in variant_checks(step, order_next, 0)} == {"agree"}


@pytest.mark.parametrize("regime", [OVER, UNDER])
def test_the_noise_of_validation_data_is_told_apart(regime: str) -> None:
    """At any level, also that of the training data in the simulations of other assumptions."""
    for level in ("1/2", "3/5", "1/3"):
        setting = setting_under(regime, read([f"noise_val={level}"]), 1)
        assert setting.sigma != setting.sigma_v


def test_assumptions_reach_the_command() -> None:
    values = {k: v for k, v in POINT.items() if k != "sigma_v"}
    plain = evaluate_named("eq5", values, PAPER)["value"]
    changed = evaluate_named("eq5", values, read(["inner_steps=2"]))["value"]
    assert plain != changed


@pytest.mark.parametrize(
    "words", ["inner_steps=2", "adaptation_steps=2", "inner_steps=3 adaptation_steps=2 noise_val=1/3"]
)
def test_theorem_3_with_several_steps_is_theorem_1_at_identity_covariance(words: str) -> None:
    assumptions = read(words.split())
    one = identity("p")
    values = {"Sigma": one, "Sigma_w": scalar("nu") ** 2 * scalar("1/p") * one}
    general = loss_with(assumptions, values)
    assert to_rational(general - over(assumptions).subs(dist0_sq, 0)).is_zero()


def test_theorem_3_with_several_steps_needs_gaussian_inputs() -> None:
    with pytest.raises(NotDerivable, match="Gaussian inputs only"):
        loss_with(read(["inner_steps=2", "inputs=laplace"]), {})
