"""Inputs that take few values: beside a training rate of zero the deviation grows without bound.

    -  two-valued-inputs-diverge  p = 3, two tasks, inputs 1 or -1: finite at zero, beside it like one over the squared rate

The two validation inputs are parallel with probability 1/4. At a rate of zero the rows of B are then parallel too, and the solution
of minimum norm is finite; beside zero they are nearly so.
"""

from __future__ import annotations

import time
from functools import lru_cache

import sympy

from derivations.language import model
from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import sigma
from derivations.language.values import evaluate
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.concentration import EXCESS
from derivations.steps.chain import Chain, Tasks
from derivations.steps.rules.derivatives import at_zero
from derivations.steps.rules.few_values.two_values import average_inputs
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.support.estimates import simulated
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import Expression, constant, matrix, scalar, tr

SIZES = {"n_t": 1, "n_v": 1, "p": 3}
PSEUDO_INVERSE = "BBT_plus"
AT_ZERO = rf"{EXCESS}\big|_{{\alpha_t=0}}"
BESIDE = rf"\lim_{{\alpha_t\to0}}\alpha_t^2\,{EXCESS}"
# a limit is held against draws so close to zero that what is left of it is lost in their error
PLACES = ((AT_ZERO, 0.0, 1.3), (BESIDE, -1e-4, 0.7), (BESIDE, 1e-4, 1.3))
REL_ERROR = 0.0019
MAX_SECONDS = 60.0
DEPENDS = ("inner_steps", "covariance", "split", "noise_val")
READS = ("outer-mean-square-as-trace", "stacked-design", "target-covariance-blocks", "target-covariance")


def rows_and_noise(assumptions: Assumptions, *, zero: bool) -> Tasks:
    """B, and Gamma in units of the label noise's variance; at a rate of zero, or at any."""
    put = {"alpha_t": constant(0)} if zero else {}

    def design(label: str) -> Expression:
        found = model.task(assumptions, label).design
        return found.replace(put)

    def noise(label: str) -> Expression:
        found = target_covariance(assumptions, label, label).replace(
            {"nu": constant(0), "sigma": constant(1)}
        )
        return found.replace({name: value for name, value in put.items() if name in found.scalars()})

    return Tasks({"B": design, "Gamma": noise})


@lru_cache(maxsize=4)
def chain(assumptions: Assumptions) -> Chain:
    """Label noise alone, training from the task mean: (74) with a pseudo-inverse, at zero and beside it."""
    trace = scalar("sigma") ** 2 * tr(
        matrix(PSEUDO_INVERSE, "N", "N", symmetric=True) @ matrix("Gamma", "N", "N", symmetric=True)
    )
    found = average_inputs(
        Chain(trace), PSEUDO_INVERSE, rows_and_noise(assumptions, zero=True), SIZES, "alpha_t", *READS
    ).shows(AT_ZERO)
    average_inputs(
        found.begin(scalar("alpha_t") ** 2 * trace),
        PSEUDO_INVERSE,
        rows_and_noise(assumptions, zero=False),
        SIZES,
        "alpha_t",
        *READS,
    )
    bottom = found.moves[-1].values
    return at_zero(found, ("alpha_t",), bottom).shows(BESIDE)


def _claim() -> Parts:
    return {AT_ZERO: sympy.Rational(29, 48) * sigma**2, BESIDE: sympy.Rational(3, 32) * sigma**2}


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The deviation sampled from its definition: at zero by plain draws of noise too, and close to it on either side."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived = step.derive(assumptions)
    found = []
    for label, rate, noise in PLACES:
        started = time.monotonic()
        setting = Setting(
            n_t=SIZES["n_t"],
            n_v=SIZES["n_v"],
            n_r=2,
            p=SIZES["p"],
            m=2,
            sigma=noise,
            nu=0.0,
            alpha_t=rate,
            alpha_r=0.0,
            inputs="rademacher",
        )
        seen = simulated(
            setting, "excess", REL_ERROR, seed, MAX_SECONDS, protocol="conditional" if rate else "plain"
        )
        value, scale = float(evaluate(to_sympy(derived[label]), {"sigma": noise})), rate**2 or 1.0
        scaled = Estimate(scale * seen.mean, scale * seen.stderr, seen.draws)
        where = {
            **{name: float(size) for name, size in SIZES.items()},
            "m": 2.0,
            "sigma": noise,
            "alpha_t": rate,
        }
        found.append(mean_check(label, where, value, scaled, time.monotonic() - started))
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "two-valued-inputs-diverge",
        (),
        Kind.BEYOND,
        "For inputs that are 1 or -1, p = 3, n_t = n_v = 1, m = 2 and label noise alone, the mean square deviation is finite at a "
        "training rate of zero and grows beside it like one over the square of the rate: no slope at zero exists, and a small negative "
        "rate does harm.",
        "beyond",
        uses=READS,
        depends_on=DEPENDS,
        claim=_claim,
        derivation=chain,
        check=_check,
        applies=unchanged(DEPENDS),
        method="all 4096 choices of inputs, averaged exactly; a pseudo-inverse where two rows are parallel",
        remark="What the exact slope at zero needs, and the leading order does not show, is a density that is bounded near singular "
        "designs: the two validation inputs here are parallel with probability 1/4.",
    ),
)
