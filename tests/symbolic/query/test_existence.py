"""Negative powers in moment queries: a positive definite Sigma, enough rows, and truthful refusals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symbolic.query.query import moment
from symbolic.wishart.existence import MomentDoesNotExist

SINGULAR = [[1, 1], [1, 1]]


@pytest.mark.parametrize("text", ["W^-1 W", "W^-1 W^3", "Sigma^-1 Sigma W", "(W^2)^-1 W^2", "tr(W^-1) W"])
@pytest.mark.parametrize("sigma", [SINGULAR, np.array(SINGULAR, dtype=float)])
def test_a_negative_power_needs_a_positive_definite_covariance(text: str, sigma: Any) -> None:
    with pytest.raises(ValueError, match=r"Sigma is singular.*give a positive definite matrix"):
        moment(text, {"n": 9, "Sigma": sigma}, "general")


@pytest.mark.parametrize("text", ["W", "W^2 tr(W)", "W^0", "n^-1 W", "2^-1 Sigma"])
def test_other_powers_take_a_singular_covariance(text: str) -> None:
    given = {"Sigma": SINGULAR} | ({"n": 9} if "W" in text or "n" in text else {})
    assert moment(text, given, "general").value is not None


def test_floats_are_inverted_up_to_their_rounding() -> None:
    assert moment("W^-1", {"n": 9, "Sigma": np.diag([1.0, 1e-11])}).value == [[1 / 6, 0], [0, 1e11 / 6]]
    with pytest.raises(ValueError, match=r"too ill-conditioned for floats.*in fractions if it is nearly"):
        moment("W^-1", {"n": 9, "Sigma": np.diag([1.0, 1e-16])})
    exact = [[1, 0], [0, Fraction(1, 10**20)]]
    assert moment("W^-1", {"n": 9, "Sigma": exact}).value == [["1/6", "0"], ["0", "50000000000000000000/3"]]


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        (
            "tr(W^-2)",
            {"n": 4, "p": 2},
            r"^the expectation exists only for n - p > 3, and n - p = 2 here: take",
        ),
        (
            "tr(W^-1)^2 - tr(W^-2)",
            {"n": 4, "p": 2},
            r"^the expectation of tr\(W\^-1\)\^2 exists only for n - p > 3, and n - p = 2 here, so this sum is "
            r"not answered: take n of at least 6$",
        ),
        ("W^-1 + W1^-2", {"n": 9, "n1": 3, "p": 2}, r"of W1\^-2 exists only for n1 - p > 3.*take n1 of at"),
        (
            "W^-1 W + A",
            {"n": 1, "p": 2},
            r"^the inverse of W exists only for n >= p, and n - p = -1 here: take",
        ),
    ],
)
def test_what_diverges_is_named(text: str, values: dict[str, int], message: str) -> None:
    with pytest.raises(MomentDoesNotExist, match=message):
        moment(text, values)


def test_a_sum_with_enough_rows_is_answered() -> None:
    """2 det W^-1 at p = 2, and E det W^-1 = 1/((n - 2)(n - 3))."""
    result = moment("tr(W^-1)^2 - tr(W^-2)", {"n": 7, "p": 2})
    assert result.value == "1/10"
    assert result.conditions == ("n - p > 3",)
