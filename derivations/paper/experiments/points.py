"""The simulated points of the figures, each kept as soon as it is done: interrupted work continues.

A point depends on the setting, the protocol and the code that samples, and on nothing else of the project. The plain
experiments take minutes and are shipped as data with their provenance; `recompute` makes them anew, and a test redoes some
of them. The conditional estimates, which each experiment is compared with, are always computed here.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypedDict

from derivations.language.assumptions import PAPER
from derivations.language.extension import load_extensions
from derivations.paper.experiments.panels import Figure, Panel
from derivations.support import estimates, store
from derivations.support.files import require_writable, whole
from derivations.support.provenance import Provenance, versions
from derivations.support.workers import cores, workers
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import Method, simulate
from numeric_check.problem.setting import Setting

Report = Callable[[dict[str, str], int, int], None]

# The error of the conditional estimator over that of the experiment beside it.
SHARE = 0.2
# But over its mean no finer than the first of these, which is less than the width of a line, and no coarser than the second.
RESOLUTION, COARSEST = 4e-4, 1e-3
# Smaller than any spread between runs, so that the plain protocol makes every run it is asked for.
EVERY_RUN = 1e-12
SEED = 0
SHIPPED = Path(__file__).with_name("plain_points.json")


class Task(NamedTuple):
    """One simulated point: what to sample, and the key under which the result is kept, if it has a name for others."""

    key: store.Key | None
    setting: Setting
    protocol: Method
    runs: int
    rel_error: float


class Point(NamedTuple):
    """The loss at one value of the rate: by the conditional estimator, and by the plain protocol where it was run."""

    rate: float
    conditional: Estimate
    plain: Estimate | None


class PlainPoint(TypedDict):
    """A shipped point: where it stands, and the mean loss over so many runs."""

    panel: str
    rate: float
    runs: int
    draws: int
    mean: float
    stderr: float
    setting: str


class Experiment(Provenance):
    """The shipped points of a figure."""

    seed: int
    cores: int
    points: list[PlainPoint]


def task(setting: Setting, protocol: Method, runs: int) -> Task:
    """A point to sample, with its key: of the setting, the protocol and the sampling code."""
    beside = shipped(setting, runs)
    share = 0.0 if beside is None else SHARE * beside.stderr / beside.mean
    rel_error = EVERY_RUN if protocol == "plain" else max(RESOLUTION, min(share, COARSEST))
    point = Task(None, setting, protocol, runs if protocol == "plain" else 0, rel_error)
    return point._replace(key=estimates.key(_draw(point)))


def _draw(wanted: Task) -> partial[Estimate]:
    """What draws a point; of the plain protocol, every run that is asked for."""
    draw = partial(
        simulate, wanted.setting, "loss", protocol=wanted.protocol, rel_error=wanted.rel_error, seed=SEED
    )
    return partial(draw, max_draws=wanted.runs) if wanted.protocol == "plain" else draw


def sample(wanted: Task) -> Estimate:
    """Simulates a point; the same on every machine and for any number of workers, as time sets no limit."""
    return _draw(wanted)(max_seconds=math.inf)


def keep(wanted: Task, found: Estimate) -> Estimate:
    """Keeps a simulated point."""
    return estimates.keep(wanted.key, found)


def stored(wanted: Task) -> Estimate | None:
    """The point as it was kept or, of the plain protocol, shipped; else None."""
    known = estimates.stored(wanted.key)
    return shipped(wanted.setting, wanted.runs) if known is None and wanted.protocol == "plain" else known


def shipped(setting: Setting, runs: int) -> Estimate | None:
    """The plain experiment that is shipped for a setting with so many runs, or None."""
    return _plain_points().get((setting.fingerprint, runs))


def provenance() -> dict[str, Experiment]:
    """Of each figure the shipped experiment: command, seed, versions, seconds, cores, and its points."""
    document: dict[str, Experiment] = (
        json.loads(SHIPPED.read_text(encoding="utf-8")) if SHIPPED.exists() else {}
    )
    return document


@cache
def _plain_points() -> Mapping[tuple[str, int], Estimate]:
    """The shipped points by what was sampled: a figure whose sizes change no longer finds its old ones."""
    return {
        (point["setting"], point["runs"]): Estimate(point["mean"], point["stderr"], point["draws"])
        for experiment in provenance().values()
        for point in experiment["points"]
    }


def tasks(panels: Iterable[Panel]) -> list[Task]:
    """Every point of the panels: the conditional estimate at each rate and, under the paper's assumptions, its experiment."""
    return [
        task(panel.at(rate), protocol, panel.runs)
        for panel in panels
        for rate in panel.grid
        for protocol in _protocols(panel)
    ]


def _protocols(panel: Panel) -> tuple[Method, ...]:
    return ("conditional", "plain") if panel.assumptions == PAPER else ("conditional",)


def completed(
    wanted: Sequence[Task], name: str, report: Report | None = None, *, fresh: bool = False
) -> list[Estimate]:
    """The estimates of the tasks, in their order: those that are stored, the rest simulated now and stored one by one.

    An interrupted call loses only the points under way. report: hears of each point of `name` as it is done. fresh:
    simulate all of them anew.
    """
    found = {item: None if fresh else stored(item) for item in wanted}
    missing = [item for item, known in found.items() if known is None]
    done = len(wanted) - len(missing)
    with workers(len(missing), load_extensions) as executor:
        for item, future in executor.ended(sample, missing):
            found[item] = keep(item, future.result())
            done += 1
            if report is not None:
                report({"name": f"{name}, {item.protocol}"}, done, len(wanted))
    ready = [found[item] for item in wanted]
    if any(estimate is None for estimate in ready):
        raise RuntimeError("the executor ended before every point was simulated")
    return [estimate for estimate in ready if estimate is not None]


def simulated(shown: Figure, report: Report | None = None) -> list[list[Point]]:
    """The points of each panel (`completed`)."""
    ready = iter(completed(tasks(shown.panels), shown.name, report))
    return [
        [
            Point(rate, next(ready), next(ready) if "plain" in _protocols(panel) else None)
            for rate in panel.grid
        ]
        for panel in shown.panels
    ]


def recompute(shown: Figure, report: Report | None = None) -> None:
    """Makes the plain experiment of a figure anew, and writes it with its provenance in place of the shipped one.

    Raises ValueError where the data cannot be written, before anything is simulated.
    """
    require_writable(SHIPPED.parent)
    started = time.monotonic()
    wanted = [item for item in tasks(shown.panels) if item.protocol == "plain"]
    ready = iter(completed(wanted, shown.name, report, fresh=True))
    points: list[PlainPoint] = []
    for panel in shown.panels:
        for rate in panel.grid:
            found = next(ready)
            points.append(
                {
                    "panel": panel.letter,
                    "rate": rate,
                    "runs": panel.runs,
                    "draws": found.draws,
                    "mean": found.mean,
                    "stderr": found.stderr,
                    "setting": panel.at(rate).fingerprint,
                }
            )
    experiment: Experiment = {
        "command": f"derive figure {shown.name.removeprefix('figure')} --recompute",
        "seed": SEED,
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
        "cores": cores(),
        "points": points,
    }
    text = json.dumps(dict(sorted((provenance() | {shown.name: experiment}).items())), indent=1)
    with whole(SHIPPED) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    _plain_points.cache_clear()
