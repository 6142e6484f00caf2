"""The power of the checks: every perturbed claim must be rejected, by proof and, as far as draws reach, by sampling.

The score of a step counts its perturbations that really change the claimed function (decided by exact comparison),
how many the exact comparison with the derivation rejects, and how many the samples reject. What sampling cannot
resolve within its budget is listed with the draws it would take, what no sampled number depends on by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import normal_form
from derivations.steps.step import Derived, Parts, Step
from derivations.verification.perturb import Perturbation, perturbations
from derivations.verification.sampling_power import Missed, missed


@dataclass(frozen=True)
class Score:
    """How a step's perturbations fared.

    total: those that change the claimed function. equivalent: those that do not. survived_proof: accepted by the
    exact comparison with the derivation. missed: not rejected by sampling; None when the step was not sampled. exempt:
    changes of parts that say why they are not sampled.
    """

    step: str
    total: int
    equivalent: tuple[str, ...]
    survived_proof: tuple[str, ...]
    missed: tuple[Missed, ...] | None
    exempt: int = 0

    @property
    def rejected_by_proof(self) -> int:
        """Perturbations refused by the exact comparison."""
        return self.total - len(self.survived_proof)

    @property
    def sampled(self) -> int:
        """Perturbations held against samples."""
        return 0 if self.missed is None else self.total - self.exempt

    @property
    def unresolved(self) -> tuple[Missed, ...]:
        """Perturbations that more draws would reject."""
        return tuple(item for item in self.missed or () if math.isfinite(item.draws))

    @property
    def unseen(self) -> tuple[Missed, ...]:
        """Perturbations that change no sampled number."""
        return tuple(item for item in self.missed or () if math.isinf(item.draws))

    @property
    def rejected_by_sampling(self) -> int:
        """Perturbations refused by the samples."""
        return self.sampled - len(self.missed or ())


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


def score(step: Step, *, sampling: bool, seed: int = 0) -> Score:
    """Perturb the claim of a step in every way and count what is rejected; raises ValueError without a claim.

    A step with neither an observation nor a check is not sampled.
    """
    parts = right_claim(step)
    if parts is None or step.derive is None:
        raise ValueError(f"step {step.name!r} claims nothing that is derived")
    derived = step.derive(PAPER)
    judged = judge_exactly(parts, derived)
    sampled = sampling and (step.observe is not None or step.check is not None)
    held = [change for change in judged.changed if change.label not in step.not_sampled]
    found = missed(step, derived, held, seed) if sampled else None
    exempt = len(judged.changed) - len(held)
    return Score(
        step.name, len(judged.changed), tuple(judged.equivalent), tuple(judged.accepted), found, exempt
    )


def report(title: str, scores: Sequence[Score]) -> str:
    """Both scores of several steps, with everything that was not rejected by name."""
    total, sampled = sum(s.total for s in scores), sum(s.sampled for s in scores)
    proved, rejected = sum(s.rejected_by_proof for s in scores), sum(s.rejected_by_sampling for s in scores)
    lines = [
        f"{title}: of {total} changed claims the proof rejects {proved}; of {sampled} sampled, the samples "
        f"reject {rejected} ({rejected / max(sampled, 1):.2%})"
    ]
    for s in scores:
        lines += [f"  equal by algebra: {s.step}: {what}" for what in s.equivalent]
        lines += [f"  accepted by proof: {s.step}: {what}" for what in s.survived_proof]
        lines += [
            f"  not resolved: {s.step}: {item.label}: {item.change}: would take {item.draws:.2g} draws"
            for item in s.unresolved
        ]
        lines += [f"  not seen by sampling: {s.step}: {item.label}: {item.change}" for item in s.unseen]
        if s.total and s.missed is None:
            lines.append(f"  not sampled: {s.step}, {s.total} changed claims")
    return "\n".join(lines)
