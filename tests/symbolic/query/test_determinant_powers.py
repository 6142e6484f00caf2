"""Real powers and logarithms of determinants: chi variables of the Bartlett decomposition, by quadrature, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from math import prod
from typing import Any

import mpmath
import numpy as np
import pytest

from derivations.formulas.moment_function import moment_function
from derivations.paper.moment_trees import answer_tree
from derivations.support.bad_input import BadInput
from derivations.typeset.moment_source import moment_source
from symbolic.algebra.refusal import Refused
from symbolic.query import check
from symbolic.query.check import CheckFailed
from symbolic.query.combined import determinant_answer
from symbolic.query.query import moment
from symbolic.wishart import determinant_powers
from symbolic.wishart.trace_polynomial import TracePolynomial

Weight = Callable[[Any], Any]


def _chi_squared(freedom: float, weight: Weight) -> mpmath.mpf:
    """E weight(x), x chi-squared, from its density."""
    half = mpmath.mpf(freedom) / 2

    def density(x: mpmath.mpf) -> mpmath.mpf:
        return weight(x) * x ** (half - 1) * mpmath.exp(-x / 2)

    return mpmath.quad(density, [0, 1, 10, 60, 300]) / (2**half * mpmath.gamma(half))


def _powers(n: float, k: float) -> tuple[list[mpmath.mpf], list[mpmath.mpf]]:
    """E x^(k + j) for the squares of the two diagonal elements of the Bartlett factor at p = 2, j from -1."""
    first, second = (
        [_chi_squared(free, lambda x, j=j: x ** (mpmath.mpf(k) + j)) for j in (-1, 0, 1)]
        for free in (n, n - 1)
    )
    return first, second


@pytest.mark.parametrize(("n", "k"), [(7, 0.5), (6, -0.5), (7.5, 1.25), (9, 2)])
def test_two_columns_by_quadrature(n: float, k: float) -> None:
    """W = T'T: det W = t11^2 t22^2, tr W = t11^2 + t12^2 + t22^2, tr W^-1 = tr W/det W."""
    (a, b, c), (d, e, f) = _powers(n, k)
    values = {"n": n, "p": 2}
    power = f"({Fraction(k)})"
    assert _number(f"det(W)^{power}", values) == pytest.approx(float(b * e), rel=1e-9)
    assert _number(f"det(W)^{power} tr(W)", values) == pytest.approx(float(c * e + b * e + b * f), rel=1e-9)
    assert _number(f"tr(W^-1) det(W)^{power}", values) == pytest.approx(
        float(b * d + a * d + a * e), rel=1e-9
    )


@pytest.mark.parametrize("n", [6, 7.5])
def test_logarithms_by_quadrature(n: float) -> None:
    (_, _, c), (_, _, f) = _powers(n, 0)
    one, two = (_chi_squared(free, mpmath.log) for free in (n, n - 1))
    up, right = (_chi_squared(free, lambda x: x * mpmath.log(x)) for free in (n, n - 1))
    values = {"n": n, "p": 2}
    assert _number("log det(W)", values) == pytest.approx(float(one + two), rel=1e-8)
    trace = up + c * two + one + two + one * f + right
    assert _number("tr(W) log det(W)", values) == pytest.approx(float(trace), rel=1e-8)


@pytest.mark.parametrize("n", [6, 7.5])
def test_a_logarithm_in_a_sum(n: float) -> None:
    """Stein's loss tr W - log det W - p of W/n and the like: the rest of the sum has means of its own."""
    log = sum(_chi_squared(free, mpmath.log) for free in (n, n - 1))
    values = {"n": n, "p": 2}
    assert _number("tr(W)/n - log det(W) - p", values) == pytest.approx(float(-log), rel=1e-9)
    assert _number("3 + tr(W)^2 - 2 log det(W)", values) == pytest.approx(
        float(3 + 4 * n * (n + 1) - 2 * log), rel=1e-9
    )
    letter = {**values, "A": [[1, 2], [3, 4]]}
    assert _number("log det(W)+tr(A W)", letter) == pytest.approx(float(log + 5 * n), rel=1e-9)
    assert _number("tr(S) - log det(W) + tr(W1)", {**values, "n1": 3, "S": "W/(n-1)"}) == pytest.approx(
        float(2 * n / mpmath.mpf(n - 1) - log + 6), rel=1e-9
    )


