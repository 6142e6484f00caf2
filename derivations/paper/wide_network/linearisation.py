"""Numeric content of (12): what it leaves out of the network of section 5.4 at a solution, on a ladder of widths."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.steps.step import Check, Step
from derivations.verification.growth import slope_check
from numeric_check.network.experiment import Experiment
from numeric_check.network.features import linearisation_gap

WIDTHS, RUNS = (50, 100, 200, 400, 800), 40
# what is known of wide networks: the output departs from (12) by the inverse root of the width, or less
ORDER = -0.5
PRINTED = Experiment(test_tasks=10)


def linearisation_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The mean logarithm of what (12) leaves out, on a ladder of widths."""
    started = time.monotonic()
    means, errors = [], []
    for width in WIDTHS:
        experiment = replace(PRINTED, width=width)
        logs = np.log([linearisation_gap(experiment, seed, run) for run in range(RUNS)])
        means.append(float(np.exp(logs.mean())))
        errors.append(means[-1] * float(logs.std(ddof=1) / np.sqrt(RUNS)))
    label = "decay with width of what (12) leaves out of the trained output"
    seconds, draws = time.monotonic() - started, RUNS * len(WIDTHS)
    return [slope_check(label, WIDTHS, means, errors, ORDER, draws=draws, seconds=seconds, sharp=False)]
