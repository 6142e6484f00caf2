"""The blocks of Theorem 1 and what follows from their means: B B^T, Gamma, the start; the leading loss.

Every formula is the end of a chain of moves. (74) is written with stacked letters and expanded in the fluctuations of
its blocks about their means; a single fluctuation averages to zero, so that the means are the leading order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

import sympy
from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.bounds import require_derivable
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, n_r, n_t, p
from derivations.paper.outer_problem import target_covariance
from derivations.paper.target_task import after_one_step, loss_chain
from derivations.paper.theorem1 import reused_data
from derivations.paper.theorem1.next_order import next_order
from derivations.paper.theorem2.abbreviations import definitions
from derivations.steps.by_degree import concentration
from derivations.steps.chain import Chain, Growth, Mean, Tasks, carried_out
from derivations.steps.held import Held
from derivations.steps.labels import LEADING, ORDER, Short
from derivations.steps.orders import ONE, WEIGHTS
from derivations.steps.rules import haar
from symbolic.algebra.coefficients import INVERSE as INVERSE_OF
from symbolic.algebra.words import Expression, matrix, reciprocal, tr, unit, vector
from symbolic.proofs.asymptotics import Exponent

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val", "order")
INNER = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
H_T = (1 - alpha_t) ** 2 + alpha_t**2 * (p + 1) / n_t
H_R = (1 - alpha_r) ** 2 + alpha_r**2 * (p + 1) / n_r
HALF = Rational(1, 2)
EXCESS, LOSS = r"\mathbb{E}|\omega^\star-w_0|^2", r"\bar L^{test}"
# |omega_0 - w_0| is of order xi^(-1/4)
REGIME: Mapping[str, Exponent] = {**WEIGHTS, "dist0_sq": Exponent(Fraction(-1, 2))}
# the numbers from which the size xi grows where a move is sampled
BASE = {
    "n_t": 18,
    "n_v": 2,
    "m": 2,
    "p": 30,
    "sigma": 0.8,
    "sigma_v": 0.8,
    "nu": 0.9,
    "alpha_t": 0.3,
    "dist0_sq": 0.5,
}
FEW_ROWS = Growth("xi", {"p": ONE, "dist0_sq": Exponent(Fraction(-1, 2))}, {**BASE, "n_t": 2})  # reused data
XI = Growth("xi", {**REGIME, "q": ONE}, BASE)
# what is left out without any fluctuation shows its order at larger sizes
WIDE = replace(XI, base={**BASE, "p": 45})
B, GAMMA, INVERSE = letter("B"), letter("Gamma"), letter("inverse of B*B.T")
GAP = vector("d", "p")
START = B @ GAP @ GAP.T @ B.T


# -- the engine ---------------------------------------------------------------------------------------------


def _require_supported(assumptions: Assumptions) -> None:
    if assumptions.covariance != "identity":
        raise NotDerivable(
            "Theorem 1 is for identity covariance; with a general covariance use eq14 (Theorem 3)"
        )
    if assumptions.split != "separate":
        raise NotDerivable(
            "with reused data the validation rows grow with n_t and B B^T does not concentrate"
        )


def tasks(assumptions: Assumptions) -> Tasks:
    """The blocks of B and Gamma of (68), (73) for each task; blocks of Gamma between tasks vanish exactly (72)."""
    _require_supported(assumptions)
    return Tasks(
        {
            "B": lambda label: model.task(assumptions, label).design,
            "Gamma": lambda label: target_covariance(assumptions, label, label),
        }
    )


BLOCKS: Mapping[str, Expression] = {"gram": reciprocal("p") * B @ B.T, "noise": GAMMA, "start": START}
READS = {
    "gram": ("stacked-design",),
    "noise": ("target-covariance",),
    "start": ("stacked-design",),
}


@lru_cache(maxsize=64)
def block_chain(block: str, assumptions: Assumptions) -> Chain:
    """(75)-(77): the mean of a block's diagonal, and the order of the mean square of what is left."""
    return concentration(BLOCKS[block], (), REGIME, READS[block], tasks(assumptions), Held(assumptions))


@lru_cache(maxsize=32)
def inverse_chain(assumptions: Assumptions) -> Chain:
    """(78): the inverse of B B^T, without any fluctuation."""
    chain = Chain(INVERSE).expand_inverse(
        "BBT_inverse", B @ B.T, Mean("h_t", "p"), 0, "D", tasks(assumptions), "gram-concentrates"
    )
    chain.keep(0, WIDE).shows_number(LEADING)
    return chain.shows_order(ORDER, "xi")


@lru_cache(maxsize=32)
def factor_chain(assumptions: Assumptions) -> Chain:
    """(6): the mean square length of a row of B per dimension."""
    made_of = tasks(assumptions)
    chain = Chain(reciprocal("N") * reciprocal("p") * tr(B @ B.T)).sum_tasks(made_of)
    chain.insert_blocks(made_of, "stacked-design", held=Held(assumptions))
    return chain.average("X_v1", "X_t1", reads=("wishart-mean", "wishart-second-moment")).shows(Short("h_t"))


