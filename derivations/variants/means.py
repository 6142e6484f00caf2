"""The leading order above p = n_v m at small sizes, by source: there it is a ratio of exact means, which are sampled.

To leading order (74) has the means of Gamma and of B B^T in place of both. Such a ratio is no expansion: it is the same at
any size, so that a wrong moment of the inputs shows where it is large, and not only at sizes where every law looks alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.sampled_problem import sampled_fields, told_apart
from derivations.language.values import evaluate
from derivations.paper.theorem1.block_draws import numbers
from derivations.steps.step import Check, Step
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.simulation import Quantity
from numeric_check.estimators.task_maps import direct_task_maps
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge

Array = NDArray[np.float64]
RATES = (-0.6, 0.4)
# draws: more where fewer do not resolve one per cent
DRAWS, BATCH = (400_000, 1_000_000, 3_200_000), 20_000
ADAPTED = 0.3
# what is left of the others when one source is looked at
SOURCES: Mapping[str, Mapping[str, float]] = {
    "label noise": {"nu": 0.0, "dist0_sq": 0.0},
    "variability of tasks": {"sigma": 0.0, "dist0_sq": 0.0},
    "start": {"sigma": 0.0, "nu": 0.0},
}
SIZES: dict[str, Any] = {"n_t": 5, "n_v": 1, "n_r": 4, "m": 1, "p": 4}
LEARNED: dict[str, Any] = {"sigma": 0.8, "nu": 0.7, "dist0_sq": 0.6}
ROUNDING = 1e-12


def has_means(assumptions: Assumptions) -> bool:
    """Whether the formula is the ratio of means: leading order, identity covariance, separate data."""
    return (
        assumptions.order == "leading"
        and assumptions.covariance == "identity"
        and assumptions.split == "separate"
    )


def mean_checks(step: Step, assumptions: Assumptions, seed: int, quantity: Quantity) -> list[Check]:
    """The step's formula against the ratio of sampled means, by source, at rates of both signs."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no formula")
    (formula,) = (to_sympy(part) for part in step.derive(assumptions).values())
    return [
        _check(formula, assumptions, seed, quantity, rate, source) for rate in RATES for source in SOURCES
    ]


def _check(
    formula: sympy.Basic, assumptions: Assumptions, seed: int, quantity: Quantity, rate: float, source: str
) -> Check:
    started = time.monotonic()
    given = {**LEARNED, **SOURCES[source]}
    # several steps move the eigenvalues as far at smaller rates
    at: dict[str, Any] = {
        "alpha_t": rate / assumptions.inner_steps,
        "alpha_r": ADAPTED / assumptions.adaptation_steps,
    }
    given["sigma"] = told_apart(given["sigma"], assumptions)
    setting = Setting(**SIZES, **given, **at, **sampled_fields(assumptions))
    value = float(evaluate(formula, {**numbers(setting), "sigma_v": setting.sigma_v}))
    place = f"means/{assumptions.label()}/{rate}/{quantity}/{seed}"
    for draws in DRAWS:
        mean, stderr = _sampled(setting, quantity, place, draws)
        verdict = judge(mean, stderr, value, resolution=None if stderr > ROUNDING * mean else ROUNDING)
        if verdict.status != "inconclusive":
            break
    seconds = time.monotonic() - started
    label, places = f"{source}: ratio of sampled means", {**SIZES, "alpha_t": setting.alpha_t}
    return Check(label, places, value, mean, stderr, draws, seconds, verdict.status, verdict.reason)


def _sampled(setting: Setting, quantity: Quantity, place: str, draws: int) -> tuple[float, float]:
    """The ratio for the deviation, or the loss that follows from it with sampled means of the test phase."""
    length, noise = _rows(setting, f"{place}/training", draws)
    ratio, error = _ratio(noise, length)
    mean = ratio + setting.nu**2 / setting.p + (1 - 1 / setting.p) * setting.dist0_sq
    if quantity == "excess":
        return mean, error
    adapted = replace(
        setting,
        alpha_t=setting.alpha_r,
        n_t=setting.n_r,
        inner_steps=setting.adaptation_steps,
        noise_val=None,
        inner_step=None,
    )
    length, noise = _rows(adapted, f"{place}/adaptation", draws)
    shrunk = length / (2 * setting.p)
    each = noise / 2 + shrunk * (setting.nu**2 + mean)
    stderr = math.hypot(error * float(shrunk.mean()), float(each.std() / math.sqrt(draws)))
    return float(each.mean()), stderr


def _rows(setting: Setting, place: str, draws: int) -> tuple[Array, Array]:
    """Of one transformed row and its label noise: squared length, and variance given the inputs."""
    lengths, noises = [], []
    for batch in range(draws // BATCH):
        maps = direct_task_maps(generator_for(place, batch), setting, BATCH)
        lengths.append(np.sum(maps.b**2, axis=(1, 2, 3)))
        noises.append(setting.sigma_v**2 + setting.sigma**2 * np.sum(maps.noise**2, axis=(1, 2, 3)))
    return np.concatenate(lengths), np.concatenate(noises)


def _ratio(top: Array, bottom: Array) -> tuple[float, float]:
    """The ratio of two means, and its standard error."""
    ratio = float(top.mean() / bottom.mean())
    spread = float(np.std(top - ratio * bottom)) / float(bottom.mean())
    return ratio, spread / math.sqrt(len(top))
