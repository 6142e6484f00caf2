"""Numeric content of (12): what it leaves out of the network of section 5.4 at a solution, on a ladder of widths."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.steps.step import Check, Step
from derivations.verification.growth import slope_check, until_told
from numeric_check.network.experiment import Experiment
from numeric_check.network.features import linearisation_gap

WIDTHS, RUNS = (50, 100, 200, 400), 80
# what is known of wide networks: the output departs from (12) by the inverse root of the width, or less
ORDER = -0.5
PRINTED = Experiment(test_tasks=4)


def linearisation_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The mean logarithm of what (12) leaves out, on a ladder of widths."""
    started = time.monotonic()
    logs: dict[int, list[float]] = {width: [] for width in WIDTHS}

    def fitted(more: int) -> Check:
        means, errors = [], []
        for width, found in logs.items():
            experiment = replace(PRINTED, width=width)
            runs = range(len(found), more * RUNS)
            found += [math.log(linearisation_gap(experiment, seed, run)) for run in runs]
            means.append(math.exp(np.mean(found)))
            errors.append(means[-1] * float(np.std(found, ddof=1)) / math.sqrt(len(found)))
        label = "decay with width of what (12) leaves out of the trained output"
        seconds, draws = time.monotonic() - started, more * RUNS * len(WIDTHS)
        return slope_check(label, WIDTHS, means, errors, ORDER, draws=draws, seconds=seconds, sharp=False)

    return [until_told(fitted)]
