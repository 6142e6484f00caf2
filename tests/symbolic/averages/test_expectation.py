"""The engine of integration by parts: identities that Gaussian expectations obey, and the peers it equals.

No formula of the literature is typed in here: values come from the sum over pairings (`symbolic.averages.pairings`),
from the moments of entries at small sizes (`symbolic.checks.entries`), or from identities between expectations.
"""

from fractions import Fraction
from functools import lru_cache

import pytest

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import END, LETTERS
from symbolic.algebra.words import (
    constant,
    gaussian,
    identity,
    matrix,
    scalar,
    tr,
    unit,
    vector,
    zero,
)
from symbolic.averages import by_parts, packing
from symbolic.averages.expectation import clear_cache, covariance, expect, variance
from symbolic.averages.pairings import expect_by_pairings
from symbolic.checks.entries import expect_by_entries, letter_values

X = gaussian("X", "n", "p")
Y = gaussian("Y", "n_v", "p")
S = gaussian("S", "n", "p", covariance="Sigma")
SIGMA = matrix("Sigma", "p", "p", symmetric=True)
A, B = matrix("A", "p", "p"), matrix("B", "p", "p")
C = matrix("C", "n", "n")
D = matrix("D", "p", "p", symmetric=True)
W, V = X.T @ X, S.T @ S
ONE = identity("p")
w = vector("w", "p")
e1, e2 = unit("p", 1), unit("p", 2)

LEMMA_1 = {
    "31": W,
    "32": W**2,
    "33": W**3,
    "34": W**4,
    "36": W * tr(W),
    "37": W**2 * tr(W),
    "38": W * tr(W**2),
    "39": W**2 * tr(W**2),
    "41": X.T @ C @ X,
    "42": W @ D @ W,
}
LEMMA_1_VALUES = {"C": [[1, 2], [-1, 3]], "D": [[2, -1], [-1, 1]]}


@pytest.fixture(autouse=True)
def _cold():
    clear_cache()


@pytest.mark.parametrize("equation", LEMMA_1)
def test_lemma_1_by_both_routes(equation):
    moment = LEMMA_1[equation]
    result = expect(moment)
    assert result == expect_by_pairings(moment)
    assert not result.is_zero


