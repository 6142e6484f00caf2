"""The test phase, (58)-(65): the average loss of the target task at a given meta-parameter, exactly.

    (58)      loss-as-residual             the test loss through the gap between the target's parameters and the adapted ones
    (59)      loss-after-test-data         after averaging over the test data: noise, and half the squared gap
    (60)      mean-adapted-parameters      E theta_star moves a fraction alpha_r of the way to the target
    (61)      loss-after-linear-term       after the linear term only E|theta_star|^2 is left
    (62)(63)  adapted-square-given-inputs  E|theta_star|^2 for given target inputs
    (64)      adapted-square               E|theta_star|^2 over the whole target task
    (65)      loss-from-excess             the average loss: affine in E|omega_star - w_0|^2, exactly

Everything is expanded from the definitions (23)-(26) and averaged by the engine; nothing is assumed about how the
meta-parameter was found, except that it does not depend on the target task.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from sympy import MatrixSymbol, Rational, Symbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.language.printed_order import in_order
from derivations.language.symbols import alpha_r, column, excess, inner, n_r, n_s, nu, p, sigma, squared_norm
from derivations.paper.outer_problem import with_one_noise
from derivations.paper.target_task_draws import (
    LOSS_OF_TASK,
    MEAN_ADAPTED,
    SPLIT,
    SQUARE,
    SQUARE_GIVEN_INPUTS,
    observe_after_mean,
    observe_loss,
    observe_mean_adapted,
    observe_residual,
    observe_split,
    observe_square,
    observe_square_given_inputs,
)
from derivations.steps.chain import Chain
from derivations.steps.held import Held
from derivations.steps.labels import LOSS
from derivations.steps.step import Kind, Parts, Step
from symbolic.algebra.words import Expression, constant, reciprocal, tr, unit, vector
from symbolic.averages.expectation import expect

THETA, OMEGA_STAR, W_0 = column("theta_star", p), column("omega_star", p), column("w_0", p)
DELTA_W, W_PRIME, Z_S = column("delta_w", p), column("w_prime", p), column("z_s", n_s)
X_S, X_R = MatrixSymbol("X_s", n_s, p), MatrixSymbol("X_r", n_r, p)
W_R = X_R.T * X_R
HALF = Rational(1, 2)
MEAN_SQUARE = Symbol("mean_theta_star_sq")  # E |theta_star|^2
MEAN_OVERLAP = Symbol("mean_w_0_omega_star")  # w_0^T E omega_star
SIZES: tuple[dict[str, float], ...] = (
    {"n_r": 6, "n_s": 60, "p": 3, "sigma": 2.1, "nu": 0.9, "alpha_r": 0.3},
    {"n_r": 9, "n_s": 50, "p": 6, "sigma": 2.4, "nu": 1.1, "alpha_r": -0.2},
    {"n_r": 14, "n_s": 70, "p": 4, "sigma": 1.9, "nu": 0.6, "alpha_r": 0.15},
)
DEPENDS = ("adaptation_steps", "inputs", "covariance")


# -- the model's words, and what the engine makes of them ---------------------------------------------------


def target_parameters() -> Expression:
    """w' = w_0 + delta w'."""
    return model.W_0 + letter("delta_w")


def average_loss(assumptions: Assumptions) -> Expression:
    """The loss averaged over the whole test phase, in the deviation e = omega_star - w_0 (a letter)."""
    deviation = vector("e", "p")
    theta = model.adapted(model.W_0 + deviation, target_parameters(), assumptions)
    loss = model.test_loss(theta, target_parameters(), assumptions)
    averaged = expect(loss, {"X_s", "z_s"})
    averaged = expect(averaged, {"z_r", "delta_w"})
    averaged = model.specialise(expect(averaged, {"X_r"}), assumptions)
    if "w_0" in averaged.letters():
        raise ArithmeticError("the task mean did not cancel from the average loss")
    return averaged


def loss_coefficients(assumptions: Assumptions) -> tuple[Expression, Expression]:
    """The constants c_0, c_2 of the average loss c_0 + c_2 |omega_star - w_0|^2 (identity covariance)."""
    if assumptions.covariance != "identity":
        raise NotDerivable(
            "with a general covariance the loss depends on the deviation through a matrix: use eq14 (or eq9)"
        )
    loss = average_loss(assumptions)
    c_0 = loss.replace({"e": 0 * vector("e", "p")})
    c_2 = loss.replace({"e": unit("p", 1)}) - c_0
    e = vector("e", "p")
    if loss != c_0 + c_2 * (e.T @ e):
        raise ArithmeticError("the average loss is not a function of the squared deviation alone")
    return c_0, c_2


# -- the same as proofs: move by move ------------------------------------------------------------------------


def residual_chain(assumptions: Assumptions) -> Chain:
    """(58) and (114): the labels of the target task put into the test loss."""
    x_s, labels = model.inputs("X_s", "n_s", assumptions), vector("y_s", "n_s")
    residual = labels - x_s @ letter("theta_star")
    chain = Chain(constant(Fraction(1, 2)) * reciprocal("n_s") * tr(residual.T @ residual))
    noisy = x_s @ letter("w_prime") + model.noise("z_s", "n_s")
    held = Held(assumptions, read=with_one_noise)
    return chain.insert({"y_s": noisy}, "test-labels", held=held).shows(LOSS_OF_TASK)


def _over_test_data(assumptions: Assumptions) -> Chain:
    """The residual (58) averaged over the test data."""
    x_s, noise = model.inputs("X_s", "n_s", assumptions), model.noise("z_s", "n_s")
    residual = x_s @ (letter("w_prime") - letter("theta_star")) + noise
    chain = Chain(constant(Fraction(1, 2)) * reciprocal("n_s") * tr(residual.T @ residual))
    return chain.average("z_s", "X_s", reads=("loss-as-residual", "label-noise", "wishart-mean"))


def _split_chain(assumptions: Assumptions) -> Chain:
    """(59): averaged over the test data, and over the task but for the overlap, as the adapted parameters depend on it."""
    metric = model.IDENTITY if assumptions.covariance == "identity" else model.SIGMA
    overlap = letter("w_prime").T @ metric @ letter("theta_star")
    chain = _over_test_data(assumptions).name(overlap, "overlap")
    _put_parameters(chain, assumptions)
    chain.average("delta_w", reads=("task-parameters",))
    _isotropic_tasks(chain, assumptions).expand({"overlap": overlap})
    return _put_parameters(chain, assumptions).shows(SPLIT)


def _put_parameters(chain: Chain, assumptions: Assumptions) -> Chain:
    """The parameters of the target task put in: w_0, and what deviates from it with the stated covariance."""

    def covariance(parameters: Expression) -> Expression:
        deviation = parameters - model.W_0
        return model.specialise(expect(deviation @ deviation.T), assumptions)

    stated = ("task-parameters",) if assumptions.covariance == "identity" else ("task-covariance",)
    held = Held(assumptions, read=covariance)
    return chain.insert({"w_prime": target_parameters()}, *stated, held=held)


def _after_mean_chain(assumptions: Assumptions) -> Chain:
    """(61): the mean square of the adapted parameters by a name, the linear term averaged over target data and task."""
    _require_identity(assumptions)
    theta = letter("theta_star")
    chain = _over_test_data(assumptions).name(theta.T @ theta, "mean_theta_star_sq")
    adapted = model.adapted(model.OMEGA_STAR, target_parameters(), assumptions)
    held = adapted_as_stated(assumptions, target_parameters())
    chain.insert({"theta_star": adapted}, "adapted-parameters", held=held)
    _put_parameters(chain, assumptions)
    chain.average("z_r", "X_r", "delta_w", reads=("mean-adapted-parameters", "task-parameters"))
    _isotropic_tasks(chain, assumptions)
    return chain.name(model.W_0.T @ model.OMEGA_STAR, "mean_w_0_omega_star").shows(LOSS)


def _require_identity(assumptions: Assumptions) -> None:
    if assumptions.covariance != "identity":
        raise NotDerivable("with a general covariance the loss is no function of a squared norm, see (118)")


def _isotropic_tasks(chain: Chain, assumptions: Assumptions) -> Chain:
    if assumptions.covariance != "identity":
        return chain
    return chain.expand(
        {"Sigma_w": model.isotropic(model.SIGMA_W)}, "task-parameters", held=Held(assumptions)
    )


def adapted_as_stated(
    assumptions: Assumptions, of_task: Expression, start: Expression = model.OMEGA_STAR
) -> Held:
    """The adaptation to the labels (26) of a task, from a start, as (25) states its last step."""
    labels = model.inputs("X_r", "n_r", assumptions) @ of_task + model.noise("z_r", "n_r")
    return after_one_step(assumptions, start, labels)


def after_one_step(assumptions: Assumptions, start: Expression, labels: Expression) -> Held:
    """The adaptation to labels, from a start, as (25) states its last step."""
    x_r = model.inputs("X_r", "n_r", assumptions)
    before = model.inner_loop(start, x_r, labels, "alpha_r", "n_r", assumptions.adaptation_steps - 1)
    return Held(assumptions, where={"X_r": x_r, "y_r": labels, "omega_star": before})


def _mean_chain(assumptions: Assumptions) -> Chain:
    """(60): the adapted parameters put in and averaged over target data."""
    theta = model.adapted(model.OMEGA_STAR, target_parameters(), assumptions)
    chain = Chain(letter("theta_star")).insert(
        {"theta_star": theta}, "adapted-parameters", held=adapted_as_stated(assumptions, target_parameters())
    )
    chain.average("z_r", "X_r", reads=("wishart-mean", "label-noise"))
    return chain.shows(MEAN_ADAPTED)


def _square_chain(assumptions: Assumptions, *, over_inputs: bool) -> Chain:
    """(63), and with the average over the target inputs (64)."""
    theta = letter("theta_star")
    adapted = model.adapted(model.OMEGA_STAR, target_parameters(), assumptions)
    identity = assumptions.covariance == "identity"
    chain = Chain(theta.T @ theta if identity else theta.T @ model.SIGMA @ theta)
    held = adapted_as_stated(assumptions, target_parameters())
    chain.insert({"theta_star": adapted}, "adapted-parameters", held=held)
    chain.average("z_r", "delta_w", reads=("label-noise", "task-parameters"))
    _isotropic_tasks(chain, assumptions)
    if over_inputs:
        chain.average("X_r", reads=("wishart-mean", "wishart-second-moment"))
    return chain.shows(SQUARE if over_inputs else SQUARE_GIVEN_INPUTS)


def loss_chain(assumptions: Assumptions) -> Chain:
    """(58) to (65): test data, noise and task, target inputs, in turn; e is the deviation omega* - w_0."""
    _require_identity(assumptions)
    e = vector("e", "p")
    chain = Chain(model.test_loss(letter("theta_star"), letter("w_prime"), assumptions))
    chain.average("z_s", "X_s", reads=("label-noise", "wishart-mean"))
    adapted = model.adapted(model.W_0 + e, target_parameters(), assumptions)
    held = adapted_as_stated(assumptions, target_parameters(), model.W_0 + e)
    chain.insert({"theta_star": adapted}, "adapted-parameters", held=held)
    _put_parameters(chain, assumptions)
    chain.average("z_r", "delta_w", reads=("label-noise", "task-parameters"))
    _isotropic_tasks(chain, assumptions)
    chain.average("X_r", reads=("wishart-mean", "wishart-second-moment"))
    return chain.name(e.T @ e, "excess").shows(LOSS)


# -- what the paper prints ----------------------------------------------------------------------------------


def claim_residual() -> Parts:
    """The printed residual."""
    return {LOSS_OF_TASK: squared_norm(X_S * (W_PRIME - THETA) + Z_S) / (2 * n_s)}


def _claim_split() -> Parts:
    return {
        SPLIT: in_order(
            sigma**2 / 2,
            nu**2 / 2,
            squared_norm(W_0) / 2,
            squared_norm(THETA) / 2,
            -inner(in_order(W_0, DELTA_W), THETA),
        )
    }


def _claim_mean_adapted() -> Parts:
    return {MEAN_ADAPTED: in_order((1 - alpha_r) * OMEGA_STAR, alpha_r * in_order(W_0, DELTA_W))}


def _claim_after_mean() -> Parts:
    return {
        LOSS: in_order(
            sigma**2 / 2,
            (HALF - alpha_r) * (nu**2 + squared_norm(W_0)),
            -((1 - alpha_r) * MEAN_OVERLAP),
            MEAN_SQUARE / 2,
        )
    }


def _claim_square_given_inputs() -> Parts:
    gap = OMEGA_STAR - W_0
    return {
        SQUARE_GIVEN_INPUTS: in_order(
            squared_norm(OMEGA_STAR),
            alpha_r**2 / n_r**2 * Trace(W_R**2 * gap * gap.T),
            -2 * alpha_r / n_r * Trace(W_R * gap * OMEGA_STAR.T),
            alpha_r**2 * sigma**2 / n_r**2 * Trace(X_R * X_R.T),
            alpha_r**2 * nu**2 / (n_r**2 * p) * Trace(W_R**2),
        )
    }


def _claim_square() -> Parts:
    gap = OMEGA_STAR - W_0
    return {
        SQUARE: in_order(
            squared_norm(OMEGA_STAR),
            alpha_r**2 * (1 + (p + 1) / n_r) * (nu**2 + squared_norm(gap)),
            -2 * alpha_r * inner(OMEGA_STAR, gap),
            alpha_r**2 * sigma**2 * p / n_r,
        )
    }


def _claim_loss() -> Parts:
    return {
        LOSS: sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
        + HALF * ((1 - alpha_r) ** 2 + alpha_r**2 * (p + 1) / n_r) * (nu**2 + excess)
    }


# -- the steps ----------------------------------------------------------------------------------------------

_ENGINE = "expansion from the definitions; Gaussian integration by parts"


STEPS: tuple[Step, ...] = (
    Step(
        "loss-as-residual",
        ("58",),
        Kind.EQUATION,
        "The test loss depends on the target task only through the gap between its parameters and the adapted ones.",
        "averages",
        uses=("test-loss", "test-labels"),
        claim=claim_residual,
        derivation=residual_chain,
        observe=observe_residual,
        sizes=SIZES,
        resolution={LOSS_OF_TASK: 1e-9},
        method="expansion of the definition",
    ),
    Step(
        "loss-after-test-data",
        ("59",),
        Kind.EQUATION,
        "Averaging over the test data leaves the label noise and half the squared gap.",
        "averages",
        uses=("loss-as-residual", "wishart-mean"),
        depends_on=("inputs", "covariance"),
        claim=_claim_split,
        derivation=_split_chain,
        observe=observe_split,
        sizes=SIZES,
        method=_ENGINE,
    ),
    Step(
        "mean-adapted-parameters",
        ("60",),
        Kind.EQUATION,
        "On average the adaptation moves the meta-parameter a fraction alpha_r of the way to the target.",
        "averages",
        uses=("adapted-parameters", "target-labels", "wishart-mean"),
        depends_on=DEPENDS,
        claim=_claim_mean_adapted,
        derivation=_mean_chain,
        observe=observe_mean_adapted,
        sizes=SIZES,
        method=_ENGINE,
    ),
    Step(
        "loss-after-linear-term",
        ("61",),
        Kind.EQUATION,
        "The linear term averages in closed form; only the mean square of the adapted parameters is left.",
        "averages",
        uses=("loss-after-test-data", "mean-adapted-parameters"),
        depends_on=DEPENDS,
        claim=_claim_after_mean,
        derivation=_after_mean_chain,
        observe=observe_after_mean,
        sizes=SIZES,
        method=_ENGINE,
    ),
    Step(
        "adapted-square-given-inputs",
        ("62", "63"),
        Kind.EQUATION,
        "The mean square of the adapted parameters over target noise and task, for given target inputs.",
        "averages",
        uses=("adapted-parameters", "target-labels"),
        depends_on=DEPENDS,
        claim=_claim_square_given_inputs,
        derivation=partial(_square_chain, over_inputs=False),
        observe=observe_square_given_inputs,
        sizes=SIZES,
        method=_ENGINE,
    ),
    Step(
        "adapted-square",
        ("64",),
        Kind.EQUATION,
        "The mean square of the adapted parameters over the whole target task.",
        "averages",
        uses=("adapted-square-given-inputs", "wishart-mean", "wishart-second-moment"),
        depends_on=DEPENDS,
        claim=_claim_square,
        derivation=partial(_square_chain, over_inputs=True),
        observe=observe_square,
        sizes=SIZES,
        method=_ENGINE,
    ),
    Step(
        "loss-from-excess",
        ("65",),
        Kind.EQUATION,
        "Exactly, at every size: the average test loss is an affine function of the mean squared deviation of the "
        "learned meta-parameter from the task mean.",
        "averages",
        uses=("loss-after-linear-term", "adapted-square"),
        depends_on=DEPENDS,
        claim=_claim_loss,
        derivation=loss_chain,
        observe=observe_loss,
        sizes=SIZES,
        method=_ENGINE,
    ),
)
