"""The simulated points of the figures, each kept as soon as it is done: interrupted work continues.

A point depends on the setting, the protocol and the code that samples, and on nothing else of the project.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from derivations.figures.panels import Figure, Panel
from derivations.language.extension import load_extensions
from derivations.support import store
from derivations.support.workers import workers
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import Method, simulate
from numeric_check.problem.setting import Setting

Report = Callable[[dict[str, str], int, int], None]

# The conditional estimator is drawn to this standard error over its mean: less than a line is wide.
RESOLUTION = 1e-4
# Smaller than any spread between runs, so that the plain protocol makes every run it is asked for.
EVERY_RUN = 1e-12
SOURCES = ("numeric_check.estimators.simulation",)


class Task(NamedTuple):
    """One simulated point: what to sample, and the key under which the result is kept."""

    key: store.Key
    setting: Setting
    protocol: Method
    runs: int


class Point(NamedTuple):
    """The loss at one value of the rate: by the plain protocol, and by the conditional estimator."""

    rate: float
    plain: Estimate
    conditional: Estimate


def task(setting: Setting, protocol: Method, runs: int) -> Task:
    """A point to sample, with its key: a hash of the setting, the protocol and the sampling code."""
    effort = {"runs": runs} if protocol == "plain" else {"resolution": RESOLUTION}
    key = store.key("figure point", SOURCES, setting=setting.fingerprint, protocol=protocol, **effort)
    return Task(key, setting, protocol, runs)


def sample(wanted: Task) -> Estimate:
    """Simulates a point; the same on every machine and for any number of workers, as time sets no limit."""
    plain = wanted.protocol == "plain"
    return simulate(
        wanted.setting,
        "loss",
        protocol=wanted.protocol,
        rel_error=EVERY_RUN if plain else RESOLUTION,
        max_draws=wanted.runs if plain else 10**7,
        max_seconds=math.inf,
    )


def sample_and_store(wanted: Task) -> Estimate:
    """Simulates a point and keeps it."""
    found = sample(wanted)
    store.save(wanted.key, {"mean": found.mean, "stderr": found.stderr, "draws": found.draws})
    return found


def stored(wanted: Task) -> Estimate | None:
    """The point as it was kept, or None."""
    document = store.load(wanted.key)
    if document is None or not {"mean", "stderr", "draws"} <= document.keys():
        return None
    return Estimate(float(document["mean"]), float(document["stderr"]), int(document["draws"]))


def tasks(panels: Iterable[Panel]) -> list[Task]:
    """Every point of the panels, both protocols at each value of the rate."""
    protocols: tuple[Method, Method] = ("plain", "conditional")
    return [
        task(panel.at(rate), protocol, panel.runs)
        for panel in panels
        for rate in panel.grid
        for protocol in protocols
    ]


def completed(wanted: Sequence[Task], name: str, report: Report | None = None) -> list[Estimate]:
    """The estimates of the tasks, in their order: those that are stored, the rest simulated now and stored one by one.

    An interrupted call loses only the points under way. report: hears of each point of `name` as it is done.
    """
    found = {item.key: stored(item) for item in wanted}
    missing = [item for item in {item.key: item for item in wanted}.values() if found[item.key] is None]
    done = len(wanted) - len(missing)
    with workers(len(missing), load_extensions) as executor:
        for item, estimate in zip(missing, executor.map(sample_and_store, missing), strict=True):
            found[item.key] = estimate
            done += 1
            if report is not None:
                report({"name": f"{name}, {item.protocol}"}, done, len(wanted))
    ready = [found[item.key] for item in wanted]
    if any(estimate is None for estimate in ready):
        raise RuntimeError("the executor ended before every point was simulated")
    return [estimate for estimate in ready if estimate is not None]


def simulated(shown: Figure, report: Report | None = None) -> list[list[Point]]:
    """The points of each panel (`completed`)."""
    ready = iter(completed(tasks(shown.panels), shown.name, report))
    return [[Point(rate, next(ready), next(ready)) for rate in panel.grid] for panel in shown.panels]
