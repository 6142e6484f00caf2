"""The claims of section 5.1 about the loss of Theorem 1 as proofs: differentiate, and certify the sign.

All set out from (5) in its names, h_t, h_r and mu_2. The regime p > n_v m is put in as p = n_v m + room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import sympy

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem1 import sampled_rates as checks
from derivations.paper.theorem1.adaptation_rate_checks import UPPER
from derivations.paper.theorem1.concentration import LOSS, excess_chain, loss_over_chain
from derivations.steps.chain import Chain, DoesNotApply, Move, Rule
from derivations.steps.chains.products import by_powers
from derivations.steps.rules.certified_signs import Domain, certify, leave_out_factor
from derivations.steps.rules.derivatives import at_zero, derivative, limit, slope_at_zero
from derivations.steps.rules.roots import SPREAD, isolate, put_root, write_square
from symbolic.algebra.words import Expression, scalar

Names = Mapping[str, Expression]
WITHIN = {"p": scalar("n_v") * scalar("m") + scalar("room")}
ONE = Fraction(1)
# the coefficient of alpha_r^2 in h_r
BEND = "c_r"


def loss_by_names(assumptions: Assumptions) -> tuple[Expression, Names]:
    """(5) in its names, and what they stand for."""
    loss, names = loss_over_chain(assumptions).named_parts[LOSS]
    return loss, names()


def domain_of(assumptions: Assumptions) -> Domain:
    """All positive sizes, real or integer; for other inputs than Gaussian ones, which may have fourth moments less than
    three times their variance squared, those from one on."""
    from_one = {} if assumptions.inputs == "gaussian" else dict.fromkeys(("n_t", "n_v", "n_r", "m", "p"), ONE)
    return Domain(at_least=from_one)


def over_domain(assumptions: Assumptions) -> Domain:
    """The same in the regime p > n_v m."""
    return replace(domain_of(assumptions), within=WITHIN)


def noise_chain(assumptions: Assumptions) -> Chain:
    """The loss rises with sigma and with nu."""
    loss, names = loss_by_names(assumptions)
    chain = Chain(loss)
    for label, source in ((checks.SIGN_SIGMA, "sigma"), (checks.SIGN_NU, "nu")):
        derivative(chain.begin(loss), source, names, "theorem-1")
        certify(chain, names, domain=over_domain(assumptions)).shows_sign(label)
    return chain


def target_data_chain(assumptions: Assumptions) -> Chain:
    """The loss falls with n_r, where alpha_r is not zero."""
    loss, names = loss_by_names(assumptions)
    chain = derivative(Chain(loss), "n_r", names, "theorem-1")
    return certify(
        chain, names, domain=replace(over_domain(assumptions), nonzero=frozenset({"alpha_r"}))
    ).shows_sign(checks.SIGN_TARGET)


def meta_data_chain(assumptions: Assumptions) -> Chain:
    """The derivatives in n_v, m and p near the task mean, and what the distance of the start adds to them."""
    loss, names = loss_by_names(assumptions)
    chain = Chain(loss)
    for name in ("n_v", "m", "p"):
        # adaptation depends on p too: at alpha_r = 0 only the learned meta-parameter does
        fixed = ("alpha_r",) if name == "p" else ()
        derivative(chain.begin(loss), name, names, "theorem-1")
        at_zero(chain, ("dist0_sq", "alpha_t", *fixed), names)
        certify(chain, names, domain=domain_of(assumptions)).shows_sign(checks.sign_near(name))
        derivative(chain.begin(loss), name, names, "theorem-1")
        derivative(chain, "dist0_sq", names)
        if fixed:
            at_zero(chain, fixed, names)
        certify(chain, names, domain=domain_of(assumptions)).shows_sign(checks.sign_far(name))
    return chain


def bracket_chain(
    assumptions: Assumptions, loss: Expression, names: Names, domain: Domain, chain: Chain, *reads: str
) -> Chain:
    """The loss as a quadratic in alpha_r, convex and with its minimum between zero and where h_r is least."""
    parts = by_powers(names["h_r"], ["alpha_r"])
    degree = max(parts)[0]
    if degree != 2:
        raise NotDerivable(
            f"under {assumptions.label()} h_r has degree {degree} in alpha_r, so the end of the bracket "
            "has no closed form here: `derive optimum` with alpha_r left out finds the best rate at given values"
        )
    bend = parts[2,]
    certify(chain.begin(bend), names, domain=domain)
    chain.begin(names["h_r"]).name_number(BEND, bend, "adaptation-factor")
    known = {**names, "h_r": chain.result, BEND: bend}
    within = replace(domain, positive=domain.positive | {BEND})
    derivative(chain, "alpha_r", known)
    isolate(chain, "alpha_r", domain=within).shows(UPPER, {BEND: bend})
    least = chain.moves[-1]
    derivative(chain.begin(loss), "alpha_r", known, *reads)
    derivative(chain, "alpha_r", known)
    certify(chain, known, domain=within).shows_sign(checks.SIGN_BEND)
    derivative(chain.begin(loss), "alpha_r", known, *reads)
    at_zero(chain, ("alpha_r",), known)
    certify(chain, known, domain=within).shows_sign(checks.SIGN_AT_0)
    derivative(chain.begin(loss), "alpha_r", known, *reads)
    put_root(chain, "alpha_r", least, within)
    return certify(chain, known, domain=within).shows_sign(checks.SIGN_AT_UPPER)


def adaptation_rate_chain(assumptions: Assumptions) -> Chain:
    """The same for (5)."""
    loss, names = loss_by_names(assumptions)
    return bracket_chain(assumptions, loss, names, over_domain(assumptions), Chain(names["h_r"]), "theorem-1")


def limits_chain(assumptions: Assumptions) -> Chain:
    """One limit as alpha_t goes to either infinity."""
    loss, names = loss_by_names(assumptions)
    chain = limit(Chain(loss), "alpha_t", names, {"h_t": "mu_2"}, "theorem-1")
    found, values = chain.result, {**names, **chain.moves[-1].values}
    chain.shows(checks.LIMIT, values)
    chain.begin(scalar("above") - scalar("below")).insert({"above": found, "below": found})
    return chain.shows(checks.LIMIT_DIFFERENCE)


def slope_chain(assumptions: Assumptions) -> Chain:
    """The slope at alpha_t = 0."""
    loss, names = loss_by_names(assumptions)
    chain = slope_at_zero(Chain(loss), "alpha_t", names, "theorem-1")
    return certify(chain, names, domain=domain_of(assumptions)).shows_sign(checks.SLOPE_AT_0)


def _quadratic(assumptions: Assumptions) -> tuple[Chain, Expression]:
    """The derivative in alpha_t without its positive factor: a quadratic."""
    _, names = loss_by_names(assumptions)
    excess = excess_chain(assumptions).result
    chain = derivative(Chain(excess), "alpha_t", names, "excess-overparameterized")
    try:
        leave_out_factor(chain, "alpha_t", names, domain=domain_of(assumptions))
        degree = max(by_powers(chain.result, ["alpha_t"]))[0]
        if degree != 2:
            raise DoesNotApply(f"{Rule.ROOT}: it has degree {degree} in alpha_t")
    except DoesNotApply as error:
        raise NotDerivable(
            f"the stationary rates have no closed form under {assumptions.label()} ({error}): `derive optimum` finds them"
        ) from None
    return chain, chain.result


def _roots(chain: Chain, quadratic: Expression, domain: Domain) -> Mapping[str, Move]:
    """The moves that isolate the two roots, the lower one first."""
    isolate(chain, "alpha_t", -1, domain=domain)
    low = chain.moves[-1]
    isolate(chain.begin(quadratic), "alpha_t", 1, domain=domain)
    return {checks.LOW: low, checks.HIGH: chain.moves[-1]}


def stationary_chain(assumptions: Assumptions) -> Chain:
    """(8): the two rates at which the derivative vanishes."""
    chain, quadratic = _quadratic(assumptions)
    for label, which in ((checks.LOW, -1), (checks.HIGH, 1)):
        if which > 0:
            chain.begin(quadratic)
        isolate(chain, "alpha_t", which, domain=domain_of(assumptions))
        inside = to_sympy(chain.moves[-1].roots[SPREAD])
        chain.shows(label, {SPREAD: sympy.sqrt(sympy.factor(inside))})
    return chain


def kinds_chain(assumptions: Assumptions) -> Chain:
    """The lower rate is negative and the minimum, the upper one positive and the maximum.

    The product of the roots is negative. The quadratic has the sign of the slope of the loss, and so rises through it where
    the loss has a minimum.
    """
    chain, quadratic = _quadratic(assumptions)
    roots = _roots(chain, quadratic, domain_of(assumptions))
    known = replace(domain_of(assumptions), positive=frozenset({SPREAD}))
    product = roots[checks.LOW].after * roots[checks.HIGH].after
    for label, sign in ((checks.LOW, 1), (checks.HIGH, -1)):
        write_square(chain.begin(sign * product), roots[label])
        certify(chain, {}, domain=domain_of(assumptions)).shows_sign(checks.sign_of_root(label))
    for label, root in roots.items():
        derivative(chain.begin(quadratic), "alpha_t", {})
        put_root(chain, "alpha_t", root, domain_of(assumptions))
        certify(chain, {}, domain=known).shows_sign(checks.sign_of_bend(label))
    return chain
