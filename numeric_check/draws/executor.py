"""Where batches run: in this process, or in a pool of processes.

Results come back in the order of the tasks, whatever the number of workers, so nothing downstream depends on
it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

from numeric_check.draws.processes import process_pool

Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Anything that applies a function to tasks and yields the results in the order of the tasks, lazily."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in task order; `tasks` may be infinite, and dropping the iterator stops the work."""
        ...


class SerialExecutor:
    """One task after another in this process."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Each task as it is asked for."""
        return map(function, tasks)


class ProcessExecutor:
    """A pool of freshly started Python processes; use as a context manager, or call `close`.

    Functions and tasks must be importable module-level objects and plain data; each process first calls `prepare`.
    Raises ValueError for fewer than one worker.
    """

    def __init__(self, workers: int, prepare: Callable[[], object] | None = None) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}: give a positive integer")
        self.workers = workers
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(process_pool(workers, prepare))

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Keeps two tasks per worker under way and yields in task order."""
        source = iter(tasks)
        running: deque[Future[Result]] = deque()
        try:
            while True:
                while len(running) < 2 * self.workers:
                    try:
                        running.append(self._pool.submit(function, next(source)))
                    except StopIteration:
                        break
                if not running:
                    return
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """Waits for what is running and ends the processes."""
        self._stack.close()

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(self, *exc: Any) -> None:
        # an exception, as by Ctrl-C, ends what is running at once
        self._stack.__exit__(*exc)