def test_a_sum_with_a_logarithm_is_shown_and_has_the_condition_of_all_its_terms() -> None:
    found = moment("-log det(W) + W1[1,1] tr(W^-1) - 2")
    assert found.text == (
        "-(p log 2 + sum(i=0..p-1: digamma((n - i)/2))) + ((-2*n + n1*p + 2*p + 2)/(n - p - 1))"
    )
    assert found.conditions == ("n - p > 1",)
    with pytest.raises(Refused, match="exists only for n - p > 1"):
        moment("tr(W^-1) - log det(W)", {"n": 3, "p": 3})
    assert moment("0 log det(W) - tr(W)").text == "-n*p"
    assert moment("tr(W) log det(W) - 3 p").text.endswith("(n*p) - p")


def _number(text: str, values: dict[str, Any]) -> float:
    value = moment(text, values).value
    assert isinstance(value, str | float)
    return float(Fraction(value)) if isinstance(value, str) else value


@pytest.mark.parametrize(("p", "k"), [(1, 3), (14, 1), (20, -1)])
def test_whole_powers_are_exact_for_any_p(p: int, k: int) -> None:
    n = p + 5
    expected = prod((Fraction(n - i) for i in range(p)), start=Fraction(1))
    if k == -1:
        expected = 1 / prod((Fraction(n - i - 2) for i in range(p)), start=Fraction(1))
    if k == 3:
        expected = Fraction(n * (n + 2) * (n + 4))
    assert moment(f"det(W)^{k}", {"n": n, "p": p}).value == str(expected)


def test_covariances_multiply() -> None:
    sigma = [[2, 1], [1, 3]]
    plain = _number("det(W)^(1/2)", {"n": 7, "p": 2})
    assert _number("det(W)^(1/2)", {"n": 7, "Sigma": sigma}) == pytest.approx(
        plain * 5**0.5, rel=1e-12, abs=0
    )
    logs = [_number("log det(W)", {"n": 7, **more}) for more in ({"p": 2}, {"Sigma": sigma})]
    assert logs[1] - logs[0] == pytest.approx(float(mpmath.log(5)), rel=1e-12, abs=0)
    own = moment("det(W1)^(1/2) W2", {"n1": 7, "n2": 3, "Sigma1": sigma, "Sigma2": [[1, 0], [0, 2]]}).value
    assert isinstance(own, list)
    assert float(own[1][1]) == pytest.approx(6 * plain * 5**0.5, rel=1e-12, abs=0)


def test_complex_determinants() -> None:
    """det W is a product of gamma variables of shapes n, n - 1, ..."""
    found = moment("det(W)^(1/2)", {"n": 4, "p": 2}, law="complex").value
    expected = mpmath.gamma(4.5) * mpmath.gamma(3.5) / mpmath.gamma(4) / mpmath.gamma(3)
    assert found == pytest.approx(float(expected), rel=1e-12, abs=0)


def test_what_is_shown() -> None:
    found = moment("det(W)^(1/2) W^-1", covariance="general")
    assert found.conditions == ("n - p > 0",)
    assert found.text == (
        "det(Sigma)^(1/2) 2^(1/2*p) prod(i=0..p-1: gamma((n - i)/2 + (1/2))/gamma((n - i)/2)) ((1/(n - p)) Sigma^-1)"
    )
    assert found.checked
    assert r"\Gamma(\tfrac{n - i}{2} + 1/2)" in found.latex
    assert "digamma((n - i)/2)" in moment("log det(W)").text
    assert moment("log det(W) W").as_dict()["determinants"]["slope"] == moment("2 I").terms


