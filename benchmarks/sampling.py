"""Processor time to equal standard error, and of a configuration of a sweep: `python -m benchmarks.sampling [--out FILE]`.

The plain protocol is the experiment in NumPy, every number drawn, many runs in one array; beside it the estimator that
`derive simulate` takes, its pilot, its fit and all that it prepares included, start-up excluded. What is compared is the
time times the square of the relative standard error, which does not depend on how long each of them runs. The means must
agree. Where JAX is installed the experiment is also run as its user would write it. One process, one thread of linear algebra.

A step of meta-training the network of Figure 5 is bounded by products of matrices: what share of the speed of one large
product it reaches is measured too.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plain_jax
from benchmarks.run import machine
from derivations.command import sweep
from derivations.figures.network_runs import PRINTED
from derivations.language.assumptions import PAPER
from derivations.paper.experiments.panels import FIGURE_2, FIGURE_3, figure
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.threads import VARIABLES
from numeric_check.estimators import reduced
from numeric_check.estimators.simulation import Method, simulate
from numeric_check.network.descent import Tasks, meta_gradient
from numeric_check.network.experiment import Reading, draw
from numeric_check.problem.setting import Setting

RESULTS = Path(__file__).with_name("sampling.json")
# the point, how small an error ours is run to, and how many times cheaper it should be
POINTS: dict[str, tuple[Setting, float, float | None]] = {
    "Figure 2b": (FIGURE_2, 1e-7, 1e9),
    "Figure 3b": (FIGURE_3, 1e-6, 5e5),
    "Figure 4b": (figure("4").panels[1].at(0.2), 2e-4, None),
}
PLAIN_SECONDS = 20.0
LARGE, REPEATS = 1200, 60
SIGMAS = 5
SWEEP = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_r=0.2"]
ROWS, SWEEP_ERROR, CONFIGURATIONS = 300, 1e-3, 10**6
MILLION = f"derive sweep eq5 {' '.join(SWEEP[:-1])} alpha_t=-1:0.999:0.001 alpha_r=-0.996:1:0.004 --simulate --out losses.csv"


def timed(setting: Setting, protocol: Method, **options: Any) -> tuple[Estimate, float]:
    """An estimate, and the processor seconds that it took."""
    simulate(setting, protocol=protocol, rel_error=1.0, max_draws=1)  # what is loaded on first use
    started = time.process_time()
    found = simulate(setting, protocol=protocol, **options)
    return found, time.process_time() - started


def price(found: Estimate, seconds: float) -> float:
    """Processor seconds to a relative standard error of one."""
    return float(seconds * (found.stderr / found.mean) ** 2)


def compare(name: str) -> dict[str, Any]:
    """Both protocols at a point; raises RuntimeError where they disagree."""
    setting, aim, goal = POINTS[name]
    method: Method = "reduced" if reduced.applies(setting) else "conditional"
    plain, plain_seconds = timed(setting, "plain", rel_error=1e-9, max_seconds=PLAIN_SECONDS)
    ours, seconds = timed(setting, method, rel_error=aim, max_seconds=120.0)
    if abs(plain.mean - ours.mean) > SIGMAS * (plain.stderr**2 + ours.stderr**2) ** 0.5:
        raise RuntimeError(f"{name}: {plain} and {ours} disagree; nothing is compared")
    ratio = price(plain, plain_seconds) / price(ours, seconds)
    other = {}
    if plain_jax.installed():
        found, jax_seconds = plain_jax.timed(setting, PLAIN_SECONDS)
        if abs(found.mean - ours.mean) > SIGMAS * (found.stderr**2 + ours.stderr**2) ** 0.5:
            raise RuntimeError(f"{name}: {found} and {ours} disagree; nothing is compared")
        other = {"jax": vars(found) | {"seconds": jax_seconds, "price": price(found, jax_seconds)}}
    return {
        "point": name,
        "plain": vars(plain) | {"seconds": plain_seconds, "price": price(plain, plain_seconds)},
        **other,
        method: vars(ours) | {"seconds": seconds, "price": price(ours, seconds)},
        "ratio": ratio,
        "goal": goal,
        "met": goal is None or ratio >= goal,
    }


def products() -> dict[str, Any]:
    """How fast a step of meta-training the network is at its products of matrices, and one large product."""
    e, run = PRINTED, draw(PRINTED, Reading.TASK, 0, 0)
    x, y = run.meta.inputs, run.meta.labels
    tasks = Tasks(x[:, : e.n_t], y[:, : e.n_t], np.ascontiguousarray(x[:, e.n_t :]))
    old, new = e.m * e.n_t, e.m * e.n_v
    # those with the weights of a layer: each point forwards and back twice, new points once, and the gradients
    terms = (6 * old + 3 * new) * e.width**2 + (2 * old + 2 * new) * e.width * e.p
    square = np.random.default_rng(0).standard_normal((LARGE, LARGE))
    square @ square
    started = time.process_time()
    for _ in range(3):
        square @ square
    large = 3 * 2 * LARGE**3 / (time.process_time() - started)
    meta_gradient(run.weights, tasks, y[:, e.n_t :], 0.0025)
    started = time.process_time()
    for _ in range(REPEATS):
        meta_gradient(run.weights, tasks, y[:, e.n_t :], 0.0025)
    seconds = (time.process_time() - started) / REPEATS
    return {
        "seconds_each": seconds,
        "flops": 2 * terms,
        "large_product": large,
        "share": 2 * terms / seconds / large,
    }


def configurations() -> dict[str, Any]:
    """What a simulated row of a sweep costs, its place in the store included."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DERIVE_STORE"] = folder
        sweep.run("eq5", [*SWEEP, "alpha_t=0.1:0.2:0.1"], PAPER, simulate=True, rel_error=SWEEP_ERROR)
        started = time.process_time()
        step = f"alpha_t=-1.5:{-1.5 + 0.01 * (ROWS - 1):.2f}:0.01"
        rows = sweep.run("eq5", [*SWEEP, step], PAPER, simulate=True, rel_error=SWEEP_ERROR)
        seconds = (time.process_time() - started) / len(rows)
        sweep.store.close()
    return {
        "rows": len(rows),
        "rel_error": SWEEP_ERROR,
        "seconds_each": seconds,
        "hours_of_a_million": seconds * CONFIGURATIONS / 3600,
        "command": MILLION,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, store; status 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help=f"where the JSON goes (default {RESULTS.name})"
    )
    options = parser.parse_args(arguments)
    if any(os.environ.get(name) != "1" for name in VARIABLES):
        # read when NumPy is loaded: once more, with one thread
        os.environ.update(dict.fromkeys(VARIABLES, "1"))
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.sampling", "--out", str(options.out)])
    found = []
    for name in POINTS:
        found.append(compare(name))
        print(f"{name}: {found[-1]['ratio']:.2g} times less processor time at equal error", flush=True)
        if "jax" in found[-1]:
            times = found[-1]["jax"]["price"] / found[-1]["plain"]["price"]
            print(
                f"  the experiment in JAX: {times:.2g} times the processor time of that in NumPy", flush=True
            )
    step = products()
    print(f"a step of meta-training the network: {100 * step['share']:.0f} % of the speed of a large product")
    row = configurations()
    print(
        f"a row of a sweep: {row['seconds_each'] * 1e3:.2g} ms; a million: {row['hours_of_a_million']:.2g} hours"
    )
    report = {
        "command": "python -m benchmarks.sampling",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": {"numpy": version("numpy")} | ({"jax": version("jax")} if plain_jax.installed() else {}),
        "points": found,
        "network_step": step,
        "sweep": row,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if all(point["met"] for point in found) else 1


if __name__ == "__main__":
    sys.exit(main())
