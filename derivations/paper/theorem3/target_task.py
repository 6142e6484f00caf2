"""The test phase under Theorem 3, (114)-(124) and (16): the average loss at a given meta-parameter, exactly.

    (114)       general-loss-as-residual             the test loss through the gap between the target's parameters and the adapted ones
    (115)       general-loss-after-test-data         after averaging over the test data
    (116)       general-mean-adapted-parameters      E theta_star moves by alpha_r Sigma towards the target
    (118)       general-loss-after-linear-term       after the linear term only E theta_star^T Sigma theta_star is left
    (119)(120)  general-adapted-square-given-inputs  E theta_star^T Sigma theta_star for given target inputs
    (121)(122)  general-adapted-square               the same over the whole target task
    (16)(124)   adaptation-weight                    H_r: the weight of a deviation of the meta-parameter
    (123)       general-loss-from-square             the average loss: affine in omega_star omega_star^T, exactly

As in section 7.3, with covariances Sigma, Sigma_w, w_0 = 0, and inputs and tasks of any law, which are
averaged by independence of the rows. Label noise is Gaussian.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from sympy import Identity, MatrixSymbol, Rational, Symbol, Trace

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.model_letters import letter
from derivations.language.printed_order import in_order
from derivations.language.symbols import alpha_r, column, inner, n_r, p, sigma
from derivations.paper import target_task, target_task_draws
from derivations.paper.target_task_draws import LOSS_OF_TASK, MEAN_ADAPTED
from derivations.paper.theorem3.general_setting import SIGMA, SIGMA_W, F, general
from derivations.steps import discrete_law
from derivations.steps.chain import Chain, abbreviation, carried_out
from derivations.steps.draws import Array, fixed_column, squared_norms
from derivations.steps.held import Held
from derivations.steps.labels import LOSS, Short, Within
from derivations.steps.step import Kind, Observed, Parts, Step
from derivations.steps.task_draws import gradient_step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, vector
from symbolic.averages.expectation import expect

I_P = Identity(p)
THETA, OMEGA_STAR, W_PRIME = column("theta_star", p), column("omega_star", p), column("w_prime", p)
X_R = MatrixSymbol("X_r", n_r, p)
W_R = X_R.T * X_R
HALF = Rational(1, 2)
MEAN_FORM = Symbol("mean_theta_star_form")  # E theta_star^T Sigma theta_star
H_R = in_order(SIGMA * (I_P - alpha_r * SIGMA) ** 2, alpha_r**2 / n_r * (F - SIGMA**3))
NOISE = 1 + alpha_r**2 / n_r * Trace(SIGMA**2)
SQUARE_GIVEN_INPUTS = r"\mathbb{E}_{w'}\mathbb{E}_{z^r}\theta^{\star T}\Sigma\theta^\star"
SQUARE = r"\mathbb{E}_{X^r}\mathbb{E}_{w'}\mathbb{E}_{z^r}\theta^{\star T}\Sigma\theta^\star"
SPLIT = Within(
    r"\mathbb{E}_{X^s}\mathbb{E}_{z^s}L^{test}-\tfrac12w'^T\Sigma w'+\tfrac12\mathbb{E}\,w'^T\Sigma w'",
    LOSS,
    r"\mathbb{E}",
    outside=2,
)
LOSS_GIVEN_OPTIMUM = Within(
    r"\mathbb{E}\big[L^{test}\,\big|\,\omega^\star\big]",
    LOSS,
    r"\mathbb{E}",
    outside=1,
)
DEPENDS = ("adaptation_steps",)
SIZES: tuple[dict[str, float], ...] = (
    {"n_r": 6, "n_s": 20, "p": 3, "sigma": 0.9, "alpha_r": 0.1},
    {"n_r": 9, "n_s": 30, "p": 5, "sigma": 0.9, "alpha_r": -0.1},
    {"n_r": 14, "n_s": 25, "p": 4, "sigma": 1.4, "alpha_r": 0.05},
)
# rates of order one, and sizes at which a coefficient of one shows
SMALL: tuple[dict[str, float], ...] = (
    {"n_r": 1, "n_s": 2, "p": 2, "sigma": 0.7, "alpha_r": 0.6},
    {"n_r": 2, "n_s": 1, "p": 1, "sigma": 1.6, "alpha_r": -0.5},
    {"n_r": 3, "n_s": 4, "p": 3, "sigma": 1.2, "alpha_r": 0.4},
)


# -- the engine ---------------------------------------------------------------------------------------------


def adapted(assumptions: Assumptions) -> Expression:
    """theta_star of (25) at given omega_star and w'."""
    return model.adapted(model.OMEGA_STAR, letter("w_prime"), general(assumptions))


