"""Verification of steps: proof and numeric status, remembered by content, several steps at a time.

A record is plain data, the JSON of `derive verify`. It is recomputed only when the sources, the libraries, the base
seed or an assumption that can change the step have changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from typing import Any

import numpy as np

from derivations.language.assumptions import NAMES, PAPER, Assumptions, NotDerivable
from derivations.language.extension import load_extensions
from derivations.steps.contents import ancestors, load, sampled_under_changes
from derivations.steps.step import Check, Step
from derivations.support import store
from derivations.support.workers import cores
from derivations.verification.measure import checks
from derivations.verification.prove import Proof, prove
from numeric_check.draws.processes import process_pool

Record = dict[str, Any]
PASSING_PROOFS = ("proved", "corrected", "definition", "derived", "not-applicable")
PASSING_NUMERICS = ("agree", "not-applicable", "skipped")


def describe(step: Step) -> Record:
    """What is known of a step without computing anything."""
    return {
        "name": step.name,
        "equations": list(step.equations),
        "kind": step.kind,
        "statement": step.statement,
        "uses": list(step.uses),
        "method": step.method,
        "page": step.anchor(),
        "remark": step.remark,
        "unreadable": step.unreadable,
    }


def relevant(step: Step, assumptions: Assumptions) -> dict[str, str]:
    """The assumptions on which the step's result depends, through everything it rests on."""
    steps = load()
    names = {name for slug in ancestors([step.name]) for name in steps[slug].depends_on}
    kept = names & set(NAMES) | set(assumptions.changes(names))
    return {name: value for name, value in assumptions.as_dict().items() if name in kept}


def _numeric(step: Step, assumptions: Assumptions, proof: Proof, seed: int) -> tuple[str, str, list[Check]]:
    if proof.status == "not-applicable":
        return "not-applicable", proof.detail, []
    if proof.status == "derived":
        return _variant(step, assumptions, seed)
    if step.observe is None and step.check is None:
        return "not-applicable", step.reason or "no numeric content of its own", []
    try:
        if step.derive is not None:
            parts = step.derive(assumptions)
        elif step.claim is not None:
            parts = step.claim()
        else:
            return "inconclusive", "nothing to compare with", []
        with np.errstate(all="ignore"):  # a mean that is not finite agrees with nothing: the verdict says so
            found = checks(step, assumptions, parts, seed)
    except NotDerivable as error:
        return "not-applicable", str(error), []
    return (*_summary(found), found)


def _variant(step: Step, assumptions: Assumptions, seed: int) -> tuple[str, str, list[Check]]:
    """Beyond the paper the losses, deviations and factors are simulated, and confirm what leads to them."""
    measured = sampled_under_changes(step.name)
    if measured is None:
        return (
            "not-applicable",
            "under changed assumptions the average losses that this leads to are simulated",
            [],
        )
    with np.errstate(all="ignore"):
        found = measured(step, assumptions, seed)
    return (*_summary(found), found)


def _summary(found: list[Check]) -> tuple[str, str]:
    for status in ("disagree", "inconclusive"):
        bad = [check for check in found if check.verdict == status]
        if bad:
            return status, f"{bad[0].label}: {bad[0].reason}"
    return ("agree", f"{len(found)} comparisons") if found else ("inconclusive", "nothing was compared")


def verify_step(
    name: str,
    assumptions: Assumptions = PAPER,
    *,
    symbolic: bool = True,
    numeric: bool = True,
    seed: int = 0,
    fresh: bool = False,
) -> Record:
    """The record of one step: from the store, or computed now and stored."""
    step = load()[name]
    where = relevant(step, assumptions)
    record = describe(step)
    seconds = 0.0
    for part, wanted in (("proof", symbolic), ("numeric", numeric)):
        if not wanted:
            record |= {part: "skipped", f"{part}_reason": "not asked for"}
            continue
        key = store.key(part, step=name, assumptions=where, seed=seed if part == "numeric" else 0)
        known = None if fresh else store.load(key)
        if known is None:
            known = _compute(part, step, assumptions, seed)
            store.save(key, known)
        record |= known["result"]
        seconds += known["seconds"]
    record.setdefault("checks", [])
    return record | {"seconds": seconds, "passed": passed(record)}


def _compute(part: str, step: Step, assumptions: Assumptions, seed: int) -> Record:
    started = time.monotonic()
    proof = prove(step, assumptions)
    if part == "proof":
        result: Record = {"proof": proof.status, "proof_reason": proof.detail}
    else:
        status, reason, found = _numeric(step, assumptions, proof, seed)
        result = {"numeric": status, "numeric_reason": reason, "checks": [asdict(check) for check in found]}
    return {"result": result, "seconds": time.monotonic() - started}


def passed(record: Record) -> bool:
    """Whether a record counts as verified: no failed, missing, disagreeing or inconclusive status."""
    return record["proof"] in (*PASSING_PROOFS, "skipped") and record["numeric"] in PASSING_NUMERICS


Report = Callable[[Record, int, int], None]
# a step and the assumptions under which it is looked at
Job = tuple[str, Assumptions]


def verify(
    names: Iterable[str] | None = None,
    assumptions: Assumptions = PAPER,
    *,
    symbolic: bool = True,
    numeric: bool = True,
    seed: int = 0,
    fresh: bool = False,
    report: Report | None = None,
) -> list[Record]:
    """Records of the named steps (default: all), in reading order; `report` hears of each as it is done."""
    wanted = list(load()) if names is None else list(dict.fromkeys(names))
    jobs = [(name, assumptions) for name in wanted]
    records = verify_jobs(jobs, symbolic=symbolic, numeric=numeric, seed=seed, fresh=fresh, report=report)
    return [records[name, assumptions] for name in load() if (name, assumptions) in records]


def verify_jobs(
    jobs: Sequence[Job],
    *,
    symbolic: bool = True,
    numeric: bool = True,
    seed: int = 0,
    fresh: bool = False,
    report: Report | None = None,
) -> dict[Job, Record]:
    """The record of each step under its own assumptions; `report` hears of each as it is done."""
    records: dict[Job, Record] = {}
    for job, record in _run(list(dict.fromkeys(jobs)), symbolic, numeric, seed, fresh):
        records[job] = record
        if report is not None:
            report(record, len(records), len(jobs))
    return records


def _run(
    jobs: list[Job], symbolic: bool, numeric: bool, seed: int, fresh: bool
) -> Iterator[tuple[Job, Record]]:
    options: dict[str, Any] = {"symbolic": symbolic, "numeric": numeric, "seed": seed}
    missing = []
    for job in jobs:
        if not fresh and _stored(*job, symbolic, numeric, seed):
            yield job, verify_step(*job, **options)
        else:
            missing.append(job)
    workers = min(cores(), len(missing))
    if workers <= 1:
        for job in missing:
            yield job, verify_step(*job, **options, fresh=fresh)
        return
    # spawned workers start clean; each draws from seeds of its own steps, so their number changes nothing
    with process_pool(workers, load_extensions) as pool:
        tasks = {pool.submit(verify_step, *job, **options, fresh=fresh): job for job in missing}
        for task in as_completed(tasks):
            yield tasks[task], task.result()


def _stored(name: str, assumptions: Assumptions, symbolic: bool, numeric: bool, seed: int) -> bool:
    where = relevant(load()[name], assumptions)
    return all(
        not wanted
        or store.load(store.key(part, step=name, assumptions=where, seed=seed if part == "numeric" else 0))
        is not None
        for part, wanted in (("proof", symbolic), ("numeric", numeric))
    )
