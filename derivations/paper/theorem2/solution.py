"""The underparameterized outer problem, (83)-(85): p < n_v m, so that its solution is unique.

    (83)  least-squares-solution     omega_star: the one solution
    (84)  least-squares-deviation    its squared deviation from w_0 as a quadratic form in the noise
    (85)  least-squares-mean-square  E|omega_star - w_0|^2 for given inputs

The stacked problem has N = n_v m validation rows; `B` and `gamma` are letters, as only their shape matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from sympy import MatrixSymbol, Trace

from derivations.language import model
from derivations.language.model_letters import letter
from derivations.language.symbols import N, column, p
from derivations.paper.setup import gradient
from derivations.steps.draws import fixed_column, squared_norms
from derivations.steps.step import Observed, Step
from derivations.steps.task_draws import nearest_solution, stacked_problem
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, identity
from symbolic.averages.expectation import expect

STACK_SIZES = ({"N": 9, "p": 4}, {"N": 7, "p": 6}, {"N": 15, "p": 3})
B, GAMMA = MatrixSymbol("B", N, p), column("gamma", N)
DELTA_GAMMA, BIG_GAMMA = column("delta_gamma", N), MatrixSymbol("Gamma", N, N)
G = (B.T * B).I
MEAN_SQUARE = r"|\omega^\star-w_0|^2"
INVERSE = "BTB_inverse"
RULES: Mapping[tuple[tuple[str, bool], ...], Expression] = {
    (("B", True), ("B", False), (INVERSE, False)): identity("p"),
    ((INVERSE, False), ("B", True), ("B", False)): identity("p"),
}


# -- the engine ---------------------------------------------------------------------------------------------


def least_squares_solution(matrix: Expression, target: Expression) -> Expression:
    """The minimizer of |target - matrix @ omega|^2 (matrix N x p of full column rank, so N >= p).

    The gradient at the result, by Stein's lemma, is checked to vanish exactly before it is returned.
    """
    solution = letter("inverse of B.T*B") @ matrix.T @ target

    def loss(omega: Expression) -> Expression:
        residual = target - matrix @ omega
        return residual.T @ residual

    if not gradient(loss, solution).rewrite(RULES).is_zero:
        raise ArithmeticError("the gradient of the outer loss does not vanish at the solution")
    return solution


def deviation() -> Expression:
    """omega_star - w_0 with gamma = B w_0 + delta gamma."""
    b = letter("B")
    gap = least_squares_solution(b, b @ model.W_0 + letter("delta_gamma")) - model.W_0
    return gap.rewrite(RULES)


def squared_deviation() -> Expression:
    """|omega_star - w_0|^2."""
    gap = deviation()
    return gap.T @ gap


# -- what sampling sees -------------------------------------------------------------------------------------


def _observe_solution(sample: Sample) -> Observed:
    b, gamma = stacked_problem(sample)
    return {r"\omega^\star": nearest_solution(b, gamma, np.zeros((b.shape[1], 1)))[None]}


def _observe_square(sample: Sample) -> Observed:
    b, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    found = nearest_solution(b, b @ w_0 + fixed_column(sample, "delta_gamma", "N"), np.zeros_like(w_0))
    return {MEAN_SQUARE: squared_norms((found - w_0)[None])}


def _observe_mean_square(sample: Sample) -> Observed:
    b, w_0 = sample.matrix("B", "N", "p"), fixed_column(sample, "w_0", "p")
    root = np.linalg.cholesky(sample.matrix("Gamma", "N", "N", positive=True))
    # the solution is linear in the right-hand side: solve once for every unit vector
    solve = nearest_solution(b, np.eye(len(b)), np.zeros((b.shape[1], len(b))))
    gap = solve @ (b @ w_0 + root @ sample.gaussian("N", 1)) - w_0
    return {rf"\mathbb{{E}}{MEAN_SQUARE}": squared_norms(gap)}


# -- the steps ----------------------------------------------------------------------------------------------

_NORMAL = "normal equations, checked in the algebra of matrix words"


_equation = partial(Step, kind="equation", page="theorem2", sizes=STACK_SIZES, method=_NORMAL)


STEPS: tuple[Step, ...] = (
    _equation(
        "least-squares-solution",
        ("83",),
        statement="With more validation rows than parameters the outer problem has one solution.",
        uses=("stacked-loss", "outer-optimum"),
        claim=lambda: {r"\omega^\star": G * B.T * GAMMA},
        derive=lambda assumptions: {r"\omega^\star": least_squares_solution(letter("B"), letter("gamma"))},
        observe=_observe_solution,
        resolution={r"\omega^\star": 1e-8},
    ),
    _equation(
        "least-squares-deviation",
        ("84",),
        statement="The squared deviation of the solution from the task mean is a quadratic form in the residual noise.",
        uses=("least-squares-solution",),
        claim=lambda: {MEAN_SQUARE: Trace(G * B.T * DELTA_GAMMA * DELTA_GAMMA.T * B * G)},
        derive=lambda assumptions: {MEAN_SQUARE: squared_deviation()},
        observe=_observe_square,
        resolution={MEAN_SQUARE: 1e-8},
    ),
    _equation(
        "least-squares-mean-square",
        ("85",),
        statement="Its mean over tasks and label noise; shown for given inputs, over which a mean remains to be taken.",
        uses=("least-squares-deviation", "target-covariance-blocks"),
        claim=lambda: {rf"\mathbb{{E}}{MEAN_SQUARE}": Trace(G * B.T * BIG_GAMMA * B * G)},
        derive=lambda assumptions: {
            rf"\mathbb{{E}}{MEAN_SQUARE}": expect(squared_deviation(), {"delta_gamma"})
        },
        observe=_observe_mean_square,
        method=_NORMAL + "; Gaussian integration by parts",
    ),
)
