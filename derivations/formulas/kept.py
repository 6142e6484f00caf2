"""Formulas that took long to derive, kept in the store as plain data: lists, names and whole numbers.

A tree is a list of the name of its kind and its parts. Only the kinds of `KINDS` are written and read; a formula with any
other, or with a label that is no text, is derived each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from sympy.matrices import expressions

from derivations.language.assumptions import PAPER, Assumptions
from derivations.support import store

Parts = Mapping[str, sympy.Basic]
# seconds of processor time from which on a formula is worth a file
LONG = 0.5
KINDS: Mapping[str, type[sympy.Basic]] = {
    kind.__name__: kind
    for kind in (
        sympy.Add,
        sympy.Mul,
        sympy.Pow,
        expressions.Trace,
        expressions.MatAdd,
        expressions.MatMul,
        expressions.MatPow,
        expressions.Identity,
        expressions.Inverse,
        expressions.Transpose,
    )
}


def kept(name: str, assumptions: Assumptions, derive: Callable[[], Parts]) -> Parts:
    """What `derive` gives for the step of this name: under changed assumptions from the store, or derived and kept.

    What a derivation raises is raised, and not kept.
    """
    if assumptions == PAPER:
        return derive()
    # what decides which modules count is needed here alone
    from derivations.steps.contents import find
    from derivations.verification.verify import keys_of

    proof = keys_of(find(name).name, assumptions)["proof"]
    wanted = store.key("formula", [__name__, *proof.modules], of=proof.parts)
    document = store.load(wanted)
    if document is not None:
        return read(document)
    started = time.process_time()
    found = derive()
    if time.process_time() - started > LONG and all(type(label) is str for label in found):
        try:
            store.save(wanted, written(found))
        except TypeError:
            return found
    return found


def written(parts: Parts) -> dict[str, Any]:
    """Formulas by label as plain data, each symbol once. Raises TypeError, naming it, for a kind that is not in `KINDS`.

    >>> x = sympy.Symbol("x", positive=True)
    >>> read(written({"half": x**2 / 2})) == {"half": x**2 / 2}
    True
    """
    symbols: dict[sympy.Symbol, int] = {}
    trees = [[label, _data(part, symbols)] for label, part in parts.items()]
    return {"symbols": [[symbol.name, dict(symbol.assumptions0)] for symbol in symbols], "parts": trees}


def read(document: Mapping[str, Any]) -> Parts:
    """The formulas that `written` wrote. Raises TypeError for anything else."""
    symbols = [sympy.Symbol(name, **given) for name, given in document["symbols"]]
    return {label: _tree(found, symbols) for label, found in document["parts"]}


def _data(node: sympy.Basic, symbols: dict[sympy.Symbol, int]) -> Any:
    """A symbol as its place among the symbols, a number as text, anything else as the name of its kind and its parts."""
    if isinstance(node, sympy.Symbol):
        return symbols.setdefault(node, len(symbols))
    if isinstance(node, sympy.Rational):
        # as the number prints itself, without the printer, as there are many
        return f"{node.p}" if node.q == 1 else f"{node.p}/{node.q}"
    if isinstance(node, sympy.MatrixSymbol):
        return ["MatrixSymbol", node.name, *(_data(size, symbols) for size in node.shape)]
    kind = type(node).__name__
    if kind not in KINDS or not isinstance(node, KINDS[kind]):
        raise TypeError(f"{kind} is not kept")
    return [kind, *(_data(part, symbols) for part in node.args)]


def _tree(found: Any, symbols: list[sympy.Symbol]) -> sympy.Basic:
    match found:
        case int(place):
            return symbols[place]
        case str(number):
            return sympy.Rational(*map(int, number.split("/")))
        case ["MatrixSymbol", str(name), rows, columns]:
            return sympy.MatrixSymbol(name, _tree(rows, symbols), _tree(columns, symbols))
        case [str(kind), *parts] if kind in KINDS:
            return KINDS[kind](*(_tree(part, symbols) for part in parts))
    raise TypeError("no formula that was kept")
