"""Means, row covariances, rectangular words, vectors, names: queries beyond words in W of rows with mean zero."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from symbolic.algebra.expression import Expression
from symbolic.algebra.refusal import Refused
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.query import query_words
from symbolic.query.check import CheckFailed
from symbolic.query.query import moment

GENERAL = {"covariance": "general"}
MEAN = {"mean": "general"}
ROWS = {"rows": "general"}


@pytest.mark.parametrize(
    ("text", "options", "answer"),
    [
        ("X A X'", GENERAL, "tr(A Sigma) I_n"),
        ("X' B X", GENERAL, "tr(B) Sigma"),
        ("X C X", GENERAL, "C' Sigma"),
        ("X X' - p I_n", {}, "0 I"),
        ("I_n^3", {}, "I_n"),
        ("tr(X X')^2", {}, "(n^2*p^2 + 2*n*p)"),
        ("X' X W^-1", {}, "I"),
        ("X", MEAN, "M"),
        ("W", {**MEAN, **ROWS, **GENERAL}, "M' M + tr(U) Sigma"),
        ("X' U X", {}, "tr(U^2) I"),
        ("X A X'", {**ROWS, **GENERAL}, "tr(A Sigma) U"),
        ("W", {**MEAN, **GENERAL}, "M' M + n Sigma"),
        ("tr(W)^2", ROWS, "2*p tr(U^2) + p^2 tr(U)^2"),
        ("a' W b", GENERAL, "n (a' Sigma b)"),
        ("a' W^-1 b", GENERAL, "(1/(n - p - 1)) (a' Sigma^-1 b)"),
        ("cov(a' W b, c' W d)", {}, "n (a' c) (b' d) + n (a' d) (b' c)"),
        ("W a b' W", {}, "n^2 a b' + n b a' + n (a' b) I"),
        ("X a", MEAN, "M a"),
        ("0 a", {}, "0 I"),
        ("W A W", {"symmetric": ["A"]}, "(n^2 + n) A + n tr(A) I"),
        ("tr(W A W A)", {"symmetric": ["A"]}, "(n^2 + n) tr(A^2) + n tr(A)^2"),
        ("W Psi W F2", {}, "n^2 Psi F2 + n Psi' F2 + n tr(Psi) F2"),
    ],
)
def test_answers(text: str, options: dict[str, Any], answer: str) -> None:
    result = moment(text, **options)
    assert result.text == answer
    assert result.checked


# noncentral: E tr W = tr M'M + n p; with U and Sigma, var(tr W) = 2 tr U^2 tr Sigma^2 + 4 tr(M' U M Sigma)
M, U, SIGMA = [[1, 2], [3, -1], [0, 2]], [[2, 1, 0], [1, 3, 1], [0, 1, 1]], [[2, 1], [1, 3]]


@pytest.mark.parametrize(
    ("text", "values", "value"),
    [
        ("tr(W)", {"M": M}, 19 + 6),
        ("tr(W)", {"M": M, "U": U, "Sigma": SIGMA}, 19 + 6 * 5),
        ("var(tr(W))", {"U": U, "Sigma": SIGMA}, 2 * 18 * 15),
        ("X a", {"M": M, "a": [1, 1]}, [[3], [2], [2]]),
        ("a' S b", {"n": 4, "a": [1, 0], "b": [1, 0], "S": "W/(n-1)"}, Fraction(4, 3)),
        ("X1' X2", {"n1": 3, "n2": 3, "M1": M, "M2": M}, [[10, -1], [-1, 9]]),
        ("X1 X2'", {"n1": 1, "n2": 2, "p": 2}, [[0, 0]]),
        ("Prec W", {"n": 3, "Prec": [[1, 2], [0, 1]]}, [[3, 6], [0, 3]]),
    ],
)
def test_values(text: str, values: dict[str, Any], value: Any) -> None:
    if text.startswith("X1' X2"):
        text = "X1' N X2"
        values = {**values, "N": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
    expected = [[str(x) for x in row] for row in value] if isinstance(value, list) else str(value)
    assert moment(text, values).value == expected


@pytest.mark.parametrize(
    ("text", "values", "options", "error", "reason"),
    [
        ("X X", {}, {}, MomentSyntaxError, "a dimension that is n meets one that is p"),
        ("W + X", {}, {}, MomentSyntaxError, "meets"),
        ("X^-1", {}, {}, MomentSyntaxError, "meets"),
        ("W^-1", {}, MEAN, Refused, "has no method here: inverses of W are for"),
        ("W^-1 + X' I_n X", {}, {}, Refused, "inverses stand beside W, not beside X"),
        ("X W^-1 X'", {}, {}, Refused, "has no method here"),
        ("X", {}, {"law": "laplace"}, Refused, "no method under the law laplace"),
        ("tr(X' B X)", {"B": [[1, 2], [0, 1]]}, {}, Refused, "no value given for p"),
        ("X A X'", {"n": 5.5}, {}, Refused, "n is 11/2: the rows of X are counted here"),
        ("M'*2", {"n": 5.5, "p": 2, "M": [[2, -2]]}, {}, Refused, "the rows of X are counted here"),
        ("W", {"S": "W/n"}, {}, Refused, "'S' is not needed"),
        ("W", {}, {"mean": "some"}, Refused, "unknown mean 'some'"),
        ("W", {}, {"rows": "some"}, Refused, "unknown rows 'some'"),
        ("W A", {}, {"symmetric": ["W"]}, Refused, "'W' is no name of a letter"),
        ("W A", {"A": [[1, 5], [0, 1]], "n": 5}, {"symmetric": ["A"]}, Refused, "symmetric and is not"),
        ("det(W) A", {"A": [[1, 5], [0, 1]], "n": 5}, {"symmetric": ["A"]}, Refused, "symmetric and is not"),
        ("W A", {}, {"symmetric": ["B"]}, Refused, "'B' is said to be symmetric and does not occur"),
        ("W", {"M": [[1, 2]], "n": 2}, {}, Refused, "M is 1 x 2"),
        ("W", {"U": [[1, 2], [0, 1]], "p": 1}, {}, Refused, "not symmetric"),
        ("W", {"M": "W^2", "n": 2}, {}, Refused, "M is a matrix"),
        ("tr(W)^12", {}, MEAN, Refused, "too much work"),
    ],
)
def test_refusals(
    text: str, values: dict[str, Any], options: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason) as caught:
        moment(text, values, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("letter", "text", "options"),
    [
        ("M", "X", MEAN),
        ("M", "a' X b", MEAN),
        ("U_root", "X A X'", ROWS),
        ("U_root", "W", {**MEAN, **ROWS}),
    ],
)
def test_a_wrong_mean_or_root_of_the_rows_is_refused(
    letter: str, text: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = query_words.row_expression

    def spoiled(factor: str, setting: query_words.Setting) -> Expression:
        found = rows(factor, setting)
        if letter not in found.letters():
            return found
        wrong = found.letters()[letter]
        return found.replace({letter: 2 * query_words.matrix(letter, wrong.rows, wrong.columns)})

    monkeypatch.setattr(query_words, "row_expression", spoiled)
    with pytest.raises(CheckFailed, match="do not use it"):
        moment(text, **options)


def test_correlated_rows_are_averaged_at_what_the_check_costs() -> None:
    found = moment("tr(X1' X1 W W)^2", **GENERAL, **ROWS)
    assert found.checked == ("n=3 n1=4 p=2",)
