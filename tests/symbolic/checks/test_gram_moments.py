"""Moments of the entries of Gram matrices: the two routes agree, and so do known moments."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest

from symbolic.algebra.entry_laws import LAPLACE, RADEMACHER
from symbolic.checks import gram_moments
from symbolic.checks.gram_moments import (
    GramMoments,
    chi_squared_moment,
    inverse_determinant_moment,
    normal_moment,
    pairs,
)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_triangular_decomposition_agrees_with_the_sum_over_rows(rows: int, size: int) -> None:
    bartlett, by_rows = GramMoments(rows, size), GramMoments(rows, size, normal_moment)
    for exponents in product(range(5 - size), repeat=len(pairs(size))):
        assert bartlett(exponents) == by_rows(exponents)


def test_one_column_is_chi_squared() -> None:
    for rows, power in product(range(1, 5), range(6)):
        assert GramMoments(rows, 1)((power,)) == chi_squared_moment(rows, power)


def test_moments_in_the_number_of_rows_are_polynomials() -> None:
    """The differences of order d + 1 of a moment of degree d vanish, also below p rows."""
    values = [GramMoments(rows, 3)((1, 0, 2, 1, 0, 1)) for rows in range(-3, 5)]
    assert sum((-1) ** k * comb(6, k) * value for k, value in enumerate(values[:7])) == 0
    assert sum((-1) ** k * comb(6, k) * value for k, value in enumerate(values[1:])) == 0


def test_entries_of_other_laws() -> None:
    """E G_11^2 = n kappa_4 + n^2 + 2 n, and a sign is its own square."""
    assert GramMoments(4, 1, LAPLACE.rule)((2,)) == 4 * 3 + 16 + 8
    assert GramMoments(3, 2, RADEMACHER.rule)((2, 0, 1)) == 27
    assert GramMoments(3, 2, RADEMACHER.rule)((0, 2, 0)) == 3


def test_the_determinant() -> None:
    """E det G of two columns is n (n - 1); its inverse from the density, by E det^-1 det = 1."""
    for rows in range(5, 8):
        shifted = GramMoments(rows - 2, 2)
        determinant = shifted((1, 0, 1)) - shifted((0, 2, 0))
        assert determinant == (rows - 2) * (rows - 3)
        assert inverse_determinant_moment(rows, 2, 1) * determinant == 1
    assert inverse_determinant_moment(9, 1, 2) == Fraction(1, 7 * 5)


def test_every_diagonal_entry_is_chi_squared() -> None:
    """Also the last, which is a sum in the triangular decomposition."""
    for power in range(5):
        assert GramMoments(4, 2)((0, 0, power)) == chi_squared_moment(4, power)
        assert GramMoments(4, 3)((0, 0, 0, 0, 0, power)) == chi_squared_moment(4, power)


def test_a_wrong_moment_of_an_entry_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram_moments, "double_factorial", lambda k: 1)
    assert GramMoments(4, 2)((0, 0, 2)) != chi_squared_moment(4, 2)
