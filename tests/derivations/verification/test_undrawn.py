"""Averages whose mean rare draws make up are not drawn, and say so; all others are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.steps.chain import Chain, Rule
from derivations.verification.moves import sample_move
from derivations.verification.undrawn import no_number
from symbolic.algebra.letters import Letter
from symbolic.algebra.words import Expression, constant, gaussian, letter_expression, tr

SIZES = {"n": 3, "p": 2}


def entries(law: str | None) -> Expression:
    return letter_expression(replace(Letter("X", "n", "p", random=True), law=law))


@pytest.mark.parametrize(
    ("law", "power", "said"),
    [
        (None, 2, ""),
        (None, 8, ""),
        (None, 9, "power 18 of entries that are gaussian"),
        ("rademacher", 9, ""),
        ("uniform", 9, ""),
        ("laplace", 4, ""),
        ("laplace", 6, "power 12 of entries that are laplace"),
        ("kurtosis:2", 9, ""),
        ("generic:4", 9, ""),
    ],
)
def test_which_powers_are_drawn(law: str | None, power: int, said: str) -> None:
    x = entries(law)
    move = replace(Chain(tr(gaussian("X", "n", "p").T @ gaussian("X", "n", "p"))).average("X").moves[0])
    whole = replace(move, before=tr(x.T @ x) ** power, after=constant(1))
    short = replace(
        whole, before=tr(letter_expression(Letter("A", "p", "p"))) ** power, values={"A": x.T @ x}
    )
    for one in (whole, short):
        assert no_number(one).startswith(said)
        assert bool(no_number(one)) == bool(said)
    if said:
        assert sample_move(whole, "a move", "rare", SIZES) is None


def test_an_identity_is_held_at_any_power() -> None:
    x = gaussian("X", "n", "p")
    move = replace(Chain(tr(x.T @ x)).average("X").moves[0], rule=Rule.EXPAND, before=tr(x.T @ x) ** 12)
    assert no_number(move) == ""
