"""The whole path of a moment query: values, letters, covariances, laws, inverses, refusals."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symbolic.algebra.entry_laws import LawOrderError, law
from symbolic.averages.over_laws import clear_cache
from symbolic.query import query as queries
from symbolic.query.check import CheckFailed
from symbolic.query.query import MomentSyntaxError, moment
from symbolic.wishart.existence import MomentDoesNotExist
from symbolic.wishart.trace_polynomial import QueryTooLarge

LAWS = (
    "gaussian",
    "rademacher",
    "uniform",
    "laplace",
    "student:17/2",
    "kurtosis:7/2",
    "cumulants:1/2,1,-1/3,2,1/5,7",
)
A, B = [[1, 2], [-1, 3]], [[0, 1], [2, Fraction(1, 2)]]
ROOT = [[2, 1], [1, 3]]
SIGMA = [[5, 5], [5, 10]]


# -- values against a sum over every outcome ----------------------------------------------------------------


def discrete(name: str) -> dict[Fraction, Fraction]:
    """A law of finitely many values with the first four moments of a named one (2 and 3 in the names' order)."""
    if name == "rademacher":
        return {Fraction(1): Fraction(1, 2), Fraction(-1): Fraction(1, 2)}
    # kurtosis:4 as 0 and +-2
    return {Fraction(0): Fraction(3, 4), Fraction(2): Fraction(1, 8), Fraction(-2): Fraction(1, 8)}


Matrix = list[list[Fraction]]


def times(*factors: Any) -> Matrix:
    result = [[Fraction(x) for x in row] for row in factors[0]]
    for factor in factors[1:]:
        result = [
            [
                sum((row[k] * factor[k][j] for k in range(len(factor))), Fraction(0))
                for j in range(len(factor[0]))
            ]
            for row in result
        ]
    return result


def outcomes(name: str, n: int, root: Any) -> Iterator[tuple[Fraction, Matrix]]:
    """The probability and value of W for every u."""
    values = discrete(name)
    for entries in itertools.product(values, repeat=2 * n):
        weight = Fraction(1)
        for entry in entries:
            weight *= values[entry]
        x = times([entries[2 * i : 2 * i + 2] for i in range(n)], root)
        yield weight, times([list(column) for column in zip(*x, strict=True)], x)


def trace(matrix: Matrix) -> Fraction:
    return matrix[0][0] + matrix[1][1]


STATISTICS: dict[str, Callable[[Matrix], Any]] = {
    "W^2": lambda w: times(w, w),
    "W A W": lambda w: times(w, A, w),
    "tr(W A)^2": lambda w: trace(times(w, A)) ** 2,
    "W tr(W A)": lambda w: [[x * trace(times(w, A)) for x in row] for row in w],
    "2 W^2 - tr(W)": lambda w: None,
    "A' W B W": lambda w: times([[1, -1], [2, 3]], w, B, w),
}


@pytest.mark.parametrize("name", ["rademacher", "kurtosis:4"])
@pytest.mark.parametrize("text", [text for text in STATISTICS if not text.startswith("2")])
def test_values_are_sums_over_outcomes(text: str, name: str) -> None:
    expected: Any = None
    for weight, w in outcomes(name, 2, [[1, 0], [0, 1]]):
        value = STATISTICS[text](w)
        if isinstance(value, Fraction):
            expected = (expected or 0) + weight * value
        else:
            expected = expected or [[Fraction(0)] * 2, [Fraction(0)] * 2]
            expected = [
                [x + weight * y for x, y in zip(a, b, strict=True)]
                for a, b in zip(expected, value, strict=True)
            ]
    given = {k: v for k, v in {"A": A, "B": B}.items() if k in text}
    obtained = moment(text, {"n": 2, "p": 2, **given}, "identity", name).value
    shown = [[str(x) for x in row] for row in expected] if isinstance(expected, list) else str(expected)
    assert obtained == shown


@pytest.mark.parametrize("name", ["rademacher", "kurtosis:7/2"])
def test_a_column_beside_a_matrix_is_averaged_as_the_matrix_times_the_column(name: str) -> None:
    given = {"n": 2, "Sigma": [[4, 0], [0, 9]], "A": [[1, 2], [-1, 3]]}
    whole = moment("tr(A W) W", given, "general", name).value
    column = moment("tr(A W) W a", {**given, "a": [5, -2]}, "general", name).value
    row = moment("a' tr(A W) W", {**given, "a": [5, -2]}, "general", name).value
    expected = [str(5 * Fraction(x) - 2 * Fraction(y)) for x, y in whole]
    assert [x for (x,) in column] == expected
    assert row == [expected]


@pytest.mark.parametrize("name", ["rademacher", "kurtosis:4"])
@pytest.mark.parametrize("text", [text for text in STATISTICS if not text.startswith("2")])
def test_values_with_a_covariance_in_floats(text: str, name: str) -> None:
    total: Any = 0.0
    for weight, w in outcomes(name, 2, ROOT):
        total = total + float(weight) * np.array(STATISTICS[text](w), dtype=float)
    given = {k: np.array(v, dtype=float) for k, v in {"A": A, "B": B}.items() if k in text}
    obtained = moment(text, {"n": 2, "Sigma": np.array(SIGMA, dtype=float), **given}, "general", name).value
    assert np.allclose(obtained, total, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "values", "value"),
    [
        ("tr(W)", {"n": 3, "p": 2}, "6"),
        ("tr(W^2)", {"n": 3, "p": 2}, "36"),
        ("W^2", {"n": 3, "p": 2}, [["18", "0"], ["0", "18"]]),
        ("W^-1", {"n": 6, "p": 2}, [["1/3", "0"], ["0", "1/3"]]),
        ("tr(W A)", {"n": 2, "A": A}, "8"),
        ("tr(W)", {"n": 2, "Sigma": SIGMA}, "30"),
        ("n p + 1/2", {"n": 2, "p": 3}, "13/2"),
    ],
)
def test_gaussian_values(text: str, values: dict[str, Any], value: Any) -> None:
    assert moment(text, values).value == value


