"""Verification of steps: proof and numeric status, remembered by content, several steps at a time.

A record is plain data, the JSON of `derive verify`. A part of it is computed anew only when the modules that its step
reaches, the libraries, the base seed or an assumption that can change the step have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from derivations.language.assumptions import NAMES, PAPER, Assumptions
from derivations.language.extension import load_extensions, modules_adding
from derivations.steps.contents import (
    MODULE_OF,
    SAMPLED_UNDER_CHANGES,
    STATED_UNDER_CHANGES,
    ancestors,
    load,
    named,
    sampled_under_changes,
    watched,
)
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.steps.step import Step
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.estimates import from_store
from derivations.support.sources import reached
from derivations.support.workers import workers
from derivations.verification.examine import PARTS, Examined, broken_parts, examine
from derivations.verification.plain_records import (
    Description,
    NumericResult,
    Parts,
    ProofPart,
    ProofResult,
    Record,
    parts_of,
)
from derivations.verification.prove import told

# a step and the assumptions under which it is looked at
Job = tuple[str, Assumptions]
Keys = Mapping[str, store.Key]
Report = Callable[[Record, int, int], None]
# hears, about once a second, which steps are running, how many are done and how many there are
Tick = Callable[[Sequence[str], int, int], None]


def describe(step: Step) -> Description:
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
    names = {name for slug in ancestors([step.name], deciding=True) for name in named(slug).depends_on}
    kept = names & set(NAMES) | set(assumptions.changes(names))
    return {name: value for name, value in assumptions.as_dict().items() if name in kept}


def modules_of(name: str, assumptions: Assumptions = PAPER) -> set[str]:
    """The modules that state the step, what it rests on, and what the assumptions add: by these its proof is found."""
    step = named(name)
    where = relevant(step, assumptions)
    decided_by = (MODULE_OF[slug] for slug in ancestors([name], deciding=True))
    stating = {STATED_UNDER_CHANGES[one] for one in assumptions.changes(where) if one in STATED_UNDER_CHANGES}
    return {*decided_by, *stating, *modules_adding([*where, where.get("inputs", "")])}


def keys_of(name: str, assumptions: Assumptions = PAPER, seed: int = 0) -> dict[str, store.Key]:
    """The key of each part of a step's record: an edit of any module that the part reaches changes it."""
    where = relevant(named(name), assumptions)
    modules = _modules_of_parts(name, assumptions)
    return {
        "proof": store.key("proof", [*modules["proof"]], step=name, assumptions=where),
        "numeric": store.key("numeric", [*modules["numeric"]], step=name, assumptions=where, seed=seed),
    }


def _modules_of_parts(name: str, assumptions: Assumptions) -> dict[str, set[str]]:
    """The modules that find each part of a step's record."""
    modules = modules_of(name, assumptions)
    numeric = {*modules, "derivations.verification.examine"}
    if assumptions.changes(relevant(named(name), assumptions)) and name in SAMPLED_UNDER_CHANGES:
        numeric.add(SAMPLED_UNDER_CHANGES[name][0])
    return {"proof": {*modules, "derivations.verification.prove"}, "numeric": numeric}


def kept(keys: Keys) -> Parts:
    """The parts that the store holds under these keys."""
    found = {part: store.load(key) for part, key in keys.items()}
    return cast(Parts, {part: document for part, document in found.items() if document is not None})


def _computed(
    name: str, assumptions: Assumptions, wanted: Sequence[str], seed: int, known: ProofPart | None
) -> Examined:
    """What a worker does: the wanted parts of one step."""
    return examine(named(name), assumptions, wanted, seed, known=known, sampled=sampled_under_changes(name))


def _record(step: Step, parts: Parts, wanted: Sequence[str]) -> Record:
    proof: ProofResult = {"proof": ProofStatus.SKIPPED, "proof_reason": "not asked for"}
    numeric: NumericResult = {
        "numeric": NumericStatus.SKIPPED,
        "numeric_reason": "not asked for",
        "checks": [],
    }
    seconds = 0.0
    if "proof" in wanted:
        proof = parts["proof"]["result"]
        seconds += parts["proof"]["seconds"]
    if "numeric" in wanted:
        numeric = parts["numeric"]["result"]
        seconds += parts["numeric"]["seconds"]
    return {
        **describe(step),
        **proof,
        **numeric,
        "seconds": seconds,
        "passed": passed(proof["proof"], numeric["numeric"]),
    }


