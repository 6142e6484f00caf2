"""Results come in order from any executor; a lost worker costs nothing, and what is remembered does not run."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from numeric_check.draws.executor import LOSSES, PoolExecutor, SerialExecutor, processes


def double(number: int) -> int:
    return 2 * number


class Remembered:
    def __init__(self, **known: int) -> None:
        self.known = {int(name[1:]): value for name, value in known.items()}
        self.kept: list[int] = []

    def recall(self, task: Any) -> Any | None:
        return self.known.get(task)

    def keep(self, task: Any, result: Any) -> None:
        self.known[task] = result
        self.kept.append(task)


class Failing(Executor):
    """Loses its workers at every so many tasks; counts what is asked of it."""

    def __init__(self, every: int, error: Exception) -> None:
        self.every, self.error, self.begun, self.asked = every, error, 0, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked += 1
        future: Future[Any] = Future()
        if self.asked % self.every == 0:
            future.set_exception(self.error)
        else:
            future.set_result(fn(*args, **kwargs))
        return future

    @contextmanager
    def begin(self) -> Iterator[Executor]:
        self.begun += 1
        yield self


@pytest.mark.parametrize("error", [BrokenExecutor("gone"), CancelledError()])
def test_tasks_of_lost_workers_are_given_to_others(error: Exception) -> None:
    failing = Failing(5, error)
    with PoolExecutor(2, failing.begin) as pool:
        assert list(pool.map(double, range(40))) == [2 * k for k in range(40)]
        assert failing.begun > 5
        found = {task: future.result() for task, future in pool.ended(double, range(40))}
    assert found == {k: 2 * k for k in range(40)}


def by_map(pool: PoolExecutor) -> None:
    list(pool.map(double, range(3)))


def by_ended(pool: PoolExecutor) -> None:
    for _, future in pool.ended(double, range(3)):
        future.result()


@pytest.mark.parametrize("run", [by_map, by_ended])
def test_a_task_that_loses_every_worker_ends(run: Callable[[PoolExecutor], None]) -> None:
    failing = Failing(1, BrokenExecutor("gone"))
    with PoolExecutor(1, failing.begin) as pool, pytest.raises(ValueError, match=f"worker {LOSSES} times"):
        run(pool)


def test_an_error_of_a_task_is_its_own() -> None:
    for pool in (SerialExecutor(), PoolExecutor(2, lambda: ThreadPoolExecutor(2))):
        with pool:
            ended = dict(pool.ended(int, ["1", "x", "3"]))
            assert ended["1"].result() + ended["3"].result() == 4
            with pytest.raises(ValueError, match="invalid literal"):
                ended["x"].result()


@pytest.mark.parametrize("limit", [0, 1, 2, 8])
def test_what_is_remembered_does_not_run(limit: int) -> None:
    memory = Remembered(k0=0, k1=-1, k3=-3, k4=-4)
    ran: list[int] = []

    def spied(task: int) -> int:
        ran.append(task)
        return 2 * task

    pool = PoolExecutor(limit, lambda: ThreadPoolExecutor(1), memory) if limit else SerialExecutor(memory)
    with pool:
        # the tasks have no end: nothing is begun beyond what is remembered
        assert list(itertools.islice(pool.map(spied, itertools.count()), 2)) == [0, -1]
        assert ran == []
        assert list(itertools.islice(pool.map(spied, itertools.count()), 6)) == [0, -1, 4, -3, -4, 10]
    assert memory.kept[:2] == [2, 5]
    assert not {0, 1, 3, 4} & {*ran}


def die_once(task: tuple[str, int]) -> int:
    """Ends its process, unless another did so for this task."""
    folder, number = task
    try:
        (Path(folder) / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return number
    if number % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_killed_processes_lose_nothing(tmp_path: Path) -> None:
    with processes(2) as pool:
        assert list(pool.map(die_once, [(str(tmp_path), k) for k in range(5)])) == list(range(5))
