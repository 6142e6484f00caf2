"""Reading a numeric covariance: exactness and refusals."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from symbolic.wishart.covariance_matrix import exact_covariance


def test_floats_are_taken_at_their_binary_value() -> None:
    sigma, exact = exact_covariance([[0.1]])
    assert not exact
    assert sigma[0, 0] == fmpq(*(0.1).as_integer_ratio())
    assert sigma[0, 0] != fmpq(1, 10)


@pytest.mark.parametrize(
    "entries", [[[2, 1], [1, 3]], [[Fraction(1, 3), 0], [0, 1]], np.array([[2, 1], [1, 3]])]
)
def test_integers_and_fractions_are_exact(entries: Any) -> None:
    assert exact_covariance(entries)[1]


def test_one_float_makes_it_inexact() -> None:
    assert not exact_covariance([[1, 0], [0, 2.0]])[1]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "not square"),
        ([[1, 2], [2]], "not square"),
        ([[1, 2], [3, 4]], "not symmetric"),
        ([[1, 2], [2, 1]], "negative eigenvalue"),
        ([[-1e-3]], "negative eigenvalue"),
        ([[float("nan")]], "finite real numbers"),
        ([[float("inf")]], "finite real numbers"),
        ([[1j]], "finite real numbers"),
        ([["1"]], "finite real numbers"),
        (3.5, "is no covariance"),
        ([1, 2], "is no covariance"),
    ],
)
def test_what_is_no_covariance_is_refused(entries: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exact_covariance(entries)


def test_rounding_does_not_refuse_a_singular_covariance() -> None:
    x = np.random.default_rng(3).standard_normal((2, 4))
    exact_covariance(x.T @ x)
