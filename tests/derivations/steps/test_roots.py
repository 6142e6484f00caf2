"""The move that isolates a root: closed forms of degree one and two, and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq_poly

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.roots import SPREAD, isolate, not_a_root, put_root, roots_above, write_square
from symbolic.algebra.words import Expression, constant, reciprocal, scalar

a, n, p, s = scalar("alpha_t"), scalar("n_t"), scalar("p"), scalar(SPREAD)
QUADRATIC = n - (n + 1) * a - p * a**2
CENTRE = Fraction(-1, 2) * (n + 1) * reciprocal("p")


def test_the_two_roots_of_a_quadratic() -> None:
    chain = isolate(Chain(QUADRATIC), "alpha_t", -1)
    low = chain.moves[-1]
    assert low.after == CENTRE - s
    assert isolate(chain.begin(QUADRATIC), "alpha_t", 1).result == CENTRE + s
    assert put_root(chain.begin(QUADRATIC), "alpha_t", low).result.is_zero
    assert write_square(chain.begin(s**2 - CENTRE**2), low).result == n * reciprocal("p")
    assert [move.check for move in chain.moves] == ["proved"] * 4


def test_the_root_of_a_line() -> None:
    chain = isolate(Chain((n + p) * a - 3), "alpha_t", leading="c")
    assert chain.result == 3 * reciprocal("c")
    assert chain.moves[-1].check == "proved"


@pytest.mark.parametrize(
    ("value", "which", "reason"),
    [
        (a**3 - n, 1, "degree 3"),
        (QUADRATIC, 0, "degree 2"),
        (n + 1 - a, 1, "degree 1"),
        (n + a**2, 1, "not certified that .* is positive"),
        ((n + p) * a - 3, 0, "has no name"),
        ((n - p) * a - 3, 0, "no certificate|no name"),
    ],
)
def test_what_has_no_such_root_is_refused(value: Expression, which: int, reason: str) -> None:
    with pytest.raises(DoesNotApply, match=f"isolate roots: .*({reason})"):
        isolate(Chain(value), "alpha_t", which)


def test_a_wrong_root_is_noticed() -> None:
    square = CENTRE**2 + n * reciprocal("p")
    assert not_a_root(QUADRATIC, CENTRE - s, "alpha_t", {}, square, -1) == ""
    assert "something else than zero" in not_a_root(QUADRATIC, CENTRE - 2 * s, "alpha_t", {}, square, -1)
    assert "the other root" in not_a_root(QUADRATIC, CENTRE + s, "alpha_t", {}, square, -1)
    complex_roots = a**2 + 1
    assert "0 real roots" in not_a_root(complex_roots, s, "alpha_t", {}, constant(-1), 1)


@pytest.mark.parametrize(
    ("coefficients", "start", "count"),
    [
        ([-2, 0, 1], None, 2),
        ([-2, 0, 1], 0, 1),
        ([2, 0, 1], None, 0),
        ([0, -1, 0, 1], 0, 1),
        ([1, -2, 1], None, 1),
    ],
)
def test_real_roots_are_counted_by_sturms_theorem(
    coefficients: list[int], start: int | None, count: int
) -> None:
    assert roots_above(fmpq_poly(coefficients), None if start is None else Fraction(start)) == count
