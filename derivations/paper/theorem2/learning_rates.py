"""The claims of section 5.2 about the loss of Theorem 2, and (10).

    -     loss-rises-with-noise-underparameterized    the loss increases with sigma and nu
    -     loss-falls-with-data                        it decreases with n_v, m and, at alpha_r not zero, n_r
    -     many-tasks-limit                            with infinitely many tasks alpha_t, n_v and n_t drop out
    -     adaptation-rate-bracket-underparameterized  a convex quadratic in alpha_r, its minimum in the same interval
    -     ratio-of-quartics                           a ratio of two quartics in alpha_t
    (10)  slope-at-zero-underparameterized            the slope at alpha_t = 0 is positive

Signs hold for all sizes n_t, p >= 1 and n_v, m, n_r > 0, real or integer, and for every real rate. They rest
on the coefficients of E|omega_star - w_0|^2 in sigma^2, nu^2 and 1/n_v, certified positive one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Integer

from derivations.language.assumptions import Assumptions, NotDerivable, unchanged
from derivations.language.normal_form import scalar, to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, m, n_r, n_t, n_v, nu, p, sigma
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem1.adaptation_rate_checks import UPPER, bracket
from derivations.paper.theorem1.concentration import H_R
from derivations.paper.theorem2 import sampled_rates as checks
from derivations.paper.theorem2.expansion import excess_chain, expansion, leading_excess, leading_loss
from derivations.paper.theorem2.loss import DEPENDS
from derivations.steps.chain import Chain, derived_by
from derivations.steps.labels import DENOMINATOR, NUMERATOR
from derivations.steps.rules.derivatives import slope_at_zero
from derivations.steps.signs import common_sign, sign
from derivations.steps.step import Check, Derived, Parts, Step
from symbolic.algebra.coefficients import names_of
from symbolic.algebra.words import scalar as symbol
from symbolic.proofs.positivity import SignUnproved

SIZES_FROM_ONE = {"n_t": Fraction(1), "p": Fraction(1)}
NO_RATE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Coefficients:
    """E|omega_star - w_0|^2 = p / (n_v m h^2) sum over source s and power k of c[s, k] s^2 n_v^k, exactly."""

    h: sympy.Expr
    c: Mapping[tuple[sympy.Symbol, int], sympy.Expr]


@lru_cache(maxsize=8)
def coefficients(assumptions: Assumptions) -> Coefficients:
    """The coefficients, read off the derived formula; raises ArithmeticError when it has another form."""
    found = expansion(assumptions)
    h = to_sympy(found.h)
    poly = sympy.Poly(sympy.expand(to_sympy(found.g)), sigma, nu, n_v)
    c: dict[tuple[sympy.Symbol, int], sympy.Expr] = {}
    for (in_sigma, in_nu, power), coefficient in poly.terms():
        if (in_sigma, in_nu) not in ((2, 0), (0, 2)):
            raise ArithmeticError("the deviation is not linear in sigma^2 and nu^2")
        c[sigma if in_sigma else nu, power] = coefficient
    whole = sum(value * source**2 * n_v**k for (source, k), value in c.items()) * p / (n_v * m * h**2)
    if not scalar(whole - leading_excess(assumptions)).is_zero():
        raise ArithmeticError("the coefficients do not make up the deviation")
    return Coefficients(h, c)


def require_positive(coefficient: sympy.Expr, h: sympy.Expr) -> bool:
    """Prove a coefficient positive for every real rate, or zero at rate 0 only; True when strictly positive.

    With c its value at rate 0, it is c h^k plus alpha_t^2 times a quadratic without real roots; h has none
    either. Raises SignUnproved when neither k = 1 nor k = 2 leads there.
    """
    at_zero = coefficient.subs(alpha_t, 0)
    if scalar(at_zero).is_zero():
        if sign(coefficient, SIZES_FROM_ONE)[0] != 1:
            raise SignUnproved(f"{coefficient} is negative")
        return False
    for k in (1, 2):
        try:
            signs = {
                sign(at_zero, SIZES_FROM_ONE, NO_RATE)[0],
                sign(h, SIZES_FROM_ONE, NO_RATE)[0],
                sign(coefficient - at_zero * h**k, SIZES_FROM_ONE)[0],
            }
        except SignUnproved:
            continue
        if signs == {1}:
            return True
    raise SignUnproved(f"no certificate that {coefficient} is positive")


def require_positive_excess(assumptions: Assumptions) -> Coefficients:
    """The coefficients, all proved positive, those without n_v strictly: so is E|omega_star - w_0|^2."""
    found = coefficients(assumptions)
    for (_, power), value in found.c.items():
        if not require_positive(value, found.h) and power == 0:
            raise SignUnproved("a coefficient without n_v vanishes at rate 0")
    return found


# -- derivations --------------------------------------------------------------------------------------------


def _derive_noise(assumptions: Assumptions) -> Derived:
    require_positive_excess(assumptions)
    c_0, c_2 = (to_sympy(part) for part in loss_coefficients(assumptions))
    # the deviation rises with either source; so does the rest of the loss, and c_2 > 0
    rises = Integer(sign(c_2)[0])
    return {
        label: common_sign([sympy.diff(c_0, source), rises])
        for label, source in ((checks.SIGN_SIGMA, sigma), (checks.SIGN_NU, nu))
    }


def _derive_data(assumptions: Assumptions) -> Derived:
    found = require_positive_excess(assumptions)
    excess = leading_excess(assumptions)
    c_0, c_2 = (to_sympy(part) for part in loss_coefficients(assumptions))
    gain = sign(c_2)[0]
    # in n_v: minus the terms without n_v in the bracket, over n_v^2; in m: minus the whole, over m
    bracket = sum(value * source**2 for (source, k), value in found.c.items() if k == 0)
    in_rows = sympy.diff(excess, n_v) + bracket * p / (n_v**2 * m * found.h**2)
    in_tasks = sympy.diff(excess, m) + excess / m
    powers = {k for _, k in found.c}
    if powers != {0, 1} or not (scalar(in_rows).is_zero() and scalar(in_tasks).is_zero()):
        raise ArithmeticError("the deviation depends on n_v or m in another way")
    noise = c_0.subs(nu, 0)
    spread = [sympy.diff(noise, n_r), sympy.diff(c_2, n_r)]
    return {
        checks.SIGN_ROWS: Integer(-gain),
        checks.SIGN_TASKS: Integer(-gain),
        checks.SIGN_TARGET: common_sign([sympy.factor(term) for term in spread]),
    }


def _derive_many_tasks(assumptions: Assumptions) -> Derived:
    excess = leading_excess(assumptions)
    if not scalar(sympy.diff(m * excess, m)).is_zero():
        raise ArithmeticError("the deviation does not fall like 1/m")
    limit = to_sympy(loss_coefficients(assumptions)[0])
    return {
        checks.LIMIT: limit,
        **{checks.limit_slope(s.name): sympy.diff(limit, s) for s in (alpha_t, n_v, n_t)},
    }


def _derive_adaptation_rate(assumptions: Assumptions) -> Derived:
    require_positive_excess(assumptions)
    c_0, c_2 = (to_sympy(part) for part in loss_coefficients(assumptions))
    noise = c_0.subs(nu, 0)
    if not scalar(c_0 - noise - c_2 * nu**2).is_zero():
        raise ArithmeticError("the loss does not split into noise and deviation")
    # the loss is noise + c_2 (nu^2 + E) with a positive bracket that does not contain alpha_r
    (upper,) = sympy.solve(sympy.diff(c_2, alpha_r), alpha_r)
    slopes = {
        label: [sympy.factor(sympy.diff(part, alpha_r).subs(alpha_r, end)) for part in (noise, c_2)]
        for label, end in ((checks.SIGN_AT_0, Integer(0)), (checks.SIGN_AT_UPPER, upper))
    }
    bends = [sympy.factor(sympy.diff(part, alpha_r, 2)) for part in (noise, c_2)]
    return {
        UPPER: upper,
        checks.SIGN_BEND: common_sign(bends),
        **{label: common_sign(terms) for label, terms in slopes.items()},
    }


def _derive_degrees(assumptions: Assumptions) -> Derived:
    return degrees(leading_loss(assumptions), "alpha_t")


def degrees(formula: sympy.Expr, variable: str) -> Derived:
    """Degrees of numerator and denominator in a variable, after all common factors are taken out."""
    value = scalar(formula)
    found: dict[str, sympy.Basic] = {}
    for label, poly in ((NUMERATOR, value.numerator), (DENOMINATOR, value.denominator)):
        names = names_of(poly.context())
        found[label] = Integer(int(poly.degrees()[names.index(variable)]) if variable in names else 0)
    return found


def _slope_chain(assumptions: Assumptions) -> Chain:
    """(10): the deviation put into the loss, the derivative at zero, and its sign."""
    if assumptions.covariance != "identity":
        raise NotDerivable("with a general covariance h_t and g are matrices")
    deviation, (c_0, c_2) = excess_chain(assumptions), loss_coefficients(assumptions)
    chain = Chain(c_0 + c_2 * symbol("excess")).expand({"excess": deviation.result}, "theorem-2")
    slope_at_zero(chain, "alpha_t", deviation.numbers()).shows(checks.SLOPE)
    # with inputs +-1 the slope vanishes at p = 1 and alpha_r = 1: its value stands without a sign
    with suppress(SignUnproved):
        chain.shows_value(checks.SIGN_SLOPE, Integer(sign(to_sympy(chain.result), SIZES_FROM_ONE)[0]))
    return chain


# -- what the paper says ------------------------------------------------------------------------------------


def _claim_many_tasks() -> Parts:
    return {
        checks.LIMIT: sigma**2 / 2 * (1 + alpha_r**2 * p / n_r) + H_R * nu**2 / 2,
        **{checks.limit_slope(s.name): Integer(0) for s in (alpha_t, n_v, n_t)},
    }


def _claim_adaptation_rate() -> Parts:
    return {
        UPPER: 1 / (1 + (p + 1) / n_r),
        checks.SIGN_BEND: Integer(1),
        checks.SIGN_AT_0: Integer(-1),
        checks.SIGN_AT_UPPER: Integer(1),
    }


def _claim_slope(factor: sympy.Expr) -> Parts:
    return {checks.SLOPE: factor * sigma**2 * p / (n_v * m), checks.SIGN_SLOPE: Integer(1)}


def _signs(*pairs: tuple[str, int]) -> Parts:
    return {label: Integer(value) for label, value in pairs}


# -- the steps ----------------------------------------------------------------------------------------------


def _claim_step(
    name: str,
    statement: str,
    *,
    claim: Callable[[], Parts],
    derive: Callable[[Assumptions], Derived],
    check: Callable[[Step, Assumptions, int], list[Check]] | None,
    remark: str = "",
    reason: str = "",
    method: str = "polynomial certificates on the derived formula",
) -> Step:
    return Step(
        name,
        (),
        "claim",
        statement,
        "theorem2",
        uses=("theorem-2",),
        depends_on=DEPENDS,
        claim=claim,
        applies=unchanged(DEPENDS),
        derive=derive,
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
        derive=_derive_noise,
        check=checks.noise,
    ),
    _claim_step(
        "loss-falls-with-data",
        "The loss decreases with the number of validation points, of tasks, and of target points (for a non-zero "
        "adaptation rate).",
        claim=lambda: _signs((checks.SIGN_ROWS, -1), (checks.SIGN_TASKS, -1), (checks.SIGN_TARGET, -1)),
        derive=_derive_data,
        check=checks.data,
        remark="In n_v this is seen by writing the deviation as a + b / n_v with b > 0: the factors n_v + 1 in "
        "(9) grow, but not as fast as the n_v below them.",
    ),
    _claim_step(
        "many-tasks-limit",
        "With infinitely many tasks the loss does not depend on the training rate, n_v or n_t.",
        claim=_claim_many_tasks,
        derive=_derive_many_tasks,
        check=checks.many_tasks,
        method="the deviation times m does not contain m",
    ),
    _claim_step(
        "adaptation-rate-bracket-underparameterized",
        "In the adaptation rate the loss is a convex quadratic with its one minimum in the same interval as in "
        "the overparameterized case.",
        claim=_claim_adaptation_rate,
        derive=_derive_adaptation_rate,
        check=bracket(checks.BASE),
    ),
    _claim_step(
        "ratio-of-quartics",
        "In the training rate the loss is a ratio of two polynomials of degree four.",
        claim=lambda: _signs((NUMERATOR, 4), (DENOMINATOR, 4)),
        derive=_derive_degrees,
        check=None,
        reason="the degrees of a formula; nothing to sample",
        method="degrees of the reduced fraction",
    ),
    Step(
        "slope-at-zero-underparameterized",
        ("10",),
        "equation",
        "At a zero training rate the loss increases: a slightly negative rate is better.",
        "theorem2",
        regime=Regime.UNDER,
        uses=("theorem-2",),
        depends_on=DEPENDS,
        claim=lambda: _claim_slope(Integer(1)),
        correction=lambda: _claim_slope(H_R),
        derive=derived_by(_slope_chain),
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
