"""Derived formulas with the names that their chains of moves give to averages, and below what these names stand for."""

from __future__ import annotations

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.steps.step import Derived, Step
from derivations.typeset.term_order import name_latex
from derivations.verification.prove import chain_of

# a formula is sorted by the first, then by the sources of noise
_OUTER, _SOURCES = ("h_r",), ("sigma", "nu")


def named_form(step: Step, assumptions: Assumptions) -> dict[str, sympy.Basic]:
    """The parts that a chain shows by names, then what the names stand for; empty where there are none."""
    chain = chain_of(step, assumptions)
    if chain is None or not chain.named_parts:
        return {}
    found = {label: to_sympy(part) for label, part in chain.parts.items()}
    definitions: dict[str, sympy.Basic] = {}
    for label, (expr, stands_for) in chain.named_parts.items():
        tree = to_sympy(expr)
        found[label] = tree if getattr(tree, "is_Matrix", False) else gathered(tree)
        definitions |= {name_latex(name): to_sympy(value) for name, value in stands_for().items()}
    return found | definitions


def derived_form(step: Step, derived: Derived, assumptions: Assumptions) -> Derived:
    """What a step derives, with names where its chain has them."""
    return named_form(step, assumptions) or derived


def gathered(formula: sympy.Basic) -> sympy.Basic:
    """A sum of products by powers of a factor that everything has, then by source; factors in common put in front."""
    names = {str(x): x for x in formula.free_symbols}
    total: sympy.Basic = sympy.Integer(0)
    for outer, rest in _collected(formula, [names[x] for x in _OUTER if x in names]).items():
        inside = _collected(rest, [names[x] ** 2 for x in _SOURCES if x in names])
        total = total + outer * sum(key * sympy.factor_terms(part) for key, part in inside.items())
    return total


def _collected(formula: sympy.Basic, by: list[sympy.Expr]) -> dict[sympy.Basic, sympy.Basic]:
    if not by:
        return {sympy.Integer(1): formula}
    return dict(sympy.collect(sympy.expand(formula), by, evaluate=False))
