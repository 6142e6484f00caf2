"""The oracle itself, checked against counting and against sums over the entries of matrices of small sizes."""

from fractions import Fraction
from math import prod

import pytest

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import gaussian, identity, matrix, scalar, tr, unit, vector
from symbolic.averages.pairings import expect_by_pairings, pairings
from symbolic.checks.entries import expect_by_entries, letter_values
from symbolic.checks.gram_moments import double_factorial

X = gaussian("X", "n", "p")
S = gaussian("S", "n", "p", covariance="Sigma")
Y = gaussian("Y", "q", "p")
A = matrix("A", "p", "p")
w = vector("w", "p")
SIZES = {"n": 2, "p": 2, "q": 1}


@pytest.mark.parametrize("size", range(0, 9))
def test_number_of_pairings(size):
    found = list(pairings(range(size)))
    assert len(found) == (double_factorial(size - 1) if size % 2 == 0 else 0)
    assert all(sorted(x for pair in pairing for x in pair) == list(range(size)) for pairing in found)
    assert len({tuple(sorted(pairing)) for pairing in found}) == len(found)


@pytest.mark.parametrize("degree", range(1, 5))
def test_scalar_gaussian_moments(degree):
    """E g^(2d) = (2d - 1)!!, E (variance s)^... = s^d (2d - 1)!!, by both routes."""
    g = gaussian("g", "1", "1", covariance="s")
    expected = double_factorial(2 * degree - 1)
    assert expect_by_pairings(g ** (2 * degree)).replace({"s": 1}) == expected
    assert expect_by_entries(g ** (2 * degree), {}, {}, {"s": [[Fraction(2)]]}) == [[expected * 4**degree]]


MOMENTS = [
    X.T @ X,
    X @ A @ X.T,
    S.T @ S @ A @ S.T @ S,
    tr(S @ A @ S.T) * S.T @ S,
    Y @ X.T @ X @ Y.T,
    tr(X.T @ X @ A @ w @ w.T),
    X @ A @ X.T @ X,
    tr(X @ unit("p", 1) @ unit("n", 2).T) ** 2 * identity("p"),
    scalar("n") * tr(A) * identity("p") + 2 * S.T @ S,
    (w.T @ S.T @ S @ w) * scalar("1/p"),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=repr)
def test_symbolic_pairings_against_sums_over_entries(moment):
    values, roots = letter_values(moment.letters(), SIZES)
    symbolic = evaluate(expect_by_pairings(moment), {**SIZES, **values})
    assert expect_by_entries(moment, SIZES, values, roots) == ([[symbolic]] if moment.is_scalar else symbolic)


def test_letter_values_are_distinct_and_positive_definite():
    letters = (S @ A @ matrix("B", "p", "p") @ matrix("D", "p", "p", symmetric=True) @ w).letters()
    values, roots = letter_values(letters, {"n": 3, "p": 3})
    assert set(values) == {"A", "B", "D", "Sigma", "w"}
    assert len({str(value) for value in values.values()}) == len(values)
    assert prod(roots["Sigma"][k][k] for k in range(3)) > 0
    assert values["D"] == [list(row) for row in zip(*values["D"], strict=True)]
    assert values["A"] != [list(row) for row in zip(*values["A"], strict=True)]


def test_over_keeps_the_other_matrix():
    value = expect_by_pairings(Y.T @ Y @ X.T @ X, over={"X"})
    assert value == scalar("n") * Y.T @ Y
