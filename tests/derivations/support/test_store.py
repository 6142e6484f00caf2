"""A result depends on the modules that compute it; a damaged file is no result; a full disk is no failure."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

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
    for known in (sources.file_of, sources.imports, sources.fingerprint, sources._hash, sources._tree):
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
def test_an_edit_changes_the_keys_of_what_reaches_it(copied: Path, edited: str, changed: bool) -> None:
    before = keys_of("theorem-1")
    with (copied / edited).open("a", encoding="utf-8") as file:
        file.write("EDITED = 1\n")
    forget()
    after = keys_of("theorem-1")
    assert [after[part] != before[part] for part in ("proof", "numeric")] == [changed, changed]


def test_an_edit_of_the_sampling_leaves_the_verdict_of_the_proof_alone(copied: Path) -> None:
    before = keys_of("theorem-1")
    with (copied / "derivations/verification/examine.py").open("a", encoding="utf-8") as file:
        file.write("EDITED = 1\n")
    forget()
    after = keys_of("theorem-1")
    assert after["proof"] == before["proof"]
    assert after["numeric"] != before["numeric"]


@pytest.mark.parametrize(
    ("line", "changed"), [("# a comment", SAME), ("\n", SAME), ('"words"', OTHER), ("EDITED = 1", OTHER)]
)
def test_what_is_not_run_changes_no_key(copied: Path, line: str, changed: bool) -> None:
    before = keys_of("theorem-1")
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


def flipped(text: bytes) -> bytes:
    at = text.index(b"proved")
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "an empty object": lambda text: b"{}",
    "a list": lambda text: b"[1, 2]",
    "nothing": lambda text: b"",
    "one flipped bit": flipped,
    "a value replaced": lambda text: text.replace(b"1.5", b"null"),
    "an old digest": lambda text: json.dumps(json.loads(text) | {"digest": "0" * 64}).encode(),
    "a digest of another kind": lambda text: json.dumps(json.loads(text) | {"digest": None}).encode(),
    "no key": lambda text: json.dumps(json.loads(text) | {"of": None}).encode(),
    "no result": lambda text: json.dumps(json.loads(text) | {"result": 3}).encode(),
    "truncated": lambda text: text[:-20],
    "not UTF-8": lambda text: text.replace(b"proved", b"\xff\xfe"),
    "brackets without end": lambda text: b"[" * 100_000,
    "a number without end": lambda text: text.replace(b"1.5", b"1" * 5_000),
    "no number": lambda text: text.replace(b"1.5", b"NaN"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_absent_and_named(damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    key = store.key("test", [ENGINE], step="a")
    store.save(key, RESULT)
    assert store.load(key) == RESULT
    assert store.check() == {}
    path = store.path_of(key.name)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert store.load(key) is None
    assert store.load(key) is None
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert str(path) in err
    assert list(store.check()) == [str(path)]
    store.save(key, RESULT)
    assert store.load(key) == RESULT


def test_the_file_of_another_key_is_damaged() -> None:
    key, other = store.key("test", [ENGINE], step="a"), store.key("test", [ENGINE], step="b")
    store.save(key, RESULT)
    store.path_of(other.name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(store.path_of(key.name), store.path_of(other.name))
    assert store.load(other) is None
    assert list(store.check()) == [str(store.path_of(other.name))]


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
        f"derive: results are not kept: {tmp_path / 'file'}: Not a directory; DERIVE_STORE names another folder"
    ]


def test_a_full_disk_leaves_no_half_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Path, text: str, **options: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    for name in "ab":
        store.save(store.key("test", [ENGINE], step=name), RESULT)
    assert [path for path in store.folder().rglob("*") if path.is_file()] == []
    _, err = capsys.readouterr()
    assert err.count("No space left on device") == 1


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
    old, new = (store.path_of(kept.name).parent / f".{age}-x.tmp" for age in ("old", "new"))
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    assert store.contents()["kinds"]["test"]["entries"] == 4
    store.path_of(damaged.name).write_text("{}")
    with (copied / "derivations/paper/theorem1/loss.py").open("a") as file:
        file.write("EDITED = 1\n")
    (copied / "derivations/paper/lemma3.py").unlink()
    forget()
    said = store.prune()
    assert (said["removed"], said["entries"]) == (3, 1)
    assert said["bytes"] == store.path_of(kept.name).stat().st_size
    assert store.load(kept) == RESULT
    assert (old.exists(), new.exists()) == (False, True)


def test_an_absent_store_is_empty() -> None:
    assert store.contents() == {"folder": str(store.folder()), "entries": 0, "bytes": 0, "kinds": {}}
    assert store.prune()["removed"] == 0
    assert store.check() == {}
