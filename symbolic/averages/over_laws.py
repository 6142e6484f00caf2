"""Expectations over random matrices with independent rows Sigma^(1/2) u, u with iid entries of a law.

A factor X with covariance Sigma is U R, R = Sigma^(1/2) symmetric; an expression becomes a sum of index
networks, and `symbolic.averages.cumulants` averages each. Beyond the Gaussian law results may hold sums over indices
that are no products and traces, such as R diag(R A R) R: a `NetworkPolynomial`. Where none remain,
`expect_law` gives an `Expression`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from flint import fmpq_mpoly

from symbolic.algebra import letters
from symbolic.algebra.coefficients import multiply
from symbolic.algebra.entry_laws import GAUSSIAN, Law, law_of_letter
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter, covariance_letter, letter_of
from symbolic.algebra.refusal import Refused
from symbolic.algebra.terms import accumulate
from symbolic.averages.cumulants import Averages, Budget, Cumulants, forget_blocks, ring_of
from symbolic.averages.network_order import Edge, Label
from symbolic.averages.network_polynomial import NetworkPolynomial, NetworkTerm, opened
from symbolic.averages.networks import root_of

MAX_FACTORS = 20
"""Most factors of random matrices in a monomial that are averaged."""


class MomentDegreeError(Refused):
    """A monomial has too many random factors."""


def expect_law(
    expr: Expression, law: Law | Mapping[str, Law], over: Collection[str] | None = None
) -> Expression:
    """The expectation of ``expr`` over random matrices whose entries u have the laws given, as an Expression.

    ``law``: one for all the random letters, or by name. ``over``: the letters to average over; None for all,
    or all that have a law given. In ``over`` a letter without a law given has its own. Other letters stay.
    Raises NotAnExpression (a ValueError) where a sum over indices remains that products and traces do not
    express, LawOrderError beyond the order of a law, MomentDegreeError beyond `MAX_FACTORS`, TooManyBlocks beyond
    `symbolic.averages.cumulants.MAX_BLOCKS` (what is remembered costs nothing), and ValueError for letters that are not random.
    """
    return average(expr, law, over).expression()


def average(
    expr: Expression,
    law: Law | Mapping[str, Law],
    over: Collection[str] | None = None,
    budget: Budget | None = None,
) -> NetworkPolynomial:
    """The same expectation with whatever sums over indices remain. Raises the same errors but the first.

    ``budget`` bounds the work, instead of `symbolic.averages.cumulants.MAX_BLOCKS` blocks for each call.
    """
    known = expr.letters()
    laws = _laws(known, law, over)
    if not laws:
        return NetworkPolynomial.of(expr)
    indices = expr.letter_indices
    for name in laws:
        covariance = covariance_letter(known[name])
        if covariance is not None:
            indices = letters.merge_alphabets(indices, frozenset((letters.index_of(covariance),)))
    end = letters.end_letter(expr.shape)
    dimensions = {name for letter in known.values() for name in (letter.rows, letter.columns)}
    engine = _engine(tuple(laws.items()), tuple(sorted(dimensions)))
    engine.start(budget)
    total: dict[NetworkTerm, fmpq_mpoly] = {}
    for (traces, word), value in expr.monomials.items():
        words = traces if word is None else (*traces, word + end)
        for (found, networks), factor in _monomial(words, engine).items():
            accumulate(total, opened(found, networks, end), multiply(value, factor))
    return NetworkPolynomial(total, expr.shape, indices)


def _laws(
    known: Mapping[str, Letter], law: Law | Mapping[str, Law], over: Collection[str] | None
) -> dict[str, Law]:
    """The laws of the letters to average over."""
    if isinstance(over, str):
        raise Refused(f"over needs a collection of names: write over=({over!r},)")
    if isinstance(law, Law):
        chosen = {name for name, x in known.items() if x.random} if over is None else set(over)
        laws = dict.fromkeys(chosen, law)
    else:
        chosen = set(law) if over is None else set(over)
        laws = {name: law[name] if name in law else _own(known.get(name)) for name in chosen}
    fixed = sorted(name for name in chosen if name in known and not known[name].random)
    if fixed:
        raise Refused(f"{', '.join(fixed)} is not random: name random matrices only")
    return {name: laws[name] for name in sorted(chosen) if name in known}


def _own(letter: Letter | None) -> Law:
    return GAUSSIAN if letter is None or letter.law is None else law_of_letter(letter.law)


@lru_cache(maxsize=64)
def _engine(laws: tuple[tuple[str, Law], ...], dimensions: tuple[str, ...]) -> Cumulants:
    """The averages remembered for some laws."""
    return Cumulants(dict(laws), ring_of(dimensions, [law for _, law in laws], MAX_FACTORS))


def clear_cache() -> None:
    """Forget all averages."""
    _engine.cache_clear()
    forget_blocks()


def _monomial(words: tuple[str, ...], engine: Cumulants) -> Averages:
    """The expectation of a product of traces."""
    labels: list[Label] = []
    edges: list[Edge] = []
    entries: dict[tuple[str, int, int], int] = {}
    for word in words:
        first = len(labels)
        labels += [(letters.row_dimension(character), 0) for character in word]
        for place, character in enumerate(word):
            here, there = first + place, first + (place + 1) % len(word)
            letter, transposed = letter_of(character), letters.is_transposed(character)
            row, column = (there, here) if transposed else (here, there)
            if letter.unit:
                labels[row] = letter.rows, letter.unit
                continue
            if letter.name not in engine.laws:
                edges.append((here, there, character))
                continue
            covariance = covariance_letter(letter)
            if covariance is not None:
                labels.append((letter.columns, 0))
                edges.append((len(labels) - 1, column, root_of(covariance)))
                column = len(labels) - 1
            key = letter.name, row, column
            entries[key] = entries.get(key, 0) + 1
    count = sum(entries.values())
    if count > MAX_FACTORS:
        raise MomentDegreeError(
            f"a product has {count} random factors, and {MAX_FACTORS} are averaged by cumulants: lower the degree"
        )
    fixed = [(name, 1 if name == letters.ONE else index) for name, index in labels]
    return engine.average(fixed, edges, entries)
