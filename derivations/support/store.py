"""Results remembered by content: a JSON file per result, named by a hash of everything it depends on.

The key covers the sources of the packages that the result comes from, the versions of the libraries, the
step, and the assumptions that can change it; an edit to any of them makes the old entry unreachable rather
than stale.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from derivations.support.files import whole

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("symbolic", "numeric_check", "derivations")
LIBRARIES = ("sympy", "numpy", "python-flint", "mpmath")


def folder() -> Path:
    """Where results are kept: $DERIVE_STORE, or `.derive/` in the repository when that is unset or empty."""
    return Path(os.environ.get("DERIVE_STORE") or ROOT / ".derive")


@cache
def fingerprint(packages: tuple[str, ...] = PACKAGES) -> str:
    """A hash of the library versions and of the sources of these packages."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(f"{library}={version(library)};".encode())
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def key(kind: str, packages: tuple[str, ...] = PACKAGES, /, **parts: object) -> str:
    """The content key of a result of this kind with these inputs, computed by these packages alone."""
    text = json.dumps([fingerprint(packages), kind, parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def load(name: str) -> dict[str, Any] | None:
    """The stored result with this key, or None (also when its file is damaged)."""
    path = folder() / name[:2] / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return document if isinstance(document, dict) else None


def save(name: str, result: Mapping[str, Any]) -> None:
    """Store a result; a reader sees the old state or the whole new one, never a part."""
    path = folder() / name[:2] / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary:
        temporary.write_text(json.dumps(result), encoding="utf-8")
