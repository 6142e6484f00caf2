"""Kronecker products: their elements are the moments of products of two elements, which are asked for one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest

from derivations.support.bad_input import BadInput
from derivations.typeset.moment_source import moment_source
from symbolic.algebra.refusal import Refused
from symbolic.query.combined import kronecker
from symbolic.query.query import moment

SIGMA, A = [[2, 1], [1, 3]], [[1, 2], [-1, 4]]
ASKED: tuple[tuple[str, str, dict[str, Any], str | None], ...] = (
    ("W", "W", {"n": 5, "p": 2}, None),
    ("W", "W", {"n": 5, "Sigma": SIGMA}, None),
    ("W^-1", "W^-1", {"n": 7, "Sigma": SIGMA}, None),
    ("W A", "W^-1", {"n": 7, "Sigma": SIGMA, "A": A}, None),
    ("A W A'", "tr(W) W", {"n": 4, "Sigma": SIGMA, "A": A}, None),
    ("W", "A", {"n": 4, "p": 2, "A": A}, None),
    ("W1 A", "W2", {"n1": 4, "n2": 6, "Sigma1": SIGMA, "Sigma2": [[1, 0], [0, 5]], "A": A}, None),
)


@pytest.mark.parametrize(("one", "two", "values", "law"), ASKED)
def test_every_element_is_that_of_two_elements(
    one: str, two: str, values: dict[str, Any], law: str | None
) -> None:
    found = moment(f"kron({one}, {two})", values).value
    assert isinstance(found, list)
    for i, j, k, l in product((1, 2), repeat=4):
        alone = moment(f"({one})[{i},{j}] ({two})[{k},{l}]", values).value
        assert found[2 * i + k - 3][2 * j + l - 3] == alone


@pytest.mark.parametrize(("one", "two", "values", "law"), ASKED)
def test_the_exported_function_has_the_value(
    one: str, two: str, values: dict[str, Any], law: str | None
) -> None:
    text = f"kron({one}, {two})"
    covariance = "own" if "Sigma1" in values else "general" if "Sigma" in values else "identity"
    source = moment_source(moment(text, covariance=covariance), "python")
    arguments = ", ".join(f"{name}={value}" for name, value in {"p": 2, **values}.items())
    script = f"{source}\n\nprint(moment({arguments}).tolist())\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    exact = moment(text, values).value
    assert isinstance(exact, list)
    right = [[number(x) for x in row] for row in exact]
    assert np.allclose(found, right, rtol=1e-12)


def number(text: Any) -> float:
    top, _, bottom = str(text).partition("/")
    return float(top) / float(bottom or 1)


def test_a_wrong_form_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kronecker, "TURNED", "outer")
    found = moment("kron(W, W A)", {"n": 5, "Sigma": SIGMA, "A": A}).value
    monkeypatch.undo()
    assert found != moment("kron(W, W A)", {"n": 5, "Sigma": SIGMA, "A": A}).value


def test_what_is_shown() -> None:
    found = moment("kron(W, W)", covariance="general")
    assert found.text == "n kron(Sigma, Sigma) K + n vec(Sigma) vec(Sigma)' + n^2 kron(Sigma, Sigma)"
    assert r"(\Sigma \otimes \Sigma) K" in found.latex
    assert found.terms[0] == {"coefficient": "n", "traces": [], "product": "kron(Sigma, Sigma) K"}
    assert found.checked
    assert moment("kron(W^-1, W^-1)").conditions == ("n - p > 3",)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("kron(W)", {}, "of two expressions"),
        ("kron(W, W, W)", {}, "of two expressions"),
        ("tr(kron(W, W))", {}, "stands in the terms of a sum"),
        ("kron(X, W)", {}, "p x p matrices"),
        ("kron(W^-1, W^-1)", {"values": {"n": 5, "p": 2}}, "exists only for n - p > 3"),
        ("kron(W, W)", {"law": "laplace"}, "sums over indices"),
        ("kron(W, W)", {"values": {"q": 3}}, "'q' is not needed"),
        ("kron(W, A)", {"values": {"Sigma": SIGMA, "n": 3}}, "no value given for A"),
        ("kron(W, W)", {"values": {"n": 9, "p": 7}}, "written out up to p = 6"),
    ],
)
def test_what_has_no_answer_is_refused(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, **options)


def test_what_has_no_form_as_code_is_said() -> None:
    with pytest.raises(BadInput, match="latex, text, sympy and python"):
        moment_source(moment("kron(W, W)"), "c")


def test_as_sympy_it_has_the_same_elements() -> None:
    text, values = "kron(A W, W)", {"n": 3, "p": 2, "Sigma": SIGMA, "A": A}
    source = moment_source(moment(text, covariance="general"), "sympy")
    given = f"""
