"""The oracle: Gaussian expectations as plain sums over Wick pairings (Isserlis).

Slow and obvious, to check `symbolic.averages.expectation`, with which it shares the data type of matrix words and its canonical form, and no step of the calculation. A
monomial is a graph: every factor is an edge from its row leg to its column leg, a wire joins the leg where
one factor ends to the leg where the next begins. For X with independent rows N(0, Sigma),

    E X_ia X_jb = delta_ij Sigma_ab,

so for each pair the two edges of X are taken out, a wire joins their row legs, and an edge Sigma joins their
column legs. Then the graph consists of loops (traces) and, for a matrix, one path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter
from symbolic.algebra.readable import Term, Word
from symbolic.algebra.words import dimension, identity, letter_expression, matrix, polynomial, tr, zero

Leg = tuple[int, str]
"""Number of a factor, and "rows" or "columns"."""

Edge = tuple[Leg, Leg, Expression | None]
"""A wire, or a matrix from its row leg to its column leg."""

START, STOP = (-1, "rows"), (-1, "columns")
"""The two ends of an open word."""


def pairings(items: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """All ways to split ``items`` into pairs: (2d - 1)!! of them, none when the number is odd."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for place, partner in enumerate(rest):
        for others in pairings([*rest[:place], *rest[place + 1 :]]):
            yield [(first, partner), *others]


def expect_by_pairings(expr: Expression, over: Collection[str] | None = None) -> Expression:
    """The expectation of ``expr`` over the random letters in ``over`` (None: all), pairing by pairing.

    The number of pairings of 2d occurrences of a letter is (2d - 1)!!: meant for small degrees.
    """
    known = expr.letters()
    random = [name for name, letter in known.items() if letter.random and (over is None or name in over)]
    if any(known[name].law for name in random):
        raise ValueError("pairings are for Gaussian matrices: other laws have an oracle of their own")
    total = zero(*expr.shape) if expr.shape else zero()
    for term, value in expr.terms.items():
        factors, wires = _graph(term)
        groups = [[place for place, name in enumerate(factors) if name == x] for x in random]
        for choice in product(*(list(pairings(group)) for group in groups)):
            pairs = [pair for pairs in choice for pair in pairs]
            total = total + polynomial(value) * _diagram(factors, wires, pairs, known, expr)
    return total


def _graph(term: Term) -> tuple[list[str], list[Edge]]:
    """The factors of a monomial, numbered, and the wires between their legs."""
    factors: list[str] = []
    wires: list[Edge] = []

    def legs(word: Word) -> list[Leg]:
        found: list[Leg] = []
        for name, transposed in word:
            sides = ("columns", "rows") if transposed else ("rows", "columns")
            found += [(len(factors), side) for side in sides]
            factors.append(name)
        return found

    for trace in term.traces:
        first, *others = legs(trace)
        joined = [*others, first]
        wires += [(a, b, None) for a, b in zip(joined[::2], joined[1::2], strict=True)]
    if term.word is not None:
        joined = [START, *legs(term.word), STOP]
        wires += [(a, b, None) for a, b in zip(joined[::2], joined[1::2], strict=True)]
    return factors, wires


def _diagram(
    factors: Sequence[str],
    wires: Sequence[Edge],
    pairs: Sequence[tuple[int, int]],
    known: Mapping[str, Letter],
    expr: Expression,
) -> Expression:
    """What one pairing contributes."""
    edges = list(wires)
    paired = {place for pair in pairs for place in pair}
    for place, name in enumerate(factors):
        if place not in paired:
            edges.append(((place, "rows"), (place, "columns"), letter_expression(known[name])))
    for first, second in pairs:
        letter = known[factors[first]]
        sigma = None
        if letter.covariance is not None:
            sigma = matrix(letter.covariance, letter.columns, letter.columns, symmetric=True)
        edges.append(((first, "rows"), (second, "rows"), None))
        edges.append(((first, "columns"), (second, "columns"), sigma))
    result = dimension("1")
    if expr.shape is not None:
        path = _walk(START, edges)
        result = result * (identity(expr.shape[0]) if path is None else path)
    while edges:
        (place, side), _, _ = edges[0]
        loop = _walk((place, side), edges)
        letter = known[factors[place]]
        size = letter.rows if side == "rows" else letter.columns
        result = result * (dimension(size) if loop is None else tr(loop))
    return result


def _walk(leg: Leg, edges: list[Edge]) -> Expression | None:
    """Follow the edges from a leg as long as there are any, taking them away; the product of the matrices."""
    result: Expression | None = None
    while True:
        edge = next((edge for edge in edges if leg in edge[:2]), None)
        if edge is None:
            return result
        edges.remove(edge)
        start, stop, factor = edge
        if factor is not None:
            factor = factor if leg == start else factor.T
            result = factor if result is None else result @ factor
        leg = stop if leg == start else start
