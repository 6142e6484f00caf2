"""Expectations at numerical sizes from the moments of single entries.

Neither pairings nor integration by parts: a Gaussian matrix is written out, X = Z L^T with independent
standard normal entries of Z and covariance L L^T, and the expression becomes an ordinary polynomial, whose
monomials have known expectations. Where X occurs in products X^T X only, the variables are the entries of
Z^T Z (`symbolic.checks.gram_moments`), and the number of rows costs nothing; elsewhere they are the entries of Z.
With other moments of an entry it is the oracle for other laws of independent entries: it knows neither
cumulants nor networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial, reduce
from operator import add
from typing import Any

from flint import fmpq, fmpq_mpoly

from symbolic.algebra.coefficients import evaluate_at, to_fmpq
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Word
from symbolic.checks.entry_products import (
    EntryProducts,
    Factor,
    Polynomials,
    Product,
    Source,
    Table,
    generators,
)
from symbolic.checks.gram_moments import Moments, gram_moments, normal_moment, pairs
from symbolic.checks.joint_moments import JointLaw, JointMoments

Keys = tuple[tuple[str, Any], ...]
"""A word of factors (name, transposed); a product X^T X is (X, None)."""


def expect_by_entries(
    expr: Expression,
    sizes: Mapping[str, int],
    values: Mapping[str, Table],
    roots: Mapping[str, Table],
    entry_moments: Mapping[str, Moments] | None = None,
    joint: Mapping[str, JointLaw] | None = None,
) -> list[list[Fraction]]:
    """The expectation of ``expr`` over all its random letters, at ``sizes``; a scalar as a 1 x 1 matrix.

    ``values`` gives the deterministic letters, ``roots`` a matrix L for each covariance L L^T. Scalars that
    are no sizes must have been replaced by numbers. ``entry_moments`` gives, for random letters whose entries
    of Z have another law than the normal, the rule for E z^k; a covariance then has its symmetric root. ``joint`` gives the
    means and covariances of random letters whose entries are the variables themselves.
    """
    products = _products(expr, sizes, values, roots, entry_moments or {}, joint or {})
    lengths = {ONE: 1, **sizes}
    rows, columns = (lengths[size] for size in expr.shape or (ONE, ONE))
    return products.expectation(_terms(expr, sizes, frozenset(joint or ())), (rows, columns))


def cost_by_entries(
    expr: Expression,
    sizes: Mapping[str, int],
    values: Mapping[str, Table],
    roots: Mapping[str, Table],
    joint: Mapping[str, JointLaw] | None = None,
) -> int:
    """About how many terms of polynomials `expect_by_entries` multiplies."""
    # it depends on no coefficient
    written = _written(expr, frozenset(joint or ()))
    terms = (Product(Fraction(1), traces, word) for _, traces, word in written)
    return _products(expr, sizes, values, roots, {}, joint or {}).cost(terms)


@lru_cache(maxsize=64)
def gram_letters(expr: Expression) -> frozenset[str]:
    """The random letters X that occur in products X^T X only."""
    names = {name for name, letter in expr.letters().items() if letter.random}
    for term in expr.terms:
        for word, closed in [*((trace, True) for trace in term.traces), (term.word or (), False)]:
            names -= {name for name, transposed in _paired(word, names, closed) if transposed is not None}
    return frozenset(names)


def _paired(word: Word, names: frozenset[str] | set[str], closed: bool) -> Keys:
    """A word with products X^T X in one; a closed word may be turned so that none is cut."""
    factors = [(name, transposed) for name, transposed in word]
    if closed and factors and factors[0][0] in names and factors[-1] == (factors[0][0], True):
        factors = [factors[-1], *factors[:-1]]
    found: list[tuple[str, Any]] = []
    for name, transposed in factors:
        if found and name in names and not transposed and found[-1] == (name, True):
            found[-1] = name, None
        else:
            found.append((name, transposed))
    return tuple(found)


def _terms(expr: Expression, sizes: Mapping[str, int], joint: frozenset[str]) -> list[Product]:
    return [
        Product(evaluate_at(coefficient, sizes), traces, word)
        for coefficient, traces, word in _written(expr, joint)
    ]


@lru_cache(maxsize=64)
def _written(
    expr: Expression, joint: frozenset[str]
) -> tuple[tuple[fmpq_mpoly, tuple[Keys, ...], Keys | None], ...]:
    """The terms, their words by keys: an expression is looked at for its cost and its mean, at size after size."""
    paired = gram_letters(expr) - joint
    return tuple(
        (
            coefficient,
            tuple(_paired(trace, paired, closed=True) for trace in term.traces),
            None if term.word is None else _paired(term.word, paired, closed=False),
        )
        for term, coefficient in expr.terms.items()
    )


def _products(
    expr: Expression,
    sizes: Mapping[str, int],
    values: Mapping[str, Table],
    roots: Mapping[str, Table],
    entry_moments: Mapping[str, Moments],
    joint: Mapping[str, JointLaw],
) -> EntryProducts:
    """The factors of an expression by keys, and where their entries come from."""
    known = expr.letters()
    lengths = {ONE: 1, **sizes}
    paired = gram_letters(expr) - joint.keys()
    sources: dict[str, Source] = {}
    for name, letter in known.items():
        if letter.random:
            rows, columns = lengths[letter.rows], lengths[letter.columns]
            law = entry_moments.get(name)
            places = pairs(columns)
            moment: Callable[[tuple[int, ...]], Fraction] = gram_moments(rows, columns, law)
            if name not in paired:
                places = tuple((i, a) for i in range(rows) for a in range(columns))
                moment = partial(_independent, law or normal_moment)
            if name in joint:
                moment = JointMoments(joint[name])
            sources[name] = Source(tuple(f"{name}_{i}_{a}" for i, a in places), moment)
    variables = generators(sources)
    factors: dict[tuple[str, Any], Factor] = {}
    for name, letter in known.items():
        rows, columns = lengths[letter.rows], lengths[letter.columns]
        root = None
        if letter.covariance is not None and name not in joint:
            root = _exact(roots[letter.covariance])
        if name in paired:
            gram: Polynomials = [[variables[name][0]] * columns for _ in range(columns)]
            for (i, j), variable in zip(pairs(columns), variables[name], strict=True):
                gram[i][j] = gram[j][i] = variable
            if root is not None:
                gram = _product(_product(root, gram), _transposed(root))
            factors[name, None] = Factor(gram, name)
            continue
        if letter.random:
            plain = [list(variables[name][i * columns : (i + 1) * columns]) for i in range(rows)]
            entries = plain if root is None else _product(plain, _transposed(root))
        elif letter.unit:
            entries = [[Fraction(i + 1 == letter.unit)] for i in range(rows)]
        else:
            entries = values[name]
        source = name if letter.random else None
        factors[name, False] = Factor(entries, source)
        factors[name, True] = Factor(_transposed(entries), source)
    return EntryProducts(sources, factors)


def _independent(rule: Moments, exponents: Sequence[int]) -> Fraction:
    """The expectation of a monomial in independent variables of one law."""
    result = Fraction(1)
    for exponent in exponents:
        if exponent and result:
            result *= Fraction(rule(exponent))
    return result


def _exact(rows: Table) -> list[list[fmpq]]:
    return [[to_fmpq(x) for x in line] for line in rows]


def _transposed(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(line) for line in zip(*rows, strict=True)]


def _product(a: Sequence[Sequence[Any]], b: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """A product of a matrix of polynomials and one of numbers, in either order."""
    columns = list(zip(*b, strict=True))
    return [
        [reduce(add, (x * y for x, y in zip(line, column, strict=True))) for column in columns] for line in a
    ]


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