def average_loss(assumptions: Assumptions, *, every_moment: bool = False) -> Expression:
    """The loss averaged over the whole test phase, at given omega_star."""
    return carried_out(partial(loss_chain, every_moment=every_moment), assumptions).result


def loss_at_zero(assumptions: Assumptions, *, every_moment: bool = False) -> Expression:
    """The average loss at omega_star = 0: what does not depend on meta-training."""
    return average_loss(assumptions, every_moment=every_moment).replace({"omega_star": 0 * model.OMEGA_STAR})


def adaptation_weight(assumptions: Assumptions, *, every_moment: bool = False) -> Expression:
    """H_r (16): E A Sigma A for the matrix A of adaptation, p x p."""
    return carried_out(partial(weight_chain, every_moment=every_moment), assumptions).result


# -- the same as proofs: move by move ------------------------------------------------------------------------

TARGET = {"w_prime": model.task_deviation("w_target")}
OVERLAP, FORM = "overlap", "mean_theta_star_form"


def _residual_chain(assumptions: Assumptions) -> Chain:
    return target_task.residual_chain(general(assumptions))


def _over_test_data(assumptions: Assumptions) -> Chain:
    chain = Chain(model.test_loss(letter("theta_star"), letter("w_prime"), general(assumptions)))
    chain.average("z_s", reads=("label-noise",))
    return chain.average_rows("X_s", fourth=model.FOURTH_MOMENT, reads=("input-covariance",))


def _given_targets(assumptions: Assumptions) -> Chain:
    """The loss of given parameters, as (115) leaves it."""
    return Chain(_over_test_data(assumptions).result)


def _over_target(chain: Chain) -> Chain:
    """The target's parameters put in and averaged over."""
    held = Held(PAPER, read=lambda parameters: expect(parameters @ parameters.T))
    chain.insert(TARGET, "task-covariance", held=held)
    return chain.average_rows("w_target", fourth=model.FOURTH_MOMENT, reads=("task-covariance",))


def _over_inputs(chain: Chain, *reads: str, every_moment: bool = False) -> Chain:
    """The average over the target inputs; of Gaussian ones every moment is known, of others F alone."""
    if every_moment:
        return chain.average("X_r", reads=("gaussian-inputs",))
    return chain.average_rows("X_r", fourth=model.FOURTH_MOMENT, reads=reads)


def _put_adapted(chain: Chain, assumptions: Assumptions, *reads: str) -> Chain:
    """(25) put in, with the labels (26)."""
    held = target_task.adapted_as_stated(general(assumptions), letter("w_prime"))
    held = replace(held, beside=reads)
    return chain.insert({"theta_star": adapted(assumptions)}, *reads, "adapted-parameters", held=held)


def split_chain(assumptions: Assumptions) -> Chain:
    """(115): the term that is linear in theta keeps its own w', which is averaged later."""
    theta, w = letter("theta_star"), letter("w_prime")
    chain = _over_test_data(assumptions)
    overlap = w.T @ model.SIGMA @ theta
    _over_target(chain.name(overlap, OVERLAP))
    return chain.expand({OVERLAP: overlap}).shows(SPLIT)


def mean_chain(assumptions: Assumptions) -> Chain:
    """(116): the adapted parameters put in and averaged over the target data."""
    chain = _put_adapted(Chain(letter("theta_star")), assumptions)
    chain.average("z_r", reads=("label-noise",))
    return _over_inputs(chain, "rows-mean").shows(MEAN_ADAPTED)


def after_mean_chain(assumptions: Assumptions) -> Chain:
    """(118): in the linear term the mean of the adapted parameters, and then the average over the target task."""
    theta = letter("theta_star")
    chain = _given_targets(assumptions).name(
        theta.T @ model.SIGMA @ theta, FORM, "general-loss-after-test-data"
    )
    _put_adapted(chain, assumptions).average("z_r", reads=("label-noise",))
    _over_inputs(chain, "rows-mean")
    return _over_target(chain).shows(LOSS)


def square_chain(assumptions: Assumptions, *, over_inputs: bool) -> Chain:
    """(119)-(120); or from there, over the target inputs, (121)-(122)."""
    if over_inputs:
        chain = Chain(square_chain(assumptions, over_inputs=False).result)
        return _over_inputs(chain, "general-adapted-square-given-inputs", "rows-second-moment").shows(SQUARE)
    theta = letter("theta_star")
    chain = Chain(theta.T @ model.SIGMA @ theta)
    _put_adapted(chain, assumptions).average("z_r", reads=("label-noise",))
    return _over_target(chain).shows(SQUARE_GIVEN_INPUTS)


