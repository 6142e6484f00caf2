"""The move that differentiates: the slope at zero of rational functions by names, and how a wrong one is noticed."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules import derivatives
from derivations.steps.rules.derivatives import (
    at_zero,
    derivative,
    insert_values_at,
    limit,
    not_the_derivative,
    not_the_limit,
    slope_at_zero,
)
from symbolic.algebra.words import Expression, constant, reciprocal, scalar

a, n, h = scalar("alpha_t"), scalar("n_t"), scalar("h_t")
ZERO = Fraction(0)
NAMES = {"h_t": constant(1) - 2 * a + n * a**2}


@pytest.mark.parametrize(
    ("start", "slope"),
    [
        (3 + 5 * n * a - a**2, 5 * n),
        (h**3, constant(-6)),
        (n * reciprocal("h_t") ** 2 * (1 + a), 5 * n),
        (a * h, constant(1)),
    ],
)
def test_the_slope_at_zero(start: Expression, slope: Expression) -> None:
    (move,) = slope_at_zero(Chain(start), "alpha_t", NAMES).moves
    assert move.after == slope
    assert move.check == "proved"
    assert not_the_derivative(start, slope + constant(1), "alpha_t", NAMES, at=ZERO)
    assert not_the_derivative(start, 2 * slope, "alpha_t", NAMES, at=ZERO)


@pytest.mark.parametrize(
    ("start", "names", "reason"),
    [
        (n + 1, NAMES, "alpha_t does not occur"),
        (reciprocal("h_t"), {"h_t": 2 + a}, "1/h_t is not one at alpha_t = 0"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(
    start: Expression, names: dict[str, Expression], reason: str
) -> None:
    with pytest.raises(DoesNotApply, match=reason):
        slope_at_zero(Chain(start), "alpha_t", names)


mu = scalar("mu_2")
BY_NAMES = {"h_t": constant(1) - 2 * a + mu * a**2, "mu_2": 1 + reciprocal("n_t")}


@pytest.mark.parametrize(
    ("start", "variable", "slope"),
    [
        (reciprocal("h_t"), "alpha_t", (2 - 2 * a * mu) * reciprocal("h_t") ** 2),
        (h**2, "n_t", -2 * h * a**2 * reciprocal("n_t") ** 2),
        (n + reciprocal("n_t"), "n_t", 1 - reciprocal("n_t") ** 2),
        (h, "m", 0 * h),
    ],
)
def test_the_derivative_by_product_and_chain_rule(
    start: Expression, variable: str, slope: Expression
) -> None:
    (move,) = derivative(Chain(start), variable, BY_NAMES).moves
    assert move.after == slope
    assert move.check == "proved"
    assert not_the_derivative(start, slope + constant(1), variable, BY_NAMES)


def test_a_limit_in_either_direction() -> None:
    start = 3 + n * a**2 * reciprocal("h_t") + a * reciprocal("h_t")
    (move,) = limit(Chain(start), "alpha_t", BY_NAMES, {"h_t": "mu_2"}).moves
    assert move.after == 3 + n * reciprocal("mu_2")
    assert move.check == "proved"
    assert not_the_limit(start, move.after + constant(1), "alpha_t", BY_NAMES)
    assert limit(Chain(n + a * reciprocal("m")), "m", {}, {}).result == n
    for value, reason in ((a * h, "grows without bound"), (reciprocal("h_t"), "has no name")):
        with pytest.raises(DoesNotApply, match=reason):
            limit(Chain(value), "alpha_t", BY_NAMES, {})


def test_zero_is_put_in_for_what_names_stand_for_too() -> None:
    (move,) = at_zero(Chain(n * h + a * mu), ("alpha_t",), BY_NAMES).moves
    assert (move.after, move.check) == (n, "proved")
    with pytest.raises(DoesNotApply, match="is divided by"):
        at_zero(Chain(reciprocal("n_t")), ("n_t",), {})


@pytest.mark.parametrize("factor", [1, 2])
def test_values_at_two_places_are_put_in_for_their_names(
    factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V = a / h with h = 1 + a n: its values at a = 2 and a = -t, and a name that is another there."""
    slip = derivatives.reciprocal
    monkeypatch.setattr(derivatives, "reciprocal", lambda name: factor * slip(name))
    chain = Chain(scalar("V") - scalar("U"))
    ends = {"V": constant(2), "U": -1 * scalar("t")}
    insert_values_at(chain, a * reciprocal("h_t"), "alpha_t", ends, {"h_t": constant(1) + a * n})
    (move,) = chain.moves
    assert move.after == factor * (2 * reciprocal("h_t_V") + scalar("t") * reciprocal("h_t_U"))
    assert move.values["h_t_V"] == constant(1) + 2 * n
    assert move.disproved == ("V, U is another" if factor == 2 else "")
