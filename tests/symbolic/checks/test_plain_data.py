"""Expressions to plain data and back."""

import json
from fractions import Fraction

import pytest

from symbolic.algebra.words import constant, gaussian, identity, matrix, scalar, tr, unit, vector, zero
from symbolic.averages.expectation import expect
from symbolic.checks.plain_data import expression_from_data, expression_to_data

A = matrix("A", "p", "p")
X = gaussian("X", "n", "p", covariance="Sigma")
w = vector("w", "p")


@pytest.mark.parametrize(
    "expr",
    [
        zero(),
        zero("p", "q"),
        constant(Fraction(-3, 7)),
        identity("p") * scalar("1/n"),
        tr(A.T @ A) * A + w @ w.T,
        X.T @ X @ A,
        w.T @ A @ w,
        tr(A @ unit("p", 1) @ unit("p", 2).T) ** 2,
        expect((X.T @ X) ** 3),
    ],
    ids=repr,
)
def test_round_trip_through_json(expr):
    data = json.loads(json.dumps(expression_to_data(expr)))
    again = expression_from_data(data)
    assert again == expr
    assert again.shape == expr.shape
    assert expression_to_data(again) == expression_to_data(expr)


@pytest.mark.parametrize("data", [{}, {"shape": None, "letters": [], "terms": [{}]}, {"letters": 3}])
def test_foreign_data_are_refused(data):
    with pytest.raises(ValueError, match="describe no expression"):
        expression_from_data(data)
