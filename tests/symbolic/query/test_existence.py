"""Negative powers in moment queries: a positive definite Sigma, enough rows, and truthful refusals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from derivations.formulas.moment_function import moment_function
from derivations.support.bad_input import BadInput
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


@pytest.mark.parametrize(
    ("text", "options", "condition"),
    [
        ("cov(det(W), tr(W^-1))", {}, "n - p > 1"),
        ("cov(det(W)^2, tr(W^-2))", {}, "n - p > 3"),
        ("cov(tr(W^-2), det(W)^(1/2))", {}, "n - p > 3"),
        ("cov(det(W)^2, det(W)^-2)", {}, "n - p > 3"),
        ("cov(det(W), tr(W^-1))", {"law": "complex"}, "n - p > 0"),
        ("cov(tr(W^-1), tr(W))", {"values": {"p": 1}}, "n - p > 1"),
        ("cov(tr(W), tr(W^-2))", {"values": {"p": 1}}, "n - p > 3"),
        ("cov(tr(W^-1), tr(W^-1))", {}, "n - p > 3"),
        ("det(W)^-1 det(W)", {}, "n >= p"),
        ("det(W)^(1/2) det(W)^(-1/2) W", {}, "n >= p"),
        ("W^-4", {}, "n - p > 7"),
        ("tr(W^-3) W^-2", {}, "n - p > 9"),
        ("W^-4", {"law": "complex"}, "n - p > 3"),
        ("det(W)^-1 + tr(W^-1)^2", {"values": {"p": 2}}, "n - p > 3"),
    ],
)
def test_all_that_an_expectation_is_made_of_has_to_exist(
    text: str, options: dict[str, Any], condition: str
) -> None:
    """E XY - EX EY needs each of the three, and what cancels was there before."""
    found = moment(text, **options)
    assert found.conditions == (condition,)
    size = found.bounds[0][1]
    over, law = Fraction(size) + 2, {"law": options["law"]} if "law" in options else {}
    p = options.get("values", {}).get("p", 2)
    for rows, exists in ((over + p, True), (size + p, False)):
        if exists:
            assert moment(text, {"n": rows, "p": p}, **law).value is not None
        else:
            with pytest.raises(MomentDoesNotExist):
                moment(text, {"n": rows, "p": p}, **law)


def test_a_function_refuses_where_one_of_the_means_diverges() -> None:
    for text, values in (("cov(tr(W^-2), tr(W))", {"n": 3}), ("cov(tr(W^-1), tr(W))", {"n": 1})):
        with pytest.raises(BadInput, match="exists only for n - p >"):
            moment_function(moment(text, {"p": 1}))(**values)
    found = moment_function(moment("cov(det(W)^2, det(W)^-2)"))
    with pytest.raises(BadInput, match="exists only for n - p > 3"):
        found(n=4, p=2)
    assert found(n=8, p=2) == pytest.approx(
        float(str(moment("cov(det(W)^2, det(W)^-2)", {"n": 8, "p": 2}).value))
    )


def test_degrees_of_freedom_that_are_no_whole_number_are_taken_by_values_and_functions_alike() -> None:
    for text in ("tr(W^-1 W^2)", "log det(W)"):
        value = float(str(moment(text, {"n": Fraction(3, 2), "p": 2}).value))
        assert moment_function(moment(text))(n=1.5, p=2) == pytest.approx(value)
        with pytest.raises(BadInput, match="exists only for n >= p"):
            moment_function(moment(text))(n=1, p=2)


def test_p_is_put_in_before_the_rows_where_it_removes_a_pole() -> None:
    assert moment("(p-2)/(n-4) tr(W)", {"n": 4, "p": 2}).value == "0"
