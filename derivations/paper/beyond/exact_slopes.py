"""How fast the formulas of Theorem 1 approach the exact loss: the slope of what they leave out, by source, without sampling.

Label noise, variability of tasks and start enter the loss as a sum. Each is held against the exact value on a ladder of
sizes, at rates of both signs, for one validation point and for two: what is left out must fall with the order of the
remainder, within a tenth, or be nothing at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import sympy

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.sampled_problem import sampled_fields, told_apart
from derivations.language.values import Point, evaluate
from derivations.paper.beyond.exact_loss import SHARE, exact_at, exact_formula
from derivations.paper.beyond.one_task import one_task, require_rotations
from derivations.paper.theorem1.block_draws import numbers
from derivations.steps.step import Check, Comparison, Step
from derivations.support.estimates import simulated
from derivations.verification.growth import rungs, slope_check
from derivations.verification.measure import mean_check
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting

RATES = (-0.6, -0.2, 0.4)
LADDER, FAR, SAMPLED = (32, 64, 128, 256), (128, 256, 512), (4, 8, 16)
WITHIN = 0.1
# what is left of the others when one source is looked at
SOURCES: Mapping[str, Mapping[str, float]] = {
    "label noise": {"nu": 0.0, "dist0_sq": 0.0},
    "variability of tasks": {"sigma": 0.0, "dist0_sq": 0.0},
    "start": {"sigma": 0.0, "nu": 0.0},
}
NOTHING = {"sigma": 0.0, "nu": 0.0, "dist0_sq": 0.0}
# the exponent of what an order leaves out; nothing where it leaves out nothing
EXPONENTS: Mapping[str, Mapping[str, float | None]] = {
    "leading": {"label noise": -2.0, "variability of tasks": -2.0, "start": None},
    "next": {"label noise": -3.0, "variability of tasks": None, "start": None},
}
EQUAL = 1e-12
SMALLEST = 1e-18
REL_ERROR, SECONDS = 3e-4, 4.0


def known_exactly(assumptions: Assumptions) -> bool:
    """Whether the exact loss is known under the assumptions, to hold the formulas of Theorem 1 against."""
    try:
        require_rotations(assumptions)
    except NotDerivable:
        return False
    return True


def setting_of(rows: int, k: int, rate: float, assumptions: Assumptions) -> Setting:
    """Sizes in proportion to k, for `rows` validation points of a task."""
    return Setting(
        n_t=24 * k,
        n_v=rows,
        n_r=18 * k,
        m=3,
        p=48 * k,
        sigma=told_apart(0.5, assumptions),
        nu=0.5,
        alpha_t=rate,
        alpha_r=0.3,
        dist0_sq=0.3 * k**-0.5,
        **sampled_fields(assumptions),
    )


def exact_checks(
    step: Step,
    assumptions: Assumptions,
    seed: int,
    quantity: Quantity,
    exponents: Mapping[str, float | None] | None = None,
) -> list[Check]:
    """What the step's formula leaves out of the exact value, by source; and the exact value against simulation.

    exponents: what is claimed of each source; those of the order of the formula where none are given.
    """
    if step.derive is None:
        raise ValueError(f"{step.name} derives no formula")
    (formula,) = (to_sympy(part) for part in step.derive(assumptions).values())
    exact = exact_formula(assumptions, quantity)
    blocks = one_task(assumptions).blocks
    claimed = EXPONENTS[assumptions.order] if exponents is None else exponents
    # several steps move the eigenvalues as far at smaller rates
    rates = [rate * min(1.0, 2 / blocks) for rate in RATES]
    ladder = LADDER if blocks < 4 else FAR if blocks == 4 else SAMPLED
    found = [
        _source_check(formula, exact, assumptions, source, rows, rate, ladder, claimed[source])
        for rows in ((1, 2) if blocks == 1 else (1,))
        for rate in rates
        for source in SOURCES
    ]
    return [*found, *(_simulation_check(exact, assumptions, quantity, rate, seed) for rate in rates[1:])]


def _source_check(
    formula: sympy.Basic,
    exact: sympy.Basic,
    assumptions: Assumptions,
    source: str,
    rows: int,
    rate: float,
    ladder: tuple[int, ...],
    claimed: float | None,
) -> Check:
    started = time.monotonic()
    gaps, errors, values = [], [], []
    for k in ladder:
        setting = setting_of(rows, k, rate, assumptions)
        whole, none = ({**numbers(setting), **without} for without in (SOURCES[source], NOTHING))
        right, base = (exact_at(exact, assumptions, at) for at in (whole, none))
        gap = right.mean - _value(formula, assumptions, whole)
        if source != "label noise":  # a given noise of the validation data stays
            gap -= base.mean - _value(formula, assumptions, none)
        gaps.append(gap)
        errors.append(max(right.stderr, SMALLEST))
        values.append(abs(right.mean - base.mean) or abs(right.mean))
    label = f"{source}: exact minus formula, n_v = {rows}, alpha_t = {rate:g}"
    seconds = time.monotonic() - started
    sizes = [float(k) for k in ladder]
    if claimed is None:
        worst = max(abs(gap) / value for gap, value in zip(gaps, values, strict=True))
        verdict = "agree" if worst <= EQUAL else "disagree"
        said = f"apart by {worst:.1e} of the value"
        return Check(label, rungs(sizes), 0.0, worst, 0.0, 0, seconds, verdict, said, Comparison.LEFT_OUT)
    return slope_check(
        label,
        sizes,
        gaps,
        errors,
        claimed,
        draws=0,
        seconds=seconds,
        sharp=True,
        within=WITHIN,
        comparison=Comparison.LEFT_OUT,
    )


def _value(formula: sympy.Basic, assumptions: Assumptions, at: Mapping[str, float]) -> float:
    noise = at["sigma"] if assumptions.noise_val is None else float(assumptions.noise_val)
    return float(evaluate(formula, Point({**at, "sigma_v": noise})))


def _simulation_check(
    exact: sympy.Basic, assumptions: Assumptions, quantity: Quantity, rate: float, seed: int
) -> Check:
    started = time.monotonic()
    setting = setting_of(2, 1, rate, assumptions)
    right = exact_at(exact, assumptions, numbers(setting), SHARE * REL_ERROR)
    seen = simulated(setting, quantity, REL_ERROR, seed, SECONDS)
    stderr = (seen.stderr**2 + right.stderr**2) ** 0.5
    sizes = {"n_t": 24.0, "n_v": 2.0, "n_r": 18.0, "m": 3.0, "p": 48.0, "alpha_t": rate}
    label, both = "simulation against the exact value", replace(seen, stderr=stderr)
    return mean_check(label, sizes, right.mean, both, time.monotonic() - started)
