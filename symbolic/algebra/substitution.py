"""Substitution: letters and scalars by name, and subwords by rewriting rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from flint import fmpq_mpoly

from symbolic.algebra import canonical, coefficients, letters, terms
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import INVERSE, NUMBERS
from symbolic.algebra.letters import ONE, Letter, column_dimension, row_dimension
from symbolic.algebra.terms import Terms

if TYPE_CHECKING:
    from symbolic.algebra.expression import Expression

REWRITE_LIMIT = 100_000
"""Rewriting steps after which a set of rules is taken not to come to an end."""

Substituted = tuple[Terms, frozenset[int]]
"""New terms and the letters they may use."""


def replace(expr: Expression, values: Mapping[str, Expression]) -> Substituted:
    """The terms of ``expr`` with letters and scalars replaced by expressions, all at once.

    A letter takes an expression of its own shape, symmetric if the letter is, or zero; a scalar or dimension
    takes a scalar expression, and ``1/x`` follows ``x``. Names that do not occur are
    ignored. The covariance of a random letter that is still there can become the identity or another letter.
    Raises ValueError when a shape, the symmetry or a covariance does not fit.
    """
    images: dict[str, Terms] = {}
    used: frozenset[int] = frozenset()
    for letter in expr.letters().values():
        image, indices = _image(letter, values)
        character = chr(2 * letters.index_of(letter))
        images[character] = image
        if not letter.symmetric:
            images[canonical.transpose(character)] = terms.transpose(image)
        used = letters.merge_alphabets(used, indices)
    scalars = {name: value for name, value in values.items() if value.is_scalar}
    for name in {name.removeprefix(INVERSE) for name in expr.scalars()} & (values.keys() - scalars.keys()):
        if name not in expr.letters():
            raise ValueError(f"{name} is a scalar and cannot become a matrix: give a scalar expression")
    for name in expr.scalars() & scalars.keys():
        used = letters.merge_alphabets(used, scalars[name].letter_indices)
    total: dict[Monomial, fmpq_mpoly] = {}
    for (traces, word), value in expr.monomials.items():
        factors = [_coefficient(value, scalars)]
        factors += [terms.trace(_word(trace, images), row_dimension(trace[0])) for trace in traces]
        if word is not None:
            factors.append(_word(word, images) if word else {((), ""): NUMBERS.constant(1)})
        for key, term in terms.product(factors).items():
            terms.accumulate(total, key, term)
    return total, used


def _image(letter: Letter, values: Mapping[str, Expression]) -> Substituted:
    """What a letter becomes: terms with an open word (also for a 1 x 1 letter), and the letters in them."""
    if letter.name in values:
        value = values[letter.name]
        if value.is_zero:
            return {}, frozenset()
        if (value.shape or (ONE, ONE)) != (letter.rows, letter.columns):
            shape = "a scalar" if value.shape is None else " x ".join(value.shape)
            raise ValueError(
                f"{letter.name} is {letter.rows} x {letter.columns} and cannot become {shape}: match it"
            )
        if letter.symmetric and value != value.T:
            raise ValueError(f"{letter.name} is symmetric: replace it by a symmetric expression")
        return {
            (traces, word or ""): c for (traces, word), c in value.monomials.items()
        }, value.letter_indices
    if letter.covariance is not None and letter.covariance in values:
        letter = _with_covariance(letter, values[letter.covariance])
    index = letters.index_of(letter)
    word = chr(2 * index)
    split = canonical.opened(word, letter.rows == ONE, letter.columns == ONE) or ((), word)
    return {split: NUMBERS.constant(1)}, frozenset((index,))


def _with_covariance(letter: Letter, value: Expression) -> Letter:
    monomials = dict(value.monomials)
    if [*monomials] == [((), "")] and monomials[(), ""].is_one():
        covariance = None
    else:
        named = [letters.letter_of(word) for _, word in monomials if word is not None and len(word) == 1]
        if [x.is_one() for x in monomials.values()] != [True] or not named or not named[0].symmetric:
            raise ValueError(
                f"{letter.covariance} is the covariance of the random {letter.name} and can only become "
                "the identity or another symmetric letter: take the expectation first"
            )
        covariance = named[0].name
    return dataclasses.replace(letter, covariance=covariance)


def _word(word: str, images: Mapping[str, Terms]) -> Terms:
    """The matrix product of the images of a word's factors."""
    rows = row_dimension(word[0])
    result = images[word[0]]
    for character in word[1:]:
        result = _joined(result, images[character], rows, column_dimension(character))
    return result


def _joined(first: Terms, second: Terms, rows: str, columns: str) -> Terms:
    """The product of open words; what is 1 x 1 keeps an empty open word, so that it can be multiplied on."""
    joined = terms.concatenate(first, second, rows, columns)
    return {(traces, word or ""): value for (traces, word), value in joined.items()}


