"""The move that writes a scalar as one fraction, and what is said of a wrong or a reducible one."""

from __future__ import annotations

from derivations.steps.chain import Chain
from derivations.steps.rules.fractions_of import DENOMINATOR, not_one_fraction, one_fraction
from symbolic.algebra.words import constant, reciprocal, scalar

a, n = scalar("alpha_t"), scalar("n_t")
NAMES = {"h_t": n * (1 - a), "g": constant(1) - a**2}


def test_one_fraction_without_a_common_factor() -> None:
    chain = Chain(scalar("g") * reciprocal("h_t") + 1)
    top, bottom = one_fraction(chain, "alpha_t", NAMES)
    assert (top, bottom) in ((1 + a + n, n), (-1 * (1 + a + n), -1 * n))
    assert chain.moves[-1].check == "proved"


def test_a_wrong_or_reducible_fraction_is_noticed() -> None:
    d = reciprocal(DENOMINATOR)
    for top, bottom, said in (
        (n * (1 - a), 1 - a, "common factor in alpha_t"),
        (n + 1, constant(1), "differ at a random point"),
        (n, constant(1), ""),
    ):
        assert said in not_one_fraction(n, top * d, top, bottom, {DENOMINATOR: bottom}, "alpha_t")
        assert bool(said) == bool(not_one_fraction(n, top * d, top, bottom, {DENOMINATOR: bottom}, "alpha_t"))