def weight_chain(assumptions: Assumptions, *, every_moment: bool = False) -> Chain:
    """(16): the matrix of the adaptation put in and averaged over the target inputs."""
    x = model.inputs("X_r", "n_r", general(assumptions))
    a = model.inner_loop(model.IDENTITY, x, 0 * x, "alpha_r", "n_r", assumptions.adaptation_steps)
    short = abbreviation("A_r", "p")
    held = target_task.after_one_step(general(assumptions), model.OMEGA_STAR, 0 * vector("y_r", "n_r"))
    held = replace(held, read=lambda matrix: matrix @ model.OMEGA_STAR)
    chain = Chain(short @ model.SIGMA @ short).insert({"A_r": a}, "adapted-parameters", held=held)
    return _over_inputs(chain, "rows-mean", "rows-second-moment", every_moment=every_moment).shows("H_r")


def loss_chain(assumptions: Assumptions, *, every_moment: bool = False) -> Chain:
    """From (115) to (123): noise and task, then target inputs."""
    chain = _given_targets(assumptions)
    _put_adapted(chain, assumptions, "general-loss-after-test-data").average("z_r", reads=("label-noise",))
    chain = _over_target(chain)
    return _over_inputs(chain, "rows-mean", "rows-second-moment", every_moment=every_moment).shows(
        LOSS_GIVEN_OPTIMUM
    )


# -- what the paper prints ----------------------------------------------------------------------------------


def _claim_split() -> Parts:
    return {
        SPLIT: sigma**2 / 2
        + HALF * Trace(SIGMA * SIGMA_W)
        + HALF * Trace(SIGMA * THETA * THETA.T)
        - inner(W_PRIME, SIGMA * THETA)
    }


def _claim_after_mean() -> Parts:
    return {
        LOSS: in_order(
            sigma**2 / 2,
            HALF * Trace(SIGMA * SIGMA_W),
            -alpha_r * Trace(SIGMA**2 * SIGMA_W),
            HALF * MEAN_FORM,
        )
    }


def _claim_square_given_inputs() -> Parts:
    a = I_P - alpha_r / n_r * W_R
    return {
        SQUARE_GIVEN_INPUTS: Trace(SIGMA * a * OMEGA_STAR * OMEGA_STAR.T * a)
        + alpha_r**2 * sigma**2 / n_r**2 * Trace(X_R * SIGMA * X_R.T)
        + alpha_r**2 / n_r**2 * Trace(SIGMA * W_R * SIGMA_W * W_R)
    }


def _claim_square() -> Parts:
    return {
        SQUARE: Trace(OMEGA_STAR * OMEGA_STAR.T * H_R)
        + alpha_r**2 * sigma**2 / n_r * Trace(SIGMA**2)
        + alpha_r**2 * Trace(SIGMA_W * in_order(SIGMA**3, (F - SIGMA**3) / n_r))
    }


def _claim_loss() -> Parts:
    return {
        LOSS_GIVEN_OPTIMUM: sigma**2 / 2 * NOISE
        + HALF * Trace(in_order(SIGMA_W, OMEGA_STAR * OMEGA_STAR.T) * H_R)
    }


# -- what sampling sees -------------------------------------------------------------------------------------


def _adapt(sample: Sample, w_prime: Array, x_r: Array) -> Array:
    labels = x_r @ w_prime + sample["sigma"] * sample.gaussian("n_r", 1)
    return gradient_step(fixed_column(sample, "omega_star", "p"), x_r, labels, sample["alpha_r"])


def _test_loss(sample: Sample, theta: Array, w_prime: Array) -> Array:
    x_s = discrete_law.inputs(sample, "n_s")
    labels = x_s @ w_prime + sample["sigma"] * sample.gaussian("n_s", 1)
    return squared_norms(labels - x_s @ theta) / (2 * sample["n_s"])


def _form(sample: Sample, theta: Array) -> Array:
    return np.asarray(np.sum(theta * (discrete_law.covariance(sample) @ theta), axis=(1, 2)))


def _observe_split(sample: Sample) -> Observed:
    theta = fixed_column(sample, "theta_star", "p")
    fixed = 0.3 * fixed_column(sample, "offset", "p") - theta
    sample.define("w_prime", fixed)  # far from theta, so that the loss is not small by chance
    loss = _test_loss(sample, theta[None], fixed[None]) - _form(sample, fixed[None]) / 2
    return {SPLIT: loss + _form(sample, discrete_law.tasks(sample)) / 2}


def _observe_mean_adapted(sample: Sample) -> Observed:
    w_prime = fixed_column(sample, "w_prime", "p")
    return {MEAN_ADAPTED: _adapt(sample, w_prime[None], discrete_law.inputs(sample, "n_r"))}


def _observe_after_mean(sample: Sample) -> Observed:
    w_prime = discrete_law.tasks(sample)
    theta = _adapt(sample, w_prime, discrete_law.inputs(sample, "n_r"))
    # the formula keeps the mean of theta^T Sigma theta as a symbol: a number takes its place on both sides
    form = 2.0 + float(_form(sample, fixed_column(sample, "omega_star", "p")[None])[0])
    sample.define("mean_theta_star_form", form)
    return {LOSS: _test_loss(sample, theta, w_prime) + (form - _form(sample, theta)) / 2}


