"""Runs the checks of the project on wrong versions of its own source, each in a process of its own.

    python tests/mutations/runner.py engine            every mutation of a group, by the routes that its row names
    python tests/mutations/runner.py engine --explore  by every route, to see which of them catch it

One line of JSON a mutation: its name, and by route what was said, nothing where the route let it pass. The table is
`table.toml`. Libraries and project are imported once; a child forked for each mutation forgets the changed module and all
that reach it, and imports these anew, with the one fragment of text changed while its module is read: no file is written.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROJECT = ("derivations", "symbolic", "numeric_check")
LIBRARIES = ("sympy", "numpy", "flint", "pytest")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PAPER = "as it is"


def table() -> list[dict[str, Any]]:
    """The rows of the table, each with its group, in order."""
    return list(tomllib.loads((HERE / "table.toml").read_text())["mutation"])


def mutated(row: Mapping[str, Any]) -> bytes:
    """The module's source with the row's fragment changed. ValueError unless the fragment occurs exactly once."""
    source = (ROOT / row["file"]).read_text()
    count = source.count(row["before"])
    if count != 1:
        raise ValueError(
            f"{row['name']}: the fragment occurs {count} times in {row['file']}: mend the row of the table"
        )
    return source.replace(row["before"], row["after"]).encode()


class _Loader(SourceFileLoader):
    """Compiles the changed text in place of the file's; nothing is cached."""

    changed = b""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.changed, self.path)


class _Finder:
    """Finds the one module whose text is changed."""

    def __init__(self, path: Path, changed: bytes) -> None:
        self.path, self.changed = str(path), changed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in PROJECT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin != self.path:
            return None
        loader = _Loader(fullname, self.path)
        loader.changed = self.changed
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


# what names its modules by text: forgotten with any of them
BY_NAME = "derivations.steps.contents"


def imported() -> dict[str, frozenset[str]]:
    """Imports the project, and says of each of its modules which others it reaches."""
    from derivations.steps.contents import load
    from derivations.support.sources import reached

    load()
    for route in ("prove", "examine"):
        importlib.import_module(f"derivations.verification.{route}")
    return {
        name: reached([name])
        for name in sys.modules
        if name.partition(".")[0] in PROJECT and name not in PROJECT
    }


def forget(path: str, graph: Mapping[str, frozenset[str]]) -> None:
    """As if a module, and all that reach it or name it by text, had not been imported.

    Raises RuntimeError where a module that stays holds something of one that is forgotten: there would be two of it.
    """
    changed = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    forgotten = {name for name, reached in graph.items() if changed in reached or BY_NAME in reached}
    for name in forgotten:
        around, _, last = name.rpartition(".")
        del sys.modules[name]
        # what is imported from a package is looked for there first
        if around in sys.modules:
            vars(sys.modules[around]).pop(last, None)
    for name in graph.keys() - forgotten:
        held = [
            key for key, x in vars(sys.modules[name]).items() if getattr(x, "__module__", "") in forgotten
        ]
        if held:
            raise RuntimeError(f"{name} holds {held[0]} of a module that is forgotten with {changed}")


# -- the routes ---------------------------------------------------------------------------------------------


def _assumptions(row: Mapping[str, Any]) -> Any:
    from derivations.language.assumptions import read

    return read(row.get("assume", ()))


def by_proof(row: Mapping[str, Any]) -> str:
    """What the proof of one of the row's steps says: its moves by their second routes, its end against the claim."""
    from derivations.steps.contents import named
    from derivations.verification.prove import prove

    for slug in row["steps"]:
        found = prove(named(slug), _assumptions(row))
        if not (found.status.passes and found.status.checked):
            return f"{slug}: {found.status}: {found.detail}"
    return ""


