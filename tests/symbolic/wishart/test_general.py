"""Moments for a general covariance: against the loop equation in X, and theorems in higher degree."""

from collections import Counter
from functools import cache
from typing import Any

import pytest
from flint import fmpz_poly

from symbolic.wishart import marked_basis
from symbolic.wishart.general import matrix_moment_general, trace_moment_general, trace_moments_general
from symbolic.wishart.identity import RING, trace_moment
from symbolic.wishart.marked_basis import Vector
from symbolic.wishart.partitions import partitions, total_pairings
from tests.symbolic.wishart.values import matrix, scalar

N = fmpz_poly([0, 1])


@cache
def by_parts(k: int, rho: tuple[int, ...]) -> Vector:
    """Integration by parts over X acts on the moments' indices, where the library differentiates in Sigma:

    G(k, rho) = Sigma [(n+k-1) G(k-1, rho) + sum_s G(k-1-s, rho+s) + sum_j 2 l_j G(k-1+l_j, rho-l_j)].
    """
    total: Vector = {}

    def add(factor: Any, vector: Vector, shift: int) -> None:
        for (j, nu), value in vector.items():
            total[j + shift, nu] = total.get((j + shift, nu), fmpz_poly([])) + factor * value

    if k == 0 and not rho:
        return {(0, ()): fmpz_poly([1])}
    if k == 0:
        for (j, nu), value in by_parts(rho[-1], rho[:-1]).items():
            add(1, {(0, tuple(sorted((*nu, j)))): value}, 0)
        return total
    add(N + (k - 1), by_parts(k - 1, rho), 1)
    for s in range(1, k):
        add(1, by_parts(k - 1 - s, tuple(sorted((*rho, s)))), 1)
    for j, part in enumerate(rho):
        add(2 * part, by_parts(k - 1 + part, rho[:j] + rho[j + 1 :]), 1)
    return total


@pytest.mark.parametrize("degree", range(9))
def test_two_derivations_agree(degree: int) -> None:
    for e in range(degree + 1):
        for mu in partitions(e):
            assert matrix_moment_general(degree - e, mu) == by_parts(degree - e, mu)


@pytest.mark.parametrize("degree", range(11))
def test_identity_covariance_is_the_special_case(degree: int) -> None:
    for mu, value in trace_moments_general(degree).items():
        total = Counter[tuple[int, int]]()
        for (_, nu), polynomial in value.items():
            for power, number in enumerate(polynomial.coeffs()):
                total[power, len(nu)] += int(number)
        assert RING.from_dict(total) == trace_moment(mu)


@pytest.mark.parametrize("degree", [1, 4, 9, 13])
def test_one_table_one_moment(degree: int) -> None:
    table = trace_moments_general(degree)
    assert set(table) == set(partitions(degree))
    for mu in list(table)[:: max(1, len(table) // 6)]:
        assert table[mu] == trace_moment_general(mu)


@pytest.mark.parametrize("degree", [1, 2, 7, 16, 17, 19, 21, 24])
def test_one_column_is_a_chi_square(degree: int) -> None:
    """At p = 1, Sigma = 1 every moment is n (n+2) ... (n+2d-2); exact far beyond double precision."""
    product = fmpz_poly([1])
    for i in range(degree):
        product *= N + 2 * i
    assert sum(matrix_moment_general(degree).values(), fmpz_poly([])) == product
    assert int(product(1)) == total_pairings(degree)


@pytest.mark.parametrize("degree", [17, 18])
def test_high_degrees_collapse_to_the_identity_moment(degree: int) -> None:
    for mu in [(degree,), (degree - 9, 9), (1, 2, degree - 3)]:
        total = Counter[tuple[int, int]]()
        for (_, nu), polynomial in trace_moment_general(mu).items():
            for power, number in enumerate(polynomial.coeffs()):
                total[power, len(nu)] += int(number)
        assert RING.from_dict(total) == trace_moment(mu)


@pytest.mark.parametrize("degree", range(1, 10))
def test_moments_are_symmetric_under_exchange_of_indices(degree: int) -> None:
    """c(mu, nu) weight(nu) = c(nu, mu) weight(mu): the roles of W and Sigma in a pairing may be exchanged."""

    def weight(mu: tuple[int, ...]) -> int:
        result = 1
        for part, multiplicity in Counter(mu).items():
            for copy in range(1, multiplicity + 1):
                result *= 2 * part * copy
        return result

    table = trace_moments_general(degree)
    zero = fmpz_poly([])
    for mu, row in table.items():
        for nu, column in table.items():
            assert row.get((0, nu), zero) * weight(nu) == column.get((0, mu), zero) * weight(mu)


def test_trace_of_the_matrix_moment() -> None:
    for k, mu in [(1, ()), (2, (1,)), (3, (1, 2))]:
        assert matrix(matrix_moment_general(k, mu)).trace().equals(scalar(trace_moment_general((k, *mu))))


def test_degree_of_the_terms() -> None:
    assert all(j + sum(nu) == 5 for j, nu in matrix_moment_general(2, (3,)))


def test_a_wrong_image_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = marked_basis.images
    marked_basis.clear_cache()
    monkeypatch.setattr(marked_basis, "images", lambda j, nu: dict.fromkeys(right(j, nu), 1))
    try:
        with pytest.raises(AssertionError):
            test_two_derivations_agree(3)
        with pytest.raises(AssertionError):
            test_one_column_is_a_chi_square(7)
    finally:
        marked_basis.clear_cache()


@pytest.mark.parametrize("power", [-1, 2.0, True])
def test_bad_powers_are_refused(power: Any) -> None:
    with pytest.raises(ValueError, match="is no power here"):
        matrix_moment_general(power)


def test_bad_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        trace_moment_general((-1, 2))
    with pytest.raises(ValueError, match="non-zero integer"):
        matrix_moment_general(1, (0,))


def test_degrees_are_limited() -> None:
    with pytest.raises(ValueError, match="from 0 to 24"):
        matrix_moment_general(20, (5,))
    with pytest.raises(ValueError, match="from 0 to 20"):
        trace_moments_general(21)
    with pytest.raises(ValueError, match="from 0 to 20"):
        trace_moments_general(-1)
