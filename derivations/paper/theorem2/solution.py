"""The underparameterized outer problem, (83)-(85): p < n_v m, so that its solution is unique.

    (83)  least-squares-solution     omega_star: the one solution
    (84)  least-squares-deviation    its squared deviation from w_0 as a quadratic form in the noise
    (85)  least-squares-mean-square  E|omega_star - w_0|^2 for given inputs

The stacked problem has N = n_v m validation rows; `B` and `gamma` are letters, as only their shape matters.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from sympy import MatrixSymbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from derivations.language.symbols import N, column, p
from derivations.paper.outer_problem import put_target
from derivations.steps.chain import Chain
from derivations.steps.draws import fixed_column, squared_norms
from derivations.steps.labels import OVER_INPUTS, OVER_TARGETS, Within
from derivations.steps.rules import solutions
from derivations.steps.step import Kind, Observed, Step
from derivations.steps.task_draws import nearest_solution, stacked_problem
from numeric_check.draws.sample import Sample

STACK_SIZES = ({"N": 9, "p": 4}, {"N": 7, "p": 6}, {"N": 15, "p": 3})
B, GAMMA = MatrixSymbol("B", N, p), column("gamma", N)
DELTA_GAMMA, BIG_GAMMA = column("delta_gamma", N), MatrixSymbol("Gamma", N, N)
G = (B.T * B).I
SQUARE = r"|\omega^\star-w_0|^2"
MEAN_GIVEN_INPUTS = Within(f"{OVER_TARGETS}{SQUARE}", rf"\mathbb{{E}}{SQUARE}", OVER_INPUTS)
INVERSE = "BTB_inverse"


# -- the proofs, move by move ----------------------------------------------------------------------------------


def solution_chain(assumptions: Assumptions) -> Chain:
    """(83): the one solution, by the normal equations."""
    chain = Chain(letter("omega_star"))
    solutions.least_squares(chain, "omega_star", INVERSE, "stacked-loss", "outer-optimum")
    return chain.shows(r"\omega^\star")


@cache
def _square_chain(assumptions: Assumptions, *, averaged: bool) -> Chain:
    """(84), and averaged over tasks and label noise (85): gamma = B w_0 + delta gamma put in."""
    gap = letter("omega_star") - model.W_0
    chain = Chain(gap.T @ gap)
    solutions.least_squares(chain, "omega_star", INVERSE, "least-squares-solution")
    put_target(chain, assumptions)
    solutions.cancel_inverse(chain, INVERSE, ("B", True), ("B", False))
    if not averaged:
        return chain.shows(SQUARE)
    chain.average("delta_gamma", reads=("label-noise", "task-parameters", "target-covariance-blocks"))
    return chain.shows(MEAN_GIVEN_INPUTS)


def deviation_chain(assumptions: Assumptions) -> Chain:
    """(84): the squared deviation from the task mean."""
    return _square_chain(assumptions, averaged=False)


def mean_square_chain(assumptions: Assumptions) -> Chain:
    """(85): its mean for given inputs."""
    return _square_chain(assumptions, averaged=True)


# -- what sampling sees -------------------------------------------------------------------------------------


def _observe_solution(sample: Sample) -> Observed:
    b, gamma = stacked_problem(sample)
    return {r"\omega^\star": nearest_solution(b, gamma, np.zeros((b.shape[1], 1)))[None]}


def _observe_square(sample: Sample) -> Observed:
    b, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    found = nearest_solution(b, b @ w_0 + fixed_column(sample, "delta_gamma", "N"), np.zeros_like(w_0))
    return {SQUARE: squared_norms((found - w_0)[None])}


def _observe_mean_square(sample: Sample) -> Observed:
    b, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    root = np.linalg.cholesky(sample.matrix("Gamma", "N", "N", positive=True))
    # the solution is linear in the right-hand side: solve once for every unit vector
    solve = nearest_solution(b, np.eye(len(b)), np.zeros((b.shape[1], len(b))))
    gap = solve @ (b @ w_0 + root @ sample.gaussian("N", 1)) - w_0
    return {MEAN_GIVEN_INPUTS: squared_norms(gap)}


# -- the steps ----------------------------------------------------------------------------------------------

_NORMAL = "normal equations, checked in the algebra of matrix words"


_equation = partial(Step, kind=Kind.EQUATION, page="theorem2", sizes=STACK_SIZES, method=_NORMAL)


STEPS: tuple[Step, ...] = (
    _equation(
        "least-squares-solution",
        ("83",),
        statement="With more validation rows than parameters the outer problem has one solution.",
        uses=("stacked-loss", "outer-optimum"),
        claim=lambda: {r"\omega^\star": G * B.T * GAMMA},
        derivation=solution_chain,
        observe=_observe_solution,
        resolution={r"\omega^\star": 1e-8},
    ),
    _equation(
        "least-squares-deviation",
        ("84",),
        statement="The squared deviation of the solution from the task mean is a quadratic form in the residual noise.",
        uses=("least-squares-solution",),
        claim=lambda: {SQUARE: Trace(G * B.T * DELTA_GAMMA * DELTA_GAMMA.T * B * G)},
        derivation=deviation_chain,
        observe=_observe_square,
        resolution={SQUARE: 1e-8},
    ),
    _equation(
        "least-squares-mean-square",
        ("85",),
        statement="The mean square deviation of the solution over tasks and label noise; for given inputs, over which a mean remains to be taken.",
        uses=("least-squares-deviation", "target-covariance-blocks"),
        claim=lambda: {MEAN_GIVEN_INPUTS: Trace(G * B.T * BIG_GAMMA * B * G)},
        derivation=mean_square_chain,
        observe=_observe_mean_square,
        method=_NORMAL + "; Gaussian integration by parts",
    ),
)