def by_sampling(row: Mapping[str, Any]) -> str:
    """What sampling says of one of the row's steps: of its formula and of its moves."""
    from derivations.steps.contents import named, sampled_under_changes
    from derivations.steps.status import NumericStatus
    from derivations.verification.examine import PARTS, examine

    for slug in row["steps"]:
        found = examine(named(slug), _assumptions(row), PARTS, sampled=sampled_under_changes(slug))
        result = found.parts["numeric"]["result"]
        if not NumericStatus(result["numeric"]).passes:
            return f"{slug}: {result['numeric_reason']}"
    return ""


def by_tests(row: Mapping[str, Any]) -> str:
    """The first of the row's tests that fails."""
    import pytest

    class Failed:
        first = ""

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed and not self.first:
                self.first = report.nodeid

    listener = Failed()
    options = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "-m",
        "not slow and not browser",
        "--no-header",
    ]
    code = pytest.main([*options, *row["tests"]], plugins=[listener])
    return listener.first or ("" if code == 0 else f"exit status {int(code)}")


ROUTES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "proof": by_proof,
    "sampling": by_sampling,
    "tests": by_tests,
}


def routes_of(row: Mapping[str, Any], *, explore: bool) -> list[str]:
    """The routes to take: those that the row names, or all that it has anything for."""
    if not explore:
        return list(row["caught"])
    found = ["proof", "sampling"] if row.get("steps") else []
    return [*found, "tests"] if row.get("tests") else found


def outcome(
    row: Mapping[str, Any], graph: Mapping[str, frozenset[str]], *, explore: bool = False
) -> dict[str, str]:
    """What each route says of the project with the row's change. An exception catches too: it ends the check."""
    said = {}
    forget(row["file"], graph)
    if row["before"] != row["after"]:
        sys.meta_path.insert(0, _Finder(ROOT / row["file"], mutated(row)))
    for route in routes_of(row, explore=explore):
        started = time.monotonic()
        try:
            found = ROUTES[route](row)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        # a test's name stays whole, as it is run again
        said[route] = found if route == "tests" else " ".join(found.split())[:160]
        if explore:
            said[route] += f" [{time.monotonic() - started:.1f} s]"
    return said


def _in_a_child(
    row: Mapping[str, Any], graph: Mapping[str, frozenset[str]], *, explore: bool = False
) -> dict[str, str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            text = json.dumps(outcome(row, graph, explore=explore))
        except BaseException as error:
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        with os.fdopen(writing, "w") as stream:
            stream.write(text)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return dict(json.loads(text or '{"error": "the child ended without a word"}'))


def main(group: str, *flags: str) -> None:
    """Print the outcome of every mutation of a group, and of the project as it is by the tests that caught them."""
    for library in LIBRARIES:
        importlib.import_module(library)
    graph = imported()
    # children seek garbage among what is theirs alone, and seldom
    gc.freeze()
    gc.set_threshold(*importlib.import_module("numeric_check.draws.processes").COLLECTED)
    rows = [row for row in table() if group in (row["group"], row["name"])]
    if not rows:
        sys.exit(
            f"no group or mutation {group!r}: the groups are {', '.join(dict.fromkeys(row['group'] for row in table()))}"
        )
    caught_by: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.get("equivalent"):
            mutated(row)
            continue
        said = _in_a_child(row, graph, explore="--explore" in flags)
        print(json.dumps([row["name"], said]), flush=True)
        if "tests" in row["caught"]:
            # where no test is named, as none could be collected, all of the row's
            found = said.get("tests", "")
            caught_by.setdefault(row["file"], {}).update(
                dict.fromkeys([found] if "::" in found else row["tests"])
            )
    # and the project as it is by the same tests, each file imported anew as its wrong versions were; what its steps are found
    # to be is kept, and read where the table is tested
    as_it_is = {}
    for file, tests in caught_by.items():
        same = {"file": file, "before": "", "after": "", "caught": ["tests"], "tests": [*tests]}
        as_it_is[file] = _in_a_child(same, graph).get("tests", "no word")
    print(json.dumps([PAPER, as_it_is]), flush=True)


if __name__ == "__main__":
    os.environ.update({name: os.environ.get(name, "1") for name in THREADS})
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    main(*sys.argv[1:])
