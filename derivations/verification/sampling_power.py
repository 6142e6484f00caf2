"""Which perturbed claims the samples reject, and the draws that would reject the others.

Each size of a step is sampled once, a little, and all perturbed values are held against these means; where some remain
that more draws within the budget would reject, the size that needs fewest is sampled again, longer. Parts that the
step's own check confirms are tried by that check, whose samples are kept from one claim to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from derivations.language.assumptions import PAPER
from derivations.steps.status import NumericStatus
from derivations.steps.step import Check, Derived, Step
from derivations.verification.measure import Measured, measure
from derivations.verification.perturb import Perturbation
from numeric_check.verdicts.verdict import MARGIN, SIGMAS, draws_needed, judge

# in batches of about as many matrix entries each, whatever the size
PILOT_BATCHES = 8
MOST_BATCHES = 400
# a pilot's standard error is itself an estimate
RESERVE = 1.3
# standard errors, below which a sampled number has changed by rounding alone
UNCHANGED = 1e-6


@dataclass(frozen=True)
class Missed:
    """A perturbation that sampling did not reject: what was changed, and the draws that would show it.

    Infinitely many draws: no sampled number changes with it.
    """

    label: str
    change: str
    draws: float


def missed(
    step: Step, derived: Derived, candidates: Sequence[Perturbation], seed: int = 0
) -> tuple[Missed, ...]:
    """The perturbations that sampling does not reject within its budget."""
    count = len((*step.sizes, *step.power_sizes)) if step.observe is not None else 0
    pools = [list(measure(step, derived, index, seed, batches=PILOT_BATCHES)) for index in range(count)]
    observed = {result.label for pool in pools for result in pool}
    left = [candidate for candidate in candidates if candidate.label in observed]
    found = [
        Missed(candidate.label, candidate.change, draws)
        for candidate, draws in _by_estimates(step, derived, left, pools, seed)
    ]
    checked = [candidate for candidate in candidates if candidate.label not in observed]
    if checked:
        found.extend(_by_check(step, derived, checked, seed))
    return tuple(found)


# -- by the estimates at each size --------------------------------------------------------------------------


def _by_estimates(
    step: Step, derived: Derived, candidates: Sequence[Perturbation], pools: list[list[Measured]], seed: int
) -> list[tuple[Perturbation, float]]:
    """The perturbations that no size rejects, each with the fewest draws that would."""
    left: list[tuple[Perturbation, list[float]]] = []
    for candidate in candidates:
        needed = []
        for pool in pools:
            needed.append(_draws_at(candidate, pool, step.resolution))
            if needed[-1] == 0:
                break
        else:
            left.append((candidate, needed))
    per_batch = [pool[0].draws / PILOT_BATCHES for pool in pools]
    longest = [0] * len(pools)
    for _, needed in left:
        batches = [draws / each for draws, each in zip(needed, per_batch, strict=True)]
        cheapest = int(np.argmin(batches))
        if RESERVE * batches[cheapest] <= MOST_BATCHES:
            longest[cheapest] = max(longest[cheapest], math.ceil(RESERVE * batches[cheapest]))
    for index, batches_here in enumerate(longest):
        if batches_here == 0:
            continue
        pool = list(measure(step, derived, index, seed, batches=batches_here))
        for candidate, needed in left:
            needed[index] = min(needed[index], _draws_at(candidate, pool, step.resolution))
    return [(candidate, min(needed)) for candidate, needed in left if min(needed) > 0]


def _draws_at(candidate: Perturbation, pool: list[Measured], resolution: Mapping[str, float]) -> float:
    """0 when the estimates at this size reject the perturbed value, else the fewest draws that would."""
    fewest = math.inf
    for result in pool:
        if result.label != candidate.label:
            continue
        values = result.value_of(candidate.parts[candidate.label])
        numbers = zip(result.mean, result.stderr, values, result.expected, strict=True)
        for mean, stderr, value, right in numbers:
            if judge(mean, stderr, value, resolution=resolution.get(result.label)).status == "disagree":
                return 0.0
            if abs(value - right) > UNCHANGED * stderr > 0:
                fewest = min(fewest, draws_needed(float(stderr), result.draws, float(right), float(value)))
    return fewest


# -- by the step's own check --------------------------------------------------------------------------------


def _by_check(
    step: Step, derived: Derived, candidates: Sequence[Perturbation], seed: int
) -> Iterator[Missed]:
    right = step.check(step, PAPER, seed) if step.check is not None else []
    for candidate in candidates:
        wrong = _checks_of(step, {**derived, candidate.label: candidate.parts[candidate.label]}, seed)
        if wrong is None:
            continue
        draws = [_draws_for(one, other) for one, other in zip(right, wrong, strict=True)]
        if min(draws, default=math.inf) > 0:
            yield Missed(candidate.label, candidate.change, min(draws, default=math.inf))


def _checks_of(step: Step, wrong: Derived, seed: int) -> list[Check] | None:
    """What the step's check says when `wrong` stands in for the derivation; None when it cannot even be read."""
    if step.check is None:
        return []
    try:
        return step.check(replace(step, derive=lambda assumptions: wrong), PAPER, seed)
    except (ValueError, ArithmeticError):
        return None


def _draws_for(right: Check, wrong: Check) -> float:
    """0 when the comparison rejects the wrong claim, else the draws after which it would.

    It rejects by its verdict (for an exponent, in steps of 1/2), or by five standard errors where the right claim is
    within them.
    """
    distance, usual = abs(wrong.mean - wrong.value), abs(right.mean - right.value)
    if wrong.verdict != NumericStatus.AGREE or (
        usual <= SIGMAS * right.stderr and distance > SIGMAS * wrong.stderr
    ):
        return 0.0
    gap = abs((wrong.mean - wrong.value) - (right.mean - right.value))
    if not wrong.stderr < math.inf or gap <= UNCHANGED * wrong.stderr:
        return math.inf
    return max(wrong.draws * ((SIGMAS + MARGIN) * wrong.stderr / gap) ** 2, wrong.draws + 1.0)
