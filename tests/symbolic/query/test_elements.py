"""Elements of matrices, and covariances of two scalars."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq_mat

from symbolic.algebra.refusal import Refused
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.query.query import moment
from symbolic.query.value import Matrices, evaluate
from symbolic.wishart.trace_polynomial import elements

BY_HAND = (
    ("W[1,2]", "n Sigma[1,2]"),
    ("W'[1,2] - W[2,1]", "0"),
    ("(A W)[1,2]", "n (A Sigma)[1,2]"),
    (
        "W e[1,2] W",
        "n (n + 1) Sigma e[1,2] Sigma + n Sigma[2,1] Sigma - n Sigma e[1,2] Sigma + n Sigma e[2,1] Sigma",
    ),
    ("cov(W[1,2], W[3,4])", "n (Sigma[1,3] Sigma[2,4] + Sigma[1,4] Sigma[2,3])"),
    ("var(W[1,1])", "2 n Sigma[1,1]^2"),
    ("cov(tr(A W), tr(B W))", "n tr(A Sigma B Sigma) + n tr(A Sigma B' Sigma)"),
    ("cov(W1[1,1], W2[1,1])", "0"),
    ("cov(tr(A), W[1,1])", "0"),
    ("var(W^-1[1,1])", "2/((n - p - 1)^2*(n - p - 3)) Sigma^-1[1,1]^2"),
    ("cov(tr(W), tr(W^-1))", "-2*p/(n - p - 1)"),
    ("cov(tr(W1 W2^-1), 3)", "0"),
)


@pytest.mark.parametrize(("text", "right"), BY_HAND)
def test_formulas_worked_out_by_hand(text: str, right: str) -> None:
    found = moment(text, covariance="general")
    assert found.expectation.equals(elements(expand(right, parse(right))))
    assert found.checked


def test_the_variance_of_an_f_variable() -> None:
    """n2 F / n1 = W1/W2 at p = 1 has variance 2 n1 (n1 + n2 - 2) / ((n2 - 2)^2 (n2 - 4))."""
    n1, n2 = 5, 9
    expected = Fraction(2 * n1 * (n1 + n2 - 2), (n2 - 2) ** 2 * (n2 - 4))
    assert moment("var(tr(W1 W2^-1))", {"n1": n1, "n2": n2, "p": 1}).value == str(expected)


LETTERS = {
    "A": [[1, 2, 0], [-1, 3, 1], [4, 1, 5]],
    "B": [[0, 1, 1], [2, 7, -1], [1, 3, 1]],
    "Sigma": [[3, 1, 0], [1, 2, 1], [0, 1, 4]],
}
PRODUCTS = (
    "tr(A e[1,2] B e[3,1])",
    "tr(A e[1,2] B' e[3,1] A e[2,2] Sigma^-1 e[1,1])",
    "A e[1,2] B e[3,1] A'",
    "e[1,2] e[2,3] A",
    "e[1,2] e[1,3] A",
    "e[1,2]'^2 + e[3,3]^3 + tr(e[1,1]) e[1,2] + tr(e[2,1]) e[1,2]",
    "(A + B)[1,3] (A B)'[2,1] + 2",
    "I[1,1] + I[1,2]",
)


@pytest.mark.parametrize("text", PRODUCTS)
def test_what_stands_between_is_an_element(text: str) -> None:
    matrices = Matrices(3, {name: fmpq_mat(rows) for name, rows in LETTERS.items()})
    plain = expand(text, parse(text))
    split = elements(plain)
    for monomial in split.terms:
        for word in monomial.words:
            assert sum(factor.startswith("e[") for factor in word) <= 1
    one, other = evaluate(plain.at({"p": 3}), matrices), evaluate(split.at({"p": 3}), matrices)
    assert one == other
    again = moment(text).text
    assert elements(expand(again, parse(again))).equals(split)


@pytest.mark.parametrize(("text", "right"), BY_HAND)
def test_the_answer_reads_back(text: str, right: str) -> None:
    found = moment(text, covariance="general")
    assert (
        elements(expand(found.text, parse(found.text))).equals(found.expectation)
        or not found.expectation.terms
    )


@pytest.mark.parametrize(
    ("text", "values", "value"),
    [
        ("W[1,2]^2", {"n": 3, "Sigma": [[2, 1], [1, 2]]}, "24"),
        ("var(W^-1[1,2])", {"n": 9, "p": 3}, "1/90"),
        ("(W A)[2,1]", {"n": 2, "A": [[1, 2], [3, 4]]}, "6"),
        ("W[1,1]", {"n": 2, "p": 1}, "2"),
        ("W^-1[1,1] A[1,1] W[1,1]", {"n": 2, "p": 1, "A": [[5]]}, "5"),
    ],
)
def test_values(text: str, values: dict[str, Any], value: str) -> None:
    assert moment(text, values).value == value


def test_elements_under_a_law() -> None:
    """The variance of W_11 is n times that of a square."""
    assert moment("var(W[1,1])", {"n": 7, "p": 2}, None, "uniform").value == str(7 * (Fraction(9, 5) - 1))
    assert moment("W[1,2]^2", {"n": 7, "p": 2}, None, "rademacher").value == "7"


REFUSED = (
    ("cov(W, W)", "cov is of scalars: take elements, as in W[1,2], or traces"),
    ("cov(W[1,2])", "expected ',' between the two parts of cov"),
    ("1 + var(W[1,2])", "stands alone"),
    ("W[0,1]", "an index is from 1 to 30"),
    ("W[1]", "expected ',' in an index"),
    ("W[1,2,3]", "expected ']' in an index"),
    ("e W", "which is the matrix of a single 1"),
    ("n[1,2]", "an element of a scalar is taken"),
    ("W[1,2]'", "a scalar is transposed"),
    ("tr(W[1,1])", "the trace of a scalar is taken"),
    ("W + W[1,2]", "a scalar is added to a matrix"),
    ("e[1,2]^-1", "have negative powers"),
)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(MomentSyntaxError) as caught:
        moment(text)
    assert reason in str(caught.value)


def test_an_index_over_p_is_refused() -> None:
    for text in ("W[3,1]", "e[1,3] W", "cov(W[1,1], W[3,3])"):
        with pytest.raises(Refused, match="the index 3 is over p = 2"):
            moment(text, {"n": 5, "p": 2})


def test_products_of_means_that_are_sums_are_refused() -> None:
    with pytest.raises(Refused, match="sums over indices"):
        moment("cov(tr(W^2), tr(W^2))", None, "general", "laplace")
