"""Worker processes end with the work they are for, whichever way it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import suppress

import pytest

from numeric_check.draws.processes import process_pool
from numeric_check.draws.threads import MEMORY, VARIABLES


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


def test_the_processes_of_a_run_have_one_thread_of_linear_algebra_each_and_keep_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in MEMORY:
        monkeypatch.delenv(name, raising=False)
    with process_pool(2) as pool:
        # both are busy, so that each says what it has
        said = [pool.submit(variables, 0.5) for _ in range(2)]
        inside = [each.result() for each in said]
    assert inside == [[*(os.environ[name] for name in VARIABLES), *MEMORY.values()]] * 2
    assert not {*MEMORY} & {*os.environ}


def variables(seconds: float) -> list[str | None]:
    time.sleep(seconds)
    return [os.getenv(name) for name in (*VARIABLES, *MEMORY)]


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("ends_well", [True, False])
def test_processes_that_are_lost_keep_nobody_waiting(ends_well: bool) -> None:
    """Lost at once, beside work that is given up: neither the end of the block nor that of this process waits."""
    before = set(multiprocessing.active_children())
    with suppress(Interrupted), process_pool(4) as pool:
        lost = [pool.submit(die, number) for number in range(8)]
        lost[-1].cancel()
        others = [pool.submit(abs, -number) for number in range(8)]
        others[0].cancel()
        for each in (*lost, *others):
            with suppress(BrokenExecutor, CancelledError):
                each.result(timeout=300)
        if not ends_well:
            raise Interrupted
    assert set(multiprocessing.active_children()) <= before


class Interrupted(Exception):
    pass
