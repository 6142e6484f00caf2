"""Wrong versions of engine, model, samplers, comparators and rules are caught, each by the routes its row names."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from derivations.language.assumptions import read
from derivations.verification.verify import checked, verify_jobs

HERE = Path(__file__).parent
ROWS: list[dict[str, Any]] = tomllib.loads((HERE / "table.toml").read_text())["mutation"]
GROUPS = list(dict.fromkeys(row["group"] for row in ROWS))
# the rules that every row obeys
KEYS = {"group", "name", "file", "before", "after"}
ROUTES = {"proof", "sampling", "tests"}
# seconds of one group on a core of its own
LONG = {"samplers": 60, "rules": 45, "engine": 40, "model": 40, "comparators": 30}


def outcomes(*arguments: str) -> dict[str, dict[str, str]]:
    """What every route said of every mutation that the arguments choose."""
    command = [sys.executable, str(HERE / "runner.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_the_table_is_well_formed() -> None:
    assert len(ROWS) >= 60
    assert max(Counter(row["name"] for row in ROWS).values()) == 1
    for row in ROWS:
        assert row.keys() >= KEYS
        assert bool(row.get("equivalent")) != bool(row.get("caught")), row["name"]
        assert set(row.get("caught", ())) <= ROUTES
        assert ("tests" in row.get("caught", ())) <= bool(row.get("tests")), row["name"]
        assert ({"proof", "sampling"} & {*row.get("caught", ())} != set()) <= bool(row.get("steps"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
def test_every_fragment_occurs_once(row: dict[str, Any]) -> None:
    assert (HERE.parents[1] / row["file"]).read_text().count(row["before"]) == 1


@pytest.mark.parametrize(
    "group", [pytest.param(group, marks=pytest.mark.slow(LONG.get(group, 30))) for group in GROUPS]
)
def test_no_mutation_survives(group: str, record_property: Callable[[str, object], None]) -> None:
    rows = [row for row in ROWS if row["group"] == group]
    found = outcomes(group)
    lines, wrong = [f"{group}: {len(rows)} wrong versions"], []
    for row in rows:
        if row.get("equivalent"):
            lines.append(f"  {row['name']}: equivalent, {row['equivalent']}")
            continue
        said = found[row["name"]]
        if set(said) != set(row["caught"]) or not all(said.values()):
            wrong.append(f"{row['name']}: {said}")
        lines.append(
            f"  {row['name']}: " + "; ".join(f"{route}: {text[:90]}" for route, text in said.items())
        )
    # the project as it is passes by the very same routes
    if any(found["as it is"].values()):
        wrong.append(f"as it is: {found['as it is']}")
    jobs = [
        (slug, read(row.get("assume", ())))
        for row in rows
        if {"proof", "sampling"} & {*row.get("caught", ())}
        for slug in row["steps"]
    ]
    wrong += [
        f"as it is: {job[0]}: {record['proof']}, {record['numeric']}"
        for job, record in verify_jobs(jobs).items()
        if not (record["passed"] and checked(record))
    ]
    record_property("shown at the end", "\n".join(lines))
    assert not wrong, "\n".join(wrong)


def test_a_group_that_is_misspelt_is_refused() -> None:
    command = [sys.executable, str(HERE / "runner.py"), "engines"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert all(group in done.stderr for group in ("'engines'", *GROUPS))


@pytest.mark.slow(10)
def test_a_change_that_nothing_notices_is_seen_to_survive(tmp_path: Path) -> None:
    """A comment changed, by the routes of a mutation: every one of them lets it pass."""
    row = {
        "group": "harmless",
        "name": "a comment",
        "file": "symbolic/averages/by_parts.py",
        "before": '"""Canonical closed words with random letters in them, sorted."""',
        "after": '"""The same."""',
        "steps": ["wishart-second-moment"],
        "tests": ["tests/numeric_check/verdicts/test_verdict.py"],
        "caught": ["proof", "sampling", "tests"],
    }
    script = f"import json, runner; runner.table = lambda: [{row!r}]; runner.main('harmless')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parents[1],
        env={"PYTHONPATH": f"{HERE}:{HERE.parents[1]}", "PATH": "/usr/bin:/bin"},
    )
    name, said = json.loads(done.stdout.splitlines()[0])
    assert (name, said) == ("a comment", {"proof": "", "sampling": "", "tests": ""})


def test_something_held_of_a_forgotten_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that stays would have the old one, and what is imported anew the new one: neither route would tell."""
    spec = importlib.util.spec_from_file_location("runner", HERE / "runner.py")
    assert spec is not None
    assert spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    names = ("symbolic.changed", "symbolic.stays")
    graph = {name: frozenset({name}) for name in names}

    def forgotten() -> set[str]:
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        sys.modules[names[1]].__dict__.update(held)
        runner.forget("symbolic/changed.py", graph)
        return {*names} - {*sys.modules}

    held: dict[str, object] = {}
    assert forgotten() == {names[0]}
    held["Kept"] = type("Kept", (), {"__module__": names[0]})
    with pytest.raises(RuntimeError, match=r"symbolic\.stays holds Kept"):
        forgotten()
