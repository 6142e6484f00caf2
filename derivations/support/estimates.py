"""Estimates remembered by what is drawn, in the store for whoever draws the same again.

An estimate depends on what is drawn, from which seed and to which error, on the code that draws, and on nothing else of the project: the
edit of a theorem, or of what a mean is held against, draws nothing anew. The store is asked inside of `from_store` alone, so
that who examines a step draws, and who verifies many looks up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

from derivations.support import store
from derivations.support.batches import described
from numeric_check.draws.estimate import Estimate, Moments
from numeric_check.draws.executor import SerialExecutor
from numeric_check.estimators.simulation import Batch, Method, Quantity, simulate
from numeric_check.problem.setting import Setting

# a function of its limit of seconds, as a `partial` of plain data, whose names tell it from every other
Draw = Callable[..., Estimate]
FIELDS = ("mean", "stderr", "draws", "seconds")


@dataclass
class _Asked:
    """Whether the store is asked, and the seconds that were spared by that since."""

    store: bool = False
    spared: float = 0.0


_asked = _Asked()


@contextmanager
def from_store(wanted: bool = True) -> Iterator[None]:
    """Inside, what was drawn before is looked up and what is drawn is kept; outside, and where it is not wanted, all is drawn."""
    before, _asked.store = _asked.store, wanted
    try:
        yield
    finally:
        _asked.store = before


def asked() -> bool:
    """Whether estimates are looked up in the store."""
    return _asked.store


def spared() -> float:
    """The seconds that all estimates looked up so far took when they were drawn."""
    return _asked.spared


def key(draw: Draw) -> store.Key | None:
    """The key of what a function draws; None where it is no plain data, so that no name would tell it from others."""
    found = described(draw)
    return None if found is None else store.key("estimate", found[1], drawn=found[0])


def stored(wanted: store.Key | None) -> Estimate | None:
    """The estimate that is kept under a key."""
    found = _looked_up(wanted)
    return None if found is None else found[0]


def _looked_up(wanted: store.Key | None) -> tuple[Estimate, float] | None:
    document = None if wanted is None else store.load(wanted)
    if document is None or document.keys() != {*FIELDS}:
        return None
    mean, stderr, draws, seconds = (document[name] for name in FIELDS)
    return Estimate(float(mean), float(stderr), int(draws)), float(seconds)


def keep(wanted: store.Key | None, found: Estimate, seconds: float = 0.0) -> Estimate:
    """Keep an estimate, and what it took; one that is not finite is no result."""
    if wanted is not None and math.isfinite(found.mean) and math.isfinite(found.stderr):
        store.save(wanted, {**asdict(found), "seconds": seconds})
    return found


def estimated(draw: Draw, max_seconds: float = math.inf, executor: SerialExecutor | None = None) -> Estimate:
    """What a function draws within so many seconds, the same on every machine where these do not run out.

    draw: a `partial` that says its `rel_error`. An estimate that the limit may have ended is not kept. executor: where it draws,
    as one that remembers batches.
    """
    wanted = key(draw) if _asked.store else None
    known = _looked_up(wanted)
    if known is not None:
        _asked.spared += known[1]
        return known[0]
    started = time.monotonic()
    found = draw(max_seconds=max_seconds, executor=executor)
    assert isinstance(draw, partial)
    if max_seconds == math.inf or found.resolved(draw.keywords["rel_error"]):
        keep(wanted, found, time.monotonic() - started)
    return found


# what the batches gave that this process drew, by whether the store was asked and their streams
_batches: dict[tuple[bool, str, int], Moments] = {}


class _Batches:
    """The memory of an executor within a process."""

    def recall(self, task: Batch) -> Moments | None:
        """The moments of a batch that was drawn before."""
        return _batches.get((_asked.store, task.seed_text, task.number))

    def keep(self, task: Batch, result: Moments) -> None:
        """Remember a batch."""
        _batches[_asked.store, task.seed_text, task.number] = result


# by whether the store was asked, by what was simulated, and then by the error that was asked for
_simulated: dict[tuple[object, ...], dict[float, Estimate]] = {}


def simulated(
    setting: Setting,
    quantity: Quantity,
    rel_error: float,
    seed: int,
    max_seconds: float = 30.0,
    protocol: Method = "conditional",
) -> Estimate:
    """`simulate`, remembered within the process so that one simulation can be held against many claims.

    One that ended for a larger error and has reached this one would end at the same draw again; another goes on from its batches.
    """
    of = (_asked.store, setting.fingerprint, quantity, seed, max_seconds, protocol)
    known = _simulated.setdefault(of, {})
    for error, estimate in known.items():
        if error == rel_error or (error > rel_error and estimate.resolved(rel_error)):
            return estimate
    draw = partial(simulate, setting, quantity, protocol=protocol, rel_error=rel_error, seed=seed)
    known[rel_error] = estimated(draw, max_seconds, SerialExecutor(_Batches()))
    return known[rel_error]
