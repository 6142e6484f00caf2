"""The algebra of matrix words and their canonical form."""

from fractions import Fraction

import pytest

from symbolic.algebra import canonical
from symbolic.algebra.words import (
    Expression,
    constant,
    dimension,
    gaussian,
    identity,
    letter_expression,
    matrix,
    reciprocal,
    scalar,
    tr,
    unit,
    vector,
    zero,
)

A = matrix("A", "p", "p")
B = matrix("B", "p", "q")
D = matrix("D", "p", "p", symmetric=True)
E = matrix("E", "p", "p", symmetric=True)
X = gaussian("X", "n", "p")
w, u = vector("w", "p"), vector("u", "p")
ONE = identity("p")
alpha = scalar("alpha")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (tr(A @ D @ E), tr(D @ E @ A)),
        (tr(A @ D @ E), tr((A @ D @ E).T)),
        (tr(D @ E), tr(E @ D)),
        (tr(A @ D @ E), tr(E @ D @ A.T)),
        (tr(X.T @ X @ A), tr(X @ A.T @ X.T)),
        (w.T @ A @ u, tr(A @ u @ w.T)),
        (w.T @ A @ u, u.T @ A.T @ w),
        (tr(A @ u @ w.T @ D @ w @ u.T), (u.T @ A @ u) * (w.T @ D @ w)),
        (u @ (w.T @ A @ w) @ u.T, (w.T @ A @ w) * (u @ u.T)),
        (u @ w.T @ A @ w, (w.T @ A @ w) * u),
        (tr(w @ w.T) * tr(u @ u.T), tr(w @ u.T @ u @ w.T)),
        ((A @ B).T, B.T @ A.T),
        (A.T.T, A),
        (D.T, D),
        (A @ (B + B), 2 * A @ B),
        ((ONE - alpha * A) ** 2, ONE - 2 * alpha * A + alpha * alpha * A @ A),
        (A**3, A @ A @ A),
        (A**0, ONE),
        (ONE @ A @ ONE, A),
        (tr(ONE), dimension("p")),
        (tr(ONE), scalar("p")),
        (reciprocal("p") * tr(ONE), constant(1)),
        (identity("1"), constant(1)),
        (dimension("1"), constant(1)),
        (tr(alpha), alpha),
        (sum([A, A, A]), 3 * A),
        (A * Fraction(1, 2) + A * Fraction(1, 2), A),
        (A - A, zero("p", "p")),
        (A * 0, zero()),
        (1 - alpha, -(alpha - 1)),
    ],
)
def test_equal_expressions_have_one_form(left, right):
    assert left == right
    assert hash(left) == hash(right)
    assert (left - right).is_zero


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (tr(A @ D @ E), tr(A @ E @ D)),
        (tr(A @ A), tr(A @ A.T)),
        (A, A.T),
        (w @ u.T, u @ w.T),
        (w.T @ A @ u, u.T @ A @ w),
        (X.T @ X, D),
        (tr(A), alpha),
        (A, 2 * A),
        (constant(1), alpha),
        (ONE, constant(1)),
    ],
)
def test_different_expressions_stay_different(left, right):
    assert left != right


@pytest.mark.parametrize("word", [(A, D, E), (A, A.T, A), (X.T, X, A, X.T, X), (D, D, E, D)])
def test_trace_is_invariant_under_rotation_and_transposition(word):
    def product(factors):
        result = factors[0]
        for factor in factors[1:]:
            result = result @ factor
        return result

    reference = tr(product(word))
    for turn in range(len(word)):
        rotated = product(word[turn:] + word[:turn])
        assert tr(rotated) == reference
        assert tr(rotated.T) == reference


def test_basis_vectors_pick_elements():
    e1, e2 = unit("p", 1), unit("p", 2)
    assert e1.T @ e1 == 1
    assert e1.T @ e2 == 0
    assert tr(e1 @ e2.T) == 0
    assert tr(A @ e1 @ e2.T) == e2.T @ A @ e1
    assert tr(A @ e1 @ e2.T) != e1.T @ A @ e2
    assert tr(D @ e1 @ e2.T) == e1.T @ D @ e2
    assert A @ e1 @ e2.T @ e1 @ e2.T == zero("p", "p")
    assert unit("1", 1) == constant(1)


