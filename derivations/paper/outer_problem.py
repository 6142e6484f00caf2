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

from dataclasses import replace
from fractions import Fraction
from functools import cache, partial

from sympy import Identity, MatrixSymbol, Trace, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from derivations.language.printed_order import in_order
from derivations.language.symbols import N, alpha_t, column, m, n_t, n_v, nu, p, sigma, squared_norm
from derivations.paper.outer_problem_draws import (
    LOSS_OF_TASK,
    MEAN_SQUARE,
    OTHER_BLOCK,
    observe_block,
    observe_blocks,
    observe_design,
    observe_deviation,
    observe_mean_square,
    observe_solution,
    observe_stacked_loss,
    observe_target,
)
from derivations.steps.chain import Chain, Tasks, abbreviation
from derivations.steps.held import Held
from derivations.steps.labels import OVER_TARGETS
from derivations.steps.rules import solutions
from derivations.steps.rules.stacked import SAME_TASK
from derivations.steps.step import Kind, Parts, Step
from symbolic.algebra.words import Expression, identity, matrix, reciprocal, scalar, vector
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


# -- the engine ---------------------------------------------------------------------------------------------


def _labels(assumptions: Assumptions) -> dict[str, Expression]:
    """(18) and (19): the labels of one task."""
    task = model.task(assumptions)
    return {"y_t": task.x_t @ letter("w") + task.z_t, "y_v": task.x_v @ letter("w") + task.z_v}


def _residual_chain(omega: Expression, assumptions: Assumptions) -> Chain:
    """The validation residual of one task after the inner loop from a meta-parameter."""
    task = model.task(assumptions)
    rows = (task.x_v.shape or ("",))[0]
    labels = {"y_t": vector("y_t", "n_t"), "y_v": vector("y_v", rows)}
    chain = Chain(labels["y_v"] - task.x_v @ vector("theta", "p"))
    theta = model.training_loop(omega, task.x_t, labels["y_t"], assumptions)
    chain.insert({"theta": theta}, "inner-loop", held=_after_one_step(assumptions, omega, labels["y_t"]))
    # those of other data
    labelled = None if assumptions.split == "reused" else Held(assumptions, read=with_one_noise)
    return chain.insert(_labels(assumptions), "train-labels", "validation-labels", held=labelled)


def with_one_noise(labels: Expression) -> Expression:
    """Labels whose noise has the level of all data, as (18), (19) and (26) print it."""
    return labels.replace({"sigma_v": scalar("sigma")} if "sigma_v" in labels.scalars() else {})


def _after_one_step(assumptions: Assumptions, start: Expression, labels: Expression) -> Held | None:
    """The inner loop as (21) states its last step; None where an extension states the steps."""
    if assumptions.added:
        return None
    x_t = model.task(assumptions).x_t
    before = model.inner_loop(start, x_t, labels, "alpha_t", "n_t", assumptions.inner_steps - 1)
    return Held(assumptions, where={"omega": before, "X_t": x_t, "y_t": labels})


def target_chain(assumptions: Assumptions) -> Chain:
    """(67): the residual at the meta-parameter zero."""
    return _residual_chain(0 * letter("omega"), assumptions).shows(r"\gamma^{(i)}")


def design_chain(assumptions: Assumptions) -> Chain:
    """(68): what the inner loop without labels makes of every start, seen at the validation inputs."""
    task = model.task(assumptions)
    loop = model.training_loop(identity("p"), task.x_t, 0 * task.x_t, assumptions)
    chain = Chain(task.x_v @ matrix("Theta", "p", "p"))
    held = _after_one_step(assumptions, letter("omega"), 0 * vector("y_t", "n_t"))
    if held is not None:
        held = replace(held, read=lambda theta: theta @ letter("omega"))
    return chain.insert({"Theta": loop}, "inner-loop", held=held).shows("B^{(i)}")


def stacked_loss_chain(assumptions: Assumptions) -> Chain:
    """(66): the share of one task in the loss, with its residual put in."""
    design = model.task(assumptions).design
    target = _residual_chain(letter("omega"), assumptions).result + design @ letter("omega")
    rows = (design.shape or ("",))[0]
    gap = vector("gamma_1", rows) - matrix("B_1", rows, "p") @ letter("omega")
    chain = Chain(gap.T @ gap * reciprocal("n_v") * reciprocal("m") * Fraction(1, 2))
    held = Held(assumptions)
    chain.insert({"gamma_1": target}, "stacked-target", held=held)
    return chain.insert({"B_1": design}, "stacked-design", held=held).shows(LOSS_OF_TASK)


def _solution_chain(assumptions: Assumptions) -> Chain:
    """(69): the solution nearest to the start."""
    chain = Chain(letter("omega_star"))
    solutions.nearest(chain, "omega_star", INVERSE, letter("omega_0"), "stacked-loss", "outer-optimum")
    return chain.shows(r"\omega^\star")


