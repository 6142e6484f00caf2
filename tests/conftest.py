"""What the whole suite shares: fast tests first, and an honest account of tests whose tools are missing.

A test marked `browser` needs a Chromium binary, `crosscheck` FORM, `compiler` a C compiler, `node` Node.js, `zsh`
and `fish` these shells. Where the program is missing, the tests are left out and the last lines of the run name them and the remedy. Under CI (the variable
CI is `true`) nothing is left out, and each such test fails with the remedy.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from numeric_check.draws import processes, threads

# Before NumPy is loaded, here and in the worker processes that inherit it: each works with one thread, as the cores
# have a worker each.
os.environ.update({name: os.environ.get(name, "1") for name in threads.VARIABLES})
os.environ.update({name: os.environ.get(name, value) for name, value in threads.MEMORY.items()})
# Of trees in caches that stay, as the processes do that examine steps.
gc.set_threshold(*processes.COLLECTED)
# Programs in order of preference, by the marker of the tests that need them.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "browser": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "crosscheck": ("form", "tform"),
    "compiler": ("cc", "gcc", "clang"),
    "node": ("node", "nodejs"),
    "zsh": ("zsh",),
    "fish": ("fish",),
}
# A variable that names the program, for machines where it is not on the path.
VARIABLES: Mapping[str, str] = {
    "browser": "CHROMIUM",
    "crosscheck": "FORM",
    "compiler": "CC",
    "node": "NODE",
    "zsh": "ZSH",
    "fish": "FISH",
}
REMEDIES: Mapping[str, str] = {
    "browser": "no Chromium or Chrome was found: install the package `chromium`, or set CHROMIUM to its path",
    "crosscheck": "no FORM binary was found: install the package `form`, or set FORM to its path",
    "compiler": "no C compiler was found: install the package `gcc`, or set CC to its path",
    "node": "no Node.js was found: install the package `nodejs`, or set NODE to its path",
    "zsh": "no zsh was found: install the package `zsh`, or set ZSH to its path",
    "fish": "no fish was found: install the package `fish`, or set FISH to its path",
}
# The property of a test whose text is printed at the end of the run, also from a worker process.
SHOWN = "shown at the end"


def find_program(marker: str) -> str | None:
    """The path of the program that tests with this marker need, or None."""
    for name in (os.environ.get(VARIABLES[marker], ""), *PROGRAMS[marker]):
        if name and (path := shutil.which(name)):
            return path
    return None


def must_not_miss_anything() -> bool:
    """Whether a missing program is an error rather than a smaller run."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the account of what is left out."""
    config.stash[LEFT_OUT] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here, and put the rest in order of cost."""
    for marker in () if must_not_miss_anything() else PROGRAMS:
        affected = [item for item in items if item.get_closest_marker(marker)]
        if affected and find_program(marker) is None:
            config.stash[LEFT_OUT][marker] = sorted({item.nodeid.partition("::")[0] for item in affected})
            config.hook.pytest_deselected(items=affected)
            items[:] = [item for item in items if item not in affected]
    items.sort(key=cost)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose program is missing: it is here only because nothing may be left out."""
    for marker in PROGRAMS:
        if item.get_closest_marker(marker) and find_program(marker) is None:
            pytest.fail(REMEDIES[marker], pytrace=False)


def cost(item: pytest.Item) -> tuple[int, float]:
    """Fast tests first; then the slow ones, by `slow(seconds)` the longest first, so that the workers end together.

    The tests of a group come together, so the first of them says when.
    """
    slow = item.get_closest_marker("slow")
    late = 2 if item.get_closest_marker("crosscheck") else int(slow is not None)
    return late, -float(slow.args[0]) if slow is not None and slow.args else 0.0


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process tells the controlling one what it left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controlling process collects what its workers left out."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[LEFT_OUT].update(output.get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what tests have to show, such as scores, and say which tests were left out, and why."""
    for outcome in ("passed", "failed"):
        for done in terminalreporter.stats.get(outcome, []):
            for name, text in getattr(done, "user_properties", ()) if done.when == "call" else ():
                if name == SHOWN:
                    terminalreporter.write_line(str(text))
    for line in account(config.stash[LEFT_OUT]):
        terminalreporter.write_line(line, yellow=True)


def account(left_out: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines that name the files whose tests were left out, with the remedy."""
    lines = []
    for marker, files in left_out.items():
        lines.append(f"LEFT OUT tests marked `{marker}`: {REMEDIES[marker]}")
        lines += [f"    {name}" for name in files]
    return lines


LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()


@pytest.fixture(scope="session")
def form_binary() -> str:
    """The path of FORM."""
    path = find_program("crosscheck")
    assert path is not None, REMEDIES["crosscheck"]
    return path


@pytest.fixture(scope="session")
def browser_binary() -> str:
    """The path of Chromium."""
    path = find_program("browser")
    assert path is not None, REMEDIES["browser"]
    return path
