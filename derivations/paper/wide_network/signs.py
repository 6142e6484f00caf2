"""Numeric content of Figure 5: the sign of the rates that help, by (14) beforehand and with linearised networks.

(14) with the moments of the tangent features says on which side of zero the loss is lower where b is drawn anew in each
task: b^2 moves the labels of a task up and down together, along the one large eigenvalue of the kernel.
"""

from __future__ import annotations

import time

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.values import Point, Value, evaluate
from derivations.paper.theorem3.loss import leading_loss
from derivations.steps.step import Check, Step
from derivations.verification.growth import sign_check
from numeric_check.network.experiment import Experiment, Reading, draw
from numeric_check.network.features import feature_moments
from numeric_check.network.linearised import Linearised

PRINTED = Experiment(test_tasks=10)
RATES = (-0.0075, -0.0025, 0.0025, 0.005)
POINTS, PAIRS = 200, 60


def predicted_differences(
    assumptions: Assumptions, how: Reading, seed: int, rates: tuple[float, ...] = RATES
) -> dict[float, float]:
    """By (14), with the moments of the tangent features, the loss at each of the rates minus that at zero."""
    formula = to_sympy(leading_loss(assumptions))
    e = PRINTED
    found = feature_moments(e, how, POINTS, seed)
    fixed: dict[str, Value] = {
        name: float(getattr(e, name)) for name in ("n_t", "n_v", "n_r", "m", "alpha_r")
    }
    fixed |= {"p": float(POINTS), "sigma": float(np.sqrt(found.noise_sq))}
    fixed |= {"Sigma": found.Sigma, "Sigma_w": found.Sigma_w, "F": found.F}
    losses = {rate: float(evaluate(formula, Point({**fixed, "alpha_t": rate}))) for rate in (0.0, *rates)}
    return {rate: losses[rate] - losses[0.0] for rate in rates}


def sign_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """With b drawn anew in each task, the side on which (14) has the better rates, against linearised networks."""
    how = Reading.TASK
    predicted = predicted_differences(assumptions, how, seed)
    started = time.monotonic()
    losses = np.array(
        [
            Linearised(PRINTED, draw(PRINTED, how, seed + 1, k)).mean_losses((0.0, *RATES))[how]
            for k in range(PAIRS)
        ]
    )
    seconds = (time.monotonic() - started) / len(RATES)
    return [
        sign_check(
            "sign of the loss minus that at rate zero, b anew in each task",
            {"alpha_t": rate},
            float(change.mean()),
            float(change.std(ddof=1) / np.sqrt(PAIRS)),
            float(np.sign(predicted[rate])),
            said="linearized networks:",
            draws=PAIRS,
            seconds=seconds,
        )
        for rate, change in zip(RATES, (losses[:, 1:] - losses[:, :1]).T, strict=True)
    ]
