"""Every pair of changed assumptions in both regimes: derived and confirmed by sampling, or refused with the reason.

`python -m derivations.variants.combinations` writes the table anew (about ten minutes on two cores; what is done is kept). The
tests derive all of it again and compare the values, compute again what is held to the exact loss, and simulate some of the rest,
others in each run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from derivations.language.assumptions import InvalidAssumption, read
from derivations.language.regime import Regime
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.support.files import whole
from derivations.variants.everything_drawn import LABEL as PLAIN
from derivations.variants.losses import GENERAL, OVER, UNDER
from derivations.verification.plain_records import CheckRecord, Record
from derivations.verification.verify import Report, verify_jobs

CHANGES = (
    "inner_steps=2",
    "inner_steps=4",
    "adaptation_steps=2",
    "inputs=rademacher",
    "inputs=uniform",
    "inputs=laplace",
    "covariance=general",
    "split=reused",
    "noise_val=1/3",
    "order=next",
)
DERIVED, REFUSED, OPEN = "derived", "refused", "not confirmed"
STORED = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Combination:
    """One set of changes in one regime.

    verdict: `derived` (and confirmed by sampling), `refused`, or `not confirmed`. reason: why it is refused, or what
    was compared. checks: the comparisons, from the smallest size to the largest, for what is derived.
    """

    words: tuple[str, ...]
    regime: Regime
    verdict: str
    reason: str
    checks: list[CheckRecord]


def pairs(changes: Sequence[str] = CHANGES) -> list[tuple[str, ...]]:
    """Each change alone, and each two that change different assumptions and do not contradict each other."""
    return [(word,) for word in changes] + [two for two in combinations(changes, 2) if _sensible(two)]


def _sensible(words: tuple[str, ...]) -> bool:
    names = [word.partition("=")[0] for word in words]
    if len(set(names)) < len(names):
        return False
    try:
        read(words)
    except InvalidAssumption:
        return False
    return True


def step_of(words: Sequence[str], regime: Regime) -> str:
    """The step that states the average loss of a regime under the changes."""
    if regime is Regime.UNDER:
        return UNDER
    return GENERAL if "covariance=general" in words else OVER


def judged(words: tuple[str, ...], regime: Regime, record: Record) -> Combination:
    """The line of the table that a verified record makes; sampling must agree at three sizes or more.

    The paper's own loss, which a change does not touch, is confirmed by its own ladders, of four sizes each.
    """
    if record["proof"] == ProofStatus.NOT_APPLICABLE:
        return Combination(words, regime, REFUSED, record["proof_reason"], [])
    # the moves that lead to the loss are compared too, and what estimates it; the table is of the loss itself
    checks = [check for check in record["checks"] if not check["move"] and check["label"] != PLAIN]
    agreeing = [check for check in checks if check["verdict"] == NumericStatus.AGREE]
    enough = len(agreeing) >= (3 if record["proof"] == ProofStatus.DERIVED else 1)
    confirmed = ProofStatus(record["proof"]).stands and record["numeric"] == NumericStatus.AGREE and enough
    verdict = DERIVED if confirmed else OPEN
    return Combination(words, regime, verdict, record["numeric_reason"], checks)


def places() -> list[tuple[tuple[str, ...], Regime]]:
    """Every single change and every pair, in both regimes."""
    return [(words, regime) for words in pairs() for regime in Regime]


def compute(
    chosen: Sequence[tuple[tuple[str, ...], Regime]], report: Report | None = None
) -> list[Combination]:
    """The lines of these changes and regimes, verified; what is in the store is not computed again."""
    jobs = {key: (step_of(*key), read(key[0])) for key in chosen}
    records = verify_jobs(list(jobs.values()), report=report)
    return [judged(words, regime, records[jobs[words, regime]]) for words, regime in chosen]


def stored(path: Path = STORED) -> list[Combination]:
    """The committed table."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        Combination(**{**row, "words": tuple(row["words"]), "regime": Regime(row["regime"])}) for row in rows
    ]


def write(rows: Sequence[Combination], path: Path = STORED) -> None:
    """Write the table."""
    lines = ",\n".join(
        json.dumps({**asdict(row), "regime": row.regime.value}, ensure_ascii=False) for row in rows
    )
    with whole(path) as temporary:
        temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main() -> int:
    """Compute the table and write it; status 1 when something is not confirmed."""

    def report(record: Record, done: int, total: int) -> None:
        sys.stderr.write(f"{done} of {total}: {record['name']} {record['proof']} {record['numeric']}\n")

    rows = compute(places(), report)
    write(rows)
    missing = [f"{row.regime.title}: {' '.join(row.words)}" for row in rows if row.verdict == OPEN]
    sys.stdout.write(
        "\n".join([f"{len(rows)} losses in {STORED.name}", *(f"not confirmed: {m}" for m in missing)]) + "\n"
    )
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
