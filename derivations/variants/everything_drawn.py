"""The problem itself, everything drawn, beside the estimator that formulas are held against.

That estimator draws inputs and averages over the rest in closed form, under the assumptions at hand: where that were wrong,
formula and estimate could be wrong alike. The plain protocol averages over nothing: it draws tasks, inputs and labels, solves the
outer problem, and tests on new tasks.
"""

from __future__ import annotations

import math
import time

from derivations.steps.step import Check
from derivations.support.estimates import simulated
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge

LABEL = "everything drawn, by the plain protocol"
# a share of the value, and relative standard errors that resolve it: what is wrong of a protocol shows at small sizes, where
# a finer resolution takes minutes of drawing test data
RESOLUTION, REL_ERROR, SETTLED, SECONDS = 0.025, 0.0048, 0.001, 60.0
SIZES = ("n_t", "n_v", "n_r", "m", "p", "alpha_t", "alpha_r")


def plain_check(setting: Setting, quantity: Quantity, seed: int) -> Check:
    """The plain protocol against the estimator, at one setting."""
    started = time.monotonic()
    settled = simulated(setting, quantity, SETTLED, seed, SECONDS)
    drawn = simulated(setting, quantity, REL_ERROR, seed, SECONDS, "plain")
    error = math.hypot(settled.stderr, drawn.stderr)
    found = judge(drawn.mean, error, settled.mean, resolution=RESOLUTION * abs(settled.mean))
    return Check(
        LABEL,
        {name: float(getattr(setting, name)) for name in SIZES},
        settled.mean,
        drawn.mean,
        error,
        drawn.draws,
        time.monotonic() - started,
        found.status,
        found.reason,
    )
