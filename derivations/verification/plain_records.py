"""What verification finds, as plain data: the JSON of `derive verify`, of the store, and of the book's files of steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypedDict, cast

from derivations.steps.step import Check


class CheckRecord(TypedDict):
    """A `derivations.steps.step.Check`, field by field; its statuses as words."""

    label: str
    sizes: dict[str, float]
    value: float
    mean: float
    stderr: float
    draws: int
    seconds: float
    verdict: str
    reason: str
    comparison: str
    move: int
    probe: int
    longer: int
    drawn: float
    signed: tuple[float, float] | None


def as_record(check: Check) -> CheckRecord:
    """A check as plain data."""
    return cast(CheckRecord, asdict(check))


class ProofResult(TypedDict):
    """How the claim of a step stands against its derivation, and why."""

    proof: str
    proof_reason: str


class NumericResult(TypedDict):
    """How a step stands against sampling, why, and what was compared."""

    numeric: str
    numeric_reason: str
    checks: list[CheckRecord]


class Sampled(NumericResult):
    """The comparisons of a step."""

    name: str


class ProofPart(TypedDict):
    """A proof as it is kept, with the seconds that it took."""

    result: ProofResult
    seconds: float


class NumericPart(TypedDict):
    """The comparisons of a step as they are kept, with the seconds that they took."""

    result: NumericResult
    seconds: float


class Parts(TypedDict, total=False):
    """The parts of a record that are known, or asked for."""

    proof: ProofPart
    numeric: NumericPart


def parts_of(parts: Parts) -> list[tuple[str, ProofPart | NumericPart]]:
    """The parts that there are, by name."""
    return cast(list[tuple[str, ProofPart | NumericPart]], [*parts.items()])


class Description(TypedDict):
    """What is known of a step without computing anything."""

    name: str
    equations: list[str]
    kind: str
    statement: str
    uses: list[str]
    method: str
    page: str
    remark: str
    unreadable: str


class Record(Description, ProofResult, NumericResult):
    """A step and both its verdicts; of a part that was not asked for the status `skipped`."""

    seconds: float
    passed: bool
