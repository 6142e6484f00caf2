"""Work goes to processes that outlive one piece of it, side by side."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from derivations.support.workers import cores, elsewhere, shared, side_by_side, workers, working

PIECES = 4
LATE = 120
"""Seconds in which a process must have started."""


def whose(_: int) -> int:
    return os.getpid()


def met(folder: Path, others: int, _: int) -> int:
    """This process, after so many have begun: one that starts early must not do all the work of one that starts late."""
    (folder / str(os.getpid())).touch()
    latest = time.monotonic() + LATE
    while len(list(folder.iterdir())) < others and time.monotonic() < latest:
        time.sleep(0.02)
    return os.getpid()


def collect(found: set[int], calls: list[int], work: Callable[[int], int] = whose) -> None:
    with workers(PIECES) as executor:
        found.update(executor.map(work, range(PIECES)))
    calls.append(len(found))


def mark(folder: Path) -> None:
    with (folder / str(os.getpid())).open("a") as marks:
        marks.write("prepared\n")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where processes say that they were prepared, and that they have begun."""
    found = tmp_path / "prepared", tmp_path / "begun"
    for folder in found:
        folder.mkdir()
    return found


def prepared_once(folder: Path) -> set[int]:
    marks = {int(path.name): path.read_text() for path in folder.iterdir()}
    assert {*marks.values()} == {"prepared\n"}
    return {*marks}


def test_pieces_of_work_share_processes_that_are_prepared_once(folders: tuple[Path, Path]) -> None:
    found, calls = set[int](), list[int]()
    prepared, begun = folders
    with working(workers=2):
        side_by_side([partial(collect, found, calls, partial(met, begun, 2))] * 3, partial(mark, prepared))
    assert len(calls) == 3
    assert len(found) == 2
    assert os.getpid() not in found
    assert found == prepared_once(prepared)


def test_what_runs_inside_a_block_takes_its_processes(folders: tuple[Path, Path]) -> None:
    found, calls = set[int](), list[int]()
    prepared, begun = folders
    with working(workers=2), shared(partial(mark, prepared)):
        collect(found, calls, partial(met, begun, 2))
        side_by_side([partial(collect, found, calls)] * 2)
    assert len(calls) == 3
    assert len(found) == 2
    assert found == prepared_once(prepared)


def test_one_worker_does_one_piece_after_another_here() -> None:
    found, calls = set[int](), list[int]()
    with working(workers=1):
        side_by_side([partial(collect, found, calls)] * 2)
    assert found == {os.getpid()}


def whose_within(_: int) -> list[int]:
    """The processes that a worker gives work to: itself."""
    found, calls = set[int](), list[int]()
    collect(found, calls)
    side_by_side([partial(collect, found, calls)] * 2)
    return sorted({*found, os.getpid()})


def test_a_worker_starts_no_workers_of_its_own() -> None:
    with working(workers=2), workers(PIECES) as executor:
        found = list(executor.map(whose_within, range(PIECES)))
    assert {len(processes) for processes in found} == {1}
    with working(workers=2), elsewhere(PIECES) as executor:
        assert {*executor.map(asked_for, range(PIECES))} == {1, 3}


def asked_for(number: int) -> int:
    """What a worker takes, and what it takes where so many are asked for."""
    if number % 2:
        return cores()
    with working(workers=3):
        return cores()


def lost_once(place: Path, _: int) -> str:
    if not place.exists():
        place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_lost_processes_are_started_anew(tmp_path: Path) -> None:
    found: list[str] = []

    def work() -> None:
        with workers(PIECES) as executor:
            found.extend(executor.map(partial(lost_once, tmp_path / "lost"), range(PIECES)))

    with working(workers=2):
        side_by_side([work, work])
    assert found == ["done"] * 2 * PIECES


def failing() -> None:
    raise ValueError("wrong")


def test_an_exception_ends_the_others_at_once() -> None:
    def long() -> None:
        with workers(PIECES) as executor:
            list(executor.map(time.sleep, [3600] * PIECES))

    with working(workers=2), pytest.raises(ValueError, match="wrong"):
        side_by_side([long, failing])  # else it would take hours
