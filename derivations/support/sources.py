"""The source of the three packages: which modules a module reaches, and what they and the libraries hash to.

What is hashed of a module is its syntax tree: a comment, a line break or where a line stands changes no result; and with it the
data it reads, such as certificates or shipped draws.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("symbolic", "numeric_check", "derivations")
LIBRARIES = ("sympy", "numpy", "python-flint", "mpmath")


@cache
def file_of(module: str) -> Path | None:
    """The file of a module of the three packages; None for any other module, and for a name that is no module."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    place = ROOT.joinpath(*module.split("."))
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of the three packages that a module imports, at its top or inside a function.

    A package runs before what it holds, so the packages around each module belong to it. Raises ValueError for a module
    that is not of the three packages, and for a relative import, whose target the text does not say.
    """
    named = {module, *_facts(module)[1]}
    around = {name.rsplit(".", k)[0] for name in named for k in range(name.count(".") + 1)}
    return frozenset(name for name in around if file_of(name) is not None) - {module}


def _named(tree: ast.Module, module: str) -> Iterator[str]:
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"{module} has a relative import: name the module from its package on")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(tree: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a module at every depth, without what only type checkers read; no expression holds one."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        held = getattr(tree, part, ())
        for node in held if isinstance(held, list) else ():
            if (
                isinstance(node, ast.If)
                and isinstance(node.test, ast.Name)
                and node.test.id == "TYPE_CHECKING"
            ):
                continue
            if isinstance(node, ast.stmt):
                yield node
            yield from _run(node)


def reached(modules: Iterable[str]) -> frozenset[str]:
    """These modules and all that they import, transitively."""
    found: set[str] = set()
    open_ = set(modules)
    while open_:
        found |= open_
        open_ = {name for module in open_ for name in imports(module)} - found
    return frozenset(found)


@cache
def fingerprint(modules: frozenset[str]) -> str:
    """A hash of the versions of Python and the libraries, and of all modules that these reach as they are run: no comments."""
    from importlib.metadata import version  # which loads a parser of mail: not for what reads no results

    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(f"{library}={version(library)};".encode())
    for module in sorted(reached(modules)):
        digest.update(f"{module}={_hash(module)};".encode())
    return digest.hexdigest()


# of a source, by the hash of its text: the hash of its syntax tree, and what it imports
Facts = tuple[str, list[str]]
_known: dict[str, Facts] = {}
_looked_at: set[str] = set()


def known() -> dict[str, Facts]:
    """What is known of the sources that were looked at, for another process to `learn`: to parse them takes seconds."""
    # other threads may be looking at more
    return {name: _known[name] for name in [*_looked_at]}


def learn(facts: Mapping[str, Sequence[Any]]) -> None:
    """Take over what another process, or an earlier one, knows of sources; what has been edited since is read anew."""
    _known.update({name: (tree, list(named)) for name, (tree, named) in facts.items()})


@cache
def _facts(module: str) -> Facts:
    path = file_of(module)
    if path is None:
        raise ValueError(f"{module} is no module of {', '.join(PACKAGES)}")
    text = path.read_bytes()
    # how it is read is this module's, and Python's
    name = hashlib.sha256(b"".join((_reader(), f"{module};".encode(), text))).hexdigest()
    if name not in _known:
        tree = ast.parse(text)
        _known[name] = (
            hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
            sorted({*_named(tree, module)}),
        )
    _looked_at.add(name)
    return _known[name]


@cache
def _reader() -> bytes:
    return hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes()).digest()


def _hash(module: str) -> str:
    return _facts(module)[0] + "".join(
        hashlib.sha256(path.read_bytes()).hexdigest() for path in data_of(module)
    )


@cache
def data_of(module: str) -> tuple[Path, ...]:
    """The data that a module reads: the JSON files beside it that bear its name, or that its text names."""
    path = file_of(module)
    if path is None:
        return ()
    beside = _data_in(path.parent)
    if not beside:
        return ()
    text = path.read_text(encoding="utf-8")
    return tuple(data for data in beside if data.stem == path.stem or data.name in text)


@cache
def _data_in(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.json")))
