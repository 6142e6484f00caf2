"""Every input law's sampler has the moments the law declares."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import NAMED, InputLaw, input_law, three_point

LAWS = ("gaussian", "rademacher", "uniform", "laplace", "kurtosis:1", "kurtosis:1.5", "kurtosis:4")
DRAWS = 1_000_000


def sigmas_off(law: InputLaw, order: int) -> float:
    """How far the sampled mean of u^order is from the declared one, in standard errors."""
    values = law.draw(generator_for(f"moments/{law.name}/{order}"), (DRAWS // 10, 10)).ravel() ** order
    declared = 0.0 if order % 2 else law.even_moments[order // 2 - 1]
    spread = values.std() / math.sqrt(DRAWS)
    return abs(float(values.mean()) - declared) / (float(spread) + 1e-12)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("order", range(1, 9))
def test_sampler_has_declared_moments(name: str, order: int) -> None:
    assert sigmas_off(input_law(name), order) < 5


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_a_wrong_declaration_is_caught(order: int) -> None:
    uniform = NAMED["uniform"]
    wrong = list(uniform.even_moments)
    wrong[order // 2 - 1] *= 1.02
    assert sigmas_off(InputLaw("wrong", tuple(wrong), False, uniform.draw), order) > 5


def cumulants(law: InputLaw) -> tuple[float, ...]:
    """Of orders 2, 4, 6, 8, from the even moments."""
    _, m4, m6, m8 = law.even_moments
    return 1.0, m4 - 3, m6 - 15 * m4 + 30, m8 - 28 * m6 - 35 * m4**2 + 420 * m4 - 630


def test_cumulants_of_a_gaussian_vanish_beyond_the_second() -> None:
    assert cumulants(input_law("gaussian")) == (1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("rademacher", (1, -2, 16, -272)),
        ("uniform", (1, -6 / 5, 48 / 7, -432 / 5)),
        ("laplace", (1, 3, 30, 630)),
    ],
)
def test_cumulants(name: str, known: tuple[float, ...]) -> None:
    # from the series of log cosh t, log(sinh(a t)/(a t)) and -log(1 - t^2/2)
    assert cumulants(input_law(name)) == pytest.approx(known)


def test_kurtosis_one_is_rademacher() -> None:
    assert three_point(1.0).even_moments == input_law("rademacher").even_moments


@pytest.mark.parametrize(
    "name",
    [
        "normal",
        "kurtosis:",
        "kurtosis:x",
        "kurtosis:0.5",
        "kurtosis:nan",
        "kurtosis:inf",
        "kurtosis:7/0",
        "kurtosis:1e999",
    ],
)
def test_unknown_laws_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"inputs is|kurtosis is") as caught:
        input_law(name)
    assert "\n" not in str(caught.value)


def test_entries_are_independent_across_the_matrix() -> None:
    entries = input_law("kurtosis:4").draw(generator_for("independence"), (200_000, 2, 2)).reshape(-1, 4)
    correlations = np.corrcoef(entries.T) - np.eye(4)
    squares = np.corrcoef((entries**2).T) - np.eye(4)
    assert np.abs(correlations).max() < 0.012
    assert np.abs(squares).max() < 0.012


def test_a_kurtosis_may_be_a_fraction() -> None:
    assert input_law("kurtosis:7/2") == input_law("kurtosis:3.5")
