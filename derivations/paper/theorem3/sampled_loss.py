"""Numeric confirmation of Theorem 3: simulation minus formula over ladders, Gaussian and Laplace inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.values import Point, Value, evaluate
from derivations.paper.theorem3.target_task import loss_at_zero
from derivations.steps import discrete_law
from derivations.steps.draws import Array, fixed_column, squared_norms
from derivations.steps.labels import NUMERATOR
from derivations.steps.step import Check, Observed, Step
from derivations.steps.task_draws import gradient_step
from derivations.verification.growth import residual_check
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.target_loss import fourth_moment
from numeric_check.problem.setting import Setting

THIRD = r"\Delta^3_{\alpha_r}\bar L"
NUMBERS = ("n_t", "n_v", "n_r", "m", "p", "sigma", "alpha_t", "alpha_r")
WISHART = "gaussian, Wishart covariances"
LADDERS = {"gaussian": (16, 32, 64, 112), "laplace": (12, 24, 48, 80), WISHART: (20, 40, 80, 128)}


def _covariances(p: int, ladder: str) -> tuple[Array, Array]:
    """Unrelated diagonal spectra, or one draw each as in (17)."""
    if ladder == WISHART:
        draws = (generator_for(f"{WISHART}/{p}", k).standard_normal((p, p)) for k in range(2))
        first, second = (x.T @ x / p for x in draws)
        return first, second / p
    steps = (np.arange(p) + 0.5) / p
    return np.diag(0.5 + steps), np.diag((0.3 + np.cos(7 * steps) ** 2) / p)


@lru_cache(maxsize=32)
def setting_at(size: int, ladder: str) -> Setting:
    """A point of a ladder: p, n_t and n_r in proportion to the size, no two of the sizes equal."""
    sigma_x, sigma_w = _covariances(2 * size, ladder)
    return Setting(
        n_t=size,
        n_v=1,
        n_r=3 * size // 4,
        m=2,
        p=2 * size,
        sigma=1.0,
        nu=1.0,
        alpha_t=0.3,
        alpha_r=0.2,
        inputs=ladder.partition(",")[0],
        Sigma=sigma_x,
        Sigma_w=sigma_w,
    )


@lru_cache(maxsize=32)
def values_at(setting: Setting) -> Point:
    """The parameters of a setting by name, matrices included."""
    numbers: dict[str, Value] = {name: float(getattr(setting, name)) for name in NUMBERS}
    if setting.Sigma is None or setting.Sigma_w is None:
        raise ValueError("Theorem 3 needs both covariances: give Sigma and Sigma_w")
    matrices = {"Sigma": setting.Sigma, "Sigma_w": setting.Sigma_w, "F": fourth_moment(setting)}
    return Point({**numbers, **matrices})


def _rel_error(setting: Setting) -> float:
    # a twentieth of the residual, which is about 2 / n_t^2 of the loss
    return 0.1 / setting.n_t**2


def _ladder_checks(theory: Callable[[Setting], float], ladders: Iterable[str], seed: int) -> list[Check]:
    return [
        residual_check(
            f"decay of simulation minus formula: {ladder}",
            [(float(size), setting_at(size, ladder)) for size in LADDERS[ladder]],
            theory,
            -2.0,
            quantity="loss",
            rel_error=_rel_error,
            sharp=True,
            base_seed=seed,
        )
        for ladder in ladders
    ]


def _part(step: Step, assumptions: Assumptions) -> sympy.Basic:
    if step.derive is None:
        raise ValueError(f"{step.name} derives no formula")
    (part,) = step.derive(assumptions).values()
    return to_sympy(part)


def loss(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The simulated loss minus the formula that the step derives falls as xi^-2."""
    formula = _part(step, assumptions)
    return _ladder_checks(
        lambda setting: float(evaluate(formula, values_at(setting))), ("laplace", WISHART), seed
    )


def form(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The same for E Tr(H_r omega_star omega_star^T), of which the loss is an affine function (123)."""
    formula = _part(step, assumptions)
    constant = to_sympy(loss_at_zero(assumptions))

    def theory(setting: Setting) -> float:
        values = values_at(setting)
        return float(evaluate(constant, values)) + float(evaluate(formula, values)) / 2

    return _ladder_checks(theory, ("gaussian",), seed)


def observe_degree(sample: Sample) -> Observed:
    """Differences of the loss over equally spaced adaptation rates, on the same draws: the third, and which is last.

    The degree of a polynomial is the order of its last difference that does not vanish.
    """
    w_prime, x_r = discrete_law.tasks(sample), discrete_law.inputs(sample, "n_r")
    labels = x_r @ w_prime + sample["sigma"] * sample.gaussian("n_r", 1)
    x_s = discrete_law.inputs(sample, "n_s")
    y_s = x_s @ w_prime + sample["sigma"] * sample.gaussian("n_s", 1)
    start = fixed_column(sample, "omega_star", "p")
    values: Array = np.stack(
        [
            squared_norms(y_s - x_s @ gradient_step(start, x_r, labels, 0.1 * k)) / (2 * sample["n_s"])
            for k in range(4)
        ]
    )
    rounding = 1e-10 * np.abs(values).max(axis=0)
    differences = [np.diff(values, n=k, axis=0)[0] for k in (1, 2, 3)]
    last = [k * (np.abs(found) > rounding) for k, found in zip((1, 2, 3), differences, strict=True)]
    return {NUMERATOR: np.max(last, axis=0).astype(np.float64), THIRD: differences[-1]}
