"""The leading order under other laws against ratios of sampled means: moments of another law are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import Assumptions, read
from derivations.language.symbols import alpha_t, dist0_sq, m, n_t, n_v, nu, p, sigma
from derivations.paper.theorem1.concentration import leading_excess, leading_loss
from derivations.steps.contents import find
from derivations.variants import means
from derivations.variants.means import mean_checks
from numeric_check.estimators.simulation import Quantity

STEPS = {"excess": ("excess-overparameterized", leading_excess), "loss": ("theorem-1", leading_loss)}


def disagreeing(formula: sympy.Expr, assumptions: Assumptions, quantity: Quantity) -> set[str]:
    step = replace(find(STEPS[quantity][0]), derive=lambda _: {"L": formula})
    found = mean_checks(step, assumptions, 0, quantity)
    return {check.label.partition(":")[0] for check in found if check.verdict != "agree"}


@pytest.mark.parametrize("quantity", STEPS)
@pytest.mark.parametrize("law", ["rademacher", pytest.param("laplace", marks=pytest.mark.slow(20))])
def test_the_right_formula_agrees(law: str, quantity: Quantity) -> None:
    assumptions = read([f"inputs={law}"])
    assert disagreeing(STEPS[quantity][1](assumptions), assumptions, quantity) == set()


@pytest.mark.parametrize("quantity", STEPS)
@pytest.mark.parametrize("law", ["rademacher", "laplace"])
def test_gaussian_moments_are_seen_under_another_law(law: str, quantity: Quantity) -> None:
    found = disagreeing(STEPS[quantity][1](read([])), read([f"inputs={law}"]), quantity)
    assert "label noise" in found


@pytest.mark.parametrize(
    ("change", "source"),
    [
        (sigma**2 * alpha_t**2 / n_t / 10, "label noise"),
        (sigma**2 * alpha_t / 30, "label noise"),
        (nu**2 * n_v * m / p / 1000, "variability of tasks"),
        (dist0_sq / 1000, "start"),
    ],
    ids=str,
)
def test_a_wrong_term_is_seen_by_its_source(change: sympy.Expr, source: str) -> None:
    assumptions = read(["inputs=rademacher"])
    assert disagreeing(leading_excess(assumptions) + change, assumptions, "excess") == {source}


def test_the_next_order_is_no_ratio_of_means() -> None:
    assert means.has_means(read(["inputs=laplace"]))
    assert not means.has_means(read(["order=next"]))
    assert not means.has_means(read(["split=reused"]))
