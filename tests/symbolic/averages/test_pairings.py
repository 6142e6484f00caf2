"""The oracle itself, checked against counting and against sums over all indices."""

from fractions import Fraction
from math import prod

import pytest

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import gaussian, identity, matrix, scalar, tr, unit, vector
from symbolic.averages.pairings import expect_by_pairings, pairings
from symbolic.checks.entries import expect_by_entries, letter_values
from symbolic.checks.gram_moments import double_factorial
from symbolic.checks.summation import expect_by_summation, isserlis

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
    """E g^(2d) = (2d - 1)!!, E (variance s)^... = s^d (2d - 1)!!, by all three routes."""
    g = gaussian("g", "1", "1", covariance="s")
    expected = double_factorial(2 * degree - 1)
    assert expect_by_pairings(g ** (2 * degree)).replace({"s": 1}) == expected
    assert isserlis([("g", 0, 0)] * (2 * degree), {"g": [[3]]}) == expected * 3**degree
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
def test_symbolic_pairings_against_sums_over_indices(moment):
    values, roots = letter_values(moment.letters(), SIZES)
    summed = expect_by_summation(moment, SIZES, values)
    entries = expect_by_entries(moment, SIZES, values, roots)
    symbolic = evaluate(expect_by_pairings(moment), {**SIZES, **values})
    if moment.is_scalar:
        assert [[summed]] == entries
        assert summed == symbolic
    else:
        assert [list(row) for row in summed] == entries
        assert entries == symbolic


def test_isserlis_needs_equal_rows_and_correlated_columns():
    sigma = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(5)]]
    assert isserlis([("X", 0, 0), ("X", 0, 1)], {"X": sigma}) == 1
    assert isserlis([("X", 0, 0), ("X", 1, 0)], {"X": sigma}) == 0
    assert isserlis([("X", 0, 0), ("Y", 0, 0)], {"X": None, "Y": None}) == 0
    assert isserlis([("X", 0, 0), ("X", 0, 1)], {"X": None}) == 0
    assert isserlis([], {}) == 1


def test_letter_values_are_distinct_and_positive_definite():
    letters = (S @ A @ matrix("B", "p", "p") @ matrix("D", "p", "p", symmetric=True) @ w).letters()
    values, roots = letter_values(letters, {"n": 3, "p": 3})
    assert set(values) == {"A", "B", "D", "Sigma", "w"}
    assert len({str(value) for value in values.values()}) == len(values)
    assert prod(roots["Sigma"][k][k] for k in range(3)) > 0
    assert values["D"] == [list(row) for row in zip(*values["D"], strict=True)]
    assert values["A"] != [list(row) for row in zip(*values["A"], strict=True)]


@pytest.mark.parametrize(
    ("sizes", "values", "message"),
    [
        ({"n": 1}, {}, "no size given for the dimension p"),
        ({"n": 1, "p": 1}, {}, "no value given for the letter A"),
        ({"n": 1, "p": 2}, {"A": [[1, 2]]}, "must have 2 rows and 2 columns"),
        ({"n": 1, "p": 1}, {"A": [[0.5]]}, "not an exact number"),
    ],
)
def test_bad_sizes_and_values_are_refused(sizes, values, message):
    with pytest.raises(ValueError, match=message):
        expect_by_summation(X @ A @ X.T, sizes, values)


def test_asymmetric_covariance_is_refused():
    with pytest.raises(ValueError, match="Sigma must be symmetric"):
        expect_by_summation(tr(S @ S.T), {"n": 1, "p": 2}, {"Sigma": [[1, 2], [0, 1]]})


def test_over_keeps_the_other_matrix():
    value = expect_by_pairings(Y.T @ Y @ X.T @ X, over={"X"})
    assert value == scalar("n") * Y.T @ Y
