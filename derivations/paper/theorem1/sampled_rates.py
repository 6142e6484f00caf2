"""Numeric confirmation of the learning-rate claims: simulated losses compared, sampled extrema located."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import sympy
from sympy import Integer

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.values import evaluate
from derivations.paper.theorem1.block_draws import SIMULATED, point, setting_at
from derivations.steps.draws import Array
from derivations.steps.labels import Sign
from derivations.steps.step import Check, Derived, Step
from derivations.verification.growth import difference_check, residual_check, sign_check, slope_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from numeric_check.estimators.located_minimum import lowest_point
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import Expression

CheckFunction = Callable[[Step, Assumptions, int], list[Check]]
BASE = setting_at(1.0, 30)
NEAR, FAR = replace(BASE, dist0_sq=0.0), replace(BASE, dist0_sq=40.0)


class Comparison(NamedTuple):
    """Two settings between which the loss changes with the sign that the named part of the step states."""

    part: str
    low: Setting
    high: Setting
    rel_error: float = 0.002


def derived_part(step: Step, assumptions: Assumptions, part: str) -> sympy.Basic | Expression:
    """A part that a step derives; raises ValueError where it has none of that name."""
    parts: Derived = {} if step.derive is None else step.derive(assumptions)
    if part not in parts:
        raise ValueError(f"{step.name} derives no part {part!r}")
    return parts[part]


def stated_sign(step: Step, assumptions: Assumptions, part: str) -> int:
    """The sign that a step derives for one of its parts."""
    value = derived_part(step, assumptions, part)
    if not isinstance(value, Integer):
        raise ValueError(f"{step.name} derives no sign {part!r}")
    return int(value)


def compare(*rows: Comparison) -> CheckFunction:
    """The check that the simulated loss changes between two settings with the sign that the step derives."""

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        return [
            difference_check(
                row.part,
                row.low,
                row.high,
                stated_sign(step, assumptions, row.part),
                seed,
                rel_error=row.rel_error,
            )
            for row in rows
        ]

    return check


def _at_no_adaptation(setting: Setting, p: int) -> Setting:
    return replace(setting, p=p, alpha_r=0.0)


SIGN_SIGMA, SIGN_NU = Sign(r"\partial_\sigma\bar L"), Sign(r"\partial_\nu\bar L")
SIGN_TARGET = Sign(r"\partial_{n_r}\bar L")
SIGN_AT_0, SIGN_AT_UPPER = (
    Sign(r"\partial_{\alpha_r}\bar L\,(0)"),
    Sign(r"\partial_{\alpha_r}\bar L\,(\alpha_r^{\mathrm{up}})"),
)
SIGN_BEND = Sign(r"\partial^2_{\alpha_r}\bar L")
SLOPE_AT_0 = Sign(r"\partial_{\alpha_t}\bar L\,(0)")


def sign_near(name: str) -> Sign:
    """Label of the sign of a derivative when training starts at the task mean, without an inner loop; in p without adaptation too."""
    rates = r"\alpha_t=\alpha_r=0" if name == "p" else r"\alpha_t=0"
    return Sign(rf"\partial_{{{name}}}\bar L\ (\omega_0=w_0,\,{rates})")


def sign_far(name: str) -> Sign:
    """Label of the same sign when training starts far from the task mean; in p without adaptation."""
    rates = r",\,\alpha_r=0" if name == "p" else ""
    return Sign(rf"\partial_{{{name}}}\bar L\ (|\omega_0-w_0|\to\infty{rates})")


noise = compare(
    Comparison(SIGN_SIGMA, replace(BASE, sigma=0.6), replace(BASE, sigma=1.2)),
    Comparison(SIGN_NU, replace(BASE, nu=0.3), replace(BASE, nu=0.9)),
)
target_data = compare(Comparison(SIGN_TARGET, replace(BASE, n_r=5), replace(BASE, n_r=40)))
meta_data = compare(
    Comparison(sign_near("n_v"), replace(NEAR, n_v=2), replace(NEAR, n_v=8)),
    Comparison(sign_far("n_v"), replace(FAR, n_v=2), replace(FAR, n_v=8)),
    Comparison(sign_near("m"), replace(NEAR, m=2), replace(NEAR, m=8)),
    Comparison(sign_far("m"), replace(FAR, m=2), replace(FAR, m=8)),
    Comparison(sign_near("p"), _at_no_adaptation(NEAR, 30), _at_no_adaptation(NEAR, 90)),
    Comparison(sign_far("p"), _at_no_adaptation(FAR, 30), _at_no_adaptation(FAR, 90)),
)
slope_at_zero = compare(
    Comparison(SLOPE_AT_0, replace(BASE, alpha_t=-0.15), replace(BASE, alpha_t=0.15), 0.0005)
)


# -- with one validation row, every rate from the same draws ------------------------------------------------

RATES = (5.0, 10.0, 20.0, 40.0)
LIMIT_DIFFERENCE, LIMIT = r"\bar L(+\infty)-\bar L(-\infty)", r"\bar L(+\infty)"
# a rate at which what is left of the approach to the limit, of order 1/rate, is far below the sampling error
FAR_OUT = 1e7
GAP_SIZES = {"p": 20.0, "n_t": 12.0}
GAP_SETTING = {
    **GAP_SIZES,
    "n_v": 1,
    "m": 1,
    "n_r": 9,
    "sigma": 1.0,
    "nu": 0.0,
    "alpha_r": 0.0,
    "dist0_sq": 0.0,
}
GAP_DRAWS = 200_000
LOCATED_DRAWS = 2_000_000
BLOCK = 16_384
BEND = 0.3
# rates of a scan, and golden sections of the interval that it leaves: to about 1e-6
SCAN, SECTIONS = 17, 28
LOW, HIGH = r"\alpha_t^-", r"\alpha_t^+"
STATIONARY_LADDER = tuple({"xi": float(k), "p": 20 * k, "n_t": 5 * k} for k in (4, 7, 11, 16))
MAXIMUM_SIZES = ({"p": 48.0, "n_t": 32.0}, {"p": 60.0, "n_t": 40.0}, {"p": 72.0, "n_t": 48.0})
MAXIMUM_DRAWS = 50_000
SIGN_SIZES = {"p": 48.0, "n_t": 32.0}
Forms = tuple[Array, Array, Array]


def _quadratic_forms(sample: Sample) -> Forms:
    """|x|^2, x^T W x / n_t and |W x|^2 / n_t^2 for one validation row x: they give the loss at every rate.

    Only the direction of x matters to W, so X_t x / |x| = u is standard Gaussian, and the rest of X_t^T u is
    Gaussian with variance |u|^2 in the p - 1 other directions: three chi-squares per draw.
    """
    generator, count = sample.generator, sample.batch
    rows = sample["n_t"]
    length = generator.chisquare(sample["p"], count)
    along = generator.chisquare(rows, count)
    across = generator.chisquare(sample["p"] - 1, count)
    return length, length * along / rows, length * (along**2 + along * across) / rows**2


def _in_blocks(forms: Forms) -> list[Forms]:
    """The same draws in blocks that stay in the cache of a core."""
    length, once, twice = (np.split(form, range(BLOCK, len(form), BLOCK)) for form in forms)
    return list(zip(length, once, twice, strict=True))


def _curve(forms: Forms, rows: float, rate: float) -> Array:
    """Label-noise part of the deviation per draw: (1 + rate^2 |X^t x|^2 / n_t^2) / |A x|^2."""
    length, once, twice = forms
    return np.asarray((1 + rate**2 * once / rows) / (length - 2 * rate * once + rate**2 * twice))


def limits(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The loss at rates +a and -a differs by the derived difference and a gap that falls as 1/a; far out, on either
    side, the simulated loss approaches the derived limit as the formula does at any rate, as xi^-2."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no limits")
    parts = step.derive(assumptions)
    difference, limit = to_sympy(parts[LIMIT_DIFFERENCE]), to_sympy(parts[LIMIT])
    ladder = [(xi, setting_at(xi, base)) for xi, base in SIMULATED]
    checks = [_gap_between_sides(step.name, difference, seed)]
    for end, formula in ((FAR_OUT, limit), (-FAR_OUT, limit - difference)):
        checks.append(
            residual_check(
                f"decay of simulation at rate {end:g} minus the limit",
                [(xi, replace(setting, alpha_t=end)) for xi, setting in ladder],
                partial(_value, formula),
                -2.0,
                quantity="loss",
                rel_error=0.00002,
                sharp=True,
                base_seed=seed,
            )
        )
    return checks


def _value(formula: sympy.Basic, setting: Setting) -> float:
    return float(evaluate(formula, point(setting)))


def _gap_between_sides(name: str, difference: sympy.Expr, seed: int) -> Check:
    """How the loss at +a minus the loss at -a, less the derived difference, falls with a, on the same draws.

    With one validation row in all, unit noise, nu = 0 and alpha_r = 0 the loss is (1 + deviation) / 2.
    """
    gaps, errors = [], []
    for index in range(len(RATES)):
        gap, error = _gap_at(name, index, seed)
        gaps.append(gap - float(evaluate(difference, GAP_SETTING)))
        errors.append(error)
    return slope_check(
        "decay of the gap between the two sides",
        RATES,
        gaps,
        errors,
        -1.0,
        draws=GAP_DRAWS * len(RATES),
        seconds=0.0,
        sharp=True,
    )


# kept within a process, so that one measurement can be held against many claims
@lru_cache(maxsize=64)
def _gap_at(name: str, index: int, seed: int) -> tuple[float, float]:
    """Half the difference of the deviations at +a and -a for the rate a of this index, and its standard error."""
    forms = _quadratic_forms(Sample(name, GAP_SIZES, index, 0, batch=GAP_DRAWS, base_seed=seed))
    rows, rate = GAP_SIZES["n_t"], RATES[index]
    gap = (_curve(forms, rows, rate) - _curve(forms, rows, -rate)) / 2
    return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(gap.size))


def sign_of_root(place: str) -> Sign:
    """Label of the sign of a stationary rate."""
    return Sign(place)


def sign_of_bend(place: str) -> Sign:
    """Label of the sign of the second derivative at a stationary rate."""
    return Sign(rf"\partial^2\bar L\,({place})")


def stationary_rates(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The sampled minimum approaches the formula as 1/xi; the sampled maximum has its value.

    (At the maximum the finite-size correction is below a thousandth: too small to fit an exponent to.)
    """
    if step.derive is None:
        raise ValueError(f"{step.name} has no derivation to compare with")
    (label, formula), (upper_label, upper) = step.derive(assumptions).items()
    located = [
        _located(step.name, 1, tuple(sizes.items()), k, seed) for k, sizes in enumerate(STATIONARY_LADDER)
    ]
    values = [float(evaluate(to_sympy(formula), sizes)) for sizes in STATIONARY_LADDER]
    checks = [
        slope_check(
            f"decay of the located {label} minus the formula",
            [sizes["xi"] for sizes in STATIONARY_LADDER],
            [mean - value for (mean, _), value in zip(located, values, strict=True)],
            [stderr for _, stderr in located],
            -1.0,
            draws=LOCATED_DRAWS * len(located),
            seconds=0.0,
            sharp=True,
        )
    ]
    for k, sizes in enumerate(MAXIMUM_SIZES):
        mean, stderr = _located(step.name, -1, tuple(sizes.items()), k, seed, MAXIMUM_DRAWS)
        value = float(evaluate(to_sympy(upper), sizes))
        checks.append(mean_check(upper_label, sizes, value, Estimate(mean, stderr, MAXIMUM_DRAWS), 0.0))
    return checks


