"""Perturbations of claims: which are made, of scalars and of matrices, and that the proof refuses every one."""

from __future__ import annotations

import pytest
import sympy
from sympy import Identity, MatrixSymbol, Trace

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import normal_form
from derivations.language.symbols import N, n, n_v, p, sigma
from derivations.steps.contents import load
from derivations.verification.perturb import perturbations
from derivations.verification.power import judge_exactly, right_claim, score

SIGMA, D, SIGMA_W = (MatrixSymbol(name, p, p) for name in ("Sigma", "D", "Sigma_w"))
X_V, B = MatrixSymbol("X_v", n_v, p), MatrixSymbol("B", N, p)
STEPS = load()
# (131)-(132), and others that are sums of products of matrices
OF_MATRICES = (
    "general-target-covariance",
    "target-covariance",
    "normal-noise-terms",
    "training-weight",
    "adaptation-weight",
    "gaussian-fourth-moment",
)


def changed(expr: sympy.Basic) -> list[sympy.Basic]:
    """The expressions that perturbing this one gives."""
    return [candidate.parts["Y"] for candidate in perturbations({"Y": expr})]


def among(wanted: sympy.Basic, found: list[sympy.Basic]) -> bool:
    """Whether an equal formula is among those found."""
    return any(normal_form(expr).minus(normal_form(wanted)).is_zero() for expr in found if _readable(expr))


def _readable(expr: sympy.Basic) -> bool:
    try:
        normal_form(expr)
    except ValueError:
        return False
    return True


def test_every_coefficient_and_exponent_of_a_scalar_is_changed() -> None:
    expr = 3 * n**2 - sigma + p / 2
    for wanted in (
        4 * n**2 - sigma + p / 2,
        2 * n**2 - sigma + p / 2,
        3 * n**3 - sigma + p / 2,
        3 * n - sigma + p / 2,
        -3 * n**2 - sigma + p / 2,
        3 * n**2 + sigma + p / 2,
        3 * n**2 - 2 * sigma + p / 2,
        3 * n**2 + p / 2,
        3 * n**2 - sigma**2 + p / 2,
        3 * n**2 - sigma + p / 3,
        3 * n**2 - sigma + p,
        3 * sigma**2 - n + p / 2,
        -expr,
        2 * expr,
        sympy.Integer(0),
    ):
        assert among(wanted, changed(expr)), wanted


def test_every_coefficient_and_exponent_of_a_matrix_is_changed() -> None:
    expr = sigma**2 * Identity(p) + SIGMA * D - SIGMA_W**2
    found = changed(expr)
    one, product, square = sigma**2 * Identity(p), SIGMA * D, SIGMA_W**2
    for wanted in (
        one + 2 * product - square,
        one - square,
        one - product - square,
        one + product + square,
        one + product,
        one + product - 2 * square,
        product - square,
        2 * one + product - square,
        one + SIGMA**2 * D - square,
        one + D - square,
        one + SIGMA * D**2 - square,
        one + SIGMA - square,
        one + product - SIGMA_W**3,
        one + product - SIGMA_W,
        one + D * SIGMA - square,
        one + SIGMA_W * D - SIGMA**2,
        -expr,
        2 * expr,
    ):
        assert among(wanted, found), wanted


def test_letters_in_traces_and_inverses_are_changed() -> None:
    for wanted in (Trace(SIGMA**2 * D), Trace(D), 2 * Trace(SIGMA * D), Trace(SIGMA * D) ** 2):
        assert among(wanted, changed(Trace(SIGMA * D)))
    inverse = (B * B.T).I
    found = changed(inverse)
    assert Identity(N) in found
    assert inverse not in found
    assert not any(among(inverse, [expr]) for expr in found)


def test_a_matrix_that_is_not_square_keeps_its_exponent() -> None:
    for expr in changed(X_V * SIGMA * X_V.T):
        assert expr.shape == (n_v, n_v)
    assert among(X_V * SIGMA**2 * X_V.T, changed(X_V * SIGMA * X_V.T))
    assert among(X_V * X_V.T, changed(X_V * SIGMA * X_V.T))


@pytest.mark.parametrize("name", OF_MATRICES)
def test_the_proof_refuses_every_changed_matrix(name: str) -> None:
    found = score(STEPS[name], sampling=False)
    assert found.total > 10
    assert found.survived_proof == ()
    assert found.missed is None


def test_the_task_term_of_the_target_covariance_is_doubled_and_its_exponent_changed() -> None:
    step = STEPS["general-target-covariance"]
    claim = right_claim(step)
    assert claim is not None
    assert step.derive is not None
    label, expr = next((label, expr) for label, expr in claim.items() if expr.has(SIGMA_W))
    (term,) = (term for term in expr.args if term.has(SIGMA_W))
    judged = judge_exactly(claim, step.derive(PAPER))
    parts = [candidate.parts[label] for candidate in judged.changed if candidate.label == label]
    for wanted in (
        expr + term,
        expr - term,
        expr - 2 * term,
        expr.xreplace({SIGMA_W: Identity(p)}),
        expr.xreplace({SIGMA_W: SIGMA_W**2}),
    ):
        assert among(wanted, parts), wanted
    assert judged.accepted == []


def test_a_derivation_that_would_pass_a_changed_matrix_is_found() -> None:
    right = SIGMA * D + SIGMA_W
    judged = judge_exactly({"Y": right}, {"Y": 2 * SIGMA * D + SIGMA_W})
    assert judged.accepted == [f"Y: twice {SIGMA * D}"]
