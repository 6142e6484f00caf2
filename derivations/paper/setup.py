"""The set-up, (1)-(4) and (18)-(30): definitions, and the two gradient steps that follow from them.

(1)   meta-loss             the meta-training loss: the loss of the adapted parameters over tasks and validation points
(2)   test-loss-definition  the test loss: the same at the trained meta-parameter, on target data
(3)   gradient-step         the inner loop: one gradient step on a task's training loss
(28)  gaussian-inputs       inputs: independent standard Gaussian rows
(29)  label-noise           label noise: independent, Gaussian, of standard deviation sigma
(30)  task-parameters       task parameters: around w_0, of total variance nu^2
(4)   data-model            mixed linear regression: y = X w + noise
(18)  train-labels          training labels of a task, in matrix form
(19)  validation-labels     validation labels of a task, in matrix form
(20)  meta-loss-matrix      the meta-training loss in matrix form
(21)  inner-loop            the inner loop in matrix form
(22)  outer-optimum         omega_star, a minimizer of the meta-training loss
(23)  test-loss             the test loss of one target task, in matrix form
(24)  test-labels           test labels of the target task
(25)  adapted-parameters    theta_star: one gradient step on the target data
(26)  target-labels         labels of the target data used for adaptation
(27)  average-loss          the test loss averaged over all data, noise and tasks
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.model_letters import letter
from derivations.language.symbols import (
    alpha_r,
    alpha_t,
    column,
    m,
    n_r,
    n_s,
    n_t,
    n_v,
    nu,
    p,
    sigma,
    squared_norm,
)
from derivations.steps.chain import Chain
from derivations.steps.draws import Array, fixed_column, transpose
from derivations.steps.labels import META_LOSS, OVER_TASKS, TEST_LOSS, Within
from derivations.steps.step import Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import gaussian, reciprocal, scalar, vector

I_P = Identity(p)
SIZES: tuple[dict[str, float], ...] = (
    {
        "n_t": 5,
        "n_v": 3,
        "n_r": 4,
        "n_s": 6,
        "p": 4,
        "m": 2,
        "sigma": 0.7,
        "nu": 0.9,
        "alpha_t": 0.4,
        "alpha_r": 0.3,
    },
    {
        "n_t": 8,
        "n_v": 4,
        "n_r": 3,
        "n_s": 5,
        "p": 9,
        "m": 3,
        "sigma": 0.5,
        "nu": 1.3,
        "alpha_t": -0.3,
        "alpha_r": 0.2,
    },
    {
        "n_t": 4,
        "n_v": 6,
        "n_r": 7,
        "n_s": 3,
        "p": 6,
        "m": 4,
        "sigma": 1.1,
        "nu": 0.8,
        "alpha_t": 0.8,
        "alpha_r": -0.1,
    },
)
EXACT = 1e-9


def define(
    name: str,
    numbers: tuple[str, ...],
    statement: str,
    tex: str,
    uses: tuple[str, ...] = (),
    *,
    page: str = "setup",
) -> Step:
    """An equation that names something which a later step uses."""
    return Step(
        name,
        numbers,
        Kind.DEFINITION,
        statement,
        page,
        uses=uses,
        tex=tex,
        reason="a definition; used below",
    )


# -- laws ---------------------------------------------------------------------------------------------------


def _observe_inputs(sample: Sample) -> Observed:
    x = sample.gaussian(1, "p")
    return {r"\mathbb{E}\,xx^T": transpose(x) @ x}


def _observe_noise(sample: Sample) -> Observed:
    z = sample["sigma"] * sample.gaussian("n_t", 1)
    return {r"\mathbb{E}\,zz^T": z @ transpose(z)}


def _observe_tasks(sample: Sample) -> Observed:
    w = sample["nu"] / np.sqrt(sample["p"]) * sample.gaussian("p", 1)
    return {r"\mathbb{E}\,(w-w_0)(w-w_0)^T": w @ transpose(w)}


def _law(
    name: str, number: str, statement: str, tex: str, parts: Parts, observe: Callable[[Sample], Observed]
) -> Step:
    return Step(
        name,
        (number,),
        Kind.DEFINITION,
        statement,
        "setup",
        claim=lambda: parts,
        observe=observe,
        sizes=SIZES,
        tex=tex,
        reason="a definition; its second moment is checked against the sampler",
    )


# -- labels and losses in matrix form -----------------------------------------------------------------------


def _labels(
    name: str, number: str, data: str, rows: str, size: sympy.Expr, parameters: str, statement: str
) -> Step:
    left = f"y^{data}"
    x, w, z = MatrixSymbol(f"X_{data}", size, p), column(parameters, p), column(f"z_{data}", size)

    def observe(sample: Sample) -> Observed:
        inputs = sample.matrix(f"X_{data}", rows, "p")
        noise, target = fixed_column(sample, f"z_{data}", rows), fixed_column(sample, parameters, "p")
        # point by point, as (4) defines a label
        points = [float(inputs[k] @ target[:, 0]) + float(noise[k, 0]) for k in range(sample.size(rows))]
        return {left: np.array(points)[None, :, None]}

    return Step(
        name,
        (number,),
        Kind.DEFINITION,
        statement,
        "setup",
        uses=("data-model",),
        claim=lambda: {left: x * w + z},
        observe=observe,
        sizes=SIZES,
        resolution={left: EXACT},
        reason="a definition; used below",
    )


def _squared_loss(
    name: str,
    number: str,
    label: str,
    data: str,
    rows: str,
    size: sympy.Expr,
    parameters: str,
    shares: str,
    statement: str,
) -> Step:
    x, y = MatrixSymbol(f"X_{data}", size, p), column(f"y_{data}", size)
    theta = column(parameters, p)
    share = {"m": m, "": 1}[shares]

    def observe(sample: Sample) -> Observed:
        inputs, labels = sample.matrix(f"X_{data}", rows, "p"), fixed_column(sample, f"y_{data}", rows)
        fixed = fixed_column(sample, parameters, "p")[:, 0]
        losses = [(float(labels[k, 0]) - float(inputs[k] @ fixed)) ** 2 / 2 for k in range(sample.size(rows))]
        return {label: np.array([float(np.mean(losses)) / (sample[shares] if shares else 1)])}

    return Step(
        name,
        (number,),
        Kind.DEFINITION,
        statement,
        "setup",
        uses=("meta-loss", "data-model"),
        claim=lambda: {label: squared_norm(y - x * theta) / (2 * size * share)},
        observe=observe,
        sizes=SIZES,
        resolution={label: EXACT},
        reason="a definition: (1) with the squared loss",
    )


# -- one gradient step --------------------------------------------------------------------------------------


def gradient(chain: Chain, data: str, rows: str, start: str) -> Chain:
    """Set out for the gradient of |y - X theta|^2 / (2 rows) at a start, by Stein's lemma.

    For a standard Gaussian h it is E[loss(start + h) h], exactly, as the loss is quadratic.
    """
    x, residual, h = letter(f"X_{data}"), vector("residual", rows), gaussian("h", "1", "p").T
    chain.begin(residual.T @ residual * reciprocal(rows) * Fraction(1, 2) * h)
    chain.define({"residual": letter(f"y_{data}") - x @ (letter(start) + h)}, "gradient-step")
    return chain.average("h")


def _inner(
    name: str,
    number: str,
    data: str,
    rows: str,
    size: sympy.Expr,
    rate: sympy.Expr,
    start: str,
    uses: tuple[str, ...],
    statement: str,
    left: str,
    descent: str,
) -> Step:
    x, y, omega = MatrixSymbol(f"X_{data}", size, p), column(f"y_{data}", size), column(start, p)

    def observe(sample: Sample) -> Observed:
        inputs, labels = sample.matrix(f"X_{data}", rows, "p"), fixed_column(sample, f"y_{data}", rows)
        begin = fixed_column(sample, start, "p")

        def loss(theta: Array) -> float:
            return float(np.mean((labels - inputs @ theta) ** 2)) / 2

        # central differences are exact for a quadratic loss, up to rounding
        steps = np.eye(sample.size("p"))
        slope = [
            (loss(begin + steps[:, [k]]) - loss(begin - steps[:, [k]])) / 2 for k in range(sample.size("p"))
        ]
        return {left: (begin - sample[f"alpha_{data}"] * np.array(slope)[:, None])[None]}

    def chain(assumptions: Assumptions) -> Chain:
        # the loop that everything rests on, with the one step of the paper whatever number is assumed
        loop = {"t": model.training_loop, "r": model.adaptation_loop}[data]
        begin, theta = letter(start), vector("theta", "p")
        moved = loop(begin, letter(f"X_{data}"), letter(f"y_{data}"), PAPER)
        found = Chain(theta).insert({"theta": moved}, "gradient-step").shows(left)
        slope = gradient(found, data, rows, start).result
        found.begin(theta - begin + scalar(f"alpha_{data}") * vector("G", "p"))
        return found.insert({"theta": moved, "G": slope}).shows(descent)

    return Step(
        name,
        (number,),
        Kind.EQUATION,
        statement,
        "setup",
        uses=uses,
        claim=lambda: {
            left: (I_P - rate / size * x.T * x) * omega + rate / size * x.T * y,
            descent: ZeroMatrix(p, 1),
        },
        derivation=chain,
        observe=observe,
        sizes=SIZES,
        resolution={left: EXACT},
        not_sampled={
            descent: "sampled with the step itself, which is observed as a difference quotient of the loss"
        },
        method="the model's loop; its step against the gradient of the loss by Stein's lemma",
    )


STEPS: tuple[Step, ...] = (
    define(
        "meta-loss",
        ("1",),
        "The meta-training loss averages the loss of the adapted parameters over tasks and "
        "validation points.",
        r"L^{meta}(\omega)=\frac{1}{m\,n_v}\sum_{i=1}^{m}\sum_{j=1}^{n_v}L\big(\theta^{(i)}(\omega);x^{v(i)}_j,y^{v(i)}_j\big)",
    ),
    define(
        "test-loss-definition",
        ("2",),
        "The test loss is the same loss at the trained meta-parameter, on target data.",
        r"L^{test}=L^{meta}\big(\omega^\star(D_t,D_v);D_r,D_s\big)",
        ("meta-loss",),
    ),
    define(
        "gradient-step",
        ("3",),
        "The inner loop takes one gradient step on the training loss of the task.",
        r"\theta(\omega;D_t^{(i)})=\omega-\alpha_t\nabla_\omega\frac1{n_t}\sum_{j=1}^{n_t}L(\omega;x_j^{t(i)},y_j^{t(i)})",
    ),
    _law(
        "gaussian-inputs",
        "28",
        "Inputs are independent standard Gaussian rows.",
        r"x\sim\mathcal N(0,I_p)",
        {r"\mathbb{E}\,xx^T": I_P},
        _observe_inputs,
    ),
    _law(
        "label-noise",
        "29",
        "Label noise is independent Gaussian with standard deviation sigma.",
        r"z\sim\mathcal N(0,\sigma^2I_n)",
        {r"\mathbb{E}\,zz^T": sigma**2 * Identity(n_t)},
        _observe_noise,
    ),
    _law(
        "task-parameters",
        "30",
        "Task parameters scatter around their mean with total variance nu^2.",
        r"w\sim\mathcal N\big(w_0,\tfrac{\nu^2}pI_p\big)",
        {r"\mathbb{E}\,(w-w_0)(w-w_0)^T": nu**2 / p * I_P},
        _observe_tasks,
    ),
    define(
        "data-model",
        ("4",),
        "Mixed linear regression: linear labels with Gaussian inputs, noise and task parameters.",
        r"w\sim\mathcal N\big(w_0,\tfrac{\nu^2}pI_p\big),\quad x\sim\mathcal N(0,I_p),\quad y\,|\,x,w\sim\mathcal N(x^Tw,\sigma^2)",
        ("gaussian-inputs", "label-noise", "task-parameters"),
    ),
    _labels("train-labels", "18", "t", "n_t", n_t, "w", "Training labels of a task in matrix form."),
    _labels("validation-labels", "19", "v", "n_v", n_v, "w", "Validation labels of a task in matrix form."),
    _squared_loss(
        "meta-loss-matrix",
        "20",
        Within(
            r"\tfrac1{2n_vm}|y^{v(i)}-X^{v(i)}\theta^{(i)}(\omega)|^2",
            META_LOSS,
            OVER_TASKS,
        ),
        "v",
        "n_v",
        n_v,
        "theta",
        "m",
        "The meta-training loss with the squared loss, in matrix form: a sum over tasks, of which the share of one task is checked.",
    ),
    _inner(
        "inner-loop",
        "21",
        "t",
        "n_t",
        n_t,
        alpha_t,
        "omega",
        ("gradient-step", "train-labels"),
        "One gradient step on the squared training loss, in matrix form.",
        r"\theta^{(i)}(\omega)",
        r"\theta^{(i)}(\omega)-\omega+\alpha_t\nabla_\omega L",
    ),
    define(
        "outer-optimum",
        ("22",),
        "Training is carried to a minimizer of the meta-training loss.",
        r"\omega^\star=\arg\min_\omega L^{meta}",
        ("meta-loss-matrix",),
    ),
    _squared_loss(
        "test-loss",
        "23",
        TEST_LOSS,
        "s",
        "n_s",
        n_s,
        "theta_star",
        "",
        "The test loss of one target task, in matrix form.",
    ),
    _labels("test-labels", "24", "s", "n_s", n_s, "w_prime", "Test labels of the target task."),
    _inner(
        "adapted-parameters",
        "25",
        "r",
        "n_r",
        n_r,
        alpha_r,
        "omega_star",
        ("gradient-step", "outer-optimum"),
        "Adaptation takes one gradient step on the target data.",
        r"\theta^\star",
        r"\theta^\star-\omega^\star+\alpha_r\nabla_{\omega^\star}L",
    ),
    _labels(
        "target-labels", "26", "r", "n_r", n_r, "w_prime", "Labels of the target data used for adaptation."
    ),
    define(
        "average-loss",
        ("27",),
        "The quantity of interest: the test loss averaged over all data, noise and tasks.",
        r"\bar L^{test}=\mathbb{E}_{w,z^t,X^t,z^v,X^v,w',z^s,X^s,z^r,X^r}\,\frac{1}{2n_s}|y^s-X^s\theta^\star|^2",
        (
            "test-loss-definition",
            "test-loss",
            "test-labels",
            "adapted-parameters",
            "target-labels",
            "outer-optimum",
        ),
    ),
)
