"""Replacing letters and scalars, and rewriting subwords."""

from fractions import Fraction

import pytest

from symbolic.algebra import substitution
from symbolic.algebra.words import constant, gaussian, identity, matrix, scalar, tr, unit, vector, zero
from symbolic.averages.expectation import expect

A = matrix("A", "p", "p")
D = matrix("D", "p", "p", symmetric=True)
X = gaussian("X", "n", "p")
w, v = vector("w", "p"), vector("v", "p")
ONE = identity("p")
rate = scalar("rate")


@pytest.mark.parametrize(
    ("expr", "values", "expected"),
    [
        (A @ D, {"D": ONE}, A),
        (tr(A @ D), {"D": ONE}, tr(A)),
        (tr(D), {"D": ONE}, scalar("p")),
        (A @ D @ A.T, {"A": D + w @ w.T}, (D + w @ w.T) @ D @ (D + w @ w.T)),
        (A.T, {"A": w @ v.T}, v @ w.T),
        (tr(D @ A), {"D": w @ w.T}, w.T @ A @ w),
        (w.T @ A @ w, {"w": A @ v}, v.T @ A.T @ A @ A @ v),
        (w.T @ A @ w, {"w": unit("p", 1)}, tr(A @ unit("p", 1) @ unit("p", 1).T)),
        (w.T @ v, {"w": unit("p", 1), "v": unit("p", 2)}, zero()),
        (rate * A + rate * rate * ONE, {"rate": Fraction(1, 2)}, Fraction(1, 2) * A + Fraction(1, 4) * ONE),
        (rate * A, {"rate": tr(D)}, tr(D) * A),
        (rate * rate, {"rate": tr(D) + 1}, tr(D) * tr(D) + 2 * tr(D) + 1),
        (rate * A, {"rate": 0}, zero("p", "p")),
        (A @ D, {"A": zero()}, zero("p", "p")),
        (scalar("1/n") * A, {"n": 2}, Fraction(1, 2) * A),
        (scalar("1/n") * scalar("n_v"), {"n": 3 * scalar("n_v")}, constant(Fraction(1, 3))),
        (A @ D, {"A": D, "D": A + A.T}, D @ (A + A.T)),
        (A, {"B": D}, A),
        (X.T @ X, {"X": gaussian("X_1", "n", "p")}, gaussian("X_1", "n", "p").T @ gaussian("X_1", "n", "p")),
    ],
)
def test_replace(expr, values, expected):
    result = expr.replace(values)
    assert result == expected
    assert result.shape == expr.shape


def test_replacing_a_covariance_by_the_identity_before_and_after_the_expectation():
    correlated = gaussian("Y", "n", "p", covariance="Sigma")
    moment = tr(correlated.T @ correlated @ A @ correlated.T @ correlated)
    after = expect(moment).replace({"Sigma": ONE})
    before = expect(moment.replace({"Sigma": ONE}))
    assert after == before
    renamed = moment.replace({"Sigma": matrix("S_2", "p", "p", symmetric=True)})
    assert renamed.letters()["Y"].covariance == "S_2"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: A.replace({"A": w}), "A is p x p and cannot become p x 1"),
        (lambda: A.replace({"A": 1}), "cannot become a scalar"),
        (lambda: D.replace({"D": A}), "D is symmetric"),
        (lambda: (rate * A).replace({"rate": D}), "rate is a scalar"),
        (lambda: (scalar("1/n") * A).replace({"n": rate + 1}), "not a single term"),
        (lambda: (scalar("1/n") * A).replace({"n": tr(A)}), "replace it as well"),
        (
            lambda: gaussian("Y", "n", "p", covariance="S").replace({"S": 2 * ONE}),
            "take the expectation first",
        ),
        (lambda: (A + D).replace({"D": matrix("A", "p", "p", symmetric=True)}), "two different definitions"),
    ],
)
def test_replace_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


B = matrix("B", "N", "p")
G = matrix("G", "N", "N", symmetric=True)
INVERSE = {(("B", False), ("B", True), ("G", False)): identity("N")}


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (B @ B.T @ G, identity("N")),
        (G @ B @ B.T, identity("N")),
        (tr(G @ B @ B.T), scalar("N")),
        (tr(B.T @ G @ B), scalar("N")),
        (tr(B.T @ G @ B @ B.T @ G @ B), scalar("N")),
        (B.T @ G @ B @ B.T @ G @ B, B.T @ G @ B),
        (tr(G @ B @ D @ B.T), tr(G @ B @ D @ B.T)),
        (2 * tr(D) * G @ B @ B.T - 2 * tr(D) * identity("N"), zero("N", "N")),
        ((identity("p") - B.T @ G @ B) ** 2, identity("p") - B.T @ G @ B),
        ((identity("p") - B.T @ G @ B) @ B.T, zero("p", "N")),
    ],
)
def test_rewrite_an_inverse(expr, expected):
    assert expr.rewrite(INVERSE) == expected


def test_rewrite_by_a_sum_and_inside_a_power():
    rules = {(("A", False), ("A", False)): A + D}
    assert (A @ A @ A).rewrite(rules) == A + D + D @ A
    assert tr(A @ A).rewrite(rules) == tr(A) + tr(D)
    assert (A.T @ A.T).rewrite(rules) == A.T + D


def test_rewrite_a_vector_pair():
    rules = {(("w", True), ("w", False)): 1}
    assert (w @ w.T @ w @ w.T).rewrite(rules) == w @ w.T


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({(("A", False),): w}, "replaces a word of shape p x p"),
        ({(("A", False), ("w", True)): A}, "p columns by 1 rows"),
        ({(): A}, "at least one letter"),
        ({(("A", False),): A + D}, "do not come to an end"),
    ],
)
def test_rewrite_refuses(rules, message, monkeypatch):
    monkeypatch.setattr(substitution, "REWRITE_LIMIT", 100)
    with pytest.raises(ValueError, match=message):
        (A @ A @ w @ w.T).rewrite(rules)


def test_rules_about_letters_that_do_not_occur_are_ignored():
    assert A.rewrite(INVERSE) == A
