"""Expectations at numerical sizes from polynomials in independent standard normal entries.

Neither pairings nor integration by parts: a Gaussian matrix is written out entry by entry, X = Z L^T with
independent standard normal Z and covariance L L^T. The expression becomes an ordinary polynomial in the
entries of Z, and each power is replaced by its moment, E z^k = (k - 1)!! for even k and 0 for odd k. Cheap at
sizes up to 3 even for degrees where pairings are hopeless. With other moments of z it is the oracle for other
laws of independent entries: it knows neither cumulants nor networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from flint import fmpq, fmpq_mpoly

from symbolic.coefficients import NUMBERS, Rational, context, evaluate_at, to_fmpq, to_fraction
from symbolic.expression import Expression
from symbolic.letters import ONE, Letter
from symbolic.readable import Word

Table = list[list[Fraction]]
Polynomials = list[list[fmpq_mpoly]]

Moments = Callable[[int], Rational]
"""E z^k of an entry, by k."""


def double_factorial(k: int) -> int:
    """k!! = k (k - 2) (k - 4) ...; 1 for k <= 0."""
    return prod(range(k, 0, -2))


def normal_moment(order: int) -> int:
    """E z^order of a standard normal variable."""
    return 0 if order % 2 else double_factorial(order - 1)


def expect_by_entries(
    expr: Expression,
    sizes: Mapping[str, int],
    values: Mapping[str, Table],
    roots: Mapping[str, Table],
    entry_moments: Mapping[str, Moments] | None = None,
) -> list[list[Fraction]]:
    """The expectation of ``expr`` over all its random letters, at ``sizes``; a scalar as a 1 x 1 matrix.

    ``values`` gives the deterministic letters, ``roots`` a matrix L for each covariance L L^T. Scalars that
    are no sizes must have been replaced by numbers. ``entry_moments`` gives, for random letters whose entries
    of Z have another law than the normal, the rule for E z^k; a covariance then has its symmetric root.
    """
    known = expr.letters()
    lengths = {ONE: 1, **sizes}
    names = [
        f"{name}_{row}_{column}"
        for name, letter in known.items()
        if letter.random
        for row, column in product(range(lengths[letter.rows]), range(lengths[letter.columns]))
    ]
    ring = context(tuple(sorted(names))) if names else NUMBERS
    generators = dict(zip(sorted(names), ring.gens(), strict=True))
    factors: dict[tuple[str, bool], Polynomials] = {}
    for name, letter in known.items():
        rows, columns = range(lengths[letter.rows]), range(lengths[letter.columns])
        if letter.random:
            entries = [[generators[f"{name}_{i}_{a}"] for a in columns] for i in rows]
            if letter.covariance is not None:
                root = roots[letter.covariance]
                mixed = [[ring.constant(to_fmpq(root[b][a])) for b in columns] for a in columns]
                entries = _product(entries, mixed)
        elif letter.unit:
            entries = [[ring.constant(int(i + 1 == letter.unit))] for i in rows]
        else:
            entries = [[ring.constant(to_fmpq(values[name][i][a])) for a in columns] for i in rows]
        factors[name, False] = entries
        factors[name, True] = [list(line) for line in zip(*entries, strict=True)]
    rows, columns = (range(lengths[size]) for size in expr.shape or (ONE, ONE))
    total = [[ring.constant(0) for _ in columns] for _ in rows]
    for term, coefficient in expr.terms.items():
        scalar = ring.constant(to_fmpq(evaluate_at(coefficient, sizes)))
        for trace in term.traces:
            square = _word(trace, factors)
            scalar = scalar * sum((square[i][i] for i in range(len(square))), ring.constant(0))
        word = _word(term.word, factors) if term.word else None
        for i, a in product(rows, columns):
            element = (ring.constant(int(i == a)) if word is None else word[i][a]) * scalar
            total[i][a] = total[i][a] + element
    rules = {f: (entry_moments or {}).get(f.rsplit("_", 2)[0], normal_moment) for f in sorted(names)}
    return [[_moment(element, list(rules.values())) for element in line] for line in total]


def _word(word: Word, factors: Mapping[tuple[str, bool], Polynomials]) -> Polynomials:
    result = factors[word[0].name, word[0].transposed]
    for name, transposed in word[1:]:
        result = _product(result, factors[name, transposed])
    return result


def _product(a: Polynomials, b: Polynomials) -> Polynomials:
    zero = a[0][0] * 0
    return [[sum((line[k] * b[k][j] for k in range(len(b))), zero) for j in range(len(b[0]))] for line in a]


def _moment(value: fmpq_mpoly, rules: Sequence[Moments]) -> Fraction:
    """The expectation of a polynomial in independent variables, each power by the rule of its variable."""
    total = fmpq(0)
    for exponents, number in value.terms():
        factor = Fraction(1)
        for rule, exponent in zip(rules, map(int, exponents), strict=True):
            factor = factor * rule(exponent) if exponent and factor else factor
        total += number * to_fmpq(factor)
    return to_fraction(total)


def letter_values(
    letters: Mapping[str, Letter], sizes: Mapping[str, int]
) -> tuple[dict[str, Table], dict[str, Table]]:
    """Fixed small integer matrices for deterministic letters and for the roots of covariances.

    No two letters get the same matrix, and none is symmetric that need not be.
    """
    lengths = {ONE: 1, **sizes}
    covariances = {x.covariance: x.columns for x in letters.values() if x.covariance is not None}
    roots, values = {}, {}
    for number, (name, size) in enumerate(sorted(covariances.items())):
        span = range(lengths[size])
        root = [[Fraction((number + i + 2 * a) % 3 + 1 if a <= i else 0) for a in span] for i in span]
        roots[name] = root
        values[name] = [
            [sum((root[i][k] * root[j][k] for k in span), Fraction(0)) for j in span] for i in span
        ]
    for number, (name, letter) in enumerate(sorted(letters.items())):
        if letter.random or letter.unit or name in values:
            continue
        rows, columns = range(lengths[letter.rows]), range(lengths[letter.columns])
        values[name] = [[_entry(number, i, a, letter.symmetric) for a in columns] for i in rows]
    return values, roots


def _entry(number: int, row: int, column: int, symmetric: bool) -> Fraction:
    low, high = (min(row, column), max(row, column)) if symmetric else (row, column)
    return Fraction((7 * number + 3 * low + 5 * high + 2 * low * high + 4) % 11 - 4)
