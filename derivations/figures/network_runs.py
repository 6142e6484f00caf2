"""The runs behind Figure 5, each kept as soon as it is done: interrupted work continues, hours of it are shipped.

A row is one network, trained and linearised on the same draws, under a reading of the bias, at a rate and a width. It
counts as done when the store has it, or when the shipped data have it and were computed by the same sources.
"""

from __future__ import annotations

import datetime
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from derivations.support import store
from derivations.support.files import require_writable, whole
from derivations.support.provenance import versions
from derivations.support.sources import fingerprint
from derivations.support.workers import workers
from numeric_check.network.descent import train, trained_loss
from numeric_check.network.experiment import PRINTED_WIDTH, Experiment, Reading, Run, draw
from numeric_check.network.linearised import Linearised

Report = Callable[[dict[str, str], int, int], None]

RATES = (-0.02, -0.015, -0.01, -0.0075, -0.005, -0.0025, 0.0, 0.0025, 0.005, 0.0075, 0.01)
PRINTED = Experiment()
# the labels of a linearised run are averaged exactly, so that fewer test tasks do
AVERAGED = replace(PRINTED, test_tasks=20)
# Trained runs wanted under each reading, in the order in which they are made.
WANTED = (
    (Reading.TASK, 0, 20),
    (Reading.RUN, 0, 10),
    (Reading.POINT, 0, 10),
    (Reading.TASK, 20, 200),
    (Reading.RUN, 10, 50),
    (Reading.POINT, 10, 50),
)
# of a shipped row
COLUMNS = ("trained", "linearised", "epochs", "meta_loss", "seconds")
BATCH, BATCHES = 100, 30
LADDER, LADDER_RUNS = (50, 100, 200, 800), 40
SEED = 0
SOURCES = ("numeric_check.network.linearised", "numeric_check.network.descent")
SHIPPED = Path(__file__).with_name("network_runs.json")


class Job(NamedTuple):
    """One run under a reading at a width: a row for each of its rates."""

    reading: Reading
    width: int
    run: int
    rates: tuple[float, ...]


class Batch(NamedTuple):
    """Linearised runs `number * BATCH` and on, under all readings at all rates."""

    number: int


def row_key(job: Job, rate: float) -> store.Key:
    """What a row depends on: its draws, the experiment, and the code that trains."""
    experiment = asdict(replace(PRINTED, width=job.width))
    return store.key(
        "network run", SOURCES, experiment=experiment, reading=job.reading, run=job.run, rate=rate, seed=SEED
    )


def batch_key(batch: Batch) -> store.Key:
    """What a batch of linearised runs depends on."""
    return store.key(
        "linearised network runs",
        SOURCES,
        experiment=asdict(AVERAGED),
        index=batch.number,
        size=BATCH,
        rates=RATES,
        seed=SEED,
    )


def jobs() -> list[Batch | Job]:
    """All that is wanted, in order: the cheap linearised runs first."""
    found: list[Batch | Job] = [Batch(k) for k in range(BATCHES)]
    for k, (reading, first, end) in enumerate(WANTED):
        found += [Job(reading, PRINTED_WIDTH, run, RATES) for run in range(first, end)]
        if k == 2:
            found += [Job(Reading.TASK, width, run, (0.0,)) for run in range(LADDER_RUNS) for width in LADDER]
    return found


def pieces(job: Batch | Job) -> list[Batch | Job]:
    """A job row by row: each is computed anywhere, and kept as soon as it is there."""
    return [job] if isinstance(job, Batch) else [job._replace(rates=(rate,)) for rate in job.rates]


def done(job: Batch | Job) -> bool:
    """Whether nothing of a job is missing."""
    if isinstance(job, Batch):
        return store.load(batch_key(job)) is not None
    return all(row(job, rate) is not None for rate in job.rates)


def row(job: Job, rate: float) -> Mapping[str, Any] | None:
    """The row of a run at a rate, from the store or, computed by today's sources, from the shipped data; else None."""
    return store.load(row_key(job, rate)) or _shipped_rows().get((job.reading, job.width, job.run, rate))


def perform(piece: Batch | Job) -> Mapping[str, Any]:
    """Computes a piece; nothing is kept here, as the place may be a machine with a store of its own."""
    if isinstance(piece, Batch):
        return _batch(piece)
    experiment = replace(PRINTED, width=piece.width)
    run = draw(experiment, piece.reading, SEED, piece.run)
    (rate,) = piece.rates
    return trained_row(experiment, run, Linearised(experiment, run), rate)


def keep(piece: Batch | Job, found: Mapping[str, Any]) -> None:
    """Remembers what `perform` found."""
    store.save(batch_key(piece) if isinstance(piece, Batch) else row_key(piece, *piece.rates), found)


