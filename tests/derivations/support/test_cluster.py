"""A cluster of Dask on this machine: same results, workers and schedulers that go, and addresses where nobody is."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import distributed
import pytest

from derivations.support import cluster
from derivations.support.bad_input import BadInput
from derivations.support.batches import StoredBatches
from derivations.support.cluster import RUN, Cluster
from derivations.support.sources import reached
from derivations.support.workers import workers, working
from numeric_check.estimators.simulation import simulate
from numeric_check.problem.setting import Setting

ROOT = Path(__file__).resolve().parents[3]
SETTING = Setting(n_t=5, n_v=2, n_r=4, m=2, p=12, sigma=0.5, nu=0.5, alpha_t=0.1, alpha_r=0.1, n_s=5)
WORDS = ["eq5", "n_t=5", "n_v=2", "n_r=4", "m=2", "p=12", "sigma=0.5", "nu=0.5", "alpha_r=0.1"]


class Dask:
    """A scheduler, and workers of one thread each, as processes that can be killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack, self._workers = folder, stack, 0
        place = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(place))
        deadline = time.monotonic() + 300
        while not (place.exists() and place.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.address = str(json.loads(place.read_text())["address"])

    def worker(self) -> subprocess.Popen[bytes]:
        self._workers += 1
        started = self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--death-timeout", "300"
        )
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(self._workers, timeout=300)
        return started

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, *options, "--host", "127.0.0.1", "--no-dashboard"]
        log = self._stack.enter_context((self._folder / f"{what}.log").open("ab"))
        # the scheduler, too, reads the names of the functions of this module
        # and no disk is shared
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DERIVE_STORE": str(self._folder / "of-workers"),
        }
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, env=environment)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    with ExitStack() as stack:
        yield Dask(tmp_path, stack)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))


def derive(*words: str, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "derivations", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def numbers() -> Any:
    """A simulation on so many workers, all of its batches drawn there."""
    with workers(8, None) as executor:
        return simulate(SETTING, rel_error=0.002, seed=3, executor=executor)


@pytest.mark.slow(10)
def test_the_same_numbers_for_any_number_of_workers_and_on_a_cluster(dask: Dask) -> None:
    dask.worker()
    dask.worker()
    found = []
    for place in ({"workers": 1}, {"workers": 2}, {"workers": 8}, {"scheduler": dask.address}):
        with working(**place):
            found.append(numbers())
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.slow(70)
def test_commands_on_a_cluster_give_what_they_give_here(dask: Dask) -> None:
    dask.worker()
    for words in (
        ["sweep", *WORDS, "alpha_t=-1:1:0.25", "--simulate", "--rel-error", "0.01", "--json"],
        ["verify", "wishart-mean", "rows-sandwich", "--fresh", "--json"],
        ["simulate", *WORDS, "alpha_t=0.1", "--protocol", "plain", "--rel-error", "0.01", "--json"],
        ["figure", "5", "--reading", "run", "--rate", "0", "--runs", "1", "--json"],
    ):
        ran = [derive(*words, *place) for place in ([], ["--scheduler", dask.address])]
        said = [process.communicate(timeout=600) for process in ran]
        assert [process.returncode for process in ran] == [0, 0], said
        documents = [json.loads(out) for out, _ in said]
        rows = [document if isinstance(document, list) else [document] for document in documents]
        assert [*map(without_seconds, rows[0])] == [*map(without_seconds, rows[1])]


def without_seconds(row: dict[str, Any]) -> dict[str, Any]:
    checks = [
        {name: value for name, value in check.items() if name != "seconds"} for check in row.get("checks", [])
    ]
    return {name: value for name, value in row.items() if name != "seconds"} | {"checks": checks}


def slowly(number: int) -> int:
    time.sleep(0.05)
    return 2 * number


@pytest.fixture
def _giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler gives a task up with the first worker that dies of it, as it does with the fourth by itself."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")


@pytest.mark.slow(10)
@pytest.mark.usefixtures("_giving_up")
def test_what_dask_gives_up_is_given_to_another_worker(dask: Dask) -> None:
    test_a_killed_worker_loses_nothing(dask)


@pytest.mark.slow(10)
def test_a_killed_worker_loses_nothing(dask: Dask) -> None:
    first = dask.worker()
    with working(scheduler=dask.address), workers(8) as executor:
        dask.worker()
        found = []
        for k, result in enumerate(executor.map(slowly, range(60))):
            found.append(result)
            if k == 5:
                first.kill()
    assert found == [2 * k for k in range(60)]


