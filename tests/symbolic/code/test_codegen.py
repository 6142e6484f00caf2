"""Formulas as code: every language, every shape and every precision gives the formula's value."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from sympy import symbols

from symbolic.code import codegen
from symbolic.code.codegen import LANGUAGES, compiled, high_precision, source
from symbolic.code.program import NoSourceForm, multiplied, program
from symbolic.code.stable import StableForm, stable

n, p = symbols("n p", positive=True)
s = symbols("s", nonnegative=True)
a, r = symbols("a r", real=True)
H_A = 1 - 2 * a + (n + p + 1) / n * a**2
H_R = 1 - 2 * r + (n + p + 1) / n * r**2
LOSS = s**2 * (1 + r**2 * p / n) + H_R * (1 + s**2 * (1 + a**2 * p / n) / H_A)
ROOT = -(n + 1) / (2 * p) + sympy.sqrt(n / p + ((n + 1) / (2 * p)) ** 2)
CUBE = (1 + a * n) ** 3 / (p + 3 * a**2) ** 2 + sympy.Rational(2, 7) * a**5 - 1 / n**2
NAMES = {"rates": ("a", "r"), "sizes": ("n", "p"), "weights": ("s",)}
FORMS: dict[str, StableForm] = {
    "loss": stable(LOSS, **NAMES),
    "root": stable(ROOT, **NAMES),
    "cube": StableForm(CUBE, (), 0, ("a", "r")),
}
PLAIN = {"loss": LOSS, "root": ROOT, "cube": CUBE}
POINT = {"n": 7.0, "p": 11.0, "s": 0.8, "a": -0.3, "r": 0.45}


def reference(name: str, **changes: float) -> float:
    point = {**POINT, **changes}
    return float(high_precision(PLAIN[name], {x.name: point[x.name] for x in PLAIN[name].free_symbols}))


def arguments(form: StableForm) -> dict[str, float]:
    return {name: POINT[name] for name in form.parameters()}


# -- source text --------------------------------------------------------------------------------------------


def loaded(text: str, name: str, folder: Path) -> Callable[..., float]:
    """The function of that name from a module with this text."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., float] = getattr(module, name)
    return found


def as_python(text: str, language: str) -> str:
    """C or JavaScript of the shape written here, as Python: same operators, same precedence."""
    if language == "python":
        return text
    text = re.sub(r"^#include <math.h>", "from math import sqrt", text, flags=re.MULTILINE)
    text = re.sub(r"\bMath\.sqrt\(", "sqrt(", text)
    text = re.sub(r"\b(const )?double (?=\w)|\bconst (?=\w)", "", text)
    text = re.sub(r"^(?:function )?(\w+)\((.*)\) \{$", r"def \1(\2):", text, flags=re.MULTILINE)
    text = text.replace(";", "").replace("\n}", "\n")
    return text if "from math" in text else "from math import sqrt\n" + text


@pytest.mark.parametrize("language", ["python", "c", "javascript"])
@pytest.mark.parametrize("name", FORMS)
def test_source_computes_the_formula(name: str, language: str, tmp_path: Path) -> None:
    form = FORMS[name]
    text = source(form, language, name=name)
    if language == "c":
        # a quotient of two integers would be rounded towards zero
        assert not re.search(r"(?<![\w.])[0-9]+/[0-9]+(?![\w.])", text)
    got = loaded(as_python(text, language), name, tmp_path)(**arguments(form))
    assert got == pytest.approx(reference(name), rel=1e-14, abs=0)


def test_source_has_no_power_function() -> None:
    for language in ("python", "c", "javascript"):
        text = source(FORMS["cube"], language)
        assert "pow" not in text.lower()
        assert not re.search(r"\*\*\s*[2-9]", text)


def test_readable_languages_keep_the_given_symbols() -> None:
    assert source(FORMS["loss"], "sympy") == str(FORMS["loss"].plain())
    assert r"\left(1 - a\right)^{2}" in source(FORMS["loss"], "latex")
    assert source(n, "latex", latex_names={"n": "n_t"}) == "n_t"


