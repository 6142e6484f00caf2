"""The claims of section 5.2 about the loss of Theorem 2, and (10).

    -     loss-rises-with-noise-underparameterized    the loss increases with sigma and nu
    -     loss-falls-with-data                        it decreases with n_v, m and, at alpha_r not zero, n_r
    -     many-tasks-limit                            with infinitely many tasks alpha_t, n_v and n_t drop out
    -     adaptation-rate-bracket-underparameterized  a convex quadratic in alpha_r, its minimum in the same interval
    -     ratio-of-quartics                           a ratio of two quartics in alpha_t
    (10)  slope-at-zero-underparameterized            the slope at alpha_t = 0 is positive

Signs hold for all sizes n_t, p >= 1 and n_v, m, n_r > 0, real or integer, and for every real rate; `rate_chains` has their
proofs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import sympy
from sympy import Integer

from derivations.language.assumptions import Assumptions, NotDerivable, unchanged
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, m, n_r, n_t, n_v, nu, p, sigma
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem1.adaptation_rate_checks import bracket
from derivations.paper.theorem1.concentration import H_R
from derivations.paper.theorem1.learning_rates import claimed_bracket
from derivations.paper.theorem2 import rate_chains as proofs
from derivations.paper.theorem2 import sampled_rates as checks
from derivations.paper.theorem2.expansion import excess_chain
from derivations.paper.theorem2.loss import DEPENDS
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.domains import Where
from derivations.steps.held import Held
from derivations.steps.labels import DENOMINATOR, NUMERATOR
from derivations.steps.rules.certified_signs import certify
from derivations.steps.rules.derivatives import slope_at_zero
from derivations.steps.step import Check, Kind, Parts, Step
from symbolic.algebra.words import scalar as symbol

# where the moves that have a number are sampled
SIZES = tuple(
    {
        "n_t": n_t,
        "n_v": n_v,
        "n_r": 5,
        "m": m,
        "p": p,
        "sigma": 0.7,
        "nu": 0.9,
        "alpha_t": rate,
        "alpha_r": 0.3,
    }
    for n_t, n_v, m, p, rate in ((9, 7, 5, 4, 0.2), (7, 6, 4, 3, -0.3), (5, 8, 3, 2, 0.4))
)


# -- derivations --------------------------------------------------------------------------------------------


def _slope_chain(assumptions: Assumptions) -> Chain:
    """(10): the deviation put into the loss, the derivative at zero, and its sign."""
    if assumptions.covariance != "identity":
        raise NotDerivable("with a general covariance h_t and g are matrices")
    deviation, (c_0, c_2) = excess_chain(assumptions), loss_coefficients(assumptions)
    whole = c_0 + c_2 * symbol("excess")
    held = Held(assumptions, deviation.numbers(), inside=whole)
    chain = Chain(whole).expand({"excess": deviation.result}, "theorem-2", held=held)
    slope_at_zero(chain, "alpha_t", deviation.numbers()).shows(checks.SLOPE)
    # with inputs +-1 the slope vanishes at p = 1 and alpha_r = 1: its value stands without a sign
    with suppress(DoesNotApply):
        certify(chain, {}, domain=proofs.FROM_ONE).shows_sign(checks.SIGN_SLOPE)
    return chain


# -- what the paper says ------------------------------------------------------------------------------------


def _claim_many_tasks() -> Parts:
    return {
        checks.LIMIT: sigma**2 / 2 * (1 + alpha_r**2 * p / n_r) + H_R * nu**2 / 2,
        **{checks.limit_slope(s.name): Integer(0) for s in (alpha_t, n_v, n_t)},
    }


def _claim_slope(factor: sympy.Expr) -> Parts:
    return {
        checks.SLOPE: factor * sigma**2 * p / (n_v * m),
        checks.SIGN_SLOPE.on(Where({"alpha_t": "0"})): Integer(1),
    }


ADAPTED = Where(nonzero=frozenset({"alpha_r"}))


def _signs(*pairs: tuple[str, int]) -> Parts:
    return {label: Integer(value) for label, value in pairs}


# -- the steps ----------------------------------------------------------------------------------------------


def _claim_step(
    name: str,
    statement: str,
    *,
    claim: Callable[[], Parts],
    chain: Callable[[Assumptions], Chain],
    check: Callable[[Step, Assumptions, int], list[Check]] | None,
    remark: str = "",
    reason: str = "",
    method: str = "derivatives of the derived formula, and polynomial certificates of their signs, move by move",
) -> Step:
    return Step(
        name,
        (),
        Kind.CLAIM,
        statement,
        "theorem2",
        uses=("theorem-2",),
        depends_on=DEPENDS,
        claim=claim,
        applies=unchanged(DEPENDS),
        derivation=chain,
        sizes=SIZES,
        check=check,
        method=method,
        remark=remark,
        reason=reason,
    )


STEPS: tuple[Step, ...] = (
    _claim_step(
        "loss-rises-with-noise-underparameterized",
        "With fewer parameters than data, too, the loss increases with label noise and task variability.",
        claim=lambda: _signs((checks.SIGN_SIGMA, 1), (checks.SIGN_NU, 1)),
        chain=proofs.noise_chain,
        check=checks.noise,
    ),
    _claim_step(
        "loss-falls-with-data",
        "The loss decreases with the number of validation points, of tasks, and of target points (for a non-zero "
        "adaptation rate).",
        claim=lambda: _signs(
            (checks.SIGN_ROWS, -1), (checks.SIGN_TASKS, -1), (checks.SIGN_TARGET.on(ADAPTED), -1)
        ),
        chain=proofs.data_chain,
        check=checks.data,
        remark="In n_v this is seen by writing the deviation as a + b / n_v with b > 0: the factors n_v + 1 in "
        "(9) grow, but not as fast as the n_v below them.",
    ),
    _claim_step(
        "many-tasks-limit",
        "With infinitely many tasks the loss does not depend on the training rate, n_v or n_t.",
        claim=_claim_many_tasks,
        chain=proofs.many_tasks_chain,
        check=checks.many_tasks,
        method="the limit of the derived formula, move by move",
    ),
    _claim_step(
        "adaptation-rate-bracket-underparameterized",
        "In the adaptation rate the loss is a convex quadratic with its one minimum in the same interval as in "
        "the overparameterized case.",
        claim=lambda: claimed_bracket({}),
        chain=proofs.adaptation_rate_chain,
        check=bracket(checks.BASE),
    ),
    _claim_step(
        "ratio-of-quartics",
        "In the training rate the loss is a ratio of two polynomials of degree four.",
        claim=lambda: _signs((NUMERATOR, 4), (DENOMINATOR, 4)),
        chain=proofs.degrees_chain,
        check=None,
        reason="the degrees of a formula; nothing to sample",
        method="degrees of the reduced fraction, move by move",
    ),
    Step(
        "slope-at-zero-underparameterized",
        ("10",),
        Kind.EQUATION,
        "At a zero training rate the loss increases: a slightly negative rate is better.",
        "theorem2",
        regime=Regime.UNDER,
        uses=("theorem-2",),
        depends_on=DEPENDS,
        claim=lambda: _claim_slope(Integer(1)),
        correction=lambda: _claim_slope(H_R),
        derivation=_slope_chain,
        check=checks.slope,
        applies=unchanged(("covariance", "adaptation_steps")),
        method="derivative of the derived formula, move by move; polynomial certificate of its sign",
        remark="Differentiating (9) brings a factor h_r. At alpha_r = 0, where h_r = 1, the two forms are "
        "the same; the sign, which is what the argument needs, is as stated.",
        unreadable="no factor h_r can be seen in the available text; it may have been lost in the "
        "preparation of that text rather than left out in print",
        parameters=("n_v", "n_r", "m", "p", "sigma", "alpha_r"),
    ),
)
