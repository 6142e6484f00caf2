"""Flint polynomials in several named variables: signs of coefficients, and Horner's form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sympy
from flint import fmpq_mpoly

from symbolic.algebra import coefficients
from symbolic.algebra.coefficients import Powers, names_in, names_of
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import number_to_sympy


def by_monomial(value: Rational, weights: Collection[str]) -> dict[Powers, Rational]:
    """The coefficients of the monomials in the weights; one entry when the denominator contains a weight."""
    if names_in(value.denominator) & set(weights):
        return {(): value}
    denominator = Rational.polynomial(value.denominator)
    parts = coefficients.by_monomial(value.numerator, weights)
    return {monomial: Rational.polynomial(part) / denominator for monomial, part in parts.items()}


def common_sign(poly: fmpq_mpoly) -> int:
    """The sign that all coefficients have, or 0."""
    signs = {1 if c > 0 else -1 for c in poly.coeffs()}
    return signs.pop() if len(signs) == 1 else 0


def shifted_by_one(poly: fmpq_mpoly, names: Iterable[str]) -> fmpq_mpoly:
    """The polynomial with x + 1 in place of each named x."""
    ring = poly.context()
    moved = set(names)
    images = [g + 1 if n in moved else g for n, g in zip(names_of(ring), ring.gens(), strict=True)]
    return poly.compose(*images, ctx=ring)


def nested(poly: fmpq_mpoly, symbols: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """A polynomial in Horner's form, which keeps the signs of all terms and needs few products."""
    names = names_of(poly.context())
    terms = {tuple(map(int, exponents)): number_to_sympy(c) for exponents, c in poly.terms()}
    return _nest(terms, [symbols.get(name, sympy.Symbol(name)) for name in names])


def _nest(terms: Mapping[tuple[int, ...], sympy.Rational], symbols: list[sympy.Symbol]) -> sympy.Expr:
    counts = [sum(exponents[k] > 0 for exponents in terms) for k in range(len(symbols))]
    most = max(counts, default=0)
    if most < 2:
        return sympy.Add(
            *(c * sympy.Mul(*(s**e for s, e in zip(symbols, es, strict=True))) for es, c in terms.items())
        )
    k = counts.index(most)
    lowest = min(exponents[k] for exponents in terms if exponents[k])
    inside, outside = {}, {}
    for exponents, c in terms.items():
        if exponents[k]:
            inside[(*exponents[:k], exponents[k] - lowest, *exponents[k + 1 :])] = c
        else:
            outside[exponents] = c
    rest = _nest(outside, symbols) if outside else sympy.Integer(0)
    return symbols[k] ** lowest * _nest(inside, symbols) + rest