@pytest.mark.slow(10)
def test_a_scheduler_that_goes_is_told_and_what_was_finished_is_kept(
    dask: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask.worker()
    aim: dict[str, Any] = {"rel_error": 2e-4, "seed": 3, "max_seconds": 300}

    def until_it_goes(part: float) -> None:
        if part > 0.3:
            dask.scheduler.kill()

    with working(scheduler=dask.address):
        # nobody is there any more to answer, however long it waits
        monkeypatch.setattr(cluster, "PATIENCE", 2)
        with pytest.raises(BadInput, match="no scheduler answers any more"):
            run_on_workers(aim | {"progress": until_it_goes})
    memory = StoredBatches()
    kept: list[object] = []
    monkeypatch.setattr(StoredBatches, "keep", lambda self, task, result: kept.append(task))
    with workers(1, None, memory) as executor:
        found = simulate(SETTING, executor=executor, **aim)
    assert found == simulate(SETTING, **aim)
    assert 0 < len(kept) * 10 < 9 * found.draws / 64


def run_on_workers(options: dict[str, Any]) -> None:
    with workers(8, None, StoredBatches()) as executor:
        simulate(SETTING, executor=executor, **options)


def test_no_scheduler_is_one_line_and_status_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from derivations.command.cli import main

    monkeypatch.setattr(cluster, "PATIENCE", 1)
    for address, said in (
        ("tcp://127.0.0.1:1", "no scheduler answers at 'tcp://127.0.0.1:1' within 1 seconds"),
        ("nonsense://x", "no scheduler answers at 'nonsense://x'"),
        ("", "no scheduler answers at ''"),
    ):
        assert main(["simulate", *WORDS, "alpha_t=0.1", "--scheduler", address]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert said in err


@pytest.mark.parametrize(
    "words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None], ids=["web", "closed", "silent"]
)
def test_what_answers_and_is_no_scheduler_is_one_line(
    words: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    held = []

    def answer(listening: socket.socket) -> None:
        with suppress(OSError):  # it is closed
            while True:
                held.append(listening.accept()[0])
                if words is not None:
                    held[-1].sendall(words)
                    held[-1].shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=[listening], daemon=True).start()
        with pytest.raises(BadInput, match="no scheduler answers"):
            Cluster(f"tcp://127.0.0.1:{listening.getsockname()[1]}")
        listening.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", ""])
def test_a_client_that_fails_is_closed_and_not_left_to_the_collector(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    made: list[Any] = []

    class Held(distributed.Client):
        def __init__(self, *address: Any, **options: Any) -> None:
            made.append(self)
            super().__init__(*address, **options)

    monkeypatch.setattr(distributed, "Client", Held)
    with pytest.raises(BadInput, match="no scheduler answers"):
        Cluster(address)
    assert [client.status for client in made] == ["closed"]


def test_without_the_extra_the_line_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from derivations.command.cli import main

    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["figure", "2", "--scheduler", "tcp://127.0.0.1:8786"]) == 2
    assert "pip install 'negative-rates-living-edition[cluster]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"workers": 0}, "--workers is 0"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:8786"}, "give one of them"),
    ],
)
def test_places_that_are_none(place: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said), working(**place):
        pass


def test_the_sources_that_are_compared_are_all_that_run_there() -> None:
    """Each module that hands work to a cluster; what only the book asks for never goes to one."""
    given = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in (ROOT / "derivations").rglob("*.py")
        if re.search(r"\bwith workers\(", path.read_text(encoding="utf-8"))
    }
    asking = {
        name for name in given if not name.startswith(("derivations.book_pages", "derivations.variants"))
    }
    assert "derivations.figures.network_runs" in asking
    assert asking <= reached(RUN)


def test_workers_with_other_sources_are_refused() -> None:
    assert cluster._run(None, cluster.fingerprint(cluster.RUN), abs, -1) == 1
    with pytest.raises(BadInput, match="other sources"):
        cluster._run(None, "other", abs, -1)


def test_a_scheduler_without_workers_is_told(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(distributed.Client):
        """Patient while it connects, which can take long on a busy machine, and not for workers that never come."""

        def wait_for_workers(self, n_workers: int, timeout: float | None = None) -> Any:
            return super().wait_for_workers(n_workers, timeout=timeout and 1)

    monkeypatch.setattr(distributed, "Client", Impatient)
    monkeypatch.setattr(cluster, "PATIENCE", 60)
    with pytest.raises(BadInput, match="has no workers"):
        Cluster(dask.address)
