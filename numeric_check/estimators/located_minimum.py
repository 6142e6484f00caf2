"""The training rate at which the simulated loss is smallest, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.estimate import Estimate
from numeric_check.draws.executor import Executor
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.differences import Estimator, at_rate, curvatures, slopes
from numeric_check.estimators.simulation import (
    ESTIMATORS,
    Method,
    Progress,
    batch_draws,
    require_finite_mean,
    run_until,
)
from numeric_check.problem.impossible import Impossible
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]

PILOT_DRAWS = 512
SCAN = 41
SECTIONS = 10
ROUNDS = 8
GOLDEN = (math.sqrt(5) - 1) / 2
# A curve that varies by less is flat up to rounding, which is largest where a draw is nearly singular.
FLAT = 1e-6
SETTLED = 2.0


def located_minimum(
    setting: Setting,
    *,
    protocol: Method = "conditional",
    rel_error: float = 0.002,
    seed: int = 0,
    max_draws: int = 10_000_000,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """The training rate that minimises E|omega* - w_0|^2, and with it the loss, for identity covariance.

    A pilot finds a rate near the minimum. From there each draw gives one value, rate - slope / curvature,
    with the mean curvature of other draws: their mean is the minimum, their spread its error. This is
    repeated from the rate found, with new draws, until that moves by at most two standard errors: what the
    straight line leaves out is then of second order in them. rel_error: aimed-at standard error over |rate|.

    Raises ValueError where the mean is infinite, where the loss does not depend on the rate or has no minimum
    at a finite one, and where `rel_error` asks for more than the rounds of correction can give.
    """
    require_finite_mean(setting)
    text = f"minimum/{protocol}/{seed}/{setting.fingerprint}"
    estimator = ESTIMATORS["excess", protocol]
    draws = batch_draws(setting, "excess", protocol)
    rate = _pilot(setting, estimator, f"{text}/pilot")
    for index in range(ROUNDS):
        here = at_rate(setting, rate)
        scout = generator_for(f"{text}/curvature", index)
        bend = float(curvatures(estimator, scout, here, PILOT_DRAWS).mean())
        found = run_until(
            partial(_corrected, estimator=estimator, setting=here, draws=draws, curvature=bend),
            rel_error=rel_error,
            seed_text=f"{text}/{index}",
            max_draws=max_draws,
            max_seconds=math.inf,
            executor=executor,
            progress=progress,
        )
        if abs(found.mean - rate) <= SETTLED * found.stderr:
            return found
        rate = found.mean
    raise Impossible(
        f"the minimum does not settle to a relative error of {rel_error:g}: ask for a larger one"
    )


def _corrected(
    generator: np.random.Generator, *, estimator: Estimator, setting: Setting, draws: int, curvature: float
) -> Array:
    """One value rate - slope / curvature per draw, shape (draws,)."""
    return np.asarray(setting.alpha_t - slopes(estimator, generator, setting, draws) / curvature)


def _pilot(setting: Setting, estimator: Estimator, text: str) -> float:
    """The lowest point of the curve of one set of draws: a scan of all rates, then golden sections."""
    # eigenvalues of X^T X / n_t spread by about sqrt(p / n_t): rates far above its inverse are all alike
    ratio = math.sqrt(setting.n_t / setting.p)
    scale = ratio + ratio**2

    def curve(angle: float) -> float:
        here = at_rate(setting, scale * math.tan(angle))
        return float(estimator(generator_for(text), here, PILOT_DRAWS).mean())

    # equal steps of an angle: dense around 0, and reaching far out on both sides
    angles = [float(angle) for angle in np.linspace(-math.pi / 2, math.pi / 2, SCAN + 2)[1:-1]]
    values = [curve(angle) for angle in angles]
    best = int(np.argmin(values))
    if max(values) - min(values) <= FLAT * max(values):
        raise Impossible("the loss does not depend on the training rate here: there is no minimum to locate")
    if best in (0, SCAN - 1):
        raise Impossible("the loss has no minimum at a finite training rate here")
    return scale * math.tan(lowest_point(curve, angles[best - 1], angles[best + 1], SECTIONS))


def lowest_point(curve: Callable[[float], float], low: float, high: float, sections: int) -> float:
    """Where a curve with one minimum between these ends is lowest, by golden sections: one value of it for each."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = curve(left), curve(right)
    for _ in range(sections):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = curve(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = curve(right)
    return (low + high) / 2
