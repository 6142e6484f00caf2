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
from functools import lru_cache
from types import MappingProxyType

import sympy
from sympy import Integer, sqrt

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import scalar, to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import (
    alpha_r,
    alpha_t,
    dist0_sq,
    m,
    n_r,
    n_t,
    n_v,
    nu,
    p,
    sigma,
    symbol_table,
)
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem1 import sampled_rates as checks
from derivations.paper.theorem1.adaptation_rate_checks import UPPER, bracket
from derivations.paper.theorem1.concentration import DEPENDS, H_R, INNER, leading_excess
from derivations.steps.signs import common_sign, sign
from derivations.steps.step import Check, Derived, Erratum, Parts, Step
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.proofs.stationary import QuadraticDerivative, quadratic_derivative

ROOM = sympy.Symbol("room", positive=True)  # p - n_v m
LOW, HIGH = checks.LOW, checks.HIGH


def within_regime(expr: sympy.Expr) -> sympy.Expr:
    """The expression with p written as n_v m + room, so that the regime p > n_v m is built in."""
    return expr.subs(p, n_v * m + ROOM)


@lru_cache(maxsize=32)
def loss_parts(assumptions: Assumptions) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """(c_0, c_2, E): the loss is c_0 + c_2 E with E = E|omega_star - w_0|^2 to leading order."""
    c_0, c_2 = (to_sympy(part) for part in loss_coefficients(assumptions))
    return c_0, c_2, leading_excess(assumptions)


def excess_terms(assumptions: Assumptions) -> Mapping[sympy.Symbol, sympy.Expr]:
    """E as a linear form in sigma^2, nu^2 and |omega_0 - w_0|^2: its three coefficients."""
    excess = leading_excess(assumptions)
    form = {}
    for source, power in ((sigma, 2), (nu, 2), (dist0_sq, 1)):
        others = {s: 0 for s in (sigma, nu, dist0_sq) if s != source}
        form[source] = excess.subs(others) / source**power
    rebuilt = form[sigma] * sigma**2 + form[nu] * nu**2 + form[dist0_sq] * dist0_sq
    if not scalar(rebuilt - excess).is_zero():
        raise NotDerivable("the deviation has more sources than label noise, task variability and the start")
    return form


@lru_cache(maxsize=32)
def slope(assumptions: Assumptions) -> QuadraticDerivative:
    """The derivative of E in alpha_t as a quadratic times a positive factor."""
    return quadratic_derivative(scalar(leading_excess(assumptions)), "alpha_t")


# -- derivations --------------------------------------------------------------------------------------------


def _derive_stationary(assumptions: Assumptions) -> Derived:
    # -b/2a minus or plus an undivided square root: the first is the lower one whatever the sign of a
    low, high = slope(assumptions).roots(symbol_table())
    return {LOW: low, HIGH: high}


def _derive_kinds(assumptions: Assumptions) -> Derived:
    """Signs of the roots and of the second derivative there, from the three coefficients of the quadratic.

    With a < 0 < c the product of the roots is negative, so exactly one is negative, and the derivative is negative
    below it, positive between the roots, negative above: the lower root is the minimum.
    """
    quadratic = slope(assumptions)
    a, c = (sign(quotient_to_sympy(part, symbol_table()))[0] for part in (quadratic.a, quadratic.c))
    product = a * c
    if product >= 0:
        raise ArithmeticError("the roots have the same sign; no conclusion")
    return {
        checks.sign_of_root(LOW): Integer(product),
        checks.sign_of_root(HIGH): Integer(-product),
        checks.sign_of_bend(LOW): Integer(-a),
        checks.sign_of_bend(HIGH): Integer(a),
    }


def _derive_slope_at_zero(assumptions: Assumptions) -> Derived:
    _, c_2, excess = loss_parts(assumptions)
    at_zero = sympy.diff(excess, alpha_t).subs(alpha_t, 0)
    return {checks.SLOPE_AT_0: Integer(sign(c_2)[0] * sign(at_zero)[0])}


