"""The answer to a moment query as source: what is printed is run, and gives the exact value."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import derivations as d
from derivations.command.cli import main
from derivations.formulas.moment_function import Parts, digamma
from derivations.support.bad_input import BadInput
from derivations.typeset.moment_source import moment_source
from symbolic.query.query import moment
from symbolic.wishart.trace_polynomial import elements
from tests.conftest import find_program
from tests.derivations.typeset.test_exports import run

SIZES = {"n": 12, "n1": 14, "n2": 13, "p": 3}
MATRICES = {
    "A": [[1, 2, 0], [-1, 3, 1], [0, 1, 5]],
    "B": [[0, 1, 1], [2, 0, -1], [1, 1, 1]],
    "Sigma": [[3, 1, 0], [1, 2, 1], [0, 1, 4]],
}
DETERMINANTS = (
    ("det(W)^(-1/3) tr(A W^-1)", "general"),
    ("det(W1)^(1/2) W1 det(W2)^(-3/4)", "identity"),
    ("det(W)^2.5", "identity"),
)
LOGARITHMS = (
    ("log det(W) W A W^-1", "general"),
    ("log det(W1) det(W2)^(1/2)", "identity"),
    ("tr(A W) - log det(W) + tr(A)", "general"),
    ("log det(W) W^2", "identity"),
)
QUERIES = (
    ("W^-1 A W^-1", "general"),
    ("tr(W A W^-1 A') + 1/3", "identity"),
    ("tr(W^-2)", "identity"),
    ("W^-2", "identity"),
    ("W - W", "identity"),
    ("W A W B/(n - 1)", "general"),
    ("tr(W1 W2^-1) tr(W1 A)", "general"),
    ("n + p + 10^20 n", "identity"),
    ("W^-1[1,2]^2 + (A W)[3,1]", "general"),
    ("cov(tr(A W), tr(A W^-1))", "general"),
    *DETERMINANTS,
    *LOGARITHMS,
)


def given(text: str, covariance: str) -> dict[str, Any]:
    """Values for all names of a query."""
    names = {name for name in ("A", "B") if name in text}
    names |= {f"n{k}" for k in re.findall(r"W(\d?)", text)} | {"n"} & {*text}
    names |= {"Sigma"} if covariance == "general" else set()
    return {name: {**SIZES, **MATRICES}[name] for name in (*names, "p")}


def exact(text: str, covariance: str) -> list[float]:
    """The value by exact arithmetic, a matrix row by row."""
    value = moment(text, given(text, covariance), covariance).value
    cells = [x for row in value for x in row] if isinstance(value, list) else [str(value)]
    return [float(Fraction(str(x))) for x in cells]


def close(found: list[list[float]], queries: tuple[tuple[str, str], ...] = QUERIES) -> None:
    for (text, covariance), numbers in zip(queries, found, strict=True):
        assert numbers == pytest.approx(exact(text, covariance), rel=1e-12, abs=0), text


def flat(script: list[str], folder: Path) -> list[list[float]]:
    """What a script prints as JSON at its end."""
    (folder / "script.py").write_text("\n".join(script), encoding="utf-8")
    words = [sys.executable, "-W", "error", str(folder / "script.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[list[float]] = json.loads(done.stdout)
    return found


def test_python(tmp_path: Path) -> None:
    script = ["import inspect, json, numpy", "found = []"]
    for k, (text, covariance) in enumerate(QUERIES):
        source = moment_source(moment(text, None, covariance), "python")
        (tmp_path / f"m{k}.py").write_text(source, encoding="utf-8")
        values = {**SIZES, **MATRICES}
        script.append(f"from m{k} import moment")
        script.append(f"given = {{name: {values!r}[name] for name in inspect.signature(moment).parameters}}")
        script.append("found.append(numpy.ravel(moment(**given)).tolist())")
    close(flat([*script, "print(json.dumps(found))"], tmp_path))


def test_another_language_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no form in 'fortran': choose one of latex, text, sympy, python, c"):
        moment_source(moment("tr(W^2)"), "fortran")


READ_BACK = """
def value(tree):
    tree = sympify(tree).subs(GIVEN)
    tree = tree.subs({MatrixSymbol(k, 3, 3): ImmutableMatrix(v) for k, v in MATRICES.items()}).doit()
    return [float(x) for x in (tree.as_explicit() if tree.is_Matrix else [tree])]
