"""Coefficients that depend on the dimensions n and p alone: reading, factoring, evaluating, typesetting.

Moments of a Wishart matrix carry polynomials in n (``fmpz_poly``), polynomials in n and p, or exact rational
functions of n and p (`symbolic.algebra.quotients.Rational`) as coefficients.  Here all of them are one thing.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from flint import fmpq, fmpq_mpoly, fmpz_mpoly, fmpz_poly

from symbolic.algebra.coefficients import context, named_terms
from symbolic.algebra.quotients import Rational

Coefficient: TypeAlias = fmpz_poly | fmpz_mpoly | fmpq_mpoly | Rational
"""A function of n and p; an ``fmpz_poly`` is a polynomial in n."""


def as_rational(value: Coefficient) -> Rational:
    """The coefficient as an exact rational function of the generators ``n`` and ``p``."""
    if isinstance(value, Rational):
        return value
    if isinstance(value, fmpz_poly):
        ring = context(("n",))
        terms = {(k,): fmpq(c) for k, c in enumerate(value.coeffs()) if c}
        return Rational(ring.from_dict(terms), ring.constant(1), {})
    if isinstance(value, fmpz_mpoly):
        ring = context(map(str, value.context().names()))
        return Rational(ring.from_dict({e: fmpq(c) for e, c in value.terms()}), ring.constant(1), {})
    return Rational(value, value.context().constant(1), {})


def latex(value: Coefficient) -> str:
    """The factored coefficient as LaTeX; the constant 1 is the empty string and -1 is a bare minus sign."""
    constant, factors = as_rational(value).factored()
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
    texts: list[str] = []
    for exponents, coefficient in named_terms(polynomial):
        top, bottom = int(coefficient.p), int(coefficient.q)
        powers = [name if e == 1 else f"{name}^{{{e}}}" for name, e in exponents.items()]
        shown = [] if abs(top) == bottom == 1 and powers else [_number(abs(top), bottom)]
        sign = "-" if top < 0 else "+" if texts else ""
        texts.append((f" {sign} " if texts else sign) + " ".join(shown + powers))
    return "".join(texts) or "0"


def _number(top: int, bottom: int) -> str:
    return str(top) if bottom == 1 else rf"\frac{{{top}}}{{{bottom}}}"
