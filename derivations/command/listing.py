"""`derive list`: what there is and what is known of it; nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from derivations.language.assumptions import Assumptions
from derivations.steps.contents import MODULE_OF, named, slug_of
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.text import nearest
from derivations.verification.verify import describe, keys_of

NOT_VERIFIED = "not verified yet"
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
)


def rows(names: Sequence[str], status: str | None, assumptions: Assumptions) -> list[dict[str, Any]]:
    """The named steps (default: all) in reading order, with the statuses that the store holds for these assumptions.

    status: only steps whose proof or number has it. Raises BadInput for an unknown name or status.
    """
    known = [*dict.fromkeys([*ProofStatus, *NumericStatus, NOT_VERIFIED])]
    if status is not None and status not in known:
        raise BadInput(f"unknown status {status!r}; {nearest(status, known)}")
    wanted = {slug_of(name) for name in names} or {*MODULE_OF}
    found = [_row(slug, assumptions) for slug in MODULE_OF if slug in wanted]
    return [row for row in found if status is None or status in (row["proof"], row["numeric"])]


def _row(slug: str, assumptions: Assumptions) -> dict[str, Any]:
    record = describe(named(slug))
    for part, key in keys_of(slug, assumptions).items():
        held = store.load(key)
        record[part] = NOT_VERIFIED if held is None else held["result"][part]
    return {field: record[field] for field in FIELDS}


def known_statuses(slug: str, assumptions: Assumptions) -> tuple[str, str]:
    """The proof status and the numeric status that the store holds of a step."""
    row = _row(slug, assumptions)
    return row["proof"], row["numeric"]


def known_checks(slug: str, assumptions: Assumptions) -> list[dict[str, Any]]:
    """The comparisons with sampling that the store holds of a step; none where it was not verified yet."""
    held = store.load(keys_of(slug, assumptions)["numeric"])
    return [] if held is None else list(held["result"]["checks"])


def text(found: Sequence[dict[str, Any]]) -> str:
    """A line for each row."""
    lines = []
    for row in found:
        numbers = f"({', '.join(row['equations'])})" if row["equations"] else ""
        lines.append(
            f"{numbers:10s} {row['name']:40s} {row['proof']:16s} {row['numeric']:16s} {row['statement']}"
        )
    return "\n".join(lines) or "no step has this status"