def _coefficient(value: fmpq_mpoly, scalars: Mapping[str, Expression]) -> Terms:
    """A coefficient after the scalars in it are replaced."""
    plain = {
        name: image.coefficient() for name, image in scalars.items() if image.monomials.keys() <= {((), None)}
    }
    value = coefficients.substitute(value, plain)
    involved = [name for name in scalars if name not in plain and name in coefficients.names_in(value)]
    for name in scalars.keys() - plain.keys():
        if INVERSE + name in coefficients.names_in(value):
            raise ValueError(f"{INVERSE}{name} has no value when {name} becomes a trace: replace it as well")
    if not involved:
        return {((), None): value} if value else {}
    total: Terms = {}
    names = coefficients.names_of(value.context())
    for exponents, number in value.terms():
        powers = {name: int(e) for name, e in zip(names, exponents, strict=True)}
        rest = tuple(0 if name in involved else e for name, e in powers.items())
        term: Terms = {((), None): value.context().from_dict({rest: number})}
        for name in involved:
            term = terms.product([term, *[scalars[name].monomials] * powers[name]])
        total = terms.add(total, term)
    return total


def rewrite(expr: Expression, rules: Mapping[tuple[tuple[str, bool], ...], Expression]) -> Substituted:
    """The terms of ``expr`` with every occurrence of a rule's subword replaced until none is left.

    A rule maps a word, ``(("B", False), ("B", True), ("G", False))``, to an expression of its shape. It
    applies inside open words, cyclically in traces, and transposed. A rule whose letters do not occur is
    ignored.
    Raises ValueError when a rule's word or shape does not fit, or the rules do not come to an end.
    """
    known = dict(expr.letters())
    used = expr.letter_indices
    for value in rules.values():
        known.update(value.letters())
        used = letters.merge_alphabets(used, value.letter_indices)
    coded: list[tuple[str, Terms]] = []
    for pattern, value in rules.items():
        if not pattern:
            raise ValueError("a rewriting rule needs at least one letter on its left side")
        if all(name in known for name, _ in pattern):
            word = "".join(_character(known[name], transposed) for name, transposed in pattern)
            coded.extend(_both_ways(word, value))
    total: dict[Monomial, fmpq_mpoly] = {}
    pending = dict(expr.monomials)
    steps = 0
    while pending:
        key, number = pending.popitem()
        changed = _rewritten(key, coded)
        if changed is None:
            terms.accumulate(total, key, number)
            continue
        steps += 1
        if steps > REWRITE_LIMIT:
            raise ValueError("the rewriting rules do not come to an end: a right side contains its left side")
        for new_key, term in terms.scale(changed, number).items():
            terms.accumulate(pending, new_key, term)
    return total, used


def _character(letter: Letter, transposed: bool) -> str:
    straight = chr(2 * letters.index_of(letter))
    return canonical.transpose(straight) if transposed else straight


def _both_ways(word: str, value: Expression) -> list[tuple[str, Terms]]:
    """A rule and its transpose, after checking the shapes."""
    for left, right in pairwise(word):
        if column_dimension(left) != row_dimension(right):
            raise ValueError(
                f"a rewriting rule multiplies {column_dimension(left)} columns by {row_dimension(right)} rows"
            )
    shape = row_dimension(word[0]), column_dimension(word[-1])
    if not value.is_zero and (value.shape or (ONE, ONE)) != shape:
        raise ValueError(f"a rewriting rule replaces a word of shape {' x '.join(shape)}: match the shape")
    image: Terms = {(traces, found or ""): c for (traces, found), c in value.monomials.items()}
    reverse = canonical.transpose(word)
    return [(word, image)] if reverse == word else [(word, image), (reverse, terms.transpose(image))]


def _rewritten(key: Monomial, rules: list[tuple[str, Terms]]) -> Terms | None:
    """One rule applied once to a monomial, or None when none applies."""
    traces, word = key
    for pattern, image in rules:
        for position, trace in enumerate(traces):
            start = (trace + trace).find(pattern)
            if start >= 0 and len(pattern) <= len(trace):
                rest = (trace + trace)[start + len(pattern) : start + len(trace)]
                size = row_dimension(pattern[0])
                cycle = terms.trace(_around(image, "", rest, size, size), size)
                others: Terms = {(traces[:position] + traces[position + 1 :], word): NUMBERS.constant(1)}
                return terms.multiply(others, cycle)
        start = word.find(pattern) if word else -1
        if word and start >= 0:
            rows, columns = row_dimension(word[0]), column_dimension(word[-1])
            opened = _around(image, word[:start], word[start + len(pattern) :], rows, columns)
            return terms.multiply({(traces, None): NUMBERS.constant(1)}, opened)
    return None


def _around(image: Terms, before: str, after: str, rows: str, columns: str) -> Terms:
    unit = NUMBERS.constant(1)
    middle = row_dimension(after[0]) if after else columns
    left = _joined({((), before): unit}, image, rows, middle)
    return _joined(left, {((), after): unit}, rows, columns)
