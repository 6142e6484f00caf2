"""Derived formulas with the names that their chains of moves give to averages, and below what these names stand for."""

from __future__ import annotations

from collections.abc import Mapping

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
        meant = {name: to_sympy(value) for name, value in stands_for().items()}
        found[label] = tree if getattr(tree, "is_Matrix", False) else gathered(by_their_names(tree, meant))
        definitions |= {name_latex(name): value for name, value in meant.items()}
    return found | definitions


def derived_form(step: Step, derived: Derived, assumptions: Assumptions) -> Derived:
    """What a step derives, with names where its chain has them."""
    return named_form(step, assumptions) or derived


def by_their_names(formula: sympy.Basic, meant: Mapping[str, sympy.Basic]) -> sympy.Basic:
    """A sum in which multiples of what names stand for, written out in several terms, are written by these names: the longest first."""
    names = {s.name: s for value in (formula, *meant.values()) for s in value.free_symbols}
    sums = {
        names[name]: terms
        for name, value in meant.items()
        if name in names
        and len(terms := _terms(value)) > 2
        and not {s.name for s in value.free_symbols} & {*meant}
    }
    rest = _terms(formula)
    for name, terms in sorted(sums.items(), key=lambda one: len(one[1]), reverse=True):
        (mark, share), *others = sorted(
            terms.items(), key=lambda one: sympy.default_sort_key(one[0]), reverse=True
        )
        for monomial in [*rest]:
            factor = monomial / mark
            times = rest.get(monomial, sympy.Integer(0)) / share
            if times == 0 or any(rest.get(factor * other) != times * part for other, part in others):
                continue
            for other in terms:
                del rest[factor * other]
            rest[factor * name] = rest.get(factor * name, sympy.Integer(0)) + times
    return sympy.Add(*(monomial * times for monomial, times in rest.items()))


def _terms(formula: sympy.Basic) -> dict[sympy.Basic, sympy.Expr]:
    """The terms of a sum: by product of names its rational factor."""
    return {
        monomial: times
        for times, monomial in (
            term.as_coeff_Mul(rational=True) for term in sympy.Add.make_args(sympy.expand(formula))
        )
    }


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
