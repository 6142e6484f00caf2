"""What the figures show: the panels of the captions, and lines that are the derived formulas."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.figures.curves import predicted
from derivations.formulas.by_name import evaluate_named
from derivations.paper.experiments.panels import FIGURES, figure, wishart_covariances
from numeric_check.estimators.plain import TASKS

# What the captions say

OVER = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1.0, "nu": 0.5, "dist0_sq": 0.0}
UNDER = {"n_t": 5, "n_v": 25, "n_r": 10, "m": 40, "p": 30, "sigma": 0.2, "nu": 0.2}
BETWEEN = {"n_t": 40, "n_r": 40, "p": 50, "sigma": 0.5, "nu": 0.5, "alpha_r": 0.2, "dist0_sq": 50 * 0.1**2}


@pytest.mark.parametrize(
    ("name", "letter", "rate", "runs", "values"),
    [
        ("2", "a", "alpha_r", 100, {**OVER, "alpha_t": 0.2}),
        ("2", "b", "alpha_t", 1000, {**OVER, "alpha_r": 0.2}),
        ("3", "a", "alpha_r", 100, {**UNDER, "alpha_t": 0.2}),
        ("3", "b", "alpha_t", 1000, {**UNDER, "alpha_r": 0.2}),
        ("4", "a", "alpha_r", 100, {**OVER, "alpha_t": 0.2}),
        ("4", "b", "alpha_t", 500, {**OVER, "alpha_r": 0.2}),
        ("6", "a", "alpha_t", 100, {**BETWEEN, "m": 1, "n_v": 2}),
        ("6", "b", "alpha_t", 100, {**BETWEEN, "m": 5, "n_v": 5}),
        ("6", "c", "alpha_t", 100, {**BETWEEN, "m": 10, "n_v": 10}),
        ("6", "d", "alpha_t", 100, {**BETWEEN, "m": 10, "n_v": 40}),
    ],
)
def test_panels_are_those_of_the_captions(
    name: str, letter: str, rate: str, runs: int, values: dict[str, float]
) -> None:
    (panel,) = (panel for panel in figure(name).panels if panel.letter == letter)
    assert (panel.rate, panel.runs) == (rate, runs)
    for point in panel.grid:
        setting = panel.at(point)
        assert getattr(setting, rate) == point
        for key, value in values.items():
            assert getattr(setting, key) == pytest.approx(value)
        assert (setting.n_s, TASKS) == (50, 100)
        assert (setting.inner_steps, setting.adaptation_steps, setting.split) == (1, 1, "separate")
    theories = {"over": "eq5" if panel.base.Sigma is None else "eq14", "under": "eq9"}
    assert panel.theory == theories[panel.base.regime]


def test_covariances_of_figure_4_are_one_wishart_draw() -> None:
    sigma, sigma_w = wishart_covariances(60, 0.5)
    base = figure("4").panels[0].base
    assert base.Sigma is not None
    assert base.Sigma_w is not None
    np.testing.assert_array_equal(base.Sigma, (sigma + sigma.T) / 2)
    # means I and nu^2/p I: the traces of p-dimensional draws are within a few percent of p and nu^2
    assert np.trace(sigma) == pytest.approx(60, rel=0.1)
    assert np.trace(sigma_w) == pytest.approx(0.25, rel=0.1)
    assert np.linalg.eigvalsh(sigma)[0] > 0
    # eigenvalues of a square Wishart matrix reach up to about 4
    assert 3 < np.linalg.eigvalsh(sigma)[-1] < 5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2", "figure2"),
        ("figure6", "figure6"),
        ("eq5", "figure2"),
        ("eq9", "figure3"),
        ("eq14", "figure4"),
        ("figure-2", "figure2"),
        ("Figure 3", "figure3"),
        ("FIGURE-4", "figure4"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert figure(name).name == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("7", "no figure '7'"),
        ("figur2", "did you mean 'figure2'"),
        ("", "no figure"),
    ],
)
def test_unknown_figures_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        figure(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(FIGURES))
def test_lines_are_the_derived_formulas(name: str) -> None:
    for panel in figure(name).panels:
        rates = [panel.grid[0], panel.grid[7]]
        for rate, value in zip(rates, predicted(panel, rates), strict=True):
            here = panel.at(rate)
            names = ["n_t", "n_v", "n_r", "m", "p", "sigma", "alpha_t", "alpha_r"]
            names += ["nu", "dist0_sq"] if here.Sigma is None else ["Sigma", "Sigma_w"]
            exact = evaluate_named(panel.theory, {key: getattr(here, key) for key in names})
            assert value == pytest.approx(exact["value"], rel=1e-11, abs=0)
