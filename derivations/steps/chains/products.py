"""Expressions term by term: by powers of names, as products of traces and a word, with names written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from operator import add, matmul
from typing import TypeAlias

import sympy
from flint import fmpq

from derivations.language.normal_form import to_sympy
from symbolic.algebra.coefficients import INVERSE, by_monomial, to_fraction
from symbolic.algebra.letters import ONE
from symbolic.algebra.readable import Term, Word
from symbolic.algebra.words import (
    Expression,
    constant,
    identity,
    letter_expression,
    matrix,
    polynomial,
    scalar,
    tr,
    zero,
)
from symbolic.proofs.asymptotics import Exponent

# what grows, and its power with the exponent delta, in what an order by degree leads to
SIZE, POWER_OF_SIZE = "xi", "xi_delta"
Part: TypeAlias = Expression | sympy.Basic
Powers: TypeAlias = tuple[tuple[str, int], ...]


def present(expr: Expression, values: Mapping[str, Expression]) -> dict[str, Expression]:
    """Of the values those whose names occur in an expression, as factors or as divisors."""
    known = {name.removeprefix(INVERSE) for name in expr.scalars()}
    return {name: value for name, value in values.items() if name in known}


def written(expr: Expression, names: Mapping[str, Part]) -> Part:
    """An expression with its abbreviations written out; a SymPy tree where one of them is divided by, or is one."""
    scalars = expr.scalars()
    used = {
        name: _closed(value, names) if isinstance(value, Expression) else value
        for name, value in names.items()
        if name in {*expr.letters(), *scalars} or INVERSE + name in scalars
    }
    plain = {name: value for name, value in used.items() if isinstance(value, Expression)}
    apart = [INVERSE + name for name in used if INVERSE + name in scalars]
    apart += [name for name in used if name not in plain]
    if not apart:
        return expr.replace(plain)
    total: list[sympy.Basic] = []  # of numbers or of matrices
    for powers, part in by_powers(expr, apart).items():
        outside = sympy.Integer(1)
        for name, power in zip(apart, powers, strict=True):
            sign = -1 if name.startswith(INVERSE) else 1
            outside = outside * to_sympy(used[name.removeprefix(INVERSE)]) ** (sign * power)
        if _length(part) > 1 or part.letters():
            inside = to_sympy(part.replace(plain))
        else:  # a single product stays one
            inside = to_sympy(part).subs({sympy.Symbol(x): to_sympy(value) for x, value in plain.items()})
        total.append(inside * outside)
    return reduce(add, total)


def _closed(value: Expression, names: Mapping[str, Part]) -> Expression:
    """What a name stands for without any of the names."""
    inside = {
        name: _closed(known, names)
        for name in value.scalars() & names.keys()
        if isinstance(known := names[name], Expression)
    }
    return value.replace(inside) if inside else value


def _length(expr: Expression) -> int:
    return sum(len(coefficient) for coefficient in expr.terms.values())


def degree_of_powers(expr: Expression) -> Exponent:
    """The exponent of a power of xi and of xi^delta; raises ValueError for anything else."""
    ((powers, one),) = by_powers(expr, [SIZE, INVERSE + SIZE, POWER_OF_SIZE, INVERSE + POWER_OF_SIZE]).items()
    if one != constant(1):
        raise ValueError(f"{expr} is no power of {SIZE}")
    above, below, with_delta, below_delta = powers
    return Exponent(Fraction(above - below), Fraction(with_delta - below_delta))


def by_powers(expr: Expression, names: Sequence[str]) -> dict[tuple[int, ...], Expression]:
    """The coefficients of products of powers of scalars (`1/h` is one of its own), by the powers."""
    found: dict[tuple[int, ...], Expression] = {}
    for term, coefficient in expr.terms.items():
        rest = product_of(expr, term)
        for of, part in by_monomial(coefficient, names).items():
            one, powers = polynomial(part) * rest, tuple(dict(of).get(name, 0) for name in names)
            found[powers] = found[powers] + one if powers in found else one
    return found


def sum_of_terms(terms: Mapping[Powers, fmpq]) -> Expression:
    """A polynomial from its terms, by the powers of names."""
    found = zero()
    for powers, number in terms.items():
        product = constant(to_fraction(number))
        for name, power in powers:
            product = product * scalar(name) ** power
        found = found + product
    return found


def in_place_of(trace: Expression, value: Expression, expr: Expression) -> Expression:
    """An expression with the trace of a word replaced by a scalar, wherever it occurs."""
    ((term, _),) = trace.terms.items()
    (word,) = term.traces
    found = zero(*expr.shape) if expr.shape else zero()
    for one, coefficient in expr.terms.items():
        others = tuple(other for other in one.traces if other != word)
        factor = value ** (len(one.traces) - len(others))
        found = found + polynomial(coefficient) * factor * product_of(expr, Term(others, one.word))
    return found


def product_of(like: Expression, term: Term) -> Expression:
    """The product of traces and a word that a term is, from the letters of an expression."""
    letters = {name: letter_expression(letter) for name, letter in like.letters().items()}

    def word(factors: Word) -> Expression:
        one, *rest = (letters[f.name].T if f.transposed else letters[f.name] for f in factors)
        return reduce(matmul, rest, one)

    found = constant(1)
    for trace in term.traces:
        found = found * tr(word(trace))
    if term.word is None:
        return found
    return found * (word(term.word) if term.word else identity((like.shape or (ONE,))[0]))


def abbreviation(name: str, dimension: str) -> Expression:
    """A symmetric matrix that is written by its name until the name is written out."""
    return matrix(name, dimension, dimension, symmetric=True)
