"""A cluster of Dask (the extra `[cluster]`) as an executor of `concurrent.futures`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from typing import Any

from derivations.support.bad_input import BadInput
from derivations.support.sources import fingerprint
from derivations.support.text import shortened
from numeric_check.draws.executor import LOST

PATIENCE = 10
"""Seconds in which a scheduler must answer."""
# what runs on a cluster: results are kept under the digest of these sources, so that workers must have the same
RUN = frozenset(
    {
        "derivations.command.sweep",
        "derivations.figures.network_point",
        "derivations.paper.experiments.points",
        "derivations.verification.verify",
    }
)


class Cluster:
    """The workers of the scheduler at an address. Raises BadInput where Dask is missing or nobody answers."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ModuleNotFoundError:
            raise BadInput(
                "--scheduler needs Dask, which is not installed: pip install 'negative-rates-living-edition[cluster]'"
            ) from None
        # it tells of lost connections on its own, beside the line that says what to do
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._dask, self.address = distributed, address
        self.lost = (*LOST, distributed.scheduler.KilledWorker)
        self._client = self._connect("answers")

    def _connect(self, fails: str) -> Any:
        # Held while it is made: one that fails would be closed when its memory is collected, and where that comes while
        # another starts, both wait for one lock of Dask without end.
        client = self._dask.Client.__new__(self._dask.Client)
        # its own timeout ends with the connection: who accepts that and says no more would be waited for without end
        client.start = partial(client.start, callback_timeout=PATIENCE)
        try:
            client.__init__(self.address, timeout=PATIENCE, set_as_default=False)
        except (
            Exception
        ):  # what answers may be anything: read as lengths, the words of a web server are of exabytes
            self._end(client)
            raise BadInput(
                f"no scheduler {fails} at {shortened(self.address)!r} within {PATIENCE} seconds: give an address as "
                "tcp://HOST:8786, of a running `dask scheduler`; what was finished is kept"
            ) from None
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, RuntimeError):
            self._end(client)
            raise BadInput(
                f"the scheduler at {shortened(self.address)!r} has no workers: start some, as with `dask worker ADDRESS`"
            ) from None
        return client

    @property
    def size(self) -> int:
        """How many tasks its workers run at a time."""
        return max(1, int(sum(self._client.nthreads().values())))

    @contextmanager
    def pool(self, prepare: Callable[[], object] | None = None) -> Iterator[Executor]:
        """Its workers as an executor, each of which calls `prepare` before its first task; connects anew after a loss."""
        if self._client.status != "running":
            self._end(self._client)
            self._client = self._connect("answers any more")
        yield _Prepared(self._client.get_executor(pure=False), prepare)

    def close(self) -> None:
        """Leaves the cluster; it goes on."""
        self._end(self._client)

    @staticmethod
    def _end(client: Any) -> None:
        client.close(timeout=2)


class _Prepared(Executor):
    """An executor whose tasks run in processes that are as this one: same sources, `prepare` called."""

    def __init__(self, pool: Executor, prepare: Callable[[], object] | None) -> None:
        self._pool, self._prepare = pool, prepare

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._pool.submit(_run, self._prepare, fingerprint(RUN), fn, *args, **kwargs)


_prepared: set[Callable[[], object]] = set()


def _run(
    prepare: Callable[[], object] | None,
    sources: str,
    function: Callable[..., Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """A task, on a worker of the cluster."""
    if fingerprint(RUN) != sources:
        raise BadInput(
            "a worker of the cluster has other sources or libraries than this process: install the same there"
        )
    if prepare is not None and prepare not in _prepared:
        prepare()
        _prepared.add(prepare)
    return function(*args, **kwargs)
