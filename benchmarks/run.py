"""Runs the benchmark: `python -m benchmarks.run [--full] [--repeats N] [--only ROW ...] [--out FILE]`.

Every row is first checked: all tools must give the same result, and the engine's must pass the row's theorem.
Then each method runs in fresh processes; imports are not timed, caches are empty.  The table is printed and
stored as JSON, with the ratio of the engine's least processor time to the recorded yardstick, `yardstick.json`, that is to stay
below 1.5: processor time, as on a busy machine the clock says nothing.  `--full` adds the runs that take up to a minute.  Exit status 1 if a row is not equal.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.rows import ROWS, Row
from benchmarks.tools import FORM, Method

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
YARDSTICK = ROOT / "benchmarks" / "yardstick.json"
MOST_RATIO = 1.5
"""How many times the recorded time a row may take."""

PACKAGES = ("python-flint", "sympy", "numpy", "scipy", "thewalrus", "haarpy")
SLOW_REPEATS = 1


def is_equal(row: Row, methods: list[tuple[int, Method]]) -> bool:
    """Whether all methods that run agree, and the engine's result passes the theorem."""
    results = [method.read(method.run()) for _, method in methods]
    agree = all(result == results[0] for result in results)
    return agree and (row.theorem is None or row.theorem(results[0]))


def timed(row: Row, position: int, repeats: int) -> dict[str, Any]:
    """The method's cold times in fresh processes."""
    command = [sys.executable, "-m", "benchmarks.measure", row.name, str(position)]
    runs = []
    for _ in range(repeats):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    seconds = sorted(run["seconds"] for run in runs)
    record = {
        "median": statistics.median(seconds),
        "fastest": seconds[0],
        "slowest": seconds[-1],
        "runs": repeats,
    }
    if row.methods[position].in_process:
        record["processor"] = min(run["processor"] for run in runs)
        record["peak_mb"] = round(max(run["peak_mb"] for run in runs))
    return record


