"""Sums that a name stands for are written by the name: whole, with one factor, and with nothing lost."""

from __future__ import annotations

import pytest
import sympy

from derivations.language.assumptions import PAPER, read
from derivations.language.normal_form import to_sympy
from derivations.steps.contents import find
from derivations.typeset.named_forms import by_their_names, named_form

N, P, A, MU, NU = sympy.symbols("n p alpha mu_2 mu_3")
MEANT = {"mu_2": 1 + 1 / N + P / N, "mu_3": 1 + 3 / N + 3 * P / N + P**2 / N**2, "mu_1": sympy.Integer(1)}
KNOWN = MU + NU


def named(formula: sympy.Expr) -> sympy.Basic:
    """The formula by its names, which others of its terms make known."""
    return by_their_names(formula + KNOWN, MEANT) - KNOWN


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (sympy.expand(4 * A * MEANT["mu_2"] / N), 4 * A * MU / N),
        (sympy.expand(A**2 * MEANT["mu_3"] - 3 * A * MEANT["mu_2"] + P), A**2 * NU - 3 * A * MU + P),
        (1 + 1 / N + 2 * P / N, 1 + 1 / N + 2 * P / N),
        (1 + P / N, 1 + P / N),
    ],
    ids=["a multiple", "two names", "another factor", "a term is missing"],
)
def test_a_sum_is_written_by_its_name(formula: sympy.Expr, shown: sympy.Expr) -> None:
    assert sympy.expand(named(formula) - shown) == 0


@pytest.mark.parametrize("words", [(), ("inner_steps=2",)])
def test_nothing_is_lost(words: tuple[str, ...]) -> None:
    step, assumptions = find("eq5"), read(words) if words else PAPER
    found = named_form(step, assumptions)
    assert found
    (label,) = step.derive(assumptions) if step.derive else ()
    meant = {str(s): s for value in found.values() for s in value.free_symbols}
    by_name = {s: found[tex] for tex in found for s in meant.values() if tex in (f"\\{s}", str(s))}
    formula = found[label]
    assert sympy.Symbol("mu_2") in {sympy.Symbol(s.name) for s in formula.free_symbols} or not words
    for _ in by_name:
        formula = formula.subs(by_name)
    (whole,) = (step.derive(assumptions) if step.derive else {}).values()
    assert sympy.cancel(sympy.together(formula - to_sympy(whole))) == 0
