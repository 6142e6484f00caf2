"""The move that differentiates: the slope at zero of rational functions by names, and how a wrong one is noticed."""

from __future__ import annotations

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.derivatives import not_the_slope, slope_at_zero
from symbolic.algebra.words import Expression, constant, reciprocal, scalar

a, n, h = scalar("alpha_t"), scalar("n_t"), scalar("h_t")
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
    assert not_the_slope(start, slope + constant(1), "alpha_t", NAMES)
    assert not_the_slope(start, 2 * slope, "alpha_t", NAMES)


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
