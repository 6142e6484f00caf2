"""The number, or the matrix, that a trace polynomial is when all its letters and dimensions have values."""

from __future__ import annotations

import math
from fractions import Fraction

from flint import fmpq

from symbolic.query.moment_matrices import Matrices
from symbolic.wishart.fixed_letters import Word
from symbolic.wishart.trace_polynomial import TracePolynomial

Shown = str | float | list[list[str]] | list[list[float]]
"""Exact numbers as text (``"3/2"``), floats as numbers; a matrix as its rows."""

MAX_SIZE = 500
"""Largest p for which a p x p result is written out."""

MAX_EXACT_WORK = 100_000_000
"""Most multiplications of integers for a value in exact arithmetic."""

MAX_FLOAT_WORK = 50_000_000_000
"""Most multiplications for a value in floating point."""


def evaluate(polynomial: TracePolynomial, matrices: Matrices) -> Shown:
    """The value of a polynomial without dimensions in its coefficients.

    Raises ValueError when the work or the result is too large (the message names the limit), when a singular
    Sigma is inverted, or when floats overflow.
    """
    if polynomial.is_matrix and matrices.size > MAX_SIZE:
        raise ValueError(
            f"the result has {matrices.size} x {matrices.size} elements and is written out up to "
            f"{MAX_SIZE} x {MAX_SIZE}: ask for its trace"
        )
    _check_work(polynomial, matrices)
    traced = {word for monomial in polynomial.terms for word in monomial.traces}
    traces = {word: matrices.trace(product) for word, product in matrices.products(traced)}
    factors: dict[Word | None, Fraction | float] = {}
    for monomial, coefficient in polynomial.terms.items():
        number = coefficient.at({})
        factor = number if matrices.is_exact else _as_float(number)
        for word in monomial.traces:
            factor = factor * traces[word]
        factors[monomial.word] = factors.get(monomial.word, 0) + factor
    if not polynomial.is_matrix:
        scalar = factors.get(None, 0)
        return str(scalar) if matrices.is_exact else _finite(float(scalar))
    total = matrices.identity() * 0
    for word, product in matrices.products(word for word in factors if word is not None):
        factor = factors[word]
        exact = fmpq(factor.numerator, factor.denominator) if isinstance(factor, int | Fraction) else factor
        total = total + product * exact
    rows = matrices.rows(total)
    if matrices.is_exact:
        return [[str(x) for x in row] for row in rows]
    return [[_finite(x) for x in row] for row in rows]


def _check_work(polynomial: TracePolynomial, matrices: Matrices) -> None:
    products: set[Word] = set()
    for monomial in polynomial.terms:
        for word in monomial.words:
            products.update(word[:stop] for stop in range(2, len(word) + 1))
    work = len(products) * matrices.size**3
    limit = MAX_EXACT_WORK if matrices.is_exact else MAX_FLOAT_WORK
    if work > limit:
        remedy = "give arrays of floats" if matrices.is_exact else "take smaller matrices"
        raise ValueError(f"the value takes {work:.0e} multiplications and the limit is {limit:.0e}: {remedy}")


def _as_float(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ValueError("a coefficient is too large for floats: give integers or fractions") from None


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(
            "the value is too large for floats: give integers or fractions, or scale the matrices"
        )
    return number
