"""Numeric confirmation of the claims of section 5.2: losses compared, limits and slopes approached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from derivations.assumptions import Assumptions
from derivations.ladder import residual_check, simulated, slope_check
from derivations.learning_rate_checks import (
    SIGN_AT_0,
    SIGN_AT_UPPER,
    SIGN_BEND,
    SIGN_NU,
    SIGN_SIGMA,
    SIGN_TARGET,
    Comparison,
    compare,
    derived_part,
    stated_sign,
)
from derivations.signs import sign_check
from derivations.step import Check, Step
from derivations.underparameterized_checks import setting_at, value_at
from numeric_check.setting import Setting

__all__ = [
    "BASE", "LIMIT", "SIGN_AT_0", "SIGN_AT_UPPER", "SIGN_BEND", "SIGN_NU", "SIGN_ROWS", "SIGN_SIGMA",
    "SIGN_SLOPE", "SIGN_TARGET", "SIGN_TASKS", "SLOPE", "data", "limit_slope", "many_tasks", "noise", "slope",
]  # fmt: skip

SIGN_ROWS, SIGN_TASKS = r"\mathrm{sign}\,\partial_{n_v}\bar L", r"\mathrm{sign}\,\partial_m\bar L"
SLOPE = r"\partial_{\alpha_t}\bar L\,(0)"
SIGN_SLOPE = r"\mathrm{sign}\,\partial_{\alpha_t}\bar L\,(0)"
LIMIT = r"\lim_{m\to\infty}\bar L"

BASE = replace(setting_at(4, 6), sigma=1.0, nu=0.8)


def limit_slope(name: str) -> str:
    """Label of a derivative of the limit."""
    return rf"\partial_{{{name}}}\lim_{{m\to\infty}}\bar L"


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


def many_tasks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The simulated loss approaches the limit like 1/m, from meta-training data and rates that differ."""
    theory = _theory(step, assumptions, LIMIT)
    starts = {"base": BASE, "other rate, n_v and n_t": replace(BASE, alpha_t=-1.0, n_v=12, n_t=6)}
    slopes = [_limit_slope(step, assumptions, name, seed) for name in OTHER]
    return [*_limits(theory, starts, seed), *slopes]


OTHER = {
    "alpha_t": replace(BASE, alpha_t=0.4),
    "n_v": replace(BASE, n_v=40),
    "n_t": replace(BASE, n_t=60),
}
TASKS = (8, 16, 32, 64)


def _limit_slope(step: Step, assumptions: Assumptions, name: str, seed: int) -> Check:
    """The difference quotient of the simulated loss in one variable approaches the slope of the limit like 1/m."""
    label = limit_slope(name)
    theory = _theory(step, assumptions, label)
    width = float(getattr(OTHER[name], name)) - float(getattr(BASE, name))
    gaps, errors, draws = [], [], 0
    for k in TASKS:
        low, high = replace(BASE, m=k), replace(OTHER[name], m=k)
        found = [simulated(end, "loss", 0.003 / k, seed) for end in (low, high)]
        gaps.append((found[1].mean - found[0].mean) / width - theory(low))
        errors.append((found[0].stderr ** 2 + found[1].stderr ** 2) ** 0.5 / abs(width))
        draws += sum(estimate.draws for estimate in found)
    return slope_check(
        f"decay in m of the slope of the loss in {name} minus its limit", [float(k) for k in TASKS], gaps, errors,
        -1.0, draws=draws, seconds=0.0, sharp=True,
    )  # fmt: skip


def _limits(theory: Callable[[Setting], float], starts: Mapping[str, Setting], seed: int) -> list[Check]:
    return [
        residual_check(
            f"decay in m of the loss minus its limit: {name}",
            [(float(k), replace(start, m=k)) for k in TASKS], theory, -1.0, quantity="loss",
            rel_error=lambda setting: 0.01 / setting.m, sharp=True, base_seed=seed,
        )
        for name, start in starts.items()
    ]  # fmt: skip


def _slope_error(setting: Setting) -> float:
    return 0.15 / setting.validation_points


def slope(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The simulated slope at rate zero minus the formula falls like (n_v m)^-2; and it has the stated sign."""
    theory = _theory(step, assumptions, SLOPE)
    rungs = [(float(k), replace(BASE, n_t=400, n_v=k, m=4, alpha_t=0.0)) for k in (8, 16, 32, 64)]
    stated = stated_sign(step, assumptions, SIGN_SLOPE)
    signs = []
    for _, setting in rungs:
        found = simulated(setting, "slope", _slope_error(setting), seed)
        sizes = {"n_v": float(setting.n_v), "m": float(setting.m)}
        signs.append(sign_check(SIGN_SLOPE, sizes, found.mean, found.stderr, stated, found.draws))
    return [
        residual_check(
            "decay of the simulated slope minus the formula", rungs, theory, -2.0, quantity="slope",
            rel_error=_slope_error, sharp=True, base_seed=seed,
        ),
        *signs,
    ]  # fmt: skip
