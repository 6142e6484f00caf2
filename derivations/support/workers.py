"""Where long work runs: one process per core, as many as were asked for, or a cluster."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from derivations.support import sources
from derivations.support.bad_input import BadInput
from numeric_check.draws.executor import Memory, PoolExecutor, SerialExecutor, processes

if TYPE_CHECKING:
    from derivations.support.cluster import Cluster


@dataclass(frozen=True)
class _Place:
    workers: int | None = None
    cluster: Cluster | None = None
    shared: _Shared | None = None


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
    """How many processes may work: as many as were asked for, else the cores this process may use.

    Else one, in a process that is itself a worker: the others have the other cores.
    """
    asked = _chosen.get().workers
    if asked is not None:
        return asked
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Shared:
    """The processes of work that goes on side by side: started when first asked for, and anew when they are lost."""

    def __init__(self, prepare: Callable[[], object] | None) -> None:
        self._prepare = prepare
        self._stack = ExitStack()
        self._pool: Executor | None = None
        self._ended = False
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def begun(self) -> Iterator[Executor]:
        with self._one_at_a_time:
            pool = self._working()
        yield pool

    def _working(self) -> Executor:
        from numeric_check.draws.processes import process_pool

        if self._ended:
            raise RuntimeError("the work that this belongs to has ended")
        if self._pool is not None:
            try:
                self._pool.submit(os.getpid)
                return self._pool
            except BrokenExecutor:
                self._stack.close()
        begin = partial(_begin, sources.known(), self._prepare)
        self._pool = self._stack.enter_context(process_pool(cores(), begin))
        return self._pool

    def __enter__(self) -> _Shared:
        return self

    def __exit__(self, *exc: Any) -> None:
        with self._one_at_a_time:
            self._ended = True
            # an exception, as by Ctrl-C, ends what is running at once
            self._stack.__exit__(*exc)


def _begin(facts: Mapping[str, sources.Facts], prepare: Callable[[], object] | None) -> None:
    """In a new process: what this one knows of sources, and what the work asks for."""
    sources.learn(facts)
    if prepare is not None:
        prepare()


@contextmanager
def shared(prepare: Callable[[], object] | None = None) -> Iterator[_Shared | None]:
    """What runs inside takes the same processes, which first call `prepare`; None where this process does all, or a cluster.

    What one piece of work leaves in their memory serves the next. Inside another such block its processes go on.
    """
    place = _chosen.get()
    if place.shared is not None or place.cluster is not None or cores() == 1:
        yield place.shared
        return
    with _Shared(prepare) as own:
        before = _chosen.set(replace(place, shared=own))
        try:
            yield own
        finally:
            _chosen.reset(before)


def side_by_side(work: Sequence[Callable[[], object]], prepare: Callable[[], object] | None = None) -> None:
    """Pieces of long work at the same time, on the same processes, none of which waits for the end of one of them.

    Each process first calls `prepare`, whatever the work asks for. Raises what one of them raises first.
    """
    with shared(prepare) as together:
        if together is None:
            for part in work:
                part()
            return
        with ThreadPoolExecutor(len(work)) as threads:
            try:
                for begun in as_completed([threads.submit(copy_context().run, part) for part in work]):
                    begun.result()
            except BaseException:
                # the others hear of it from the end of their processes
                together.__exit__(*sys.exc_info())
                raise


@contextmanager
def elsewhere(pieces: int) -> Iterator[PoolExecutor]:
    """Processes of this machine for work that would leave traces in this one, or cannot be sent to a cluster."""
    together = _chosen.get().shared
    count = min(cores(), pieces)
    with processes(count) if together is None else PoolExecutor(count, together.begun) as pool:
        yield pool


@contextmanager
def workers(
    pieces: int, prepare: Callable[[], object] | None = None, memory: Memory | None = None
) -> Iterator[PoolExecutor | SerialExecutor]:
    """The cluster, where one was chosen; else a process per core for work in this many pieces, or this process for one.

    Each new process first calls `prepare`. memory: what is asked before a piece is computed.
    """
    place, count = _chosen.get(), min(cores(), pieces)
    cluster = place.cluster
    if cluster is not None and pieces:
        with PoolExecutor(cluster.size, partial(cluster.pool, prepare), memory, cluster.lost) as pool:
            yield pool
    elif place.shared is not None and count:
        with PoolExecutor(count, place.shared.begun, memory) as pool:
            yield pool
    elif count <= 1:
        yield SerialExecutor(memory)
    else:
        with processes(count, prepare, memory) as pool:
            yield pool
