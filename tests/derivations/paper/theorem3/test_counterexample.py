"""A law that meets the conditions of Theorem 3 and breaks its conclusion, and what makes it do so."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.language.symbols import sigma
from derivations.paper.theorem3 import scale_mixture
from derivations.paper.theorem3.scale_mixture import (
    DEGREE,
    RATIOS,
    conclusion_chain,
    conditions_chain,
    order_of_142,
    require_blind,
)
from derivations.steps.chain import Rule
from derivations.steps.chains.products import degree_of_powers
from derivations.steps.contents import named
from derivations.verification.prove import prove
from symbolic.proofs.asymptotics import Exponent

MEETS, BREAKS = "scale-mixture-meets-the-conditions", "scale-mixture-breaks-the-conclusion"
PER_XI = Exponent(Fraction(-1))


@pytest.mark.parametrize("name", [MEETS, BREAKS])
def test_both_halves_are_proved(name: str) -> None:
    assert prove(named(name)).status == "proved"


def test_the_variances_of_each_condition_vanish_like_one_over_p() -> None:
    orders = [move for move in conditions_chain(PAPER).moves if move.rule is Rule.ORDER]
    assert [degree_of_powers(move.after) for move in orders] == [PER_XI] * 9
    assert order_of_142() == PER_XI


def test_the_ratio_is_not_one() -> None:
    few, many = (conclusion_chain(PAPER).parts[name] for name in RATIOS)
    assert sympy.cancel(few - (69 * sigma**2 + 418) / (69 * sigma**2 + 414)) == 0
    assert float(few.subs(sigma, 0.02)) == pytest.approx(1.0096, abs=1e-4)
    assert float(many.subs(sigma, 0.02)) > 1.12


def lean(monkeypatch: pytest.MonkeyPatch, *values: Fraction) -> None:
    monkeypatch.setattr(scale_mixture, "LEAN", values)
    with pytest.raises(ArithmeticError, match="conditions hold"):
        require_blind()
    monkeypatch.setattr(scale_mixture, "require_blind", lambda: None)


def test_without_a_lean_the_ratio_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lean(monkeypatch, *[Fraction(0)] * 4)
    parts = conclusion_chain.__wrapped__(PAPER).parts
    assert [sympy.cancel(parts[name]) for name in RATIOS] == [1, 1]


def test_a_lean_that_the_conditions_see_keeps_a_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    require_blind()
    lean(monkeypatch, *map(Fraction, (-1, 1, -1, 1)))
    assert conditions_chain.__wrapped__(PAPER).parts[DEGREE] == 0
