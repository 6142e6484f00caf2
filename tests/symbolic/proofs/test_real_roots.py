"""Real roots: all of them, in order, enclosed as closely as asked for."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
import sympy
from flint import fmpq_poly, fmpz_poly

from symbolic.proofs import real_roots as module
from symbolic.proofs.real_roots import ends, real_roots, sign_at

BIG = 10**9
X = sympy.Symbol("x")


def test_roots_are_isolated_in_order() -> None:
    poly = (fmpq_poly([-1, BIG]) * fmpq_poly([-1, BIG + 1]) * fmpq_poly([2, 0, 1])).numer()
    (low, below), (above, high) = (ends(root) for root in real_roots(poly, 200))
    assert low <= Fraction(1, BIG + 1) <= below < above <= Fraction(1, BIG) <= high
    assert below - low < Fraction(1, 10**60)


@pytest.mark.parametrize("exponent", [160, 900])
def test_roots_far_smaller_than_their_distance_from_one_are_found(exponent: int) -> None:
    big = 10**exponent
    poly = fmpz_poly([-big, 2 * big, 1 - big]) * fmpz_poly([1, big])
    (low, high), *others = (ends(root) for root in real_roots(poly, 256))
    assert low <= Fraction(-1, big) <= high
    assert len(others) == 2
    assert others[0][1] < 1 < others[1][0]


def polynomial(generator: random.Random) -> fmpz_poly:
    """A product of powers of factors with roots at 0, at dyadic numbers, near each other and far apart."""
    poly = fmpz_poly([1])
    for _ in range(generator.randint(1, 4)):
        span = generator.choice([1, 9, 10**6])
        factor = [generator.randint(-span, span) for _ in range(generator.randint(1, 4))]
        poly *= fmpz_poly([*factor, generator.randint(1, 9)]) ** generator.randint(1, 3)
    return poly


def test_roots_of_random_polynomials_are_those_that_sign_variations_count() -> None:
    generator = random.Random(1)
    for _ in range(60):
        poly = polynomial(generator)
        other = sympy.Poly([int(c) for c in poly.coeffs()][::-1], X)
        found = [ends(root) for root in real_roots(poly, 80)]
        assert len(found) == len(set(sympy.real_roots(other.sqf_part(), multiple=True)))
        assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
        for low, high in found:
            assert other.count_roots(sympy.Rational(low), sympy.Rational(high)) == 1
            assert high - low <= abs(low + high) / 2**78


def test_sign_is_exact() -> None:
    poly = fmpz_poly([-1, 3 * 10**50])
    third = Fraction(1, 3 * 10**50)
    assert [sign_at(poly, third + step) for step in (-Fraction(1, 10**400), 0, Fraction(1, 10**400))] == [
        -1,
        0,
        1,
    ]


def test_a_bound_that_misses_roots_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    poly = fmpz_poly([6, -5, 1])
    assert len(real_roots(poly, 64)) == 2
    right = module._most_roots
    monkeypatch.setattr(module, "_most_roots", lambda *given: right(*given) // 2)
    assert len(real_roots(poly, 64)) != 2