def test_parameters_come_in_the_order_asked_for() -> None:
    text = source(FORMS["root"], "python", name="f", parameters=("p", "n"))
    assert "def f(p, n):" in text
    with pytest.raises(NoSourceForm, match="also contains p: add it"):
        source(FORMS["root"], "python", parameters=("n",))


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        (sympy.Sum(a, (n, 1, 5)), "an unevaluated sum"),
        (sympy.Integral(a, a), "a Integral"),
        (sympy.Trace(sympy.MatrixSymbol("M", 3, 3)), "a Trace"),
        (sympy.MatrixSymbol("M", 3, 3), "a MatrixSymbol"),
        (sympy.sin(a), "a sin"),
        (a ** sympy.Rational(1, 3), "a Pow"),
        (a**n, "a Pow"),
        (sympy.Float(0.5) * a, "a Float"),
    ],
)
@pytest.mark.parametrize("language", ["python", "c", "javascript"])
def test_what_is_no_arithmetic_has_no_source(expr: sympy.Expr, said: str, language: str) -> None:
    with pytest.raises(NoSourceForm, match=said):
        source(expr, language)


def test_unknown_language_is_refused() -> None:
    with pytest.raises(NoSourceForm, match="choose one of latex, sympy, python, c, javascript"):
        source(n, "fortran")
    assert all(source(n, language) for language in LANGUAGES)


# -- programs -----------------------------------------------------------------------------------------------


def test_parts_of_a_grid_depend_on_one_rate_each() -> None:
    code = program(FORMS["loss"])
    meaning = {**{x: {x.name} for x in FORMS["loss"].plain().free_symbols}}
    for symbol, expr in code.statements:
        meaning[symbol] = set().union(*(meaning[x] for x in expr.free_symbols))
    for term in code.terms:
        for factor in term:
            assert len(set().union(*(meaning[x] for x in factor.free_symbols)) & {"a", "r"}) <= 1
    assert sorted(len(term) for term in code.terms) == [1, 2]
    assert len(code.terms[0]) == 2


def test_program_has_the_formulas_value() -> None:
    for name, form in FORMS.items():
        code = program(form)
        expr = code.result()
        for symbol, meaning in reversed(code.statements):
            expr = expr.subs(symbol, meaning)
        assert sympy.simplify(expr - PLAIN[name]) == 0


def test_auxiliary_names_stay_clear_of_the_formulas_own() -> None:
    x0 = sympy.Symbol("x0", positive=True)
    expr = (x0 + n) ** 2 + 1 / (x0 + n) ** 2
    assert compiled(expr)(x0=2.0, n=1.0) == pytest.approx(9 + 1 / 9, rel=1e-15, abs=0)


def test_multiplied_leaves_values_alone() -> None:
    assert multiplied(CUBE).doit().equals(CUBE)


# -- vectorised functions -----------------------------------------------------------------------------------


def test_scalars_give_a_float() -> None:
    got = compiled(FORMS["loss"])(**arguments(FORMS["loss"]))
    assert type(got) is float
    assert got == pytest.approx(reference("loss"), rel=1e-15, abs=0)


