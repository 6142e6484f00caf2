"""Concentration under Theorem 3, (134)-(141) and (15).

(134)      variance-of-rows                     a condition: variance of products of rows
(135)      variance-through-training-data       a condition: the same through the training data of one task
(136)      variance-through-both-training-data  a condition: the same through the training data of both
(15)(140)  training-weight                      H_t = E A Sigma A
(137)      general-gram-concentrates            B B^T concentrates about a multiple of I
(138)      general-noise-concentrates           Gamma concentrates about a multiple of I
(139)      general-weight-concentrates          B H_r B^T concentrates about a multiple of I
(141)      general-gram-inverse-concentrates    the inverse of B B^T
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from types import MappingProxyType

from sympy import Identity, MatrixSymbol, Rational, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.printed_order import in_order
from derivations.language.symbols import alpha_t, n_t, p, sigma
from derivations.paper.theorem3 import sampled_blocks as checks
from derivations.paper.theorem3.concentration import (
    ORDERS,
    block_chain,
    inverse_chain,
    weight_chain,
)
from derivations.paper.theorem3.general_setting import SIGMA, SIGMA_W, F, general
from derivations.steps.by_degree import bound_powers, order
from derivations.steps.chain import Chain
from derivations.steps.discrete_law import observe_weight
from derivations.steps.labels import LEADING, ORDER, Short
from derivations.steps.step import Erratum, Kind, Parts, Step
from symbolic.algebra.words import Expression, identity, matrix, reciprocal, scalar, tr

HALF = Rational(1, 2)
INNER = ("inner_steps", "split", "noise_val", "order")
I_P = Identity(p)
WEIGHT = MatrixSymbol("H_r", p, p)
H_T = in_order(SIGMA * (I_P - alpha_t * SIGMA) ** 2, alpha_t**2 / n_t * (F - SIGMA**3))
TRAINING_NOISE = 1 + alpha_t**2 / n_t * Trace(SIGMA**2)


# where the moves of (134)-(136) are sampled
PRODUCT_SIZES = ({"n_t": 3, "n_v": 2, "p": 4}, {"n_t": 5, "n_v": 3, "p": 3}, {"n_t": 4, "n_v": 1, "p": 5})


# -- the engine ---------------------------------------------------------------------------------------------


def products_of_inputs(powers: tuple[int, int], assumptions: Assumptions) -> dict[str, Expression]:
    """X^v W_i^a W_j^b X^vT over p^(1 + a + b), for one task (i = j) and for two."""
    left, right = powers
    one, two = (model.task(general(assumptions), index) for index in ("1", "2"))
    scale = reciprocal("p") ** (1 + left + right)
    return {
        name: scale
        * one.x_v
        @ (one.x_t.T @ one.x_t) ** left
        @ (other.x_t.T @ other.x_t) ** right
        @ other.x_v.T
        for name, other in (("same task", one), ("other task", two))
    }


@lru_cache(maxsize=32)
def _variance_chain(powers: tuple[int, int], assumptions: Assumptions) -> Chain:
    """(134)-(136): the mean of the product of one task, and its mean square distance from there, with that of two tasks.

    All elements together, a number that does not grow: as a sum of squares no term can cancel.
    """
    words = products_of_inputs(powers, assumptions)
    rows = (words["same task"].shape or ("",))[0]
    same, other = (matrix(name, rows, rows) for name in "YZ")
    chain = Chain(reciprocal(rows) * tr(same)).define({"Y": words["same task"]})
    mean = _over_inputs(chain).result
    error = same - scalar("c") * identity(rows)
    chain.begin(tr(error @ error.T) + tr(other @ other.T))
    chain.insert({"c": mean}).define({"Y": words["same task"], "Z": words["other task"]})
    return order(bound_powers(_over_inputs(chain)), ORDERS).shows_degree(ORDER)


def _over_inputs(chain: Chain) -> Chain:
    """The average over the inputs of tasks, validation rows first."""
    for data in ("X_v", "X_t"):
        present = [name for name in chain.result.letters() if name.startswith(data)]
        if present:
            chain.average(*present, reads=("input-covariance",))
    return chain


# -- the steps ----------------------------------------------------------------------------------------------


def _variance_step(name: str, number: str, powers: tuple[int, int], product: str) -> Step:
    chain = partial(_variance_chain, powers)
    return Step(
        name,
        (number,),
        Kind.EQUATION,
        f"A condition of Theorem 3: the variance of the product of rescaled validation rows {product}. For Gaussian "
        "inputs with Tr Sigma^k = O(xi) it is a fact.",
        "theorem3",
        uses=("input-covariance",),
        depends_on=("split",),
        claim=lambda: {ORDER: Rational(-1)},
        derivation=chain,
        check=checks.products(powers),
        sizes=PRODUCT_SIZES,
        method="exact mean squares, as traces of powers of Sigma, bounded by Tr Sigma; degree in xi",
        remark="The exponent is attained at Sigma = I; the variances themselves are those of exact-variances. The "
        "check samples Laplace entries too.",
    )


def _concentration_step(
    name: str,
    number: str,
    statement: str,
    *,
    block: str,
    claim: Parts,
    uses: tuple[str, ...],
    remark: str = "",
    unreadable: str = "",
    errata: Mapping[Erratum, str] = MappingProxyType({}),
    method: str = "means by independence of the rows; orders from exact variances for Gaussian inputs",
) -> Step:
    sampled = block != "inverse"
    weighted = block in ("noise", "weighted")
    chain = partial(block_chain, block) if sampled else inverse_chain
    return Step(
        name,
        (number,),
        Kind.EQUATION,
        statement,
        "theorem3",
        uses=uses,
        depends_on=INNER,
        claim=lambda: claim,
        derivation=chain,
        check=checks.fluctuations(block),
        sizes=checks.SIZES,
        observe=(lambda sample: checks.observe_mean(block, sample)) if sampled else None,
        method=method,
        remark=remark,
        unreadable=unreadable,
        errata=errata,
        counted=block == "inverse",
        condition="weighted-forms-concentrate" if weighted else "",
        counterexample="scale-mixture-breaks-the-conclusion" if weighted else "",
    )


STEPS: tuple[Step, ...] = (
    _variance_step("variance-of-rows", "134", (0, 0), "alone"),
    _variance_step(
        "variance-through-training-data", "135", (1, 0), "with one task's training data between them"
    ),
    _variance_step(
        "variance-through-both-training-data", "136", (1, 1), "with both tasks' training data between them"
    ),
    Step(
        "training-weight",
        ("15", "140"),
        Kind.EQUATION,
        "H_t, the mean of A Sigma A: how the inner loop reshapes the covariance of a validation row.",
        "theorem3",
        uses=("general-stacked-design", "rows-mean", "rows-second-moment"),
        depends_on=("inner_steps", "split", "order"),
        claim=lambda: {Short("H_t"): H_T},
        derivation=weight_chain,
        observe=lambda sample: observe_weight(sample, "H_t", "n_t", "alpha_t"),
        sizes=checks.SIZES,
        method="independence of the rows; no law is used",
    ),
    _concentration_step(
        "general-gram-concentrates",
        "137",
        "B B^T is a multiple of the identity up to elementwise fluctuations, for inputs of any covariance.",
        block="gram",
        claim={LEADING: Trace(H_T), ORDER: HALF},
        uses=(
            "general-stacked-design",
            "training-weight",
            "variance-of-rows",
            "variance-through-training-data",
            "variance-through-both-training-data",
        ),
        method="means by independence of the rows; the order from (134)-(136), whatever the law",
    ),
    _concentration_step(
        "general-noise-concentrates",
        "138",
        "Gamma is a multiple of the identity up to elementwise fluctuations, for inputs and tasks of any covariance.",
        block="noise",
        claim={LEADING: in_order(Trace(SIGMA_W * H_T), sigma**2 * TRAINING_NOISE), ORDER: -HALF},
        uses=("general-target-covariance", "training-weight", "variance-through-both-training-data"),
        unreadable="the power of xi in the error could not be read in the available text; -1/2 is what follows "
        "from Tr Sigma_w^2 = O(1/xi)",
        errata={
            Erratum.WORDING: "The sentence after (140) has all three matrices of order xi; Gamma is of order one, as its error term "
            "says too."
        },
    ),
    _concentration_step(
        "general-weight-concentrates",
        "139",
        "B H_r B^T is a multiple of the identity up to fluctuations.",
        block="weighted",
        claim={LEADING: Trace(WEIGHT * H_T), ORDER: HALF},
        uses=("general-stacked-design", "training-weight", "adaptation-weight"),
        errata={
            Erratum.CONDITION: "Holds for any symmetric H_r of bounded eigenvalues. Those of (16) are bounded when n_r grows "
            "with p; at a fixed n_r the order is relative to the size of H_r."
        },
    ),
    _concentration_step(
        "general-gram-inverse-concentrates",
        "141",
        "The inverse of B B^T for inputs of any covariance, by the first term of its Neumann series.",
        block="inverse",
        remark="An order in probability: the mean square of an element of an inverse need not exist.",
        claim={LEADING: 1 / Trace(H_T), ORDER: -3 * HALF},
        uses=("general-gram-concentrates",),
    ),
)
