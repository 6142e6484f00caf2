"""The underparameterized loss with a general covariance: H_t^-1 as a letter, and along the training rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from derivations.formulas import normal_inverse
from derivations.formulas.by_name import derived_parts, evaluate_named, formula
from derivations.formulas.eigenbasis import Eigenbasis
from derivations.formulas.exact import quotient
from derivations.formulas.optimum import optimum
from derivations.formulas.parameters import InvalidParameter
from derivations.formulas.trace_form import trace_form
from derivations.formulas.values import Point, traces
from derivations.language.assumptions import Assumptions, read
from derivations.language.model_letters import letter
from derivations.paper.theorem2.expansion import general_chain
from derivations.paper.theorem2.general_covariance import INVERSE, NORMAL, commuted
from derivations.steps.labels import LOSS
from derivations.variants.losses import covariance
from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.words import tr

GENERAL = read(["covariance=general"])
SIZES = {"n_t": 20, "n_v": 10, "n_r": 10, "m": 8, "p": 3, "sigma": 0.5, "alpha_r": 0.2}
MATRICES = {"Sigma": covariance("inputs", 3, 1.0), "Sigma_w": covariance("tasks", 3, 0.1)}


def at(rate: float, assumptions: Assumptions = GENERAL, **changes: object) -> float:
    return evaluate_named("eq9", {**SIZES, **MATRICES, "alpha_t": rate, **changes}, assumptions)["value"]


@pytest.mark.parametrize(
    "words",
    [
        "covariance=general",
        pytest.param("covariance=general inner_steps=2", marks=pytest.mark.slow(12)),
        "covariance=general split=reused",
    ],
)
def test_identity_covariance_is_theorem_2(words: str) -> None:
    assumptions = read(words.split())
    isotropic = read([word for word in words.split() if word != "covariance=general"])
    reused = assumptions.split == "reused"
    changes = {"n_t": 10} if reused else {}
    plain = {**SIZES, **changes, "nu": 0.6, "alpha_t": -0.3}
    expected = evaluate_named("eq9", plain, isotropic)["value"]
    found = at(-0.3, assumptions, Sigma=np.eye(3), Sigma_w=0.12 * np.eye(3), **changes)
    assert found == pytest.approx(expected, rel=1e-13, abs=0)


def test_the_loss_names_the_matrix_it_inverts() -> None:
    assert set(derived_parts("eq9", GENERAL)) == {r"\bar L^{test}", NORMAL}


def test_sigma_and_its_polynomial_commute() -> None:
    sigma, inverse, tasks = letter("Sigma"), letter(INVERSE), letter("Sigma_w")
    assert commuted(tr(sigma @ inverse @ sigma @ tasks)) == commuted(tr(inverse @ sigma @ sigma @ tasks))
    assert commuted(tr(sigma @ tasks @ inverse @ tasks)) != commuted(tr(inverse @ sigma @ tasks @ tasks))


def test_along_the_rate_is_the_value_at_each_rate() -> None:
    value = quotient(formula("eq9", GENERAL))
    numbers = {name: Fraction(number) for name, number in SIZES.items()}
    top, bottom = normal_inverse.along_rate(value, MATRICES, numbers, GENERAL)
    for rate in (Fraction(-1, 2), Fraction(0), Fraction(1, 3)):
        point = Point({**numbers, "alpha_t": rate}, MATRICES)
        known = {**point.scalars, **traces(value, point, GENERAL)}
        exact = to_fmpq(rate)
        assert to_fraction(top(exact) / bottom(exact)) == value.at(known)


def test_the_optimum_is_below_its_neighbours() -> None:
    found = optimum("eq9", {**SIZES, **MATRICES}, GENERAL)
    assert found["loss"] == pytest.approx(at(found["alpha_t"]), rel=1e-12, abs=0)
    assert all(at(found["alpha_t"] + step) > found["loss"] for step in (-1e-3, 1e-3, -0.5, 0.5))


def test_many_eigenvalues_and_singular_covariances_are_refused() -> None:
    many = {"Sigma": np.diag(np.arange(1.0, 14.0)), "Sigma_w": np.eye(13)}
    with pytest.raises(InvalidParameter, match="13 distinct eigenvalues"):
        optimum("eq9", {**SIZES, "p": 13, **many}, GENERAL)
    with pytest.raises(InvalidParameter, match="singular"):
        at(-0.1, Sigma=np.diag([1.0, 1.0, 0.0]))
    with pytest.raises(InvalidParameter, match="depend on alpha_t"):
        trace_form("eq9", {k: v for k, v in {**SIZES, **MATRICES}.items() if k != "alpha_r"}, GENERAL)


def test_a_wrong_inverse_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = at(-0.3)
    true = Eigenbasis.trace
    monkeypatch.setattr(
        Eigenbasis, "trace", lambda self, word: true(self, word) * (2 if INVERSE in word else 1)
    )
    assert at(-0.3) != pytest.approx(right, rel=1e-3)


def test_the_loss_is_derived_with_its_matrix() -> None:
    assert list(general_chain(GENERAL).parts) == [LOSS, NORMAL]
