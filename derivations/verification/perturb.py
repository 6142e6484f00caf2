"""Every small wrong version of a claim: the automatic test of the checks' power.

A perturbation changes one thing in one part of a claim: a coefficient or an exponent by one, a sign, or it
swaps two symbols. Coefficients and exponents of one are not written, but changed too: every term of a sum is
doubled and dropped, every symbol, trace and square matrix is squared and, as a matrix, replaced by the identity.
A change that does not fit the shapes is not made. Whether a perturbed claim really differs is decided by exact
comparison, not by hand.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from derivations.steps.step import Parts


@dataclass(frozen=True)
class Perturbation:
    """One changed claim: what was done to which part."""

    label: str
    change: str
    parts: Parts


Path = tuple[int, ...]


def _children(node: sympy.Basic) -> tuple[sympy.Basic, ...]:
    # The name and shape of a matrix symbol, and the size of an identity, are types, not parts of the claim.
    types = sympy.MatrixSymbol | sympy.Identity | sympy.ZeroMatrix | sympy.Symbol | MatrixElement
    if isinstance(node, types):
        return ()
    return tuple(node.args)


def _walk(node: sympy.Basic, path: Path = ()) -> Iterator[tuple[Path, sympy.Basic]]:
    yield path, node
    for index, child in enumerate(_children(node)):
        yield from _walk(child, (*path, index))


def _replace(node: sympy.Basic, path: Path, change: Callable[[sympy.Basic], sympy.Basic]) -> sympy.Basic:
    if not path:
        return change(node)
    arguments = list(node.args)
    arguments[path[0]] = _replace(arguments[path[0]], path[1:], change)
    return _rebuild(node, arguments)


def _rebuild(node: sympy.Basic, arguments: list[sympy.Basic]) -> sympy.Basic:
    # matrices are not simplified: SymPy would ask of every scalar factor whether it is zero, which takes far longer
    # than the comparison
    if isinstance(node, sympy.Add | sympy.MatAdd | sympy.MatMul):
        return node.func(*arguments)
    if isinstance(node, sympy.Mul):
        return reduce(operator.mul, arguments)
    if isinstance(node, sympy.Inverse):
        # with another exponent it is no inverse any more
        return arguments[0] ** arguments[1]
    return node.func(*arguments)


def _times(number: int, node: sympy.Basic) -> sympy.Basic:
    return sympy.MatMul(number, node) if getattr(node, "is_Matrix", False) else number * node


def _constant(value: sympy.Basic) -> Callable[[sympy.Basic], sympy.Basic]:
    return lambda _: value


Change = tuple[str, sympy.Basic]


def _numbers(node: sympy.Rational) -> Iterator[Change]:
    """A written number with one added or taken away; 1/2 reads as a quotient of integers, each of which changes."""
    if isinstance(node, sympy.Integer):
        yield from ((f"{node} -> {node + step}", node + step) for step in (1, -1))
        return
    for top, bottom in ((node.p + 1, node.q), (node.p - 1, node.q), (node.p, node.q + 1)):
        yield f"{node} -> {top}/{bottom}", sympy.Rational(top, bottom)


def _square(node: sympy.Basic) -> bool:
    return bool(getattr(node, "is_Matrix", False)) and node.shape[0] == node.shape[1]


def _implicit(node: sympy.Basic) -> Iterator[Change]:
    """A symbol, trace or square letter with its unwritten coefficient or exponent changed by one."""
    if isinstance(node, sympy.Trace) or (isinstance(node, sympy.Symbol) and not _square(node)):
        yield f"{node} -> 2 {node}", 2 * node
        yield f"{node} -> {node}^2", node**2
    elif isinstance(node, sympy.MatrixSymbol) and _square(node):
        yield f"{node} -> {node}^2", node * node
        yield f"{node} -> {node}^0", sympy.Identity(node.shape[0])


def _zero(node: sympy.Basic) -> sympy.Basic:
    return sympy.ZeroMatrix(*node.shape) if getattr(node, "is_Matrix", False) else sympy.Integer(0)


def _terms(node: sympy.Basic) -> Iterator[Change]:
    """A sum in which one term has another sign, twice its coefficient, or is missing."""
    for index, term in enumerate(node.args):
        for change, changed in (
            ("sign of", _times(-1, term)),
            ("twice", _times(2, term)),
            ("without", _zero(term)),
        ):
            yield f"{change} {term}", _replace(node, (index,), _constant(changed))


def _changes(expr: sympy.Basic) -> Iterator[Change]:
    for path, node in _walk(expr):
        if isinstance(node, sympy.Rational):
            found = _numbers(node)
        elif isinstance(node, sympy.Add | sympy.MatAdd):
            found = _terms(node)
        else:
            found = _implicit(node)
        for change, changed in found:
            yield change, _replace(expr, path, _constant(changed))
    yield "overall sign", _times(-1, expr)
    yield "coefficient 1 -> 2", _times(2, expr)
    yield "coefficient 1 -> 0", _zero(expr)
    yield from _swaps(expr)


def _swaps(expr: sympy.Basic) -> Iterator[tuple[str, sympy.Basic]]:
    scalars = sorted(
        (
            s
            for s in expr.free_symbols
            if isinstance(s, sympy.Symbol) and not isinstance(s, sympy.MatrixSymbol)
        ),
        key=lambda s: s.name,
    )
    names = {node.name for _, node in _walk(expr) if isinstance(node, sympy.Symbol)}
    for a, b in combinations([s for s in scalars if s.name in names], 2):
        yield f"swap {a} and {b}", swap_scalars(expr, a, b)
    matrices = sorted(
        {node for _, node in _walk(expr) if isinstance(node, sympy.MatrixSymbol)}, key=lambda s: str(s.name)
    )
    for c, d in combinations(matrices, 2):
        if c.shape == d.shape:
            marker = sympy.MatrixSymbol("swap", *c.shape)
            yield f"swap {c} and {d}", expr.xreplace({c: marker}).xreplace({d: c}).xreplace({marker: d})


def swap_scalars(node: sympy.Basic, a: sympy.Symbol, b: sympy.Symbol) -> sympy.Basic:
    """The expression with two symbols exchanged wherever they stand as numbers (not in matrix shapes)."""
    if node in (a, b):
        return b if node == a else a
    if not _children(node):
        return node
    return _rebuild(node, [swap_scalars(child, a, b) for child in node.args])


def perturbations(parts: Parts) -> Iterator[Perturbation]:
    """All single changes of a claim; malformed ones (division by zero) are left out, repeats merged."""
    for label, expr in parts.items():
        seen = {expr}
        for change, changed in _changes(expr):
            if changed in seen or changed.has(sympy.zoo, sympy.nan, sympy.oo):
                continue
            seen.add(changed)
            yield Perturbation(label, change, {**parts, label: changed})
