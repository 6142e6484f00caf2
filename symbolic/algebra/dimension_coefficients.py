"""Coefficients that depend on the dimensions n and p alone: reading, factoring, evaluating, typesetting.

Moments of a Wishart matrix carry polynomials in n (``fmpz_poly``), polynomials in n and p, or exact rational
functions of n and p (`symbolic.algebra.quotients.Rational`) as coefficients.  Here all of them are one thing.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

import sympy
from flint import fmpq, fmpq_mpoly, fmpz_mpoly, fmpz_poly

from symbolic.algebra.quotients import Rational, context

Coefficient: TypeAlias = fmpz_poly | fmpz_mpoly | fmpq_mpoly | Rational
"""A function of n and p; an ``fmpz_poly`` is a polynomial in n."""


class Factored(NamedTuple):
    """A function as a number times powers of irreducible polynomials (negative powers in the denominator)."""

    constant: Fraction
    factors: tuple[tuple[fmpq_mpoly, int], ...]


def as_rational(value: Coefficient) -> Rational:
    """The coefficient as an exact rational function of the generators ``n`` and ``p``."""
    if isinstance(value, Rational):
        return value
    if isinstance(value, fmpz_poly):
        ring = context(("n",))
        terms = {(k,): fmpq(c) for k, c in enumerate(value.coeffs()) if c}
        return Rational(ring.from_dict(terms), ring.constant(1), {})
    if isinstance(value, fmpz_mpoly):
        ring = context(str(name) for name in value.context().names())
        return Rational(ring.from_dict({e: fmpq(c) for e, c in value.terms()}), ring.constant(1), {})
    return Rational(value, value.context().constant(1), {})


def factored(value: Coefficient) -> Factored:
    """The factorisation over the rationals, simple factors first."""
    function = as_rational(value)
    top, upper = function.numerator.factor()
    bottom, lower = function.denominator.factor()
    constant = Fraction(int(top.p), int(top.q)) / Fraction(int(bottom.p), int(bottom.q))
    factors = [(base, int(power)) for base, power in upper] + [(base, -int(power)) for base, power in lower]
    return Factored(constant, tuple(sorted(factors, key=lambda factor: (len(factor[0]), str(factor[0])))))


def at(value: Coefficient, n: int, p: int) -> Fraction:
    """The exact value; raises ZeroDivisionError on a pole."""
    return as_rational(value).at({"n": Fraction(n), "p": Fraction(p)})


def to_sympy(value: Coefficient, symbols: Mapping[str, sympy.Expr] | None = None) -> sympy.Expr:
    """The coefficient as a factored SymPy expression in ``symbols["n"]`` and ``symbols["p"]``.

    Names without an entry become plain symbols of that name.
    """
    constant, factors = factored(value)
    given = symbols or {}
    return sympy.Mul(
        sympy.Rational(constant.numerator, constant.denominator),
        *(_polynomial(base, given) ** power for base, power in factors),
    )


def _polynomial(polynomial: fmpq_mpoly, symbols: Mapping[str, sympy.Expr]) -> sympy.Expr:
    names = [str(name) for name in polynomial.context().names()]
    generators = [symbols.get(name, sympy.Symbol(name)) for name in names]
    return sympy.Add(
        *(
            sympy.Mul(
                sympy.Rational(int(coefficient.p), int(coefficient.q)),
                *(g ** int(e) for g, e in zip(generators, exponents, strict=True)),
            )
            for exponents, coefficient in polynomial.terms()
        )
    )


def latex(value: Coefficient) -> str:
    """The factored coefficient as LaTeX; the constant 1 is the empty string and -1 is a bare minus sign."""
    constant, factors = factored(value)
    upper = [(base, power) for base, power in factors if power > 0]
    lower = [(base, -power) for base, power in factors if power < 0]
    sign = "-" if constant < 0 else ""
    if not lower and constant.denominator == 1:
        return sign + _product(abs(constant.numerator), upper)
    top, bottom = _alone(abs(constant.numerator), upper), _alone(constant.denominator, lower)
    return rf"{sign}\frac{{{top}}}{{{bottom}}}"


def _alone(number: int, factors: Sequence[tuple[fmpq_mpoly, int]]) -> str:
    """A product that stands by itself: a single sum needs no parentheses, an empty product is 1."""
    if number == 1 and len(factors) == 1 and factors[0][1] == 1:
        return polynomial_latex(factors[0][0])
    return _product(number, factors) or "1"


def _product(number: int, factors: Iterable[tuple[fmpq_mpoly, int]]) -> str:
    parts = [str(number)] if number != 1 else []
    for base, power in factors:
        text = polynomial_latex(base)
        exponent = f"^{{{power}}}" if power > 1 else ""
        parts.append((f"({text})" if len(base) > 1 else text) + exponent)
    return " ".join(parts)


def polynomial_latex(polynomial: fmpq_mpoly) -> str:
    """A polynomial as LaTeX, highest terms first."""
    names = [str(name) for name in polynomial.context().names()]
    texts: list[str] = []
    for exponents, coefficient in polynomial.terms():
        top, bottom = int(coefficient.p), int(coefficient.q)
        powers = [
            name if exponent == 1 else f"{name}^{{{exponent}}}"
            for name, exponent in zip(names, map(int, exponents), strict=True)
            if exponent
        ]
        shown = [] if abs(top) == bottom == 1 and powers else [_number(abs(top), bottom)]
        sign = "-" if top < 0 else "+" if texts else ""
        texts.append((f" {sign} " if texts else sign) + " ".join(shown + powers))
    return "".join(texts) or "0"


def _number(top: int, bottom: int) -> str:
    return str(top) if bottom == 1 else rf"\frac{{{top}}}{{{bottom}}}"
