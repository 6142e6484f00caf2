"""Worker processes end with the work they are for, whichever way it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest

from numeric_check.draws.processes import process_pool
from numeric_check.draws.threads import VARIABLES


def test_work_is_done_and_the_processes_are_gone() -> None:
    before = set(multiprocessing.active_children())
    with process_pool(2) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        assert len(set(multiprocessing.active_children()) - before) == 2
    assert set(multiprocessing.active_children()) <= before


def interrupted_work() -> None:
    with process_pool(1) as pool:
        pool.submit(time.sleep, 3600)
        raise KeyboardInterrupt


def test_an_exception_ends_what_is_running() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        interrupted_work()  # else it would take an hour
    assert set(multiprocessing.active_children()) <= before


def test_workers_leave_ctrl_c_to_the_process_that_started_them() -> None:
    with process_pool(1) as pool:
        worker = pool.submit(os.getpid).result()
        os.kill(worker, signal.SIGINT)
        assert pool.submit(os.getpid).result() == worker
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_the_processes_of_a_run_have_one_thread_of_linear_algebra_each() -> None:
    with process_pool(1) as pool:
        inside = list(pool.map(os.getenv, VARIABLES))
    assert inside == [os.environ[name] for name in VARIABLES]