@pytest.mark.parametrize(
    ("text", "options", "values"),
    [
        ("det(W)^(-1/2) tr(W)^2", {}, {"n": 6, "p": 3}),
        ("det(W)^2", {}, {"n": 14, "p": 13}),
        ("tr(W) - 3 log det(W)", {}, {"n": 6.5, "p": 3}),
        ("log det(W1) tr(W1)", {"law": "complex"}, {"n1": 6, "p": 3}),
        ("det(W)^0.3 tr(W)", {"law": "complex"}, {"n": 6, "p": 3}),
        ("log det(W) W^2", {"covariance": "general"}, {"n": 5, "Sigma": [[2, 1], [1, 3]]}),
        (
            "det(W1)^(1/2) W1 det(W2)^(-1/3)",
            {"covariance": "own"},
            {"n1": 5, "n2": 6, "Sigma1": [[2, 1], [1, 3]], "Sigma2": [[1, 0], [0, 2]]},
        ),
    ],
)
def test_an_answer_is_read_back(text: str, options: dict[str, Any], values: dict[str, Any]) -> None:
    answer = moment(text, **options)
    law = {"law": options["law"]} if "law" in options else {}
    again = moment(answer.text, covariance=options.get("covariance"), **law)
    assert again.text == answer.text
    assert again.latex == answer.latex
    assert moment(answer.text, values, **law).value == moment(text, values, **options).value


@pytest.mark.parametrize("n", [6, 7.5])
def test_covariances_with_a_logarithm_by_quadrature(n: float) -> None:
    """At p = 2 tr W is t11^2 + t12^2 + t22^2, of which the first and the last are not independent of log det W."""
    values = {"n": n, "p": 2}
    expected = mpmath.mpf(0)
    for free in (n, n - 1):
        log, square = _chi_squared(free, mpmath.log), _chi_squared(free, lambda x: x * mpmath.log(x))
        expected += square - free * log
    for text in ("cov(log det(W), tr(W) - 3)", "cov(tr(W), log(det(W)))"):
        assert _number(text, values) == pytest.approx(float(expected), rel=1e-8)
    assert _number("cov(log det(W), tr(W1))", {**values, "n1": 3}) == 0


def test_a_covariance_with_a_logarithm_is_rational() -> None:
    found = moment("cov(tr(W A W), log det(W))", covariance="general")
    assert found.text == "(4*n + 2) tr(A Sigma^2) + 2 tr(Sigma) tr(A Sigma)"
    assert found.determinants is None
    assert found.checked
    assert moment("cov(log det(W), tr(W^-1))").conditions == ("n - p > 1",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cov(log det(W), W)", "cov is of scalars"),
        ("cov(log det(W), log det(W))", r"character 5 .*as one of the two parts of cov"),
        ("var(log det(W))", r"character 5 .*as one of the two parts of cov"),
        ("cov(log det(W), det(W)^(1/2))", r"character 16 .*without powers"),
        ("cov(log det(W), tr(W), 2)", "to close cov"),
    ],
)
def test_covariances_with_a_logarithm_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text)


@pytest.mark.parametrize("n", [6, 7.5])
def test_terms_with_different_determinants_by_quadrature(n: float) -> None:
    """At p = 2 with k = 1/2: det W = t11^2 t22^2, tr W = t11^2 + t12^2 + t22^2, t12 independent of both."""
    values = {"n": n, "p": 2}
    (_, b, c), (_, e, f) = _powers(n, 0.5)
    root, trace = b * e, c * e + b * e + b * f
    logs = [_chi_squared(free, mpmath.log) for free in (n, n - 1)]
    (b0, c0), (e0, f0) = (
        [_chi_squared(free, lambda x, j=j: x ** mpmath.mpf(j) * mpmath.log(x)) for j in (0.5, 1.5)]
        for free in (n, n - 1)
    )
    beside = b0 * e + b * e0  # of log det W and the root
    with_trace = c0 * e + c * e0 + beside + b0 * f + b * f0
    expected = {
        "det(W)^(1/2) + tr(W)": root + 2 * n,
        "3 (det(W)^(1/2) - tr(W)) - log det(W)": 3 * root - 6 * n - sum(logs),
        "log det(W) det(W)^(1/2)": beside,
        "det(W)^(1/2) (log(det(W)) - n) tr(W)": with_trace - n * trace,
        "tr((log det(W) A + det(W)^(1/2) W) A)": 2 * sum(logs) + trace,
        "var(det(W)^(1/2))": n * (n - 1) - root**2,
        "cov(det(W)^(1/2), tr(W) - 5)": trace - root * 2 * n,
        "(det(W)^(1/2) - 1)^2": n * (n - 1) - 2 * root + 1,
    }
    for text, number in expected.items():
        given = {**values, "A": [[1, 0], [0, 1]]} if "A" in text else values
        assert _number(text, given) == pytest.approx(float(number), rel=1e-8), text
    two = sum(_chi_squared(free, mpmath.log) for free in (4, 3))
    assert _number("log det(W) - 2 log det(W1)", {**values, "n1": 4}) == pytest.approx(
        float(sum(logs) - 2 * two), rel=1e-8
    )


