"""Theorem 3, (14) with (142)-(144), and the claims of section 5.3: p > n_v m, inputs and tasks of any law.

(142)           weighted-square-leading         E omega_star^T H_r omega_star to leading order
(14)(143)(144)  theorem-3                       the average test loss to leading order
-               theorem-3-reduces-to-theorem-1  at Sigma = I and Gaussian F it is Theorem 1 started at w_0
-               quadratic-in-adaptation-rate    a quadratic in alpha_r
-               ratio-of-quartics-general       a ratio of two quartics in alpha_t
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache, partial
from types import MappingProxyType

import sympy
from sympy import Integer, Rational, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.language.printed_order import in_order
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, m, n_r, n_t, n_v, nu, p, sigma
from derivations.paper.theorem1.concentration import H_R as H_R_ISOTROPIC
from derivations.paper.theorem1.concentration import H_T as H_T_ISOTROPIC
from derivations.paper.theorem3 import sampled_loss as checks
from derivations.paper.theorem3.claim_chains import (
    isotropic_values,
    quadratic_chain,
    quartics_chain,
    reduction_chain,
)
from derivations.paper.theorem3.concentration import form_chain, several_steps, weighed
from derivations.paper.theorem3.general_setting import SIGMA_W
from derivations.paper.theorem3.orders import H_T, TRAINING_NOISE
from derivations.paper.theorem3.outer_problem import MEAN_FORM as FORM
from derivations.paper.theorem3.target_task import (
    H_R,
    NOISE,
    SIZES,
    adaptation_weight,
    average_loss,
    loss_at_zero,
)
from derivations.steps.chain import Chain, carried_out, written
from derivations.steps.labels import DENOMINATOR, LOSS, NUMERATOR
from derivations.steps.neglected import Neglected
from derivations.steps.step import Erratum, Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, constant

HALF = Rational(1, 2)
DEPENDS = ("inner_steps", "adaptation_steps", "split", "noise_val", "order")
LOSS_DEPENDS = (*DEPENDS, "inputs")  # the law decides what is derived for several steps, and what is sampled
# where the moves of (142) and (14) are sampled: with more parameters than rows, for reused data too
MOVE_SIZES = (
    {"n_t": 5, "n_v": 1, "n_r": 4, "m": 2, "p": 12, "sigma": 0.7, "alpha_t": 0.2, "alpha_r": 0.1},
    {"n_t": 7, "n_v": 2, "n_r": 6, "m": 2, "p": 16, "sigma": 0.9, "alpha_t": -0.15, "alpha_r": -0.2},
    {"n_t": 4, "n_v": 1, "n_r": 5, "m": 3, "p": 14, "sigma": 1.1, "alpha_t": 0.3, "alpha_r": 0.3},
)


# -- the engine ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def loss_over_chain(assumptions: Assumptions) -> Chain:
    """(123) with (142) put in; that the test phase weighs omega_star with H_r is checked."""
    form, every_moment = form_chain(assumptions), several_steps(assumptions)
    free = loss_at_zero(assumptions, every_moment=every_moment)
    square = model.OMEGA_STAR.T @ letter("H_r") @ model.OMEGA_STAR
    start = free + constant(Fraction(1, 2)) * square
    weight = adaptation_weight(assumptions, every_moment=every_moment)
    if start.replace({"H_r": weight}) != average_loss(assumptions, every_moment=every_moment):
        raise ArithmeticError("the loss does not weigh omega_star with H_r")
    chain = Chain(start).name(square, "form", "general-loss-from-square", "adaptation-weight")
    chain.carry(form, "form").insert({"form": form.result}, "weighted-square-leading")
    return chain.shows(LOSS, weighed(form, assumptions))


def loss_with(assumptions: Assumptions, values: Mapping[str, Expression]) -> sympy.Expr:
    """The average test loss to leading order, with letters given values."""
    chain, form = carried_out(loss_over_chain, assumptions), form_chain(assumptions)
    names = {name: _put(value, values) for name, value in weighed(form, assumptions).items()}
    return to_sympy(written(_put(chain.result, values), names))


def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order, a function of traces that do not contain the rates."""
    return loss_with(assumptions, {})


def _put(expr: Expression, values: Mapping[str, Expression]) -> Expression:
    present = expr.letters()
    return expr.replace({name: value for name, value in values.items() if name in present})


def isotropic_loss(assumptions: Assumptions) -> sympy.Expr:
    """The loss of Theorem 3 for Gaussian inputs and isotropic tasks."""
    return loss_with(assumptions, isotropic_values())


_REDUCTION, _QUADRATIC, _QUARTICS = (
    partial(chain, loss_over_chain) for chain in (reduction_chain, quadratic_chain, quartics_chain)
)


# -- what the paper prints ----------------------------------------------------------------------------------

_BRACES = in_order(Trace(SIGMA_W * H_T), sigma**2 * TRAINING_NOISE)


def _claim_form() -> Parts:
    return {FORM: n_v * m * Trace(H_R * H_T) / Trace(H_T) ** 2 * _BRACES}


def _claim_loss() -> Parts:
    return {
        LOSS: sigma**2 / 2 * NOISE
        + HALF * Trace(SIGMA_W * H_R)
        + HALF * n_v * m * Trace(H_R * H_T) / Trace(H_T) ** 2 * _BRACES
    }