def trained_row(experiment: Experiment, run: Run, linearised: Linearised, rate: float) -> dict[str, float]:
    """The columns of a run at a rate: its network is trained, and evaluated beside its linearised form."""
    started = time.process_time()
    trained = train(experiment, run, rate)
    return {
        "trained": trained_loss(experiment, run, trained.weights),
        "linearised": linearised.loss(rate),
        "epochs": trained.epochs,
        "meta_loss": trained.meta_loss,
        "seconds": time.process_time() - started,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    started = time.process_time()
    losses: dict[str, list[list[float]]] = {reading.value: [] for reading in Reading}
    for run in range(batch.number * BATCH, (batch.number + 1) * BATCH):
        # how b is drawn does not matter where labels are averaged
        found = Linearised(AVERAGED, draw(AVERAGED, Reading.TASK, SEED, run)).mean_losses(RATES)
        for reading, values in found.items():
            losses[reading.value].append([float(value) for value in values])
    return {"losses": losses, "seconds": time.process_time() - started}


# -- shipping -----------------------------------------------------------------------------------------------


def provenance() -> dict[str, Any]:
    """The shipped document: command, seed, versions, date, CPU seconds, hash of the sources, and all rows."""
    document: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8")) if SHIPPED.exists() else {}
    return document


@cache
def _shipped_rows() -> Mapping[tuple[str, int, int, float], Mapping[str, Any]]:
    document = provenance()
    if document.get("sources") != fingerprint(frozenset(SOURCES)):
        return {}
    return _rows(document["trained"])


def recompute(report: Report | None = None) -> None:
    """Computes what is missing of the experiment, and ships all that is there with its provenance.

    Hours of work: each row is stored at once, and when interrupted the rows so far are shipped, unless more are. Rows of
    other sources do not count. Raises BadInput where the data cannot be written, before anything is computed.
    """
    require_writable(SHIPPED.parent)
    wanted = [piece for job in jobs() for piece in pieces(job)]
    missing = [piece for piece in wanted if not done(piece)]
    try:
        with workers(len(missing)) as executor:
            for k, (piece, future) in enumerate(
                executor.ended(perform, missing), len(wanted) - len(missing) + 1
            ):
                keep(piece, future.result())
                if report is not None:
                    report({"name": "figure5, trained networks"}, k, len(wanted))
    finally:
        ship()


def ship() -> None:
    """Writes the linearised runs and the rows of every run up to the first that is not complete.

    What other sources made is replaced only when no fewer rows are there: work that begins anew takes hours, and what was
    shipped stands until then.
    """
    shipped = provenance()
    batches = [found for k in range(BATCHES) if (found := store.load(batch_key(Batch(k)))) is not None]
    linearised: dict[str, Any] = shipped.get("linearised", {})
    fewer = len(batches) * BATCH < linearised.get(Reading.TASK, {"runs": 0})["runs"]
    if batches and not fewer:
        losses = {
            how: np.array([run for batch in batches for run in batch["losses"][how]]) for how in Reading
        }
        seconds = math.fsum(batch["seconds"] for batch in batches)
        linearised = {"seconds": seconds} | {how.value: _summary(values) for how, values in losses.items()}
    trained: list[dict[str, Any]] = []
    kinds = dict.fromkeys((job.reading, job.width, job.rates) for job in jobs() if isinstance(job, Job))
    for reading, width, rates in kinds:
        rows = list(_complete(reading, width, rates))
        trained += [
            {"reading": reading, "width": width, "rate": rate, "rows": [run[k] for run in rows]}
            for k, rate in enumerate(rates)
        ]
    lacking = _rows(shipped.get("trained", [])).keys() - _rows(trained).keys()
    if not lacking and not (fewer and shipped["sources"] != fingerprint(frozenset(SOURCES))):
        _write(linearised, trained)


def _rows(trained: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, int, int, float], Mapping[str, Any]]:
    """Shipped rows by reading, width, run and rate."""
    return {
        (group["reading"], group["width"], run, group["rate"]): dict(zip(COLUMNS, values, strict=True))
        for group in trained
        for run, values in enumerate(group["rows"])
    }


def _write(linearised: Mapping[str, Any], trained: Sequence[Mapping[str, Any]]) -> None:
    document = {
        "command": "derive figure 5 --recompute",
        "seed": SEED,
        "versions": versions(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(
            math.fsum(values[-1] for group in trained for values in group["rows"])
            + linearised.get("seconds", 0.0)
        ),
        "sources": fingerprint(frozenset(SOURCES)),
        "experiment": asdict(PRINTED),
        "columns": COLUMNS,
        "linearised": linearised,
        "trained": trained,
    }
    with whole(SHIPPED) as temporary:
        temporary.write_text(_text(document), encoding="utf-8")
    _shipped_rows.cache_clear()


def _complete(reading: Reading, width: int, rates: tuple[float, ...]) -> Iterator[list[list[float]]]:
    """Runs from the first on, until one lacks a row: for each rate the columns, rounded below any error."""
    for run in count():
        found = [row(Job(reading, width, run, rates), rate) for rate in rates]
        ready = [values for values in found if values is not None]
        if len(ready) < len(rates):
            return
        yield [[float(f"{values[name]:.9g}") for name in COLUMNS] for values in ready]


def _summary(losses: NDArray[np.float64]) -> dict[str, Any]:
    """Means and standard errors over runs (runs, rates), of the losses and of their differences from rate zero."""
    found: dict[str, Any] = {"runs": len(losses), "rates": RATES}
    for name, values in (("loss", losses), ("difference", losses - losses[:, [RATES.index(0.0)]])):
        error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
        found |= {name: _rounded(values.mean(axis=0)), f"{name}_stderr": _rounded(error)}
    return found


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.9g}") for value in values]


def _text(document: Mapping[str, Any]) -> str:
    """JSON with a row of numbers on each line."""
    return json.dumps(document, separators=(",", ":")).replace("],[", "],\n[").replace("},{", "},\n{") + "\n"
