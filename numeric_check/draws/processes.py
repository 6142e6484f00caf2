"""Pools of worker processes that end with the work they are for: done, failed, interrupted, or its process killed."""

from __future__ import annotations

import gc
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loky import ProcessPoolExecutor, process_executor

from numeric_check.draws.threads import told_to_workers

# objects that are made between two searches for cycles, and how many searches of one kind before one goes further
COLLECTED = (50_000, 20, 50)


@contextmanager
def process_pool(workers: int, prepare: Callable[[], object] | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of freshly started Python processes, each with one thread of linear algebra; each first calls `prepare`.

    A block that ends well waits for what is running; one that is left by an exception, as by Ctrl-C, ends the
    processes at once.
    """
    # not of `concurrent.futures`: there a process that is lost while another one starts can be waited for without end
    pool = ProcessPoolExecutor(
        workers, context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(prepare,)
    )
    try:
        with told_to_workers(), _interrupts_held():
            pool.submit(os.getpid)  # starts every process
        yield pool
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise
    pool.shutdown()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keeps Ctrl-C from processes started inside, for good: they inherit it. This one hears of it at the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[[], object] | None) -> None:
    """In a worker: leave Ctrl-C to the process that started it, and end when that one is gone."""
    # what grows there are results that serve the next task, and no leak
    process_executor._MEMORY_LEAK_CHECK_DELAY = math.inf
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if prepare is not None:
        prepare()
    # the modules stay, and formulas are trees in caches: to search them for cycles as often as is usual takes a twentieth of the time
    gc.freeze()
    gc.set_threshold(*COLLECTED)
