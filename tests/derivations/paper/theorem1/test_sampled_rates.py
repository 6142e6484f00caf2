"""The numeric checks of the learning-rate claims read what the step derives, and fail when it is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import sigma
from derivations.paper.theorem1.sampled_rates import BASE, LIMIT, LIMIT_DIFFERENCE
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.growth import difference_check, sign_verdict

STEPS = load()
RISING = (replace(BASE, sigma=0.6), replace(BASE, sigma=1.2))
COMPARED = (
    "loss-rises-with-noise",
    "loss-falls-with-target-data",
    "meta-data-can-hurt",
    "slope-at-zero-positive",
    "minimum-is-negative",
    "loss-rises-with-noise-underparameterized",
    "loss-falls-with-data",
)


def verdicts(step: Step, **parts: sympy.Expr) -> dict[str, str]:
    """The verdicts of a step's own check when some derived parts are put in by hand."""
    changed = {**step.derive(PAPER), **parts}
    return {
        check.label: check.verdict
        for check in step.check(replace(step, derive=lambda assumptions: changed), PAPER, 0)
    }


@pytest.mark.parametrize("stated", [0, -1, 2, -2])
def test_only_the_right_sign_agrees_with_a_rising_loss(stated: int) -> None:
    assert difference_check("sign", *RISING, 1, 0).verdict == "agree"
    assert difference_check("sign", *RISING, stated, 0).verdict == "disagree"


@pytest.mark.parametrize("stated", [0, 1, 2, -2])
def test_only_the_right_sign_agrees_with_a_falling_loss(stated: int) -> None:
    assert difference_check("sign", *RISING[::-1], -1, 0).verdict == "agree"
    found = difference_check("sign", *RISING[::-1], stated, 0)
    assert found.verdict == "disagree"
    assert ("1 or -1" in found.reason) == (abs(stated) != 1)


def test_a_sign_within_the_noise_is_not_decided() -> None:
    assert [sign_verdict(value, 0.1, 1) for value in (0.6, 0.4, -0.4, -0.6)] == [
        "agree",
        "inconclusive",
        "inconclusive",
        "disagree",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("factor", [0, -1, 2])
def test_a_wrong_sign_disagrees_in_every_part(name: str, factor: int) -> None:
    step = STEPS[name]
    wrong = {label: factor * sign for label, sign in step.derive(PAPER).items()}
    right, changed = verdicts(step), verdicts(step, **wrong)
    assert {right[label] for label in wrong} == {"agree"}
    assert {changed[label] for label in wrong} == {"disagree"}


@pytest.mark.parametrize(
    ("label", "change"),
    [
        (LIMIT_DIFFERENCE, sympy.Integer(1)),
        (LIMIT_DIFFERENCE, sigma**2 / 100),
        (LIMIT, sigma**2 / 100),
        (LIMIT, -(sigma**2) / 100),
    ],
)
def test_a_wrong_limit_is_not_confirmed(label: str, change: sympy.Expr) -> None:
    step = STEPS["same-limits"]
    wrong = to_sympy(step.derive(PAPER)[label]) + change
    assert set(verdicts(step).values()) == {"agree"}
    assert set(verdicts(step, **{label: wrong}).values()) != {"agree"}


@pytest.mark.slow
def test_every_part_of_the_limit_of_many_tasks_is_looked_at() -> None:
    step = STEPS["many-tasks-limit"]
    assert set(verdicts(step).values()) == {"agree"}
    for label, part in step.derive(PAPER).items():
        wrong = verdicts(step, **{label: to_sympy(part) + sympy.Rational(1, 100)})
        assert set(wrong.values()) != {"agree"}, label


@pytest.mark.slow
def test_a_wrong_sign_of_the_slope_disagrees() -> None:
    step = STEPS["slope-at-zero-underparameterized"]
    label = next(label for label in step.derive(PAPER) if "sign" in label)
    assert verdicts(step, **{label: sympy.Integer(-1)})[label] == "disagree"
