"""How fast a residual decays with size, and whether that confirms a claimed order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from numeric_check.verdicts.verdict import SIGMAS, Verdict

EXPONENT_SPACING = 0.5
EXPONENT_SIGMAS = 3.0


def decay_rate(
    sizes: Sequence[float], residuals: Sequence[float], stderrs: Sequence[float]
) -> tuple[float, float]:
    """The exponent a in |residual| ~ size^a and its standard error, from a regression of logarithms.

    Each point weighs by the inverse variance of its logarithm; where the points scatter more than their
    errors allow (the power law is only asymptotic) the error is widened by that excess. Exact residuals
    (stderr 0) weigh equally. A residual within 5 of its standard errors of zero tells nothing about an
    exponent: then (nan, inf), which no claim survives. Raises ValueError for fewer than three sizes, unequal
    lengths, sizes not positive and distinct, or stderrs of which only some are 0.
    """
    x, r, s = (np.asarray(list(values), dtype=np.float64) for values in (sizes, residuals, stderrs))
    if not x.shape == r.shape == s.shape:
        raise ValueError(f"{x.size} sizes, {r.size} residuals, {s.size} stderrs: give as many of each")
    if x.size < 3:
        raise ValueError(f"{x.size} sizes: give at least three to tell a power law from none")
    if not (np.isfinite(x).all() and (x > 0).all()) or np.unique(x).size != x.size:
        raise ValueError("sizes must be positive, finite and distinct")
    if (s < 0).any() or ((s == 0).any() and not (s == 0).all()):
        raise ValueError("stderrs must be all positive (sampled) or all zero (exact)")
    if not (np.isfinite(r).all() and np.isfinite(s).all()) or (np.abs(r) <= SIGMAS * s).any():
        return math.nan, math.inf
    exact = bool((s == 0).all())
    log_error = np.ones_like(r) if exact else s / (np.abs(r) * math.log(2.0))
    weights = log_error**-2
    centred = np.log2(x) - np.average(np.log2(x), weights=weights)
    spread = float(np.sum(weights * centred**2))
    y = np.log2(np.abs(r))
    slope = float(np.sum(weights * centred * y) / spread)
    misfit = y - np.average(y, weights=weights) - slope * centred
    excess = float(np.sum(weights * misfit**2)) / (x.size - 2)
    return slope, math.sqrt((excess if exact else max(1.0, excess)) / spread)


def judge_decay(
    slope: float, error: float, claimed: float, *, sharp: bool = False, within: float = EXPONENT_SPACING / 2
) -> Verdict:
    """Whether a fitted exponent confirms O(size^claimed), or with `sharp` that the order is exactly that.

    Orders come in steps of 1/2, so an exponent is identified when it lies within 1/4 of the claim with three
    of its standard errors to spare (`within`: another distance than that); a bound is also confirmed by faster decay.
    """
    if not (math.isfinite(slope) and math.isfinite(error)):
        return Verdict("inconclusive", "a residual is lost in sampling noise: draw more or use smaller sizes")
    if error < 0:
        raise ValueError(f"error is {error}: a standard error cannot be negative")
    half, doubt = within, EXPONENT_SIGMAS * error
    distance = abs(slope - claimed) if sharp else max(0.0, slope - claimed)
    said = f"exponent {slope:.3f} +- {error:.2g} against {claimed:g}{'' if sharp else ', a bound'}"
    if doubt > half:
        return Verdict("inconclusive", f"{said}: cannot tell steps of {2 * half:g} apart")
    # else a reader takes the standard error for what decides, which it is not
    rule = f"{said}: {half:g} {'either way' if sharp else 'above it'} are allowed"
    if distance - doubt > half:
        return Verdict("disagree", rule)
    if distance + doubt <= half:
        return Verdict("agree", rule)
    return Verdict("inconclusive", f"{said}: between two orders, use larger sizes")
