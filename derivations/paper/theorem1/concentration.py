"""The blocks of Theorem 1 and what follows from their means: B B^T, Gamma, the start; the leading loss."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.bounds import require_derivable
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, dist0_sq, m, n_r, n_t, n_v, p
from derivations.paper.outer_problem import target_covariance
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem1.next_order import next_order_excess
from derivations.paper.theorem1.reused_data import plain_rows, reused_excess
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import SAME_TASK, WEIGHTS, derive_order, mean_element
from derivations.steps.step import Derived
from symbolic.algebra.words import Expression, reciprocal, scalar, vector
from symbolic.proofs.asymptotics import Exponent, inverse_exponent

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val", "order")
INNER = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
H_T = (1 - alpha_t) ** 2 + alpha_t**2 * (p + 1) / n_t
H_R = (1 - alpha_r) ** 2 + alpha_r**2 * (p + 1) / n_r
HALF = Rational(1, 2)
Blocks = dict[str, Expression]
# |omega_0 - w_0| is of order xi^(-1/4)
REGIME = {**WEIGHTS, "dist0_sq": Exponent(Fraction(-1, 2))}


# -- the engine ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Concentration:
    """A random block that is `leading` times the identity up to elementwise errors of order `error`."""

    leading: Expression
    error: Exponent


def _require_supported(assumptions: Assumptions) -> None:
    if assumptions.covariance != "identity":
        raise NotDerivable(
            "Theorem 1 is for identity covariance; with a general covariance use eq14 (Theorem 3)"
        )
    if assumptions.split != "separate":
        raise NotDerivable(
            "with reused data the validation rows grow with n_t and B B^T does not concentrate"
        )


def _gram_blocks(assumptions: Assumptions) -> Blocks:
    """B B^T / p: the block of one task, and of two tasks."""
    _require_supported(assumptions)
    one, two = model.task(assumptions, "1"), model.task(assumptions, "2")
    scale = reciprocal("p")
    return {
        SAME_TASK: scale * (one.design @ one.design.T),
        "other task": scale * (one.design @ two.design.T),
    }


def _noise_blocks(assumptions: Assumptions) -> Blocks:
    """Gamma: the block of one task (blocks between tasks vanish exactly, (72))."""
    _require_supported(assumptions)
    return {SAME_TASK: target_covariance(assumptions)}


def _start_blocks(assumptions: Assumptions) -> Blocks:
    """B (omega_0 - w_0)(omega_0 - w_0)^T B^T."""
    _require_supported(assumptions)
    one, two = model.task(assumptions, "1"), model.task(assumptions, "2")
    d = vector("d", "p")
    return {
        SAME_TASK: one.design @ d @ d.T @ one.design.T,
        "other task": one.design @ d @ d.T @ two.design.T,
    }


def _mean(blocks: Blocks) -> sympy.Expr:
    """The mean of a diagonal element, |d|^2 as a scalar."""
    return to_sympy(mean_element(blocks[SAME_TASK], "dist0_sq"))


@lru_cache(maxsize=32)
def gram(assumptions: Assumptions) -> Concentration:
    """How B B^T / p concentrates."""
    return Concentration(*derive_order(_gram_blocks(assumptions), REGIME))


@lru_cache(maxsize=32)
def noise(assumptions: Assumptions) -> Concentration:
    """How Gamma concentrates."""
    return Concentration(*derive_order(_noise_blocks(assumptions), REGIME))


@lru_cache(maxsize=32)
def start(assumptions: Assumptions) -> Concentration:
    """How B (omega_0 - w_0)(omega_0 - w_0)^T B^T concentrates."""
    return Concentration(*derive_order(_start_blocks(assumptions), REGIME, squared_length="dist0_sq"))


@lru_cache(maxsize=32)
def leading_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 to leading order: (74) with every block replaced by its mean."""
    if assumptions.covariance == "identity" and assumptions.split == "reused":
        if assumptions.inputs == "gaussian":
            return reused_excess(assumptions)
        return leading_excess(plain_rows(assumptions)).subs({alpha_t: 0, n_v: n_t}, simultaneous=True)
    width = p * _mean(_gram_blocks(assumptions))
    if assumptions.order == "next":
        return next_order_excess(assumptions)
    gain = _mean(_noise_blocks(assumptions)) - _mean(_start_blocks(assumptions))
    return dist0_sq + n_v * m * gain / width


@lru_cache(maxsize=32)
def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order: (65) with `leading_excess`."""
    if assumptions.split == "separate":
        require_derivable(assumptions, Regime.OVER)
    c_0, c_2 = loss_coefficients(assumptions)
    return to_sympy(c_0) + to_sympy(c_2) * leading_excess(assumptions)


def inverse_order(assumptions: Assumptions) -> Derived:
    """Sampled inverse order."""
    block = gram(assumptions)
    width = scalar("p") * block.leading
    grown = block.error + Exponent(Fraction(1))
    error = inverse_exponent(Exponent(Fraction(1)), grown)
    return {LEADING: 1 / to_sympy(width), ORDER: error.sympy()}


def derive_inner_factor(assumptions: Assumptions) -> Derived:
    """The derived inner factor."""
    return {"h_t": _mean(_gram_blocks(assumptions))}


def derive_adaptation_factor(assumptions: Assumptions) -> Derived:
    """The derived adaptation factor."""
    return {"h_r": 2 * loss_coefficients(assumptions)[1]}
