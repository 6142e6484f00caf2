"""The claims of section 5.2 about the loss of Theorem 2 as proofs: differentiate, and certify the sign.

All set out from (9) in its names. That g_1 to g_4 are positive comes first: g_1 and g_2 are quadratics in alpha_t without a
real root, g_3 and g_4 the square of h_t, which has none either, and alpha_t^2 times such a quadratic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from derivations.language.assumptions import Assumptions
from derivations.paper.theorem1.rate_chains import bracket_chain
from derivations.paper.theorem2 import sampled_rates as checks
from derivations.paper.theorem2.abbreviations import NAMES
from derivations.paper.theorem2.expansion import loss_proof
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.chains.products import by_powers
from derivations.steps.labels import DENOMINATOR, LOSS, NUMERATOR
from derivations.steps.orders import ONE
from derivations.steps.rules.certified_signs import Domain, certify, part_off
from derivations.steps.rules.derivatives import derivative, limit
from derivations.steps.rules.fractions_of import one_fraction
from symbolic.algebra.words import Expression

Names = Mapping[str, Expression]
FROM_ONE = Domain(at_least=dict.fromkeys(("n_t", "p"), Fraction(1)))
POSITIVE = tuple(name for name in NAMES if name != "h_t")


def loss_by_names(assumptions: Assumptions) -> tuple[Expression, Names]:
    """(9) in its names, and what they stand for."""
    loss, names = loss_proof(assumptions).named_parts[LOSS]
    return loss, names()


def positive_names(chain: Chain, names: Names) -> Domain:
    """Show that g_1 to g_4 are positive: the domain in which they are taken for that."""
    for name in POSITIVE:
        degree = max(by_powers(names[name], ["alpha_t"]))[0]
        chain.begin(names[name])
        if degree > 2:
            part_off(chain, "h_t", degree // 2, names)
        certify(chain, names, domain=FROM_ONE, apart=("h_t",))
    return replace(FROM_ONE, positive=frozenset(POSITIVE))


def _start(assumptions: Assumptions) -> tuple[Chain, Expression, Names, Domain]:
    loss, names = loss_by_names(assumptions)
    chain = Chain(names[POSITIVE[0]])
    return chain, loss, names, positive_names(chain, names)


def noise_chain(assumptions: Assumptions) -> Chain:
    """The loss rises with sigma and with nu."""
    chain, loss, names, domain = _start(assumptions)
    for label, source in ((checks.SIGN_SIGMA, "sigma"), (checks.SIGN_NU, "nu")):
        derivative(chain.begin(loss), source, names, "theorem-2")
        certify(chain, names, domain=domain).shows_sign(label)
    return chain


def data_chain(assumptions: Assumptions) -> Chain:
    """The loss falls with n_v, with m and, where alpha_r is not zero, with n_r."""
    chain, loss, names, domain = _start(assumptions)
    derivative(chain.begin(loss), "n_v", names, "theorem-2")
    certify(chain, names, domain=domain).shows_sign(checks.SIGN_ROWS)
    derivative(chain.begin(loss), "m", names, "theorem-2")
    certify(chain, names, domain=domain).shows_sign(checks.SIGN_TASKS)
    derivative(chain.begin(loss), "n_r", names, "theorem-2")
    return certify(chain, names, domain=replace(domain, nonzero=frozenset({"alpha_r"}))).shows_sign(
        checks.SIGN_TARGET
    )


def many_tasks_chain(assumptions: Assumptions) -> Chain:
    """With infinitely many tasks alpha_t, n_v and n_t drop out."""
    loss, names = loss_by_names(assumptions)
    chain = limit(Chain(loss), "m", names, {}, "theorem-2").shows(checks.LIMIT, names)
    found = chain.result
    for name in ("alpha_t", "n_v", "n_t"):
        derivative(chain.begin(found), name, names).shows(checks.limit_slope(name))
    return chain


def adaptation_rate_chain(assumptions: Assumptions) -> Chain:
    """The loss as a quadratic in alpha_r."""
    chain, loss, names, domain = _start(assumptions)
    return bracket_chain(assumptions, loss, names, domain, chain, "theorem-2")


def degrees_chain(assumptions: Assumptions) -> Chain:
    """The loss as a ratio of two polynomials in alpha_t without a common factor, and their degrees."""
    loss, names = loss_by_names(assumptions)
    return ratio_chain(Chain(loss), names, "theorem-2")


def ratio_chain(chain: Chain, names: Names, *reads: str, variable: str = "alpha_t") -> Chain:
    """The present scalar as a ratio of two polynomials in a rate, and their degrees."""
    top, bottom = one_fraction(chain, variable, names, *reads)
    order(chain.begin(top), {variable: ONE}).shows_degree(NUMERATOR)
    return order(chain.begin(bottom), {variable: ONE}).shows_degree(DENOMINATOR)
