"""The processes that long sampling runs on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numeric_check.draws.executor import Executor, ProcessExecutor, SerialExecutor


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(pieces: int, prepare: Callable[[], object] | None = None) -> Iterator[Executor]:
    """One process per core for work in this many pieces, or this process for one piece or one core.

    Each new process first calls `prepare`.
    """
    count = min(cores(), pieces)
    if count <= 1:
        yield SerialExecutor()
        return
    with ProcessExecutor(count, prepare) as pool:
        yield pool
