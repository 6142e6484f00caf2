"""The formulas by name: numbers that are exact, one line for wrong input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from derivations.formulas.by_name import (
    NoFormula,
    derived_parts,
    evaluate_named,
    formula,
    formulas,
    function,
    source_code,
)
from derivations.formulas.parameters import SIZES, InvalidParameter, parse_values
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_t
from derivations.steps.contents import UnknownStep, find, load

load()
FIGURE_2 = {
    "n_t": 30,
    "n_v": 2,
    "n_r": 20,
    "m": 3,
    "p": 60,
    "sigma": 1.0,
    "nu": 0.5,
    "alpha_t": 0.2,
    "alpha_r": 0.2,
}
FIGURE_3 = {
    "n_t": 5,
    "n_v": 25,
    "n_r": 10,
    "m": 40,
    "p": 30,
    "sigma": 0.2,
    "nu": 0.2,
    "alpha_t": 0.2,
    "alpha_r": 0.2,
}
# -- numbers ------------------------------------------------------------------------------------------------


def theorem_1(v: Mapping[str, float]) -> float:
    """(5) in plain floating point, at a harmless point."""
    h_t = (1 - v["alpha_t"]) ** 2 + v["alpha_t"] ** 2 * (v["p"] + 1) / v["n_t"]
    h_r = (1 - v["alpha_r"]) ** 2 + v["alpha_r"] ** 2 * (v["p"] + 1) / v["n_r"]
    share = v["n_v"] * v["m"] / v["p"]
    noise = v["sigma"] ** 2 * share * (1 + v["alpha_t"] ** 2 * v["p"] / v["n_t"]) / h_t
    inside = v["nu"] ** 2 * (1 + share) + (1 - share) * v.get("dist0_sq", 0.0) + noise
    return v["sigma"] ** 2 / 2 * (1 + v["alpha_r"] ** 2 * v["p"] / v["n_r"]) + h_r / 2 * inside


def test_number_of_theorem_1() -> None:
    for values in (FIGURE_2, {**FIGURE_2, "dist0_sq": 0.7}):
        assert evaluate_named("eq5", values) == {"value": pytest.approx(theorem_1(values), rel=1e-14, abs=0)}


def test_shape_of_the_answers() -> None:
    assert evaluate_named("eq8", {"n_t": 30, "p": 60}) == {
        "minimum": pytest.approx(-1.0111521104046224, rel=1e-15, abs=0),
        "maximum": pytest.approx(0.49448544373795566, rel=1e-15, abs=0),
    }
    for name in ("eq9", "eq10"):
        found = evaluate_named(name, FIGURE_3)
        assert list(found) == ["value"]
        assert type(found["value"]) is float


def test_text_and_numbers_give_the_same() -> None:
    words = [f"{name}={value}" for name, value in FIGURE_2.items()]
    exact = evaluate_named("eq5", parse_values(words))["value"]
    assert exact == pytest.approx(evaluate_named("eq5", FIGURE_2)["value"], rel=1e-15, abs=0)


def test_slug_alias_and_number_name_the_same_formula() -> None:
    assert (
        evaluate_named("theorem-1", FIGURE_2)
        == evaluate_named("5", FIGURE_2)
        == evaluate_named("eq5", FIGURE_2)
    )


def test_sizes_may_be_a_billion() -> None:
    found = evaluate_named("eq8", parse_values(["n_t=1e9", "p=1"]))
    assert found == {"minimum": -1000000002.0, "maximum": pytest.approx(1 - 2e-9, rel=1e-15, abs=0)}


def test_rates_may_be_anything_finite() -> None:
    assert math.isfinite(evaluate_named("eq5", {**FIGURE_2, "alpha_t": 1e300})["value"])
    with pytest.raises(InvalidParameter, match="beyond 1e308: give smaller numbers"):
        evaluate_named("eq5", {**FIGURE_2, "alpha_r": 1e300})


def test_parameters_that_do_not_matter_are_still_checked() -> None:
    assert evaluate_named("eq8", FIGURE_2) == evaluate_named("eq8", {"n_t": 30, "p": 60})
    with pytest.raises(InvalidParameter, match="sigma must not be negative"):
        evaluate_named("eq8", {**FIGURE_2, "sigma": -1})


def test_noise_of_validation_data_comes_from_the_assumptions() -> None:
    same = replace(PAPER, noise_val=Fraction(1))
    other = replace(PAPER, noise_val=Fraction(2))
    at_paper = evaluate_named("eq5", FIGURE_2)["value"]
    assert evaluate_named("eq5", FIGURE_2, same)["value"] == pytest.approx(at_paper, rel=1e-15, abs=0)
    assert evaluate_named("eq5", FIGURE_2, other)["value"] > at_paper
    with pytest.raises(InvalidParameter, match="sigma_v is set by the assumptions"):
        evaluate_named("eq5", {**FIGURE_2, "sigma_v": 1}, other)


# -- wrong input --------------------------------------------------------------------------------------------


def without(values: Mapping[str, float], name: str) -> dict[str, float]:
    return {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        (
            "eq5",
            FIGURE_3,
            r"eq5 holds for p > n_v m .*n_v m = 1000 and p = 30: use eq9, which holds for p < n_v m",
        ),
        (
            "eq9",
            FIGURE_2,
            r"eq9 holds for p < n_v m .*n_v m = 6 and p = 60: use eq5, which holds for p > n_v m",
        ),
        ("eq10", FIGURE_2, r"use eq5"),
        ("eq5", {**FIGURE_2, "p": 6}, "n_v m = 6 and p = 6: neither eq5 nor eq9 holds, change n_v, m or p"),
        ("eq9", {**FIGURE_3, "p": 1000}, "neither eq5 nor eq9 holds"),
        ("eq5", without(FIGURE_2, "sigma"), "eq5 needs sigma: add sigma=VALUE"),
        ("eq8", {"n_t": 3}, "eq8 needs p: add p=VALUE"),
        ("eq5", {**FIGURE_2, "alpht": 1}, "unknown parameter 'alpht'; did you mean 'alpha_t'"),
        ("eq5", {**FIGURE_2, "n_t": 2.5}, "n_t must be a positive integer, not 2.5"),
        ("eq5", {**FIGURE_2, "m": 0}, "m must be a positive integer, not 0"),
        ("eq5", {**FIGURE_2, "alpha_t": math.nan}, "alpha_t must be a finite number, not nan"),
        ("eq5", {**FIGURE_2, "nu": -1}, "nu must not be negative"),
        ("eq5", {**FIGURE_2, "Sigma": np.eye(60)}, "takes no matrices: use eq14"),
    ],
)
def test_values_that_do_not_fit_are_refused(name: str, values: Mapping[str, float], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said) as caught:
        evaluate_named(name, values)
    assert "\n" not in str(caught.value)


def test_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownStep, match="did you mean 'theorem-1'"):
        evaluate_named("theorm-1", FIGURE_2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("train-labels", "is a definition and derives no formula"),
        ("wishart-mean", "an equation between matrices and gives no number"),
        ("minimum-is-negative", "a statement about signs and gives no number"),
    ],
)
def test_step_without_a_number_says_so(name: str, said: str) -> None:
    with pytest.raises(NoFormula, match=said):
        evaluate_named(name, FIGURE_2)


def test_step_that_is_not_derivable_gives_the_reason() -> None:
    with pytest.raises(NotDerivable):
        derived_parts("eq5", replace(PAPER, covariance="general"))


def test_part_is_asked_for_by_key() -> None:
    assert formula("eq8", key="minimum") == formulas("eq8")["minimum"]
    assert formula("eq5") == formulas("eq5")["value"]
    for call in (formula, function):
        with pytest.raises(NoFormula, match="has the formulas minimum, maximum: name one"):
            call("eq8")
    with pytest.raises(NoFormula, match="name one of them"):
        function("eq5", key="minimum")


# -- formulas of matrices -----------------------------------------------------------------------------------


def isotropic(size: int, nu: float) -> dict[str, object]:
    return {"Sigma": np.eye(size), "Sigma_w": nu**2 / size * np.eye(size)}


def test_theorem_3_reduces_to_theorem_1() -> None:
    given = without(FIGURE_2, "nu")
    found = evaluate_named("eq14", {**given, **isotropic(60, 0.5)})
    assert found == {"value": pytest.approx(theorem_1(FIGURE_2), rel=1e-14, abs=0)}
    # the variability nu stands for Sigma_w = nu^2/p I, and p may be left out
    assert evaluate_named("eq14", {**without(FIGURE_2, "p"), "Sigma": np.eye(60)}) == found


def test_fourth_moments_follow_from_the_law_or_are_given() -> None:
    values = {**without(FIGURE_2, "nu"), **isotropic(60, 0.5)}
    gaussian = evaluate_named("eq14", values)
    assert evaluate_named("eq14", {**values, "F": 62 * np.eye(60)}) == gaussian
    # signs have E u^4 = 1: F = (p + 1 - 1) I
    signs = evaluate_named("eq14", values, replace(PAPER, inputs="rademacher"))
    assert signs == evaluate_named("eq14", {**values, "F": 60 * np.eye(60)})
    assert signs != gaussian


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Sigma": None}, "eq14 needs Sigma: add Sigma=@file.npy"),
        ({"Sigma_w": None}, "eq14 needs Sigma_w: add Sigma_w=@file.npy"),
        ({"p": 59}, "Sigma is 60 x 60: p must be 60, or left out"),
        ({"nu": 0.5}, "nu and Sigma_w both set the variability of tasks"),
        ({"dist0_sq": 0.1}, "set dist0_sq=0 or leave it out"),
        ({"Sigma_w": np.eye(3)}, r"shape \(3, 3\)"),
        ({"Sigma": -np.eye(60)}, "negative eigenvalue"),
        ({"Sigma": np.triu(np.ones((60, 60)))}, "not symmetric"),
        ({"Sigma": 2.0}, "Sigma must be a p x p matrix: give Sigma=@file.npy"),
        ({"m": 100}, "n_v m = 200 and p = 60: use eq9"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(changes: dict[str, object], said: str) -> None:
    values = {**without(FIGURE_2, "nu"), **isotropic(60, 0.5), **changes}
    with pytest.raises(InvalidParameter, match=said):
        evaluate_named("eq14", {key: value for key, value in values.items() if value is not None})


# -- source text --------------------------------------------------------------------------------------------


def test_code_is_that_of_the_stable_form() -> None:
    found = source_code("eq8", "c")
    assert list(found) == ["minimum", "maximum"]
    assert "double eq8_maximum(double n_t, double p)" in found["maximum"]
    assert "2.0*n_t/(n_t + sqrt(" in found["maximum"]
    assert source_code("stationary-rates", "c") == found


def test_code_takes_parameters_in_the_models_order() -> None:
    text = source_code("eq5", "python")["value"]
    assert "def eq5(n_t, n_v, n_r, m, p, sigma, nu, alpha_t, alpha_r, dist0_sq):" in text


def test_traces_are_parameters_of_code() -> None:
    text = source_code("eq14", "javascript")["value"]
    assert "tr_Sigma_Sigma_w" in text
    assert "Trace" not in text


def test_sizes_of_the_model_are_known_as_sizes() -> None:
    assert {"n_t", "n_v", "n_r", "m", "p"} <= SIZES
    assert {find(name).regime for name in ("eq5", "eq9", "eq14")} == {*Regime}


@pytest.mark.parametrize("law", ["uniform", "rademacher", "laplace"])
def test_the_slope_has_a_value_whatever_is_known_of_its_sign(law: str) -> None:
    values = {"n_v": 25, "n_r": 10, "m": 40, "p": 30, "sigma": 1, "alpha_r": 0.2}
    assumptions = read([f"inputs={law}"])
    slope = formula("eq9", assumptions).diff(alpha_t)
    at = {s: {**values, "n_t": 7, "nu": 1, "alpha_t": 0}[s.name] for s in slope.free_symbols}
    assert evaluate_named("eq10", values, assumptions)["value"] == pytest.approx(
        float(slope.subs(at)), rel=1e-12
    )
