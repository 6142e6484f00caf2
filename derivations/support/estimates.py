"""Estimates remembered by what is drawn, in the store for whoever draws the same again.

An estimate depends on what is drawn, from which seed and to which error, on the code that draws, and on nothing else of the project: the
edit of a theorem, or of what a mean is held against, draws nothing anew. `estimated` and `simulated` ask the store inside of
`from_store` alone, so that who examines a step draws, and who verifies many looks up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from functools import partial
from typing import TypeAlias

from derivations.support import store
from derivations.support.batches import described
from numeric_check.draws.estimate import Estimate, Moments
from numeric_check.draws.executor import SerialExecutor
from numeric_check.estimators.simulation import Batch, Method, Quantity, simulate
from numeric_check.problem.laws import InputLaw
from numeric_check.problem.setting import Setting

# draws within a limit of seconds: plain data, whose names tell it from every other
Draw: TypeAlias = "partial[Estimate]"
FIELDS = ("mean", "stderr", "draws", "seconds")
_asked: ContextVar[bool] = ContextVar("whether the store is asked", default=False)
_spared: ContextVar[float] = ContextVar("seconds spared by that", default=0.0)


@contextmanager
def from_store(wanted: bool = True) -> Iterator[None]:
    """Inside, what was drawn before is looked up and what is drawn is kept; outside, and where it is not wanted, all is drawn."""
    before = _asked.set(wanted)
    try:
        yield
    finally:
        _asked.reset(before)


def asked() -> bool:
    """Whether estimates are looked up in the store."""
    return _asked.get()


def spared() -> float:
    """The seconds that all estimates looked up so far took when they were drawn."""
    return _spared.get()


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
    """What a function draws within so many seconds of processor time: where these do not run out the same on every machine.

    An estimate that they may have ended is not kept. executor: where it draws, as one that remembers batches.
    """
    wanted = key(draw) if asked() else None
    known = _looked_up(wanted)
    if known is not None:
        _spared.set(spared() + known[1])
        return known[0]
    started, worked = time.monotonic(), time.process_time()
    found = draw(max_seconds=max_seconds, executor=executor)
    if time.process_time() - worked < max_seconds:
        keep(wanted, found, time.monotonic() - started)
    return found


# what the batches gave that this process drew
_batches: dict[tuple[object, ...], Moments] = {}


class _Batches:
    """The memory of an executor within a process, by whether the store is asked, the law that draws, and streams."""

    def __init__(self, law: InputLaw) -> None:
        self._of = asked(), law

    def recall(self, task: Batch) -> Moments | None:
        """The moments of a batch that was drawn before."""
        return _batches.get((*self._of, task.seed_text, task.number))

    def keep(self, task: Batch, result: Moments) -> None:
        """Remember a batch."""
        _batches[*self._of, task.seed_text, task.number] = result


# by whether the store was asked, by what was simulated, whose law may be another one of the same name, and then by the error
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

    One that ended for a larger error and has reached this one would end at the same draw again; another goes on from its batches,
    and so further where `max_seconds` of processor time end it.
    """
    of = (asked(), setting.fingerprint, setting.law, quantity, seed, max_seconds, protocol)
    known = _simulated.setdefault(of, {})
    for error, estimate in known.items():
        if error == rel_error or (error > rel_error and estimate.resolved(rel_error)):
            return estimate
    draw = partial(simulate, setting, quantity, protocol=protocol, rel_error=rel_error, seed=seed)
    # of the plain protocol none is asked for to several errors, and it draws very many
    memory = None if protocol == "plain" else _Batches(setting.law)
    known[rel_error] = estimated(draw, max_seconds, SerialExecutor(memory))
    return known[rel_error]