def test_a_sum_needs_what_its_terms_need_and_no_more() -> None:
    found = moment("det(W)^-1 + tr(W^-1) - det(W1)^(-1/2)")
    assert found.conditions == ("n - p > 1", "n1 - p > 0")
    assert moment("det(W)^-1 + tr(W^-1)", {"n": 9, "p": 7}).value is not None
    with pytest.raises(Refused, match="n - p > 1"):
        moment("det(W)^-1 + tr(W^-1)", {"n": 6, "p": 5})
    assert moment("log det(W) - log det(W)").text == "0"
    assert moment("cov(det(W)^(1/2), tr(W1))").text == "0"
    assert moment("det(W)^(1/2) det(W)^(-1/2) W").text == "n I"


READ_BACK: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("tr(W)/n - log det(W) - log det(W1)", {"n": 6, "n1": 7}, {}),
    ("2 (log det(W) - p) tr(W)", {"p": 2}, {}),
    ("det(W)^(1/2) log det(W) W + W", {"n": Fraction(11, 2)}, {"covariance": "general"}),
    ("det(W1)^(1/2) W2 det(W2)^(-1/3)", {"n1": 6, "n2": 7}, {"covariance": "own"}),
    ("var(det(W)^(1/2))", {"n": 5, "p": 3}, {"law": "complex"}),
    ("det(W)^(1/2) log det(W)", {"n": 5}, {"law": "complex"}),
)


@pytest.mark.parametrize(("text", "values", "options"), READ_BACK)
def test_an_answer_with_numbers_is_read_back(
    text: str, values: dict[str, Any], options: dict[str, Any]
) -> None:
    for given in ({}, values):
        answer = moment(text, given, **options)
        again = moment(answer.text, **options)
        assert (again.text, again.latex, again.value) == (answer.text, answer.latex, answer.value)
    with pytest.raises(Refused, match="in a mean"):
        moment(answer.text, {"p": 7, "n": 9, "n1": 9, "n2": 9}, **options)


def test_letters_of_a_term_have_the_shape_of_the_whole() -> None:
    values = {"n": 5, "n1": 3, "p": 2, "Psi": [[1, 2]] * 3, "B": [[1] * 2] * 2}
    found = moment("Psi log det(W) - X1 B", values).value
    log = _number("log det(W)", {"n": 5, "p": 2})
    assert isinstance(found, list)
    assert [float(x) for x in found[2]] == pytest.approx([log, 2 * log])
    for text in ("I_n det(W)", "I_n1 log det(W)"):
        assert moment(text).checked


def test_every_form_of_a_sum_has_the_value() -> None:
    text = "2 det(W)^(1/2) log det(W) + tr(A W) - log det(W1)"
    result = moment(text, covariance="general")
    values = {"n": 6, "n1": 7, "A": [[1, 2], [0, 3]], "Sigma": [[2, 1], [1, 3]]}
    expected = _number(text, values)
    assert moment_function(result)(**values) == pytest.approx(expected, rel=1e-12, abs=0)
    script = f"{moment_source(result, 'python')}\n\nprint(moment(**{values}))\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == pytest.approx(expected, rel=1e-12, abs=0)
    assert [part["determinants"]["factor"] for part in result.as_dict()["parts"]][1:] == [""]
    with pytest.raises(BadInput, match="no form in C"):
        moment_source(result, "c")
    with pytest.raises(BadInput, match="missing argument 'A'"):
        moment_function(result)(n=6)
    tree = answer_tree(moment("det(W)^(1/2) log det(W) + tr(W)"))
    at = {str(x): x for x in tree.free_symbols}
    shown = tree.subs({at["n"]: 6, at["p"]: 2}).doit().evalf(15)
    assert float(shown) == pytest.approx(
        _number("det(W)^(1/2) log det(W) + tr(W)", {"n": 6, "p": 2}), rel=1e-10
    )


