"""Answers as they are printed, read again: by the grammar of queries, and sums over indices by a reader written here."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod
from operator import add, mul
from typing import Any

import numpy as np
import pytest
from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.grammar.expanded import expand
from symbolic.grammar.query_tree import tree_value
from symbolic.grammar.syntax import parse
from symbolic.grammar.tree import symbols
from symbolic.query.query import Result, moment
from symbolic.wishart.trace_polynomial import TracePolynomial

LAW = "cumulants:1/2,1,-1/3,2,1/5,7"
A, B, SIGMA = [[1, 2], [3, -1]], [[0, 1], [2, Fraction(1, 2)]], [[5, 5], [5, 10]]
VALUES: dict[str, list[list[Any]]] = {"A": A, "B": B, "Sigma": SIGMA, "Sigma^(1/2)": [[2, 1], [1, 3]]}

# -- by the grammar of queries ---------------------------------------------------------------------------------


def read(text: str) -> TracePolynomial:
    return expand(text, parse(text))


def as_query(terms: list[dict[str, Any]]) -> str:
    """Terms as data, written as a query."""
    factors = (
        [
            f"({x['coefficient']})",
            *(f"tr({word})" for word in x["traces"]),
            *([x["word"]] if x["word"] else []),
        ]
        for x in terms
    )
    return " + ".join(map(" ".join, factors))


GAUSSIAN = (
    ("tr(W^3) tr(W)", "identity"),
    ("W^3 A W", "general"),
    ("(W + A)^3 - 1/2 n p tr(W) I", "general"),
    ("tr((W1 W2 W3)^2)", "identity"),
    ("W1 A W2 A' W1", "general"),
    ("W^-2 A", "general"),
    ("tr(W^-2) W^-1 A'^2", "general"),
    ("W^-3 tr(W)", "identity"),
    ("1/3 n W/p^2", "general"),
    ("W/((n - 1) (n + p)) - 3/7 A", "identity"),
    ("W12 tr(W12) n3", "identity"),
)


@pytest.mark.parametrize(("text", "covariance"), GAUSSIAN)
def test_an_answer_reads_back_as_itself(text: str, covariance: str) -> None:
    result = moment(text, None, covariance)
    assert isinstance(result.expectation, TracePolynomial)
    for printed in (result.text, as_query(result.terms)):
        assert read(printed).equals(result.expectation)


@pytest.mark.parametrize(("text", "covariance"), GAUSSIAN)
@pytest.mark.parametrize("some", [("n", "n1", "p"), ("n", "n1", "n2"), ("p",)])
def test_numbers_and_matrices_are_put_in(text: str, covariance: str, some: tuple[str, ...]) -> None:
    """The formula as it is printed, worked out at numbers: with some of them in it beforehand, and as the value."""
    names = {symbol.name for symbol in symbols(parse(text))}
    dimensions = {f"n{name[1:]}": 9 + len(name) for name in names if name[0] in "Wn"} | {"p": 2}
    letters = {
        name: x for name, x in VALUES.items() if name in names or (name, covariance) == ("Sigma", "general")
    }
    matrices = {name: fmpq_mat([[to_fmpq(x) for x in row] for row in rows]) for name, rows in letters.items()}

    def worked_out(printed: str) -> Any:
        found = tree_value(parse(printed), dimensions, matrices, 2)
        return (
            [[str(x) for x in row] for row in found.tolist()] if isinstance(found, fmpq_mat) else str(found)
        )

    expected = worked_out(moment(text, None, covariance).text)
    given = {name: number for name, number in dimensions.items() if name in some}
    assert worked_out(moment(text, given, covariance).text) == expected
    assert moment(text, {**dimensions, **letters}, covariance).value == expected
    floats = {name: np.array(x, float) for name, x in letters.items()}
    if floats:
        value = moment(text, {**dimensions, **floats}, covariance).value
        assert np.allclose(value, np.vectorize(lambda x: float(Fraction(x)))(expected), rtol=1e-9)


@pytest.mark.parametrize("text", ["W^3 A W", "(W + A)^2", "tr(W1 A W2)"])
def test_a_changed_print_reads_differently(text: str) -> None:
    result = moment(text, None, "general")
    assert isinstance(result.expectation, TracePolynomial)
    terms = result.terms
    for changed in (terms[1:], [{**terms[0], "coefficient": "n + 1"}, *terms[1:]]):
        assert not read(as_query(changed) or "0").equals(result.expectation)


# -- sums over indices -----------------------------------------------------------------------------------------

WORD = r"(?:[^()\[\]]|\(1/2\))+"
PIECE = re.compile(
    rf"diag\((?P<word>{WORD})\)(?:\^(?P<power>\d+))?|(?P<diagonal>diag)?\[(?P<sum>[^\]]*)\]_(?P<outer>[a-z]+)"
    r"|(?P<factor>\S+)"
)
FACTOR = re.compile(r"(Sigma\^\(1/2\)|Sigma|[A-D]|I)('?)(?:\^(\d+))?")
ELEMENT = re.compile(rf"\(({WORD})\)_([a-z])([a-z])(?:\^(\d+))?")


def table(rows: Any) -> Any:
    return np.array([[Fraction(x) for x in row] for row in rows], dtype=object)


def word(text: str) -> Any:
    """The matrix of a printed word, by its factors ``A'^2``."""
    found = table([[1, 0], [0, 1]])
    for part in text.split(" "):
        found_factor = FACTOR.fullmatch(part)
        assert found_factor is not None
        name, prime, power = found_factor.groups()
        factor = table(VALUES[name] if name != "I" else [[1, 0], [0, 1]])
        found = reduce(np.matmul, [factor.T if prime else factor] * int(power or 1), found)
    return found


