"""Where tasks run: in this process, or on an executor of `concurrent.futures`, as of processes or of a cluster.

Results do not depend on it: those in the order of the tasks come in that order, whatever the number of workers. Tasks whose
worker is lost are given to others, and a memory, where there is one, is asked before a task is run and told of its result.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Future,
    wait,
)
from concurrent.futures import Executor as Pool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from numeric_check.problem.impossible import Impossible

Task = TypeVar("Task")
Result = TypeVar("Result")
LOSSES = 3
"""How often a task may lose its worker before it is taken to be the cause."""
LOST = (BrokenExecutor, CancelledError)
TICK = 1.0
# hears which tasks are running
Tick = Callable[[list[Any]], object]


def _nobody(running: list[Any]) -> None:
    pass


@contextmanager
def _ticking(tick: Callable[[], object]) -> Iterator[None]:
    """Calls `tick` now and about once a second until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(TICK):
            tick()

    tick()
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Memory(Protocol):
    """Results of earlier runs."""

    def recall(self, task: Any) -> Any | None:
        """The result of this task, or None."""
        ...

    def keep(self, task: Any, result: Any) -> None:
        """Remember it."""
        ...


class Executor(Protocol):
    """Anything that applies a function to tasks and yields the results in the order of the tasks, lazily."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in task order; `tasks` may be infinite, and dropping the iterator stops the work."""
        ...


class SerialExecutor:
    """One task after another in this process."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Each task as it is asked for."""
        for task in tasks:
            known = None if self._memory is None else self._memory.recall(task)
            if known is None:
                known = function(task)
                if self._memory is not None:
                    self._memory.keep(task, known)
            yield known

    def ended(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], tick: Tick = _nobody
    ) -> Iterator[tuple[Task, Future[Result]]]:
        """As of `PoolExecutor`."""
        for task in tasks:
            future: Future[Result] = Future()
            with _ticking(partial(tick, [task])):
                try:
                    future.set_result(function(task))
                except Exception as error:
                    future.set_exception(error)
            yield task, future

    def __enter__(self) -> SerialExecutor:
        return self

    def __exit__(self, *exc: Any) -> None:
        pass


@dataclass
class _Running(Generic[Task, Result]):
    """A task under way, or its result from memory."""

    task: Task
    future: Future[Result] | None
    known: Any = None
    losses: int = 0


class PoolExecutor:
    """Tasks on an executor of `concurrent.futures`, which is begun anew when it is lost; a context manager.

    workers: how many tasks run at a time. begin: enters such an executor. Functions and tasks must be importable
    module-level objects and plain data. Raises ValueError for fewer than one worker, and where a task loses its worker
    again and again.
    """

    def __init__(
        self,
        workers: int,
        begin: Callable[[], AbstractContextManager[Pool]],
        memory: Memory | None = None,
        lost: tuple[type[BaseException], ...] = LOST,
    ) -> None:
        if workers < 1:
            raise Impossible(f"workers is {workers}: give a positive integer")
        self.workers = workers
        self._begin, self._memory, self._lost = begin, memory, lost
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(begin())

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Keeps two tasks per worker under way and yields in task order; what is remembered does not run."""
        source = iter(tasks)
        running: deque[_Running[Task, Result]] = deque()
        try:
            while True:
                while len(running) < 2 * self.workers and not (running and running[0].future is None):
                    try:
                        running.append(self._started(function, next(source)))
                    except StopIteration:
                        break
                if not running:
                    return
                first = running[0]
                if first.future is None:
                    yield running.popleft().known
                    continue
                try:
                    result = first.future.result()
                except self._lost as error:
                    self._again(function, running, error)
                    continue
                running.popleft()
                if self._memory is not None:
                    self._memory.keep(first.task, result)
                yield result
        finally:
            _cancel(running)

    def ended(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], tick: Tick = _nobody
    ) -> Iterator[tuple[Task, Future[Result]]]:
        """Each task as it ends, with the future that has its result or exception; begun in their order.

        `tick` hears about once a second which are running.
        """
        source = iter(tasks)
        running: list[_Running[Task, Result]] = []
        try:
            while True:
                while len(running) < self.workers:
                    try:
                        task = next(source)
                    except StopIteration:
                        break
                    running.append(_Running(task, self._submit(function, task)))
                if not running:
                    return
                tick([item.task for item in running])
                done = wait([item.future for item in running if item.future], TICK, FIRST_COMPLETED).done
                for item in [item for item in running if item.future in done]:
                    assert item.future is not None
                    error = item.future.exception() if not item.future.cancelled() else CancelledError()
                    if isinstance(error, self._lost):
                        self._again(function, running, error)
                        break
                    running.remove(item)
                    yield item.task, item.future
        finally:
            _cancel(running)

    def _started(self, function: Callable[[Task], Result], task: Task) -> _Running[Task, Result]:
        known = None if self._memory is None else self._memory.recall(task)
        return (
            _Running(task, None, known) if known is not None else _Running(task, self._submit(function, task))
        )

    def _submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        try:
            return self._pool.submit(function, task)
        except (BrokenExecutor, RuntimeError) as error:  # lost just now: whoever waits for it begins anew
            failed: Future[Result] = Future()
            failed.set_exception(error if isinstance(error, BrokenExecutor) else BrokenExecutor(str(error)))
            return failed

    def _again(
        self,
        function: Callable[[Task], Result],
        running: Iterable[_Running[Task, Result]],
        error: BaseException,
    ) -> None:
        """A new pool for what has not ended; a task that has lost its worker too often ends with an error."""
        lost = [item for item in running if item.future is not None and not self._ended(item.future)]
        self._stack.close()
        self._pool = self._stack.enter_context(self._begin())
        for item in lost:
            item.losses += 1
            if item.losses < LOSSES:
                item.future = self._submit(function, item.task)
                continue
            item.future = Future()
            item.future.set_exception(
                Impossible(
                    f"a task lost its worker {LOSSES} times ({type(error).__name__}): give the workers more memory, or "
                    "take fewer of them; what was finished is kept"
                )
            )

    def _ended(self, future: Future[Any]) -> bool:
        return future.done() and not future.cancelled() and not isinstance(future.exception(), self._lost)

    def close(self) -> None:
        """Waits for what is running and ends the processes."""
        self._stack.close()

    def __enter__(self) -> PoolExecutor:
        return self

    def __exit__(self, *exc: Any) -> None:
        # an exception, as by Ctrl-C, ends what is running at once
        self._stack.__exit__(*exc)


def _cancel(running: Iterable[_Running[Any, Any]]) -> None:
    for item in running:
        if item.future is not None:
            item.future.cancel()


def processes(
    workers: int, prepare: Callable[[], object] | None = None, memory: Memory | None = None
) -> PoolExecutor:
    """A pool of freshly started Python processes, each of which first calls `prepare`."""
    from numeric_check.draws.processes import process_pool

    return PoolExecutor(workers, partial(process_pool, workers, prepare), memory)
