"""A point that keeps what was computed at it gives every formula the value that it has alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Trace

from derivations.language import values
from derivations.language.symbols import n, p, sigma
from derivations.language.values import Point, evaluate
from derivations.verification.perturb import perturbations

SIGMA = MatrixSymbol("Sigma", p, p)
FORMULA = sigma**2 * (n + 1) * Trace(SIGMA**2) / (n - p) + (n + 1) ** 2 * Trace(SIGMA)
VALUES = {"n": 7.0, "p": 3.0, "sigma": 0.7, "Sigma": np.diag([0.5, 1.5, 2.5])}


def test_formulas_with_parts_in_common_keep_their_own_values() -> None:
    point = Point(VALUES)
    formulas = [FORMULA, *(candidate.parts["Y"] for candidate in perturbations({"Y": FORMULA}))]
    assert [evaluate(formula, point) for formula in formulas] == [
        evaluate(formula, VALUES) for formula in formulas
    ]
    assert sympy.Trace(SIGMA**2) in point.known


def test_no_matrix_is_kept_but_powers_of_a_letter() -> None:
    """Hundreds of sums and products of matrices of one size would fill the memory of a worker."""
    point = Point(VALUES)
    evaluate(Trace((SIGMA + 2 * SIGMA**3) ** 2) * sigma, point)
    kept = {part for part, value in point.known.items() if not isinstance(value, float)}
    assert kept == {SIGMA**3}
    assert len(point.known) > len(kept)


def test_another_point_has_its_own_values() -> None:
    first, second = Point(VALUES), Point({**VALUES, "n": 8.0})
    assert evaluate(FORMULA, first) != evaluate(FORMULA, second)


def test_products_of_diagonal_matrices_are_those_of_any_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large ones are multiplied along the diagonal, unless one of them is not diagonal, not square or one of many."""
    size, asked = values.MANY, sympy.Symbol("size")
    a, b = (sympy.MatrixSymbol(name, asked, asked) for name in "AB")
    generator = np.random.default_rng(1)
    diagonal, other = np.diag(generator.standard_normal(size)), np.diag(generator.standard_normal(size))
    almost = other.copy()
    almost[0, 1] = 1.0
    formulas = (a * b, b * a**3, (a**2 + b) ** 2 * a, sympy.Trace(a * b * a), a**0 * b)
    for second in (other, almost):
        point: Mapping[str, values.Value] = {"A": diagonal, "B": second, "size": float(size)}
        found = [np.asarray(values.evaluate(formula, point)) for formula in formulas]
        with monkeypatch.context() as patch:
            patch.setattr(values, "MANY", size + 1)
            for one, formula in zip(found, formulas, strict=True):
                np.testing.assert_allclose(
                    one, np.asarray(values.evaluate(formula, point)), rtol=1e-13, atol=0
                )
    assert not values._is_diagonal(np.zeros((size, size + 1)))
    assert not values._is_diagonal(np.zeros((2, size, size)))
