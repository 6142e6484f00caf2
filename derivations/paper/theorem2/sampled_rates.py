"""Numeric confirmation of the claims of section 5.2: losses compared, limits and slopes approached."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.paper.theorem1.sampled_rates import (
    SIGN_NU,
    SIGN_SIGMA,
    SIGN_TARGET,
    Comparison,
    compare,
    derived_part,
    stated_sign,
)
from derivations.paper.theorem2.sampled_loss import numbers, setting_at, value_at
from derivations.steps.labels import Sign
from derivations.steps.step import Check, Step
from derivations.support.estimates import simulated
from derivations.verification.growth import residual_check, sign_check, slope_check
from numeric_check.problem.setting import Setting

__all__ = [
    "BASE",
    "LIMIT",
    "SIGN_NU",
    "SIGN_ROWS",
    "SIGN_SIGMA",
    "SIGN_SLOPE",
    "SIGN_TARGET",
    "SIGN_TASKS",
    "SLOPE",
    "data",
    "limit_slope",
    "many_tasks",
    "noise",
    "slope",
]

SIGN_ROWS, SIGN_TASKS = Sign(r"\partial_{n_v}\bar L"), Sign(r"\partial_m\bar L")
SLOPE = r"\partial_{\alpha_t}\bar L\,(0)"
SIGN_SLOPE = Sign(r"\partial_{\alpha_t}\bar L\,(0)")
_LATEX = {"alpha_t": r"\alpha_t", "n_v": "n_v", "n_t": "n_t"}
LIMIT = r"\lim_{m\to\infty}\bar L"

BASE = replace(setting_at(4, 6), sigma=1.0, nu=0.8)


def limit_slope(name: str) -> str:
    """Label of a derivative of the limit."""
    return rf"\partial_{{{_LATEX[name]}}}\lim_{{m\to\infty}}\bar L"


noise = compare(
    Comparison(SIGN_SIGMA, replace(BASE, sigma=0.6), replace(BASE, sigma=1.2)),
    Comparison(SIGN_NU, replace(BASE, nu=0.3), replace(BASE, nu=0.9)),
)
data = compare(
    Comparison(SIGN_ROWS, replace(BASE, n_v=4), replace(BASE, n_v=32)),
    Comparison(SIGN_TASKS, replace(BASE, m=4), replace(BASE, m=24)),
    Comparison(SIGN_TARGET, replace(BASE, n_r=5), replace(BASE, n_r=40)),
)


def _theory(step: Step, assumptions: Assumptions, label: str) -> Callable[[Setting], float]:
    part = derived_part(step, assumptions, label)
    return lambda setting: value_at(part, setting)


TASKS = (8, 16, 32, 64)
# what is changed alone, from a rate of 0.6 where each matters, to see whether the limit changes with it
FROM = replace(BASE, alpha_t=0.6)
CHANGED = {
    "alpha_t": replace(FROM, alpha_t=-0.3),
    "n_v": replace(FROM, n_v=20),
    "n_t": replace(FROM, n_t=60),
}


def many_tasks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The simulated loss approaches the limit like 1/m, from meta-training data and rates that differ; the change of
    the loss with the rate, n_v or n_t alone approaches the derived change of the limit like 1/m."""
    theory = _theory(step, assumptions, LIMIT)
    starts = {"base": BASE, "other rate, n_v and n_t": replace(BASE, alpha_t=-1.0, n_v=12, n_t=6)}
    return [
        residual_check(
            f"decay in m of the loss minus its limit: {name}",
            [(float(k), replace(start, m=k)) for k in TASKS],
            theory,
            -1.0,
            quantity="loss",
            rel_error=_error_at,
            sharp=True,
            base_seed=seed,
        )
        for name, start in starts.items()
    ] + [_change_of_limit(step, assumptions, name, seed) for name in CHANGED]


def _error_at(setting: Setting) -> float:
    return 0.01 / setting.m


def _change_of_limit(step: Step, assumptions: Assumptions, name: str, seed: int) -> Check:
    started, step_size = time.monotonic(), getattr(CHANGED[name], name) - getattr(FROM, name)
    stated = _theory(step, assumptions, limit_slope(name))
    gaps, errors, draws = [], [], 0
    for k in TASKS:
        base, changed = replace(FROM, m=k), replace(CHANGED[name], m=k)
        first, second = (simulated(at, "loss", 0.3 * _error_at(at), seed) for at in (base, changed))
        gaps.append(second.mean - first.mean - stated(base) * step_size)
        errors.append(float(np.hypot(first.stderr, second.stderr)))
        draws += first.draws + second.draws
    return slope_check(
        f"decay in m of the change of the loss with {name}",
        TASKS,
        gaps,
        errors,
        -1.0,
        draws=draws,
        seconds=time.monotonic() - started,
        sharp=True,
    )


def _slope_error(setting: Setting) -> float:
    return 0.15 / setting.validation_points


def slope(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The simulated slope at rate zero has the stated sign, and minus the formula it falls like (n_v m)^-2."""
    theory = _theory(step, assumptions, SLOPE)
    started = time.monotonic()
    found = simulated(replace(BASE, alpha_t=0.0), "slope", 0.02, seed)
    sign = sign_check(
        SIGN_SLOPE,
        numbers(BASE),
        found.mean,
        found.stderr,
        stated_sign(step, assumptions, SIGN_SLOPE),
        said="the simulated slope is",
        draws=found.draws,
        seconds=time.monotonic() - started,
    )
    return [
        sign,
        residual_check(
            "decay of the simulated slope minus the formula",
            [(float(k), replace(BASE, n_t=400, n_v=k, m=4, alpha_t=0.0)) for k in (8, 16, 32, 64)],
            theory,
            -2.0,
            quantity="slope",
            rel_error=_slope_error,
            sharp=True,
            base_seed=seed,
        ),
    ]
