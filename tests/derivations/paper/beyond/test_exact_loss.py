"""The exact loss above p = n_v m: against exact special cases, other routes to the same average, and simulation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from derivations.formulas.by_name import evaluate_named
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import label_noise, n_v, sigma
from derivations.paper.beyond import exact_loss
from derivations.paper.beyond import one_task as module
from derivations.paper.beyond.exact_loss import exact_formula, loss_checks, order_of_zero
from derivations.paper.beyond.one_task import average, common, one_task
from derivations.paper.beyond.one_task_integral import by_quadrature
from derivations.paper.theorem1.reused_data import at_rate_zero
from derivations.steps.contents import find
from derivations.steps.labels import LOSS
from derivations.support.bad_input import BadInput
from derivations.support.estimates import from_store
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import simulate
from numeric_check.estimators.tails import task_exponent
from numeric_check.problem.setting import Setting

FIGURE_2 = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5, "alpha_r": 0.2}


def at(rate: float, rows: int = 1, points: int = 30, size: int = 60) -> dict[str, float]:
    return {"n_t": points, "n_v": rows, "p": size, "alpha_t": rate, "sigma": 1.0, "sigma_v": 1.0}


def test_at_rate_zero_it_is_the_closed_form() -> None:
    exact = to_sympy(at_rate_zero(PAPER).shows("exact").parts["exact"])
    found = exact_formula(PAPER, "excess").subs(label_noise, sigma**2 * n_v * module.mean_of_inverse())
    assert sympy.simplify(found - exact) == 0


@pytest.mark.parametrize(
    ("rate", "learned"), [(-0.8, 0.084257), (-0.3, 0.099008), (0.3, 0.228306), (0.8, 0.224860)]
)
def test_the_deviation_at_the_sizes_of_figure_2(rate: float, learned: float) -> None:
    loss = evaluate_named("exact-loss", {**FIGURE_2, "alpha_t": rate})["value"]
    h_r = 0.8**2 + 0.2**2 * 61 / 20
    found = (loss - (1 + 0.2**2 * 3) / 2) * 2 / h_r - 0.5**2
    assert found == pytest.approx(learned, abs=2e-4)


# by mpmath at 30 digits, with its own exponential integral and quadrature
@pytest.mark.parametrize(
    ("rate", "points", "size", "value"),
    [
        (-0.8, 30, 60, 0.0087087832713979385138682),
        (-0.8, 4, 3, 0.40297450004062787929853),
        (0.3, 30, 60, 0.030519174621414494789741),
        (0.3, 4, 3, 2.6720327751498607883767),
        (0.3, 1, 5, 0.49761272882961879243640),
        # many training points, whose law is narrow, and few at rates whose poles are near zero
        (-0.5, 1000, 12, 0.0445307373824167817723334),
        (-0.5, 10**5, 6, 0.11111234566803852674728),
        (0.3, 10**7, 5, 0.680272152200476745357326),
        (-100.0, 1, 3, 0.795025306299648548716554),
        (-1e8, 1, 4, 0.49999983156534554079863),
    ],
)
def test_the_double_integral_has_fifteen_digits(rate: float, points: int, size: int, value: float) -> None:
    found = average(PAPER, at(rate, points=points, size=size))
    assert found.mean == pytest.approx(value, rel=2e-15, abs=0)
    assert found.draws == 0
    assert abs(found.mean - value) <= found.stderr < 1e-13 * found.mean


@pytest.mark.parametrize("rate", [-0.4, 0.2])
@pytest.mark.parametrize(
    ("steps", "rows", "points", "size"), [(1, 1, 12, 20), (1, 2, 30, 60), (2, 1, 40, 80), (3, 1, 60, 90)]
)
def test_quadrature_and_sampling_agree(rate: float, steps: int, rows: int, points: int, size: int) -> None:
    assumptions = read([f"inner_steps={steps}"])
    exact = average(assumptions, at(rate, rows, points, size))
    seen = average(assumptions, at(rate, rows, points, size), sampled=True, max_draws=60_000)
    assert exact.draws == 0
    assert exact.stderr < 1e-6 * exact.mean
    assert abs(seen.mean - exact.mean) < 5 * seen.stderr
    assert seen.stderr < 1e-2 * exact.mean


def test_the_error_of_a_quadrature_is_not_too_small() -> None:
    """Few nodes at a large rate and small sizes: the distance to many draws is within the error that is stated."""
    given = at(0.9, rows=2, points=4, size=9)
    rough = by_quadrature(one_task(PAPER), module.full_numbers(given))
    assert rough is not None
    seen = average(PAPER, given, sampled=True)
    assert abs(rough.mean - seen.mean) < 5 * seen.stderr + 3 * rough.stderr


@pytest.mark.parametrize(
    ("steps", "rows", "points", "size"),
    [(1, 3, 8, 14), (1, 3, 2, 9), (1, 4, 6, 8), (2, 2, 9, 14), (3, 2, 12, 14)],
)
def test_small_factors_have_the_law_of_the_whole_matrices(
    steps: int, rows: int, points: int, size: int
) -> None:
    """With U and V themselves, and with the triangular factors that stand for them."""
    assumptions, given = read([f"inner_steps={steps}"]), at(-0.3, rows, points, size)
    small = average(assumptions, given, max_draws=40_000)
    generator = module.generator_for("whole", 0)
    numbers = module.full_numbers(given)
    u = generator.standard_normal((40_000, points, rows))
    v = generator.standard_normal((40_000, points, size - rows))
    values = one_task(assumptions).values(u, v, numbers)
    gap, error = values.mean() - small.mean, values.std() / len(values) ** 0.5
    assert abs(gap) < 5 * (error**2 + small.stderr**2) ** 0.5
    assert error < 0.03 * small.mean


@pytest.mark.slow(60)
@pytest.mark.parametrize("words", [["inner_steps=3"], ["noise_val=1/3"], ["adaptation_steps=2"]])
def test_under_changed_assumptions_it_agrees_with_simulation(words: list[str]) -> None:
    found = loss_checks(find("exact-loss"), read(words), 0)
    assert [check.verdict for check in found] == ["agree"] * 4


@pytest.mark.slow(5)
def test_a_loss_wrong_by_a_few_per_cent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.paper.beyond.exact_loss.REL_ERROR", 0.002)
    step = find("exact-loss")
    assert step.derive is not None
    wrong = {LOSS: step.derive(PAPER)[LOSS] * sympy.Rational(103, 100)}
    found = loss_checks(replace(step, derive=lambda assumptions: wrong), PAPER, 0)
    assert "agree" not in [check.verdict for check in found]


@pytest.mark.parametrize("words", [["inputs=laplace"], ["covariance=general"], ["split=reused"]])
def test_where_no_rotation_helps_it_is_refused(words: list[str]) -> None:
    with pytest.raises(NotDerivable):
        evaluate_named("exact-loss", {**FIGURE_2, "n_v": 1, "n_t": 1, "alpha_t": 0.1}, read(words))


def test_an_infinite_mean_is_refused() -> None:
    with pytest.raises(BadInput, match="infinite at p = n_v m"):
        evaluate_named("exact-loss", {**FIGURE_2, "p": 7, "alpha_t": Fraction(1, 10)})


@pytest.mark.parametrize(
    ("sizes", "spread", "steps"),
    [
        ({"m": 1, "n_v": 5, "p": 6}, 1, 1),
        ({"m": 1, "n_v": 5, "p": 6}, 1, 3),
        ({"m": 3, "n_v": 2, "p": 7}, 0, 1),
    ],
)
def test_where_nothing_is_amplified_the_mean_is_finite_next_to_the_threshold(
    sizes: dict[str, int], spread: int, steps: int
) -> None:
    """A single task, or tasks that are all alike, without label noise: (1 - n_v m/p) of the start is left, by projection."""
    given = {**FIGURE_2, **sizes, "n_t": 8, "sigma": 0, "nu": spread, "dist0_sq": Fraction(1, 2)}
    rows, size = sizes["n_v"] * sizes["m"], sizes["p"]
    learned = Fraction(size - rows, 2 * size) + spread * Fraction(sizes["n_v"], size)
    h_r = 0.8**2 + 0.2**2 * (size + 1) / 20
    for name, rate in (("exact-loss", 0.3), ("exact-loss-at-zero", None)):
        at_rate = given if rate is None else {**given, "alpha_t": rate}
        changed = read([f"inner_steps={steps}"]) if rate else PAPER
        found = evaluate_named(name, at_rate, changed)["value"]
        assert found == pytest.approx(h_r / 2 * (spread + float(learned)), rel=1e-14, abs=0)
    setting = Setting(**{**given, "dist0_sq": 0.5}, alpha_t=0.3, inner_steps=steps)
    seen = simulate(setting, protocol="plain", max_draws=4000)
    assert seen.resolved(0.1)
    assert abs(seen.mean - h_r / 2 * (spread + float(learned))) < 5 * seen.stderr
    with pytest.raises(BadInput, match="infinite"):
        evaluate_named("exact-loss", {**given, "sigma": 1, "alpha_t": 0.3})
    with pytest.raises(BadInput, match="is infinite unless"):
        evaluate_named("exact-loss-at-zero", {**given, "sigma": 1})


@pytest.mark.parametrize(
    ("steps", "points", "rows", "size", "heavy"),
    [(1, 4, 1, 3, False), (2, 4, 1, 3, False), (6, 4, 1, 3, True), (6, 1, 1, 3, False), (6, 5, 2, 4, True)],
)
def test_where_the_mean_is_infinite_draws_have_a_heavy_tail(
    steps: int, points: int, rows: int, size: int, heavy: bool
) -> None:
    """The largest of many draws of Tr (B B^T)^-1, from the matrices themselves: ten times fewer are how much larger."""
    generator = np.random.default_rng(3)
    x_t, x_v = (generator.standard_normal((100_000, n, size)) for n in (points, rows))
    values, vectors = np.linalg.eigh(np.swapaxes(x_t, 1, 2) @ x_t / points)
    b = (x_v @ vectors) * ((1 - 0.6 * values) ** steps)[:, None, :]
    seen = np.trace(np.linalg.inv(b @ np.swapaxes(b, 1, 2)), axis1=1, axis2=2)
    low, high = np.quantile(seen, [0.99, 0.999])
    assert (1 / np.log10(high / low) < 0.8) == heavy
    assert (task_exponent(steps, points, rows, size) <= 2) == heavy
    given = {**FIGURE_2, "m": 1, "n_t": points, "n_v": rows, "p": size, "alpha_t": Fraction(3, 5)}
    if heavy:
        with pytest.raises(BadInput, match="infinite at every alpha_t > 0"):
            evaluate_named("exact-loss", given, read([f"inner_steps={steps}"]))


@pytest.mark.parametrize(
    ("steps", "points", "rows", "size", "rate", "refused"),
    [
        (3, 1, 1, 3, 0.5, True),
        (2, 5, 3, 6, 0.5, True),
        # of two validation points where the rules of the quadrature do not come to the same
        (1, 5, 2, 4, 0.9, True),
        (1, 30, 2, 60, 0.9, False),
        (2, 5, 1, 3, -0.5, False),
        (2, 5, 1, 5, 0.5, False),
        (1, 5, 1, 3, 0.5, False),
    ],
)
def test_no_error_is_stated_of_draws_without_a_variance(
    steps: int, points: int, rows: int, size: int, rate: float, refused: bool
) -> None:
    given = {**FIGURE_2, "m": 1, "n_t": points, "n_v": rows, "p": size, "alpha_t": Fraction(rate)}
    if not refused:
        assert evaluate_named("exact-loss", given, read([f"inner_steps={steps}"]))["error"] > 0
        return
    with pytest.raises(BadInput, match="no finite variance at alpha_t > 0"):
        evaluate_named("exact-loss", given, read([f"inner_steps={steps}"]))


@pytest.mark.parametrize("rate", [-1.0, -0.4, 0.0, 0.4, 1.0])
def test_the_whole_problem_is_within_three_errors(rate: float) -> None:
    given: dict[str, Any] = {**FIGURE_2, "alpha_t": rate, "alpha_r": 0.0}
    found = evaluate_named("exact-loss", given)
    seen = simulate(Setting(**given), rel_error=2e-4, max_seconds=30)
    assert abs(seen.mean - found["value"]) < 3 * np.hypot(seen.stderr, found["error"])
    assert seen.stderr < 3e-4 * seen.mean


@pytest.mark.parametrize("steps", [2, 3])
def test_several_steps_agree_with_the_plain_protocol(steps: int) -> None:
    """By more than what one step fewer would give."""
    sizes: dict[str, Any] = {"n_t": 12, "n_v": 1, "n_r": 9, "m": 2, "p": 14}
    given = {**sizes, "sigma": 1.0, "nu": 0.2, "alpha_t": 0.3, "alpha_r": 0.0}
    seen = simulate(Setting(**given, inner_steps=steps), protocol="plain", rel_error=8e-3, max_seconds=30)
    right, wrong = (
        evaluate_named("exact-loss", given, read([f"inner_steps={count}"]), 1e-4)["value"]
        for count in (steps, steps - 1)
    )
    assert abs(seen.mean - right) < 4 * seen.stderr
    assert abs(seen.mean - wrong) > 5 * seen.stderr


@pytest.mark.parametrize(("rows", "steps", "best"), [(1, 1, -1.0419), (2, 1, -1.058), (1, 2, 1.3138)])
def test_the_best_rate_of_the_exact_loss(rows: int, steps: int, best: float) -> None:
    """No rate beside it, nor that of the leading order, is better."""
    given = {**FIGURE_2, "n_v": rows, "alpha_r": 0}
    assumptions = read([f"inner_steps={steps}"])
    found = optimum("exact-loss", given, assumptions)
    assert found["alpha_t"] == pytest.approx(best, abs=0.02)
    others = [found["alpha_t"] + step for step in (-0.05, 0.05)] + [
        optimum("eq5", given, assumptions)["alpha_t"]
    ]
    for rate in others:
        beside = evaluate_named("exact-loss", {**given, "alpha_t": Fraction(rate)}, assumptions)["value"]
        assert beside >= found["loss"]
    assert ("negative-rate-is-better" in found["certificate"]["reason"]) == (steps == 1)


@pytest.mark.slow(10)
def test_an_error_is_reached_or_the_one_in_reach_is_named() -> None:
    given = {**FIGURE_2, "n_v": 3, "alpha_t": -1}
    found = evaluate_named("exact-loss", given, PAPER, 1e-5)
    assert found["error"] <= 1e-5 * found["value"]
    with pytest.raises(BadInput, match="out of reach here: ask for --rel-error"):
        evaluate_named("exact-loss", given, PAPER, 1e-12)
    with pytest.raises(BadInput, match="give a positive number"):
        evaluate_named("exact-loss", given, PAPER, -1.0)
    # of a double the last bit is rounded
    with pytest.raises(BadInput, match="out of reach here: ask for --rel-error"):
        evaluate_named("exact-loss", {**FIGURE_2, "n_v": 1, "alpha_t": -1}, PAPER, 1e-17)


def test_an_error_that_is_named_as_in_reach_is_the_least() -> None:
    """Two inner steps at a large rate: neither the rules of a quadrature nor draws come to what is asked, and the better counts."""
    given = {**FIGURE_2, "n_v": 1, "n_t": 4, "p": 8, "alpha_t": 2}
    two = read(["inner_steps=2"])
    with pytest.raises(BadInput, match="ask for --rel-error") as refused:
        evaluate_named("exact-loss", given, two, 1e-14)
    named = float(str(refused.value).rpartition("--rel-error ")[2].split()[0])
    found = evaluate_named("exact-loss", given, two, named)
    assert found["error"] <= named * found["value"]
    with pytest.raises(BadInput, match="ask for --rel-error"):
        evaluate_named("exact-loss", given, two, named / 10)


def test_a_loss_without_label_noise_is_flat() -> None:
    found = optimum("exact-loss", {**FIGURE_2, "sigma": 0})
    assert found["alpha_t"] is None
    assert found["certificate"]["kind"] == "flat"


def test_a_control_whose_spread_is_made_up_by_few_draws_is_not_used() -> None:
    """After four steps with few points Tr M^2 is so: the mean would be off by many of its errors, and these ten times as large."""
    assumptions = read(["inner_steps=4"])
    given = {"n_t": 5.0, "n_v": 1.0, "p": 12.0, "alpha_t": 1.0, "sigma": 1.0, "sigma_v": 1.0}
    found = average(assumptions, given, sampled=True, rel_error=1e-3)
    sizes: dict[str, Any] = {"n_t": 5, "n_v": 1, "n_r": 3, "m": 1, "p": 12, "sigma": 1.0, "nu": 0.0}
    setting = Setting(**sizes, alpha_t=1.0, alpha_r=0.0, inner_steps=4)
    seen = simulate(setting, "excess", rel_error=2e-3)
    assert found.stderr < 2e-3 * found.mean
    assert abs(seen.mean - found.mean) < 4 * (seen.stderr**2 + found.stderr**2) ** 0.5


@pytest.mark.parametrize("rate", [-0.4, 0.7])
def test_draws_that_serve_all_rates_have_the_mean_of_those_at_one(rate: float) -> None:
    assumptions = read(["inner_steps=2"])
    given = {"n_t": 9.0, "n_v": 2.0, "p": 17.0, "sigma": 1.0, "sigma_v": 0.8}
    seen = common(assumptions, given, 40_000).at(rate)
    found = average(assumptions, {**given, "alpha_t": rate}, rel_error=1e-4)
    assert abs(seen.mean() - found.mean) < 4 * seen.std() / len(seen) ** 0.5
    assert seen.std() / len(seen) ** 0.5 < 0.01 * found.mean


def test_where_positive_rates_are_infinite_the_best_is_looked_for_at_negative_ones() -> None:
    given = {"n_t": 6, "n_v": 1, "n_r": 4, "m": 1, "p": 3, "sigma": 1, "nu": 1, "alpha_r": 0.1}
    found = optimum("exact-loss", given, read(["inner_steps=3"]))
    assert found["alpha_t"] < 0
    assert found["certificate"]["reason"].startswith("the mean loss is infinite at every alpha_t > 0")
    assert "still falls at the largest rates" in found["certificate"]["reason"]


def test_rates_are_not_compared_by_draws_without_a_variance() -> None:
    given = {"n_t": 3, "n_v": 1, "n_r": 9, "m": 1, "p": 5, "sigma": 1, "nu": 1, "alpha_r": 0}
    with pytest.raises(BadInput, match="no finite variance at alpha_t > 0"):
        optimum("exact-loss", given, read(["inner_steps=3"]))


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        (["inner_steps=5"], 5),
        (["inner_steps=5", "rate_decay=1/2"], 1),
        (["inner_steps=3", "rate_decay=0"], 1),
    ],
)
def test_rates_that_differ_make_no_flat_zero(changes: list[str], order: int) -> None:
    assert order_of_zero(read(changes)) == order


def test_an_average_is_found_once_for_all_who_look_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    found: list[float] = []
    right = exact_loss.average

    @wraps(right)
    def counted(*given: Any, **how: Any) -> Estimate:
        found.append(given[1]["alpha_t"])
        return right(*given, **how)

    monkeypatch.setattr(exact_loss, "average", counted)
    at = {"n_t": 7, "n_v": 1, "m": 3, "p": 11, "sigma": 0.9, "nu": 0.5}
    seen = []
    for wanted, rate in ((False, 0.31), (True, 0.31), (True, 0.31), (True, 0.32), (False, 0.31)):
        exact_loss._remembered.cache_clear()
        with from_store(wanted):
            seen.append(exact_loss.label_noise_at(PAPER, {**at, "alpha_t": rate}))
    assert found == [0.31, 0.31, 0.32, 0.31]
    assert seen[0] == seen[1] == seen[2] == seen[4] != seen[3]
