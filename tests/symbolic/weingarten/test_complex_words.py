"""Complex Wishart matrices: exact means, where they exist, what is refused, and draws of such matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symbolic.algebra.refusal import Refused
from symbolic.query.check import CheckFailed
from symbolic.query.query import moment
from symbolic.weingarten import complex_words
from symbolic.weingarten.complex_words import unitary_weingarten
from symbolic.wishart.existence import MomentDoesNotExist

GENERAL = {"covariance": "general"}
SIZES = {"n": 9, "p": 2}
A = np.array([[1.0, 2.0], [-1.0, 3.0]])
SIGMA = np.array([[2.0, 0.5], [0.5, 1.0]])
Array = NDArray[np.complex128]


@pytest.mark.parametrize(
    ("text", "options", "answer"),
    [
        ("W A W", GENERAL, "n^2 Sigma A Sigma + n tr(A Sigma) Sigma"),
        ("W^3", {}, "(n^3 + 3*n^2*p + n*p^2 + n) I"),
        ("W^-1", GENERAL, "(1/(n - p)) Sigma^-1"),
        ("W A W^-1", {}, "(n/(n - p)) A + (-1/(n - p)) tr(A) I"),
        ("tr(W1 W^-1)", {}, "((n1*p)/(n - p))"),
        ("det(W)", {"values": {"p": 3}}, "(n^3 - 3*n^2 + 2*n)"),
        ("det(W)^-1", {"values": {"p": 2}}, "(1/(n^2 - 3*n + 2))"),
    ],
)
def test_answers(text: str, options: dict[str, Any], answer: str) -> None:
    found = moment(text, law="complex", **options)
    assert found.text == answer
    assert found.checked


def test_one_entry_is_an_exponential_variable() -> None:
    # n = p = 1: E w^k = k!
    assert [moment(f"W^{k}", {"n": 1, "p": 1}, law="complex").value for k in (2, 3, 4)] == [
        [["2"]],
        [["6"]],
        [["24"]],
    ]


@pytest.mark.parametrize(("text", "least"), [("W^-1", 4), ("W^-2", 5), ("tr(W^-1)^3", 6)])
def test_the_least_rows_are_named(text: str, least: int) -> None:
    moment(text, {"n": least, "p": 3}, law="complex")
    with pytest.raises(MomentDoesNotExist, match=f"of at least {least}"):
        moment(text, {"n": least - 1, "p": 3}, law="complex")


@pytest.mark.parametrize("text", ["W'", "A' W", "a' W b", "W[1,2]", "X X'", "tr(M W)"])
def test_transposes_and_rows_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        moment(text, law="complex")
    with pytest.raises(Refused, match="symmetric"):
        moment("W A", law="complex", symmetric=["A"])


@pytest.mark.parametrize("options", [{"mean": "general"}, {"rows": "general"}, {"values": {"M": [[1, 2]]}}])
def test_means_and_correlated_rows_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="no method for complex entries"):
        moment("W A W", law="complex", **options)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_the_weingarten_function_sums_to_one_rising_factorial(degree: int) -> None:
    # sum_s Wg(s; N) = 1 / (N (N + 1) ... (N + d - 1)), here with N = - (n - p) and its sign
    values, bottom = unitary_weingarten(degree)
    for q in (7, 11):
        total = sum(int(value(q, 0)) for value in values.values())
        expected = 1
        for k in range(degree):
            expected *= q - k
        assert total * expected == int(bottom(q, 0))


def test_the_rules_of_a_real_matrix_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complex_words.ComplexRules, "_by_parts", complex_words.Rules._by_parts)
    with pytest.raises(CheckFailed):
        moment("W A W", law="complex")


def test_a_wrong_sum_over_permutations_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = complex_words.ComplexRules._joined

    def unmoved(self: Any, permutation: Any, after: Any, following: Any) -> Any:
        return whole(self, tuple(sorted(permutation)), after, following)

    monkeypatch.setattr(complex_words.ComplexRules, "_joined", unmoved)
    with pytest.raises(CheckFailed):
        moment("W^-1 A W^-1 B", law="complex")


def inv(w: Array) -> Array:
    return np.linalg.inv(w)


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("W A W", lambda w: w @ A @ w),
        ("W^-1 A W^-1", lambda w: inv(w) @ A @ inv(w)),
        ("W A W^-1", lambda w: w @ A @ inv(w)),
    ],
)
def test_draws_have_these_means(text: str, of: Any) -> None:
    rng = np.random.default_rng(sum(map(ord, text)))
    root = np.linalg.cholesky(SIGMA)
    parts = rng.standard_normal((2, 60_000, SIZES["n"], SIZES["p"])) / np.sqrt(2)
    x = (parts[0] + 1j * parts[1]) @ root.T
    draws = of(np.conj(np.swapaxes(x, 1, 2)) @ x)
    exact = np.array(moment(text, {**SIZES, "A": A, "Sigma": SIGMA}, law="complex").value)
    error = np.abs(draws.mean(0) - exact)
    allowed = 5 * draws.std(0) / np.sqrt(len(draws))
    assert (error < allowed).all()
    assert (allowed < 0.05 * np.abs(exact).max()).all()