def passed(proof: str, numeric: str) -> bool:
    """Whether a step with these statuses counts as verified: none failed, missing, disagreeing or inconclusive."""
    return ProofStatus(proof).passes and NumericStatus(numeric).passes


def checked(record: Record) -> bool:
    """Whether anything of a step was held against anything: what does not apply has passed no check."""
    return ProofStatus(record["proof"]).checked or NumericStatus(record["numeric"]).checked


def all_pass(records: Sequence[Record]) -> bool:
    """Whether all records pass, and something was checked."""
    return all(record["passed"] for record in records) and any(checked(record) for record in records)


def verify_step(name: str, assumptions: Assumptions = PAPER, **options: Any) -> Record:
    """The record of one step, with the options of `verify_jobs`, in this process."""
    return verify_jobs([(name, assumptions)], **options)[name, assumptions]


def verify(
    names: Iterable[str] | None = None,
    assumptions: Assumptions = PAPER,
    *,
    symbolic: bool = True,
    numeric: bool = True,
    seed: int = 0,
    fresh: bool = False,
    report: Report | None = None,
    tick: Tick | None = None,
) -> list[Record]:
    """Records of the named steps (default: all), in reading order; with the options of `verify_jobs`."""
    jobs = [(name, assumptions) for name in (load() if names is None else names)]
    records = verify_jobs(
        jobs, symbolic=symbolic, numeric=numeric, seed=seed, fresh=fresh, report=report, tick=tick
    )
    return [records[name, assumptions] for name in MODULE_OF if (name, assumptions) in records]


def verify_jobs(
    jobs: Sequence[Job],
    *,
    symbolic: bool = True,
    numeric: bool = True,
    seed: int = 0,
    fresh: bool = False,
    report: Report | None = None,
    tick: Tick | None = None,
) -> dict[Job, Record]:
    """The record of each step under its own assumptions: from the store, or computed now and stored.

    What is computed looks up the estimates of losses that were drawn before by the same code, unless `fresh` is asked for.
    An exception in one step makes that step `failed`, and is not stored. `report` hears of each record as it is done,
    `tick` of what is running.
    """
    wanted = [part for part, asked in zip(PARTS, (symbolic, numeric), strict=True) if asked]
    jobs = list(dict.fromkeys(jobs))
    records: dict[Job, Record] = {}

    def done(job: Job, parts: Parts) -> None:
        records[job] = _record(named(job[0]), parts, wanted)
        if report is not None:
            report(records[job], len(records), len(jobs))

    missing: dict[Job, tuple[Keys, Parts]] = {}
    for job in jobs:
        keys = keys_of(*job, seed)
        known: Parts = {} if fresh else kept(keys)
        if all(part in known for part in wanted):
            done(job, known)
        else:
            missing[job] = keys, known

    took = _Seconds()
    order = sorted(missing, key=took.expected, reverse=True)
    tasks = [
        (job, [part for part in wanted if part not in missing[job][1]], seed, missing[job][1].get("proof"))
        for job in order
    ]
    proved: dict[str, ProofPart] = {}

    def others(task: Task) -> dict[str, ProofPart]:
        """The proofs that decide the status of a step, as far as they are known: nobody has to find them again."""
        for slug in named(task[0][0]).proofs:
            if slug not in proved and not fresh:
                known = kept({"proof": keys_of(slug)["proof"]})
                proved.update({slug: known["proof"]} if "proof" in known else {})
        return {slug: proved[slug] for slug in named(task[0][0]).proofs if slug in proved}

    def now(running: Sequence[str]) -> object:
        return tick and tick(running, len(records), len(jobs))

    for job, examined in _run(tasks, others, now, fresh=fresh):
        its_keys, known_before = missing[job]
        for part, document in parts_of(examined.parts):
            if part not in examined.broken:
                store.save(its_keys[part], document)
        if "proof" in examined.parts and "proof" not in examined.broken and job[1] == PAPER:
            proved[job[0]] = examined.parts["proof"]
        took.note(job, examined)
        done(job, {**known_before, **examined.parts})
    took.keep()
    return records


