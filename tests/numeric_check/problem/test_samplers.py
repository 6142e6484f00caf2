"""Sampled inputs, task parameters and noise have the first and second moments of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.samplers import coloured, deviations, inputs, means, noise
from numeric_check.problem.setting import Setting

COVARIANCE = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
DRAWS = 200_000


def settings(**change: Any) -> Setting:
    return Setting(4, 2, 3, 2, 3, 0.5, 0.8, 0.1, 0.1, **change)


def sigmas_off(rows: np.ndarray, covariance: np.ndarray) -> float:
    """Largest deviation of mean and second moments of the rows, in standard errors."""
    products = rows[:, :, None] * rows[:, None, :]
    off = [
        np.abs(rows.mean(0)) / (rows.std(0) / np.sqrt(len(rows))),
        (np.abs(products.mean(0) - covariance) / (products.std(0) / np.sqrt(len(rows)) + 1e-12)).ravel(),
    ]
    return float(np.concatenate(off).max())


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "uniform", "laplace", "kurtosis:4"])
@pytest.mark.parametrize("covariance", [None, COVARIANCE, np.diag([2.0, 1.0, 0.5])])
def test_inputs(law: str, covariance: np.ndarray | None) -> None:
    setting = settings(inputs=law, Sigma=covariance)
    x = inputs(generator_for(f"inputs/{law}/{covariance is None}"), setting, DRAWS // 4, 4)
    assert x.shape == (DRAWS // 4, 4, 3)
    assert sigmas_off(x.reshape(-1, 3), np.eye(3) if covariance is None else covariance) < 5


@pytest.mark.parametrize("covariance", [None, COVARIANCE])
def test_deviations(covariance: np.ndarray | None) -> None:
    setting = settings(Sigma_w=covariance)
    w = deviations(generator_for("deviations"), setting, DRAWS)
    assert sigmas_off(w, 0.8**2 / 3 * np.eye(3) if covariance is None else covariance) < 5


def test_a_wrong_covariance_is_caught() -> None:
    x = inputs(generator_for("wrong"), settings(Sigma=COVARIANCE), DRAWS)
    assert sigmas_off(x, COVARIANCE + 0.03 * np.eye(3)) > 5


def test_noise() -> None:
    z = noise(generator_for("noise"), 0.5, DRAWS, 1)
    assert sigmas_off(z, np.array([[0.25]])) < 5


def test_means_are_at_the_given_distance() -> None:
    omega_0, w_0 = means(settings(dist0_sq=0.7))
    assert np.square(omega_0 - w_0).sum() == pytest.approx(0.7)


def test_colouring_a_diagonal_covariance_is_the_matrix_product() -> None:
    u = generator_for("colour").standard_normal((5, 3))
    assert coloured(u, settings(Sigma=np.diag([2.0, 1.0, 0.5]))) == pytest.approx(
        u @ np.diag(np.sqrt([2.0, 1.0, 0.5]))
    )