# -- laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("covariance", ["identity", "general"])
def test_the_first_moment_is_the_same_for_every_law(name: str, covariance: str) -> None:
    result = moment("W A W1", None, covariance, name)
    assert result.text == moment("W A W1", None, covariance).text


@pytest.mark.parametrize("name", LAWS[1:])
def test_one_entry_is_the_moment_of_the_law(name: str) -> None:
    for degree in range(1, min(4, int(law(name).order) // 2) + 1 if law(name).order < 99 else 5):
        value = moment(f"W^{degree}", {"n": 1, "p": 1}, "identity", name).value
        assert value == [[str(law(name).rule(2 * degree))]]


def test_texts_of_sums_over_indices() -> None:
    def text(query: str, covariance: str) -> str:
        return moment(query, None, covariance, "rademacher").text

    assert text("W^2", "general") == (
        "(n^2 + n) Sigma^2 + n tr(Sigma) Sigma - 2*n Sigma^(1/2) diag(Sigma) Sigma^(1/2)"
    )
    assert text("tr(W A)^2", "identity").endswith(" - 2*n [sum_a (A)_aa^2]")
    assert " [(A)_ab (A)_ba (B)_ab]_ab" in text("W A W B W A W", "identity")
    assert text("W^2", "identity") == "(n^2 + n*p - n) I"
    result = moment("W A W", {"n": 2}, "identity", "rademacher")
    assert result.latex.endswith(r"- 4 \, \operatorname{diag}(A)")
    assert result.terms[-1] == {
        "coefficient": "-4",
        "word": None,
        "traces": [],
        "sums": [],
        "matrix": "diag(A)",
    }
    assert json.loads(json.dumps(result.as_dict()))["law"] == "rademacher"


def test_sums_over_indices_are_not_multiplied() -> None:
    scalar = moment("tr(W A)^2", None, "identity", "rademacher").expectation
    matrix = moment("W A W", None, "identity", "rademacher").expectation
    for change in (lambda: scalar * matrix, matrix.trace, matrix.transposed, matrix.commuted):
        with pytest.raises(ValueError, match="before averaging"):
            change()


@pytest.mark.parametrize(
    ("text", "size", "largest"), [("tr(W)", 300, 10**9), ("tr(W^-1)", 120, 10**9), ("tr(W)", 60, 10**400)]
)
def test_exact_covariances_that_take_long_are_refused_at_once(text: str, size: int, largest: int) -> None:
    rows = [[largest * (i == j) for j in range(size)] for i in range(size)]
    with pytest.raises(ValueError, match="too much for exact arithmetic"):
        moment(text, {"n": 999, "Sigma": rows}, "general")


def test_exact_covariances_need_no_root_where_pairs_meet() -> None:
    given = {"n": 2, "Sigma": SIGMA}
    assert moment("tr(W)", given, None, "uniform").value == "30"
    assert isinstance(moment("tr(W^2)", given, None, "uniform").value, str)
    with pytest.raises(ValueError, match=r"is not rational: give Sigma as an array of floats"):
        moment("W^2", {"n": 2, "Sigma": [[2, 1], [1, 3]]}, None, "uniform")


@pytest.mark.parametrize(
    "root",
    [
        ROOT,
        [[2, 0], [0, 1]],
        [[1, 2], [2, 4]],
        [[Fraction(1, 3), 0], [0, Fraction(7, 1000)]],
        [[0, 0], [0, 0]],
    ],
)
def test_an_exact_covariance_with_a_rational_root_gives_an_exact_value(root: Matrix) -> None:
    given = {"n": 3, "A": A, "Sigma": times(root, root)}
    exact = moment("W A W", given, None, "laplace")
    floats = {"n": 3, "A": np.array(A, float), "Sigma": np.array(given["Sigma"], float)}
    assert np.allclose(
        [[float(Fraction(x)) for x in row] for row in exact.value],
        moment("W A W", floats, None, "laplace").value,
    )


# -- one column, divisors, numbers of other libraries ----------------------------------------------------------


@pytest.mark.parametrize("name", [*LAWS, "cumulants:1,2,3"])
@pytest.mark.parametrize("covariance", ["identity", "general"])
@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("tr(W) W A W^-1", 1),
        ("tr(W)^3 A W^-1", 2),
        ("W^-1 A W", 0),
        ("tr(W1) W^-1 W", 1),
        ("W A W^-1 + A", 0),
    ],
)
def test_inverses_that_cancel_in_one_column(text: str, degree: int, covariance: str, name: str) -> None:
    """At p = 1 all factors commute, so that under any law the average is a moment of a sum of squares."""
    numbers = {"n": 2, "n1": 2, "p": 1, "A": [[3]], "Sigma": [[4]]}
    used = {"n": "W", "p": "", "n1": "W1", "A": "A"} | ({"Sigma": "W"} if covariance == "general" else {})
    given = {key: numbers[key] for key, sign in used.items() if sign in text}
    fourth = law(name).rule(4)
    unit = {0: Fraction(1), 1: Fraction(2), 2: 2 * fourth + 2}[degree]
    scale = 4**degree if covariance == "general" else 1
    expected = unit * scale * (3 if "A" in text else 1) + 3 * ("+" in text)
    result = moment(text, given, covariance, name)
    assert result.value == [[str(expected)]]
    assert result.checked


