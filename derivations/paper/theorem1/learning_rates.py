"""The learning rates of section 5.1: (8) and every claim the text makes about the loss of Theorem 1.

    -    loss-rises-with-noise        the loss increases with sigma and nu
    -    loss-falls-with-target-data  it decreases with n_r, at any rate but zero
    -    meta-data-can-hurt           the signs in n_v, m and p depend on how far training starts from w_0
    -    adaptation-rate-bracket      a convex quadratic in alpha_r, its minimum between 0 and where h_r is least
    -    same-limits                  the same limit as alpha_t tends to either infinity
    -    slope-at-zero-positive       the slope at alpha_t = 0 is positive where labels are noisy
    (8)  stationary-rates             the two stationary training rates in closed form
    -    minimum-is-negative          the negative one is the minimum, the positive one the maximum

Signs hold for all positive sizes, noise and variability, real or integer, in the whole regime p > n_v m; each is
proved by a polynomial certificate on the derived formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sympy import Integer, sqrt

from derivations.language.assumptions import Assumptions
from derivations.language.regime import Regime
from derivations.language.symbols import (
    alpha_r,
    dist0_sq,
    m,
    n_r,
    n_t,
    n_v,
    nu,
    p,
    sigma,
)
from derivations.paper.theorem1 import rate_chains as proofs
from derivations.paper.theorem1 import sampled_rates as checks
from derivations.paper.theorem1.adaptation_rate_checks import UPPER, bracket
from derivations.paper.theorem1.block_draws import EXCESS_SIZES
from derivations.paper.theorem1.concentration import DEPENDS, H_R, INNER
from derivations.steps.chain import Chain
from derivations.steps.domains import Where
from derivations.steps.step import Check, Erratum, Kind, Parts, Step

LOW, HIGH = checks.LOW, checks.HIGH


# -- what the paper says ------------------------------------------------------------------------------------


def _claim_stationary() -> Parts:
    centre = (n_t + 1) / (2 * p)
    spread = sqrt(n_t / p + centre**2)
    return {LOW: -centre - spread, HIGH: -centre + spread}


def _claim_limits() -> Parts:
    """One limit, with the value that (5) has for a rate without bound: the last fraction tends to p / (n_t + p + 1)."""
    share = n_v * m / p
    last = sigma**2 * share * p / (n_t + p + 1)
    return {
        checks.LIMIT_DIFFERENCE: Integer(0),
        checks.LIMIT: sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
        + H_R / 2 * (nu**2 * (1 + share) + (1 - share) * dist0_sq + last),
    }


def claimed_bracket(within: Mapping[str, str]) -> Parts:
    """That the loss bends up in the adaptation rate and is least between zero and this rate, which both theorems are said to share.

    within: what the regime makes of a size.
    """
    at_0, at_upper = ({**within, "alpha_r": value} for value in ("0", "its root"))
    return {
        UPPER: 1 / (1 + (p + 1) / n_r),
        checks.SIGN_BEND.on(Where(within)): Integer(1),
        checks.SIGN_AT_0.on(Where(at_0)): Integer(-1),
        checks.SIGN_AT_UPPER.on(Where(at_upper)): Integer(1),
    }


# in the regime p > n_v m; at the rate of zero; and where training starts from the mean of the tasks at that rate
OVER = {"p": "m*n_v + room"}
AT_ZERO = Where({"alpha_t": "0"})
NEAR = Where({"alpha_t": "0", "dist0_sq": "0"})
NOT_ADAPTED = Where({"alpha_r": "0"})


def _signs(*pairs: tuple[str, int]) -> Callable[[], Parts]:
    return lambda: {label: Integer(value) for label, value in pairs}


def _claim_step(
    name: str,
    statement: str,
    claim: Callable[[], Parts],
    chain: Callable[[Assumptions], Chain],
    check: Callable[[Step, Assumptions, int], list[Check]],
    uses: tuple[str, ...] = ("theorem-1",),
    remark: str = "",
    errata: Mapping[Erratum, str] = MappingProxyType({}),
) -> Step:
    return Step(
        name,
        (),
        Kind.CLAIM,
        statement,
        "learning_rates",
        regime=Regime.OVER,
        uses=uses,
        depends_on=DEPENDS,
        claim=claim,
        derivation=chain,
        check=check,
        sizes=EXCESS_SIZES,
        method="derivatives of the derived formula, and polynomial certificates of their signs, move by move",
        remark=remark,
        errata=errata,
    )


STEPS: tuple[Step, ...] = (
    _claim_step(
        "loss-rises-with-noise",
        "The loss increases with the label noise and with the task variability.",
        _signs((checks.SIGN_SIGMA.on(Where(OVER)), 1), (checks.SIGN_NU.on(Where(OVER)), 1)),
        proofs.noise_chain,
        checks.noise,
    ),
    _claim_step(
        "loss-falls-with-target-data",
        "The loss decreases with the number of target points, for any non-zero rate.",
        _signs((checks.SIGN_TARGET.on(Where(OVER, nonzero=frozenset({"alpha_r"}))), -1)),
        proofs.target_data_chain,
        checks.target_data,
    ),
    _claim_step(
        "meta-data-can-hurt",
        "Whether more validation data, more tasks or fewer parameters help depends on how far training "
        "starts from the task mean.",
        _signs(
            (checks.sign_near("n_v").on(NEAR), 1),
            (checks.sign_far("n_v"), -1),
            (checks.sign_near("m").on(NEAR), 1),
            (checks.sign_far("m"), -1),
            (checks.sign_near("p").on(NEAR & NOT_ADAPTED), -1),
            (checks.sign_far("p").on(NOT_ADAPTED), 1),
        ),
        proofs.meta_data_chain,
        checks.meta_data,
        remark="The signs for p are at alpha_r = 0, where only the learned meta-parameter depends on p, and those at the task "
        "mean at alpha_t = 0.",
    ),
    _claim_step(
        "adaptation-rate-bracket",
        "In the adaptation rate the loss is a convex quadratic with its one minimum strictly between "
        "zero and the rate that minimises h_r.",
        lambda: claimed_bracket(OVER),
        proofs.adaptation_rate_chain,
        bracket(checks.BASE),
    ),
    _claim_step(
        "same-limits",
        "The loss tends to the same finite value as the training rate goes to either infinity.",
        _claim_limits,
        proofs.limits_chain,
        checks.limits,
        remark="The paper states that there is one limit; its value is read off (5).",
    ),
    _claim_step(
        "slope-at-zero-positive",
        "At a zero training rate the loss increases, where labels are noisy: a slightly negative rate is better.",
        _signs((checks.SLOPE_AT_0.on(AT_ZERO), 1)),
        proofs.slope_chain,
        checks.slope_at_zero,
    ),
    Step(
        "stationary-rates",
        ("8",),
        Kind.EQUATION,
        "The two stationary training rates in closed form.",
        "learning_rates",
        regime=Regime.OVER,
        uses=("theorem-1",),
        depends_on=INNER,
        claim=_claim_stationary,
        derivation=proofs.stationary_chain,
        check=checks.stationary_rates,
        sizes=EXCESS_SIZES,
        method="derivative of the derived formula; its roots isolated, move by move",
        unreadable="the inside of the square root could not be read in the available text; the form compared is the one "
        "that the surrounding print and the algebra agree on",
        parameters=("n_t", "p"),
    ),
    _claim_step(
        "minimum-is-negative",
        "The minus root is negative and the minimum, the plus root positive and the maximum, for every "
        "n_t, p > 0: the best training rate is negative.",
        _signs(
            (checks.sign_of_root(LOW), -1),
            (checks.sign_of_root(HIGH), 1),
            (checks.sign_of_bend(LOW).on(Where({"alpha_t": "its lower root"})), 1),
            (checks.sign_of_bend(HIGH).on(Where({"alpha_t": "its upper root"})), -1),
        ),
        proofs.kinds_chain,
        checks.extremum_signs,
        uses=("stationary-rates", "slope-at-zero-positive", "same-limits"),
        errata={
            Erratum.CONDITION: "That the best training rate is always negative needs label noise, sigma > 0: without it (5) does "
            "not depend on the training rate at all."
        },
    ),
)
