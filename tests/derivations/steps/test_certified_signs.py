"""The moves that certify a sign and leave out a positive factor, and how wrong certificates are noticed."""

from __future__ import annotations

import copy
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.certified_signs import (
    EVERYWHERE,
    NONZERO,
    Domain,
    certify,
    leave_out_factor,
    not_certified,
    not_positive,
    part_off,
    sign,
)
from symbolic.algebra.sympy_trees import to_sympy
from symbolic.algebra.words import Expression, constant, reciprocal, scalar

a, n, p, m = (scalar(name) for name in ("alpha_t", "n_t", "p", "m"))
h = scalar("h_t")
NAMES = {"h_t": constant(1) - 2 * a + (1 + (p + 1) * reciprocal("n_t")) * a**2}
FROM_ONE = Domain(at_least={"p": Fraction(1)})
NOT_ZERO = Domain(nonzero=NONZERO)


@pytest.mark.parametrize(
    ("value", "domain", "found"),
    [
        (n + p, EVERYWHERE, 1),
        (-1 * n * reciprocal("h_t") - a**2 * p, EVERYWHERE, -1),
        (p - Fraction(1, 2), FROM_ONE, 1),
        (-1 * a**2 * n, NOT_ZERO, -1),
        (1 - a + a**2, EVERYWHERE, 1),
        (p - n, Domain(within={"p": n + scalar("room")}), 1),
    ],
)
def test_a_sign_that_all_parts_have(value: Expression, domain: Domain, found: int) -> None:
    (move,) = certify(Chain(value), NAMES, domain=domain).moves
    assert move.after == constant(found)
    assert move.check == "proved"


@pytest.mark.parametrize(
    ("value", "domain", "reason"),
    [
        (n - p, EVERYWHERE, "no certificate|not positive"),
        (p - 1, FROM_ONE, "not positive"),
        (a**2 * n, EVERYWHERE, "may vanish at a rate of zero"),
        (n * h - p, EVERYWHERE, "no sign in common"),
        (1 - 3 * a + a**2, EVERYWHERE, "no certificate"),
        (n + scalar("g"), Domain(positive=frozenset({"g"})), "g was not shown to be positive"),
    ],
)
def test_a_sign_that_is_not_certified_is_refused(value: Expression, domain: Domain, reason: str) -> None:
    with pytest.raises(DoesNotApply, match=f"sign certificate: .*({reason})"):
        certify(Chain(value), NAMES, domain=domain)


def _certificate(value: Expression, **domain: Any) -> dict[str, Any]:
    return sign(to_sympy(value), **domain)[1]


def test_a_certificate_is_multiplied_out_by_another_program() -> None:
    good = _certificate((n + p) * (1 - a + a**2) * reciprocal("p"))
    assert not_positive(good, EVERYWHERE, 1) == ""
    assert not_positive(good, EVERYWHERE, -1) == "the factors make up another sign"
    other = copy.deepcopy(good)
    other["factors"][0]["multiplicity"] = 2
    assert "do not make up" in not_positive(other, EVERYWHERE, 1)
    other = copy.deepcopy(good)
    part = next(f for f in other["factors"] if f["certificate"]["method"].startswith("quadratic"))
    part["certificate"]["discriminant"]["polynomial"]["terms"][0][1] = "7"
    assert "not shown to be positive" in not_positive(other, EVERYWHERE, 1)


def test_a_certificate_for_a_smaller_domain_is_not_one_for_a_larger() -> None:
    shifted = _certificate(2 * p - 1, at_least={"p": Fraction(1)})
    assert not_positive(shifted, FROM_ONE, 1) == ""
    assert "not shown to be positive" in not_positive(shifted, EVERYWHERE, 1)
    even = _certificate(a**2 * n)
    assert not_positive(even, NOT_ZERO, 1) == ""
    assert "not shown to be positive" in not_positive(even, EVERYWHERE, 1)


def test_a_certificate_is_about_the_expression() -> None:
    good = [(_certificate(n + p), True)]
    assert not_certified(n + p, constant(1), {}, good, EVERYWHERE) == ""
    assert "about something else" in not_certified(n + 2 * p, constant(1), {}, good, EVERYWHERE)
    assert "another sign" in not_certified(-1 * n - p, constant(1), {}, good, EVERYWHERE)


def test_the_one_factor_whose_sign_is_open_is_kept() -> None:
    before = -3 * n * (1 - 3 * a + a**2) * reciprocal("h_t") ** 2
    (move,) = leave_out_factor(Chain(before), "alpha_t", NAMES).moves
    assert move.after == -1 * (1 - 3 * a + a**2)
    assert move.check == "proved"
    moved = Chain(2 * a - 1)
    for value, reason in (
        (a * (a - 1), "not just one factor"),
        ((n - p) * (a - 1), "no certificate|not positive"),
    ):
        with pytest.raises(DoesNotApply, match=reason):
            leave_out_factor(Chain(value), "alpha_t", NAMES)
    assert leave_out_factor(moved, "alpha_t", NAMES).result == 2 * a - 1


def test_a_name_shown_positive_is_taken_for_positive() -> None:
    names = {"g": 1 - a + 2 * a**2, **NAMES}
    chain = certify(Chain(names["g"]), names).begin(n * scalar("g") + p)
    move = certify(chain, names, domain=replace(EVERYWHERE, positive=frozenset({"g"}))).moves[-1]
    assert move.check == "proved"
    assert part_off(Chain(names["g"] * 2), "g", 1, names).result == scalar("g") + names["g"]
