"""The outer problem, (66)-(74): its exact solution and the mean square deviation of that solution.

    (67)  stacked-target              gamma: the validation residual at the meta-parameter zero
    (68)  stacked-design              B: how the meta-parameter enters the validation residual
    (66)  stacked-loss                the meta-training loss as least squares in the meta-parameter
    (69)  outer-solution              N < p: the solution nearest to the start
    (70)  outer-deviation             omega_star - w_0: noise, and what is left of the start
    (71)  outer-mean-square           E|omega_star - w_0|^2 for given inputs
    (72)  target-covariance-blocks    Gamma is block diagonal
    (73)  target-covariance           one task's block of Gamma, for given inputs
    (74)  outer-mean-square-as-trace  (71) as traces

The stacked problem has N = n_v m validation rows; `B` and `gamma` are letters where only their shape matters, and
words of one task where their content does.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

from sympy import Identity, MatrixSymbol, Trace, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.language.printed_order import in_order
from derivations.language.symbols import N, alpha_t, column, m, n_t, n_v, nu, p, sigma, squared_norm
from derivations.paper.outer_problem_draws import (
    observe_block,
    observe_blocks,
    observe_design,
    observe_deviation,
    observe_mean_square,
    observe_solution,
    observe_stacked_loss,
    observe_target,
)
from derivations.steps.chain import Chain, abbreviation
from derivations.steps.step import Derived, Parts, Step
from symbolic.algebra.words import Expression, identity, matrix, reciprocal
from symbolic.averages.expectation import expect

X_T, X_V = MatrixSymbol("X_t", n_t, p), MatrixSymbol("X_v", n_v, p)
Z_T, Z_V = column("z_t", n_t), column("z_v", n_v)
W, OMEGA = column("w", p), column("omega", p)
I_P = Identity(p)
A = I_P - alpha_t / n_t * X_T.T * X_T
B, GAMMA = MatrixSymbol("B", N, p), column("gamma", N)
DELTA_GAMMA, BIG_GAMMA = column("delta_gamma", N), MatrixSymbol("Gamma", N, N)
OMEGA_0, W_0 = column("omega_0", p), column("w_0", p)
G = (B * B.T).I
GAP = OMEGA_0 - W_0
TASK_SIZES = (
    {"n_t": 5, "n_v": 3, "p": 4, "m": 2, "sigma": 0.7, "nu": 0.9, "alpha_t": 0.4},
    {"n_t": 8, "n_v": 4, "p": 11, "m": 3, "sigma": 0.5, "nu": 1.3, "alpha_t": -0.3},
    {"n_t": 4, "n_v": 6, "p": 9, "m": 4, "sigma": 1.1, "nu": 0.8, "alpha_t": 0.5},
)
STACK_SIZES = ({"N": 4, "p": 9}, {"N": 6, "p": 14}, {"N": 3, "p": 15})
DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val")
INVERSE = "BBT_inverse"
RULES: Mapping[tuple[tuple[str, bool], ...], Expression] = {
    (("B", False), ("B", True), (INVERSE, False)): identity("N"),
    ((INVERSE, False), ("B", False), ("B", True)): identity("N"),
}


# -- the engine ---------------------------------------------------------------------------------------------


def _residual(omega: Expression, assumptions: Assumptions) -> Expression:
    """Validation residual of one task at a meta-parameter, from (18)-(21)."""
    task = model.task(assumptions)
    w = letter("w")
    labels_t = task.x_t @ w + task.z_t
    labels_v = task.x_v @ w + task.z_v
    theta = model.training_loop(omega, task.x_t, labels_t, assumptions)
    return labels_v - task.x_v @ theta


def minimum_norm_solution(design: Expression, target: Expression, start: Expression) -> Expression:
    """The point nearest to `start` among all that solve design @ omega = target (design N x p, N < p).

    Lagrange: omega = start + design^T multiplier; the multiplier solves (design design^T) multiplier = target -
    design start. The result is checked to satisfy the equations exactly before it is returned.
    """
    multiplier = letter("inverse of B*B.T") @ (target - design @ start)
    solution = start + design.T @ multiplier
    if not (design @ solution - target).rewrite(RULES).is_zero:
        raise ArithmeticError("the stationarity conditions of the outer problem are not met")
    return solution


def deviation() -> Expression:
    """omega_star - w_0 with gamma = B w_0 + delta gamma."""
    b = letter("B")
    target = b @ model.W_0 + letter("delta_gamma")
    return minimum_norm_solution(b, target, letter("omega_0")) - model.W_0


def derive_stacked_loss(assumptions: Assumptions) -> Derived:
    """The derived stacked loss."""
    residual = _residual(letter("omega"), assumptions)
    return {"L^{(i)}": residual.T @ residual * reciprocal("n_v") * reciprocal("m") * Fraction(1, 2)}


def derive_target(assumptions: Assumptions) -> Derived:
    """The derived target."""
    return {r"\gamma^{(i)}": _residual(0 * letter("omega"), assumptions)}


def derive_design(assumptions: Assumptions) -> Derived:
    """The derived design."""
    return {"B^{(i)}": model.task(assumptions).design}


def _derive_solution(assumptions: Assumptions) -> Derived:
    return {r"\omega^\star": minimum_norm_solution(letter("B"), letter("gamma"), letter("omega_0"))}


def _derive_deviation(assumptions: Assumptions) -> Derived:
    return {r"\omega^\star-w_0": deviation()}


def mean_square_deviation() -> Expression:
    """E |omega_star - w_0|^2 over task parameters and label noise, for given inputs."""
    gap = deviation()
    return expect((gap.T @ gap).rewrite(RULES), {"delta_gamma"}).rewrite(RULES)


def _derive_mean_square(assumptions: Assumptions) -> Derived:
    return {r"\mathbb{E}|\omega^\star-w_0|^2": mean_square_deviation()}


def target_covariance(assumptions: Assumptions, first: str = "", second: str = "") -> Expression:
    """E delta gamma^(i) delta gamma^(j)T over task parameters and label noise, for given inputs."""
    one = model.task(assumptions, first)
    other = one if first == second else model.task(assumptions, second)
    product = one.target_deviation @ other.target_deviation.T
    over = one.noise | one.parameters | other.noise | other.parameters
    return model.specialise(expect(product, over & {*product.letters()}), assumptions)


def _derive_blocks(assumptions: Assumptions) -> Derived:
    return {r"\Gamma^{(i,j)}": target_covariance(assumptions, "1", "2")}


def _derive_block(assumptions: Assumptions) -> Derived:
    return {r"\Gamma^{(i)}": target_covariance(assumptions)}


# A of (68), written by its name
SHORT_A = abbreviation("A", "p")


def _block_chain(assumptions: Assumptions) -> Chain:
    """(73): the residual (67) put in, averaged over noise and task, with A by its name."""
    task, gap = model.task(assumptions), matrix("delta_gamma", "n_v", "1")
    if assumptions.split == "reused" or assumptions.covariance != "identity":
        raise NotDerivable(
            "with reused data or a general covariance the residual has other parts than in (67)"
        )
    noise = task.target_deviation.replace({"w": 0 * task.deviation.T})
    chain = Chain(gap @ gap.T)
    chain.insert({"delta_gamma": task.x_v @ SHORT_A @ task.deviation + noise}, "stacked-target")
    chain.average("z_t", "z_v", "w", reads=("label-noise", "task-parameters"))
    chain.expand({"Sigma_w": model.isotropic(model.SIGMA_W)}, "task-parameters")
    return chain.shows(r"\Gamma^{(i)}", {"A": task.contraction})


# -- what the paper prints ----------------------------------------------------------------------------------


def claim_target() -> Parts:
    """The printed target."""
    return {r"\gamma^{(i)}": in_order(X_V * A * W, -alpha_t / n_t * X_V * X_T.T * Z_T, Z_V)}


def claim_design() -> Parts:
    """The printed design."""
    return {"B^{(i)}": X_V * A}


def claim_stacked_loss() -> Parts:
    """The printed stacked loss."""
    residual = in_order(X_V * A * W, -alpha_t / n_t * X_V * X_T.T * Z_T, Z_V, -X_V * A * OMEGA)
    return {"L^{(i)}": squared_norm(residual) / (2 * n_v * m)}


def _claim_solution() -> Parts:
    return {r"\omega^\star": in_order(B.T * G * GAMMA, (I_P - B.T * G * B) * OMEGA_0)}


def _claim_deviation() -> Parts:
    return {r"\omega^\star-w_0": in_order(B.T * G * DELTA_GAMMA, (I_P - B.T * G * B) * GAP)}


def _claim_mean_square() -> Parts:
    return {
        r"\mathbb{E}|\omega^\star-w_0|^2": Trace(BIG_GAMMA * G) + Trace((I_P - B.T * G * B) * GAP * GAP.T)
    }


def _claim_blocks() -> Parts:
    return {r"\Gamma^{(i,j)}": ZeroMatrix(n_v, n_v)}


def _claim_block() -> Parts:
    return {
        r"\Gamma^{(i)}": nu**2 / p * X_V * A**2 * X_V.T
        + sigma**2 * (Identity(n_v) + alpha_t**2 / n_t**2 * X_V * X_T.T * X_T * X_V.T)
    }


def _claim_outer_products() -> Parts:
    return {
        r"\mathbb{E}|\omega^\star-w_0|^2": in_order(
            Trace(G * (BIG_GAMMA - B * GAP * GAP.T * B.T)), squared_norm(GAP)
        )
    }


# -- the steps ----------------------------------------------------------------------------------------------

_EXPANSION = "expansion of the model in matrix words"
_LAGRANGE = "Lagrange conditions, checked in the algebra of matrix words"
_ENGINE = "expansion of the model in matrix words; Gaussian integration by parts"


_of_a_task = partial(
    Step, kind="equation", page="averages", depends_on=DEPENDS, sizes=TASK_SIZES, method=_EXPANSION
)
_of_the_stack = partial(Step, kind="equation", page="averages", sizes=STACK_SIZES, method=_ENGINE)


STEPS: tuple[Step, ...] = (
    _of_a_task(
        "stacked-target",
        ("67",),
        statement="At the meta-parameter zero the validation residual of a task is its block of gamma.",
        uses=("inner-loop", "train-labels", "validation-labels"),
        claim=claim_target,
        derive=derive_target,
        observe=observe_target,
        resolution={r"\gamma^{(i)}": 1e-9},
    ),
    _of_a_task(
        "stacked-design",
        ("68",),
        statement="The meta-parameter enters the validation residual of a task through its block of B.",
        uses=("inner-loop",),
        claim=claim_design,
        derive=derive_design,
        observe=observe_design,
        resolution={"B^{(i)}": 1e-9},
    ),
    _of_a_task(
        "stacked-loss",
        ("66",),
        statement="The meta-training loss is a least-squares loss in the meta-parameter; shown for the share of one task.",
        uses=("meta-loss-matrix", "stacked-target", "stacked-design"),
        claim=claim_stacked_loss,
        derive=derive_stacked_loss,
        observe=observe_stacked_loss,
        resolution={"L^{(i)}": 1e-9},
    ),
    _of_the_stack(
        "outer-solution",
        ("69",),
        statement="With fewer validation rows than parameters, training ends at the solution nearest to its start.",
        uses=("stacked-loss", "outer-optimum"),
        claim=_claim_solution,
        derive=_derive_solution,
        observe=observe_solution,
        resolution={r"\omega^\star": 1e-8},
        method=_LAGRANGE,
    ),
    _of_the_stack(
        "outer-deviation",
        ("70",),
        statement="The deviation of the solution from the task mean, split into noise and what is left of the start.",
        uses=("outer-solution",),
        claim=_claim_deviation,
        derive=_derive_deviation,
        observe=observe_deviation,
        resolution={r"\omega^\star-w_0": 1e-8},
        method=_LAGRANGE,
    ),
    _of_the_stack(
        "outer-mean-square",
        ("71",),
        statement="The mean square deviation over tasks and label noise, for given inputs.",
        uses=("outer-deviation",),
        claim=_claim_mean_square,
        derive=_derive_mean_square,
        observe=observe_mean_square,
    ),
    _of_a_task(
        "target-covariance-blocks",
        ("72",),
        statement="Different tasks are uncorrelated, so the covariance of the stacked target is block diagonal.",
        uses=("stacked-target",),
        claim=_claim_blocks,
        derive=_derive_blocks,
        observe=observe_blocks,
        resolution={r"\Gamma^{(i,j)}": 0.06},
        method=_ENGINE,
    ),
    _of_a_task(
        "target-covariance",
        ("73",),
        statement="The covariance of one task's block, over its parameters and its label noise, for given inputs.",
        uses=("stacked-target",),
        claim=_claim_block,
        derive=_derive_block,
        derivation=_block_chain,
        observe=observe_block,
        method=_ENGINE,
    ),
    _of_the_stack(
        "outer-mean-square-as-trace",
        ("74",),
        statement="The same mean square deviation with the start written as an outer product.",
        uses=("outer-mean-square",),
        claim=_claim_outer_products,
        derive=_derive_mean_square,
        observe=observe_mean_square,
    ),
)
