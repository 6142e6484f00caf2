"""Arithmetic of terms: linear combinations of coded monomials, without shapes.

The layer under `symbolic.algebra.expression` and `symbolic.algebra.substitution`; no shape is checked here.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import TypeVar

from flint import fmpq_mpoly

from symbolic.algebra import canonical, coefficients
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import NUMBERS
from symbolic.algebra.letters import ONE

Terms = Mapping[Monomial, fmpq_mpoly]
Key = TypeVar("Key")
UNIT_TERMS: Terms = {((), None): NUMBERS.constant(1)}


def accumulate(total: dict[Key, fmpq_mpoly], key: Key, value: fmpq_mpoly) -> None:
    """Add ``value`` to the coefficient of ``key`` in ``total``; a coefficient that becomes 0 is removed."""
    known = total.get(key)
    if known is not None:
        first, second = coefficients.unify(known, value)
        value = first + second
    if value:
        total[key] = value
    else:
        total.pop(key, None)


def add(first: Terms, second: Terms) -> Terms:
    """The sum."""
    total = dict(first)
    for key, value in second.items():
        accumulate(total, key, value)
    return total


def scale(terms: Terms, factor: fmpq_mpoly) -> Terms:
    """The terms times a coefficient."""
    if not factor:
        return {}
    return {key: coefficients.multiply(value, factor) for key, value in terms.items()}


def multiply(first: Terms, second: Terms) -> Terms:
    """The product when at least one side is scalar."""
    total: dict[Monomial, fmpq_mpoly] = {}
    for (left_traces, left_word), left in first.items():
        for (right_traces, right_word), right in second.items():
            word = right_word if left_word is None else left_word
            key = tuple(sorted(left_traces + right_traces)), word
            accumulate(total, key, coefficients.multiply(left, right))
    return total


def concatenate(first: Terms, second: Terms, rows: str, columns: str) -> Terms:
    """The matrix product of open words, of shape rows x columns, 1 x 1 factors split off."""
    total: dict[Monomial, fmpq_mpoly] = {}
    for (left_traces, left_word), left in first.items():
        for (right_traces, right_word), right in second.items():
            split = canonical.opened((left_word or "") + (right_word or ""), rows == ONE, columns == ONE)
            if split is not None:
                word = None if rows == columns == ONE else split[1]
                key = tuple(sorted(left_traces + right_traces + split[0])), word
                accumulate(total, key, coefficients.multiply(left, right))
    return total


def transpose(terms: Terms) -> Terms:
    """The transposed open words."""
    return {(traces, word and canonical.transpose(word)): value for (traces, word), value in terms.items()}


def trace(terms: Terms, size: str) -> Terms:
    """The traces of open words of shape size x size."""
    dimension = coefficients.generator(size) if size != ONE else NUMBERS.constant(1)
    total: dict[Monomial, fmpq_mpoly] = {}
    for (traces, word), value in terms.items():
        pieces = canonical.closed(word) if word else ()
        if pieces is not None:
            term = value if word else coefficients.multiply(value, dimension)
            accumulate(total, (tuple(sorted(traces + pieces)), None), term)
    return total


def product(factors: Iterable[Terms]) -> Terms:
    """The product of terms of which at most one has open words."""
    given = list(factors)
    return reduce(multiply, given) if given else UNIT_TERMS