@pytest.mark.parametrize("n", [6, 7.5])
def test_numbers_of_rows_beside_are_not_moved(n: float) -> None:
    values = {"n": n, "p": 2}
    for text, factor in (("det(W)^(1/2) tr(W)", 1 / (n - 1)), ("tr(W) log det(W)", n**2), ("log det(W)", n)):
        beside = {1 / (n - 1): f"{text}/(n-1)", n**2: f"n {text} n", n: f"n * {text}"}[factor]
        found = moment(beside, values)
        assert _number(beside, values) == pytest.approx(factor * _number(text, values), rel=1e-12, abs=0)
        assert not any("n99" in point for point in found.checked)
    assert _number("det(W)^(1/2) tr(S)", {**values, "S": "W/(n-1)"}) == pytest.approx(
        _number("det(W)^(1/2) tr(W)", values) / (n - 1), rel=1e-12
    )
    assert _number("n + tr(W)/n - n log det(W)", values) == pytest.approx(
        n + 2 - n * _number("log det(W)", values), rel=1e-12
    )
    assert moment("cov(log det(W), n tr(W))").text == "2*n*p"
    assert moment("tr(W99) n log det(W)/n99").terms == moment("tr(W1) n log det(W)/n1").terms


def test_ways_to_write_a_logarithm() -> None:
    assert moment("log(det(W))").text == moment("log det(W)").text
    assert moment("2 log ( det ( W ) ) tr(W)").text == moment("2 log det(W) tr(W)").text
    with pytest.raises(Refused, match="is written log"):
        moment("ln det(W)")


MEAN = "2^(1/2*p) prod(i=0..p-1: gamma((n - i)/2 + (1/2))/gamma((n - i)/2))"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{MEAN} W", "beside nothing that is random"),
        (f"{MEAN} det(W)^(1/2)", "beside nothing that is random"),
        (f"det(Sigma1)^(1/2) {MEAN}", "the determinant of Sigma belongs to it"),
        (f"det(Sigma)^(1/3) {MEAN}", "unknown letter|give p"),
        (MEAN.replace("2^(1/2*p) ", ""), "unknown letter"),
        (MEAN.replace("2^(1/2*p)", "2^(1/3*p)"), "unknown letter"),
        (MEAN.replace("/gamma((n ", "/gamma((n1 "), "unknown letter"),
        ("sum(i=0..p-1: digamma((n - i)/2))", "are not read"),
        ("det(W)^2 " * 21, "over the limit of 20"),
    ],
)
def test_what_is_no_mean_of_a_determinant_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text)


def test_elements_letters_and_rotations_beside() -> None:
    third = moment("det(W)^(1/2) W[1,3]", covariance="general")
    assert "n=" in third.checked[-1]
    column = moment("det(W)^(1/2) a' W b", {"n": 7, "a": [1, 2], "b": [3, 5], "p": 2}).value
    assert column == pytest.approx(13 * _number("det(W)^(1/2) tr(W)", {"n": 7, "p": 2}) / 2, rel=1e-12, abs=0)
    turned = moment("tr(A O B O') det(W)^(1/2)", rotations=["O"])
    assert turned.expectation.equals(moment("tr(A O B O')", rotations=["O"]).expectation)


WRONG: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("det(W)^(1/2) W", "shifted", lambda polynomial, rows, change: polynomial),
    ("log det(W) W^2", "twice_derivative", lambda polynomial, rows, times: polynomial),
)


