"""Sampling of what leads to the losses under changed assumptions: the factors h_t and h_r, and one task's block of B.

The inner loops are those of `numeric_check.problem.maml`, run under the same assumptions on plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.language.sampled_problem import sampled_fields
from derivations.paper.theorem1.block_draws import FACTOR_SIZES
from derivations.steps.draws import fixed_column, squared_norms
from derivations.steps.step import Check, Observed, Step
from derivations.verification.measure import checks
from numeric_check.draws.sample import Sample
from numeric_check.problem.maml import inner_loop, training_loop
from numeric_check.problem.samplers import inputs
from numeric_check.problem.setting import Setting

NO_LABELS = np.zeros(1)
DESIGN_SIZES = tuple({**sizes, "n_v": rows} for sizes, rows in zip(FACTOR_SIZES, (3, 4, 2), strict=True))


def _setting(sample: Sample, assumptions: Assumptions) -> Setting:
    """The inner loops at these sizes; the outer problem and the noise play no part."""
    n_t, n_r, p = (sample.size(name) for name in ("n_t", "n_r", "p"))
    fields = {**sampled_fields(assumptions), "split": "separate", "noise_val": None}
    return Setting(
        n_t, 1, n_r, 1, p, sigma=1.0, nu=1.0, alpha_t=sample["alpha_t"], alpha_r=sample["alpha_r"], **fields
    )


def _inner_factor(sample: Sample, assumptions: Assumptions) -> Observed:
    """The mean square length of a row of B, per dimension."""
    setting = _setting(sample, assumptions)
    x_t = inputs(sample.generator, setting, sample.batch, setting.n_t)
    rows = inputs(sample.generator, setting, sample.batch, 1)
    # A is symmetric: the row x_v A is the column A x_v
    moved = training_loop(np.swapaxes(rows, -1, -2), x_t, NO_LABELS, setting)
    return {"h_t": squared_norms(moved) / setting.p}


def _adaptation_factor(sample: Sample, assumptions: Assumptions) -> Observed:
    """The factor by which adaptation without labels scales the mean square of a fixed deviation."""
    setting, e = _setting(sample, assumptions), fixed_column(sample, "e", "p")
    x_r = inputs(sample.generator, setting, sample.batch, setting.n_r)
    start = np.broadcast_to(e, (sample.batch, *e.shape))
    moved = inner_loop(start, x_r, NO_LABELS, setting.alpha_r, setting.adaptation_steps)
    return {"h_r": squared_norms(moved) / float(np.sum(e**2))}


def _design(sample: Sample, assumptions: Assumptions) -> Observed:
    """One task's block of B at fixed inputs, by running the inner loop on the unit vectors."""
    setting, x_t = _setting(sample, assumptions), sample.matrix("X_t", "n_t", "p")
    x_v = x_t if assumptions.split == "reused" else sample.matrix("X_v", "n_v", "p")
    return {"B^{(i)}": (x_v @ training_loop(np.eye(setting.p), x_t, NO_LABELS, setting))[None]}


OBSERVERS: Mapping[str, Callable[[Sample, Assumptions], Observed]] = {
    "inner-factor": _inner_factor,
    "adaptation-factor": _adaptation_factor,
    "stacked-design": _design,
}


def part_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The derived parts of a step of `OBSERVERS` against sampling under the assumptions, at three sizes."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    observer = OBSERVERS[step.name]
    changed = replace(
        step,
        observe=lambda sample: observer(sample, assumptions),
        check=None,
        sizes=DESIGN_SIZES,
        power_sizes=(),
    )
    return checks(changed, assumptions, step.derive(assumptions), seed)