"""


def test_sympy(tmp_path: Path) -> None:
    script = ["import json", "from sympy import *", f"MATRICES = {MATRICES!r}", "found = []", READ_BACK]
    for text, covariance in QUERIES:
        script.append(moment_source(moment(text, None, covariance), "sympy"))
        script.append(f"GIVEN = {{globals().get(k, Symbol(k)): v for k, v in {SIZES!r}.items()}}")
        script.append("found.append(value(moment))")
    close(flat([*script, "print(json.dumps(found))"], tmp_path))


@pytest.mark.compiler
def test_c(tmp_path: Path) -> None:
    compiler = find_program("compiler")
    assert compiler
    body, sources, wanted = [], ["#include <stdio.h>"], []
    for k, (text, covariance) in enumerate(QUERIES):
        result = moment(text, None, covariance)
        if result.expectation.is_matrix and covariance == "general":
            with pytest.raises(BadInput, match=r"a matrix, which has no form in C"):
                moment_source(result, "c")
            continue
        source = moment_source(result, "c").replace("double moment(", f"double f{k}(")
        head = source[source.index("double f") :].split("{")[0]
        numbers: dict[str, Any] = {**SIZES}
        for name, trace in re.findall(r"// (t_\d+) = (.*)", source):
            value = moment(trace, {x: v for x, v in MATRICES.items() if x in trace}).value
            numbers[name] = float(Fraction(str(value)))
        numbers["det_Sigma"] = 17.0
        call = ", ".join(repr(float(numbers[name])) for name in re.findall(r"double (\w+)[,)]", head))
        sources.append(source)
        body.append(f'printf("%.17g\\n", f{k}({call}));')
        wanted.append(exact(text, covariance)[0])
    (tmp_path / "all.c").write_text(
        "\n".join([*sources, "int main(void) {", *body, "return 0; }"]), encoding="utf-8"
    )
    built = str(tmp_path / "all")
    run([compiler, "-std=c99", "-pedantic-errors", "-Werror", str(tmp_path / "all.c"), "-o", built, "-lm"])
    assert run([built]) == pytest.approx(wanted, rel=1e-12, abs=0)
    assert len(wanted) == 14


@pytest.mark.parametrize(
    ("text", "covariance"), [x for x in QUERIES if x not in (*DETERMINANTS, *LOGARITHMS)]
)
def test_text_reads_back(text: str, covariance: str) -> None:
    result = d.moment(text, cov=covariance)
    again = moment(result.source("text"), None, "general")
    assert elements(again.expectation).equals(result.expectation)


@pytest.mark.parametrize(("text", "covariance"), QUERIES)
def test_the_function(text: str, covariance: str) -> None:
    result = d.moment(text, cov=covariance)
    values = {**SIZES, **MATRICES}
    wanted = {name: values[name] for name in Parts(result).parameters}
    assert np.ravel(result.function()(**wanted)).tolist() == pytest.approx(
        exact(text, covariance), rel=1e-12, abs=0
    )


@pytest.mark.parametrize("x", [0.5, 1, 2.5, 16, 300])
def test_the_digamma_function_that_is_handed_out(x: float) -> None:
    assert digamma(x) == pytest.approx(float(mpmath.digamma(x)), rel=1e-13, abs=1e-14)


def test_the_function_broadcasts_over_sizes() -> None:
    found = d.moment("W^-1 A W^-1").function()(n=np.array([[9.5], [11]]), A=np.eye(2))
    assert found.shape == (2, 1, 2, 2)
    assert found[1, 0, 0, 0] == pytest.approx(float(Fraction(d.moment("W^-2", n=11, p=2).value[0][0])))
    assert d.moment("tr(W)").function()(n=[1, 2], p=[[3], [4]]).tolist() == [[3.0, 6.0], [4.0, 8.0]]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"n": 9}, "missing argument 'A'"),
        ({"n": 9, "A": np.eye(2), "p": 2}, "unknown argument 'p'"),
        ({"n": 9, "A": np.ones((2, 3))}, "A is p x p, let them agree"),
        ({"n": 9, "A": [[1, "x"], [0, 1]]}, "give matrices of real numbers"),
        ({"n": [9, "x"], "A": np.eye(2)}, "n is .*: give positive numbers"),
        ({"n": [9, 3], "A": np.eye(2)}, "exists only for n - p > 1: take n over 3"),
    ],
)
def test_what_the_function_refuses(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        d.moment("W A W^-1").function()(**values)


@pytest.mark.parametrize(
    ("text", "known", "given", "reason"),
    [
        ("tr(W^-1)", {"p": 3}, {"n": 3}, "exists only for n - p > 1: take n over 4"),
        ("tr(W^-2)", {"n": 5}, {"p": 2}, "exists only for n - p > 3: take n over 5"),
        ("det(W)^(1/2)", {"p": 3}, {"n": 1}, "exists only for n >= p"),
        ("W", {"p": 3}, {"n": 5, "p": 2}, "this moment was taken at p = 3: let them agree"),
    ],
)
def test_the_function_knows_the_sizes_of_the_query(
    text: str, known: dict[str, Any], given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        d.moment(text, **known).function()(**given)


MEAN, COLUMN = np.array([[1.0, 2], [3, 4], [0, 1]]), np.array([2.0, -1])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a' W a", {"n": 3, "a": COLUMN, "M": MEAN}),
        ("X a", {"n": 3, "a": COLUMN, "M": MEAN}),
        ("X A X'", {"n": 3, "A": np.eye(2), "M": MEAN}),
    ],
)
def test_rectangular_answers_are_functions_and_sources(
    text: str, values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = d.moment(text, mean="general")
    expected = d.moment(text, **values).value
    shown = np.array(expected, dtype=float)
    needed = result.source("python").partition("(")[2].partition(")")[0].split(", ")
    given = {name: values[name] for name in needed}
    module = "m" + re.sub(r"\W", "_", text)
    (tmp_path / f"{module}.py").write_text(result.source("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = importlib.import_module(module).moment(**given)
    assert np.allclose(np.squeeze(found), np.squeeze(shown))
    assert np.allclose(np.squeeze(result.function()(**given)), np.squeeze(shown))
    assert result.to_sympy().free_symbols


def test_sums_over_indices_are_latex_and_text_only() -> None:
    result = d.moment("W A W", law="laplace", cov="general")
    assert result.source("latex") == result.latex
    for language in ("sympy", "python", "c"):
        with pytest.raises(BadInput, match="latex and text only"):
            result.source(language)
    with pytest.raises(BadInput, match="no function"):
        result.function()


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moment", "tr(W^2)", "--as", "c"]) == 0
    assert "double moment(double n, double p)" in capsys.readouterr().out
    assert main(["moment", "W A W", "--as", "text"]) == 0
    assert capsys.readouterr().out == "n^2 A + n A' + n tr(A) I\n"
    assert main(["moment", "W A W", "--as", "c"]) == 2


INDEFINITE, SKEW = np.array([[1.0, 2], [2, 1]]), np.array([[1.0, 5], [0, 1]])


@pytest.mark.parametrize(
    ("text", "asked", "given", "reason"),
    [
        ("log det(W)", {"cov": "general"}, {"n": 5, "Sigma": INDEFINITE}, "negative eigenvalue"),
        ("det(W)", {"cov": "general"}, {"n": 5, "Sigma": INDEFINITE}, "negative eigenvalue"),
        ("tr(W^2)", {"cov": "general"}, {"n": 5, "Sigma": SKEW}, "not symmetric"),
        ("W^-1", {"cov": "general"}, {"n": 9, "Sigma": np.diag([1.0, 0])}, "Sigma is singular"),
        ("W A W", {"symmetric": ["A"]}, {"n": 5, "A": SKEW}, "said to be symmetric and is not"),
        ("W A W", {}, {"n": 5, "A": np.array([[1, np.nan], [0, 1]])}, "not finite"),
        ("tr(W)", {}, {"n": 0.5, "p": 2}, "no Wishart matrix has it"),
        ("det(W)", {}, {"n": 3, "p": 2.5}, "p is 2.5: give positive integers"),
        ("tr(W^-2)", {}, {"n": np.inf, "p": 2}, "n is inf"),
        ("tr(W^+)", {}, {"n": [3, 8], "p": 9}, "only for p - n > 1: take p over 9"),
        ("det(W)^20", {}, {"n": 1000, "p": 100}, "beyond 1e308"),
    ],
)
def test_the_function_refuses_what_the_query_does(
    text: str, asked: dict[str, Any], given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        d.moment(text, **asked).function()(**given)


@pytest.mark.parametrize("rows", [3, 7.5, 1e3, 1e8, 1e12, 1e16, 1e17])
def test_powers_of_determinants_lose_no_digits(rows: float) -> None:
    """One column: E det(W)^k = 2^k gamma(n/2 + k) / gamma(n/2)."""
    assert d.moment("det(W)").function()(n=rows, p=1) == pytest.approx(rows, rel=1e-13)
    with mpmath.workdps(40):
        half = mpmath.mpf(rows) / 2
        for power in ("1/2", "-1/3", "5/2"):
            k = mpmath.mpf(Fraction(power).numerator) / Fraction(power).denominator
            exact = 2**k * mpmath.gammaprod([half + k], [half])
            found = d.moment(f"det(W)^({power})").function()(n=rows, p=1)
            assert found == pytest.approx(float(exact), rel=1e-13)


def test_the_function_of_a_pseudo_inverse() -> None:
    assert d.moment("tr(W^+)").function()(n=3, p=9) == pytest.approx(0.6)
