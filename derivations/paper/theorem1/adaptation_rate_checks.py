"""Numeric confirmation of where the loss is least in the adaptation rate: both ends of the bracket, and the bend."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.paper.theorem1.sampled_rates import (
    SIGN_AT_0,
    SIGN_AT_UPPER,
    SIGN_BEND,
    CheckFunction,
    Comparison,
    compare,
    derived_part,
    stated_sign,
)
from derivations.steps.draws import Array, squared_norms, transpose
from derivations.steps.step import Check, Step
from derivations.support.estimates import simulated
from derivations.verification.growth import sign_check
from derivations.verification.measure import mean_check, value_of_part
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from numeric_check.problem.setting import Setting

UPPER = r"\alpha_r^{\mathrm{up}}"
VERTEX_SIZES = ({"n_r": 5, "p": 4}, {"n_r": 8, "p": 6}, {"n_r": 14, "p": 3})
BATCHES, BATCH = 20, 20_000


def bracket(base: Setting, rel_error: float = 0.0005) -> CheckFunction:
    """The check that the loss falls at rate zero, rises at the derived upper end and bends up between them."""

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        sizes = {"n_r": float(base.n_r), "p": float(base.p)}
        upper = float(value_of_part(derived_part(step, assumptions, UPPER), sizes))
        at_0, low, high, at_upper = (replace(base, alpha_r=share * upper) for share in (0.0, 0.3, 0.7, 1.0))
        ends = compare(
            Comparison(SIGN_AT_0, at_0, low), Comparison(SIGN_AT_UPPER, high, at_upper, rel_error / 10)
        )
        bend = stated_sign(step, assumptions, SIGN_BEND)
        return [
            *ends(step, assumptions, seed),
            _bend(base, upper, rel_error, bend, seed),
            *_vertices(step, assumptions, seed),
        ]

    return check


def _bend(base: Setting, upper: float, rel_error: float, stated: int, seed: int) -> Check:
    """The second difference of the simulated loss over the bracket."""
    rates = [k * upper / 2 for k in range(3)]
    found = [simulated(replace(base, alpha_r=rate), "loss", rel_error, seed) for rate in rates]
    weights = (1, -2, 1)
    value = sum(weight * estimate.mean for weight, estimate in zip(weights, found, strict=True))
    error = (
        sum((weight * estimate.stderr) ** 2 for weight, estimate in zip(weights, found, strict=True)) ** 0.5
    )
    shown = {f"alpha_r {k + 1}": rate for k, rate in enumerate(rates)}
    return sign_check(
        SIGN_BEND,
        shown,
        value,
        error,
        stated,
        said="sampled",
        draws=sum(estimate.draws for estimate in found),
        seconds=0.0,
    )


def _vertices(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The rate at which the sampled h_r is least, against the derived upper end.

    For a fixed e with |e| = 1 and u = X e, |(I - alpha/n X^T X) e|^2 is 1 - 2 alpha |u|^2/n + alpha^2 |X^T u|^2/n^2.
    """
    checks = []
    for k, sizes in enumerate(VERTEX_SIZES):
        found, error = _vertex(step.name, k, seed)
        value = float(value_of_part(derived_part(step, assumptions, UPPER), sizes))
        checks.append(mean_check(UPPER, sizes, value, Estimate(found, error, BATCHES * BATCH), 0.0))
    return checks


# kept within a process, so that one measurement can be held against many claims
@lru_cache(maxsize=64)
def _vertex(slug: str, index: int, seed: int) -> tuple[float, float]:
    """The rate at which the sampled h_r is least at these sizes, and its standard error."""
    parts = [_slope_and_bend(slug, VERTEX_SIZES[index], index, batch, seed) for batch in range(BATCHES)]
    slope, bend = (np.concatenate(column) for column in zip(*parts, strict=True))
    found = float(slope.mean() / bend.mean())
    return found, float((slope - found * bend).std(ddof=1) / (bend.mean() * np.sqrt(bend.size)))


def _slope_and_bend(
    slug: str, sizes: dict[str, int], index: int, batch: int, seed: int
) -> tuple[Array, Array]:
    sample = Sample(f"{slug}/vertex", sizes, index, batch, batch=BATCH, base_seed=seed)
    x = sample.gaussian("n_r", "p")
    u = x[:, :, :1]
    return squared_norms(u) / sample["n_r"], squared_norms(transpose(x) @ u) / sample["n_r"] ** 2
