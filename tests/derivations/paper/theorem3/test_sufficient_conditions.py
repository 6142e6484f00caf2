"""What suffices for Theorem 3, and that nothing less is taken for it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.language.model_letters import letter
from derivations.paper.theorem3 import sufficient_conditions
from derivations.paper.theorem3.concentration import form_chain, order_from_conditions
from derivations.paper.theorem3.general_setting import general
from derivations.paper.theorem3.outer_problem import target_covariance
from derivations.paper.theorem3.sufficient_conditions import (
    GRAM,
    MEANS,
    NOISE,
    NOISELESS,
    NOISY,
    TASK_NORM,
    WEIGHT,
    forms_chain,
    remainder,
)
from derivations.steps.contents import named
from derivations.verification.prove import prove
from symbolic.proofs.asymptotics import Exponent

HALF = Exponent(Fraction(1, 2))
TASK = model.task(general(PAPER), "1")


@pytest.mark.parametrize("name", ["weighted-forms-concentrate", "theorem-3-under-conditions"])
def test_the_conditions_are_proved_to_suffice(name: str) -> None:
    assert prove(named(name)).status == "proved"


def test_the_conditions_of_the_print_reach_the_plain_form_and_no_weighted_one() -> None:
    assert order_from_conditions(TASK.design @ TASK.design.T) == HALF
    for block in (TASK.design @ letter("H_r") @ TASK.design.T, target_covariance(PAPER, "1", "1")):
        with pytest.raises(ValueError, match="no condition of the theorem"):
            order_from_conditions(block)


def test_independent_entries_give_what_gaussian_ones_give() -> None:
    for which, name in ((GRAM, "gram"), (NOISE, "noise"), (WEIGHT, "weight")):
        step = named(f"general-{name}-concentrates")
        assert step.derive is not None
        assert forms_chain(PAPER).parts[which] == [*step.derive(PAPER).values()][-1]


def test_tasks_that_lie_along_few_directions_do_not_concentrate(monkeypatch: pytest.MonkeyPatch) -> None:
    """With eigenvalues of Sigma_w of order one the variance of Gamma does not vanish."""
    monkeypatch.setitem(sufficient_conditions.ORDERS, TASK_NORM, Exponent(Fraction(0)))
    assert forms_chain.__wrapped__(PAPER).parts[NOISE] == Rational(1, 2)


@pytest.mark.parametrize(
    ("spreads", "noisy", "noiseless"),
    [((-1, -1, -1), Rational(-3, 2), -2), ((-1, 1, -1), -1, -1), ((-2, -2, -2), -2, -3)],
)
def test_the_remainder_follows_from_the_variances(
    spreads: tuple[int, ...], noisy: Rational, noiseless: Rational
) -> None:
    """Given twice the orders of the relative deviations, to keep them whole."""
    orders = (Exponent(Fraction(spread, 2)) for spread in spreads)
    found = remainder(form_chain(PAPER), {**MEANS, **dict(zip("dse", orders, strict=True))})
    assert found.parts == {NOISY: noisy, NOISELESS: noiseless}
    assert [move.disproved for move in found.moves] == [""] * 9
