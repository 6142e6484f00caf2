"""Proof status of a step: exact comparison of what is claimed with what is derived.

`proved`: every part of the claim equals the derived part exactly, and what an asymptotic claim neglects is bounded in
a step that is itself proved. `corrected`: some part is disproved by an exact counterexample and the corrected claim is
proved. Anything undecided is `failed`. What else there is: `ProofStatus.meaning`.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import sympy

from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.bounds import OUT_OF_REACH
from derivations.language.normal_form import NormalForm, normal_form
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.status import ProofStatus
from derivations.steps.step import Derived, Parts, Step
from symbolic.algebra.quotients import NotRational


@dataclass(frozen=True)
class Proof:
    """The computed proof status with its method, and the reason or counterexample where there is one."""

    status: ProofStatus
    method: str
    detail: str = ""


def difference(claimed: sympy.Basic, derived: object) -> NormalForm:
    """The normal form of `claimed - derived`; it has no terms exactly when the two are equal."""
    return normal_form(claimed).minus(normal_form(derived))


def disagreeing(claim: Parts, derived: Derived) -> dict[str, NormalForm]:
    """The parts in which a claim and a derivation differ; raises ValueError when their labels differ."""
    if set(claim) != set(derived):
        odd = sorted(set(claim) ^ set(derived))
        raise ValueError(f"claim and derivation have different parts: {', '.join(odd)}")
    found = {}
    for label, expr in claim.items():
        residual = difference(expr, derived[label])
        if not residual.is_zero():
            found[label] = residual
    return found


def counterexample(residual: NormalForm, seed: int = 1) -> Mapping[str, Fraction] | None:
    """Exact values of the symbols at which the residual is not zero, or None when none was found."""
    generator = random.Random(seed)
    for _ in range(40):
        for coefficient in residual.coefficients():
            names = coefficient.names()
            point = {
                name: Fraction(generator.randint(2, 9), generator.randint(1, 4)) for name in sorted(names)
            }
            try:
                if coefficient.at(point) != 0:
                    return point
            except (ZeroDivisionError, NotRational):
                continue
    return None


def prove(step: Step, assumptions: Assumptions = PAPER) -> Proof:
    """The proof status of a step under the assumptions (a claim is asserted only under the paper's)."""
    why_not = step.applies(assumptions)
    if why_not is not None:
        return Proof(ProofStatus.NOT_APPLICABLE, "", why_not)
    if step.kind in ("figure", "approximation"):
        return Proof(ProofStatus.NOT_APPLICABLE, "", step.reason)
    if step.derive is None:
        if step.kind == "definition":
            return Proof(ProofStatus.DEFINITION, "definition", step.reason)
        return Proof(ProofStatus.NONE, "", "no derivation")
    try:
        derived = step.derive(assumptions)
    except NotDerivable as error:
        return Proof(
            ProofStatus.FAILED if assumptions == PAPER else ProofStatus.NOT_APPLICABLE, "", str(error)
        )
    except (ArithmeticError, ValueError) as error:
        # an undecided sign or a missing closed form: a failure of the paper's own step, a limit elsewhere
        limit = isinstance(error, OUT_OF_REACH) and assumptions != PAPER
        status = ProofStatus.NOT_APPLICABLE if limit else ProofStatus.FAILED
        return Proof(status, step.method, f"not derived: {' '.join(str(error).split())[:200]}")
    fault = fault_of_chain(step, assumptions, derived)
    if fault:
        return Proof(ProofStatus.FAILED, step.method, fault)
    if assumptions.changes(step.depends_on):
        return Proof(
            ProofStatus.DERIVED, step.method, "beyond the paper: the printed claim is not asserted here"
        )
    if step.claim is None:
        return Proof(ProofStatus.FAILED, step.method, "nothing is claimed")
    found = compare(step, step.claim(), derived)
    return qualified(step) if found.status is ProofStatus.PROVED else found


def qualified(step: Step) -> Proof:
    """What the proof of a step amounts to whose claim equals its derivation: see `ProofStatus.meaning`.

    A step that names another which is not proved is `failed`.
    """
    others = {slug: _other(slug) for slug in step.proofs}
    for slug, (_, status) in others.items():
        # a counterexample may be that to a printed order: what it disproves is disproved exactly
        enough = (ProofStatus.PROVED, *([ProofStatus.CORRECTED] if slug == step.counterexample else []))
        if status not in enough:
            return Proof(ProofStatus.FAILED, step.method, f"it rests on {slug}, which is {status}")
    if bool(step.condition) != bool(step.counterexample):
        return Proof(
            ProofStatus.FAILED, step.method, "a condition needs a counterexample without it, and the reverse"
        )
    if step.condition:
        needed, without = others[step.condition][0], others[step.counterexample][0]
        said = f"true under a condition that is not printed, {needed.name}; false without, {without.name}"
        return Proof(ProofStatus.CONDITIONAL, step.method, said)
    if step.counted:
        said = "the order is that in probability, found by counting powers; that of the mean is not bounded"
        return Proof(ProofStatus.EXPANDED, step.method, said)
    if step.neglects and not step.bounded_by:
        said = (
            "the order of what is neglected is counted in powers; the tail of the expectation is not bounded"
        )
        return Proof(ProofStatus.EXPANDED, step.method, said)
    return Proof(ProofStatus.PROVED, step.method)


@cache
def _other(slug: str) -> tuple[Step, ProofStatus]:
    """Another step, and the status of its proof under the paper's assumptions."""
    # named, not imported: the result of a step does not depend on the contents
    step: Step = importlib.import_module("derivations.steps.contents").named(slug)
    return step, prove(step).status


def chain_of(step: Step, assumptions: Assumptions) -> Chain | None:
    """The step's proof move by move; None where it has none, or where a move does not apply under the assumptions.

    Under the paper's assumptions every move must apply: DoesNotApply and NotDerivable are raised there.
    """
    if step.derivation is None:
        return None
    try:
        return step.derivation(assumptions)
    except (DoesNotApply, NotDerivable):
        if not assumptions.changes(step.depends_on):
            raise
        return None


def fault_of_chain(step: Step, assumptions: Assumptions, derived: Derived) -> str:
    """What is wrong with the step's chain of moves: the first move that its second route disproves, or the part that
    does not end at what the step derives. Nothing where all is right, or where there is no chain.
    """
    try:
        chain = chain_of(step, assumptions)
    except (DoesNotApply, NotDerivable) as error:
        return f"the proof does not go through: {error}"
    if chain is None:
        return ""
    for k, move in enumerate(chain.moves):
        if move.disproved:
            return f"move {k + 1}, {move.rule}: {move.disproved[:200]}"
    if set(chain.parts) != set(derived):
        return f"the chain shows {', '.join(chain.parts)}; the step derives {', '.join(derived)}"
    for label, part in chain.parts.items():
        if part is not derived[label] and not difference(part, derived[label]).is_zero():
            return f"{label}: the chain does not end at what the step derives"
    return ""


def compare(step: Step, claim: Parts, derived: Derived) -> Proof:
    """Judge a claim against a derivation of the step."""
    try:
        wrong = disagreeing(claim, derived)
    except (ValueError, ZeroDivisionError) as error:
        return Proof(ProofStatus.FAILED, step.method, str(error))
    if not wrong:
        return Proof(ProofStatus.PROVED, step.method)
    label, residual = next(iter(wrong.items()))
    if step.correction is None:
        return Proof(ProofStatus.FAILED, step.method, f"{label}: claim and derivation differ by {residual}")
    point = counterexample(residual)
    if point is None:
        return Proof(
            ProofStatus.FAILED, step.method, f"{label}: they differ, but no exact counterexample was found"
        )
    try:
        still_wrong = disagreeing(step.correction(), derived)
    except (ValueError, ZeroDivisionError) as error:
        return Proof(ProofStatus.FAILED, step.method, str(error))
    if still_wrong:
        return Proof(
            ProofStatus.FAILED, step.method, f"{next(iter(still_wrong))}: the correction is wrong too"
        )
    if not point:
        said = f"{label}: {claim[label]} is printed, {derived[label]} derived"
        return Proof(ProofStatus.CORRECTED, step.method, said)
    where = ", ".join(f"{name} = {value}" for name, value in point.items())
    return Proof(ProofStatus.CORRECTED, step.method, f"{label}: the printed form is off at {where}")
