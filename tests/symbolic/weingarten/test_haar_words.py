"""Averages over rotations and of Moore-Penrose inverses: answers, least sizes, wrong sums, and draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.query.check import CheckFailed
from symbolic.query.query import moment
from symbolic.weingarten import haar_words
from symbolic.wishart.existence import MomentDoesNotExist

Array = NDArray[np.float64]
A = np.array([[1.0, 2, 0], [-1, 3, 1], [0, 1, 2]])
B = np.array([[2.0, 0, 1], [1, -1, 0], [3, 1, 1]])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("O A O'", "(1/p) tr(A) I"),
        ("O A O", "(1/p) A'"),
        ("O", "0 I"),
        ("O O' O A O'", "(1/p) tr(A) I"),
        ("tr(O A)^2", "(1/p) tr(A A')"),
        ("tr(O)^4", "3"),
        ("tr(O)^6", "15"),
        ("O W O'", "n I"),
        ("O A Q B O' C Q'", "(1/p^2) C B A"),
        ("W^+ A W1", "((-n*n1)/(n*p - p^2 + p)) A"),
        ("W^+", "(-n/(n*p - p^2 + p)) I"),
        ("W^+ W W^+", "(-n/(n*p - p^2 + p)) I"),
        ("W W^+ W A", "n A"),
        ("tr(W^+ W)^2 + tr(W^+ W1)", "((n^3 - n^2*p + n^2 - n*n1)/(n - p + 1))"),
        ("W1 W^+ W W1^+", "((n*n1)/p^2) I"),
        ("var(tr(W^+ W))", "0"),
    ],
)
def test_answers(text: str, answer: str) -> None:
    found = moment(text, rotations=[letter for letter in "OQ" if letter in text])
    assert found.text == answer
    assert found.checked


@pytest.mark.parametrize(("text", "least"), [("tr(O A)^4", 2), ("tr(O)^6", 3)])
def test_the_least_columns_of_a_formula_are_named(text: str, least: int) -> None:
    found = moment(text, {"p": least}, rotations=["O"])
    assert f"p >= {least}" in found.conditions
    with pytest.raises(Refused, match=f"take p of at least {least}"):
        moment(text, {"p": least - 1}, rotations=["O"])


@pytest.mark.parametrize(("text", "least"), [("W^+", 5), ("W^+ A W^+", 7), ("tr((W^+)^3)", 9)])
def test_the_least_columns_of_an_inverse_are_named(text: str, least: int) -> None:
    assert moment(text, {"n": 3, "p": least}, work=20).checked[0].startswith("n=2")
    with pytest.raises(MomentDoesNotExist, match=f"take p of at least {least}, or W"):
        moment(text, {"n": 3, "p": least - 1})


@pytest.mark.parametrize(("text", "n", "least"), [("W^+ W", 3, 3), ("tr(W^+ W A)^2", 1, 2)])
def test_the_least_columns_of_a_projection_are_named(text: str, n: int, least: int) -> None:
    assert f"p >= {max(2, n)}" in moment(text, {"n": n, "p": least}).conditions[-1].replace("n", str(n))
    with pytest.raises(Refused, match="p >= "):
        moment(text, {"n": n, "p": least - 1})


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("tr(O A)^8", {"rotations": ["O"]}, "at most 6"),
        ("O X", {"rotations": ["O"]}, "a rotation is p x p"),
        ("O A", {"rotations": ["O"], "law": "laplace"}, "no method under the law laplace"),
        ("O A", {"rotations": ["Q"]}, "leave it out"),
        ("O A", {"rotations": ["O"], "symmetric": ["O"]}, "is a rotation"),
        ("W^+ W^-1", {}, r"W\^-1 does not exist"),
        ("tr(W^+ A W B W^+ C W D)", {"work": 5}, "at most 3"),
        ("W^+", {"covariance": "general"}, "general covariance"),
        ("W^+", {"law": "complex"}, "complex entries"),
        ("W^+ A", {"law": "rademacher"}, "inverses of"),
        ("A^+", {}, "of a Wishart matrix"),
        ("tr(W^+ A)^4", {"work": 5}, "at most 3"),
        ("W^+", {"mean": "general"}, "no method here"),
        ("O A + X' B X", {"rotations": ["O"]}, "one by one"),
        ("tr(W^+ A) W^+ A W^+ W1^+", {}, "too much work"),
    ],
)
def test_what_has_no_method_is_refused(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, **options)


@pytest.mark.parametrize("text", ["tr(O A O' B)^2", "W^+ A W^+", "W A W^+ W"])
def test_a_wrong_value_of_the_weingarten_function_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = haar_words.orthogonal_weingarten

    def wrong(degree: int) -> dict[Any, Rational]:
        found = dict(whole(degree))
        found[(1,) * degree] = found[(1,) * degree] * Rational.number(2)
        return found

    haar_words._frame_weight.cache_clear()
    monkeypatch.setattr(haar_words, "orthogonal_weingarten", wrong)
    with pytest.raises(CheckFailed):
        moment(text, rotations=["O"] if "O" in text else [])
    haar_words._frame_weight.cache_clear()


def rotations(rng: np.random.Generator, count: int, size: int) -> Array:
    q, r = np.linalg.qr(rng.standard_normal((count, size, size)))
    signs = np.sign(np.diagonal(r, axis1=1, axis2=2))
    return np.asarray(q * signs[:, None, :])


def turned(x: Array) -> Array:
    return np.swapaxes(x, 1, 2)


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("O A O' B O A O'", lambda o: o @ A @ turned(o) @ B @ o @ A @ turned(o)),
        (
            "tr(O A O' B)^2 A",
            lambda o: np.trace(o @ A @ turned(o) @ B, axis1=1, axis2=2)[:, None, None] ** 2 * A,
        ),
    ],
)
def test_drawn_rotations_have_these_means(text: str, of: Callable[[Array], Array]) -> None:
    draws = of(rotations(np.random.default_rng(7), 200_000, 3))
    compare(draws, moment(text, {"A": A, "B": B} if "B" in text else {"A": A}, rotations=["O"]).value)


def test_drawn_inverses_have_this_mean() -> None:
    x = np.random.default_rng(8).standard_normal((40_000, 3, 12))
    v = np.linalg.pinv(turned(x) @ x, hermitian=True, rcond=1e-8)
    weight = np.diag([1.0, 2, *[0] * 10]) + np.eye(12, k=1)
    compare(v @ weight @ v, moment("W^+ A W^+", {"n": 3, "A": weight}).value)
    w, projection = turned(x) @ x, turned(x) @ x @ v
    compare(projection @ weight @ v @ weight @ w, moment("W W^+ A W^+ A W", {"n": 3, "A": weight}).value)


def compare(draws: Array, value: Any) -> None:
    exact = np.array(value, dtype=float)
    allowed = 5 * draws.std(0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(0) - exact) <= allowed + 1e-12).all()
    assert allowed.max() < 0.1 * np.abs(exact).max()
