"""The normal matrices of the underparameterized outer problem, (86)-(88), and how they concentrate.

    (86)  normal-matrix-concentrates   B^T B concentrates about a multiple of I
    (87)  normal-inverse-concentrates  its inverse
    (88)  normal-noise-concentrates    B^T Gamma B concentrates about its mean

B^T B and B^T Gamma B are sums over m independent tasks of p x p matrices; their means are multiples of the
identity, and their fluctuations fall with the number of tasks and with the size xi of a task's data,
n_v, n_t = O(xi).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.language.symbols import alpha_t, n_t, p
from derivations.paper.lemma3 import ROWS_GROW
from derivations.paper.outer_problem import target_covariance
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, Growth, Mean, Tasks, without_traces
from derivations.steps.draws import Array, transpose
from derivations.steps.held import Held
from derivations.steps.labels import IN_SIZE, IN_TASKS, LEADING
from derivations.steps.orders import ONE, exponent_of, leading_of
from derivations.steps.step import Check, Kind, Observed, Parts, Step
from derivations.steps.task_draws import design, isotropic_tasks, outer_product, target
from derivations.verification.growth import Halves, fluctuation_check
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, identity, reciprocal, scalar, tr

HALF = Rational(1, 2)
INNER = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
MU_2 = (n_t + p + 1) / n_t
H_T = 1 - 2 * alpha_t + alpha_t**2 * MU_2
TASKS_GROW = {"m": ONE}
# how sizes grow, and from which sizes sampling sees what is left out fall
_RATES: Mapping[str, float] = {"alpha_t": -0.2, "sigma": 0.8, "nu": 0.9, "sigma_v": 0.7}
_LARGER: Mapping[str, float] = {"n_v": 32, "n_t": 80}
SIZE_GROWS = Growth("xi", ROWS_GROW, {"p": 2, "n_v": 6, "n_t": 14, "m": 4, **_RATES}, without_traces)
COUNT_GROWS = Growth("m", TASKS_GROW, {"p": 2, "n_v": 8, "n_t": 24, "m": 5, **_RATES}, without_traces)


# -- the engine ---------------------------------------------------------------------------------------------


def _require_supported(assumptions: Assumptions) -> None:
    if assumptions.covariance != "identity":
        raise NotDerivable(
            "with a general covariance B^T B / (n_v m) has no isotropic mean; Theorem 2 has identity"
        )


@dataclass(frozen=True)
class TaskBlocks:
    """One task's shares of B^T B and of B^T Gamma B, each p x p over its number of validation rows."""

    gram: Expression
    noise: Expression
    rows: str


@lru_cache(maxsize=32)
def task_blocks(assumptions: Assumptions) -> TaskBlocks:
    """The shares of one task, from the words of the model."""
    _require_supported(assumptions)
    task = model.task(assumptions)
    b = task.design
    rows = (b.shape or ("", ""))[0]
    scale = reciprocal(rows)
    return TaskBlocks(scale * (b.T @ b), scale * (b.T @ target_covariance(assumptions) @ b), rows)


def tasks(assumptions: Assumptions) -> Tasks:
    """What the stacked B and Gamma are made of."""
    return Tasks(
        {
            "B": lambda label: model.task(assumptions, label).design,
            "Gamma": lambda label: target_covariance(assumptions, label, label),
        },
        rows="n_t" if assumptions.split == "reused" else "n_v",
    )


def _averaged(chain: Chain, of: Tasks, assumptions: Assumptions) -> Chain:
    """The sum over tasks and the average over their data."""
    reads = (
        ("stacked-design", "target-covariance") if "Gamma" in chain.result.letters() else ("stacked-design",)
    )
    chain.sum_tasks(of).insert_blocks(of, *reads, held=Held(assumptions))
    return chain.average(*(name for name, x in chain.result.letters().items() if x.random))