found = moment.subs({{p: 2, n: 3}})
for name, table in {{"A": {A}, "Sigma": {SIGMA}}}.items():
    found = found.subs(MatrixSymbol(name, 2, 2), Matrix(table))
import json
print(json.dumps([[str(x) for x in row] for row in found.doit().as_explicit().tolist()]))
"""
    done = subprocess.run([sys.executable, "-c", source + given], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == moment(text, values).value


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("kron(W, W)", {"covariance": "general"}),
        ("kron(W^-1, W^-1)", {"covariance": "general"}),
        ("kron(a b' W, A' W1)", {}),
        ("kron(O, O)", {"rotations": ["O"]}),
        ("kron(S, W^+)", {"values": {"S": "W1/(n1-1)"}}),
    ],
)
def test_an_answer_is_read_back(text: str, options: dict[str, Any]) -> None:
    answer = moment(text, **options)
    again = moment(answer.text, covariance=options.get("covariance"))
    assert (again.text, again.latex) == (answer.text, answer.latex)


def test_sums_of_kronecker_products() -> None:
    values = {"n": 5, "Sigma": SIGMA, "A": A}
    whole = moment("2 kron(W, W) - tr(W) kron(A, W) K/n + vec(W) vec(A)'", values).value
    plain = moment("kron(W, W)", {"n": 5, "Sigma": SIGMA}).value
    parts = [plain, moment("tr(W) kron(A, W)", values).value]
    exchanged = [2 * i + j for j, i in product((0, 1), repeat=2)]
    mean = moment("W", {"n": 5, "Sigma": SIGMA}).value
    assert isinstance(whole, list)
    for row, column in product(range(4), repeat=2):
        assert isinstance(mean, list)
        vectors = number(mean[row % 2][row // 2]) * A[column % 2][column // 2]
        one, two = number(parts[0][row][column]), number(parts[1][row][exchanged[column]])
        assert number(whole[row][column]) == pytest.approx(2 * one - two / 5 + vectors)
    covariance = moment("kron(W, W) - kron(n Sigma, n Sigma)", covariance="general")
    assert covariance.text == "n kron(Sigma, Sigma) K + n vec(Sigma) vec(Sigma)'"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("kron(W, W) + W", 14, "a matrix is added to a scalar"),
        ("kron(W, W)^2", 1, "one Kronecker product"),
        ("kron(W, W) kron(W, W)", 1, "one Kronecker product"),
        ("kron(W, W) + 1", 1, "one Kronecker product"),
        ("2 kron(A, W Z q)", 3, "a column is multiplied by a matrix"),
        ("kron(A, W ?)", 11, "unexpected"),
        ("vec(W) vec(W)", 1, "in vec\\(W\\) vec\\(W\\)'"),
        ("kron(W, )", 1, "of two expressions"),
    ],
)
def test_what_is_wrong_is_said_of_the_query(text: str, place: int, reason: str) -> None:
    with pytest.raises(Refused, match=rf"^character {place} .*{reason}"):
        moment(text)


def test_determinants_beside_a_kronecker_product_are_refused() -> None:
    with pytest.raises(Refused, match="ask for elements of the product"):
        moment("det(W)^(1/2) kron(W, W)")