def _deviation_chain(assumptions: Assumptions) -> Chain:
    """(70): its deviation from the task mean, with gamma = B w_0 + delta gamma."""
    chain = Chain(letter("omega_star") - model.W_0)
    solutions.nearest(chain, "omega_star", INVERSE, letter("omega_0"), "outer-solution")
    return put_target(chain, assumptions).shows(r"\omega^\star-w_0")


def put_target(chain: Chain, assumptions: Assumptions) -> Chain:
    """gamma = B w_0 + delta gamma put in: (67) of a task whose parameters deviate from w_0."""
    target = letter("B") @ model.W_0 + letter("delta_gamma")
    of = Tasks(
        {
            "B": lambda label: model.task(assumptions, label).design,
            "delta_gamma": lambda label: model.task(assumptions, label).target_deviation.T,
        },
        rows="n_t" if assumptions.split == "reused" else "n_v",
    )
    where = {"w": model.W_0 + model.task(assumptions).deviation}
    held = Held(assumptions, where=where, read=lambda gamma: of.block(gamma, SAME_TASK))
    return chain.insert({"gamma": target}, "stacked-target", held=held)


def _mean_square_chain(assumptions: Assumptions) -> Chain:
    """(71) and (74): the deviation squared and averaged over tasks and label noise."""
    gap = vector("e", "p")
    chain = Chain(gap.T @ gap).insert({"e": _deviation_chain(assumptions).result}, "outer-deviation")
    solutions.cancel_inverse(chain, INVERSE, ("B", False), ("B", True))
    chain.average("delta_gamma", reads=("label-noise", "task-parameters"))
    return chain.shows(MEAN_SQUARE)


def target_covariance(assumptions: Assumptions, first: str = "", second: str = "") -> Expression:
    """E delta gamma^(i) delta gamma^(j)T over task parameters and label noise, for given inputs."""
    one = model.task(assumptions, first)
    other = one if first == second else model.task(assumptions, second)
    product = one.target_deviation @ other.target_deviation.T
    over = one.noise | one.parameters | other.noise | other.parameters
    return model.specialise(expect(product, over & {*product.letters()}), assumptions)


def _blocks_chain(assumptions: Assumptions) -> Chain:
    """(72): two tasks share no noise and no parameters."""
    tasks = [model.task(assumptions, label) for label in "12"]
    gaps = [
        matrix(f"delta_gamma_{label}", (task.x_v.shape or ("",))[0], "1")
        for label, task in zip("12", tasks, strict=True)
    ]
    chain = Chain(gaps[0] @ gaps[1].T)
    values = {f"delta_gamma_{label}": task.target_deviation for label, task in zip("12", tasks, strict=True)}
    chain.insert(
        values, "stacked-target", held=Held(assumptions, where={"w": model.task(assumptions).deviation})
    )
    over = frozenset().union(*(task.noise | task.parameters for task in tasks))
    chain.average(*sorted(over & {*chain.result.letters()}), reads=("label-noise", "task-parameters"))
    return chain.shows(OTHER_BLOCK)


# A of (68), written by its name
SHORT_A = abbreviation("A", "p")


def _block_chain(assumptions: Assumptions) -> Chain:
    """(73): the residual (67) put in, averaged over noise and task, with A by its name where the label noise is apart."""
    task = model.task(assumptions)
    gap = matrix("delta_gamma", (task.x_v.shape or ("",))[0], "1")
    if assumptions.split == "reused" or assumptions.covariance != "identity":
        chain = Chain(gap @ gap.T)
        held = Held(assumptions, where={"w": task.deviation})
        chain.insert({"delta_gamma": task.target_deviation}, "stacked-target", held=held)
        over = (task.noise | task.parameters) & {*chain.result.letters()}
        chain.average(*sorted(over), reads=("label-noise", "task-parameters"))
        if assumptions.covariance == "identity":
            chain.expand(
                {"Sigma_w": model.isotropic(model.SIGMA_W)}, "task-parameters", held=Held(assumptions)
            )
        return chain.shows(r"\Gamma^{(i)}")
    noise = task.target_deviation.replace({"w": 0 * task.deviation.T})
    chain = Chain(gap @ gap.T)
    residual = task.x_v @ SHORT_A @ task.deviation + noise
    held = Held(assumptions, {"A": task.contraction}, {"w": task.deviation})
    chain.insert({"delta_gamma": residual}, "stacked-target", held=held)
    chain.average("z_t", "z_v", "w", reads=("label-noise", "task-parameters"))
    chain.expand({"Sigma_w": model.isotropic(model.SIGMA_W)}, "task-parameters", held=Held(assumptions))
    return chain.shows(r"\Gamma^{(i)}", {"A": task.contraction})


# -- what the paper prints ----------------------------------------------------------------------------------


def claim_target() -> Parts:
    """The printed target."""
    return {r"\gamma^{(i)}": in_order(X_V * A * W, -alpha_t / n_t * X_V * X_T.T * Z_T, Z_V)}


