"""Exact matrices from exact numbers, and no others."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import pytest
from flint import fmpq, fmpq_mat

from symbolic.algebra.matrices import diagonal, exact_matrix, multiple


def test_rows_and_diagonals_of_any_exact_number() -> None:
    third = Fraction(1, 3)
    assert exact_matrix([[1, third], [fmpq(2, 5), 0]]) == fmpq_mat([[1, fmpq(1, 3)], [fmpq(2, 5), 0]])
    assert diagonal([third, 2]) == fmpq_mat([[fmpq(1, 3), 0], [0, 2]])
    assert multiple(3, third) == diagonal([third] * 3)
    assert multiple(2) * exact_matrix([[1, 2], [3, 4]]) == exact_matrix([[1, 2], [3, 4]])


def test_a_rounded_number_is_refused() -> None:
    rounded = cast(int, 0.5)
    with pytest.raises(ValueError, match=r"0\.5 is not an exact number"):
        exact_matrix([[rounded]])