def summed(text: str, outer: str) -> Any:
    """A printed sum such as ``sum_c (A)_ac^2 (A)_cb``, over all indices but ``outer``, in numbers."""
    head = re.fullmatch(r"(?:sum_([a-z]+) )?(.*)", text)
    assert head is not None
    names = outer + (head[1] or "")
    total = np.zeros((2,) * len(outer), dtype=object)
    for values in product((0, 1), repeat=len(names)):
        at = dict(zip(names, values, strict=True))
        elements = (word(w)[at[i], at[j]] ** int(power or 1) for w, i, j, power in ELEMENT.findall(head[2]))
        total[values[: len(outer)]] += prod(elements, start=Fraction(1))
    return total


def piece(found: re.Match[str]) -> Any:
    if found["factor"]:
        return word(found["factor"])
    if found["word"]:
        return np.diag(np.diag(word(found["word"]))) ** int(found["power"] or 1)
    inner = summed(found["sum"], found["outer"])
    return np.diag(inner) if found["diagonal"] else inner


def value(terms: list[dict[str, Any]], dimensions: dict[str, int]) -> Any:
    """The value of printed terms; coefficients are read by the grammar of queries."""

    def coefficient(text: str) -> Fraction:
        ((_, number),) = read(text).terms.items()
        return Fraction(number.at({name: Fraction(x) for name, x in dimensions.items()}))

    def term(data: dict[str, Any]) -> Any:
        matrix = data["word"] and word(data["word"])
        if "matrix" in data:
            matrix = reduce(np.matmul, map(piece, PIECE.finditer(data["matrix"])))
        factors = [coefficient(data["coefficient"]), *(np.trace(word(x)) for x in data["traces"])]
        factors += [summed(x[1:-1], "")[()] for x in data.get("sums", ())]
        return reduce(mul, factors) * (1 if matrix is None else matrix)

    return reduce(add, map(term, terms))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("diag(A)^2", [[1, 0], [0, 1]]),
        ("A diag(A' A) A", [[40, 10], [15, 65]]),
        ("[]_ab", [[1, 1], [1, 1]]),
        ("[(A)_ab (A)_ba]_ab", [[1, 6], [6, 1]]),
        ("[sum_c (A)_ac^2 (A)_cb]_ab", [[13, -2], [12, 17]]),
        ("diag[sum_b (A)_ab]_a", [[3, 0], [0, 2]]),
    ],
)
def test_the_reader_reads(matrix: str, expected: list[list[int]]) -> None:
    term = {
        "coefficient": "n",
        "word": None,
        "traces": ["A A"],
        "sums": ["[sum_ab (A)_ab^2]"],
        "matrix": matrix,
    }
    assert (value([term], {"n": 5}) == 5 * 14 * 15 * table(expected)).all()


@pytest.mark.parametrize(
    "text",
    ["W A W A' W", "tr(W A W A) tr(W)", "A W^3 tr(W A)", "tr(W1 A W W1 A W)", "W A W B W A W", "tr(W A)^2 B"],
)
@pytest.mark.parametrize("given", [{}, {"n": 3, "p": 2, "n1": 4}])
def test_printed_sums_have_the_value_of_the_answer(text: str, given: dict[str, int]) -> None:
    """Printed with letters for the dimensions or with their numbers, against the value at the same matrices."""
    names = {"n", "p", *(["n1"] if "W1" in text else [])}
    letters = {name: x for name, x in VALUES.items() if name in text or name == "Sigma"}
    numbers = {"n": 3, "p": 2, **({"n1": 4} if "W1" in text else {})}
    printed: Result = moment(text, {k: v for k, v in given.items() if k in names}, "general", LAW)
    assert any(monomial.index_sums for monomial in printed.expectation.terms)
    expected = moment(text, {**numbers, **letters}, "general", LAW).value
    obtained = value(printed.terms, numbers)
    shown = [[str(x) for x in row] for row in obtained] if isinstance(obtained, np.ndarray) else str(obtained)
    assert shown == expected
