"""Sign certificates that a reader can check by eye: the factors of a quantity, and why each has its sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.symbols import symbol_table
from derivations.publishing.pages import assumptions_in_force
from derivations.steps.contents import load
from derivations.steps.rules.certified_signs import BOUNDS, recording
from derivations.steps.status import ProofStatus
from derivations.steps.step import Step
from derivations.typeset.latex import latex
from derivations.typeset.term_order import name_latex
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.proofs.positivity import Certificate, restore

# polynomials with more terms are counted, not printed
MOST_TERMS = 14


def _letters() -> Mapping[str, sympy.Expr]:
    """The letters of polynomials; where these were made positive, p is n_v m and what it is above that."""
    return {**symbol_table(), "room": sympy.Symbol("above")}


def _polynomial(data: Mapping[str, Any]) -> str:
    poly = restore(data)
    if len(poly) > MOST_TERMS:
        return f"a polynomial with {len(poly)} terms"
    return h.fitted(latex(quotient_to_sympy(Rational.polynomial(poly), _letters())))


def _why(certificate: Certificate) -> str:
    """Why a polynomial is positive."""
    method = certificate["method"]
    if method == "positive coefficients":
        shifted = {k: v for k, v in certificate["bounds"].items() if v != str(BOUNDS.get(k, 0))}
        least = h.inline(r",\ ".join(rf"{name_latex(k)} \ge {v}" for k, v in shifted.items()))
        above = f" after {least} is built in" if shifted else ""
        return f"all coefficients are positive{above}"
    if method == "even power of a non-zero variable":
        return "an even power of a rate that is not zero"
    variable = h.inline(
        latex(symbol_table().get(certificate["variable"], sympy.Symbol(certificate["variable"])))
    )
    leading, discriminant = (
        _polynomial(certificate[part]["polynomial"]) for part in ("leading", "discriminant")
    )
    return (
        f"a quadratic in {variable} without real roots: its leading coefficient {leading} is positive "
        f"({_why(certificate['leading'])}), and so is {h.inline('4ac-b^2')} = {discriminant} "
        f"({_why(certificate['discriminant'])})"
    )


def _certificate(sign: int, certificate: Certificate) -> str:
    """The quantity as a product, and why each factor that is no plain size has its sign."""
    above, below, reasons = sympy.Integer(1), sympy.Integer(1), []
    for factor in certificate["factors"]:
        poly = restore(factor["certificate"]["polynomial"])
        tree = (
            sympy.UnevaluatedExpr(quotient_to_sympy(Rational.polynomial(poly), _letters()))
            if len(poly) > 1
            else quotient_to_sympy(Rational.polynomial(poly), _letters())
        )
        if factor["role"] == "numerator":
            above *= factor["sign"] * tree ** factor["multiplicity"]
        else:
            below *= factor["sign"] * tree ** factor["multiplicity"]
        if len(poly) > 1 or factor["certificate"]["method"] != "positive coefficients":
            shown = _polynomial(factor["certificate"]["polynomial"])
            reasons.append(f"<li>{shown}: {_why(factor['certificate'])}</li>")
    product = (above / below).replace(
        lambda node: isinstance(node, sympy.UnevaluatedExpr), lambda node: node.args[0]
    )
    word = "positive" if sign > 0 else "negative"
    long = any(len(restore(f["certificate"]["polynomial"])) > MOST_TERMS for f in certificate["factors"])
    shown = "" if long else h.display(latex(product))
    listed = f"<ul>{''.join(reasons)}</ul>" if reasons else "<p>Sizes and noise levels are positive.</p>"
    return f"<p><strong>{word.capitalize()}</strong>, up to a positive number:</p>{shown}{listed}"


def certificates(*names: str) -> Html:
    """The certificates behind the named claims, derived anew and checked again from their own data."""
    blocks = []
    for name in names:
        step = load()[name]
        if step.derive is None or not ProofStatus(cards.records()[name]["proof"]).stands:
            continue
        with recording() as found:
            step.derive(assumptions_in_force())
        unique = {str(certificate): _certificate(sign, certificate) for _, sign, certificate in found}
        if unique:
            title = f"{len(unique)} certificate{'s' if len(unique) > 1 else ''}: {h.prose(step.statement)}"
            blocks.append(h.details(title, "".join(unique.values())))
    return Html("".join(blocks))


def certificates_of(page: str) -> Html:
    """The certificates behind every claim and equation of a page that rests on signs."""
    return certificates(
        *(name for name, step in load().items() if step.page == page and _speaks_of_signs(step))
    )


def _speaks_of_signs(step: Step) -> bool:
    return step.claim is not None and any("sign" in label for label in step.claim())