def extremum_signs(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Where the sampled minimum and maximum lie, and that the curve bends up and down there."""
    checks = []
    sizes = SIGN_SIZES
    for kind in (1, -1):
        place = LOW if kind > 0 else HIGH
        mean, stderr = _located(step.name, kind, tuple(sizes.items()), 0, seed)
        forms = _quadratic_forms(
            Sample(f"{step.name}{kind}", sizes, 1, 0, batch=LOCATED_DRAWS // 10, base_seed=seed)
        )
        ends = _curve(forms, sizes["n_t"], mean - BEND) + _curve(forms, sizes["n_t"], mean + BEND)
        bend = ends - 2 * _curve(forms, sizes["n_t"], mean)
        found = {
            sign_of_root(place): (mean, stderr),
            sign_of_bend(place): (float(bend.mean()), float(bend.std(ddof=1) / np.sqrt(bend.size))),
        }
        for part, (value, error) in found.items():
            checks.append(
                sign_check(
                    part,
                    sizes,
                    value,
                    error,
                    stated_sign(step, assumptions, part),
                    said="sampled",
                    draws=LOCATED_DRAWS,
                    seconds=0.0,
                )
            )
    return checks


@lru_cache(maxsize=64)
def _located(
    name: str,
    kind: int,
    sizes: tuple[tuple[str, float], ...],
    index: int,
    seed: int,
    draws: int = LOCATED_DRAWS,
) -> tuple[float, float]:
    """Mean and standard error of the located extremum over ten independent curves."""
    found = [
        _locate(Sample(f"{name}{kind}", dict(sizes), index, k, batch=draws // 10, base_seed=seed), kind)
        for k in range(10)
    ]
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found)))


def _locate(sample: Sample, kind: int) -> float:
    """The rate of the sampled minimum (kind 1, negative rates) or maximum (kind -1, positive rates)."""
    blocks = _in_blocks(_quadratic_forms(sample))

    def curve(rate: float) -> float:
        sums = [float(np.sum(_curve(block, sample["n_t"], rate))) for block in blocks]
        return kind * sum(sums) / sample.batch

    grid = np.linspace(*((-4.0, 0.0) if kind > 0 else (0.0, 2.0)), SCAN)
    best = int(np.argmin([curve(rate) for rate in grid]))
    return lowest_point(curve, grid[max(best - 1, 0)], grid[min(best + 1, SCAN - 1)], SECTIONS)
