"""Input laws and assumptions that are added to the edition, each in one module of `derivations/extensions/`.

A module there calls `add_input_law` or `add_assumption` once. The modules are loaded by `load_extensions`, when a name
is met that is not the edition's own, in every process that meets one. What a module gives for the derivation and what it
gives for sampling must be written separately: that the two agree is the check.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from derivations.support import store
from derivations.support.text import shortened
from numeric_check.problem import laws as sampled_laws
from numeric_check.problem.setting import InnerStep
from symbolic.algebra import entry_laws as exact_laws
from symbolic.algebra.words import Expression

WordStep = Callable[[str, int, Expression, Expression, Expression], Expression]
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# the order to which the moments of an added law are looked at: twice the degree of what is derived below p = n_v m
ORDERS = 16


@dataclass(frozen=True)
class Extension:
    """An added assumption about the inner loop of meta-training.

    name, default: as in `--assume NAME=VALUE`; the default is the paper's. like: the assumption whose dependent steps
    this one changes too. read: the canonical text of a value; raises ValueError with one line for a bad one.
    words(value, k, theta, gradient, rate): step k = 0, 1, ... as matrix words. arrays(value): the same on arrays.
    """

    name: str
    default: str
    like: str
    read: Callable[[str], str]
    words: WordStep
    arrays: Callable[[str], InnerStep]


# what the modules loaded so far have added; `extension` looks a name up
EXTENSIONS: dict[str, Extension] = {}
# the laws among them, and the module that adds each name
_LAWS: set[str] = set()
_ADDED_BY: dict[str, str] = {}
_ROOM = "derivations.extensions"


def added_modules() -> list[str]:
    """The modules of `derivations/extensions/`, none of which is loaded for it."""
    from derivations import extensions

    return sorted(f"{_ROOM}.{found.name}" for found in pkgutil.iter_modules(extensions.__path__))


@cache
def load_extensions() -> Mapping[str, str]:
    """Load every module of `derivations/extensions/`, once. Returns why, by file name, for those that do not load."""
    failed: dict[str, str] = {}
    for module in added_modules():
        before = {*EXTENSIONS, *_LAWS}
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever a file does wrong concerns those alone who use it
            said = " ".join(str(error).split())
            failed[f"{module.removeprefix(f'{_ROOM}.')}.py"] = (
                f"{type(error).__name__}: {shortened(said, 100)}"
            )
        new = {*EXTENSIONS, *_LAWS} - before
        _ADDED_BY.update(dict.fromkeys(new, module))
    return failed


def is_added(name: str) -> bool:
    """Whether an added assumption has this name."""
    if name not in EXTENSIONS:
        load_extensions()
    return name in EXTENSIONS


def extension(name: str) -> Extension:
    """The added assumption of this name; raises KeyError when there is none."""
    if name not in EXTENSIONS:
        load_extensions()
    return EXTENSIONS[name]


def load_law(name: str) -> None:
    """See to it that a law of input entries of this name is known, where an extension adds it."""
    if name not in exact_laws.NAMED:
        load_extensions()


def is_input_law(name: str) -> bool:
    """Whether a law of input entries has this name, be it added."""
    load_law(name)
    return name in exact_laws.NAMED


def not_loaded() -> str:
    """What to add where a name is refused as unknown: which files, that may hold it, do not load."""
    return "".join(
        f"; derivations/extensions/{file} does not load ({reason}): mend it or take it away"
        for file, reason in load_extensions().items()
    )


def modules_adding(names: Iterable[str]) -> set[str]:
    """The modules that add those of these assumptions and laws that are added ones; all loaded where that is not known."""
    used = {name for name in names if name in EXTENSIONS or name in _LAWS}
    if used <= _ADDED_BY.keys():
        return {_ADDED_BY[name] for name in used}
    return {module for module in sys.modules if module.startswith(f"{_ROOM}.")}


def _added(name: str, definition: Callable[..., object]) -> None:
    """What is defined in no file of the edition is known to this process alone: nothing of it is kept for another."""
    if not definition.__module__.startswith(f"{_ROOM}."):
        store.keep_none_of(name)


@contextmanager
def for_a_while() -> Iterator[None]:
    """Forget at the end what is added by hand in between."""
    before = {*EXTENSIONS, *_LAWS}
    try:
        yield
    finally:
        for name in {*EXTENSIONS, *_LAWS} - before - _ADDED_BY.keys():
            EXTENSIONS.pop(name, None)
            exact_laws.NAMED.pop(name, None)
            sampled_laws.NAMED.pop(name, None)
            _LAWS.discard(name)


def add_assumption(extension: Extension) -> None:
    """Make an assumption known to every command. Raises ValueError for a name that is taken or no name."""
    if not _NAME.fullmatch(extension.name) or extension.name in EXTENSIONS:
        raise ValueError(f"the assumption {extension.name!r} is no name, or taken: choose another")
    EXTENSIONS[extension.name] = extension
    _added(extension.name, extension.words)


def add_input_law(
    name: str, moment: Callable[[int], Fraction], draw: sampled_laws.Draw, *, atomic: bool = False
) -> None:
    """Make a law of input entries known to every command.

    moment(k): E u^k, exact, for every k >= 1. draw(generator, shape): independent entries. atomic: whether single
    values have positive probability. Raises ValueError for a name that is taken or no name, and for moments that are
    not those of mean 0 and variance 1.
    """
    if not _NAME.fullmatch(name) or name in exact_laws.NAMED or name in sampled_laws.NAMED:
        raise ValueError(f"the law {name!r} is no name, or taken: choose another")
    if moment(1) != 0 or moment(2) != 1:
        raise ValueError(f"the law {name} must have mean 0 and variance 1: shift and scale it")
    symmetric = not any(moment(k) for k in range(1, ORDERS, 2))
    _LAWS.add(name)
    _added(name, moment)
    exact_laws.NAMED[name] = exact_laws.Law(name, math.inf, moment, symmetric=symmetric)
    fourth, sixth, eighth = (float(moment(k)) for k in (4, 6, 8))
    sampled_laws.NAMED[name] = sampled_laws.InputLaw(name, (1.0, fourth, sixth, eighth), atomic, draw)