@pytest.mark.parametrize(("text", "name", "wrong"), WRONG)
def test_a_wrong_answer_does_not_leave(
    text: str, name: str, wrong: Callable[..., TracePolynomial], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (determinant_answer, check):
        monkeypatch.setattr(module, name, wrong, raising=False)
    with pytest.raises(CheckFailed, match="do not use it"):
        moment(text)


BESIDE_A_LOGARITHM = (
    ("log det(W) W A W", "gaussian"),
    ("log det(W) W^-1 A W", "gaussian"),
    ("log det(W) a' W^-2 b", "gaussian"),
    ("log det(W1) W1 W2^-1 W1", "gaussian"),
    ("log det(W) W^2", "complex"),
    ("log det(W) W^-1 A W^-1", "complex"),
)


@pytest.mark.parametrize(("text", "law"), BESIDE_A_LOGARITHM)
def test_a_slope_that_is_a_little_off_does_not_leave(
    text: str, law: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = moment(text, covariance="general", law=law).determinants
    assert right is not None
    assert right.slope.terms
    for k in range(len(right.slope.terms)):

        def wrong(polynomial: TracePolynomial, rows: str, times: int, k: int = k) -> TracePolynomial:
            found = determinant_powers.twice_derivative(polynomial, rows, times)
            chosen = sorted(found.terms)[k]
            return TracePolynomial({**found.terms, chosen: -found.terms[chosen]}, found.is_matrix)

        monkeypatch.setattr(check, "twice_derivative", wrong)
        with pytest.raises(CheckFailed, match="do not use it"):
            moment(text, covariance="general", law=law)


def test_what_is_independent_of_the_logarithm_has_no_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "twice_derivative", lambda polynomial, rows, times: polynomial)
    with pytest.raises(CheckFailed, match="independent of the logarithm"):
        moment("log det(W) W1")


def test_a_wrong_mean_of_a_power_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = determinant_powers.whole_power
    monkeypatch.setattr(determinant_powers, "whole_power", lambda n, p, k, step: whole(n + 1, p, k, step))
    with pytest.raises(CheckFailed, match="do not use it"):
        moment("det(W)^(1/2)")


REFUSED_BY_NAME = (
    ("tr(kron(W,W))", "ask for W[1,2] W[3,4]"),
    ("vec(W)", "column vectors"),
    ("(W + lambda I)^-1", "the terms of its series"),
    ("tr(log(W))", "of the determinant of a Wishart matrix, log det(W)"),
    ("log det(W/n)", "p log c"),
    ("tr(exp(W))", "the terms of its series"),
    ("E[W]", "leave E out"),
    ("W.T", "a transpose is written A'"),
    ("W^(1/2)", "whole powers here"),
    ("corr(W[1,2], W[1,1])", "ask for cov"),
    ("diag(W)", "W[1,1], W[2,2]"),
    ("var(W)", "kron(W, W)"),
)


@pytest.mark.parametrize(("text", "possible"), REFUSED_BY_NAME)
def test_what_has_no_method_is_refused_with_what_would_be_possible(text: str, possible: str) -> None:
    with pytest.raises(Refused) as caught:
        moment(text)
    assert possible in str(caught.value)
    assert "\n" not in str(caught.value)


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("1/det(W)", {}, "write a power"),
    ("det(W)^k", {}, "the power of a determinant is a number"),
    ("det(W)^(1/0)", {}, "no number"),
    ("det(W)^(200)", {}, "over the limit"),
    ("log det(W)^2", {}, "a power of a logarithm"),
    ("log det(W) log det(W1)", {}, r"character 12 .*a product of two logarithms"),
    ("(tr(W) - log det(W))^2", {}, "a product of two logarithms"),
    ("1/(1 + log det(W))", {}, r"character 8 .*cannot be divided by"),
    ("(1 + log det(W))^-1", {}, "written at the determinant"),
    ("(1 + det(W)^(1/2) + det(W1)^(1/3))^9", {}, "over the limit of 24"),
    ("det(log det(W) W)", {"values": {"p": 2}}, "take it out"),
    ("W - log det(W)", {}, r"character 5 \(after 'W - '\): a scalar is added to a matrix"),
    ("log det(W) -", {}, r"after 'log det\(W\) -'\): expected a letter"),
    ("log det(W) S", {"values": {"S": "W -"}}, "expected a letter"),
    (" ".join(f"n{k}" for k in range(1, 100)) + " log det(W)", {}, "more than 98 numbers of rows"),
    ("det(W)^(1/2) W^+", {}, "is 0 where"),
    ("det(W)^(1/2) W[1,4]", {}, "no small size"),
    ("det(W)^-1", {"rows": "general", "values": {"n": 7}}, "a covariance of its rows"),
    ("log det(W)", {"mean": "general"}, "a mean"),
    ("det(W)^(1/2) X", {}, "beside X"),
    ("det(W)^(1/2)", {"law": "uniform"}, "not under uniform"),
    ("det(W)^(1/2)", {"values": {"n": 7, "p": 2, "A": [[1, 0], [0, 1]]}}, "'A' is not needed"),
    ("det(W)^(1/2) A", {"values": {"n": 7, "A": [[1]], "q": 3}}, "'q' is not needed"),
    ("det(W)^(-1/2)", {"values": {"n": 3, "p": 3}}, "exists only for n - p > 0"),
    ("W^-1 det(W)^(1/2)", {"values": {"n": 3, "p": 3}}, "n - p > 0, .* take n of at least 4"),
    ("W^-1 det(W)^(-1/4)", {"values": {"n": 4.5, "p": 3}}, r"take n over 9/2 \(a whole number: at least 5\)"),
    ("det(W)^(-1/2)", {"values": {"n": 7, "Sigma": [[1, 1], [1, 1]]}}, "Sigma is singular"),
)


