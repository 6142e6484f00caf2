"""A point of Figure 5 made anew: the networks of its runs trained again, beside what is shipped of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from derivations.figures.network_estimates import runs as shipped_runs
from derivations.figures.network_runs import PRINTED, RATES, SEED, Report, trained_row
from derivations.support.bad_input import BadInput
from derivations.support.workers import workers
from numeric_check.network.experiment import Reading, draw, reading
from numeric_check.network.linearised import Linearised

# relative differences that other processors leave in a network trained over hundreds of epochs
ALIKE = 1e-6
LOSSES = ("trained", "linearised")


def redo(how: str, rate: float, count: int | None = None, report: Report | None = None) -> dict[str, Any]:
    """Trains the first `count` shipped runs under a reading again (None: all), at a rate and at rate zero.

    Nothing is read from the store. Returns for each run both losses and what is shipped of them, the mean of the trained
    ones minus that at rate zero with its standard error (None for one run), and `apart`, the largest relative difference.
    Raises BadInput for a reading or rate that is not shipped, or more runs than are.
    """
    chosen = reading(how)
    if rate not in RATES:
        known = ", ".join(f"{one:g}" for one in RATES)
        raise BadInput(f"no networks of figure 5 are trained at rate {rate:g}: give one of {known}")
    known_runs = shipped_runs(chosen)
    most = len(known_runs["trained"])
    if count is not None and not 1 <= count <= most:
        raise BadInput(f"--runs is {count}: of reading {chosen} {most} are shipped, give 1 to {most}")
    numbers, rates = range(most if count is None else count), tuple(dict.fromkeys((rate, 0.0)))
    rows: list[dict[str, Any]] = []
    with workers(len(numbers)) as executor:
        for found in executor.map(partial(_run, chosen, rates), numbers):
            rows.append(found)
            if report is not None:
                report({"name": "figure5, one point"}, len(rows), len(numbers))
    at = [RATES.index(one) for one in rates]
    for k, row in enumerate(rows):
        row["shipped"] = {name: [float(known_runs[name][k, place]) for place in at] for name in LOSSES}
    gaps = np.array([row["trained"][0] - row["trained"][-1] for row in rows])
    apart = max(
        abs(now / was - 1)
        for row in rows
        for name in LOSSES
        for now, was in zip(row[name], row["shipped"][name], strict=True)
    )
    return {
        "reading": chosen.value,
        "rates": list(rates),
        "runs": rows,
        "difference": float(gaps.mean()),
        "stderr": float(gaps.std(ddof=1) / np.sqrt(len(gaps))) if len(gaps) > 1 else None,
        "apart": apart,
        "alike": apart <= ALIKE,
    }


def _run(how: Reading, rates: tuple[float, ...], number: int) -> dict[str, Any]:
    run = draw(PRINTED, how, SEED, number)
    linearised = Linearised(PRINTED, run)
    rows = [trained_row(PRINTED, run, linearised, rate) for rate in rates]
    return {"run": number} | {name: [row[name] for row in rows] for name in LOSSES}


def text_of(found: dict[str, Any]) -> str:
    """What came out, in words."""
    lines = [
        f"run {row['run']}: "
        + ", ".join(
            f"{name} at {rate:g} {now:.9g} (shipped {was:.9g})"
            for name in LOSSES
            for rate, now, was in zip(found["rates"], row[name], row["shipped"][name], strict=True)
        )
        for row in found["runs"]
    ]
    error = "" if found["stderr"] is None else f" +- {found['stderr']:.2g}"
    return "\n".join(
        [
            *lines,
            f"trained, minus at rate zero: {found['difference']:.6g}{error} over {len(lines)} run{'s'[: len(lines) > 1]}",
            f"at most {found['apart']:.1e} of a loss from what is shipped",
        ]
    )
