"""Trace polynomials as text in the grammar of queries, and as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import gcd, lcm
from typing import Any

from flint import fmpq, fmpq_mpoly

from symbolic.algebra.coefficients import named_terms
from symbolic.algebra.quotients import Rational
from symbolic.wishart.fixed_letters import (
    TRANSPOSED,
    Word,
    element,
    indices_of,
    is_covariance,
    is_vector,
    powers,
)
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial, row_first

FACTORED_TERMS = 40
FACTORED_DEGREE = 14
"""Polynomials with more terms or a higher degree are typeset expanded: factoring them takes seconds."""

REMEMBERED_TERMS = 4
"""Numerators with at most this number of terms are typeset once in a sum."""

_NUMBERED = re.compile(r"\bn(\d+)")


def word_text(word: Word) -> str:
    """A word as ``W A'^2 W^-1``; the empty word is ``I``."""
    shown = [factor if count == 1 else f"{factor}^{count}" for factor, count in powers(word)]
    return " ".join(shown) or "I"


def trace_text(word: Word) -> str:
    """A trace as ``tr(W A)``, or the element that it is as ``(W A)[1,2]``."""
    found = element(word)
    if found is None and any(map(is_vector, word)):
        return f"({word_text(row_first(word))})"
    if found is None:
        return f"tr({word_text(word)})"
    inner, row, column = found
    text = word_text(inner)
    return f"{f'({text})' if len(inner) > 1 else text}[{row},{column}]"


def monomial_text(monomial: Monomial) -> str:
    """A product of traces and a word as ``tr(W)^2 W A``, sums over indices in brackets; the empty product is ``1``."""
    shown = []
    for word in dict.fromkeys(monomial.traces):
        count = monomial.traces.count(word)
        shown.append(trace_text(word) + (f"^{count}" if count > 1 else ""))
    shown += [f"[{x.text}]" for x in monomial.sums]
    if monomial.matrix is not None:
        shown.append(monomial.matrix.text)
    if monomial.word is not None:
        shown.append(word_text(monomial.word))
    return " ".join(shown) or "1"


def coefficient_text(value: Rational) -> str:
    """A coefficient as ``n^2 + n*p`` or ``(n + 1)/(n - p)``, in a normal form."""
    top, bottom = normal_form(value)
    if bottom.is_one():
        return str(top)
    return f"{_enclosed(str(top))}/{_enclosed(str(bottom))}"


def _enclosed(text: str) -> str:
    return f"({text})" if {*" */"} & {*text} else text


def polynomial_text(polynomial: TracePolynomial) -> str:
    """A sum as text that reads as a query again, where it has no sums over indices."""
    text = ""
    for monomial, value in polynomial.sorted_terms:
        coefficient, product = coefficient_text(value), monomial_text(monomial)
        sign = " + " if text else ""
        if len(value.numerator) > 1 or not value.denominator.is_constant():
            coefficient = f"({coefficient})"
        elif coefficient.startswith("-"):
            sign, coefficient = (" - " if text else "-"), coefficient[1:]
        shown = [part for part in (coefficient, product) if part != "1"]
        text += sign + (" ".join(shown) or "1")
    return text or ("0 I" if polynomial.is_matrix else "0")


def polynomial_terms(polynomial: TracePolynomial) -> list[dict[str, Any]]:
    """A sum as data: the texts of coefficient, word (None in a scalar) and traces (with repetition) of each term.

    Terms with sums over indices have ``sums`` and, for a matrix of them, ``matrix``.
    """
    shown = []
    for monomial, value in polynomial.sorted_terms:
        data: dict[str, Any] = {
            "coefficient": coefficient_text(value),
            "word": None if monomial.word is None else word_text(monomial.word),
            "traces": [word_text(trace) for trace in monomial.traces],
        }
        if monomial.index_sums:
            data["sums"] = [f"[{x.text}]" for x in monomial.sums]
        if monomial.matrix is not None:
            data["matrix"] = monomial.matrix.text
        shown.append(data)
    return shown


def normal_form(value: Rational) -> tuple[fmpq_mpoly, fmpq_mpoly]:
    """Numerator and denominator of a reduced coefficient: the denominator is primitive with a positive lead.

    A numerical denominator stays in the numerator, as fractions.
    """
    top, bottom = value.numerator, value.denominator
    contents = bottom.coeffs()
    above, below = gcd(*(int(c.p) for c in contents)), lcm(*(int(c.q) for c in contents))
    content = fmpq(above, below) * (-1 if contents[0] < 0 else 1)
    return top / content, bottom / content


def word_latex(word: Word) -> str:
    """A word as LaTeX; the empty word is ``I``."""
    return r" \, ".join(_power_latex(factor, count) for factor, count in powers(word)) or "I"


def _power_latex(factor: str, count: int) -> str:
    name = factor.removesuffix(TRANSPOSED)
    if place := indices_of(factor):
        shown = "e_{{{}}} e_{{{}}}^{{T}}".format(*place)
        return shown if count == 1 else f"({shown})^{{{count}}}"
    if name == "Sigma^(1/2)":
        return r"\Sigma^{1/2}" if count == 1 else rf"\Sigma^{{{count}/2}}"
    shown = (
        r"\Sigma" + (f"_{{{name[5:]}}}" if name[5:] else "")
        if is_covariance(name)
        else name
        if len(name) == 1
        else f"{name[0]}_{{{name[1:]}}}"
    )
    if name != factor:
        shown = f"{shown}^{{T}}" if count == 1 else f"({shown}^{{T}})"
    return shown if count == 1 else f"{shown}^{{{count}}}"


