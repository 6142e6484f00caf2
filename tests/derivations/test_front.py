"""The front door: what it hands out is the formula itself, validated at once, and its examples run."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import derivations as d
from derivations.formulas.by_name import evaluate_named
from derivations.language.assumptions import PAPER, InvalidAssumption, NotDerivable
from derivations.steps.contents import MODULE_OF, UnknownStep, find
from derivations.typeset.presentation import shown_parts

V: dict[str, Any] = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5}
V |= {"alpha_t": 0.2, "alpha_r": 0.2}
WITH_EXAMPLES = ("derivations", "derivations.front", "derivations.steps.contents", "symbolic")


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert found.attempted
    assert not found.failed


def test_steps_are_those_of_the_contents() -> None:
    assert d.steps() == list(MODULE_OF)


@pytest.mark.parametrize("name", ["eq5", "eq8", "eq9", "eq10", "eq14"])
def test_names_in_strings_are_the_symbols_of_the_formula(name: str) -> None:
    s = d.step(name)
    parts = s.formula.values() if isinstance(s.formula, dict) else [s.formula]
    for part in parts:
        free = {x for x in part.free_symbols if isinstance(x, sympy.Symbol)}
        assert free <= set(s.symbols.values())
        assert all(part.diff(str(x)) == part.diff(x) != 0 for x in free)


def test_a_formula_at_numbers_is_the_number() -> None:
    at = d.step("eq5").formula.subs({**V, "dist0_sq": 0})
    assert float(at) == pytest.approx(d.step("eq5").evaluate(**V), rel=1e-13, abs=0)


def test_a_figure_is_shown_and_saved(tmp_path: Path) -> None:
    shown = d.figure("phase-diagram")
    assert shown._repr_svg_() == shown.svg
    assert shown.svg.startswith("<svg")
    assert {one["panel"] for one in shown.series} >= {"a", "b"}
    assert shown.save(tmp_path / "it.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match="no figure '9'"):
        d.figure(9)
    with pytest.raises(InvalidAssumption, match="inner_step"):
        d.figure(2, inner_step=2)


def test_changes_are_validated_at_once() -> None:
    with pytest.raises(InvalidAssumption, match="inner_steps"):
        d.step("eq5").under(inner_step=2)
    with pytest.raises(InvalidAssumption, match="between 1 and 8"):
        d.step("eq5").under(inner_steps=9)
    with pytest.raises(NotDerivable, match="inner_steps"):
        d.step("loss-falls-with-data").under(inner_steps=2)
    with pytest.raises(UnknownStep):
        d.step("eq999")
    changed = d.step("eq5").under(inner_steps=2).under(noise_val=0.5)
    assert changed.assumptions.label() == "inner_steps=2, noise_val=1/2"


def test_a_function_of_matrices_takes_arrays_of_rates() -> None:
    sizes = {k: v for k, v in V.items() if k not in ("p", "nu", "alpha_t", "alpha_r")} | {"n_v": 1, "m": 2}
    values = {**sizes, "Sigma": np.diag([1.0, 2.0, 3.0]), "Sigma_w": np.eye(3)}
    loss, rates = d.step("eq14").function(), np.linspace(-1, 1, 3)
    grid = loss(**values, alpha_t=rates[:, None], alpha_r=rates)
    assert grid.shape == (3, 3)
    expected = evaluate_named("eq14", {**values, "alpha_t": -1.0, "alpha_r": 1.0})["value"]
    assert grid[0, 2] == pytest.approx(expected, rel=1e-12, abs=0)
    assert loss(**values, alpha_t=-1.0, alpha_r=1.0) == expected
    with pytest.raises(ValueError, match="p > n_v m"):
        loss(**{**values, "m": 3}, alpha_t=rates, alpha_r=0.1)


def test_steps_and_moments_are_typeset() -> None:
    assert r"\alpha" in d.step("eq5")._repr_latex_()
    assert d.step("eq8")._repr_latex_().count(r" \\ ") == 1
    assert d.step("figure-3")._repr_latex_() is None
    assert "n" in d.moment("W A W")._repr_latex_()


def test_a_moment_takes_sizes_of_arrays() -> None:
    n, p = np.array([7, 3])
    assert d.moment("W^2 tr(W^2)", n=n, p=p).value == d.moment("W^2 tr(W^2)", n=7, p=3).value
    assert d.moment("W^2", law="triangular", n=2, p=1).law == "triangular"


@pytest.mark.parametrize("package", ["derivations", "symbolic"])
def test_importing_a_package_loads_no_library(package: str) -> None:
    code = f"import sys, {package}; print(*({{'numpy', 'sympy', 'matplotlib', 'flint'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_unknown_attribute_is_none_of_the_packages() -> None:
    for package in ("derivations", "symbolic"):
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            getattr(importlib.import_module(package), "not" + "hing")


@pytest.mark.parametrize(
    ("document", "fence"), [("README.md", "```python\n"), ("book/notebooks.md", "```{code-cell} ipython3\n")]
)
def test_the_examples_of_the_documents_run(document: str, fence: str) -> None:
    root = Path(__file__).resolve().parents[2]
    blocks = [part.partition("```")[0] for part in (root / document).read_text("utf-8").split(fence)[1:]]
    assert blocks
    done = subprocess.run(
        [sys.executable, "-"], input="\n".join(blocks), cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("number", "name"), [(59, "delta_w"), (60, "delta_w"), (70, "delta_gamma")])
def test_a_random_vector_is_the_column_of_the_export(number: int, name: str) -> None:
    view = d.step(number)
    exported = {
        s for part in shown_parts(find(number), PAPER).values() for s in part.atoms(sympy.MatrixSymbol)
    }
    shapes = {str(symbol.name): str(symbol.shape) for symbol in exported}
    assert str(view.symbols[name].shape) == shapes[name]
    assert view.symbols[name].shape[1] == 1


@pytest.mark.parametrize(
    "n",
    [
        7.5,
        np.float64(7.5),
        np.float32(7.5),
        sympy.Rational(15, 2),
        sympy.Float(7.5),
        Fraction(15, 2),
        Decimal("7.5"),
    ],
)
def test_moments_take_numbers_of_other_libraries(n: Any) -> None:
    assert d.moment("tr(W^-2)", n=n, p=np.int64(2)).value == "104/495"


@pytest.mark.parametrize(
    "n", [True, float("nan"), float("inf"), 1j, "3", sympy.Symbol("x"), np.array([3]), None, 0, -1.5]
)
def test_what_is_no_number_of_rows_is_refused(n: Any) -> None:
    with pytest.raises(ValueError, match=r"^n is .*: give a positive integer"):
        d.moment("W", n=n, p=2)


@pytest.mark.parametrize(
    ("sigma", "value"),
    [
        ([[2, 0.5], [0.5, 1]], [[69.0, 22.5], [22.5, 24.0]]),
        ([[np.int64(2), np.float64(0.5)], [0.5, 1]], [[69.0, 22.5], [22.5, 24.0]]),
        (sympy.Matrix([[2, 1], [1, sympy.Rational(4, 3)]]), [["80", "50"], ["50", "140/3"]]),
    ],
)
def test_a_covariance_of_any_library(sigma: Any, value: Any) -> None:
    assert d.moment("W^2", n=3, Sigma=sigma).value == value


@pytest.mark.parametrize(
    "a", [[[1.0, None], [1, 2]], [[1.0, 10**400], [1, 2]], [[1.0, 1j], [0, 0]], [[1.0], [1, 2]]]
)
def test_what_is_no_matrix_is_refused(a: Any) -> None:
    with pytest.raises(ValueError, match=r"^A has "):
        d.moment("W A", n=3, A=a)
