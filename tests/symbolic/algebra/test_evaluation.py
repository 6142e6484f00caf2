"""Values of expressions on numbers and matrices, exact and floating."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import constant, gaussian, identity, matrix, scalar, tr, unit, vector, zero
from symbolic.averages.expectation import expect

A = matrix("A", "p", "p")
B = matrix("B", "p", "q")
D = matrix("D", "p", "p", symmetric=True)
w = vector("w", "p")
VALUES = {
    "A": [[1, 2], [3, 4]],
    "B": [[1, 0, 2], [-1, 3, 1]],
    "D": [[2, 1], [1, 5]],
    "w": [[1], [-2]],
    "a": 3,
}
EXPRESSIONS = [
    tr(A @ D) * A + scalar("a") * D,
    tr(A @ B @ B.T),
    B.T @ A @ w @ w.T,
    (w.T @ D @ w) * scalar("1/a"),
    A @ B,
    scalar("p") * identity("p") - A.T,
    tr(A @ unit("p", 1) @ unit("p", 2).T),
    unit("p", 2).T @ A @ w,
    A @ unit("p", 2),
    (A - A) + zero("p", "p"),
]


def reference(expr):
    """The same values by NumPy from the definition of each expression in `EXPRESSIONS`."""
    a, b, d, v = (np.array(VALUES[name], dtype=float) for name in "ABDw")
    return [
        np.trace(a @ d) * a + 3 * d,
        np.trace(a @ b @ b.T),
        b.T @ a @ v @ v.T,
        (v.T @ d @ v).item() / 3,
        a @ b,
        2 * np.eye(2) - a.T,
        a[1, 0],
        (a @ v)[1, 0],
        a[:, 1:],
        np.zeros((2, 2)),
    ][EXPRESSIONS.index(expr)]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=repr)
def test_exact_lists_and_arrays_agree_with_numpy(expr):
    sizes = {"p": 2, "q": 3}
    exact = evaluate(expr, VALUES | sizes)
    arrays = {n: np.array(v, dtype=float) if isinstance(v, list) else v for n, v in VALUES.items()}
    floating = evaluate(expr, arrays | sizes)
    assert np.allclose(np.array(exact, dtype=float), reference(expr), rtol=1e-14)
    assert np.allclose(floating, reference(expr), rtol=1e-14)
    flat = [x for row in exact for x in row] if isinstance(exact, list) else [exact]
    assert all(isinstance(x, Fraction) for x in flat)


def test_integer_arrays_stay_exact():
    value = evaluate(D**40, {"D": np.array(VALUES["D"])})
    assert value == evaluate(D**40, {"D": VALUES["D"]})
    assert value[1][1] > 2**64


def test_flint_matrices_stay_flint():
    value = evaluate(A @ A, {"A": flint.fmpq_mat(2, 2, [1, 2, 3, 4])})
    assert value == flint.fmpq_mat(2, 2, [7, 10, 15, 22])


def test_vectors_may_be_one_dimensional():
    assert evaluate(w @ w.T, {"w": [1, 2]}) == [[1, 2], [2, 4]]
    assert np.array_equal(evaluate(w @ w.T, {"w": np.array([1.0, 2.0])}), [[1, 2], [2, 4]])


def test_sizes_are_read_off_the_matrices():
    X = gaussian("X", "n", "p", covariance="Sigma")
    moment = expect(X.T @ X)
    assert evaluate(moment, {"n": 3, "Sigma": [[1, 0], [0, 2]]}) == [[3, 0], [0, 6]]
    assert evaluate(scalar("p") * tr(A), {"A": [[1, 0], [0, 2]]}) == 6
    assert evaluate(constant(Fraction(1, 3)), {}) == Fraction(1, 3)
    assert evaluate(scalar("a") * scalar("1/b"), {"a": 0.5, "b": 4}) == 0.125


def test_a_float_scalar_beside_integer_arrays():
    assert evaluate(scalar("a") * tr(A), {"a": 0.5, "A": np.array([[1, 0], [0, 2]])}) == 1.5


@pytest.mark.parametrize(
    ("expr", "values", "message"),
    [
        (tr(A), {}, "no value given for A"),
        (scalar("a"), {}, "no value given for a"),
        (scalar("1/a"), {}, "no value given for a"),
        (identity("p"), {}, "no value given for the dimension p"),
        (tr(A), {"A": [[1, 2], [3, 4]], "p": 3}, "where p = 3"),
        (A, {"A": [[1, 2]]}, "matching sizes"),
        (A @ B, {"A": [[1]], "B": [[1], [2]]}, "matching sizes"),
        (tr(A), {"A": [[1, 2], [3]]}, "equal length"),
        (tr(A), {"A": [[0.5]]}, "nested lists of exact numbers"),
        (scalar("1/a"), {"a": 0}, "not a single term"),
    ],
)
def test_bad_values_are_refused(expr, values, message):
    with pytest.raises(ValueError, match=message):
        evaluate(expr, values)