def _claim_reduction() -> Parts:
    share = n_v * m / p
    excess = nu**2 * (1 + share) + sigma**2 * share * (1 + alpha_t**2 * p / n_t) / H_T_ISOTROPIC
    return {
        "H_t": H_T_ISOTROPIC * sympy.Identity(p),
        "H_r": H_R_ISOTROPIC * sympy.Identity(p),
        LOSS: sigma**2 / 2 * (1 + alpha_r**2 * p / n_r) + H_R_ISOTROPIC / 2 * excess,
    }


# -- the steps ----------------------------------------------------------------------------------------------

_REMAINDER = (
    "The bound xi^(-3/2) takes H_r for bounded: it needs n_r to grow in proportion to p, or alpha_r = 0. Then it is "
    "not sharp: the means of the three blocks are exact, so the first correction averages to zero, and on the "
    "ladders of sizes the remainder falls as xi^-2. At a fixed n_r it falls only as xi^-1 (theorem-3-remainder)."
)


def _claim_step(
    name: str,
    statement: str,
    *,
    claim: Callable[[], Parts],
    chain: Callable[[Assumptions], Chain],
    method: str,
    uses: tuple[str, ...] = ("theorem-3",),
    reason: str = "",
    remark: str = "",
    observe: Callable[[Sample], Observed] | None = None,
    errata: Mapping[Erratum, str] = MappingProxyType({}),
    not_sampled: Mapping[str, str] = MappingProxyType({}),
) -> Step:
    return Step(
        name,
        (),
        Kind.CLAIM,
        statement,
        "theorem3",
        uses=uses,
        depends_on=DEPENDS,
        claim=claim,
        derivation=chain,
        observe=observe,
        sizes=MOVE_SIZES if observe is None else SIZES,
        applies=unchanged(DEPENDS),
        resolution={checks.THIRD: 1e-8, NUMERATOR: 1e-8},
        not_sampled=not_sampled,
        method=method,
        reason=reason,
        remark=remark,
        errata=errata,
    )


STEPS: tuple[Step, ...] = (
    Step(
        "weighted-square-leading",
        ("142",),
        Kind.EQUATION,
        "The weighted square of the learned meta-parameter, to leading order.",
        "theorem3",
        regime=Regime.OVER,
        uses=(
            "weighted-mean-square",
            "general-gram-inverse-concentrates",
            "general-noise-concentrates",
            "general-weight-concentrates",
        ),
        depends_on=LOSS_DEPENDS,
        claim=_claim_form,
        derivation=form_chain,
        check=checks.form,
        sizes=MOVE_SIZES,
        method="expansion of the exact formula (133) about the means of its blocks",
        neglects=Neglected({"xi": -3 * HALF}),
        condition="theorem-3-under-conditions",
        counterexample="scale-mixture-breaks-the-conclusion",
        remark=_REMAINDER,
    ),
    Step(
        "theorem-3",
        ("14", "143", "144"),
        Kind.THEOREM,
        "The average test loss with more parameters than validation data, for inputs and tasks of any law, "
        "to leading order.",
        "theorem3",
        regime=Regime.OVER,
        uses=("general-loss-from-square", "weighted-square-leading", "average-loss"),
        depends_on=LOSS_DEPENDS,
        claim=_claim_loss,
        derivation=loss_over_chain,
        check=checks.loss,
        sizes=MOVE_SIZES,
        method="exact test phase (123) with the leading-order square",
        neglects=Neglected({"xi": -3 * HALF}),
        condition="theorem-3-under-conditions",
        counterexample="scale-mixture-breaks-the-conclusion",
        remark=_REMAINDER,
        parameters=(
            "n_t",
            "n_v",
            "n_r",
            "m",
            "p",
            "sigma",
            "alpha_t",
            "alpha_r",
            "Sigma",
            "Sigma_w",
            "F",
        ),
    ),
    _claim_step(
        "theorem-3-reduces-to-theorem-1",
        "At Sigma = I, Sigma_w = nu^2/p I and F = (p + 2) I Theorem 3 is Theorem 1 with training started at the "
        "task mean.",
        claim=_claim_reduction,
        chain=_REDUCTION,
        method="substitution in the derived formulas, move by move",
        uses=("theorem-3", "theorem-1", "training-weight", "adaptation-weight"),
        reason="an identity between two formulas, each of which is confirmed by sampling",
    ),
    _claim_step(
        "quadratic-in-adaptation-rate",
        "In the adaptation rate the loss of Theorem 3 is a quadratic.",
        claim=lambda: {NUMERATOR: Integer(2), DENOMINATOR: Integer(0), checks.THIRD: Integer(0)},
        chain=_QUADRATIC,
        method="degrees of the reduced fraction, and third difference, move by move",
        observe=checks.observe_degree,
        not_sampled={
            DENOMINATOR: "that the sampled loss is a polynomial is what its vanishing third difference says"
        },
    ),
    _claim_step(
        "ratio-of-quartics-general",
        "In the training rate the loss of Theorem 3 is a ratio of two polynomials of degree four.",
        claim=lambda: {NUMERATOR: Integer(4), DENOMINATOR: Integer(4)},
        chain=_QUARTICS,
        method="degrees of the reduced fraction, move by move",
        reason="the degrees of a formula; nothing to sample",
        errata={
            Erratum.WORDING: "The available text names the adaptation rate in this sentence, for which the sentence before it "
            "has the loss quadratic; the training rate must be meant."
        },
    ),
)