@lru_cache(maxsize=32)
def adaptation_chain(assumptions: Assumptions) -> Chain:
    """(7): what adaptation on data without labels makes of the squared length of a unit vector."""
    if assumptions.covariance != "identity":
        raise NotDerivable(
            "with a general covariance the loss depends on the deviation through a matrix: use eq14 (or eq9)"
        )
    x_r, adapted = model.inputs("X_r", "n_r", assumptions), vector("theta", "p")
    value = model.adaptation_loop(unit("p", 1), x_r, 0 * (x_r @ unit("p", 1)), assumptions)
    held = after_one_step(assumptions, unit("p", 1), 0 * (x_r @ unit("p", 1)))
    chain = Chain(adapted.T @ adapted).insert({"theta": value}, "adapted-parameters", held=held)
    return chain.average("X_r", reads=("wishart-mean", "wishart-second-moment")).shows(Short("h_r"))


@lru_cache(maxsize=32)
def excess_chain(assumptions: Assumptions) -> Chain:
    """(74) to (80), or to the next order; with reused data from the plain rows that they amount to."""
    if assumptions.covariance == "identity" and assumptions.split == "reused":
        if assumptions.inputs == "gaussian":
            return reused_data.exactly(assumptions).shows(EXCESS)
        letters = matrix(haar.PLAIN, "N", "p"), reused_data.PLAIN_INVERSE, haar.COVARIANCE
        return _leading(
            reused_data.without_factor(assumptions), reused_data.plain_tasks(assumptions), *letters, FEW_ROWS
        )
    made_of = tasks(assumptions)
    if assumptions.order == "next":
        return next_order(assumptions, XI).shows(EXCESS)
    chain = Chain(tr(INVERSE @ (GAMMA - START)) + GAP.T @ GAP)
    leading = _leading(chain, made_of, B, "BBT_inverse", "Gamma", XI)
    return leading.names(EXCESS, lambda: _stands_for(leading, leading.numbers(), assumptions))


def _stands_for(
    chain: Chain, numbers: Mapping[str, Expression], assumptions: Assumptions
) -> dict[str, Expression]:
    """What the names in the present expression stand for, h_t by moments that have names."""
    used = {name.removeprefix(INVERSE_OF) for name in chain.result.scalars()}
    found = {name: value for name, value in numbers.items() if name in used}
    if "h_t" in found and assumptions.inputs == "gaussian":
        found |= definitions(("h_t",), assumptions)
    return found


def _leading(
    chain: Chain, made_of: Tasks, rows: Expression, inverse: str, covariance: str, growth: Growth
) -> Chain:
    """The means of all blocks put into (74), the products of two fluctuations left out."""
    chain.name_word(rows @ GAP @ GAP.T @ rows.T, "K")
    chain.expand_inverse(
        inverse, rows @ rows.T, Mean("h_t", "p"), 1, "D", made_of, "gram-inverse-concentrates"
    )
    chain.split_mean(covariance, Mean("g"), "F", made_of, "noise-concentrates")
    chain.split_mean("K", Mean("h_t", times=GAP.T @ GAP), "L", made_of, "start-concentrates")
    chain.keep(1, growth).average_fluctuations()
    chain.expand({"N": made_of.total}).name(GAP.T @ GAP, "dist0_sq")
    chain.expand({"g": chain.numbers()["g"]}, "noise-concentrates")
    return chain.name_number("h_t", chain.numbers()["h_t"], "inner-factor").shows(EXCESS)


def leading_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 to leading order, or to the next."""
    return to_sympy(carried_out(excess_chain, assumptions).parts[EXCESS])


def put_in(
    deviation: Chain,
    assumptions: Assumptions,
    *reads: str,
    names: Mapping[str, Expression] = MappingProxyType({}),
    after: Chain | None = None,
) -> Chain:
    """(65) with a deviation put in, which the steps `reads` find.

    names: what further names in it stand for. after: the chain to go on with, where no step of its own has found it.
    """
    start, found, found_names = loss_chain(assumptions).result, deviation.result, deviation.numbers()
    chain = Chain(start) if after is None else after.begin(start)
    chain.name_number("h_r", adaptation_chain(assumptions).result, "adaptation-factor")
    chain.carry(deviation, "excess").insert({"excess": found}, "loss-from-excess", *reads)
    numbers = {**chain.numbers(), **found_names, **names}
    chain.shows(LOSS, numbers)
    return chain.names(LOSS, lambda: _stands_for(chain, numbers, assumptions))


@lru_cache(maxsize=32)
def loss_over_chain(assumptions: Assumptions) -> Chain:
    """(65) to (5): the deviation put into the exact test phase."""
    if assumptions.split == "separate":
        require_derivable(assumptions, Regime.OVER)
    return put_in(excess_chain(assumptions), assumptions, "excess-overparameterized")


def with_excess(deviation: Chain, assumptions: Assumptions) -> sympy.Expr:
    """The average test loss with a deviation put in."""
    return to_sympy(put_in(deviation, assumptions).parts[LOSS])


def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order: (65) with the deviation put in."""
    return to_sympy(carried_out(loss_over_chain, assumptions).parts[LOSS])