@pytest.mark.parametrize("equation", sorted(LEMMA_1.keys() - {"34", "39"}))
@pytest.mark.parametrize(("n", "p"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_lemma_1_entry_by_entry(equation, n, p):
    moment = LEMMA_1[equation]
    values = {
        name: [row[:size] for row in LEMMA_1_VALUES[name][:size]] for name, size in (("C", n), ("D", p))
    }
    summed = expect_by_entries(moment, {"n": n, "p": p}, values, {})
    given = {name: values[name] for name in moment.letters() if name in values}
    assert evaluate(expect(moment), {"n": n, "p": p, **given}) == summed


EXACT_WORDS = {
    "letters on both sides": tr(X.T @ C @ X @ A @ X.T @ X @ B),
    "general covariance": V @ A @ V @ B @ V,
    "two matrices": Y @ W @ A @ W @ Y.T,
    "two matrices, both squared": tr(Y.T @ Y @ W @ Y.T @ Y @ W),
    "trace product": tr(V @ A) * tr(V @ B) * V,
    "fixed vector": (w.T @ W @ A @ W @ w) * tr(W),
    "random row": gaussian("r", "1", "p", covariance="Sigma")
    @ A
    @ gaussian("r", "1", "p", covariance="Sigma").T,
    "random column": gaussian("z", "n", "1").T @ S @ A @ S.T @ gaussian("z", "n", "1"),
    "random scalar": gaussian("g", "1", "1") ** 4 * tr(W),
    "square matrix": gaussian("Q", "p", "p") @ gaussian("Q", "p", "p") @ A,
    "square and its transpose": tr(gaussian("Q", "p", "p") @ A @ gaussian("Q", "p", "p").T @ B),
    "bilinear open": X @ A @ X.T @ C @ X @ B,
    "outer product": W @ w @ w.T @ W,
    "elements": (e1.T @ V @ e2) ** 2 * (e1.T @ V @ e1),
    "mixed rows": tr(X.T @ C @ X @ Y.T @ Y) * tr(W),
}


@pytest.mark.parametrize("name", EXACT_WORDS)
def test_engine_agrees_with_the_sum_over_pairings(name):
    moment = EXACT_WORDS[name]
    assert expect(moment) == expect_by_pairings(moment)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_odd_moments_vanish(degree):
    moment = X
    for place in range(1, degree):
        moment = moment @ (X.T if place % 2 else X)
    assert expect(moment).is_zero
    assert expect(moment).shape == moment.shape
    assert expect(tr(W) * (w.T @ X.T @ vector("v", "n"))).is_zero


def test_linearity():
    a, b = W @ A @ W, tr(W @ B) * W
    alpha = scalar("alpha")
    assert expect(alpha * a - 2 * b + A) == alpha * expect(a) - 2 * expect(b) + A
    assert expect(zero("p", "p")).is_zero
    assert expect(constant(3)) == 3
    assert expect((ONE - alpha * W) ** 3) == sum(
        (binomial * (-alpha) ** k * expect(W**k) for k, binomial in enumerate((1, 3, 3, 1))), zero()
    )


@pytest.mark.parametrize("moment", [W @ A @ W @ B, V @ A @ V, W @ A @ w @ w.T @ W], ids=repr)
def test_expectation_commutes_with_trace_transposition_and_fixed_factors(moment):
    assert expect(tr(moment)) == tr(expect(moment))
    assert expect(moment.T) == expect(moment).T
    assert expect(B @ moment @ A.T) == B @ expect(moment) @ A.T
    assert expect(tr(B) * moment) == tr(B) * expect(moment)


def test_orthogonal_invariance():
    """X Q and X have one law for orthogonal Q, so E f(Q^T W Q) = E f(W)."""
    Q = matrix("Q", "p", "p")
    orthogonal = {(("Q", False), ("Q", True)): ONE, (("Q", True), ("Q", False)): ONE}
    turned = tr(Q.T @ W @ Q @ A @ Q.T @ W @ Q @ B)
    assert expect(turned).rewrite(orthogonal) == expect(tr(W @ A @ W @ B))


def test_identity_covariance_is_the_special_case():
    for moment, general in ((W**3, V**3), (tr(W @ A @ W) * W, tr(V @ A @ V) * V)):
        assert expect(general).replace({"Sigma": ONE}) == expect(moment)


def test_a_matrix_with_covariance_is_a_standard_one_times_a_root():
    """S = X R^T has covariance R R^T."""
    R = matrix("R", "p", "p")
    Z = X @ R.T
    direct = expect(V @ A @ V).replace({"Sigma": R @ R.T})
    assert expect(Z.T @ Z @ A @ Z.T @ Z) == direct


def test_integrating_one_matrix_after_the_other():
    moment = tr(Y.T @ Y @ W @ A @ Y.T @ Y @ W)
    assert expect(expect(moment, over={"X"}), over={"Y"}) == expect(moment)
    assert expect(expect(moment, over={"Y"})) == expect(moment)
    assert "Y" in expect(moment, over={"X"}).letters()
    assert expect(moment, over=()) == moment
    assert expect(moment, over={"absent"}) == moment


def test_independent_factors_multiply():
    assert expect(tr(W @ A) * tr(Y.T @ Y @ B)) == expect(tr(W @ A)) * expect(tr(Y.T @ Y @ B))


def test_elements_and_their_variances():
    n = scalar("n")
    assert expect(tr(W @ e1 @ e2.T)) == 0
    assert variance(tr(W @ e1 @ e2.T)) == n
    assert variance(tr(W @ e1 @ e1.T)) == 2 * n
    assert covariance(tr(W @ e1 @ e1.T), tr(W @ e2 @ e2.T)) == 0
    assert covariance(tr(W @ A), tr(W @ B)) == expect(tr(W @ A) * tr(W @ B)) - expect(tr(W @ A)) * expect(
        tr(W @ B)
    )


def test_variance_over_one_matrix_keeps_the_other():
    value = variance(tr(X.T @ X @ Y.T @ Y), over={"Y"})
    assert value == scalar("n_v") * 2 * tr(W @ W)


@pytest.mark.parametrize("sizes", [{"n": 1}, {"p": 1}, {"n": 1, "p": 1}])
def test_degenerate_sizes(sizes):
    """At size 1 a symbolic result must be what the engine finds for vectors and numbers."""
    rows, columns = ("1" if name in sizes else name for name in ("n", "p"))
    small = gaussian("X", rows, columns)
    moment = tr((X.T @ X) ** 3) * tr(X.T @ X)
    assert expect(moment).replace(sizes) == expect(tr((small.T @ small) ** 3) * tr(small.T @ small))


def test_dimensions_named_alike_but_different_are_kept_apart():
    P = gaussian("P", "p", "n")
    swapped = expect(tr((P.T @ P) ** 3))
    assert swapped == expect(tr(W**3))
    assert expect(P.T @ P) == scalar("p") * identity("n")


def test_results_do_not_depend_on_what_was_computed_before():
    words = [V @ A @ V @ B @ V, tr(V) * V, tr(V @ V)]
    warm = [expect(word) for word in words + words][len(words) :]
    for word, value in zip(words, warm, strict=True):
        clear_cache()
        assert expect(word) == value


def test_cache_is_bounded(monkeypatch):
    results = [expect(V**k) for k in (1, 2, 3, 4)]
    clear_cache()
    assert not by_parts.steps.cache_info().currsize
    small = lru_cache(maxsize=2)(by_parts.steps.__wrapped__)
    monkeypatch.setattr(by_parts, "steps", small)
    assert [expect(V**k) for k in (1, 2, 3, 4)] == results
    assert small.cache_info().currsize == 2


def test_many_dimensions_spill_into_exponent_fields(monkeypatch):
    words = [tr(Y.T @ Y @ W @ Y.T @ Y @ W) * tr(W), W @ A @ W, V @ A @ V]
    expected = [expect(word) for word in words]
    clear_cache()
    monkeypatch.setattr(packing, "PACKED_BITS", 1)
    assert [expect(word) for word in words] == expected


@pytest.mark.parametrize(
    ("moment", "states"),
    [
        (V**8, 140),
        (tr(W**8), 25),
        (tr(V @ A @ V @ D @ V @ B @ V @ A @ V @ D), 350),
        ((Y @ W @ W @ Y.T) ** 2, 12),
    ],
    ids=repr,
)
def test_few_states_are_met(moment, states):
    """What makes the engine fast: words in canonical form, contracted at one end, meet in few states.

    How many depends a little on the order in which letters were first met: fixed ones first are best.
    """
    expect(moment)
    assert by_parts.steps.cache_info().currsize <= states


def test_no_float_enters_and_coefficients_are_integers():
    for value in expect(V**6).monomials.values():
        assert all(int(number.q) == 1 for _, number in value.terms())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expect(W @ A, over={"A"}), "A is not random"),
        (lambda: expect(W, over="X"), "needs a collection"),
        (lambda: variance(W), "needs two scalars"),
        (lambda: covariance(tr(W), W), "needs two scalars"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


HIGH = {
    "power": V**8,
    "trace of a power": tr(W**12),
    "letters": V @ A @ V**3 @ B @ V @ A.T @ V,
    "traces": tr(V @ A) ** 3 * tr(V @ B) * V,
    "two matrices": tr((W @ Y.T @ Y) ** 5),
}


@pytest.mark.parametrize("name", HIGH)
def test_high_degrees_entry_by_entry(name):
    """Out of reach of the sum over pairings: with two columns, from the moments of the entries of W."""
    moment, sizes = HIGH[name], {"n": 3, "n_v": 4, "p": 2}
    values, roots = letter_values(moment.letters() | expect(moment).letters(), sizes)
    found = evaluate(expect(moment), {**sizes, **values})
    assert expect_by_entries(moment, sizes, values, roots) == (found if moment.shape else [[found]])


def test_half_integer_rank_one_identity():
    """With one row W = x x^T and W^2 = |x|^2 W."""
    x = gaussian("x", "1", "p", covariance="Sigma").T
    assert expect((x @ x.T) @ A @ (x @ x.T)) == expect((x.T @ A @ x) * (x @ x.T))
    assert expect((x.T @ x) ** 2) == 2 * tr(SIGMA @ SIGMA) + tr(SIGMA) ** 2


def test_fractions_in_front_stay_exact():
    assert expect(Fraction(1, 3) * W) == Fraction(1, 3) * expect(W)


def test_letters_of_the_engine_stay_internal():
    expect(W @ A)
    assert all(name for expr in (expect(W @ A),) for name in expr.letters())
    assert any(letter.name == END for letter in LETTERS.values())
