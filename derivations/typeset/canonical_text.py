"""Canonical text of a formula: the same characters for the same function, in every process and on every machine."""

from __future__ import annotations

from fractions import Fraction

import sympy
from flint import fmpq_mpoly

from derivations.language.normal_form import NormalForm, normal_form
from symbolic.algebra.coefficients import named_terms, to_fraction
from symbolic.algebra.quotients import NotRational, Rational
from symbolic.algebra.words import Expression, Term


def polynomial_text(poly: fmpq_mpoly, scale: Fraction = Fraction(1)) -> str:
    """Terms in the order of total degree, then of names; exact coefficients."""
    rows = _rows(poly)
    if not rows:
        return "0"
    shown = []
    for _, text, coefficient in rows:
        value = coefficient * scale
        number = str(abs(value))
        body = text if text and abs(value) == 1 else f"{number}*{text}" if text else number
        shown.append(("- " if value < 0 else "+ ") + body)
    first = shown[0][2:] if shown[0].startswith("+ ") else "-" + shown[0][2:]
    return " ".join([first, *shown[1:]])


def rational_text(value: Rational) -> str:
    """numerator / denominator in lowest terms, the denominator primitive with a positive first coefficient."""
    if value.roots:
        raise NotRational("roots have no canonical quotient")
    reduced = value.reduced()
    coefficients = [to_fraction(c) for c in reduced.denominator.coeffs()]
    leading = _rows(reduced.denominator)[0][2]
    numerator_gcd, denominator_lcm = 0, 1
    for c in coefficients:
        numerator_gcd = int(sympy.gcd(numerator_gcd, c.numerator))
        denominator_lcm = int(sympy.lcm(denominator_lcm, c.denominator))
    scale = Fraction(denominator_lcm, numerator_gcd) * (1 if leading > 0 else -1)
    top, bottom = polynomial_text(reduced.numerator, scale), polynomial_text(reduced.denominator, scale)
    return top if bottom == "1" else f"({top}) / ({bottom})"


def _rows(poly: fmpq_mpoly) -> list[tuple[int, str, Fraction]]:
    """Minus the total degree, the monomial as text, and the coefficient of each term, in order."""
    rows = []
    for powers, coefficient in named_terms(poly):
        text = "*".join(name if e == 1 else f"{name}^{e}" for name, e in sorted(powers.items()))
        rows.append((-sum(powers.values()), text, to_fraction(coefficient)))
    return sorted(rows)


def _word_text(term: Term) -> str:
    if term.word is None:
        return ""
    return " ".join(factor.name + ("^T" if factor.transposed else "") for factor in term.word) or "I"


def canonical_text(formula: sympy.Basic | Expression) -> str:
    """The formula as canonical text: one line per matrix word, or one line for a scalar.

    A formula with square roots is written as its (already deterministic) SymPy text.
    """
    form: NormalForm = normal_form(formula)
    if any(coefficient.roots for coefficient in form.terms.values()):
        return str(formula)
    lines = []
    for term, coefficient in form.terms.items():
        if not coefficient.is_zero():
            word = _word_text(term)
            lines.append(f"[{rational_text(coefficient)}] {word}" if word else rational_text(coefficient))
    return "\n".join(sorted(lines)) or "0"
