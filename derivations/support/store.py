"""Results remembered by content: a JSON file per result, named by a hash of everything it depends on.

The key covers the sources of the modules that the result is computed by (those named and all that they import), the
versions of the libraries, and the inputs: an edit to any of them makes the old entry unreachable rather than stale. A file
holds what its key was made of and a digest of itself; one that does not fit its digest or its name counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from derivations.support.files import whole
from derivations.support.sources import ROOT, file_of, fingerprint

# seconds after which a temporary file belongs to no process that still writes it
ABANDONED = 3600.0


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


def key(kind: str, modules: Sequence[str], /, **parts: object) -> Key:
    """The key of a result of this kind with these inputs, computed by these modules and what they import."""
    return _key(kind, modules, json.dumps(parts, sort_keys=True, default=str))


def _key(kind: str, modules: Sequence[str], parts: str) -> Key:
    roots = tuple(sorted(set(modules)))
    text = json.dumps([fingerprint(frozenset(roots)), kind, parts])
    return Key(hashlib.sha256(text.encode()).hexdigest(), kind, roots, parts)


def path_of(name: str) -> Path:
    """The file of the entry with this name."""
    return folder() / name[:2] / f"{name}.json"


def load(wanted: Key) -> dict[str, Any] | None:
    """The stored result with this key, or None; a damaged file is named on stderr and counts as absent."""
    path = path_of(wanted.name)
    try:
        _, result = _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        _warn(f"{path} cannot be read ({error.strerror}): computed anew")
        return None
    except ValueError as error:
        _warn(f"{path} is damaged ({error}): computed anew")
        return None
    return result


def save(wanted: Key, result: Mapping[str, Any]) -> None:
    """Store a result; a reader sees the old state or the whole new one, never a part.

    Where nothing can be written the folder is named on stderr, once, and the result is not kept. Raises ValueError for a
    number that is not finite, which JSON has no word for.
    """
    body = {"of": asdict(wanted), "result": dict(result)}
    text = json.dumps(body | {"digest": _digest(body)}, allow_nan=False)
    path = path_of(wanted.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        _warn(
            f"results are not kept: {folder()}: {error.strerror or error}; DERIVE_STORE names another folder"
        )


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _read(path: Path) -> tuple[Key, dict[str, Any]]:
    """The key and the result in a file; raises ValueError, with the reason, for a damaged one."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(document, dict) or document.keys() != {"of", "result", "digest"}:
        raise ValueError("no stored result")
    body = {"of": document["of"], "result": document["result"]}
    try:
        if _digest(body) != document["digest"]:
            raise ValueError
        of = Key(**{**body["of"], "modules": tuple(body["of"]["modules"])})
        result = dict(body["result"])
    except (TypeError, KeyError, ValueError):
        raise ValueError("its digest is that of another text") from None
    if of.name != path.stem:
        raise ValueError("it is the file of another key")
    return of, result


_warned: set[str] = set()


def _warn(line: str) -> None:
    if line not in _warned and sys.stderr is not None:
        _warned.add(line)
        sys.stderr.write(f"derive: {line}\n")


# -- the store as a whole -------------------------------------------------------------------------------------


def _entries() -> Iterator[Path]:
    yield from sorted(folder().glob("[0-9a-f][0-9a-f]/*.json"))


def contents() -> dict[str, Any]:
    """The folder, and the number and bytes of its entries, in all and by kind; damaged ones are a kind of their own."""
    kinds: dict[str, dict[str, int]] = {}
    for path in _entries():
        try:
            kind = _read(path)[0].kind
        except (ValueError, OSError):
            kind = "damaged"
        found = kinds.setdefault(kind, {"entries": 0, "bytes": 0})
        found["entries"] += 1
        found["bytes"] += path.stat().st_size
    totals = {what: sum(found[what] for found in kinds.values()) for what in ("entries", "bytes")}
    return {"folder": str(folder()), **totals, "kinds": dict(sorted(kinds.items()))}


def check() -> dict[str, str]:
    """What is wrong with each damaged file, by path."""
    found = {}
    for path in _entries():
        try:
            _read(path)
        except OSError as error:
            found[str(path)] = f"cannot be read ({error.strerror})"
        except ValueError as error:
            found[str(path)] = str(error)
    return found


def _reachable(path: Path) -> bool:
    """Whether the sources and libraries of today still lead to this entry."""
    try:
        of, _ = _read(path)
    except (ValueError, OSError):
        return False
    if any(file_of(module) is None for module in of.modules):
        return False
    return _key(of.kind, of.modules, of.parts) == of


def prune() -> dict[str, Any]:
    """Removes the entries that nothing leads to any more, damaged ones and abandoned temporary files; says how many.

    Raises OSError, with its path, for a file that cannot be removed.
    """
    unreachable = [path for path in _entries() if not _reachable(path)]
    before = time.time() - ABANDONED
    abandoned = [path for path in folder().glob("*/.*.tmp") if path.stat().st_mtime < before]
    freed = 0
    for path in (*unreachable, *abandoned):
        freed += path.stat().st_size
        path.unlink()
    return {"removed": len(unreachable), "freed": freed, **contents()}