def _derive_limits(assumptions: Assumptions) -> Derived:
    """Limits at plus and minus infinity from leading coefficients of numerator and denominator."""
    c_0, c_2, excess = loss_parts(assumptions)
    value = scalar(excess)
    ends = []
    for direction in (1, -1):
        top, bottom = (
            sympy.Poly(quotient_to_sympy(part, symbol_table()), alpha_t)
            for part in (
                value * Rational.polynomial(value.denominator),
                Rational.polynomial(value.denominator),
            )
        )
        if top.degree() != bottom.degree():
            raise ArithmeticError("the loss is not bounded in alpha_t")
        ends.append(top.LC() * direction ** top.degree() / (bottom.LC() * direction ** bottom.degree()))
    above, below = (c_0 + c_2 * sympy.factor(end) for end in ends)
    return {checks.LIMIT_DIFFERENCE: sympy.factor(above - below), checks.LIMIT: above}


def _derive_noise(assumptions: Assumptions) -> Derived:
    c_0, c_2, excess = loss_parts(assumptions)
    return {
        label: common_sign([sympy.diff(c_0, source), c_2 * sympy.diff(excess, source)])
        for label, source in ((checks.SIGN_SIGMA, sigma), (checks.SIGN_NU, nu))
    }


def _derive_target_data(assumptions: Assumptions) -> Derived:
    c_0, c_2, _ = loss_parts(assumptions)
    form = excess_terms(assumptions)
    positive = common_sign([within_regime(term) for term in form.values()])
    noise = c_0.subs(nu, 0)
    terms = [sympy.diff(noise, n_r), sympy.diff(c_0 - noise, n_r), positive * sympy.diff(c_2, n_r)]
    return {checks.SIGN_TARGET: common_sign([sympy.factor(term) for term in terms])}


def _derive_data_sign(assumptions: Assumptions) -> Derived:
    """The derivative in n_v, m is a positive factor times (threshold - |omega_0 - w_0|^2); in p likewise."""
    _, c_2, excess = loss_parts(assumptions)
    found: dict[str, sympy.Basic] = {}
    for name, variable in (("n_v", n_v), ("m", m), ("p", p)):
        change = sympy.diff(excess, variable)
        if variable == p:
            # the test phase depends on p too: take the deviation's coefficient and its constant part together
            c_0 = loss_parts(assumptions)[0]
            change = sympy.diff(c_0 + c_2 * excess, p).subs(alpha_r, 0)
        near = change.subs(dist0_sq, 0)
        far = sympy.diff(change, dist0_sq)
        found[checks.sign_near(name)] = Integer(_witness(near))
        found[checks.sign_far(name)] = Integer(sign(far)[0])
    return found


def _witness(quantity: sympy.Expr) -> int:
    """The sign at the start of training on the task mean, for every size (or at alpha_t = 0 where it varies)."""
    return sign(quantity.subs(alpha_t, 0))[0]


def _vertex(quantity: sympy.Expr, assumptions: Assumptions) -> sympy.Expr:
    """The adaptation rate at which a quadratic in it is stationary; raises NotDerivable for a higher degree."""
    polynomial = sympy.Poly(quantity, alpha_r)
    if polynomial.degree() != 2:
        raise NotDerivable(
            f"under {assumptions.label()} h_r has degree {polynomial.degree()} in alpha_r, so the end of the bracket "
            "has no closed form here: `derive optimum` with alpha_r left out finds the best rate at given values"
        )
    b, a = (polynomial.coeff_monomial(alpha_r**k) for k in (1, 2))
    return sympy.factor(-b / (2 * a))


def _derive_adaptation_rate(assumptions: Assumptions) -> Derived:
    c_0, c_2, _ = loss_parts(assumptions)
    # the loss is sigma^2 (...) + c_2 (nu^2 + E): both brackets are positive multiples of convex quadratics
    noise = c_0.subs(nu, 0)
    if not scalar(c_0 - noise - c_2 * nu**2).is_zero():
        raise ArithmeticError("the loss does not split into noise and deviation")
    upper = _vertex(c_2, assumptions)
    at = {"0": Integer(0), "upper": upper}
    ends = {
        key: [sympy.factor(sympy.diff(part, alpha_r).subs(alpha_r, point)) for part in (noise, c_2)]
        for key, point in at.items()
    }
    curvature = common_sign([sympy.factor(sympy.diff(part, alpha_r, 2)) for part in (noise, c_2)])
    return {
        UPPER: upper,
        checks.SIGN_BEND: curvature,
        checks.SIGN_AT_0: common_sign(ends["0"]),
        checks.SIGN_AT_UPPER: common_sign(ends["upper"]),
    }


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


