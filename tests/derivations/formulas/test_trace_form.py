"""The trace form of (14): equal to exact and to matrix evaluation, also at extremes; no matrix once built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from derivations.formulas.by_name import evaluate_named
from derivations.formulas.eigenbasis import Eigenbasis
from derivations.formulas.exact import fourth_moment
from derivations.formulas.trace_form import TraceForm, _horner, trace_form
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.values import evaluate
from derivations.steps.contents import find

LAPLACE = Assumptions(inputs="laplace")


def covariance(p: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    factor = np.random.default_rng(seed).standard_normal((p, p))
    return np.asarray(factor.T @ factor / p)


def fixed(p: int, seed: int, **changes: Any) -> dict[str, Any]:
    sizes = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 1, "sigma": 0.8}
    return {**sizes, "Sigma": covariance(p, seed), "Sigma_w": covariance(p, seed + 1) / p, **changes}


def points(count: int) -> list[tuple[dict[str, Any], float, float]]:
    """Random values, among them multiples of the identity, huge sizes, and rates next to the near-pole."""
    generator = np.random.default_rng(11)
    found = []
    for k in range(count):
        p = int(generator.integers(3, 12))
        sigma = covariance(p, k) if k % 3 else float(generator.uniform(0.2, 4)) * np.eye(p)
        sizes = {name: int(10 ** generator.uniform(0, 9)) for name in ("n_t", "n_r")}
        values = fixed(p, k, **sizes, sigma=float(generator.uniform(0, 3)), Sigma=sigma)
        pole = float(np.trace(sigma @ sigma) / np.trace(sigma @ sigma @ sigma))
        near = pole * (1 + generator.standard_normal() * 10 ** generator.uniform(-6, -1))
        far = generator.standard_normal() * 10 ** generator.uniform(-3, 4)
        found.append((values, float(near if k % 2 else far), float(generator.standard_normal())))
    return found


def test_equal_to_the_exact_value_also_where_it_is_badly_conditioned() -> None:
    for values, alpha_t, alpha_r in points(60):
        exact = evaluate_named("eq14", {**values, "alpha_t": alpha_t, "alpha_r": alpha_r})["value"]
        assert float(trace_form("eq14", values)(alpha_t, alpha_r)) == pytest.approx(exact, rel=1e-12, abs=0)


@pytest.mark.parametrize("assumptions", [PAPER, LAPLACE])
def test_equal_to_the_printed_formula_evaluated_with_matrices(assumptions: Assumptions) -> None:
    values = fixed(7, 3)
    claim = find("eq14").claim
    assert claim is not None
    (printed,) = claim().values()
    form = trace_form("eq14", values, assumptions)
    # F of (111) for inputs Sigma^(1/2) u, from its definition
    sigma, eigen = values["Sigma"], np.linalg.eigh(values["Sigma"])
    root = eigen[1] * np.sqrt(eigen[0]) @ eigen[1].T
    inner = 2 * sigma @ sigma + np.trace(sigma @ sigma) * np.eye(7)
    inner += (3.0 if assumptions is LAPLACE else 0.0) * np.diag(np.diag(sigma @ sigma))
    for alpha_t in (-1.3, 0.0, 0.4):
        for alpha_r in (-0.5, 0.2):
            given = {**values, "p": 7, "F": root @ inner @ root, "alpha_t": alpha_t, "alpha_r": alpha_r}
            direct = float(evaluate(printed, given))
            assert float(form(alpha_t, alpha_r)) == pytest.approx(direct, rel=1e-12, abs=0)


def test_a_given_fourth_moment_is_used() -> None:
    values = fixed(5, 9)
    laplace = fourth_moment(values["Sigma"], "laplace")
    assert isinstance(laplace, np.ndarray)
    given = trace_form("eq14", {**values, "F": laplace})(0.3, 0.2)
    assert float(given) == pytest.approx(
        float(trace_form("eq14", values, LAPLACE)(0.3, 0.2)), rel=1e-12, abs=0
    )
    assert float(given) != pytest.approx(float(trace_form("eq14", values)(0.3, 0.2)), rel=1e-6)


def test_rates_broadcast() -> None:
    form = trace_form("eq14", fixed(6, 1))
    rows, columns = np.linspace(-2, 2, 5)[:, None], np.linspace(-1, 1, 3)[None]
    grid = form(rows, columns)
    assert grid.shape == (5, 3)
    assert form(0.1, 0.2).shape == ()
    for i in range(5):
        for j in range(3):
            assert grid[i, j] == form(rows[i, 0], columns[0, j])


def test_a_built_form_holds_no_matrix() -> None:
    form = trace_form("eq14", fixed(9, 4))
    assert len(form.numerator) == 3
    assert {len(row) for row in form.numerator} == {5}
    assert len(form.denominator) == 1
    assert len(form.denominator[0]) == 5


def wrong_trace(word: tuple[str, ...], value: fmpq) -> fmpq:
    return value * fmpq(1001, 1000) if word == ("Sigma", "Sigma", "Sigma") else value


def test_a_wrong_trace_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    values, true = fixed(6, 2), Eigenbasis.trace
    exact = evaluate_named("eq14", {**values, "alpha_t": 0.4, "alpha_r": 0.3})["value"]
    monkeypatch.setattr(Eigenbasis, "trace", lambda self, word: wrong_trace(word, true(self, word)))
    assert float(trace_form("eq14", values)(0.4, 0.3)) != pytest.approx(exact, rel=1e-6)


def test_words_that_no_basis_makes_diagonal() -> None:
    given = {"Sigma": covariance(5, 1), "F": covariance(5, 2), "Sigma_w": covariance(5, 3)}
    basis = Eigenbasis(given)
    for word in (("F", "Sigma_w"), ("Sigma", "F", "Sigma", "Sigma_w"), ("F", "F", "F"), ("Sigma_w", "Sigma")):
        product = np.linalg.multi_dot([given[name] for name in word])
        value = basis.trace(word)
        assert int(value.p) / int(value.q) == pytest.approx(float(np.trace(product)), rel=1e-12, abs=0)


def test_without_dependence_on_the_rate_there_is_no_centre() -> None:
    assert TraceForm(0.0, ((2.0,),), ((4.0,),))(0.7, 0.1) == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Sigma": np.ones((2, 3))}, "Sigma"),
        ({"Sigma": -np.eye(6)}, "positive semidefinite"),
        ({"n_t": 2.5}, "n_t must be a positive integer"),
        ({"m": 9}, "eq14 holds for p > n_v m"),
        ({"n_w": 1}, "unknown parameter 'n_w'"),
    ],
)
def test_refused(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        trace_form("eq14", fixed(6, 1, **change))


def test_the_zero_polynomial_is_zero() -> None:
    assert float(_horner((), np.asarray(0.3))) == 0.0
