"""For p = 1 matrices are numbers and inverses cancel: what is left has a moment under every law."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbolic.query import query
from symbolic.query.check import CheckFailed
from symbolic.query.query import moment

# E u^4, worked out by hand
LAWS = {
    "gaussian": Fraction(3),
    "rademacher": Fraction(1),
    "laplace": Fraction(6),
    "uniform": Fraction(9, 5),
    "student:12": Fraction(15, 4),
    "cumulants:1,2,3": Fraction(5),
    "kurtosis:2": Fraction(2),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("tr(W) W A W^-1", 1),
        ("W^-1 A W tr(W)", 1),
        ("tr(W)^3 A W^-1", 2),
        ("W^2 A W^-2", 0),
        ("tr(W^-1) W A", 0),
    ],
)
def test_inverses_cancel_under_every_law(name: str, text: str, degree: int) -> None:
    n, a = 5, 3
    means = {0: Fraction(1), 1: Fraction(n), 2: n * LAWS[name] + n * (n - 1)}
    found = moment(text, {"n": n, "p": 1, "A": [[a]]}, law=name)
    assert found.value == [[str(a * means[degree])]]
    assert found.checked


@pytest.mark.parametrize(
    ("text", "values", "value"),
    [
        ("a' W^-1 a W", {"a": [3]}, "9"),
        ("W^-1 a b' W b", {"a": [3], "b": [2]}, "12"),
        ("(a' W a) (b' W^-1 b)", {"a": [3], "b": [2]}, "36"),
    ],
)
def test_inverses_between_vectors_cancel(text: str, values: dict[str, list[int]], value: str) -> None:
    found = moment(text, {"n": 1, "p": 1, **values})
    assert found.conditions == ("n >= p",)
    assert found.value in (value, [[value]])
    assert found.checked


def test_general_covariance_of_one_column() -> None:
    found = moment("tr(W)^3 D W^-1", {"n": 4, "p": 1, "D": [[2]], "Sigma": [[9]]}, law="cumulants:1,2,3")
    assert found.value == [[str((4**2 + 4 * 4) * 81 * 2)]]


def test_a_wrong_cancellation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = query.TracePolynomial.commuted
    monkeypatch.setattr(
        query.TracePolynomial, "commuted", lambda self: right(self * self) if self.is_matrix else right(self)
    )
    with pytest.raises(CheckFailed):
        moment("W A W^-1 tr(W)", {"p": 1}, law="uniform")


@pytest.mark.parametrize(
    ("sigma", "value"), [([[4, 0], [0, 1]], True), ([[2, 0], [0, 1]], False), ([[4, 1], [1, 4]], False)]
)
def test_an_exact_root_is_used_where_there_is_one(sigma: list[list[int]], value: bool) -> None:
    given = {"n": 3, "p": 2, "Sigma": sigma}
    if value:
        assert moment("W^2", given, "general", "rademacher").value is not None
        return
    with pytest.raises(ValueError, match="give Sigma as an array of floats"):
        moment("W^2", given, "general", "rademacher")


@pytest.mark.parametrize("text", ["W/(n-1)", "W/(n-3)", "tr(W)/(n^2-9)", "W^-1/(n+p)", "W (n-1)^-1"])
def test_polynomials_in_the_dimensions_divide(text: str) -> None:
    found = moment(text)
    assert found.checked
    assert moment(found.text).text == found.text


def test_the_sample_covariance_is_unbiased() -> None:
    assert moment("W/(n-1)", {"n": 8, "p": 2}, "general").text == "8/7 Sigma"


@pytest.mark.parametrize("text", ["W^-1", "W^-2", "W^-1 tr(W^-1)", "W^2 tr(W)"])
def test_an_answer_reads_back_as_a_query(text: str) -> None:
    answer = moment(text).text
    assert moment(answer).text == answer