def _average_chain(word: Expression, assumptions: Assumptions, *, states_mean: bool) -> Chain:
    """A word over N = n_v m, as an average over tasks: its mean, and the order of the mean square of what is left.

    states_mean: whether the mean is a part of the step.
    """
    _require_supported(assumptions)
    of = tasks(assumptions)
    chain = Chain(reciprocal("p") * reciprocal("N") * tr(word))
    mean = _averaged(chain, of, assumptions).result
    if states_mean:
        chain.shows(LEADING)
    error = reciprocal("N") * word - scalar(LEADING) * identity("p")
    chain.begin(tr(error @ error)).insert({LEADING: mean})
    square = _averaged(chain, of, assumptions).result
    order(chain, ROWS_GROW).shows_degree(IN_SIZE, Fraction(1, 2)).begin(square)
    return order(chain, TASKS_GROW).shows_degree(IN_TASKS, Fraction(1, 2))


@lru_cache(maxsize=32)
def gram_chain(assumptions: Assumptions) -> Chain:
    """(86): B^T B / (n_v m)."""
    b = letter("B")
    return _average_chain(b.T @ b, assumptions, states_mean=True)


@lru_cache(maxsize=32)
def noise_chain(assumptions: Assumptions) -> Chain:
    """(88): B^T Gamma B / (n_v m)."""
    b = letter("B")
    return _average_chain(b.T @ letter("Gamma") @ b, assumptions, states_mean=False)


@lru_cache(maxsize=32)
def inverse_chain(assumptions: Assumptions) -> Chain:
    """(87): the inverse of B^T B / (n_v m), to the first term of its series; shown by its trace over p."""
    _require_supported(assumptions)
    b = letter("B")
    chain = Chain(reciprocal("p") * scalar("N") * tr(letter("inverse of B.T*B")))
    both = tasks(assumptions)
    mean, of = Mean("h_t", "N"), replace(both, blocks={"B": both.blocks["B"]})
    chain.expand_inverse("BTB_inverse", b.T @ b, mean, 0, "D", of, "normal-matrix-concentrates")
    # the first of an expansion's orders shows at larger sizes than the second
    size, count = (replace(growth, base={**growth.base, **_LARGER}) for growth in (SIZE_GROWS, COUNT_GROWS))
    chain.keep(0, size, count).shows(LEADING)
    for label, growth in ((IN_SIZE, size), (IN_TASKS, count)):
        chain.shows_order(label, growth.label)
    return chain


# -- what sampling sees -------------------------------------------------------------------------------------

BASE = {"p": 3.0, "alpha_t": -0.3, "sigma": 0.8, "nu": 0.9}
IN_SIZE_LADDER = tuple(
    {**BASE, "xi": float(k), "m": 6, "n_v": 2 * k, "n_t": 3 * k} for k in (20, 40, 80, 160)
)
IN_TASKS_LADDER = tuple({**BASE, "xi": float(k), "m": k, "n_v": 24, "n_t": 36} for k in (6, 12, 24, 48))


NOISES = 8  # draws of a task and its label noise for each half of a sampled B^T Gamma B


def _gram(sample: Sample) -> Array:
    """B^T B / N. The data are seen by X^T X alone, for which their triangular factors are enough."""
    total: Array = np.zeros(())
    for _ in range(sample.size("m")):
        x_t, x_v = sample.triangular("n_t", "p"), sample.triangular("n_v", "p")
        b = x_v - sample["alpha_t"] / sample["n_t"] * (x_v @ transpose(x_t)) @ x_t
        total = total + transpose(b) @ b
    return np.asarray(total / (sample["n_v"] * sample["m"]))


def _inverse(sample: Sample) -> Array:
    return np.asarray(np.linalg.inv(_gram(sample)))


def _noise(sample: Sample) -> Halves:
    """B^T Gamma B / N, from draws of the tasks and of the label noise at given inputs."""
    first, second = np.zeros(()), np.zeros(())
    for _ in range(sample.size("m")):
        x_t, x_v = sample.gaussian("n_t", "p"), sample.gaussian("n_v", "p")
        b = design(x_t, x_v, sample["alpha_t"])
        one, other = (
            outer_product(transpose(b) @ target(sample, x_t, x_v, isotropic_tasks(sample, "p", NOISES)))
            for _ in range(2)
        )
        first, second = first + one, second + other
    scale = sample["n_v"] * sample["m"] * NOISES
    return np.asarray(first / scale), np.asarray(second / scale)


