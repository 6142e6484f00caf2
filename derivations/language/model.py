"""The model of the paper, (1)-(4) and (18)-(30), written once as matrix words.

Everything else is computed from these definitions. Letters: `X_t X_v X_r X_s` inputs, `z_*` label noise in
units of its standard deviation, `w`, `w_prime` task parameters, `w_0` their mean, `omega` the meta-parameter,
`Sigma`, `Sigma_w` covariances. A task index is appended where two tasks meet (`X_t1`, `X_t2`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.extension import extension
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    independent_entries,
    matrix,
    reciprocal,
    scalar,
    tr,
    vector,
)

InnerStep: TypeAlias = Callable[[int, Expression, Expression, Expression], Expression]
SIGMA = matrix("Sigma", "p", "p", symmetric=True)
SIGMA_W = matrix("Sigma_w", "p", "p", symmetric=True)
# E (x^T Sigma x) x x^T of an input x (111)
FOURTH_MOMENT = matrix("F", "p", "p", symmetric=True)
OMEGA = vector("omega", "p")
OMEGA_STAR = vector("omega_star", "p")
W_0 = vector("w_0", "p")
IDENTITY = identity("p")


def inputs(name: str, rows: str, assumptions: Assumptions) -> Expression:
    """A matrix of iid input rows (28), or with covariance Sigma (109): Sigma^(1/2) u, u with iid entries."""
    covariance = None if assumptions.covariance == "identity" else "Sigma"
    return independent_entries(name, rows, "p", assumptions.inputs, covariance)


def noise(name: str, rows: str, level: str = "sigma") -> Expression:
    """Label noise (29): rows x 1, iid N(0, level^2)."""
    return scalar(level) * gaussian(name, rows, "1")


def task_deviation(name: str) -> Expression:
    """Task parameters minus their mean (30): p x 1 with covariance Sigma_w."""
    return gaussian(name, "1", "p", covariance="Sigma_w").T


def isotropic(expr: Expression) -> Expression:
    """The expression under (4): Sigma = I, Sigma_w = nu^2/p I (where they occur; unaveraged letters stay)."""
    nu = scalar("nu")
    values = {"Sigma": IDENTITY, "Sigma_w": nu * nu * reciprocal("p") * IDENTITY}
    present = expr.letters()
    return expr.replace({name: value for name, value in values.items() if name in present})


def specialise(expr: Expression, assumptions: Assumptions) -> Expression:
    """The expression with the covariances that the assumptions fix put in."""
    return isotropic(expr) if assumptions.covariance == "identity" else expr


def gradient_step(k: int, theta: Expression, gradient: Expression, rate: Expression) -> Expression:
    """Step k = 0, 1, ... of gradient descent."""
    return theta - rate * gradient


def inner_loop(
    start: Expression,
    data: Expression,
    labels: Expression,
    rate: str,
    rows: str,
    steps: int,
    step: InnerStep = gradient_step,
) -> Expression:
    """Gradient steps (3) on the loss |labels - data theta|^2 / (2 rows), from `start`; `step` makes one of them.

    Shapes: start p x k, data rows x p, labels rows x k, for any k: the map is affine column by column, so
    `start = identity` and zero labels give the matrix that multiplies the meta-parameter.
    """
    theta = start
    for k in range(steps):
        gradient = reciprocal(rows) * (data.T @ (data @ theta - labels))
        theta = step(k, theta, gradient, scalar(rate))
    return theta


def training_loop(
    start: Expression, data: Expression, labels: Expression, assumptions: Assumptions
) -> Expression:
    """The inner loop at meta-training (21), with the steps that the assumptions make."""
    step: InnerStep = gradient_step
    for name, value in assumptions.added:
        step = partial(extension(name).words, value)
    return inner_loop(start, data, labels, "alpha_t", "n_t", assumptions.inner_steps, step)


@dataclass(frozen=True)
class Task:
    """One meta-training task: its data, and the matrices by which meta-parameter, task and noise enter."""

    x_t: Expression
    x_v: Expression
    deviation: Expression
    z_t: Expression
    z_v: Expression
    contraction: Expression  # A: the inner loop's matrix on the meta-parameter, p x p
    noise_path: Expression  # the inner loop's matrix on the training labels, p x n_t

    @property
    def noise(self) -> frozenset[str]:
        """The names of the label noise, in training and validation data."""
        return frozenset({*self.z_t.letters(), *self.z_v.letters()})

    @property
    def parameters(self) -> frozenset[str]:
        """The name of the task's parameters."""
        return frozenset(self.deviation.letters())

    @property
    def design(self) -> Expression:
        """The task's block B of (68): validation inputs times A."""
        return self.x_v @ self.contraction

    @property
    def target_deviation(self) -> Expression:
        """The task's block of gamma (67) minus its mean B w_0: validation residual at the meta-parameter zero."""
        labels_t = self.x_t @ self.deviation + self.z_t
        labels_v = self.x_v @ self.deviation + self.z_v
        return labels_v - self.x_v @ self.noise_path @ labels_t


def task(assumptions: Assumptions, index: str = "") -> Task:
    """A meta-training task under the assumptions; `index` tells tasks apart."""
    x_t = inputs(f"X_t{index}", "n_t", assumptions)
    z_t = noise(f"z_t{index}", "n_t")
    if assumptions.split == "reused":
        if assumptions.noise_val is not None:
            raise NotDerivable("with reused data the validation noise is the training noise: drop noise_val")
        x_v, z_v = x_t, z_t
    else:
        x_v = inputs(f"X_v{index}", "n_v", assumptions)
        z_v = noise(f"z_v{index}", "n_v", "sigma" if assumptions.noise_val is None else "sigma_v")
    contraction = training_loop(IDENTITY, x_t, 0 * x_t, assumptions)
    noise_path = training_loop(0 * x_t.T, x_t, identity("n_t"), assumptions)
    if not (contraction + noise_path @ x_t - IDENTITY).is_zero:
        raise NotDerivable(
            "the inner loop must leave a task's own parameters where they are, without label noise"
        )
    return Task(
        x_t=x_t,
        x_v=x_v,
        deviation=task_deviation(f"w{index}"),
        z_t=z_t,
        z_v=z_v,
        contraction=contraction,
        noise_path=noise_path,
    )


def adaptation_loop(
    start: Expression, data: Expression, labels: Expression, assumptions: Assumptions
) -> Expression:
    """The steps at test (25), with the number of them that the assumptions make."""
    return inner_loop(start, data, labels, "alpha_r", "n_r", assumptions.adaptation_steps)


def adapted(meta: Expression, target: Expression, assumptions: Assumptions) -> Expression:
    """theta* of (25): the meta-parameter adapted on target data (26) with task parameters `target`."""
    x_r = inputs("X_r", "n_r", assumptions)
    labels = x_r @ target + noise("z_r", "n_r")
    return adaptation_loop(meta, x_r, labels, assumptions)


def test_loss(theta: Expression, target: Expression, assumptions: Assumptions) -> Expression:
    """(23)-(24): squared error on n_s test points of the target task, halved and averaged."""
    x_s = inputs("X_s", "n_s", assumptions)
    residual = x_s @ target + noise("z_s", "n_s") - x_s @ theta
    return tr(residual.T @ residual) * reciprocal("n_s") * constant(Fraction(1, 2))
