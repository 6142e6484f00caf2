"""What a user waits for before an answer, and an author after an edit, beside what was aimed at.

`python -m benchmarks.waits [--full] [--repeats N]` prints the least of N runs: wall-clock seconds of an import and of the help, CPU
seconds of one number, and how many times longer (5) takes on two full 1000 x 1000 arrays of rates than on a row and a column (the
medians of CPU seconds, the two in turn).
`--full` clones the last commit into a temporary folder and adds what takes minutes there: the book with its set-up, the book after a statement
is added to a page's module and to a theorem's, every step verified afresh, and all tests. Nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from derivations.formulas.by_name import function

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5}
VALUES = [f"{name}={value}" for name, value in {**SIZES, "alpha_t": 0.2, "alpha_r": 0.2}.items()]
# what is run, the seconds aimed at, and whether they are of the processor
COMMANDS: dict[str, tuple[list[str], float | None, bool]] = {
    "import derivations": (["-c", "import derivations"], 0.3, False),
    "derive --help": (["-m", "derivations", "--help"], 0.2, False),
    "derive eval eq5": (["-m", "derivations", "eval", "eq5", *VALUES], 0.6, True),
    "derive show 92": (["-m", "derivations", "show", "92"], None, True),
}
GRID_AIM, GRID_RUNS = 2.0, 20
PYTHON = ".venv/bin/python"
# the module that gets a statement more first (a comment changes nothing), the command, the seconds aimed at
IN_A_CLONE: dict[str, tuple[str | None, list[str], float]] = {
    "make book, cold": (None, ["make", "book"], 240.0),
    "make book, warm": (None, ["make", "book"], 30.0),
    "make book, page edited": ("derivations/book_pages/errata.py", ["make", "book"], 15.0),
    "make book, theorem edited": ("derivations/paper/theorem1/loss.py", ["make", "book"], 60.0),
    "derive verify --fresh": (None, [PYTHON, "-m", "derivations", "verify", "--fresh"], 60.0),
    "make test": (None, ["make", "test"], 900.0),
}


def run(command: Sequence[str], folder: Path = ROOT) -> tuple[float, float]:
    """Wall-clock and CPU seconds of a process and all that it starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DERIVE_STORE", "PYTHONPATH")
    }
    given = os.environ if folder == ROOT else environment
    subprocess.run(
        command, cwd=folder, env=given, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_a_clone() -> Iterator[tuple[str, float, float, float]]:
    """Name, wall-clock and CPU seconds and aim of each row of `IN_A_CLONE`, run one after the other in one clone."""
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "clone"
        run(["git", "clone", "--quiet", str(ROOT), str(clone)])
        for name, (edited, command, aim) in IN_A_CLONE.items():
            if edited is not None:
                with (clone / edited).open("a", encoding="utf-8") as file:
                    file.write("EDITED = 1\n")
            yield name, *run(command, clone), aim


def full_against_open(repeats: int) -> float:
    """The CPU time on a full grid over that on an open one, which run in turn so that they meet the same machine."""
    loss, rates = function("eq5"), np.linspace(-1, 1, 1000)
    grids = [
        dict(
            zip(("alpha_t", "alpha_r"), np.meshgrid(rates, rates, indexing="ij", sparse=sparse), strict=True)
        )
        for sparse in (False, True)
    ]
    times: list[list[float]] = [[], []]
    for _ in range(GRID_RUNS * repeats):
        for grid, found in zip(grids, times, strict=True):
            begin = time.process_time()
            loss(**SIZES, **grid)
            found.append(time.process_time() - begin)
    full, open_ = map(statistics.median, times)
    return full / open_


def row(name: str, wall: float, cpu: float, aim: float | None, *, of_cpu: bool = False) -> str:
    """A line of the table: seconds, the aim, and whether it is met."""
    line = f"{name:26s} {wall:8.3f} {cpu:8.3f}"
    return (
        line
        if aim is None
        else f"{line}   {'CPU' if of_cpu else 'wall'} {judged(cpu if of_cpu else wall, aim)}"
    )


def judged(reached: float, aim: float) -> str:
    """The aim, and whether it is met."""
    return f"under {aim:g}: {'met' if reached < aim else 'MISSED'}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.waits", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--full", action="store_true", help="add what takes minutes, in a clone")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each short command (default 5)")
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error("--repeats needs at least 1")
    print(f"{'':26s} {'wall s':>8s} {'CPU s':>8s}   aim")
    for name, (command, aim, of_cpu) in COMMANDS.items():
        runs = [run([sys.executable, *command]) for _ in range(options.repeats)]
        wall, cpu = (min(seconds) for seconds in zip(*runs, strict=True))
        print(row(name, wall, cpu, aim, of_cpu=of_cpu), flush=True)
    ratio = full_against_open(options.repeats)
    print(f"{'full grid / open grid':26s} {ratio:8.1f} {'':8s}   times {judged(ratio, GRID_AIM)}", flush=True)
    for name, wall, cpu, seconds in in_a_clone() if options.full else ():
        print(row(name, wall, cpu, seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
