"""A result depends on the modules that compute it; what is damaged is no result; a full disk is no failure."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from derivations.steps.contents import MODULE_OF
from derivations.support import sources, store
from derivations.verification.verify import keys_of

ENGINE = "symbolic.algebra.words"
RESULT = {"mean": 1.5, "status": "proved"}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(store, "_warned", set())


def forget() -> None:
    """As in a new process, the sources are read again."""
    for known in (sources.file_of, sources.imports, sources.fingerprint, sources._facts):
        known.cache_clear()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the sources to edit, and to be fingerprinted instead of the true ones."""
    for package in sources.PACKAGES:
        shutil.copytree(sources.ROOT / package, tmp_path / package, ignore=lambda *_: ["__pycache__"])
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


# -- what a key covers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before() -> Mapping[str, store.Key]:
    """The keys of a step before anything is edited: sources are read once for all edits, which then read them again."""
    return keys_of("theorem-1")


def test_sources_that_the_store_knows_are_not_parsed_again(
    copied: Path, before: Mapping[str, store.Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited one is; without the store all are."""
    parsed = []
    parse = sources.ast.parse

    def noted(text: bytes, *options: Any, **more: Any) -> Any:
        parsed.append(text)
        return parse(text, *options, **more)

    monkeypatch.setattr(sources.ast, "parse", noted)

    def anew() -> Mapping[str, store.Key]:
        forget()
        parsed.clear()
        monkeypatch.setattr(sources, "_known", {})
        monkeypatch.setattr(sources, "_looked_at", set())
        monkeypatch.setattr(store, "_learnt", set())
        return keys_of("theorem-1")

    assert anew() == before
    assert len(parsed) > 100
    store.keep_sources()
    assert anew() == before
    assert parsed == []
    edited = copied / "symbolic/algebra/words.py"
    edited.write_text(edited.read_text() + "\nADDED = 1\n")
    assert anew() != before
    assert len(parsed) == 1


def test_a_copy_of_the_sources_gives_the_same_keys(copied: Path, before: Mapping[str, store.Key]) -> None:
    assert keys_of("theorem-1") == before


SAME, OTHER = False, True


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("derivations/book_pages/cards.py", SAME),
        ("derivations/paper/theorem3/loss.py", SAME),
        ("derivations/steps/contents.py", SAME),
        ("derivations/verification/verify.py", SAME),
        ("derivations/extensions/rate_decay.py", SAME),
        ("derivations/paper/theorem1/loss.py", OTHER),
        ("derivations/verification/prove.py", OTHER),
        ("derivations/language/model.py", OTHER),
        ("symbolic/averages/expectation.py", OTHER),
        ("derivations/paper/__init__.py", OTHER),
    ],
)
def test_an_edit_changes_the_keys_of_what_reaches_it(
    copied: Path, before: Mapping[str, store.Key], edited: str, changed: bool
) -> None:
    with (copied / edited).open("a", encoding="utf-8") as file:
        file.write("EDITED = 1\n")
    forget()
    after = keys_of("theorem-1")
    assert [after[part] != before[part] for part in ("proof", "numeric")] == [changed, changed]


def test_an_edit_of_the_sampling_leaves_the_verdict_of_the_proof_alone(
    copied: Path, before: Mapping[str, store.Key]
) -> None:
    with (copied / "derivations/verification/examine.py").open("a", encoding="utf-8") as file:
        file.write("EDITED = 1\n")
    forget()
    after = keys_of("theorem-1")
    assert after["proof"] == before["proof"]
    assert after["numeric"] != before["numeric"]


@pytest.mark.parametrize(
    ("line", "changed"), [("# a comment", SAME), ("\n", SAME), ('"words"', OTHER), ("EDITED = 1", OTHER)]
)
def test_what_is_not_run_changes_no_key(
    copied: Path, before: Mapping[str, store.Key], line: str, changed: bool
) -> None:
    place = copied / "derivations/paper/theorem1/loss.py"
    place.write_text(f"{place.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    forget()
    assert (keys_of("theorem-1") != before) == changed


def test_imports_inside_functions_and_packages_count(copied: Path) -> None:
    room = copied / "derivations" / "paper"
    (room / "one.py").write_text("def f():\n    from derivations.paper import two\n    return two\n")
    (room / "two.py").write_text("import numeric_check.problem.setting as setting\n")
    assert {"derivations", "derivations.paper", "derivations.paper.two", "numeric_check.problem.setting"} <= (
        sources.reached(["derivations.paper.one"])
    )


@pytest.mark.parametrize("text", ["from . import two\n", "from .two import f\n"])
def test_a_relative_import_is_refused(copied: Path, text: str) -> None:
    (copied / "derivations" / "paper" / "one.py").write_text(text)
    with pytest.raises(ValueError, match="relative import"):
        sources.reached(["derivations.paper.one"])


def test_every_step_has_a_key_and_no_two_the_same() -> None:
    names = {key.name for slug in MODULE_OF for key in keys_of(slug).values()}
    assert len(names) == 2 * len(MODULE_OF)


# -- damage -------------------------------------------------------------------------------------------------


def edited(key: store.Key, change: str, value: object) -> None:
    """Another program changes a column of a row."""
    put = "CAST(? AS TEXT)" if isinstance(value, bytearray) else "?"
    with closing(sqlite3.connect(store.file())) as other, other:
        other.execute(f"UPDATE results SET {change} = {put} WHERE name = ?", (value, key.name))


DAMAGE: dict[str, tuple[str, object]] = {
    "an empty object": ("result", "{}"),
    "a list": ("result", "[1, 2]"),
    "nothing": ("result", ""),
    "a value replaced": ("result", '{"mean": null, "status": "proved"}'),
    "one flipped bit": ("result", '{"mean": 1.5, "status": "qroved"}'),
    "bytes": ("result", b"\xff\xfe"),
    "text that is none": ("parts", bytearray(b'{"step": "\xff"}')),
    "another digest": ("digest", "0" * 64),
    "a digest of another kind": ("digest", 3),
    "other inputs": ("parts", '{"step": "b"}'),
    "another kind": ("kind", "proof"),
    "other modules": ("modules", "[]"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_row_is_absent_and_named(damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    key, other = store.key("test", [ENGINE], step="a"), store.key("test", [ENGINE], step="b")
    for each in (key, other):
        store.save(each, RESULT)
        assert store.load(each) == RESULT
    assert store.check() == {}
    edited(key, *DAMAGE[damage])
    assert store.load(key) is None
    assert store.load(key) is None
    assert store.load(other) == RESULT
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert str(store.file()) in err
    assert list(store.check()) == [f"{store.file()}, result {key.name}"]
    assert store.contents()["kinds"]["damaged"]["entries"] == 1
    store.save(key, RESULT)
    assert store.load(key) == RESULT


def test_the_row_of_another_key_is_damaged() -> None:
    key, other = store.key("test", [ENGINE], step="a"), store.key("test", [ENGINE], step="b")
    store.save(key, RESULT)
    edited(key, "name", other.name)
    assert store.load(other) is None
    assert list(store.check()) == [f"{store.file()}, result {other.name}"]


@pytest.mark.parametrize("text", ['{"a": ' * 10_000, "1" * 5_000, "NaN", "3"])
def test_a_row_with_a_right_digest_and_no_result_is_damaged(text: str) -> None:
    key = store.key("test", [ENGINE], step="a")
    store.save(key, RESULT)
    content = (key.name, key.kind, json.dumps(key.modules), key.parts, text)
    edited(key, "result", text)
    edited(key, "digest", store._digest(content))
    assert store.load(key) is None


KEYS = 60


def filled() -> list[store.Key]:
    keys = [store.key("test", [ENGINE], step=k) for k in range(KEYS)]
    for k, key in enumerate(keys):
        store.save(key, {"mean": k, "text": f"{k}" * 500})
    store.close()
    return keys


def kept(keys: list[store.Key]) -> int:
    """How many results are there; those that are, are the right ones."""
    found = [store.load(key) for key in keys]
    for k, result in enumerate(found):
        assert result in (None, {"mean": k, "text": f"{k}" * 500})
    return sum(result is not None for result in found)


FILE_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[: len(data) // 2],
    "truncated within a page": lambda data: data[: len(data) // 2 + 100],
    "the first page lost": lambda data: bytes(4096) + data[4096:],
    "a page of zeros": lambda data: data[: 4096 * 5] + bytes(4096) + data[4096 * 6 :],
    "another file": lambda data: b"{}" * 1000,
}


def test_what_can_be_read_of_a_damaged_file_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    keys = filled()
    store.file().write_bytes(FILE_DAMAGE["a page of zeros"](store.file().read_bytes()))
    kept(keys)  # some are found before the damage is met
    survived = kept(keys)
    assert KEYS / 2 < survived < KEYS
    assert f"{survived} results could be read and are kept" in capsys.readouterr().err


@pytest.mark.parametrize("damage", FILE_DAMAGE)
def test_a_damaged_file_is_set_aside_and_read_as_far_as_it_goes(
    damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = filled()
    store.file().write_bytes(FILE_DAMAGE[damage](store.file().read_bytes()))
    assert list(store.check()) != []
    store.close()
    survived = kept(keys)
    assert survived < KEYS
    _, err = capsys.readouterr()
    assert err.count("is damaged") >= 1
    store.save(keys[0], RESULT)
    assert store.load(keys[0]) == RESULT
    aside = [path.name for path in store.folder().iterdir() if ".damaged-" in path.name]
    if "set aside" in err:
        assert aside
        assert f"set aside as {aside[0]}" in err
        assert store.check() == {}
    store.prune()
    assert [path.name for path in store.folder().iterdir() if ".damaged-" in path.name] == []
    assert store.check() == {}


def test_bits_flipped_anywhere_never_give_a_wrong_result(capsys: pytest.CaptureFixture[str]) -> None:
    keys = filled()
    whole = store.file().read_bytes()
    draws = random.Random(7)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(3):
            data[draws.randrange(len(data))] ^= 1 << draws.randrange(8)
        store.close()
        for path in store.folder().iterdir():
            path.unlink()
        store.file().write_bytes(data)
        kept(keys)
        for k, key in enumerate(keys):
            store.save(key, {"mean": k, "text": f"{k}" * 500})
        assert kept(keys) == KEYS
    assert "damaged" in capsys.readouterr().err


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.save(store.key("test", [ENGINE]), {"mean": float("nan")})


# -- places where nothing can be written --------------------------------------------------------------------


def test_a_place_that_takes_nothing_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "file"))
    for name in "ab":
        key = store.key("test", [ENGINE], step=name)
        store.save(key, RESULT)
        assert store.load(key) is None
    _, err = capsys.readouterr()
    assert [line for line in err.splitlines() if "not kept" in line] == [
        f"derive: results are not kept: {tmp_path / 'file'}: File exists; DERIVE_STORE names another folder"
    ]


# in a process that may not write what it does not own, and for which a file has at most so many bytes
CHILD = """
import ctypes, os, resource, sys
from derivations.support import store
if sys.argv[1] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
key, other = (store.key("test", ["symbolic.algebra.words"], step=name) for name in "ab")
print(store.load(key))
for k in range(3):
    store.save(other, {"text": "x" * 200_000})
print(store.load(other) is None, store.load(key))
"""


def child(*words: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", CHILD, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)


@pytest.mark.parametrize("room", [0, 3_000, 100_000])
def test_a_full_disk_is_told_once_and_survived(room: int) -> None:
    key = store.key("test", [ENGINE], step="a")
    there = room > 3_000
    if there:
        store.save(key, RESULT)
        store.close()
    ran = child("full", str(room))
    assert ran.stdout.splitlines() == [str(RESULT if there else None), f"True {RESULT if there else None}"]
    assert ran.stderr.count("\n") == 1
    assert f"results are not kept: {store.folder()}: " in ran.stderr
    store.save(key, RESULT)
    assert store.load(key) == RESULT
    assert store.check() == {}


def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    key = store.key("test", [ENGINE], step="a")
    store.save(key, RESULT)
    store.close()
    for path in (store.file(), store.folder()):
        path.chmod(0o555)
    # the superuser may write everywhere, unless this is taken away
    powers = "-dac_override,-dac_read_search,-fowner"
    before = ["setpriv", f"--bounding-set={powers}"] if os.geteuid() == 0 else []
    ran = child("read", before=before)
    store.folder().chmod(0o755)
    assert ran.stdout.splitlines() == [str(RESULT), f"True {RESULT}"]
    assert ran.stderr.count("\n") == 1
    assert f"results are not kept: {store.folder()}: " in ran.stderr


WRITER = """
import sys
from derivations.support import store
for k in range(200):
    store.save(store.key("test", ["symbolic.algebra.words"], step=k), {"by": sys.argv[1], "text": "x" * 300})
    assert store.load(store.key("test", ["symbolic.algebra.words"], step=k)) is not None
"""


def test_processes_share_the_store() -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert store.contents()["entries"] == 200
    assert store.check() == {}


def test_a_forked_process_opens_the_file_anew() -> None:
    """What it inherits is the parent's: locks of SQLite do not go along, and it must not close it."""
    key = store.key("test", [ENGINE], step="a")
    store.save(key, RESULT)
    child = os.fork()
    if not child:
        fine = store.load(key) == RESULT and store._opened[-1].process == os.getpid()
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store._opened[-1].process == os.getpid()
    assert store.load(key) == RESULT


def test_a_store_that_was_removed_is_begun_again() -> None:
    key = store.key("test", [ENGINE], step="a")
    store.save(key, RESULT)
    shutil.rmtree(store.folder())
    assert store.load(key) is None
    store.save(key, RESULT)
    assert store.load(key) == RESULT


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", os.sep)
    assert store.folder() == Path(os.sep)
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("DERIVE_STORE")
        else:
            monkeypatch.setenv("DERIVE_STORE", unset)
        assert store.folder() == sources.ROOT / ".derive"
    # an installed package stands beside others, with no project file
    monkeypatch.setattr(store, "ROOT", tmp_path / "site-packages")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert store.folder().parent == tmp_path / "cache"


# -- the store as a whole -----------------------------------------------------------------------------------


def test_pruning_drops_what_nothing_leads_to(copied: Path) -> None:
    kept = store.key("test", ["numeric_check.problem.setting"], step="a")
    lost = store.key("test", ["derivations.paper.theorem1.loss"], step="a")
    gone = store.key("test", ["derivations.paper.lemma3"], step="a")
    damaged = store.key("test", ["numeric_check.problem.setting"], step="b")
    for key in (kept, lost, gone, damaged):
        store.save(key, RESULT)
    former = store.folder() / "0a" / "former.json"
    former.parent.mkdir()
    former.touch()
    assert store.contents()["kinds"]["test"]["entries"] == 4
    edited(damaged, "result", "{}")
    with (copied / "derivations/paper/theorem1/loss.py").open("a") as file:
        file.write("EDITED = 1\n")
    (copied / "derivations/paper/lemma3.py").unlink()
    forget()
    said = store.prune()
    assert (said["removed"], said["entries"]) == (4, 1)
    assert said["kinds"] == {"test": {"entries": 1, "bytes": said["bytes"]}}
    assert store.load(kept) == RESULT
    assert not former.exists()


def test_an_absent_store_is_empty() -> None:
    assert store.contents() == {"folder": str(store.folder()), "entries": 0, "bytes": 0, "kinds": {}}
    assert store.prune()["removed"] == 0
    assert store.check() == {}
