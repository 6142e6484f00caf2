"""What the text says of (14) as proofs: what it is for isotropic data, and its degrees in either rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from derivations.language.assumptions import Assumptions
from derivations.paper.theorem2.rate_chains import ratio_chain
from derivations.paper.theorem3 import sampled_loss as checks
from derivations.paper.theorem3.concentration import (
    F_GAUSSIAN,
    form_chain,
    gaussian_fourth,
    training_weight,
    weighed,
)
from derivations.paper.theorem3.target_task import adaptation_weight
from derivations.steps.chain import Chain
from derivations.steps.chains.products import in_place_of, product_of
from derivations.steps.held import Held
from derivations.steps.labels import LOSS
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.readable import Term
from symbolic.algebra.words import Expression, constant, identity, reciprocal, scalar, zero

LossChain = Callable[[Assumptions], Chain]


def isotropic_values() -> dict[str, Expression]:
    """The letters of Theorem 3 for Gaussian inputs and isotropic tasks."""
    one = identity("p")
    return {
        "Sigma": one,
        "Sigma_w": scalar("nu") ** 2 * reciprocal("p") * one,
        "F": F_GAUSSIAN.replace({"Sigma": one}),
    }


def _present(expr: Expression, values: Mapping[str, Expression]) -> Mapping[str, Expression]:
    letters = expr.letters()
    return {name: value for name, value in values.items() if name in letters}


def _opened(chain: Chain, loss: Chain, assumptions: Assumptions) -> dict[str, Expression]:
    """(14) with its names written out, those that are divided by apart: these."""
    names = weighed(form_chain(assumptions), assumptions)
    chain.begin(loss.result)
    divided = {name for name in names if INVERSE + name in loss.result.scalars()}
    plain = {name: value for name, value in names.items() if name in loss.result.scalars()}
    chain.expand(plain, "theorem-3", held=Held(assumptions, names, inside=loss.result))
    return {name: names[name] for name in divided}


def reduction_chain(loss: LossChain, assumptions: Assumptions) -> Chain:
    """H_t, H_r and the loss at Sigma = I, Sigma_w = nu^2/p I and Gaussian F."""
    weights = {"H_t": training_weight(assumptions), "H_r": adaptation_weight(assumptions)}
    chain = Chain(zero())
    values = isotropic_values()
    gaussian = gaussian_fourth(chain).result
    chain.insert(_present(gaussian, values))
    for label, weight in weights.items():
        chain.begin(weight).insert(_present(weight, values)).shows(label)
    divided = _opened(chain, loss(assumptions), assumptions)
    whole = chain.result
    found = {}
    for name, value in divided.items():
        found[name] = chain.begin(value).insert(_present(value, values)).result
    return chain.begin(whole).insert(_present(whole, values)).shows(LOSS, found)


def _by_traces(loss: LossChain, assumptions: Assumptions) -> tuple[Chain, dict[str, Expression]]:
    """The loss with a name for each trace, and what is divided by in these names."""
    found = loss(assumptions)
    chain = Chain(found.result)
    divided = _opened(chain, found, assumptions)
    exprs = (chain.result, *divided.values())
    words = {word: expr for expr in exprs for term in expr.terms for word in term.traces}
    traces = {
        f"tau_{k + 1}": product_of(expr, Term((word,), None)) for k, (word, expr) in enumerate(words.items())
    }
    whole = _named(chain, traces).result
    held = Held(assumptions, weighed(form_chain(assumptions), assumptions), inside=found.result)
    for name, value in divided.items():
        chain.begin(scalar(name)).expand({name: value}, "theorem-3", held=held)
        divided = {**divided, name: _named(chain, traces).result}
    return chain.begin(whole), divided


def _named(chain: Chain, traces: Mapping[str, Expression]) -> Chain:
    """Names for the traces that occur in the present expression."""
    for name, trace in traces.items():
        if in_place_of(trace, scalar(name), chain.result) != chain.result:
            chain.name(trace, name)
    return chain


def quartics_chain(loss: LossChain, assumptions: Assumptions) -> Chain:
    """The degrees in alpha_t."""
    chain, names = _by_traces(loss, assumptions)
    return ratio_chain(chain, names)


def quadratic_chain(loss: LossChain, assumptions: Assumptions) -> Chain:
    """The degrees in alpha_r, and the third difference."""
    chain, names = _by_traces(loss, assumptions)
    whole = chain.result
    ratio_chain(chain, names, variable="alpha_r")
    at = {f"L_{k}": whole.replace({"alpha_r": constant(Fraction(k, 10))}) for k in range(4)}
    difference = scalar("L_3") - 3 * scalar("L_2") + 3 * scalar("L_1") - scalar("L_0")
    return chain.begin(difference).define(at).shows(checks.THIRD)
