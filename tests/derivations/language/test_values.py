"""A point that keeps what was computed at it gives every formula the value that it has alone."""

from __future__ import annotations

import numpy as np
import sympy
from sympy import MatrixSymbol, Trace

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


def test_another_point_has_its_own_values() -> None:
    first, second = Point(VALUES), Point({**VALUES, "n": 8.0})
    assert evaluate(FORMULA, first) != evaluate(FORMULA, second)
