"""Numeric confirmation of the losses under changed assumptions: values at three sizes, and the decay of what is left.

The simulation is the meta-learning problem itself under the same assumptions; nothing of the derivation enters it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.sampled_problem import sampled_fields, told_apart
from derivations.language.values import Value, evaluate
from derivations.paper.beyond.exact_slopes import exact_checks, known_exactly
from derivations.paper.theorem1.block_draws import numbers
from derivations.paper.theorem2.general_covariance import INVERSE, NORMAL
from derivations.steps.status import NumericStatus
from derivations.steps.step import Check, Comparison, Step
from derivations.support.estimates import simulated
from derivations.variants.everything_drawn import plain_check
from derivations.variants.means import has_means, mean_checks
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.simulation import Quantity
from numeric_check.estimators.target_loss import fourth_moment
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import RELATIVE_RESOLUTION, SIGMAS

OVER, UNDER, GENERAL = "theorem-1", "theorem-2", "theorem-3"
EXCESS_OVER, EXCESS_UNDER = "excess-overparameterized", "excess-underparameterized"
# what is simulated for a step, and the step at whose sizes it is
QUANTITIES: Mapping[str, tuple[Quantity, str]] = {
    OVER: ("loss", OVER),
    UNDER: ("loss", UNDER),
    GENERAL: ("loss", GENERAL),
    EXCESS_OVER: ("excess", OVER),
    EXCESS_UNDER: ("excess", UNDER),
}
RATE_T, RATE_R, SIGMA, NU = -0.2, 0.2, 0.5, 0.5
LADDER, GENERAL_LADDER = (1, 2, 4, 8), (1, 2, 4)
# remainders fall as k^-2, to the next order as k^-3; the envelope asks for half a power less, which no error survives that falls
# more slowly by one
DECAY = {"leading": -1.5, "next": -2.5}
FIRST = 0.05
# what the next order may leave of what it adds, at the first size: twenty-eight per cent are left where entries are from a Laplace law
LEFT = 1 / 3
REL_ERROR, SECONDS = 3e-5, 3.0


def covariance(name: str, p: int, scale: float) -> np.ndarray:
    """A fixed p x p covariance with spread eigenvalues and trace `scale` times p."""
    draw = generator_for(f"variant/{name}/{p}").standard_normal((p, p))
    found = draw @ draw.T / p + 0.5 * np.eye(p)
    return np.asarray(found * (scale * p / float(np.trace(found))))


def sizes_at(step: str, assumptions: Assumptions, k: int) -> dict[str, int]:
    """Sizes in proportion to k: all dimensions above p = n_v m, the number of tasks below it."""
    reused = assumptions.split == "reused"
    if step == UNDER:
        return {"n_t": 20, "n_v": 20 if reused else 10, "n_r": 10, "m": 8 * k, "p": 4}
    rows = 4 * k if is_exact(step, assumptions) else 2
    return {"n_t": rows if reused else 24 * k, "n_v": rows, "n_r": 24 * k, "m": 3, "p": 48 * k}


def few(step: str, assumptions: Assumptions) -> Mapping[str, int]:
    """Small sizes at which everything is drawn, for test data as for all else.

    So many rows below p = n_v m, and above it one of a task, that inputs of two values make no singular design in any run.
    """
    rows = {"n_t": 5, "n_v": 10, "m": 4, "p": 3} if step == UNDER else {"n_t": 5, "n_v": 1, "m": 3, "p": 9}
    reused = {"n_t": rows["n_v"]} if assumptions.split == "reused" else {}
    return {**rows, **reused, "n_r": 4, "n_s": 2}


def setting_under(step: str, assumptions: Assumptions, k: int) -> Setting:
    """The simulated problem of size k under the assumptions."""
    return setting_of(step, assumptions, sizes_at(step, assumptions, k), start=0.3 * k**-0.5)


def setting_of(step: str, assumptions: Assumptions, given: Mapping[str, int], *, start: float) -> Setting:
    """The simulated problem at given sizes; start: |omega_0 - w_0|^2, where the loss depends on it."""
    sizes: dict[str, Any] = dict(given)
    extra: dict[str, Any] = {}
    if step == GENERAL or assumptions.covariance == "general":
        p = sizes["p"]
        extra = {"Sigma": covariance("inputs", p, 1.0), "Sigma_w": covariance("tasks", p, NU**2 / p)}
    return Setting(
        **sizes,
        sigma=told_apart(SIGMA, assumptions),
        nu=NU,
        alpha_t=RATE_T,
        alpha_r=RATE_R,
        dist0_sq=0.0 if extra or step == UNDER else start,
        **sampled_fields(assumptions),
        **extra,
    )


def values_of(setting: Setting) -> Mapping[str, Value]:
    """The numbers and matrices at which the derived formula is evaluated."""
    values: dict[str, Value] = dict(numbers(setting))
    values["sigma_v"] = setting.sigma_v
    if setting.Sigma is not None and setting.Sigma_w is not None:
        values |= {"Sigma": setting.Sigma, "Sigma_w": setting.Sigma_w, "F": fourth_moment(setting)}
    return values


def variant_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The derived loss against simulation at four sizes: equal where exact, else with a difference that falls. To the next order
    it is a small part of what that adds.

    Where the exact loss is known the formula is held against that, by source and at several rates; where it is not, above
    p = n_v m, against the ratio of sampled means that it is. What estimates these losses is held against the problem itself.
    """
    if step.derive is None:
        raise ValueError(f"{step.name} derives no loss")
    quantity, base = QUANTITIES[step.name]
    drawn = plain_check(setting_of(base, assumptions, few(base, assumptions), start=0.3), quantity, seed)
    if base == OVER and known_exactly(assumptions):
        return [*exact_checks(step, assumptions, seed, quantity), drawn]
    parts = step.derive(assumptions)
    label = next(iter(parts))
    formula = to_sympy(parts[label])

    def theory(setting: Setting) -> float:
        values = dict(values_of(setting))
        if NORMAL in parts:
            values[INVERSE] = np.linalg.inv(np.asarray(evaluate(to_sympy(parts[NORMAL]), values)))
        return float(evaluate(formula, values))

    added = None
    if assumptions.order == "next" and not is_exact(base, assumptions):
        added = formula - to_sympy(step.derive(replace(assumptions, order="leading"))[label])
    found: list[Check] = []
    if base == OVER and has_means(assumptions):
        found += mean_checks(step, assumptions, seed, quantity)
    allowance = 0.0
    for k in GENERAL_LADDER if base == GENERAL else LADDER:
        started = time.monotonic()
        setting = setting_under(base, assumptions, k)
        # what the next order adds falls fast: it is the smaller sizes that tell
        precise = REL_ERROR / 5 if added is not None and k <= LADDER[1] else REL_ERROR
        estimate = simulated(setting, quantity, precise, seed, SECONDS)
        value = theory(setting)
        gap = abs(estimate.mean - value)
        if k == LADDER[0]:
            allowance = 0.0 if is_exact(base, assumptions) else gap + SIGMAS * estimate.stderr
            if added is not None:
                allowance = LEFT * abs(float(evaluate(added, values_of(setting))))
        verdict, reason = envelope(
            gap,
            estimate.stderr,
            abs(value),
            allowance * k ** DECAY[assumptions.order],
            first=k == LADDER[0] and added is None,
        )
        sizes = {name: float(size) for name, size in sizes_at(base, assumptions, k).items()}
        seconds = time.monotonic() - started
        found.append(
            Check(
                label,
                sizes,
                value,
                estimate.mean,
                estimate.stderr,
                estimate.draws,
                seconds,
                verdict,
                reason,
                Comparison.SIZE,
            )
        )
    return [*found, drawn]


def is_exact(step: str, assumptions: Assumptions) -> bool:
    """Whether the derived loss holds at every size, so that no difference is allowed for."""
    return step == OVER and assumptions.split == "reused" and assumptions.inputs == "gaussian"


def envelope(
    gap: float, stderr: float, value: float, allowed: float, *, first: bool
) -> tuple[NumericStatus, str]:
    """The verdict on a difference that may be as large as `allowed`: the first size's, fallen at the claimed rate.

    At the first size the difference itself is only required to be a small part of the value. Inconclusive when
    the standard error does not resolve one per cent of the value.
    """
    if SIGMAS * stderr > RELATIVE_RESOLUTION * value:
        needed = (
            f"resolves {SIGMAS * stderr:.2g} where {RELATIVE_RESOLUTION * value:.2g} is needed: draw more"
        )
        return NumericStatus.INCONCLUSIVE, needed
    bound = max(allowed, 0.0) + SIGMAS * stderr
    if first and allowed > 0:
        bound = FIRST * value
    said = f"{gap:.2g} apart where {bound:.2g} is allowed, resolved to {SIGMAS * stderr:.2g}"
    return (NumericStatus.AGREE if gap <= bound else NumericStatus.DISAGREE), said