@pytest.mark.parametrize(("text", "options", "reason"), REFUSED)
def test_what_has_no_answer_is_refused(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, **options)


def test_a_logarithm_beside_a_pseudo_inverse_is_answered_or_refused() -> None:
    """Of three rows or more no Moore-Penrose inverse is averaged entry by entry."""
    with pytest.raises(Refused, match="there is no small size at which"):
        moment("W1^+ log det(W) tr(W)")


@pytest.mark.parametrize(
    ("text", "sizes", "reason"),
    [
        ("det(W)^20", {"n": 1000, "p": 100}, "more than four thousand digits"),
        ("det(W)^(1/2)", {"n": 1000, "p": 700}, r"about 2.684278493e\+976, which no double holds"),
        ("det(W)^(-1/2)", {"n": 1000, "p": 400}, "about 2.601621575e-580, which no double holds"),
    ],
)
def test_a_value_that_nothing_holds_is_refused(text: str, sizes: dict[str, int], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, sizes)


def test_a_determinant_that_is_zero_is_not_said_to_have_no_mean() -> None:
    with pytest.raises(
        Refused, match=r"the formula is for n >= p, and n - p = -1 here, where the determinant is zero"
    ):
        moment("det(W)^(1/2)", {"n": 1, "p": 2})
    with pytest.raises(Refused, match="exists only for n >= p"):
        moment("log det(W)", {"n": 1, "p": 2})


@pytest.mark.parametrize("rows", [3, 5, 8])
def test_what_cancels_to_all_its_digits_is_zero(rows: int) -> None:
    assert _number("cov(det(W)^(1/2) tr(W^-1), tr(W))", {"n": rows, "p": 2}) == 0


@pytest.mark.parametrize(
    ("text", "sizes", "value"),
    [
        # adjugates, which have no pole
        ("det(W) W^-1", {"n": 2, "p": 2}, [["2", "0"], ["0", "2"]]),
        ("det(W)^2 W^-2", {"n": 4, "p": 2}, [["28", "0"], ["0", "28"]]),
        # more terms, written out, than a query may have
        ("det(W)^2", {"n": 12, "p": 10}, str(prod((12 - i) * (14 - i) for i in range(10)))),
    ],
)
def test_whole_powers_are_not_written_out_where_their_closed_form_says_more(
    text: str, sizes: dict[str, int], value: object
) -> None:
    assert moment(text, sizes).value == value


