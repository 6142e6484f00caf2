"""The three-valued verdict on a sampled number, and what it would take to tell two numbers apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Status = Literal["agree", "disagree", "inconclusive"]
SIGMAS = 5.0
RELATIVE_RESOLUTION = 0.01
# standard errors beyond the five that reject, for a rejection that is almost certain
MARGIN = 3.0
ROUNDING = 1e-6
# of two numbers that are the same but for the rounding of doubles, over their size
SAME = 1e-13


@dataclass(frozen=True)
class Verdict:
    """The status and, in one line, why."""

    status: Status
    reason: str


def judge(mean: float, stderr: float, value: float, *, resolution: float | None = None) -> Verdict:
    """Whether a sampled mean confirms a value.

    agree: |mean - value| <= 5 stderr, and 5 stderr <= 1 % of |value| (or <= `resolution`, an absolute number
    declared where the value is zero or small by construction). disagree: |mean - value| > 5 stderr. Otherwise
    inconclusive: too few draws to say anything, or a number that is not finite. A standard error of 0 (or a
    millionth of the resolution) means the quantity is the same in every draw; it is compared pointwise,
    within `resolution`, which must then be given unless the two numbers are equal up to rounding. Raises ValueError for a
    negative stderr or a resolution that is not positive and finite.
    """
    if stderr < 0:
        raise ValueError(f"stderr is {stderr}: a standard error cannot be negative")
    if resolution is not None and not (math.isfinite(resolution) and resolution > 0):
        raise ValueError(f"resolution is {resolution}: give a positive finite number")
    if not (math.isfinite(mean) and math.isfinite(stderr) and math.isfinite(value)):
        return Verdict("inconclusive", f"not finite: mean {mean}, stderr {stderr}, value {value}")
    distance = abs(mean - value)
    # rounding alone can give a tiny spread to a quantity that is the same in every draw
    if stderr == 0.0 or (resolution is not None and SIGMAS * stderr <= ROUNDING * resolution):
        return _pointwise(distance, SAME * abs(value), resolution)
    z = distance / stderr
    if distance > SIGMAS * stderr:
        return Verdict(
            "disagree", f"{z:.1f} standard errors apart: {mean:.6g} +- {stderr:.2g} against {value:.6g}"
        )
    allowed = RELATIVE_RESOLUTION * abs(value) if resolution is None else resolution
    if SIGMAS * stderr > allowed:
        return Verdict(
            "inconclusive", f"resolves {SIGMAS * stderr:.2g} where {allowed:.2g} is needed: draw more"
        )
    return Verdict("agree", f"{z:.1f} standard errors apart, resolved to {SIGMAS * stderr:.2g}")


def _pointwise(distance: float, rounding: float, resolution: float | None) -> Verdict:
    if distance <= rounding:
        return Verdict("agree", "equal in every draw")
    if resolution is None:
        return Verdict(
            "inconclusive", "no spread between draws: declare the absolute resolution to compare with"
        )
    if distance <= resolution:
        return Verdict("agree", f"the same in every draw, {distance:.2g} from the value")
    return Verdict("disagree", f"the same in every draw, {distance:.2g} from the value")


def draws_needed(stderr: float, draws: int, value: float, perturbed: float) -> float:
    """Draws after which a perturbed value would be told from the true one.

    stderr: the standard error reached after `draws` draws. Rejection needs |mean - perturbed| > 5 stderr; the
    mean itself wanders by a few standard errors, hence `MARGIN` more of them: rejected with probability
    0.999. Infinite when the two values coincide. Raises ValueError for a stderr that is not positive or
    draws below 1.
    """
    if not stderr > 0 or draws < 1:
        raise ValueError(f"stderr is {stderr} after {draws} draws: both must be positive")
    gap = abs(perturbed - value)
    if gap == 0:
        return math.inf
    return max(1.0, float(math.ceil(draws * ((SIGMAS + MARGIN) * stderr / gap) ** 2)))