@pytest.mark.parametrize(
    "shapes", [((4, 1), (1, 5)), ((1, 5), (4, 1)), ((3,), (3,)), ((), (6,)), ((2, 1, 1), (5,))]
)
def test_arrays_broadcast(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    generator = np.random.default_rng(0)
    alpha, rho = (generator.uniform(-1, 2, shape) for shape in shapes)
    got = compiled(FORMS["loss"])(**{**POINT, "a": alpha, "r": rho})
    assert got.shape == np.broadcast_shapes(*shapes)
    for index in np.ndindex(got.shape):
        point = {name: float(np.broadcast_to(x, got.shape)[index]) for name, x in (("a", alpha), ("r", rho))}
        assert got[index] == pytest.approx(reference("loss", **point), rel=2e-15, abs=0)


@pytest.mark.parametrize("shapes", [((90, 1), (1, 70)), ((1, 70), (90, 1))])
@pytest.mark.parametrize("block", [1, 1000, codegen.LARGEST_PRODUCT])
def test_large_grid_agrees_with_its_points(
    shapes: tuple[tuple[int, int], ...], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codegen, "LARGEST_PRODUCT", block)
    alpha, rho = (np.linspace(-1.0, 2.0, shape[0] * shape[1]).reshape(shape) for shape in shapes)
    function = compiled(FORMS["loss"])
    grid = function(**{**POINT, "a": alpha, "r": rho})
    flat = [x.ravel() for x in np.broadcast_arrays(alpha, rho)]
    points = function(**{**POINT, "a": flat[0], "r": flat[1]})
    assert np.allclose(grid.ravel(), points, rtol=1e-15, atol=0.0)


def test_grid_with_a_further_axis_takes_the_plain_way() -> None:
    function = compiled(FORMS["loss"])
    alpha, rho = np.linspace(-1, 2, 80)[:, None], np.linspace(-1, 2, 80)[None, :]
    level = np.array([0.5, 1.5])[:, None, None]
    grid = function(**{**POINT, "a": alpha, "r": rho, "s": level})
    assert grid.shape == (2, 80, 80)
    assert np.allclose(grid[1], function(**{**POINT, "a": alpha, "r": rho, "s": 1.5}), rtol=1e-14, atol=0.0)


def test_integer_arrays_do_not_overflow() -> None:
    big = np.array([10**9, 10**9 - 1])
    got = compiled(FORMS["cube"])(n=big, p=big, a=0.5)
    exact = [high_precision(CUBE, {"n": int(x), "p": int(x), "a": 0.5}) for x in big]
    assert np.allclose(got, [float(x) for x in exact], rtol=1e-14, atol=0.0)


def test_arguments_are_left_as_they_are() -> None:
    alpha, rho = np.zeros((80, 1)), np.ones((1, 80))
    compiled(FORMS["loss"])(**{**POINT, "a": alpha, "r": rho})
    assert not alpha.any()
    assert (rho == 1).all()
    identity = compiled(a)
    assert (identity(a=rho) == rho).all()


@pytest.mark.parametrize(
    ("values", "said"),
    [({"n": 1}, "missing parameter 'p'"), ({"n": 1, "p": 2, "q": 3}, "unknown parameter 'q'")],
)
def test_wrong_names_are_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}: this formula takes n, p"):
        compiled(FORMS["root"])(**values)


# -- high precision -----------------------------------------------------------------------------------------


def test_fifty_digits_of_the_golden_ratio() -> None:
    with mpmath.workdps(60):
        golden = (mpmath.sqrt(5) - 1) / 2
        assert abs(high_precision(ROOT, {"n": 1, "p": 1}) - (mpmath.sqrt(2) - 1)) < mpmath.mpf(10) ** -50
        assert (
            abs(high_precision(sympy.sqrt(n) / 2 - p / 2, {"n": 5, "p": 1}) - golden) < mpmath.mpf(10) ** -50
        )


def test_cancellation_costs_no_digits() -> None:
    # (1 + x)^3 - 1 - 3 x - 3 x^2 = x^3 at x = 1e-30 loses 90 digits
    x = Fraction(1, 10**30)
    got = high_precision((1 + a) ** 3 - 1 - 3 * a - 3 * a**2, {"a": x})
    with mpmath.workdps(60):
        assert abs(got * mpmath.mpf(10) ** 90 - 1) < mpmath.mpf(10) ** -50


def test_numbers_are_taken_as_they_are() -> None:
    with mpmath.workdps(60):
        third, double = (high_precision(3 * a, {"a": x}) for x in (Fraction(1, 3), 1 / 3))
        assert third == 1
        assert double == 3 * mpmath.mpf(1 / 3) != 1


def test_value_that_is_zero_is_found_to_be_zero() -> None:
    assert high_precision(sympy.sqrt(n) * sympy.sqrt(n + p) - a, {"n": 2, "p": 6, "a": 4}) == 0
    assert high_precision(s**2, {"s": 0}) == 0


def test_missing_value_is_named() -> None:
    with pytest.raises(ValueError, match="missing parameter 'p': this formula takes n, p"):
        high_precision(ROOT, {"n": 1})


def test_pole_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        high_precision(1 / a, {"a": 0})
