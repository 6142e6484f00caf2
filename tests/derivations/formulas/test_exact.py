"""Exact values: of quotients at exact numbers, and of traces of matrices of doubles."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sympy import MatrixSymbol, Trace

from derivations.formulas.exact import (
    along,
    exact_matrix,
    fourth_moment,
    parameters,
    quotient,
    trace_at,
    trace_values,
    value_at,
)
from derivations.formulas.parameters import InvalidParameter
from derivations.language.assumptions import PAPER
from derivations.language.symbols import alpha_t, n_t, p
from numeric_check.problem.laws import input_law
from numeric_check.problem.setting import symmetric_root
from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, tr

SIGMA, F = MatrixSymbol("Sigma", p, p), MatrixSymbol("F", p, p)


def covariance(size: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((size, size + 2))
    return x @ x.T / size


def test_value_is_exact() -> None:
    value = quotient((1 + alpha_t**2 * p / n_t) / (1 - 2 * alpha_t + n_t * alpha_t**2))
    point = {"alpha_t": Fraction(1, 3), "n_t": Fraction(7), "p": Fraction(5)}
    assert value_at(value, point) == (1 + Fraction(5, 63)) / (1 - Fraction(2, 3) + Fraction(7, 9))


def test_pole_and_missing_value_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="pole"):
        value_at(quotient(1 / (n_t - 3)), {"n_t": Fraction(3)})
    with pytest.raises(InvalidParameter, match="needs p: add p=VALUE"):
        value_at(quotient(n_t * p), {"n_t": Fraction(3)})


def test_quotient_along_a_rate() -> None:
    value = quotient((1 + alpha_t**2 * p) / (2 - alpha_t * n_t))
    top, bottom = along(value, "alpha_t", {"p": Fraction(3), "n_t": Fraction(1, 2)})
    for a in (0, 1, 7):
        q = top(a) / bottom(a)
        assert Fraction(int(q.p), int(q.q)) == Fraction(1 + 3 * a * a) / (2 - Fraction(a, 2))


def test_names_of_scalars_and_matrices() -> None:
    value = quotient(n_t * Trace(SIGMA * F) + alpha_t)
    assert parameters(value) == ({"n_t", "alpha_t"}, {"Sigma", "F"})


def test_traces_are_exact() -> None:
    sigma, other = covariance(4), covariance(4, seed=1)
    value = quotient(Trace(SIGMA**3) * n_t + Trace(SIGMA * F))
    found = trace_values(value, {"Sigma": sigma, "F": other}, PAPER)
    exact = [[Fraction(float(x)) for x in row] for row in sigma]
    square = [[sum(exact[i][k] * exact[k][j] for k in range(4)) for j in range(4)] for i in range(4)]
    cube = sum(square[i][k] * exact[k][i] for i in range(4) for k in range(4))
    mixed = sum(exact[i][k] * Fraction(float(other[k, i])) for i in range(4) for k in range(4))
    assert sorted(found.values()) == sorted([cube, mixed])


def test_transposed_letters_are_transposed() -> None:
    given = np.array([[1.0, 2.0], [3.0, 4.0]])
    matrices = {"A": exact_matrix(given)}
    assert trace_at("tr(A A^T)", matrices) == int(np.trace(given @ given.T))
    assert trace_at("tr(A A)", matrices) == int(np.trace(given @ given))
    assert exact_matrix(given)[1, 0] == 3


def test_fourth_moment_of_gaussian_inputs() -> None:
    sigma = covariance(3)
    found = fourth_moment(sigma, "gaussian")
    assert isinstance(found, Expression)
    value = evaluate(found, {"Sigma": exact_matrix(sigma)})
    cube = sigma @ sigma @ sigma
    expected = 2 * cube + sigma * np.trace(sigma @ sigma)
    got = np.array([[float(to_fraction(value[i, j])) for j in range(3)] for i in range(3)])
    assert np.allclose(got, expected, rtol=1e-14)


@pytest.mark.parametrize("inputs", ["rademacher", "uniform", "laplace", "kurtosis:4"])
def test_fourth_moment_of_other_inputs_is_that_of_samples(inputs: str) -> None:
    sigma = covariance(3)
    generator = np.random.default_rng(3)
    draws = 400_000
    x = input_law(inputs).draw(generator, (draws, 3)) @ symmetric_root(sigma)
    form = np.einsum("bi,ij,bj->b", x, sigma, x)
    products = form[:, None, None] * x[:, :, None] * x[:, None, :]
    mean, stderr = products.mean(axis=0), products.std(axis=0) / np.sqrt(draws)
    expected = fourth_moment(sigma, inputs)
    assert isinstance(expected, np.ndarray)
    assert (np.abs(mean - expected) <= 5 * stderr).all()
    # the test can tell the laws apart
    assert (np.abs(mean - (2 * sigma @ sigma @ sigma + sigma * np.trace(sigma @ sigma))) > 5 * stderr).any()


def test_kurtosis_of_a_gaussian_gives_the_engines_form() -> None:
    sigma = covariance(4)
    by_law, by_engine = fourth_moment(sigma, "kurtosis:3"), fourth_moment(sigma, "gaussian")
    assert isinstance(by_law, np.ndarray)
    assert isinstance(by_engine, Expression)
    found = evaluate(tr(by_engine), {"Sigma": exact_matrix(sigma)})
    assert float(found) == pytest.approx(float(np.trace(by_law)), rel=1e-13, abs=0)