MEAN_SIZES = (
    {"n_t": 5, "n_v": 3, "p": 4, "m": 2, "sigma": 0.0, "nu": 0.0, "alpha_t": 0.4},
    {"n_t": 9, "n_v": 4, "p": 3, "m": 1, "sigma": 0.0, "nu": 0.0, "alpha_t": -0.3},
    {"n_t": 6, "n_v": 2, "p": 7, "m": 3, "sigma": 0.0, "nu": 0.0, "alpha_t": 0.9},
)
# the mean square of (88) is an average of eighth powers: at one size, where two tasks meet and draws are soonest enough
MOVE_SIZES = ({"n_t": 9, "n_v": 4, "p": 3, "m": 2, "sigma": 0.7, "nu": 0.5, "alpha_t": -0.1},)


def _observe_mean(sample: Sample) -> Observed:
    return {LEADING: np.trace(_gram(sample), axis1=1, axis2=2) / sample.size("p")}


SAMPLED: dict[str, Callable[[Sample], Array | Halves]] = {
    "gram": _gram,
    "inverse": _inverse,
    "noise": _noise,
}


# -- the steps ----------------------------------------------------------------------------------------------


def _concentration(
    name: str,
    number: str,
    statement: str,
    *,
    block: str,
    claim: Parts,
    uses: tuple[str, ...],
    correction: Parts | None = None,
    remark: str = "",
    unreadable: str = "",
) -> Step:
    chain = {"gram": gram_chain, "inverse": inverse_chain, "noise": noise_chain}[block]

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        # (88) states no leading part: the mean over the draws stands for it
        leading = None if block == "noise" else leading_of(step, assumptions)
        return [
            fluctuation_check(
                label,
                f"{step.name}/{label}",
                ladder,
                SAMPLED[block],
                exponent_of(step, assumptions, label),
                leading,
                draws=draws,
                base_seed=seed,
                rows="n_t" if block == "noise" else "p",
            )
            for label, ladder, draws in (
                # two halves at the same inputs cost more, and tell as much
                (IN_SIZE, IN_SIZE_LADDER, 800 if block == "noise" else 1600),
                # a mean over more tasks shows its rate with few draws
                (IN_TASKS, IN_TASKS_LADDER, 400),
            )
        ]

    return Step(
        name,
        (number,),
        Kind.EQUATION,
        statement,
        "theorem2",
        uses=uses,
        depends_on=INNER,
        claim=lambda: claim,
        correction=None if correction is None else lambda: correction,
        derivation=chain,
        check=check,
        observe=_observe_mean if block == "gram" else None,
        sizes=MOVE_SIZES if block == "noise" else MEAN_SIZES,
        remark=remark,
        unreadable=unreadable,
        counted=block == "inverse",
        method="exact means and variances of the elements by the engine; degrees in xi and in m",
    )


_BOTH: Parts = {IN_SIZE: -HALF, IN_TASKS: -HALF}


STEPS: tuple[Step, ...] = (
    _concentration(
        "normal-matrix-concentrates",
        "86",
        "B^T B is a multiple of the identity up to fluctuations.",
        block="gram",
        claim={LEADING: H_T, **_BOTH},
        uses=(
            "stacked-design",
            "target-covariance",
            "columns-concentrate",
            "columns-after-wishart",
            "columns-between-wisharts",
        ),
    ),
    _concentration(
        "normal-inverse-concentrates",
        "87",
        "The inverse of B^T B, by the first term of its Neumann series.",
        block="inverse",
        claim={LEADING: 1 / H_T, **_BOTH},
        uses=("normal-matrix-concentrates",),
    ),
    _concentration(
        "normal-noise-concentrates",
        "88",
        "B^T Gamma B is its average up to fluctuations.",
        block="noise",
        claim=_BOTH,
        correction={IN_SIZE: HALF, IN_TASKS: -HALF},
        uses=("target-covariance", "stacked-design", "columns-between-wisharts"),
        remark="The variability of the tasks makes the average itself grow like xi, and its fluctuations like "
        "m^(-1/2) xi^(1/2). Relative to the average the fluctuations are O((m xi)^(-1/2)), and for the label "
        "noise alone (nu = 0) the order holds as it stands.",
        unreadable="the exponent of the error could not be read in the available text; -1/2 is taken from (86) "
        "and (87), which precede it",
    ),
)
