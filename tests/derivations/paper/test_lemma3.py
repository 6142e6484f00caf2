"""Lemma 3: exact leading parts at degenerate sizes, orders, and what the guards refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.paper.lemma3 import ROWS_GROW, word
from derivations.steps.contents import load
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import bound_traces, element, variances_of_elements
from derivations.verification.prove import prove
from symbolic.algebra.words import gaussian, matrix, tr
from symbolic.checks.entries import expect_by_entries
from symbolic.proofs.asymptotics import Exponent, sharp_exponent

STEPS = load()
NAMES = ("columns-concentrate", "columns-after-wishart", "columns-between-wisharts")
POWERS = dict(zip(NAMES, ((0, 0), (1, 0), (1, 1)), strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 1)])
def test_leading_part_at_small_sizes(name: str, sizes: tuple[int, int, int]) -> None:
    """The printed c is the exact mean of a diagonal element, also where a dimension is 1."""
    at = dict(zip(("n_v", "n_t", "p"), sizes, strict=True))
    claim = STEPS[name].claim
    assert claim is not None
    printed = claim()[LEADING].subs({s: at[s.name] for s in claim()[LEADING].free_symbols})
    table = expect_by_entries(word(*POWERS[name]), at, {}, {})
    assert Fraction(int(printed)) == table[0][0]
    assert all(table[i][j] == 0 for i in range(at["p"]) for j in range(at["p"]) if i != j)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_order_or_mean_is_refused(name: str) -> None:
    step = STEPS[name]
    assert step.claim is not None
    claim = step.claim()
    for wrong in ({ORDER: claim[ORDER] - sympy.Rational(1, 2)}, {LEADING: claim[LEADING] + 1}):
        assert prove(replace(step, claim=lambda w=wrong: {**claim, **w})).status == "failed"


def test_orders_are_exponents_of_the_standard_deviation() -> None:
    """With fixed n_t the middle factors bring no growth: only n_v counts."""
    found = sharp_exponent([], list(variances_of_elements([word(1, 1)])), {"n_v": ROWS_GROW["n_v"]})
    assert found == Exponent(Fraction(1, 1))


def test_elements_need_a_square_word() -> None:
    with pytest.raises(ValueError, match="square"):
        element(gaussian("X", "n", "p"), 1, 1)


def test_traces_of_unknown_order_are_refused() -> None:
    with pytest.raises(ValueError, match="given order"):
        bound_traces(tr(matrix("C", "p", "p")))


def test_the_ladder_sees_a_wrong_exponent() -> None:
    step = STEPS["columns-concentrate"]
    assert step.check is not None
    assert step.derive is not None
    derived = dict(step.derive(PAPER))
    wrong = replace(step, derive=lambda assumptions: {**derived, ORDER: sympy.Integer(1)})
    assert [check.verdict for check in step.check(step, PAPER, 0)] == ["agree"]
    assert [check.verdict for check in step.check(wrong, PAPER, 0)] == ["disagree"]
