"""The deviation, the test loss and their slopes at a training rate of zero, simulated in both regimes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.language.values import evaluate
from derivations.paper.beyond.chains_at_zero import LOSSES, SLOPE, SLOPES
from derivations.paper.theorem1.concentration import EXCESS
from derivations.steps.step import Check, Step
from derivations.support.estimates import simulated
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting

OVER_SIZES: tuple[Mapping[str, float], ...] = (
    {"n_t": 40, "n_v": 2, "m": 2, "N": 4, "p": 21, "sigma": 0.8, "nu": 0.5, "dist0_sq": 0.6},
    {"n_t": 60, "n_v": 3, "m": 2, "N": 6, "p": 28, "sigma": 0.6, "nu": 0.4, "dist0_sq": 0.4},
    {"n_t": 50, "n_v": 1, "m": 4, "N": 4, "p": 25, "sigma": 1.1, "nu": 0.7, "dist0_sq": 0.9},
)
UNDER_SIZES: tuple[Mapping[str, float], ...] = (
    {"n_t": 50, "n_v": 9, "m": 3, "N": 27, "p": 4, "sigma": 0.8, "nu": 0.4},
    {"n_t": 40, "n_v": 12, "m": 2, "N": 24, "p": 3, "sigma": 0.6, "nu": 0.3},
    {"n_t": 60, "n_v": 7, "m": 4, "N": 28, "p": 5, "sigma": 1.1, "nu": 0.6},
)


SIZES = {Regime.OVER: OVER_SIZES, Regime.UNDER: UNDER_SIZES}
# the start does not matter for the slope, and is the largest part of what fluctuates
NEAR = tuple({**sizes, "dist0_sq": 1e-4} for sizes in OVER_SIZES)
SLOPE_SIZES = {Regime.OVER: NEAR, Regime.UNDER: UNDER_SIZES}
REL_ERROR, SECONDS = 0.0015, 4.0


def simulated_checks(
    step: Step,
    assumptions: Assumptions,
    seed: int,
    labels: Mapping[Regime, str],
    quantity: Quantity,
    *,
    rate: float,
    scale: float = 1.0,
) -> list[Check]:
    """The parts that a step derives, by regime, against the simulated problem at alpha_r = rate; what is simulated is scaled."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived = step.derive(assumptions)
    found = []
    for regime, label in labels.items():
        for sizes in SIZES[regime]:
            n, rows, count, size = (int(sizes[name]) for name in ("n_t", "n_v", "m", "p"))
            fields = {**sampled_fields(assumptions), "dist0_sq": sizes.get("dist0_sq", 0.0)}
            noise, spread = sizes["sigma"], sizes["nu"]
            setting = Setting(n, rows, 9, count, size, noise, spread, 0.0, rate, **fields)
            started = time.monotonic()
            seen = simulated(setting, quantity, REL_ERROR, seed, SECONDS)
            places = {**sizes, "n_r": 9.0, "alpha_r": rate, "sigma_v": setting.sigma_v}
            value = float(evaluate(to_sympy(derived[label]), places))
            scaled = Estimate(scale * seen.mean, scale * seen.stderr, seen.draws)
            shown = {name: number for name, number in places.items() if name not in ("N", "sigma_v")}
            found.append(mean_check(label, shown, value, scaled, time.monotonic() - started))
    return found


def loss_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The average test loss, simulated in both regimes."""
    return simulated_checks(step, assumptions, seed, LOSSES, "loss", rate=0.4)


def slope_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Its derivative, by differences at common random numbers."""
    return simulated_checks(step, assumptions, seed, SLOPES, "slope", rate=0.4)


def deviation_checks(regime: Regime) -> Callable[[Step, Assumptions, int], list[Check]]:
    """The deviation of one regime, simulated."""
    return partial(simulated_checks, labels={regime: EXCESS}, quantity="excess", rate=0.0)


def deviation_slope_checks(regime: Regime) -> Callable[[Step, Assumptions, int], list[Check]]:
    """Its derivative: at alpha_r = 0 the loss is half the deviation, up to a constant."""
    return partial(simulated_checks, labels={regime: SLOPE}, quantity="slope", rate=0.0, scale=2.0)