def coefficient_latex(value: Rational) -> str:
    """A coefficient as LaTeX, factored where that is quick; 1 is the empty string and -1 a minus sign."""
    top, bottom = value.numerator, value.denominator
    if max(len(top), len(bottom)) <= FACTORED_TERMS and max(_degree(top), _degree(bottom)) <= FACTORED_DEGREE:
        text = factored_latex(value)
    else:
        top, bottom = normal_form(value)
        text = flat_latex(top)
        text = rf"\left({text}\right)" if bottom.is_one() else rf"\frac{{{text}}}{{{flat_latex(bottom)}}}"
    return text


def factored_latex(value: Rational) -> str:
    """The factored coefficient as LaTeX; the constant 1 is the empty string and -1 is a bare minus sign."""
    constant, factors = value.factored()
    upper = [(base, power) for base, power in factors if power > 0]
    lower = [(base, -power) for base, power in factors if power < 0]
    sign = "-" if constant < 0 else ""
    if not lower and constant.denominator == 1:
        return sign + _factors_latex(abs(constant.numerator), upper)
    top, bottom = _alone_latex(abs(constant.numerator), upper), _alone_latex(constant.denominator, lower)
    return rf"{sign}\frac{{{top}}}{{{bottom}}}"


def _alone_latex(number: int, factors: Sequence[tuple[fmpq_mpoly, int]]) -> str:
    """A product that stands by itself: a single sum needs no parentheses, an empty product is 1."""
    if number == 1 and len(factors) == 1 and factors[0][1] == 1:
        return flat_latex(factors[0][0])
    return _factors_latex(number, factors) or "1"


def _factors_latex(number: int, factors: Iterable[tuple[fmpq_mpoly, int]]) -> str:
    parts = [str(number)] if number != 1 else []
    for base, power in factors:
        text = flat_latex(base)
        exponent = f"^{{{power}}}" if power > 1 else ""
        parts.append((f"({text})" if len(base) > 1 else text) + exponent)
    return " ".join(parts)


def flat_latex(polynomial: fmpq_mpoly) -> str:
    """A polynomial as LaTeX, highest terms first."""
    texts: list[str] = []
    for exponents, coefficient in named_terms(polynomial):
        top, bottom = int(coefficient.p), int(coefficient.q)
        powers = [_raised_latex(name, e) for name, e in exponents.items()]
        shown = [] if abs(top) == bottom == 1 and powers else [_number_latex(abs(top), bottom)]
        sign = "-" if top < 0 else "+" if texts else ""
        texts.append((f" {sign} " if texts else sign) + " ".join(shown + powers))
    return "".join(texts) or "0"


@lru_cache(maxsize=4096)
def _raised_latex(name: str, exponent: int) -> str:
    shown = _NUMBERED.sub(r"n_{\1}", name)
    return shown if exponent == 1 else f"{shown}^{{{exponent}}}"


def _number_latex(top: int, bottom: int) -> str:
    return str(top) if bottom == 1 else rf"\frac{{{top}}}{{{bottom}}}"


def _degree(polynomial: fmpq_mpoly) -> int:
    return int(polynomial.total_degree())


def _trace_latex(word: Word) -> str:
    found = element(word)
    if found is None and any(map(is_vector, word)):
        return rf"({word_latex(row_first(word))})"
    if found is None:
        return rf"\operatorname{{tr}}({word_latex(word)})"
    inner, row, column = found
    return rf"{{({word_latex(inner)})}}_{{{row},{column}}}"


def traces_latex(traces: tuple[Word, ...]) -> str:
    """A product of traces as LaTeX."""
    shown = []
    for word in dict.fromkeys(traces):
        count = traces.count(word)
        exponent = f"^{{{count}}}" if count > 1 else ""
        shown.append(f"{_trace_latex(word)}{exponent}")
    return r" \, ".join(shown)


def polynomial_latex(polynomial: TracePolynomial) -> str:
    """A sum as LaTeX."""
    texts: list[str] = []
    factors: dict[str, str] = {}
    for monomial, value in polynomial.sorted_terms:
        # short coefficients recur and are remembered; for long ones the key alone would take as long
        key = f"{value.numerator}/{value.denominator}" if len(value.numerator) <= REMEMBERED_TERMS else ""
        factor = factors.get(key, "") if key else ""
        if not factor:
            factor = factors[key] = coefficient_latex(value)
        sign = "-" if factor.startswith("-") else "+" if texts else ""
        shown = [factor.removeprefix("-")] if factor not in ("", "-") else []
        if monomial.traces:
            shown.append(traces_latex(monomial.traces))
        shown += [rf"\left[{x.latex}\right]" for x in monomial.sums]
        if monomial.matrix is not None:
            shown.append(monomial.matrix.latex)
        if monomial.word is not None:
            shown.append(word_latex(monomial.word))
        texts.append((f" {sign} " if texts else sign) + (r" \, ".join(shown) or "1"))
    return "".join(texts) or "0"
