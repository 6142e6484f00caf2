"""The power of the checks: every perturbed claim must be rejected, by proof and, as far as draws reach, by sampling.

The score of a step counts its perturbations that really change the claimed function (decided by exact comparison),
how many the exact comparison with the derivation rejects, and how many the samples reject. What sampling cannot
resolve within its budget is listed with the draws it would take.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy

from derivations.assumptions import PAPER
from derivations.evaluate import MissingValue
from derivations.measure import Measured, measure
from derivations.perturb import Perturbation, perturbations
from derivations.reading import normal_form
from derivations.step import Derived, Parts, Step
from numeric_check.verdict import draws_needed, judge


@dataclass(frozen=True)
class Unresolved:
    """A perturbation that sampling did not reject: what was changed, and the draws that would show it."""

    label: str
    change: str
    draws: float


@dataclass(frozen=True)
class Score:
    """How a step's perturbations fared."""

    step: str
    total: int
    equivalent: tuple[str, ...]
    survived_proof: tuple[str, ...]
    sampled: int
    unresolved: tuple[Unresolved, ...]

    @property
    def rejected_by_proof(self) -> int:
        """Perturbations refused by the exact comparison."""
        return self.total - len(self.survived_proof)

    @property
    def rejected_by_sampling(self) -> int:
        """Perturbations refused by the samples."""
        return self.sampled - len(self.unresolved)


def right_claim(step: Step) -> Parts | None:
    """The claim that holds: the printed one, or its correction."""
    if step.correction is not None:
        return step.correction()
    return None if step.claim is None else step.claim()


@dataclass(frozen=True)
class Judged:
    """The perturbations of a claim sorted by exact comparison: with the claim, and with the derivation."""

    changed: list[Perturbation]
    equivalent: list[str]
    accepted: list[str]


def judge_exactly(parts: Parts, derived: Derived) -> Judged:
    """Which perturbations change the claimed function, and which of those the derivation would let pass."""
    claimed = {label: normal_form(part) for label, part in parts.items()}
    right = {label: normal_form(part) for label, part in derived.items()}
    judged = Judged([], [], [])
    for candidate in perturbations(parts):
        what = f"{candidate.label}: {candidate.change}"
        try:
            form = normal_form(candidate.parts[candidate.label])
            same = form.minus(claimed[candidate.label]).is_zero()
            passes = form.minus(right[candidate.label]).is_zero()
        except (ValueError, ZeroDivisionError):
            same = passes = False  # not readable as a formula of the right shape: refused
        if same:
            judged.equivalent.append(what)
            continue
        judged.changed.append(candidate)
        if passes:
            judged.accepted.append(what)
    return judged


def score(step: Step, *, sampling: bool, seed: int = 0, seconds: float = 4.0) -> Score:
    """Perturb the claim of a step in every way and count what is rejected; raises ValueError without a claim."""
    parts = right_claim(step)
    if parts is None or step.derive is None:
        raise ValueError(f"step {step.name!r} claims nothing that is derived")
    derived = step.derive(PAPER)
    judged = judge_exactly(parts, derived)
    sampled, unresolved = _sampling(step, derived, judged.changed, seed, seconds) if sampling else (0, ())
    return Score(
        step.name, len(judged.changed), tuple(judged.equivalent), tuple(judged.accepted), sampled, unresolved
    )


def _sampling(
    step: Step, derived: Derived, changed: list[Perturbation], seed: int, seconds: float
) -> tuple[int, tuple[Unresolved, ...]]:
    measured = [
        result
        for index in range(len((*step.sizes, *step.power_sizes)) if step.observe is not None else 0)
        for result in measure(step, derived, index, seed, seconds=seconds, sharpen=8.0)
    ]
    observed = {result.label for result in measured}
    unresolved, sampled = [], 0
    for candidate in changed:
        if candidate.label in observed:
            draws = _draws_to_reject(candidate, measured, step.resolution)
        elif step.check is not None:
            draws = 0.0 if _check_rejects(step, candidate, seed) else math.inf
        else:
            continue
        sampled += 1
        if draws > 0:
            unresolved.append(Unresolved(candidate.label, candidate.change, draws))
    return sampled, tuple(unresolved)


def _draws_to_reject(
    candidate: Perturbation, measured: list[Measured], resolution: Mapping[str, float]
) -> float:
    """0 when some size rejects the perturbed value, else the fewest draws that would."""
    fewest = math.inf
    for result in measured:
        if result.label != candidate.label:
            continue
        try:
            values = result.value_of(candidate.parts[candidate.label])
        except (ValueError, MissingValue, ZeroDivisionError, OverflowError, np.linalg.LinAlgError):
            return 0.0  # no number of the right shape at all
        if values.shape != result.mean.shape:
            return 0.0
        for mean, stderr, value, right in zip(
            result.mean, result.stderr, values, result.expected, strict=True
        ):
            if not math.isfinite(value):
                return 0.0
            verdict = judge(mean, stderr, value, resolution=resolution.get(candidate.label))
            if verdict.status == "disagree":
                return 0.0
            if stderr > 0 and value != right:
                fewest = min(fewest, draws_needed(float(stderr), result.draws, float(right), float(value)))
    return fewest


def _check_rejects(step: Step, candidate: Perturbation, seed: int) -> bool:
    """Whether the step's own check fails when the perturbed claim stands in for the derivation."""
    if step.check is None:
        return False
    wrong: Derived = dict(candidate.parts)
    try:
        found = step.check(replace(step, derive=lambda assumptions: wrong), PAPER, seed)
    except (ValueError, ArithmeticError, TypeError, sympy.SympifyError):
        return True
    return any(check.verdict != "agree" for check in found)
