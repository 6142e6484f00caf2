"""The benchmark of the trace form compares before it times, and a wrong method stops it."""

from __future__ import annotations

import pytest

from benchmarks.trace_form import SIZES, by_eigenvalues, by_matrices, compare, covariances
from derivations.trace_form import trace_form

POINTS = [(-1.2, 0.3), (0.0, 0.0), (0.4, -0.2)]


def test_all_methods_give_the_same_loss() -> None:
    sigma, sigma_w = covariances(12)
    form = trace_form("eq14", {**SIZES, "Sigma": sigma, "Sigma_w": sigma_w})
    losses = {"matrices": by_matrices(sigma, sigma_w), "eigenvalues": by_eigenvalues(sigma, sigma_w)}
    assert compare(form, losses, POINTS) < 1e-13


def test_a_method_that_differs_is_not_timed() -> None:
    sigma, sigma_w = covariances(12)
    form = trace_form("eq14", {**SIZES, "Sigma": sigma, "Sigma_w": sigma_w})
    true = by_matrices(sigma, sigma_w)
    with pytest.raises(ValueError, match="nothing is timed"):
        compare(form, {"matrices": lambda t, r: true(t, r) * (1 + 1e-9)}, POINTS)