def claim_design() -> Parts:
    """The printed design."""
    return {"B^{(i)}": X_V * A}


@cache
def claim_stacked_loss() -> Parts:
    """The printed stacked loss."""
    residual = in_order(X_V * A * W, -alpha_t / n_t * X_V * X_T.T * Z_T, Z_V, -X_V * A * OMEGA)
    return {LOSS_OF_TASK: squared_norm(residual) / (2 * n_v * m)}


def _claim_solution() -> Parts:
    return {r"\omega^\star": in_order(B.T * G * GAMMA, (I_P - B.T * G * B) * OMEGA_0)}


def _claim_deviation() -> Parts:
    return {r"\omega^\star-w_0": in_order(B.T * G * DELTA_GAMMA, (I_P - B.T * G * B) * GAP)}


def _claim_mean_square() -> Parts:
    return {MEAN_SQUARE: Trace(BIG_GAMMA * G) + Trace((I_P - B.T * G * B) * GAP * GAP.T)}


def _claim_blocks() -> Parts:
    return {OTHER_BLOCK: ZeroMatrix(n_v, n_v)}


def _claim_block() -> Parts:
    return {
        r"\Gamma^{(i)}": nu**2 / p * X_V * A**2 * X_V.T
        + sigma**2 * (Identity(n_v) + alpha_t**2 / n_t**2 * X_V * X_T.T * X_T * X_V.T)
    }


def _claim_outer_products() -> Parts:
    return {MEAN_SQUARE: in_order(Trace(G * (BIG_GAMMA - B * GAP * GAP.T * B.T)), squared_norm(GAP))}


# -- the steps ----------------------------------------------------------------------------------------------

_EXPANSION = "expansion of the model in matrix words"
_LAGRANGE = "Lagrange conditions, checked in the algebra of matrix words"
_ENGINE = "expansion of the model in matrix words; Gaussian integration by parts"


_of_a_task = partial(
    Step, kind=Kind.EQUATION, page="averages", depends_on=DEPENDS, sizes=TASK_SIZES, method=_EXPANSION
)
_of_the_stack = partial(Step, kind=Kind.EQUATION, page="averages", sizes=STACK_SIZES, method=_ENGINE)


STEPS: tuple[Step, ...] = (
    _of_a_task(
        "stacked-target",
        ("67",),
        statement="At the meta-parameter zero the validation residual of a task is its block of gamma.",
        uses=("inner-loop", "train-labels", "validation-labels"),
        claim=claim_target,
        derivation=target_chain,
        observe=observe_target,
        resolution={r"\gamma^{(i)}": 1e-9},
    ),
    _of_a_task(
        "stacked-design",
        ("68",),
        statement="The meta-parameter enters the validation residual of a task through its block of B.",
        uses=("inner-loop",),
        claim=claim_design,
        derivation=design_chain,
        observe=observe_design,
        resolution={"B^{(i)}": 1e-9},
    ),
    _of_a_task(
        "stacked-loss",
        ("66",),
        statement="The meta-training loss is a least-squares loss in the meta-parameter: a sum over tasks, of which the share of one task is derived.",
        uses=("meta-loss-matrix", "stacked-target", "stacked-design"),
        claim=claim_stacked_loss,
        derivation=stacked_loss_chain,
        observe=observe_stacked_loss,
        resolution={LOSS_OF_TASK: 1e-9},
    ),
    _of_the_stack(
        "outer-solution",
        ("69",),
        statement="With fewer validation rows than parameters, training ends at the solution nearest to its start.",
        uses=("stacked-loss", "outer-optimum"),
        claim=_claim_solution,
        derivation=_solution_chain,
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
        derivation=_deviation_chain,
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
        derivation=_mean_square_chain,
        observe=observe_mean_square,
    ),
    _of_a_task(
        "target-covariance-blocks",
        ("72",),
        statement="Different tasks are uncorrelated, so the covariance of the stacked target is block diagonal.",
        uses=("stacked-target",),
        tex=rf"\Gamma={OVER_TARGETS}\delta\gamma\,\delta\gamma^T=\mathrm{{diag}}\big(\Gamma^{{(1)}},\dots,\Gamma^{{(m)}}\big)",
        claim=_claim_blocks,
        derivation=_blocks_chain,
        observe=observe_blocks,
        resolution={OTHER_BLOCK: 0.06},
        method=_ENGINE,
    ),
    _of_a_task(
        "target-covariance",
        ("73",),
        statement="The covariance of one task's block for given inputs, over label noise and over parameters of variance nu^2/p each.",
        uses=("stacked-target",),
        claim=_claim_block,
        derivation=_block_chain,
        observe=observe_block,
        method=_ENGINE,
    ),
    _of_the_stack(
        "outer-mean-square-as-trace",
        ("74",),
        statement="The mean square deviation over tasks and label noise, with the start written as an outer product.",
        uses=("outer-mean-square",),
        claim=_claim_outer_products,
        derivation=_mean_square_chain,
        observe=observe_mean_square,
    ),
)