@pytest.mark.parametrize(
    ("text", "sizes", "said"),
    [
        ("det(W)^2 W^-2", {"p": 2}, "n >= p"),
        ("det(W)^2 W^-4", {"p": 2}, "n - p > 3"),
        ("det(W) W^-1 + W1^-1", {"p": 3}, "n >= p and n1 - p > 1"),
        ("det(W)^-1 det(W)", {"p": 2}, "n >= p"),
        ("det(W)^-1 det(W)", {"n": Fraction(3, 2), "p": 2}, "n - p > -1"),
        ("det(W)^2 W^-2", {"n": Fraction(5, 2), "p": 2}, "n - p > -1"),
        ("det(W)^2 W^-2", {"n": 3, "p": 2}, "n >= p"),
    ],
)
def test_a_product_exists_where_its_closed_form_does(text: str, sizes: dict[str, Any], said: str) -> None:
    assert " and ".join(moment(text, sizes).conditions) == said


@pytest.mark.parametrize("text", ["det(W)^2 W^-2", "det(W)^-1 det(W)"])
def test_the_condition_that_is_not_met_is_that_of_the_product(text: str) -> None:
    with pytest.raises(Refused, match="exists only for n >= p, and n - p = -1 here: take n of at least 2"):
        moment(text, {"n": 1, "p": 2})


def test_a_whole_power_that_has_neither_form_is_refused_for_its_first() -> None:
    with pytest.raises(Refused, match="exists only for n - p > 1"):
        moment("det(W)^-1", {"n": 3, "p": 2})


@pytest.mark.parametrize("text", ["log det(W)", "det(W)^(-1/2)", "det(W)^(1/2)"])
def test_real_powers_and_logarithms_need_a_definite_covariance(text: str) -> None:
    with pytest.raises(Refused, match="Sigma is singular"):
        moment(text, {"n": 9, "Sigma": [[1, 1], [1, 1]]})


@pytest.mark.parametrize("text", ["log det(W)", "det(W)^(1/3)", "det(W)^2"])
def test_a_determinant_of_very_many_columns_has_no_value(text: str) -> None:
    with pytest.raises(Refused, match="p is 10000000, over the limit of 1000000 for a determinant"):
        moment(text, {"n": 10**8, "p": 10**7})


@pytest.mark.parametrize(("n", "k"), [(40, -17.25), (7, -2.5), (3, 0.25), (90, 30.5)])
def test_functions_have_all_digits_of_gamma_functions(n: int, k: float) -> None:
    found = moment_function(moment(f"det(W)^({Fraction(k)})"))(n=n, p=2)
    half = [mpmath.mpf(n - i) / 2 for i in range(2)]
    expected = mpmath.mpf(4) ** k * mpmath.fprod(mpmath.gamma(h + k) / mpmath.gamma(h) for h in half)
    assert found == pytest.approx(float(expected), rel=1e-13)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("text", ["log det(W)", "det(W)^(1/2)", "det(W)^(1/4)"])
def test_a_determinant_of_the_covariance_that_no_double_holds(text: str, scale: float) -> None:
    """Of 1e200 I and the like the answer is a double still; a warning would be an error here."""
    sigma = np.diag([scale, 3 * scale])
    exact = moment(text, {"n": 9, "Sigma": [[1, 0], [0, 3]]}).value
    power = Fraction(text.partition("^")[2].strip("()") or 0)
    expected = (
        float(str(exact)) * scale ** float(2 * power) if power else float(str(exact)) + 2 * math.log(scale)
    )
    assert float(str(moment(text, {"n": 9, "Sigma": sigma}).value)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("text", ["W W", "tr(W^2)^2", "det(W)", "cov(tr(W), tr(W))", "tr(W^-2)"])
@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e308])
def test_what_overflows_is_refused_without_a_warning(text: str, scale: float) -> None:
    sigma = scale * np.eye(2)
    function = moment_function(moment(text, covariance="general"))
    for value in (lambda: moment(text, {"n": 9, "Sigma": sigma}).value, lambda: function(n=9, Sigma=sigma)):
        with suppress(Refused, BadInput):
            assert np.isfinite(np.asarray(value(), dtype=float)).all()
