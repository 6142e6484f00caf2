"""Results remembered by content: one SQLite file, a row for each result, named by a hash of everything it depends on.

The key covers the sources of the modules that the result is computed by (those named and all that they import), the
versions of the libraries, and the inputs: an edit to any of them makes the old row unreachable rather than stale. A row
holds what its key was made of, its result as JSON and a digest of both; one that does not fit its digest or its name
counts as absent. Batches of draws are rows like proofs are.

Several processes share the file (write-ahead log, a row is there whole or not at all). A file that SQLite finds damaged is
set aside, and what can be read of it goes on in a new one. Where nothing can be written, that is said once.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from derivations.support.sources import ROOT, Facts, file_of, fingerprint, known, learn

Found = TypeVar("Found")
FILE = "results.sqlite"
BUSY = 30.0
"""Seconds that one process waits for another's row to be written."""
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS results (name TEXT PRIMARY KEY, kind TEXT NOT NULL, modules TEXT NOT NULL, "
    "parts TEXT NOT NULL, result TEXT NOT NULL, digest TEXT NOT NULL)"
)
COLUMNS = "name, kind, modules, parts, result, digest"
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# a place that can be read, as far as it goes, but not written
CLOSED = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
}
# how results were kept before the store was one file
FORMER = "[0-9a-f][0-9a-f]/*.json"


@dataclass(frozen=True)
class Key:
    """What a result depends on: its kind, the modules that compute it, and its inputs as JSON; `name` is their hash."""

    name: str
    kind: str
    modules: tuple[str, ...]
    parts: str


def folder() -> Path:
    """Where results are kept: $DERIVE_STORE; when that is unset or empty, `.derive/` in a checkout, else the user's cache."""
    chosen = os.environ.get("DERIVE_STORE")
    if chosen:
        return Path(chosen)
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / ".derive"
    from platformdirs import user_cache_path

    return user_cache_path("negative-rates-living-edition", appauthor=False)


def file() -> Path:
    """The file of the store."""
    return folder() / FILE


def key(kind: str, modules: Sequence[str], /, **parts: object) -> Key:
    """The key of a result of this kind with these inputs, computed by these modules and what they import."""
    _learn_sources()
    return _key(kind, modules, json.dumps(parts, sort_keys=True, default=str))


def _learn_sources() -> None:
    """Once for each store: what it knows of the sources, so that only those edited since are parsed."""
    place = file()
    if place not in _learnt:
        _learnt.add(place)
        learn(_known_sources())


def _known_sources() -> dict[str, Facts]:
    found: dict[str, Facts] = (load(_key("sources", (), "{}")) or {}).get("facts", {})
    return found


def keep_sources() -> None:
    """Keep what this process knows of the sources for those to come: to parse them takes each a second."""
    found = known()
    if found.keys() != _known_sources().keys():
        save(_key("sources", (), "{}"), {"facts": found})


def _key(kind: str, modules: Sequence[str], parts: str) -> Key:
    roots = tuple(sorted(set(modules)))
    text = json.dumps([fingerprint(frozenset(roots)), kind, parts])
    return Key(hashlib.sha256(text.encode()).hexdigest(), kind, roots, parts)


def keep_none_of(name: str) -> None:
    """Keep no result with this name among its inputs: what it means is in no file, and may be another thing tomorrow."""
    _MEANT_HERE.add(name)


def _only_here(wanted: Key) -> bool:
    return any(f'"{name}"' in wanted.parts for name in _MEANT_HERE)


def load(wanted: Key) -> dict[str, Any] | None:
    """The stored result with this key, or None; a damaged row is named on stderr and counts as absent."""

    if _only_here(wanted):
        return None

    def look(store: sqlite3.Connection) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = store.execute(
            f"SELECT {COLUMNS} FROM results WHERE name = ?", (wanted.name,)
        ).fetchone()
        return found

    row = _asked(look, None)
    if row is None:
        return None
    try:
        return _read(row)[1]
    except ValueError as error:
        _warn(f"{file()}: the result {wanted.name[:16]} is damaged ({error}): computed anew")
        return None


def save(wanted: Key, result: Mapping[str, Any]) -> None:
    """Store a result; a reader sees the old state or the whole new one, never a part.

    Where nothing can be written the folder is named on stderr, once, and the result is not kept. Raises ValueError for a
    number that is not finite, which JSON has no word for.
    """
    text = json.dumps(dict(result), allow_nan=False)
    if _only_here(wanted):
        return
    content = (wanted.name, wanted.kind, json.dumps(wanted.modules), wanted.parts, text)
    _asked(lambda store: _put(store, (*content, _digest(content))), None, writing=True)


