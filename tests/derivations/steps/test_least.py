"""The move that finds where a quotient is least: the sign of that place, what it refuses, and what its second route sees."""

from __future__ import annotations

import pytest
from flint import fmpq_poly

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.roots import least_at, not_least
from symbolic.algebra.words import Expression, constant, reciprocal, scalar
from symbolic.proofs.minimum import minimum

a = scalar("alpha_t")
NAMES = {"h": a**2 - a + 1, "w": constant(1) + (a + 1) ** 2}


@pytest.mark.parametrize(
    ("value", "sign"),
    [
        ((a - 1) ** 2 * (a + 1) ** 2 + a, -1),
        ((a - 1) ** 2 * (a + 1) ** 2 - a, 1),
        (-1 * reciprocal("h"), 1),
        (3 - reciprocal("w") - reciprocal("h") * 2, 1),
    ],
)
def test_the_side_on_which_a_function_is_least(value: Expression, sign: int) -> None:
    chain = least_at(Chain(value), "alpha_t", NAMES).shows_sign("side")
    assert chain.result == constant(sign)
    assert chain.parts["side"] == sign
    assert [move.disproved for move in chain.moves] == [""]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (a**2, "at zero"),
        (a**3, "falls without bound"),
        (reciprocal("h"), "above the limit"),
        (a**2 - scalar("p") * a, "p has no value"),
    ],
)
def test_what_is_not_least_on_one_side_is_refused(value: Expression, said: str) -> None:
    with pytest.raises(DoesNotApply, match=said):
        least_at(Chain(value), "alpha_t", NAMES)


def test_two_places_are_not_the_only_one() -> None:
    (move,) = least_at(Chain((a**2 - 1) ** 2), "alpha_t", {}).moves
    assert "on its own" in move.disproved


def test_a_wrong_place_or_a_certificate_of_something_else_is_seen() -> None:
    value = (a - 1) ** 2
    right, other = (minimum(fmpq_poly(top), fmpq_poly([1])).certificate for top in ([1, -2, 1], [4, -4, 1]))
    assert not_least(value, constant(1), "alpha_t", {}, right) == ""
    assert "another sign" in not_least(value, constant(-1), "alpha_t", {}, right)
    assert "something else" in not_least(value, constant(1), "alpha_t", {}, other)
    moved = {**right, "stationary": [{**right["stationary"][0], "at": ["2", "3"]}]}
    assert "on its own" in not_least(value, constant(1), "alpha_t", {}, moved)