Task = tuple[Job, list[str], int, ProofPart | None]


def _run(
    tasks: list[Task],
    others: Callable[[Task], dict[str, ProofPart]],
    tick: Callable[[Sequence[str]], object],
    *,
    fresh: bool,
) -> Iterator[tuple[Job, Examined]]:
    """Each job as it ends, begun about in this order; each draws from seeds of its own steps, so that who does it changes nothing.

    others: asked for each job when it begins. fresh: whether all is drawn, whatever the store holds.
    """
    ended: list[Task] = []
    begun = ((task, others(task)) for task in _by_rooms(tasks, ended))
    with workers(len(tasks), load_extensions) as executor:
        for (task, _), future in executor.ended(
            partial(_examined, fresh=fresh), begun, lambda running: tick([task[0][0] for task, _ in running])
        ):
            ended.append(task)
            yield task[0], _outcome(future, task[1])


def _by_rooms(tasks: Sequence[Task], ended: list[Task]) -> Iterator[Task]:
    """The jobs in this order, but that a worker goes on in a room of the paper where it is, as its steps share derivations:
    the next goes to who did what is first in `ended`, and comes from a room that is his, else nobody's, else another's. What
    rests on a proof that is not yet found comes after it, as far as there is anything else.
    """
    waiting, whose, did = list(tasks), dict[str, int](), dict[Job, int]()
    while waiting:
        worker = did.pop(ended.pop(0)[0]) if ended else len(did)
        unproved = {name for (name, _), *_ in waiting} | {name for name, _ in did}
        rooms = [
            MODULE_OF[job[0]].removeprefix("derivations.paper.").partition(".")[0] for job, *_ in waiting
        ]
        owners = [whose.get(room) for room in rooms]
        rests = [not unproved.isdisjoint(named(job[0]).proofs) for job, *_ in waiting]
        whose_turn = {worker: 0, None: 1}
        ranks = [whose_turn.get(owner, 2) for owner in owners]
        *_, place = min(zip(rests, ranks, range(len(waiting)), strict=True))
        task = waiting.pop(place)
        whose.setdefault(rooms[place], worker)
        did[task[0]] = worker
        yield task


def _examined(begun: tuple[Task, dict[str, ProofPart]], *, fresh: bool) -> Examined:
    (job, parts, seed, known), others = begun
    proofs = {slug: ProofStatus(proof["result"]["proof"]) for slug, proof in others.items()}
    with told(proofs), from_store(not fresh), watched() as looked_up:
        found = _computed(*job, parts, seed, known)
    odd = looked_up - reached(set().union(*_modules_of_parts(*job).values()))
    if odd:
        # its key would not change with them
        said = f"it looks up steps of {', '.join(sorted(odd))}, which it does not say that it rests on"
        return Examined(broken_parts(parts, RuntimeError(said)), frozenset(parts))
    return found


def _outcome(future: Future[Examined], parts: Sequence[str]) -> Examined:
    try:
        return future.result()
    except BadInput:
        raise  # of the place where it should run
    except Exception as error:  # the process itself was lost, or what it found could not be sent
        return Examined(broken_parts(parts, error), frozenset(parts))


class _Seconds:
    """How long each step took when it was last computed, with all that it draws, whatever has been edited since: the longest go first."""

    def __init__(self) -> None:
        self._key = store.key("seconds", ())
        self._took: dict[str, float] = store.load(self._key) or {}
        self._noted = False

    @staticmethod
    def _label(job: Job) -> str:
        return f"{job[0]}, {job[1].label()}"

    def expected(self, job: Job) -> float:
        """The seconds that a job took; of one that never ran, more than any where it has a check of its own."""
        step = named(job[0])
        unknown = 1e3 if step.check is not None else 10.0 * (step.observe is not None)
        return self._took.get(self._label(job), unknown)

    def note(self, job: Job, examined: Examined) -> None:
        """Remember what a job took."""
        self._took[self._label(job)] = sum(part["seconds"] for _, part in parts_of(examined.parts))
        self._noted = True

    def keep(self) -> None:
        """Write down what was noted."""
        if self._noted:
            store.save(self._key, self._took)