@pytest.mark.parametrize(
    ("divisor", "at"),
    [
        ("n - 1", 10),
        ("n - 3", 8),
        ("n - p", 9),
        ("p - 1", 1),
        ("(p - 3)", -1),
        ("(p - 3) (p - 4)", 2),
        ("(n - 2) (n - 4)", 63),
        ("3 n - 100", -67),
    ],
)
@pytest.mark.parametrize("name", ["gaussian", "uniform"])
def test_what_is_a_scalar_divides(divisor: str, at: int, name: str) -> None:
    given = {"n": 11, "A": A}
    whole = moment("W A W", given, "identity", name).value
    result = moment(f"W A W/({divisor})", given, "identity", name)
    assert [[Fraction(x) * at for x in row] for row in result.value] == [
        [Fraction(x) for x in row] for row in whole
    ]
    assert result.checked
    assert moment(f"W A W/({divisor})", None, "identity", name).checked


def test_a_pole_at_the_given_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="pole at n = 3"):
        moment("W/(n - 3)", {"n": 3})


def test_integers_of_numpy_are_integers() -> None:
    given = {"n": np.int64(3), "p": np.int32(2), "Sigma": [[np.int64(2), 1], [1, np.int8(2)]]}
    assert moment("W^2", given).value == [["84", "60"], ["60", "84"]]