def _observe_square_given_inputs(sample: Sample) -> Observed:
    x_r = sample.matrix("X_r", "n_r", "p")[None]
    return {SQUARE_GIVEN_INPUTS: _form(sample, _adapt(sample, discrete_law.tasks(sample), x_r))}


def _observe_square(sample: Sample) -> Observed:
    theta = _adapt(sample, discrete_law.tasks(sample), discrete_law.inputs(sample, "n_r"))
    return {SQUARE: _form(sample, theta)}


def _observe_loss(sample: Sample) -> Observed:
    w_prime = discrete_law.tasks(sample)
    theta = _adapt(sample, w_prime, discrete_law.inputs(sample, "n_r"))
    return {LOSS_GIVEN_OPTIMUM: _test_loss(sample, theta, w_prime)}


# -- the steps ----------------------------------------------------------------------------------------------

_METHOD = "expansion from the definitions; independence of the rows; Gaussian label noise"


_equation = partial(Step, kind=Kind.EQUATION, page="theorem3", sizes=SIZES, method=_METHOD)
_adapted = partial(_equation, depends_on=DEPENDS)


STEPS: tuple[Step, ...] = (
    _equation(
        "general-loss-as-residual",
        ("114",),
        statement="The test loss depends on the target task only through the gap between its parameters and the "
        "adapted ones, whatever the laws.",
        uses=("test-loss", "test-labels", "linearized-loss"),
        claim=target_task.claim_residual,
        derivation=_residual_chain,
        observe=target_task_draws.observe_residual,
        resolution={LOSS_OF_TASK: 1e-9},
        method="expansion of the definition",
    ),
    _equation(
        "general-loss-after-test-data",
        ("115",),
        statement="Averaging over the test data, and over the target's parameters where the adapted ones do not occur.",
        uses=("general-loss-as-residual", "rows-mean", "task-covariance"),
        claim=_claim_split,
        derivation=split_chain,
        observe=_observe_split,
    ),
    _adapted(
        "general-mean-adapted-parameters",
        ("116",),
        statement="On average the adaptation moves the meta-parameter towards the target, by alpha_r Sigma.",
        uses=("adapted-parameters", "target-labels", "rows-mean"),
        claim=lambda: {MEAN_ADAPTED: (I_P - alpha_r * SIGMA) * OMEGA_STAR + alpha_r * SIGMA * W_PRIME},
        derivation=mean_chain,
        observe=_observe_mean_adapted,
    ),
    _adapted(
        "general-loss-after-linear-term",
        ("118",),
        statement="The linear term averages in closed form; only the mean of theta^T Sigma theta is left.",
        uses=("general-loss-after-test-data", "general-mean-adapted-parameters"),
        claim=_claim_after_mean,
        derivation=after_mean_chain,
        observe=_observe_after_mean,
    ),
    _adapted(
        "general-adapted-square-given-inputs",
        ("119", "120"),
        statement="The mean of theta^T Sigma theta over target noise and parameters, for given target inputs.",
        uses=("adapted-parameters", "target-labels", "task-covariance"),
        claim=_claim_square_given_inputs,
        derivation=partial(square_chain, over_inputs=False),
        observe=_observe_square_given_inputs,
        power_sizes=SMALL,
    ),
    _adapted(
        "general-adapted-square",
        ("121", "122"),
        statement="The mean of theta^T Sigma theta over the whole target task.",
        uses=("general-adapted-square-given-inputs", "rows-mean", "rows-second-moment"),
        claim=_claim_square,
        derivation=partial(square_chain, over_inputs=True),
        observe=_observe_square,
        power_sizes=SMALL,
        unreadable="the power of alpha_r in the last term could not be read in the available text; 2 is what "
        "the derivation gives",
    ),
    _adapted(
        "adaptation-weight",
        ("16", "124"),
        statement="H_r, the weight with which a deviation of the meta-parameter enters the loss.",
        uses=("adapted-parameters", "rows-mean", "rows-second-moment"),
        claim=lambda: {Short("H_r"): H_R},
        derivation=weight_chain,
        observe=lambda sample: discrete_law.observe_weight(sample, "H_r", "n_r", "alpha_r"),
    ),
    _adapted(
        "general-loss-from-square",
        ("123",),
        statement="Exactly, at every size and for every law: the average test loss at a given meta-parameter; over "
        "meta-training, omega_star omega_star^T is replaced by its mean.",
        uses=("general-loss-after-linear-term", "general-adapted-square", "adaptation-weight"),
        claim=_claim_loss,
        derivation=loss_chain,
        observe=_observe_loss,
        power_sizes=SMALL,
    ),
)
