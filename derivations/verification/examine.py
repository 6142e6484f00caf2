"""One step examined: its proof, and its formula held against sampling. It knows no step, no store and no processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.steps.chain import Chain
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.steps.step import Check, Derived, Step
from derivations.support.estimates import spared
from derivations.verification.measure import checks
from derivations.verification.moves import move_checks
from derivations.verification.plain_records import NumericResult, Parts, ProofPart, ProofResult, as_record
from derivations.verification.prove import Proof, chain_of, proof_of, prove

Sampled = Callable[[Step, Assumptions, int], list[Check]]
PARTS = ("proof", "numeric")
R = TypeVar("R", ProofResult, NumericResult)


@dataclass(frozen=True)
class Examined:
    """The parts of a record that were computed; `broken` says which of them an exception ended: they are not kept."""

    parts: Parts
    broken: frozenset[str] = frozenset()


def examine(
    step: Step,
    assumptions: Assumptions,
    wanted: Sequence[str],
    seed: int = 0,
    *,
    known: ProofPart | None = None,
    sampled: Sampled | None = None,
) -> Examined:
    """The wanted parts of the step's record; one derivation serves both. An exception makes its part `failed`.

    known: the proof part, when it is known from before. sampled: what samples the step under changed assumptions.
    """
    alike = step.remembering()
    found: Parts = {}
    broken: set[str] = set()

    def timed(part: str, result: Callable[[], R], failed: Callable[[BaseException], R]) -> tuple[R, float]:
        """A result and its seconds, with what estimates took that came from the store: those of all that it rests on."""
        started, spared_before = time.monotonic(), spared()
        try:
            # a mean that is not finite agrees with nothing: the verdict says so, and no line on stderr
            with np.errstate(all="ignore"):
                given = result()
        except Exception as error:  # whatever goes wrong in one step is that step's: all others are examined
            given = failed(error)
            broken.add(part)
        return given, time.monotonic() - started + spared() - spared_before

    proof = known
    if "proof" in wanted or proof is None:
        proved, seconds = timed("proof", lambda: _proof(step, alike, assumptions), broken_proof)
        proof = found["proof"] = {"result": proved, "seconds": seconds}
    if "numeric" in wanted:
        stands = proof["result"]
        compared, seconds = timed(
            "numeric", lambda: _numeric(alike, assumptions, stands, seed, sampled), broken_numeric
        )
        found["numeric"] = {"result": compared, "seconds": seconds}
    return Examined(found, frozenset(broken))


def broken_parts(wanted: Sequence[str], error: BaseException) -> Parts:
    """The wanted parts of a step, which an exception ended."""
    found: Parts = {}
    if "proof" in wanted:
        found["proof"] = {"result": broken_proof(error), "seconds": 0.0}
    if "numeric" in wanted:
        found["numeric"] = {"result": broken_numeric(error), "seconds": 0.0}
    return found


def broken_proof(error: BaseException) -> ProofResult:
    """The proof that an exception ended."""
    return {"proof": ProofStatus.FAILED, "proof_reason": _said(error)}


def broken_numeric(error: BaseException) -> NumericResult:
    """The comparison that an exception ended."""
    return {"numeric": NumericStatus.FAILED, "numeric_reason": _said(error), "checks": []}


def _said(error: BaseException) -> str:
    said = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _proof(step: Step, alike: Step, assumptions: Assumptions) -> ProofResult:
    proof: Proof = proof_of(step, alike) if assumptions == PAPER else prove(alike, assumptions)
    return {"proof": proof.status, "proof_reason": proof.detail}


def _numeric(
    step: Step, assumptions: Assumptions, proof: ProofResult, seed: int, sampled: Sampled | None
) -> NumericResult:
    status, reason, found = _compared(step, assumptions, proof, seed, sampled)
    for check in found:
        numbers = {name: getattr(check, name) for name in ("value", "mean", "stderr")}
        if check.signed is not None:
            numbers |= dict(zip(("number with the sign", "error of that"), check.signed, strict=True))
        odd = [name for name, number in numbers.items() if not math.isfinite(number)]
        if odd:
            raise ArithmeticError(f"{check.label}: the {odd[0]} is {numbers[odd[0]]}; {check.reason}")
    return {"numeric": status, "numeric_reason": reason, "checks": [as_record(check) for check in found]}


def _compared(
    step: Step, assumptions: Assumptions, proof: ProofResult, seed: int, sampled: Sampled | None
) -> tuple[NumericStatus, str, list[Check]]:
    tested = step.proofless and step.check is not None and step.applies(assumptions) is None
    if proof["proof"] == ProofStatus.NOT_APPLICABLE and not tested:
        return NumericStatus.NOT_APPLICABLE, proof["proof_reason"], []
    if proof["proof"] == ProofStatus.DERIVED:
        # beyond the paper the losses, deviations and factors are simulated, and confirm what leads to them
        chain = chain_of(step, assumptions)
        if sampled is None and chain is None:
            said = "under changed assumptions the average losses that this leads to are simulated"
            return NumericStatus.NOT_APPLICABLE, said, []
        found = [] if sampled is None else sampled(step, assumptions, seed)
        if chain is not None:
            # the rate at which what is left out falls is that of what is simulated against the formula
            found = found + _moves(chain, step, assumptions, seed, ladders=sampled is None)
        return (*_summary(found), found)
    if step.observe is None and step.check is None and step.derivation is None:
        return NumericStatus.NOT_APPLICABLE, step.reason or "no numeric content of its own", []
    try:
        if step.derive is not None:
            parts = step.derive(assumptions)
        elif step.claim is not None:
            parts = step.claim()
        elif tested:
            parts = {}
        else:
            return NumericStatus.INCONCLUSIVE, "nothing to compare with", []
        found = checks(step, assumptions, parts, seed)
        chain = chain_of(step, assumptions)
        if chain is not None:
            found += _moves(chain, step, assumptions, seed)
    except NotDerivable as error:
        return NumericStatus.NOT_APPLICABLE, str(error), []
    status, reason = _summary(found)
    lacking = _not_observed(step, parts, found)
    return (
        (NumericStatus.INCONCLUSIVE, lacking, found)
        if lacking and status == NumericStatus.AGREE
        else (status, reason, found)
    )


def _moves(
    chain: Chain, step: Step, assumptions: Assumptions, seed: int, *, ladders: bool = True
) -> list[Check]:
    noise = assumptions.noise_val
    numbers = {} if noise is None else {"sigma_v": float(noise)}
    return move_checks(chain, step, numbers, seed, ladders=ladders)


# sizes at which a step is observed: a wrong exponent of a dimension can agree at two
FEWEST_SIZES = 3


def _not_observed(step: Step, parts: Derived, found: Sequence[Check]) -> str:
    """What the observation of a step leaves out of what is derived, or allows; empty where there is none, or it is not observed."""
    if step.observe is None:
        return ""
    if len(step.sizes) < FEWEST_SIZES:
        return f"it is observed at {len(step.sizes)} sizes: give {FEWEST_SIZES} or more"
    own = [check for check in found if not check.move]
    for check in own:
        if 0 < abs(check.value) < step.resolution.get(check.label, 0.0):
            return f"{check.label}: a resolution of {step.resolution[check.label]:g} allows more than the value {check.value:.3g}"
    missing = parts.keys() - {check.label for check in own} - step.not_sampled.keys()
    return f"{min(missing)} is not observed, and no reason is given" if missing and step.check is None else ""


def _summary(found: list[Check]) -> tuple[NumericStatus, str]:
    for status in (NumericStatus.DISAGREE, NumericStatus.INCONCLUSIVE):
        bad = [check for check in found if check.verdict == status]
        if bad:
            return status, f"{bad[0].label}: {bad[0].reason}"
    if not found:
        return NumericStatus.INCONCLUSIVE, "nothing was compared"
    return NumericStatus.AGREE, f"{len(found)} comparisons"
