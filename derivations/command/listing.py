"""`derive list`: what there is and what is known of it; nothing is computed."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from derivations.language.assumptions import Assumptions
from derivations.steps.contents import MODULE_OF, named, slug_of
from derivations.steps.status import NOT_VERIFIED, NumericStatus, ProofStatus
from derivations.steps.step import Step
from derivations.support.bad_input import BadInput
from derivations.support.text import nearest
from derivations.verification.examine import examine
from derivations.verification.plain_records import CheckRecord, Parts
from derivations.verification.verify import describe, kept, keys_of

FIELDS = (
    "name",
    "equations",
    "kind",
    "statement",
    "uses",
    "proof",
    "numeric",
    "method",
    "page",
    "unreadable",
    "module",
    "chain",
)
COLUMNS = ("equation", "proof", "number", "name: statement")


def rows(
    names: Sequence[str], status: str | None, assumptions: Assumptions, *, without_chain: bool = False
) -> list[dict[str, Any]]:
    """The named steps (default: all) in reading order, with the statuses that the store holds for these assumptions.

    status: only steps whose proof or number has it. without_chain: only those whose proof is not stated move by move.
    Raises BadInput for an unknown name or status.
    """
    known = [*dict.fromkeys([*ProofStatus, *NumericStatus, NOT_VERIFIED])]
    if status is not None and status not in known:
        raise BadInput(f"unknown status {status!r}; {nearest(status, known)}")
    wanted = {slug_of(name) for name in names} or {*MODULE_OF}
    found = [_row(slug, assumptions) for slug in MODULE_OF if slug in wanted]
    return [
        row
        for row in found
        if (status is None or status in (row["proof"], row["numeric"]))
        and not (without_chain and row["chain"])
    ]


def _row(slug: str, assumptions: Assumptions) -> dict[str, Any]:
    step = named(slug)
    described = {**describe(step)} | {"module": module_path(slug), "chain": step.derivation is not None}
    at_once = _known_at_once(step, assumptions)
    held = kept({part: key for part, key in keys_of(slug, assumptions).items() if part not in at_once})
    statuses = {"proof": NOT_VERIFIED, "numeric": NOT_VERIFIED} | _statuses(held) | at_once
    return {field: ({**described, **statuses})[field] for field in FIELDS}


def _statuses(parts: Parts) -> dict[str, str]:
    found = {}
    if "proof" in parts:
        found["proof"] = str(parts["proof"]["result"]["proof"])
    if "numeric" in parts:
        found["numeric"] = str(parts["numeric"]["result"]["numeric"])
    return found


def _known_at_once(step: Step, assumptions: Assumptions) -> dict[str, str]:
    """The statuses that need no computing: of what does not apply, of figures, and of definitions."""
    limited = step.applies(assumptions) is not None
    if step.derive is not None and not limited:
        return {}
    none_to_sample = (
        limited
        or (step.proofless and step.check is None)
        or not (step.observe or step.check or step.derivation)
    )
    return _statuses(examine(step, assumptions, ["proof", "numeric"] if none_to_sample else ["proof"]).parts)


def module_path(slug: str) -> str:
    """The file that states the step: its equation is claimed, derived and sampled there."""
    return MODULE_OF[slug].replace(".", "/") + ".py"


def known_statuses(slug: str, assumptions: Assumptions) -> tuple[str, str]:
    """The proof status and the numeric status that the store holds of a step."""
    row = _row(slug, assumptions)
    return row["proof"], row["numeric"]


def known_checks(slug: str, assumptions: Assumptions) -> list[CheckRecord]:
    """The comparisons with sampling that the store holds of a step; none where it was not verified yet."""
    held = kept({"numeric": keys_of(slug, assumptions)["numeric"]})
    return held["numeric"]["result"]["checks"] if "numeric" in held else []


def text(found: Sequence[dict[str, Any]], status: str | None = None) -> str:
    """A line for each row below the names of the columns, cut to the width of the terminal where stdout is one."""
    if not found:
        return f"no step is known to be {status!r}" if status else "no such step"
    cells = [
        (
            " ".join(row["equations"]),
            _short(row["proof"]),
            _short(row["numeric"]),
            f"{row['name']}: {row['statement']}",
        )
        for row in found
    ]
    cells.insert(0, COLUMNS)
    number, proof, sampled = (max(len(row[k]) for row in cells) for k in range(3))
    lines = [f"{a:{number}s} {b:{proof}s} {c:{sampled}s} {d}" for a, b, c, d in cells]
    if not sys.stdout.isatty():
        return "\n".join(lines)
    width = shutil.get_terminal_size().columns
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)


def _short(status: str) -> str:
    return "-" if status == NOT_VERIFIED else status


def remedy(assumptions: Assumptions, names: Sequence[str] = ()) -> str:
    """One line on what is not verified yet among all steps, or the named ones; nothing where all is."""
    found = rows(names, None, assumptions)
    missing = sum(NOT_VERIFIED in (row["proof"], row["numeric"]) for row in found)
    if not missing:
        return ""
    changed = "".join(f" --assume {name}={value}" for name, value in assumptions.changed().items())
    said = shlex.join(["derive", "verify", *names]) + changed
    return f"{missing} of {len(found)} steps are not verified yet (-): run `{said}`"