def test_shapes():
    assert (A @ B).shape == ("p", "q")
    assert B.T.shape == ("q", "p")
    assert (w.T @ w).shape is None
    assert (w.T @ w).is_scalar
    assert (A - A).shape == ("p", "p")
    assert (A - A).is_zero
    assert tr(A).shape is None
    assert gaussian("g", "1", "1").shape is None


def test_a_one_by_one_random_letter_is_a_scalar_factor():
    g = gaussian("g", "1", "1")
    assert g @ w.T @ w == g * (w.T @ w)
    assert (g - g.T).is_zero
    assert w @ g @ u.T == g * (w @ u.T)


def test_terms_are_readable_and_sorted_by_name():
    later, earlier = matrix("Z9", "p", "p"), matrix("A0", "p", "p")
    terms = (tr(later @ earlier) * A + scalar("beta") * A @ D).terms
    (single, double) = terms
    assert single.traces == ((("A0", False), ("Z9", False)),)
    assert single.word == (("A", False),)
    assert double.word == (("A", False), ("D", False))
    assert str(terms[double]) == "beta"
    assert list(identity("p").terms) == [((), ())]
    assert list(constant(5).terms) == [((), None)]


def test_letters_and_scalars():
    expr = alpha * tr(X @ A @ X.T) * reciprocal("n") + scalar("p")
    assert list(expr.letters()) == ["A", "X"]
    assert expr.letters()["X"].random
    assert expr.scalars() == {"alpha", "1/n", "p"}
    assert letter_expression(expr.letters()["X"]) == X
    assert repr(2 * tr(A) * D) == "2 * tr(A) * D"
    assert repr(zero()) == "0"


def test_coefficient_of_a_plain_polynomial():
    assert str((alpha * alpha - 1).coefficient()) == "alpha^2 - 1"
    assert not zero().coefficient()
    with pytest.raises(ValueError, match="not a polynomial"):
        tr(A).coefficient()


@pytest.mark.parametrize("number", [0, 1, -3, Fraction(2, 7)])
def test_constants_compare_and_hash_like_numbers(number):
    assert constant(number) == number
    assert hash(constant(number)) == hash(number)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: A @ B.T, "p columns meet q rows"),
        (lambda: w @ A, "1 columns meet p rows"),
        (lambda: A + B, "p x p and p x q"),
        (lambda: A + 1, "p x p and scalar"),
        (lambda: A * D, "use @"),
        (lambda: tr(B), "square"),
        (lambda: B**2, "square"),
        (lambda: A**-1, "integer >= 0"),
        (lambda: A ** Fraction(1, 2), "integer >= 0"),
        (lambda: matrix("D", "p", "q", symmetric=True), "make it square"),
        (lambda: matrix("2D", "p", "q"), "is not a name"),
        (lambda: matrix("D", "p q", "q"), "is not a name"),
        (lambda: matrix("D", "", "q"), "is not a name"),
        (lambda: gaussian("X", "n", "p", covariance="X"), "its own covariance"),
        (lambda: gaussian("X", "n", "p", covariance="S S"), "is not a name"),
        (lambda: unit("p", 0), "starts at 1"),
        (lambda: unit("p", True - 2), "starts at 1"),
        (lambda: unit("1", 2), "starts at 1"),
        (lambda: constant(0.5), "not an exact number"),
        (lambda: A + matrix("A", "p", "p", symmetric=True), "two different definitions"),
        (lambda: X.T @ X + tr(matrix("X", "n", "p") @ X.T) * ONE, "two different definitions"),
        (
            lambda: gaussian("Y", "n", "p", covariance="S").T @ X @ matrix("S", "p", "p"),
            "two different definitions",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", ["A", None, 0.5, [1]])
def test_foreign_operands_are_type_errors(other):
    for operation in (lambda: A + other, lambda: A - other, lambda: A * other, lambda: A @ other):
        with pytest.raises(TypeError):
            operation()
    assert other != A


def test_expressions_are_immutable_values():
    before = repr(A)
    _ = A + D, A @ D, A * 3, A.T
    assert repr(A) == before
    assert len({A, A.T.T, D, D.T}) == 2
    assert isinstance(A, Expression)


def test_canonical_form_is_what_merges_terms(monkeypatch):
    """Without rotation the two traces would be different."""
    P, Q = matrix("P_rot", "p", "p"), matrix("Q_rot", "p", "p")
    assert (tr(P @ Q) - tr(Q @ P)).is_zero
    monkeypatch.setattr(canonical, "closed", lambda word: (word,))
    assert not (tr(P @ Q) - tr(Q @ P)).is_zero