def test_a_broken_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = math.comb
    clear_cache()
    monkeypatch.setattr("symbolic.averages.cumulants.comb", lambda n, k: whole(n, k) + (k == 2))
    with pytest.raises(CheckFailed, match="the answer is wrong"):
        moment("tr(W)^3", None, None, "laplace")
    monkeypatch.undo()
    clear_cache()
    moment("tr(W)^3", None, None, "laplace")


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ("W^-1", None, None, "uniform"),
            ValueError,
            "no method under the law uniform: inverses .* gaussian",
        ),
        (("tr(W^9)", None, None, "uniform"), QueryTooLarge, "degree 9 is over the limit .* at most 8"),
        (("W A W B W C W D W A W", None, "general", "uniform"), QueryTooLarge, "too much work"),
        (("(W + A)^6", None, None, "uniform"), QueryTooLarge, "over the limit of 40 .* one by one"),
        (("W^3", None, None, "student:5"), LawOrderError, "order 6 is needed.*student:5"),
        (("W^3", None, None, "kurtosis:5"), LawOrderError, "order 6 is needed.*kurtosis:5"),
        (("W", None, None, "cauchy"), ValueError, "unknown law 'cauchy': write gaussian, rademacher"),
        (("W", None, None, "student:2"), ValueError, "no variance"),
        (("W", None, None, "kurtosis:1/2"), ValueError, "at least 1"),
        (("W", None, None, "cumulants:5,0"), ValueError, "no random variable has the cumulants"),
        (("W", None, None, "cumulants:0,x"), ValueError, "no number"),
        (("W^-2", {"n": 4, "p": 3}), MomentDoesNotExist, "n - p > 3, and n - p = 1 here"),
        (("W", None, "diagonal"), ValueError, "unknown covariance"),
        (("W Sigma", None, "identity"), MomentSyntaxError, "Sigma is the identity here"),
        (("W A", {"n": 2, "A": [[1, 2]]}), ValueError, "square"),
        (("W A", {"A": A}), ValueError, "no value given for n"),
        (("W", {"n": 0, "p": 1}), ValueError, "positive integer"),
        (("W", {"n": 2, "p": 2, "B": A}), ValueError, "'B' is not needed"),
    ],
)
def test_refusals(arguments: tuple[Any, ...], error: type[ValueError], message: str) -> None:
    clear_cache()
    with pytest.raises(error, match=message) as caught:
        moment(*arguments)
    assert "\n" not in str(caught.value)


def test_an_answer_too_long_to_print_is_refused_and_found_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "MAX_LENGTH", 100)
    with pytest.raises(QueryTooLarge, match="105 words with 4445 powers"):
        moment("W^-1 A W^-1 B W^-1 C W^-1", None, "general")
    assert len(moment("W^-1 A W^-1 B W^-1 C W^-1", None, "general", work=100).expectation.terms) == 105