def goal(row: Row, methods: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What was aimed at, what was reached, in processor time, and whether that is enough; None without a goal or a peer."""
    own = methods[0]["median"]
    if row.goal_seconds is not None and "processor" in methods[0]:
        own = methods[0]["processor"]
    if row.goal_seconds is not None:
        return {"seconds": row.goal_seconds, "reached": own, "met": own <= row.goal_seconds}
    if row.goal_ratio is not None and len(methods) > 1 and "median" in methods[1]:
        ratio = methods[1]["median"] / own
        return {"ratio": row.goal_ratio, "reached": ratio, "met": ratio >= row.goal_ratio}
    return None


def yardstick(name: str, fastest: float) -> dict[str, Any] | None:
    """The recorded time of a row, the ratio to it, and whether that is small enough; None for a row without one."""
    recorded = json.loads(YARDSTICK.read_text(encoding="utf-8"))["fastest"].get(name)
    if recorded is None:
        return None
    ratio = fastest / recorded
    return {"seconds": recorded, "ratio": ratio, "kept": ratio <= MOST_RATIO}


def run_row(row: Row, repeats: int, full: bool) -> dict[str, Any]:
    """The row's record; raises RuntimeError when the results differ."""
    listed = list(enumerate(row.methods))
    usable = [(k, method) for k, method in listed if not method.missing and (full or not method.slow)]
    if not is_equal(row, usable):
        raise RuntimeError(f"{row.name}: the results are not equal; nothing was timed")
    methods = []
    for k, method in listed:
        record: dict[str, Any] = {"tool": method.tool}
        if method.published:
            record["left_out"] = "published: equal"
        elif (k, method) in usable:
            record |= timed(row, k, SLOW_REPEATS if method.slow else repeats)
        else:
            record["left_out"] = method.missing or "takes long: run with --full"
        methods.append(record)
    record = {"name": row.name, "title": row.title, "check": row.check, "methods": methods}
    aim = goal(row, methods)
    if aim is not None:
        record["goal"] = aim
    measure = yardstick(row.name, methods[0].get("processor", methods[0]["fastest"]))
    if measure is not None:
        record["yardstick"] = measure
    notes = [row.note] if row.note else []
    if aim is not None and not aim["met"]:
        notes.append(row.bound or "The goal is missed.")
    return record | ({"note": " ".join(notes)} if notes else {})


def machine() -> dict[str, Any]:
    """The processor model and the number of cores."""
    model = platform.processor() or platform.machine()
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        model = found.group(1) if found else model
    except OSError:
        pass
    return {"cpu": model, "cores": os.cpu_count()}


def versions() -> dict[str, str]:
    """Versions of Python, of the packages that are installed, and of FORM."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if FORM:
        first = subprocess.run([FORM, "-v"], capture_output=True, text=True, check=False).stdout.split("\n")[
            0
        ]
        found["FORM"] = first.removeprefix("FORM ").strip()
    return found


def show(record: dict[str, Any]) -> str:
    """The row as text."""
    lines = [record["title"]]
    for method in record["methods"]:
        if "median" in method:
            spread = f"{method['fastest'] * 1e3:.2f} to {method['slowest'] * 1e3:.2f}"
            memory = f", {method['peak_mb']} MB" if "peak_mb" in method else ""
            memory += f", processor {method['processor'] * 1e3:.2f} ms" if "processor" in method else ""
            times = f"{method['median'] * 1e3:10.2f} ms  ({spread}, {method['runs']} runs{memory})"
        else:
            times = method["left_out"]
        lines.append(f"    {method['tool']:22s} {times}")
    if "goal" in record:
        aim = record["goal"]
        wanted = f"{aim['seconds']} s" if "seconds" in aim else f"{aim['ratio']} times"
        reached = f"{aim['reached']:.4f} s" if "seconds" in aim else f"{aim['reached']:.0f} times"
        lines.append(f"    goal {wanted}: {reached}, {'met' if aim['met'] else 'MISSED'}")
    if "yardstick" in record:
        mark = record["yardstick"]
        kept = "kept" if mark["kept"] else f"MORE THAN {MOST_RATIO}"
        lines.append(f"    yardstick {mark['seconds'] * 1e3:.2f} ms: {mark['ratio']:.2f} times, {kept}")
    if "note" in record:
        lines.append(f"    {record['note']}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Time the moment engines.")
    parser.add_argument("--full", action="store_true", help="add the runs that take up to a minute")
    parser.add_argument("--repeats", type=int, default=7, help="cold runs of each method (default 7)")
    parser.add_argument("--only", nargs="+", choices=[row.name for row in ROWS], metavar="ROW")
    parser.add_argument(
        "--out", type=Path, help=f"where the JSON goes (default {RESULTS.name}; none with --only)"
    )
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error("--repeats needs at least 1")
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    records = []
    for row in ROWS:
        if options.only and row.name not in options.only:
            continue
        try:
            records.append(run_row(row, options.repeats, options.full))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        print(show(records[-1]), flush=True)
    ratios = [r["yardstick"] for r in records if "yardstick" in r]
    if ratios:
        worst = max(mark["ratio"] for mark in ratios)
        kept = sum(mark["kept"] for mark in ratios)
        print(
            f"yardstick: {kept} of {len(ratios)} rows within {MOST_RATIO} times, the largest ratio {worst:.2f}"
        )
    if load is not None:
        print(f"load average before the run: {load}")
    peak = max(method["peak_mb"] for r in records for method in r["methods"][:1])
    print(f"peak memory of the engine's processes, imports included: {peak} MB")
    report = {
        "command": "python -m benchmarks.run" + (" --full" if options.full else ""),
        "machine": machine(),
        "versions": versions(),
        "timing": "each run in a fresh process with empty caches; imports are not timed",
        "load_before": load,
        "peak_mb": peak,
        "rows": records,
    }
    out = options.out or (None if options.only else RESULTS)
    if out is not None:
        out.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
