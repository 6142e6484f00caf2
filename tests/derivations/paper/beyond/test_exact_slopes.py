"""What a formula leaves out of the exact loss has the slope of its order; a wrong correction has not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy

from derivations.language import model
from derivations.language.assumptions import Assumptions, read
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, dist0_sq, m, n_t, n_v, nu, p
from derivations.paper.beyond.exact_slopes import exact_checks
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.concentration import leading_excess
from derivations.steps.contents import find
from derivations.steps.orders import element
from derivations.steps.step import Check
from symbolic.algebra.words import scalar
from symbolic.averages.expectation import covariance, expect

EXCESS = find("excess-overparameterized")
LEADING, NEXT = read(["order=leading"]), read(["order=next"])


def checked(formula: sympy.Expr, assumptions: Assumptions) -> list[Check]:
    return exact_checks(replace(EXCESS, derive=lambda _: {"E": formula}), assumptions, 0, "excess")


def wrong(found: list[Check]) -> set[str]:
    return {check.label.partition(":")[0] for check in found if check.verdict != "agree"}


def mixed_term(assumptions: Assumptions) -> sympy.Expr:
    """What the covariance of B B^T and Gamma contributes to the label noise at the next order."""
    task = model.task(assumptions, "1")
    own = scalar("1/p") * (task.design @ task.design.T)
    noise = target_covariance(assumptions, "1", "1").replace({"nu": 0})
    h = to_sympy(expect(element(own, 1, 1)))
    pairs = [(to_sympy(covariance(element(own, 1, k), element(noise, 1, k)))) for k in (1, 2)]
    return m * n_v * (pairs[0] + (n_v - 1) * pairs[1]) / h**2 / p


# in one worker with the pairs of changes that are held against the same exact values
@pytest.mark.parametrize(
    "words",
    [
        "order=leading",
        "order=next",
        "order=next noise_val=1/3",
        pytest.param(
            "inner_steps=2 order=next",
            marks=[pytest.mark.slow(12), pytest.mark.xdist_group("exact inner_steps=2")],
        ),
        pytest.param(
            "inner_steps=3 order=next",
            marks=[pytest.mark.slow(30), pytest.mark.xdist_group("exact inner_steps=3")],
        ),
        pytest.param(
            "inner_steps=4 order=next",
            marks=[pytest.mark.slow(60), pytest.mark.xdist_group("exact inner_steps=4")],
        ),
    ],
)
def test_the_slope_is_that_of_the_remainder(words: str) -> None:
    assumptions = read(words.split())
    found = checked(leading_excess(assumptions), assumptions)
    assert wrong(found) == set()
    slopes = [check.mean for check in found if check.label.startswith("label noise")]
    claimed = -3 if assumptions.order == "next" else -2
    assert len(slopes) == (6 if assumptions.inner_steps == 1 else 3)
    assert slopes == pytest.approx([claimed] * len(slopes), abs=0.1)


MUTATIONS: dict[str, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    "correction left out": lambda leading, correction: leading,
    "tripled": lambda leading, correction: leading + 3 * correction,
    "a hundredth too large": lambda leading, correction: leading + sympy.Rational(101, 100) * correction,
    "of the other sign": lambda leading, correction: leading - correction,
    "mixed term of the other sign": lambda leading, correction: leading + correction + 2 * mixed_term(NEXT),
    "mixed term left out": lambda leading, correction: leading + correction + mixed_term(NEXT),
    "one task fewer between tasks": lambda leading, correction: leading + correction.subs(m, m - 1),
    "one validation point more": lambda leading, correction: leading + correction.subs(n_v, n_v + 1),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_correction_of_the_label_noise_fails(name: str) -> None:
    correction = leading_excess(NEXT) - leading_excess(LEADING)
    noise = correction.subs({nu: 0, dist0_sq: 0})
    changed = MUTATIONS[name](leading_excess(LEADING).subs({nu: 0, dist0_sq: 0}), noise)
    found = checked(leading_excess(NEXT) - leading_excess(NEXT).subs({nu: 0, dist0_sq: 0}) + changed, NEXT)
    assert wrong(found) == {"label noise"}


# each changes one source by a part that vanishes as the sizes grow, or by one in a thousand
@pytest.mark.parametrize(
    ("change", "source"),
    [
        (nu**2 * n_v * m / p**2 * alpha_t**2, "variability of tasks"),
        (nu**2 * n_v * m / p / 1000, "variability of tasks"),
        (dist0_sq / p * alpha_t, "start"),
        (dist0_sq * n_v * m / p / 1000, "start"),
    ],
    ids=str,
)
@pytest.mark.parametrize("assumptions", [LEADING, NEXT], ids=["leading", "next"])
def test_a_wrong_source_fails_by_name(change: sympy.Expr, source: str, assumptions: Assumptions) -> None:
    if assumptions == LEADING and change == nu**2 * n_v * m / p**2 * alpha_t**2:
        change = change * n_t / 10  # of the order of the remainder it would be no error
    assert wrong(checked(leading_excess(assumptions) + change, assumptions)) == {source}
