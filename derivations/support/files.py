"""Files that appear whole or not at all, and places to write that are tried before long work."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from derivations.support.bad_input import BadInput

# what stands here leads to whoever reads it
DESCRIPTORS = (Path("/dev"), Path("/dev/fd"))


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A temporary file to write to, which takes the place of the target when the block ends well.

    A link is followed, as an ordinary write would, and a device or a pipe written to, never replaced. Raises OSError, with
    the target's name, where nothing can be written.
    """
    try:
        with (_passed_on if _is_stream(target) else _replaced)(target) as temporary:
            yield temporary
    except OSError as error:
        # a write that found no room does not say where
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    place = followed(target)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}-", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _passed_on(target: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "whole"
        yield temporary
        # only to what is there: should it go meanwhile, no file takes its name
        with os.fdopen(os.open(target, os.O_WRONLY), "wb") as stream:
            stream.write(temporary.read_bytes())


def _is_stream(target: Path) -> bool:
    """Whether it is a device, a pipe or a descriptor, such as /dev/stdout, that whoever reads it goes on with."""
    return target.exists() and not target.is_dir() and (not target.is_file() or target.parent in DESCRIPTORS)


def read_json(source: Path) -> Any:
    """What a file of JSON says."""
    return json.loads(source.read_text(encoding="utf-8"))


def write_json(target: Path, document: Any, indent: int | None = 1) -> None:
    """Write a file of JSON, whole or not at all; on one line where nobody reads it."""
    separators = (",", ":") if indent is None else None
    with whole(target) as temporary:
        temporary.write_text(
            json.dumps(document, indent=indent, separators=separators) + "\n", encoding="utf-8"
        )


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def followed(path: Path) -> Path:
    """Where a path leads, links followed; `Path.resolve` raises RuntimeError on links that lead to themselves."""
    return Path(os.path.realpath(path))


def require_place(file: Path) -> None:
    """Raises BadInput where no such file can be written, before the work that fills it."""
    if file.is_dir():
        raise BadInput(f"{str(file)!r} is a folder: name a file in it")
    if _is_stream(file):
        if not os.access(file, os.W_OK):
            raise BadInput(f"nothing can be written to {str(file)!r}: name another file")
        return
    folder = followed(file).parent
    if not folder.is_dir():
        raise BadInput(f"the folder {str(file.parent)!r} does not exist: make it first")
    require_writable(folder)


def require_writable(folder: Path) -> None:
    """Raises BadInput where no file can be made in a folder, or in the nearest one above it that exists."""
    nearest = followed(folder)
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise BadInput(f"{str(nearest)!r} is no folder: name another place to write to")
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise BadInput(
            f"nothing can be written to {str(nearest)!r} ({error.strerror}): name another place"
        ) from None
