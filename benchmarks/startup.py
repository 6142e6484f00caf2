"""Start-up: what a user waits for before the answer, and what a full grid costs beside an open one.

`python -m benchmarks.startup [--repeats N]` prints the least of N runs: wall-clock seconds of an import and of the help, CPU seconds of
one number, and how many times longer (5) takes on two full 1000 x 1000 arrays of rates than on a row and a column.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from derivations.formulas.by_name import function

SIZES = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5}
VALUES = [f"{name}={value}" for name, value in {**SIZES, "alpha_t": 0.2, "alpha_r": 0.2}.items()]
COMMANDS = {
    "import derivations": ["-c", "import derivations"],
    "derive --help": ["-m", "derivations", "--help"],
    "derive eval eq5": ["-m", "derivations", "eval", "eq5", *VALUES],
    "derive show 92": ["-m", "derivations", "show", "92"],
}


def run(arguments: list[str]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of a Python process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def full_against_open(repeats: int) -> float:
    """The time on a full grid over that on an open one."""
    loss, rates = function("eq5"), np.linspace(-1, 1, 1000)
    times = []
    for sparse in (False, True):
        grid = dict(
            zip(("alpha_t", "alpha_r"), np.meshgrid(rates, rates, indexing="ij", sparse=sparse), strict=True)
        )
        loss(**SIZES, **grid)
        started = []
        for _ in range(repeats):
            begin = time.perf_counter()
            loss(**SIZES, **grid)
            started.append(time.perf_counter() - begin)
        times.append(min(started))
    return times[0] / times[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"{'':22s} {'wall s':>8s} {'CPU s':>8s}")
    for name, arguments in COMMANDS.items():
        runs = [run(arguments) for _ in range(repeats)]
        print(f"{name:22s} {min(w for w, _ in runs):8.3f} {min(c for _, c in runs):8.3f}")
    print(f"full grid / open grid  {full_against_open(repeats):8.1f}")


if __name__ == "__main__":
    main()
