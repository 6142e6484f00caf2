"""Closed and full streams, numbers out of range, Ctrl-C: one line on stderr and an exit status, never more."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from derivations.command import commands
from derivations.command.cli import main

FIGURE_2 = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_t=0.2", "alpha_r=0.2"]
EVAL = ["eval", "eq5", *FIGURE_2]
ROOT = Path(__file__).resolve().parents[3]


def derive(words: list[str], redirection: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """`derive` in a shell of its own, with its streams redirected."""
    script = f'"$0" -m derivations "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", script, sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize("words", [EVAL, [*EVAL, "--json"], ["--help"]], ids=["text", "json", "help"])
def test_output_that_cannot_be_written_is_one_line(redirection: str, words: list[str]) -> None:
    found = derive(words, redirection)
    assert found.returncode == 2
    assert found.stderr.startswith("derive: standard output")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_without_stderr_the_answer_still_comes(redirection: str) -> None:
    found = derive(EVAL, redirection)
    assert found.returncode == 0
    assert found.stdout.startswith("value = 0.72")
    # whose lines on the way are lost
    assert derive(["verify", "eq10"], redirection).stdout.endswith("1 of 1 steps pass\n")
    assert (derive(["nonsense"], redirection).returncode, derive(["nonsense"], redirection).stdout) == (2, "")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    found = derive(["eval", "eq8", "n_t=30", "p=60"], "| true")
    assert found.stderr == ""


def test_letters_that_the_output_lacks_are_spelled_out() -> None:
    # the drawing's letters: a document may hold any
    found = derive(["show", "data-model", "--json"], PYTHONIOENCODING="ascii")
    assert found.returncode == 0
    assert found.stdout.isascii()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (OverflowError("int too large"), "leave the range"),
        (FloatingPointError("underflow"), "leave the range"),
        (ZeroDivisionError("x"), "divide by zero"),
        (RuntimeWarning("overflow encountered in square"), "overflow encountered in square"),
    ],
)
def test_numbers_out_of_range_are_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise error

    monkeypatch.setattr(commands, "run", fail)
    assert main(EVAL) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert ": give " in err


def test_a_warning_of_the_arrays_does_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn(arguments: object) -> None:
        warnings.warn("overflow encountered in multiply", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(commands, "run", warn)
    assert main(EVAL) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("command", "kept"), [("verify", True), ("simulate", True), ("eval", False)])
def test_an_interrupt_says_what_is_kept(
    command: str, kept: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "run", interrupt)
    assert main([command, *([] if command == "verify" else EVAL[1:])]) == 130
    assert capsys.readouterr().err == f"derive: interrupted{'; what was finished is kept' if kept else ''}\n"


def test_a_number_that_json_lacks_leaves_no_half_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def infinite(arguments: Any) -> commands.Outcome:
        return commands.Outcome({"value": 1.0, "other": float("inf")}, "")

    monkeypatch.setattr(commands, "run", infinite)
    assert main([*EVAL, "--json"]) == 2
    assert capsys.readouterr().out == ""


HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


@pytest.mark.slow
def test_ctrl_c_ends_verification_and_its_processes(tmp_path: Path) -> None:
    process = subprocess.Popen(
        # a run in the background of a shell ignores Ctrl-C, and what it starts inherits that
        [sys.executable, "-c", f"{HEAR}; from derivations.command.cli import run; run()", "verify"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "DERIVE_STORE": str(tmp_path)},
    )
    deadline = time.monotonic() + 300
    while not _any_result(tmp_path / "results.sqlite") and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    try:
        _, err = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert err.splitlines()[-1] == "derive: interrupted; what was finished is kept"
    assert "Traceback" not in err
    assert process.returncode in (130, -signal.SIGINT)
    with pytest.raises(ProcessLookupError):
        _wait_for_group(process.pid)


def _any_result(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as results:
            return bool(results.execute("SELECT count(*) FROM results").fetchone()[0])
    except sqlite3.OperationalError:
        return False


def _wait_for_group(group: int) -> None:
    """Returns when the processes of the group have not ended in a minute; raises ProcessLookupError when they have."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        os.killpg(group, 0)
        time.sleep(0.1)
