"""The outer problem under Theorem 3, (117), (125)-(133): the solution of minimum norm, its second moment.

    (126)       general-stacked-target     gamma is that of (67)
    (127)       general-stacked-design     B is that of (68)
    (125)       general-stacked-loss       the least-squares problem is that of (66)
    (128)       minimum-norm-solution      started at zero: the solution of minimum norm
    (117)       optimum-mean-vanishes      E omega_star = 0 for given inputs
    (129)       weighted-square            omega_star^T H_r omega_star as a trace
    (130)       general-covariance-blocks  Gamma is block diagonal
    (131)(132)  general-target-covariance  one task's block of Gamma, for given inputs
    (133)       weighted-mean-square       E omega_star^T H_r omega_star for given inputs

Start of training and task mean are zero. Of the laws of task parameters and label noise only the second
moments enter, as everything is quadratic in them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from sympy import Identity, MatrixSymbol, Trace, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from derivations.language.symbols import N, alpha_t, column, n_t, n_v, p, sigma
from derivations.paper import outer_problem
from derivations.paper.outer_problem import INVERSE
from derivations.paper.theorem3.general_setting import SIGMA_W, general
from derivations.steps import discrete_law
from derivations.steps.chain import Chain, DoesNotApply, carried_out
from derivations.steps.draws import Array
from derivations.steps.held import Held
from derivations.steps.labels import OVER_INPUTS, OVER_TARGETS, Within
from derivations.steps.rules import solutions
from derivations.steps.step import Kind, Observed, Step
from derivations.steps.task_draws import design, nearest_solution, outer_product, stacked_problem, target
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, gaussian, vector

X_T, X_V = MatrixSymbol("X_t", n_t, p), MatrixSymbol("X_v", n_v, p)
A = Identity(p) - alpha_t / n_t * X_T.T * X_T
B, GAMMA, BIG_GAMMA = MatrixSymbol("B", N, p), column("gamma", N), MatrixSymbol("Gamma", N, N)
WEIGHT = MatrixSymbol("H_r", p, p)
G = (B * B.T).I
OPTIMUM, MEAN_OPTIMUM = r"\omega^\star", rf"{OVER_TARGETS}\omega^\star"
FORM = r"\mathrm{Tr}(H_r\omega^\star\omega^{\star T})"
MEAN_FORM = Within(rf"{OVER_TARGETS}{FORM}", rf"\mathbb{{E}}\,{FORM}", OVER_INPUTS)
BLOCK, OTHER_BLOCK = r"\Gamma^{(i)}", rf"{OVER_TARGETS}\gamma^{{(i)}}\gamma^{{(j)T}}\ (i\neq j)"
DEPENDS = ("inner_steps", "split", "noise_val")
TASK_SIZES = (
    {"n_t": 5, "n_v": 3, "p": 4, "m": 2, "sigma": 0.7, "nu": 0.9, "alpha_t": 0.2},
    {"n_t": 8, "n_v": 2, "p": 9, "m": 3, "sigma": 0.5, "nu": 1.3, "alpha_t": -0.1},
    {"n_t": 4, "n_v": 3, "p": 6, "m": 1, "sigma": 1.1, "nu": 0.8, "alpha_t": 0.3},
)
STACKS = (
    {"n_t": 5, "n_v": 2, "p": 7, "m": 2, "sigma": 0.7, "alpha_t": 0.2},
    {"n_t": 8, "n_v": 1, "p": 9, "m": 4, "sigma": 0.5, "alpha_t": -0.1},
    {"n_t": 4, "n_v": 3, "p": 6, "m": 1, "sigma": 1.1, "alpha_t": 0.3},
)
STACK_SIZES = ({"N": 4, "p": 9}, {"N": 6, "p": 10}, {"N": 3, "p": 15})


# -- the engine ---------------------------------------------------------------------------------------------


def _optimum_chain(assumptions: Assumptions) -> Chain:
    """(128): the solution nearest to zero."""
    return _solved(Chain(model.OMEGA_STAR), "general-stacked-loss", "outer-optimum").shows(OPTIMUM)


def target_covariance(assumptions: Assumptions, first: str = "", second: str = "") -> Expression:
    """E gamma^(i) gamma^(j)T for given inputs; the mean of gamma is zero."""
    return carried_out(partial(block_chain, BLOCK, first, second), assumptions).result


# -- the same as proofs: move by move ------------------------------------------------------------------------


def _as_stated(assumptions: Assumptions) -> Held:
    return Held(assumptions, where={"w": model.task(general(assumptions)).deviation})


def _over_noise(chain: Chain, *tasks: model.Task) -> Chain:
    """The average over the label noise and the parameters of tasks."""
    present = chain.result.letters()
    noise = [name for name in present if any(name in task.noise for task in tasks)]
    parameters = [name for name in present if any(name in task.parameters for task in tasks)]
    chain.average(*noise, reads=("label-noise",))
    for name in parameters:
        if name in chain.result.letters():
            chain.average_rows(name, fourth=model.FOURTH_MOMENT, reads=("task-covariance",))
    return chain


def _solved(chain: Chain, *reads: str) -> Chain:
    """The solution nearest to zero put in for omega_star."""
    return solutions.nearest(chain, "omega_star", INVERSE, 0 * letter("omega_0"), *reads)


def _over_targets(chain: Chain, *reads: str) -> Chain:
    """The average over gamma, whose mean is zero and whose covariance is Gamma."""
    chain.define({"gamma": gaussian("gamma_draw", "1", "N", covariance="Gamma").T}, *reads)
    return chain.average_rows("gamma_draw", fourth=model.FOURTH_MOMENT)


def mean_chain(assumptions: Assumptions) -> Chain:
    """(117): the block of gamma averages to zero, and with it the solution, which is linear in gamma."""
    task = model.task(general(assumptions))
    chain = Chain(vector("gamma_i", (task.x_v.shape or ("",))[0]))
    chain.insert({"gamma_i": task.target_deviation}, "general-stacked-target", held=_as_stated(assumptions))
    _over_noise(chain, task)
    if not chain.result.is_zero:
        raise DoesNotApply("the mean of gamma is not zero")
    _solved(chain.begin(model.OMEGA_STAR), "minimum-norm-solution")
    return _over_targets(chain, "general-stacked-target").shows(MEAN_OPTIMUM)


def form_chain(assumptions: Assumptions) -> Chain:
    """(129): the solution put in."""
    omega = model.OMEGA_STAR
    return _solved(Chain(omega.T @ letter("H_r") @ omega), "minimum-norm-solution").shows(FORM)


def mean_form_chain(assumptions: Assumptions) -> Chain:
    """(133): the solution put in, and averaged over gamma."""
    omega = model.OMEGA_STAR
    chain = _solved(Chain(omega.T @ letter("H_r") @ omega), "minimum-norm-solution")
    return _over_targets(chain, "general-covariance-blocks").shows(MEAN_FORM)


def block_chain(label: str, first: str, second: str, assumptions: Assumptions) -> Chain:
    """(130)-(132): the blocks of gamma put in, and averaged over task parameters and label noise."""
    one, other = (model.task(general(assumptions), index) for index in (first, second))
    blocks = {f"gamma_{k}": task.target_deviation for k, task in (("i", one), ("j", other))}
    rows = (one.target_deviation.shape or ("",))[0]
    left, right = (vector(name, rows) for name in blocks)
    if first == second:
        right = left
        blocks.popitem()
    chain = Chain(left @ right.T)
    chain.insert(blocks, "general-stacked-target", held=_as_stated(assumptions))
    return _over_noise(chain, one, other).shows(label)


# -- what sampling sees -------------------------------------------------------------------------------------


def _stack(sample: Sample) -> tuple[Array, Array]:
    """B of fixed inputs of m tasks, and a batch of gamma with fresh task parameters and noise."""
    blocks, targets = [], []
    for k in range(sample.size("m")):
        x_t, x_v = sample.matrix(f"X_t_{k}", "n_t", "p"), sample.matrix(f"X_v_{k}", "n_v", "p")
        blocks.append(design(x_t, x_v, sample["alpha_t"]))
        targets.append(target(sample, x_t, x_v, discrete_law.tasks(sample)))
    return np.concatenate(blocks), np.concatenate(targets, axis=1)


def _solver(b: Array) -> Array:
    """The linear map from gamma to omega_star: the solution for every unit vector."""
    return nearest_solution(b, np.eye(len(b)), np.zeros((b.shape[1], len(b))))


def _observe_mean(sample: Sample) -> Observed:
    b, gamma = _stack(sample)
    return {MEAN_OPTIMUM: _solver(b) @ gamma}


def _observe_optimum(sample: Sample) -> Observed:
    b, gamma = stacked_problem(sample)
    return {OPTIMUM: nearest_solution(b, gamma, np.zeros((b.shape[1], 1)))[None]}


def _weight(sample: Sample) -> Array:
    return sample.matrix("H_r", "p", "p", positive=True)


def _observe_form(sample: Sample) -> Observed:
    b, gamma = stacked_problem(sample)
    omega = nearest_solution(b, gamma, np.zeros((b.shape[1], 1)))
    return {FORM: np.array([float(np.sum(omega * (_weight(sample) @ omega)))])}


def _observe_mean_form(sample: Sample) -> Observed:
    root = np.linalg.cholesky(sample.matrix("Gamma", "N", "N", positive=True))
    omega = _solver(sample.matrix("B", "N", "p")) @ (root @ sample.gaussian("N", 1))
    return {MEAN_FORM: np.sum(omega * (_weight(sample) @ omega), axis=(1, 2))}


def _observe_blocks(sample: Sample) -> Observed:
    drawn = []
    for k in ("1", "2"):
        x_t, x_v = sample.matrix(f"X_t{k}", "n_t", "p"), sample.matrix(f"X_v{k}", "n_v", "p")
        drawn.append(target(sample, x_t, x_v, discrete_law.tasks(sample)))
    return {OTHER_BLOCK: drawn[0] @ np.swapaxes(drawn[1], 1, 2)}


def _observe_block(sample: Sample) -> Observed:
    x_t, x_v = sample.matrix("X_t", "n_t", "p"), sample.matrix("X_v", "n_v", "p")
    return {BLOCK: outer_product(target(sample, x_t, x_v, discrete_law.tasks(sample)))}


# -- the steps ----------------------------------------------------------------------------------------------

_EXPANSION = "expansion of the model in matrix words"
_LAGRANGE = "Lagrange conditions, checked in the algebra of matrix words"
_SECOND = "second moments of task parameters and label noise; no law is used"


_SECTION_7_3 = {step.name: step for step in outer_problem.STEPS}


def _shared(number: str, earlier: str, statement: str) -> Step:
    """An equation of section 7.3 that is printed again, word for word, under the general assumptions."""
    step = _SECTION_7_3[earlier]
    claim, chain = step.claim, step.derivation
    assert claim is not None
    assert chain is not None

    def generally(assumptions: Assumptions) -> Chain:
        return chain(general(assumptions))

    return Step(
        f"general-{earlier}",
        (number,),
        Kind.EQUATION,
        statement,
        "theorem3",
        uses=(earlier,),
        depends_on=DEPENDS,
        claim=claim,
        derivation=generally,
        observe=step.observe,
        sizes=TASK_SIZES,
        method=_EXPANSION,
        resolution=dict.fromkeys(claim(), 1e-9),
    )


_of_a_task = partial(
    Step, kind=Kind.EQUATION, page="theorem3", depends_on=DEPENDS, sizes=TASK_SIZES, method=_SECOND
)
_of_the_stack = partial(Step, kind=Kind.EQUATION, page="theorem3", sizes=STACK_SIZES, method=_LAGRANGE)


STEPS: tuple[Step, ...] = (
    _shared("126", "stacked-target", "The vector gamma is the same as in section 7.3."),
    _shared("127", "stacked-design", "The matrix B is the same as in section 7.3."),
    _shared(
        "125",
        "stacked-loss",
        "The outer problem is the same least-squares problem as in section 7.3: a sum over tasks, of which the share of one task is derived.",
    ),
    _of_the_stack(
        "minimum-norm-solution",
        ("128",),
        statement="Started at zero, training ends at the solution of minimum norm.",
        uses=("general-stacked-loss", "outer-optimum"),
        claim=lambda: {OPTIMUM: B.T * G * GAMMA},
        derivation=_optimum_chain,
        observe=_observe_optimum,
        resolution={OPTIMUM: 1e-8},
    ),
    Step(
        "optimum-mean-vanishes",
        ("117",),
        Kind.EQUATION,
        "Over tasks and label noise the learned meta-parameter averages to zero, for given inputs.",
        "theorem3",
        uses=(
            "minimum-norm-solution",
            "general-stacked-target",
            "task-covariance",
        ),
        depends_on=DEPENDS,
        claim=lambda: {MEAN_OPTIMUM: ZeroMatrix(p, 1)},
        derivation=mean_chain,
        observe=_observe_mean,
        sizes=STACKS,
        resolution={MEAN_OPTIMUM: 0.08},
        method=_SECOND,
    ),
    _of_the_stack(
        "weighted-square",
        ("129",),
        statement="The weighted square of the learned meta-parameter, as a trace.",
        uses=("minimum-norm-solution",),
        claim=lambda: {FORM: Trace(G * GAMMA * GAMMA.T * G * (B * WEIGHT * B.T))},
        derivation=form_chain,
        observe=_observe_form,
        resolution={FORM: 1e-8},
    ),
    _of_a_task(
        "general-covariance-blocks",
        ("130",),
        statement="Different tasks are uncorrelated, so the covariance of gamma is block diagonal.",
        uses=("general-stacked-target", "task-covariance"),
        tex=rf"\Gamma={OVER_TARGETS}\gamma\gamma^T=\mathrm{{diag}}\big(\Gamma^{{(1)}},\dots,\Gamma^{{(m)}}\big)",
        claim=lambda: {OTHER_BLOCK: ZeroMatrix(n_v, n_v)},
        derivation=partial(block_chain, OTHER_BLOCK, "1", "2"),
        observe=_observe_blocks,
        resolution={OTHER_BLOCK: 0.15},
    ),
    _of_a_task(
        "general-target-covariance",
        ("131", "132"),
        statement="The covariance of one task's block for given inputs, over label noise and over parameters of covariance Sigma_w.",
        uses=("general-stacked-target", "task-covariance"),
        claim=lambda: {
            BLOCK: X_V * A * SIGMA_W * A * X_V.T
            + sigma**2 * (Identity(n_v) + alpha_t**2 / n_t**2 * X_V * X_T.T * X_T * X_V.T)
        },
        derivation=partial(block_chain, BLOCK, "", ""),
        observe=_observe_block,
    ),
    _of_the_stack(
        "weighted-mean-square",
        ("133",),
        statement="The mean of the weighted square over tasks and label noise; for given inputs, over which a mean remains to be taken.",
        uses=("weighted-square", "general-covariance-blocks"),
        claim=lambda: {MEAN_FORM: Trace(G * BIG_GAMMA * G * (B * WEIGHT * B.T))},
        derivation=mean_form_chain,
        observe=_observe_mean_form,
        method=_SECOND,
    ),
)