def _put(store: sqlite3.Connection, row: Sequence[Any]) -> None:
    store.execute(f"INSERT OR REPLACE INTO results ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)


def _digest(content: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _read(row: Sequence[Any]) -> tuple[Key, dict[str, Any]]:
    """The key and the result in a row; raises ValueError, with the reason, for a damaged one."""
    *content, digest = row
    if not all(isinstance(value, str) for value in row):
        raise ValueError("no stored result")
    if _digest(content) != digest:
        raise ValueError("its digest is that of another text")
    name, kind, modules, parts, text = content
    try:
        result = json.loads(text)
        of = Key(name, kind, tuple(json.loads(modules)), parts)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(result, dict):
        raise ValueError("no stored result")
    return of, result


_warned: set[str] = set()
_learnt: set[Path] = set()
# names that mean something to this process alone
_MEANT_HERE: set[str] = set()


def _warn(line: str) -> None:
    if line not in _warned and sys.stderr is not None:
        _warned.add(line)
        sys.stderr.write(f"derive: {line}\n")


# -- the file -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Open:
    """An open file, by which process, and which file it was: another may have come in its place."""

    store: sqlite3.Connection
    process: int
    place: tuple[Path, int, int]

    @property
    def serves(self) -> bool:
        return self.process == os.getpid() and self.place == _place(file())


def _place(path: Path) -> tuple[Path, int, int]:
    found = path.stat()
    return path, found.st_dev, found.st_ino


_one_at_a_time = threading.RLock()
# not closed by a process that inherited one: it is the parent's
_opened: list[_Open] = []


@atexit.register
def close() -> None:
    """Closes the file; it is opened again by whoever asks for a result."""
    while _opened and _opened[-1].process == os.getpid():
        _opened.pop().store.close()


def _connect(*, create: bool) -> sqlite3.Connection | None:
    """The open store; None where there is none yet, unless it is to be made."""
    path = file()
    if not create and not path.is_file():
        return None
    if _opened:
        with suppress(OSError):
            if _opened[-1].serves:
                return _opened[-1].store
        close()
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    store.text_factory = _as_text
    try:
        try:
            store.execute("PRAGMA journal_mode = WAL")
            store.execute("PRAGMA synchronous = NORMAL")
            store.execute(SCHEMA)
        except sqlite3.OperationalError as error:
            if create or _code(error) not in CLOSED:
                raise
            store.close()
            store = _read_only(path)
        place = _place(path)
    except BaseException:
        store.close()
        raise
    _opened.append(_Open(store, os.getpid(), place))
    return store


def _read_only(path: Path) -> sqlite3.Connection:
    """The file as it stands, for reading alone: a write-ahead log needs a folder that can be written to."""
    store = sqlite3.connect(
        f"{path.resolve().as_uri()}?immutable=1", uri=True, isolation_level=None, check_same_thread=False
    )
    store.text_factory = _as_text
    return store


def _as_text(data: bytes) -> str:
    """Text of a row, which does not fit its digest where it is no text any more: the row is damaged, not the store."""
    return data.decode("utf-8", "replace")


def _asked(ask: Callable[[sqlite3.Connection], Found], absent: Found, *, writing: bool = False) -> Found:
    """The answer of the store; `absent` where there is no store or it does not work, which is said."""
    for _ in range(2):
        try:
            with _one_at_a_time:
                store = _connect(create=writing)
                return absent if store is None else ask(store)
        except sqlite3.DatabaseError as error:
            if _code(error) in DAMAGED:
                if _set_aside(error):
                    continue
            elif not writing and "no such table" in str(error):
                pass  # there was no room to begin it
            elif writing:
                _unkept(str(error))
            else:
                _warn(f"{file()} cannot be read ({error}): computed anew")
        except OSError as error:
            if writing:
                _unkept(error.strerror or str(error))
            else:
                _warn(f"{file()} cannot be read ({error.strerror}): computed anew")
        break
    return absent


def _code(error: sqlite3.Error) -> int:
    """The primary code of what SQLite says."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _unkept(reason: str) -> None:
    _warn(f"results are not kept: {folder()}: {reason}; DERIVE_STORE names another folder")


def _set_aside(error: sqlite3.Error) -> bool:
    """Moves a damaged file away and begins a new one with the rows that can be read; False where it cannot be moved."""
    path = file()
    if _opened:
        with suppress(OSError):
            if _opened[-1].place != _place(path):
                close()
                return True  # another process was here first
    close()
    aside = path.with_name(f"{FILE}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    try:
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                os.replace(f"{path}{suffix}", f"{aside}{suffix}")
        Path(f"{path}-shm").unlink(missing_ok=True)
    except OSError as failed:
        _warn(f"{path} is damaged ({error}) and cannot be set aside ({failed.strerror}): computed anew")
        return False
    kept = 0
    with suppress(sqlite3.DatabaseError, OSError):
        store = _connect(create=True)
        assert store is not None
        store.execute("BEGIN")
        for row in _readable(aside):
            _put(store, row)
            kept += 1
        store.execute("COMMIT")
    _warn(
        f"{path} is damaged ({error}): set aside as {aside.name}; {kept} results could be read and are kept"
    )
    return True


def _readable(path: Path) -> Iterator[Sequence[Any]]:
    """The whole rows of a damaged file, from both ends as far as each leads."""
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as damaged:
            damaged.text_factory = _as_text
            for row in damaged.execute(f"SELECT {COLUMNS} FROM results ORDER BY rowid {order}"):
                with suppress(ValueError):
                    _read(row)
                    yield row


# -- the store as a whole -------------------------------------------------------------------------------------


# hears of each row its name, its key or the reason why it is damaged, and its bytes
Hear = Callable[[str, Key | str, int], object]


def _each(hear: Hear) -> Callable[[sqlite3.Connection], bool]:
    def read(store: sqlite3.Connection) -> bool:
        for row in store.execute(f"SELECT {COLUMNS} FROM results ORDER BY name"):
            try:
                of: Key | str = _read(row)[0]
            except ValueError as error:
                of = str(error)
            hear(str(row[0]), of, sum(len(str(value)) for value in row))
        return True

    return read


def contents() -> dict[str, Any]:
    """The folder, and the number and bytes of its results, in all and by kind; damaged ones are a kind of their own."""
    kinds: dict[str, dict[str, int]] = {}

    def count(_: str, of: Key | str, size: int) -> None:
        found = kinds.setdefault(of.kind if isinstance(of, Key) else "damaged", {"entries": 0, "bytes": 0})
        found["entries"] += 1
        found["bytes"] += size

    _asked(_each(count), False)
    totals = {what: sum(found[what] for found in kinds.values()) for what in ("entries", "bytes")}
    return {"folder": str(folder()), **totals, "kinds": dict(sorted(kinds.items()))}


def check() -> dict[str, str]:
    """What is wrong with each damaged result, and with the file; it is set aside only when a result is asked of it."""
    path = file()
    found: dict[str, str] = {}

    def note(name: str, of: Key | str, _: int) -> None:
        if isinstance(of, str):
            found[f"{path}, result {name}"] = of

    try:
        store = _connect(create=False)
        if store is not None:
            said = [text for (text,) in store.execute("PRAGMA integrity_check(1)")]
            if said != ["ok"]:
                found[str(path)] = " ".join(said[0].split())
            _each(note)(store)
    except sqlite3.DatabaseError as error:
        found[str(path)] = str(error)
    return found


def _reachable(of: Key | str) -> bool:
    """Whether the sources and libraries of today still lead to this result."""
    if isinstance(of, str) or any(file_of(module) is None for module in of.modules):
        return False
    return _key(of.kind, of.modules, of.parts) == of


def prune() -> dict[str, Any]:
    """Removes the results that nothing leads to any more, damaged ones, files set aside and those of former versions.

    Says how many. Raises OSError, with its path, for a file that cannot be removed, and where the store cannot be written.
    """
    lost: dict[str, int] = {}

    def judge(name: str, of: Key | str, size: int) -> None:
        if not _reachable(of):
            lost[name] = size

    def remove(store: sqlite3.Connection) -> bool:
        store.execute("BEGIN IMMEDIATE")
        store.executemany("DELETE FROM results WHERE name = ?", [(name,) for name in lost])
        store.execute("COMMIT")
        with suppress(sqlite3.OperationalError):  # another process is at work: its room is used again
            store.execute("VACUUM")
        return True

    _asked(_each(judge), False)
    if lost and not _asked(remove, False, writing=True):
        raise OSError(f"{file()}: nothing could be removed")
    former = [*folder().glob(f"{FILE}.damaged-*"), *folder().glob(FORMER)]
    freed = sum(lost.values())
    for path in former:
        freed += path.stat().st_size
        path.unlink()
    return {"removed": len(lost) + len(former), "freed": freed, **contents()}
