"""`derive verify` and `derive store`: the records of the steps, and where they are kept."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from derivations.command.junit import junit, reasons
from derivations.command.outcome import Outcome
from derivations.language.assumptions import read
from derivations.steps import contents
from derivations.support import store
from derivations.support.files import require_place, whole
from derivations.support.progress import ProgressLine
from derivations.verification.plain_records import Record
from derivations.verification.verify import all_pass, checked, verify


def verify_steps(arguments: argparse.Namespace) -> Outcome:
    """Runs the checks; status 1 when one does not pass, or nothing was checked."""
    assumptions = read(arguments.assume)
    slugs = _slugs(arguments.names)
    out = None if arguments.junit is None else Path(arguments.junit)
    if out is not None:
        require_place(out)
    with ProgressLine("verifying") as progress:

        def tick(running: Sequence[str], done: int, total: int) -> None:
            progress.show(running, done, total)

        def report(record: Record, done: int, total: int) -> None:
            progress.say(f"{done}/{total} {_line(record)}")

        records = verify(
            slugs,
            assumptions,
            symbolic=not arguments.numeric_only,
            numeric=not arguments.symbolic_only,
            seed=arguments.seed,
            fresh=arguments.fresh,
            report=report,
            tick=tick,
        )
    if out is not None:
        with whole(out) as temporary:
            temporary.write_text(junit(records), encoding="utf-8")
    lines = []
    for record in records:
        lines.append(f"{_numbers(record)} {_line(record)}")
        if not record["passed"]:
            lines.append(f"    {reasons(record)}")
    failed = [record["name"] for record in records if not record["passed"]]
    if any(map(checked, records)):
        said = f"{len(records) - len(failed)} of {len(records)} steps pass"
        lines.append(said + (f"; not: {', '.join(failed)}" if failed else ""))
    else:
        lines.append(f"nothing was checked: {reasons(records[0])}")
    return Outcome(records, "\n".join(lines), 0 if all_pass(records) else 1)


def _slugs(names: Sequence[str]) -> list[str] | None:
    return [contents.slug_of(name) for name in names] or None


def _numbers(row: Record) -> str:
    numbers = f"({', '.join(row['equations'])})" if row["equations"] else ""
    return f"{numbers:10s}"


def _line(record: Record) -> str:
    return f"{record['name']:40s} {record['proof']:14s} {record['numeric']:14s} {record['seconds']:6.2f} s"


def keep_store(arguments: argparse.Namespace) -> Outcome:
    """What the store holds; `prune` drops what nothing leads to, `check` reads every file."""
    return _STORE[arguments.action]()


def _contents() -> Outcome:
    document = store.contents()
    lines = [f"{document['folder']}: {document['entries']} entries, {document['bytes']} bytes"]
    for kind, found in document["kinds"].items():
        lines.append(f"    {kind:16s} {found['entries']:6d} entries {found['bytes']:12d} bytes")
    return Outcome(document, "\n".join(lines))


def _prune() -> Outcome:
    document = store.prune()
    text = (
        f"{document['folder']}: {document['removed']} entries removed, {document['freed']} bytes freed; "
        f"{document['entries']} entries left, {document['bytes']} bytes"
    )
    return Outcome(document, text)


def _check() -> Outcome:
    damaged = store.check()
    document = store.contents() | {"damaged": damaged}
    lines = [f"{path}: {reason}" for path, reason in damaged.items()]
    lines.append(f"{document['folder']}: {len(damaged)} of {document['entries']} entries are damaged")
    return Outcome(document, "\n".join(lines), 1 if damaged else 0)


_STORE: dict[str, Callable[[], Outcome]] = {"show": _contents, "prune": _prune, "check": _check}
