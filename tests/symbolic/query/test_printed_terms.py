"""Printed terms, read again: coefficients, words, sums over indices; anything else is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq_mat

from symbolic.algebra.coefficients import number
from symbolic.algebra.quotients import Rational
from symbolic.averages.network_polynomial import NetworkPolynomial
from symbolic.averages.network_values import evaluate_networks
from symbolic.query.law_answer import LawPolynomial
from symbolic.query.printed_terms import Point, TooManyProducts, coefficient
from symbolic.query.query import moment
from symbolic.wishart.moment_text import coefficient_text

A = fmpq_mat([[1, 2], [3, -1]])
SIGMA = fmpq_mat([[5, 5], [5, 10]])
ROOT = fmpq_mat([[2, 1], [1, 3]])
POINT = Point({"n": 5, "p": 2}, {"A": A, "Sigma": SIGMA, "Sigma^(1/2)": ROOT}, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-1/2", Fraction(-1, 2)),
        ("1/2*n", Fraction(5, 2)),
        ("-n^2*p", -50),
        ("n^2 - 3/2*n*p + 4", 14),
        ("n/p", Fraction(5, 2)),
        ("3/(n - p)", 1),
        ("(1/2)/(n - p)", Fraction(1, 6)),
        ("(n^2 - 1)/(n*p)", Fraction(24, 10)),
    ],
)
def test_coefficients(text: str, value: Fraction) -> None:
    read = coefficient(text)
    assert read.at({"n": Fraction(5), "p": Fraction(2)}) == value
    assert coefficient_text(read) == text


def test_coefficients_of_answers_are_read_back() -> None:
    for text in ("W^-3 tr(W)", "W^3", "tr(W1 W2 W1)", "1/3 n W/p^2"):
        for term in moment(text, None, "general").terms:
            assert coefficient_text(coefficient(term["coefficient"])) == term["coefficient"]
    assert coefficient("n1 + n12").at({"n1": Fraction(2), "n12": Fraction(3)}) == 5
    assert coefficient("2/n").equals(Rational.number(2) / Rational.generator("n"))


@pytest.mark.parametrize(
    "text", ["", "x", "2n", "n^-1", "(n", "n + ", "1.5", "n**2", "n*-p", "n^1000", "Sigma", "(n)/(", "1/0"]
)
def test_other_coefficients_are_refused(text: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        coefficient(text).at({"n": Fraction(5), "p": Fraction(2)})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I", A**0),
        ("A'^2 Sigma", A.transpose() ** 2 * SIGMA),
        ("Sigma^-2", SIGMA.inv() ** 2),
        ("Sigma^(1/2) A Sigma^(1/2)^2", ROOT * A * ROOT**2),
    ],
)
def test_words(text: str, value: fmpq_mat) -> None:
    assert POINT.word(text) == value


@pytest.mark.parametrize(
    ("matrix", "value"),
    [
        ("diag(A)^2", [[1, 0], [0, 1]]),
        ("A diag(A' A) A", [[40, 10], [15, 65]]),
        ("[]_ab", [[1, 1], [1, 1]]),
        ("[(A)_ab (A)_ba]_ab", [[1, 6], [6, 1]]),
        ("[sum_c (A)_ac^2 (A)_cb]_ab", [[13, -2], [12, 17]]),
        ("diag[sum_b (A)_ab]_a", [[3, 0], [0, 2]]),
    ],
)
def test_matrices_of_sums(matrix: str, value: list[list[int]]) -> None:
    term = {
        "coefficient": "n",
        "word": None,
        "traces": ["A A"],
        "sums": ["[sum_ab (A)_ab^2]"],
        "matrix": matrix,
    }
    assert POINT.value([term]) == [[5 * 14 * 15 * x for x in row] for row in value]


@pytest.mark.parametrize(
    "change",
    [
        {"word": "A^-1"},
        {"word": "X"},
        {"word": "A^1000"},
        {"word": ""},
        {"traces": ["A  A"]},
        {"sums": ["sum_a (A)_aa"]},
        {"sums": ["[sum_a (A)_ab]"]},
        {"sums": ["[(A)]"]},
        {"word": None, "matrix": "diag(A"},
        {"word": None, "matrix": "diag(A)A"},
        {"word": None, "matrix": "[(A)_aa]_a"},
        {"word": None, "matrix": "diag[(A)_ab]_ab"},
    ],
)
def test_other_terms_are_refused(change: dict[str, Any]) -> None:
    term = {"coefficient": "1", "word": "A", "traces": [], **change}
    with pytest.raises(ValueError, match="not as a term is printed"):
        POINT.value([term])
    with pytest.raises(ValueError, match="not as a term is printed"):
        POINT.value([{**term, "word": None, "matrix": "A", "traces": ["?"]}])


def test_scalars_and_matrices_are_not_added() -> None:
    scalar = {"coefficient": "1", "word": None, "traces": []}
    with pytest.raises(ValueError, match="scalars and matrices"):
        POINT.value([scalar, {**scalar, "word": "I"}])


def test_long_sums_are_left_alone() -> None:
    large = Point({}, {"A": fmpq_mat(20, 20)}, 20, limit=8000)
    with pytest.raises(TooManyProducts):
        large.value(
            [{"coefficient": "1", "word": None, "traces": [], "sums": ["[sum_abc (A)_ab (A)_bc (A)_ca]"]}]
        )


@pytest.mark.parametrize("text", ["W A W A' W", "tr(W A W A) tr(W)", "A W^3 tr(W A)", "tr(W1 A W W1 A W)"])
def test_printed_sums_have_the_value_of_the_sums(text: str) -> None:
    """Against the evaluation of the terms before they are printed."""
    result = moment(text, None, "general", "cumulants:1/2,1,-1/3,2,1/5,7")
    expected = result.expectation
    assert isinstance(expected, LawPolynomial)
    assert expected.sums
    dimensions = {"n": 3, "n1": 4, "p": 2}
    only = [term for term in result.terms if "sums" in term]
    values = {"A": A.tolist(), "Sigma": SIGMA.tolist(), "Sigma^(1/2)": ROOT.tolist(), **dimensions}
    terms = {
        term: number(value.at({k: Fraction(x) for k, x in dimensions.items()}))
        for term, value in expected.sums.items()
    }
    shape = ("p", "p") if expected.is_matrix else None
    total = evaluate_networks(NetworkPolynomial(terms, shape, frozenset()), values)
    assert Point(dimensions, POINT.matrices, 2).value(only) == (total if shape else [[total]])
