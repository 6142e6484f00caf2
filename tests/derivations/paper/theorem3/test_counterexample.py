"""A law that meets the conditions of Theorem 3 and breaks its conclusion, and what makes it do so."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.language.symbols import n_t, p, sigma
from derivations.paper.theorem3 import counterexample
from derivations.paper.theorem3.counterexample import (
    DIAGONAL,
    MANY,
    RATIOS,
    forms,
    limit_of_ratio,
    over_counts,
    require_blind,
    variances,
)
from derivations.steps.contents import named
from derivations.verification.prove import prove

MEETS, BREAKS = "scale-mixture-meets-the-conditions", "scale-mixture-breaks-the-conclusion"


@pytest.mark.parametrize("name", [MEETS, BREAKS])
def test_both_halves_are_proved(name: str) -> None:
    assert prove(named(name)).status == "proved"


def test_every_variance_of_the_conditions_vanishes_like_one_over_p() -> None:
    found = variances()
    assert len(found) == 9
    for value in found.values():
        scaled = sympy.limit(sympy.expand(value.subs(n_t, 2 * p) * p), p, sympy.oo)
        assert 0 < scaled < sympy.oo


def test_the_ratio_is_not_one() -> None:
    (few, many) = (limit_of_ratio(share) for share in RATIOS.values())
    assert few == (69 * sigma**2 + 418) / (69 * sigma**2 + 414)
    assert float(few.subs(sigma, 0.02)) == pytest.approx(1.0096, abs=1e-4)
    assert float(many.subs(sigma, 0.02)) > 1.12


def lean(monkeypatch: pytest.MonkeyPatch, *values: Fraction) -> None:
    monkeypatch.setattr(counterexample, "LEAN", values)
    forms.cache_clear()


def test_without_a_lean_the_ratio_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lean(monkeypatch, *[Fraction(0)] * 4)
    assert limit_of_ratio(MANY) == 1
    monkeypatch.undo()
    forms.cache_clear()


def test_a_lean_that_the_conditions_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    require_blind()
    lean(monkeypatch, *map(Fraction, (-1, 1, -1, 1)))
    with pytest.raises(ArithmeticError, match="conditions hold"):
        require_blind()
    scaled = sympy.limit(variances()[counterexample.label((0, 0), DIAGONAL)], p, sympy.oo)
    assert scaled > 0
    monkeypatch.undo()
    forms.cache_clear()
    assert prove(named(MEETS)).status == "proved"


@pytest.mark.parametrize(("a", "b"), [(1, 0), (2, 1), (3, 1), (2, 2), (4, 0)])
def test_counts_of_signs_are_averaged_as_by_enumeration(a: int, b: int) -> None:
    plus, minus = (sympy.Symbol(f"n_{sign}_1", positive=True) for sign in ("plus", "minus"))
    found = over_counts(plus**a * minus**b, "1")
    for rows in (1, 2, 5):
        each = (comb(rows, k) * Fraction(k**a * (rows - k) ** b, 2**rows) for k in range(rows + 1))
        total = sum(each, Fraction(0))
        assert found.subs(n_t, rows) == sympy.Rational(total.numerator, total.denominator)


def test_the_derivation_is_that_of_the_step() -> None:
    step = named(BREAKS)
    assert step.derive is not None
    assert step.derive(PAPER)[next(iter(RATIOS))] == limit_of_ratio(next(iter(RATIOS.values())))
