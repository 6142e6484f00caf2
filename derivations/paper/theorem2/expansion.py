"""The expansion of (85) about the means of the normal matrices, move by move: leading order and the next, exactly.

B^T B = N h_t I + D and V = B^T Gamma B = N g I + E, with fluctuations D, E that average to zero. The inverse of B^T B is
a series in D; what has more than one fluctuation (next order: more than two) is left out, and what is left is averaged:
over the sums over tasks, by which of them coincide, and over the data of a task.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import sympy

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.bounds import require_derivable
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem2.abbreviations import NAMES, definitions, term_value
from derivations.paper.theorem2.concentration import COUNT_GROWS, SIZE_GROWS, tasks
from derivations.paper.theorem2.general_covariance import (
    INVERSE,
    NORMAL,
    commuted,
    loss_of_second_moment,
    normal_mean,
)
from derivations.paper.theorem2.moments import TASKS, TRAINING, term_chain
from derivations.steps.chain import Chain, Mean
from derivations.steps.held import Held
from derivations.steps.labels import LOSS
from derivations.steps.orders import element
from symbolic.algebra.words import Expression, reciprocal, scalar, tr
from symbolic.proofs.asymptotics import Exponent

EXCESS = r"\mathbb{E}|\omega^\star-w_0|^2"
AVERAGES = ("validation-noise-average", "task-average", "training-noise-average")
SOLUTION, SHORT_V = "BTB_inverse", "V"


def second_moment() -> Expression:
    """The second moment of the deviation for given inputs, whose trace is (85)."""
    inverse, b = letter("inverse of B.T*B"), letter("B")
    return inverse @ b.T @ letter("Gamma") @ b @ inverse


def _chain(assumptions: Assumptions) -> Chain:
    """(85) to (96): with h_t and g by their names."""
    order = 2 if assumptions.order == "next" else 1
    of, b = tasks(assumptions), letter("B")
    # in the size of the data, the order of a fluctuation rests on exact variances, of very long words in other cases
    plain = assumptions.inputs == "gaussian" and assumptions.inner_steps == 1
    growths = (SIZE_GROWS, COUNT_GROWS) if plain else (COUNT_GROWS,)
    chain = Chain(tr(second_moment())).name_word(b.T @ letter("Gamma") @ b, SHORT_V)
    chain.expand_inverse(
        SOLUTION, b.T @ b, Mean("h_t", "N"), order, "D", of, "stacked-design", "normal-matrix-concentrates"
    )
    chain.split_mean(SHORT_V, Mean("g", "N"), "E", of, "target-covariance", "normal-noise-concentrates")
    chain.keep(order, *growths, reads=("normal-inverse-concentrates",))
    chain.average_fluctuations()
    if order == 2:
        chain.write_out("D", "E")
        chain.write_out(*({SHORT_V} & {*chain.result.letters()}))
        chain.sum_tasks(of).insert_blocks(of, "stacked-design", "target-covariance", held=Held(assumptions))
        chain.average(*(name for name, x in chain.result.letters().items() if x.random))
    if reciprocal("N").scalars() & chain.result.scalars():
        chain.expand({"N": of.total}, "stacked-design")
    return chain.shows(EXCESS)


@lru_cache(maxsize=64)
def excess_chain(assumptions: Assumptions) -> Chain:
    """The chain to (96), for its result."""
    return _chain(assumptions)


def _noise_by_name(assumptions: Assumptions) -> Expression:
    """g by (90)-(95): in h_t and g_1 to g_4."""
    noise, rate = scalar("sigma") ** 2, scalar("alpha_t") * reciprocal("n_t")
    share = reciprocal("m") * reciprocal("n_v")
    training, spread = (element(term_chain(x, assumptions).result, 1, 1) * share for x in (TRAINING, TASKS))
    return noise * (scalar("h_t") + rate**2 * training) + scalar("nu") ** 2 * reciprocal("p") * spread


@lru_cache(maxsize=32)
def excess_proof(assumptions: Assumptions) -> Chain:
    """(85) to (97): the same, and where the averages (90)-(95) have names, in these."""
    chain = _chain(assumptions)
    if assumptions.changes(("order", "inputs", "split", "noise_val")):
        return chain
    named = _noise_by_name(assumptions)
    names = {name: term_value(name, assumptions) for name in NAMES}
    chain.write_mean("g", named, names, *AVERAGES)
    return chain.names(EXCESS, lambda: definitions(NAMES, assumptions))


def _put_in(excess: Chain, assumptions: Assumptions) -> Chain:
    """(65) with what a chain finds of the deviation."""
    require_derivable(assumptions, Regime.UNDER)
    c_0, c_2 = loss_coefficients(assumptions)
    chain = Chain(c_0 + c_2 * scalar("excess")).name_number("h_r", 2 * c_2, "adaptation-factor")
    chain.carry(excess, "excess").expand({"excess": excess.result}, "excess-underparameterized")
    numbers = {
        "h_r": 2 * c_2,
        **{name: term_value(name, assumptions) for name in NAMES if name in chain.result.scalars()},
    }
    # as trees the factors stay factors
    return chain.shows(LOSS, {name: to_sympy(value) for name, value in (numbers | excess.numbers()).items()})


@lru_cache(maxsize=32)
def short_proof(assumptions: Assumptions) -> Chain:
    """(96) to (97): g by the names of the averages that it is made of."""
    found = excess_chain(assumptions)
    chain = Chain(found.result).carry(found)
    if assumptions.changes(("order", "inputs", "split", "noise_val")):
        raise NotDerivable("the averages of the parts of B^T Gamma B have no names here")
    names = {name: term_value(name, assumptions) for name in NAMES}
    chain.write_mean("g", _noise_by_name(assumptions), names, *AVERAGES).shows(EXCESS, names)
    return chain.names(EXCESS, lambda: definitions(NAMES, assumptions))


@lru_cache(maxsize=32)
def loss_proof(assumptions: Assumptions) -> Chain:
    """(65) with the deviation put in: (9)."""
    if assumptions.covariance != "identity":
        return general_chain(assumptions)
    excess = excess_proof(assumptions)
    chain = _put_in(excess, assumptions)
    if excess.named_parts:
        _, c_2 = loss_coefficients(assumptions)
        chain.names(LOSS, lambda: {"h_r": 2 * c_2, **definitions(NAMES, assumptions)})
    return chain


@lru_cache(maxsize=16)
def general_chain(assumptions: Assumptions) -> Chain:
    """With general covariances: the loss as a function of the second moment of omega_star, expanded in the same way.

    The means are matrices: N H_t of B^T B and N Q of B^T Gamma B. Start and task mean are zero, as in Theorem 3.
    """
    if assumptions.inputs != "gaussian":
        raise NotDerivable("with a general covariance below p = n_v m inputs are Gaussian here")
    if assumptions.order != "leading":
        raise NotDerivable("the next order is derived for identity covariance")
    require_derivable(assumptions, Regime.UNDER)
    of, b = tasks(assumptions), letter("B")
    fixed = {name: Exponent(Fraction(0)) for name in (INVERSE, "Sigma", "Sigma_w", "Q")}
    chain = Chain(loss_of_second_moment(assumptions))
    beside = ("least-squares-deviation", "target-covariance-blocks")
    held = Held(assumptions, read=tr, beside=beside)
    chain.insert({"Omega": second_moment()}, *beside, "least-squares-mean-square", held=held)
    chain.name_word(b.T @ letter("Gamma") @ b, SHORT_V)
    chain.expand_inverse(SOLUTION, b.T @ b, Mean(NORMAL, "N", INVERSE), 1, "D", of, "stacked-design")
    chain.split_mean(SHORT_V, Mean("Q", "N", "Q_inverse"), "E", of, "target-covariance")
    chain.keep(1, COUNT_GROWS, orders=fixed)
    chain.average_fluctuations()
    chain.write_mean_matrix("Q").expand({"N": of.total}, "stacked-design")
    chain.commute(commuted, INVERSE, normal_mean(assumptions)).shows(LOSS)
    # H_t itself, whose inverse stands in the loss
    chain.begin(reciprocal("N") * b.T @ b).sum_tasks(of).insert_blocks(
        of, "stacked-design", held=Held(assumptions)
    )
    return chain.average(*(name for name, one in chain.result.letters().items() if one.random)).shows(NORMAL)


def correction_chain(assumptions: Assumptions) -> Chain:
    """What the next order adds to (96); of all names only h_t is left."""
    if assumptions.covariance != "identity":
        raise NotDerivable("with a general covariance h_t and g are matrices")
    leading, following = (excess_chain(replace(assumptions, order=which)) for which in ("leading", "next"))
    chain = Chain(scalar("next") - scalar("leading"))
    for name, found in (("next", following), ("leading", leading)):
        held = Held(replace(assumptions, order=name), found.numbers())
        chain.insert({name: found.result}, "excess-underparameterized", held=held)
    held = Held(replace(assumptions, order="leading"), leading.numbers(), inside=leading.result)
    return chain.expand({"g": leading.numbers()["g"]}, "excess-underparameterized", held=held)


def leading_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2: (85) with both matrices at their means, and the next order if asked for."""
    if assumptions.covariance != "identity":
        raise NotDerivable("with a general covariance h_t and g are matrices")
    found: sympy.Expr = to_sympy(excess_chain(assumptions).parts[EXCESS])
    return found


@lru_cache(maxsize=32)
def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order: (65) with `leading_excess`."""
    require_derivable(assumptions, Regime.UNDER)
    if assumptions.covariance != "identity":
        return to_sympy(general_chain(assumptions).parts[LOSS])
    return to_sympy(_put_in(excess_chain(assumptions), assumptions).parts[LOSS])
