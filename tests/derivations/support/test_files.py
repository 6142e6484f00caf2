"""Files appear whole or not at all; a place where nothing can be written is named before the work."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from derivations.command import cli
from derivations.language.assumptions import PAPER
from derivations.support import files
from derivations.support.bad_input import BadInput
from derivations.support.files import require_place, require_writable, whole
from derivations.typeset import committed_text
from derivations.variants import combinations


def fail_half_way(target: Path) -> None:
    with whole(target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise OSError("disk full")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "formulas.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="disk full"):
        fail_half_way(target)
    assert [path.name for path in tmp_path.iterdir()] == ["formulas.txt"]
    assert target.read_text(encoding="utf-8") == "old"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "report.xml"
    os.mkfifo(pipe)
    require_place(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with whole(pipe) as temporary:
        temporary.write_text("all of it", encoding="utf-8")
    assert os.read(reader, 100) == b"all of it"
    os.close(reader)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["report.xml"]


def test_a_device_that_is_full_is_named_and_stays_one() -> None:
    full = Path("/dev/full")
    require_place(full)
    with pytest.raises(OSError, match="No space left") as caught, whole(full) as temporary:
        temporary.write_text("more", encoding="utf-8")
    assert caught.value.filename == "/dev/full"
    assert full.is_char_device()


def test_a_report_can_go_to_the_standard_output() -> None:
    words = [sys.executable, "-m", "derivations", "verify", "wishart-mean", "--junit", "/dev/stdout"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "<testsuites" in done.stdout
    assert "1 of 1 steps pass" in done.stdout


@pytest.mark.parametrize("name", ["loop/x.svg", "nowhere/x.svg", "folder", "file/x.svg"])
def test_a_file_without_a_place_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    require_place(tmp_path / "folder" / "x.svg")
    with pytest.raises(BadInput, match="name a file in it" if name == "folder" else "make it first"):
        require_place(tmp_path / name)


@pytest.mark.parametrize(
    "words",
    [
        ["figure", "2", "--out", "loop/x.svg"],
        ["verify", "wishart-mean", "--junit", "loop/x.xml"],
        ["regenerate", "--assume", "inner_steps=2", "--out", "loop"],
        ["book", "--assume", "inner_steps=2", "--out", "loop/x"],
        ["show", "eq5", "--assume", "loop/x.toml"],
        ["eval", "eq14", "Sigma=@loop"],
    ],
)
def test_links_that_lead_to_themselves_are_bad_input(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    target = tmp_path / "losses.csv"
    with pytest.raises(OSError, match="No space left") as caught, whole(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(target)
    assert (
        cli._one_line(caught.value) == f"{target}: No space left on device: make room, or name another place"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_the_mode_is_an_ordinary_one(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept.txt", tmp_path / "link.txt"
    link.symlink_to(kept)
    with whole(link) as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert link.is_symlink()
    assert kept.read_text(encoding="utf-8") == "new"
    ordinary = tmp_path / "ordinary.txt"
    ordinary.write_text("", encoding="utf-8")
    assert kept.stat().st_mode == ordinary.stat().st_mode


WRITERS: dict[str, Callable[[Path], object]] = {
    "formulas": lambda folder: committed_text.write(folder, PAPER),
    "table": lambda folder: combinations.write([], folder / "table.json"),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_replaces_files_whole(
    writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, text: str, **options: object) -> int:
        self.touch()
        raise OSError("disk full")

    monkeypatch.setattr(committed_text, "formulas", lambda *arguments: {})
    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OSError, match="disk full"):
        WRITERS[writer](tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_in_the_way_and_a_closed_folder_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_writable(tmp_path / "new" / "folder")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is no folder: name another place"):
        require_writable(tmp_path / "file" / "folder")

    def closed(**options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", closed)
    with pytest.raises(ValueError, match=r"nothing can be written .*Permission denied"):
        require_writable(tmp_path / "new")


def test_regenerate_looks_at_the_folder_before_it_derives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> str:
        raise AssertionError("deriving started")

    monkeypatch.setattr(committed_text, "formulas", fail)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is no folder"):
        committed_text.write(tmp_path / "file", PAPER)
