"""Where long work runs: one process per core, as many as were asked for, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from derivations.support.bad_input import BadInput
from numeric_check.draws.executor import Memory, PoolExecutor, SerialExecutor, processes

if TYPE_CHECKING:
    from derivations.support.cluster import Cluster


@dataclass(frozen=True)
class _Place:
    workers: int | None = None
    cluster: Cluster | None = None


_NOWHERE = _Place()
_chosen: ContextVar[_Place] = ContextVar("_chosen", default=_NOWHERE)


@contextmanager
def working(workers: int | None = None, scheduler: str | None = None) -> Iterator[None]:
    """What runs inside takes this many processes, or the cluster whose scheduler has this address.

    Raises BadInput for fewer than one worker, for both, and where no scheduler answers.
    """
    if workers is not None and workers < 1:
        raise BadInput(f"--workers is {workers}: give a positive integer")
    if scheduler is None:
        place = _Place(workers)
    else:
        from derivations.support.cluster import Cluster

        if workers is not None:
            raise BadInput("--workers is for this machine, --scheduler for a cluster: give one of them")
        place = _Place(cluster=Cluster(scheduler))
    before = _chosen.set(place)
    try:
        yield
    finally:
        _chosen.reset(before)
        if place.cluster is not None:
            place.cluster.close()


def cores() -> int:
    """How many processes may work: as many as were asked for, else the cores this process may use."""
    asked = _chosen.get().workers
    if asked is not None:
        return asked
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(
    pieces: int, prepare: Callable[[], object] | None = None, memory: Memory | None = None
) -> Iterator[PoolExecutor | SerialExecutor]:
    """The cluster, where one was chosen; else a process per core for work in this many pieces, or this process for one.

    Each new process first calls `prepare`. memory: what is asked before a piece is computed.
    """
    cluster, count = _chosen.get().cluster, min(cores(), pieces)
    if cluster is not None and pieces:
        with PoolExecutor(cluster.size, partial(cluster.pool, prepare), memory, cluster.lost) as pool:
            yield pool
    elif count <= 1:
        yield SerialExecutor(memory)
    else:
        with processes(count, prepare, memory) as pool:
            yield pool