def _claim_adaptation_rate() -> Parts:
    return {
        UPPER: 1 / (1 + (p + 1) / n_r),
        checks.SIGN_BEND: Integer(1),
        checks.SIGN_AT_0: Integer(-1),
        checks.SIGN_AT_UPPER: Integer(1),
    }


def _signs(*pairs: tuple[str, int]) -> Callable[[], Parts]:
    return lambda: {label: Integer(value) for label, value in pairs}


def _claim_step(
    name: str,
    statement: str,
    claim: Callable[[], Parts],
    derive: Callable[[Assumptions], Derived],
    check: Callable[[Step, Assumptions, int], list[Check]],
    uses: tuple[str, ...] = ("theorem-1",),
    remark: str = "",
    errata: Mapping[Erratum, str] = MappingProxyType({}),
) -> Step:
    return Step(
        name,
        (),
        "claim",
        statement,
        "learning_rates",
        regime=Regime.OVER,
        uses=uses,
        depends_on=DEPENDS,
        claim=claim,
        derive=derive,
        check=check,
        method="polynomial certificates on the derived formula",
        remark=remark,
        errata=errata,
    )


STEPS: tuple[Step, ...] = (
    _claim_step(
        "loss-rises-with-noise",
        "The loss increases with the label noise and with the task variability.",
        _signs((checks.SIGN_SIGMA, 1), (checks.SIGN_NU, 1)),
        _derive_noise,
        checks.noise,
    ),
    _claim_step(
        "loss-falls-with-target-data",
        "The loss decreases with the number of target points, for any non-zero rate.",
        _signs((checks.SIGN_TARGET, -1)),
        _derive_target_data,
        checks.target_data,
    ),
    _claim_step(
        "meta-data-can-hurt",
        "Whether more validation data, more tasks or fewer parameters help depends on how far training "
        "starts from the task mean.",
        _signs(
            (checks.sign_near("n_v"), 1),
            (checks.sign_far("n_v"), -1),
            (checks.sign_near("m"), 1),
            (checks.sign_far("m"), -1),
            (checks.sign_near("p"), -1),
            (checks.sign_far("p"), 1),
        ),
        _derive_data_sign,
        checks.meta_data,
        remark="The signs for p are at alpha_r = 0, where only the learned meta-parameter depends on p, and those at the task "
        "mean at alpha_t = 0.",
    ),
    _claim_step(
        "adaptation-rate-bracket",
        "In the adaptation rate the loss is a convex quadratic with its one minimum strictly between "
        "zero and the rate that minimises h_r.",
        _claim_adaptation_rate,
        _derive_adaptation_rate,
        bracket(checks.BASE),
    ),
    _claim_step(
        "same-limits",
        "The loss tends to the same finite value as the training rate goes to either infinity.",
        _claim_limits,
        _derive_limits,
        checks.limits,
        remark="The paper states that there is one limit; its value is read off (5).",
    ),
    _claim_step(
        "slope-at-zero-positive",
        "At a zero training rate the loss increases, where labels are noisy: a slightly negative rate is better.",
        _signs((checks.SLOPE_AT_0, 1)),
        _derive_slope_at_zero,
        checks.slope_at_zero,
    ),
    Step(
        "stationary-rates",
        ("8",),
        "equation",
        "The two stationary training rates in closed form.",
        "learning_rates",
        regime=Regime.OVER,
        uses=("theorem-1",),
        depends_on=INNER,
        claim=_claim_stationary,
        derive=_derive_stationary,
        check=checks.stationary_rates,
        method="derivative of the derived formula; quadratic formula",
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
            (checks.sign_of_bend(LOW), 1),
            (checks.sign_of_bend(HIGH), -1),
        ),
        _derive_kinds,
        checks.extremum_signs,
        uses=("stationary-rates", "slope-at-zero-positive", "same-limits"),
        errata={
            "condition": "That the best training rate is always negative needs label noise, sigma > 0: without it (5) does "
            "not depend on the training rate at all."
        },
    ),
)
