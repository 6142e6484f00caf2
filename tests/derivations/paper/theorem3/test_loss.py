"""Theorem 3: special cases, degenerate sizes, another implementation, and what the guards refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from derivations.language import model
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.language.values import evaluate
from derivations.paper.theorem3 import claim_chains, concentration, loss, outer_problem
from derivations.paper.theorem3.concentration import (
    block_chain,
    bound_traces,
    form_chain,
    tasks,
    training_weight,
)
from derivations.paper.theorem3.general_setting import over_rows
from derivations.paper.theorem3.loss import leading_loss, loss_over_chain
from derivations.paper.theorem3.sampled_loss import setting_at, values_at
from derivations.paper.theorem3.target_task import adaptation_weight, loss_at_zero
from derivations.steps import discrete_law
from derivations.steps.chain import Rule
from derivations.steps.contents import load
from derivations.verification.prove import prove
from numeric_check.draws.sample import Sample
from numeric_check.estimators.target_loss import one_step_noise, one_step_weight
from symbolic.algebra.words import Expression, identity, matrix, scalar, tr
from symbolic.proofs.asymptotics import Exponent

STEPS = load()
ALPHA, ROWS = scalar("alpha_t"), scalar("1/n_t")
SIGMA, F = model.SIGMA, model.FOURTH_MOMENT


def test_one_training_point_brings_only_fourth_moments() -> None:
    """n_t = 1: E A Sigma A with A = I - alpha x x^T has no pairs of rows."""
    found = training_weight(PAPER).replace({"n_t": 1, "1/n_t": 1})
    assert found == SIGMA - 2 * ALPHA * SIGMA**2 + ALPHA**2 * F


def test_many_training_points_bring_no_fourth_moment() -> None:
    found = training_weight(PAPER).replace({"1/n_t": 0})
    assert found == SIGMA - 2 * ALPHA * SIGMA**2 + ALPHA**2 * SIGMA**3


def test_at_zero_rates_nothing_is_adapted() -> None:
    assert training_weight(PAPER).replace({"alpha_t": 0}) == SIGMA
    assert adaptation_weight(PAPER).replace({"alpha_r": 0}) == SIGMA
    half = sympy.Rational(1, 2)
    noise = to_sympy(loss_at_zero(PAPER).replace({"alpha_r": 0, "Sigma_w": 0 * SIGMA}))
    assert sympy.expand(noise - half * sympy.Symbol("sigma", nonnegative=True) ** 2) == 0


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_weights_agree_with_the_simulation_code(law: str) -> None:
    setting = setting_at(12, law)
    values = values_at(setting)
    h_t = np.asarray(evaluate(to_sympy(training_weight(PAPER)), values))
    h_r = np.asarray(evaluate(to_sympy(adaptation_weight(PAPER)), values))
    assert np.allclose(h_t, one_step_weight(setting, setting.alpha_t, setting.n_t), rtol=1e-12)
    assert np.allclose(h_r, one_step_weight(setting, setting.alpha_r, setting.n_r), rtol=1e-12)
    constant = float(evaluate(to_sympy(loss_at_zero(PAPER)), values))
    assert setting.Sigma_w is not None
    noise = setting.sigma**2 * (1 + one_step_noise(setting, setting.alpha_r, setting.n_r))
    assert constant == pytest.approx((noise + np.sum(h_r * setting.Sigma_w)) / 2, rel=1e-12, abs=0)


def test_reduction_needs_the_right_fourth_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    step = STEPS["theorem-3-reduces-to-theorem-1"]
    assert prove(step).status == "proved"
    right = claim_chains.training_weight
    monkeypatch.setattr(
        claim_chains,
        "training_weight",
        lambda assumptions: right(assumptions) + ALPHA**2 * ROWS * identity("p"),
    )
    assert prove(step).status == "failed"


@pytest.mark.parametrize(
    "name", ["rows-second-moment", "training-weight", "general-adapted-square", "theorem-3"]
)
def test_a_forgotten_fourth_moment_is_refused(name: str) -> None:
    """As if F were Sigma^3: all rows taken to be independent of themselves."""
    step = STEPS[name]
    assert step.claim is not None
    claim = step.claim()
    label = next(iter(claim))
    symbols = {s.name: s for s in claim[label].atoms(sympy.MatrixSymbol)}
    wrong = claim[label].xreplace({symbols["F"]: symbols["Sigma"] ** 3})
    assert prove(replace(step, claim=lambda: {**claim, label: wrong})).status == "failed"


@pytest.mark.parametrize("p", [1, 2, 6])
def test_discrete_law_has_the_moments_it_declares(p: int) -> None:
    sample = Sample("test", {"n": 3, "p": p}, batch=20_000)
    x = discrete_law.inputs(sample, "n")
    sigma, fourth = np.asarray(sample.values["Sigma"]), np.asarray(sample.values["F"])
    form = np.einsum("bni,ij,bnj->bn", x, sigma, x)
    assert np.allclose(np.einsum("bni,bnj->ij", x, x) / (3 * 20_000), sigma, atol=0.05 * np.trace(sigma))
    assert np.allclose(
        np.einsum("bn,bni,bnj->ij", form, x, x) / (3 * 20_000), fourth, atol=0.05 * np.trace(fourth)
    )
    assert np.linalg.eigvalsh(sigma)[0] > 0


# -- guards -------------------------------------------------------------------------------------------------


def test_a_loss_that_weighs_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loss_over_chain.cache_clear()
    monkeypatch.setattr(loss, "adaptation_weight", lambda assumptions, **options: SIGMA)
    with pytest.raises(ArithmeticError, match="weigh"):
        leading_loss(PAPER)
    loss_over_chain.cache_clear()


def test_a_target_with_a_mean_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outer_problem, "_over_noise", lambda chain, *tasks: chain)
    step = STEPS["optimum-mean-vanishes"]
    assert step.derive is not None
    with pytest.raises(NotDerivable, match="not zero"):
        step.derive(PAPER)


@pytest.mark.parametrize(
    "words",
    ["order=next", "inner_steps=2 inputs=laplace", "adaptation_steps=2 inputs=rademacher"],
)
def test_what_needs_other_moments_is_refused_with_a_reason(words: str) -> None:
    status = prove(STEPS["theorem-3"], read(words.split()))
    assert status.status == "not-applicable"
    assert status.detail


def test_moments_beyond_the_fourth_are_refused() -> None:
    x = model.inputs("X_t", "n_t", replace(PAPER, covariance="general"))
    w = x.T @ x
    with pytest.raises(NotDerivable, match="beyond the fourth"):
        over_rows(tr(SIGMA @ w @ SIGMA @ w @ SIGMA @ w), "X_t")


@pytest.mark.parametrize(
    "expr",
    [tr(matrix("C", "p", "p")), tr((model.SIGMA_W @ letter("D")) ** 2), tr(model.SIGMA_W**3)],
)
def test_traces_of_unknown_order_are_refused(expr: Expression) -> None:
    with pytest.raises(ValueError, match="no order"):
        bound_traces(expr)


def test_traces_with_task_covariances_are_smaller() -> None:
    found = bound_traces(tr(SIGMA**2) + tr(SIGMA @ model.SIGMA_W) + tr((SIGMA @ model.SIGMA_W) ** 2))
    assert found == scalar("trace") + scalar("trace_with_task") + scalar("trace_with_tasks")


def test_without_covariances_there_is_no_setting() -> None:
    with pytest.raises(ValueError, match="both covariances"):
        values_at(replace(setting_at(12, "gaussian"), Sigma=None))


# -- the chains ---------------------------------------------------------------------------------------------


def test_what_the_square_neglects_is_of_the_square_of_the_fluctuations() -> None:
    (kept,) = (move for move in form_chain(PAPER).moves if move.rule is Rule.KEEP)
    assert kept.order == {"xi": Exponent(Fraction(-2))}
    assert [move.check for move in form_chain(PAPER).moves] == ["proved"] * len(form_chain(PAPER).moves)


def test_means_of_blocks_are_those_of_gaussian_inputs_where_f_is_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second route of a mean takes Gaussian rows: with another F it comes to something else."""
    wrong = replace(tasks(PAPER), gaussian={"F": identity("p")})
    monkeypatch.setattr(concentration, "tasks", lambda *given, **options: wrong)
    chain = block_chain.__wrapped__("gram", PAPER)
    assert "the mean is another" in chain.moves[1].disproved


def test_several_steps_take_every_moment_of_gaussian_inputs() -> None:
    several = read(["inner_steps=2"])
    means = form_chain(several).numbers()
    assert not any("F" in value.letters() for value in means.values())
    assert all(move.check == "proved" for move in form_chain(several).moves[:1])
