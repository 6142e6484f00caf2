"""`derive simulate`: each quantity against an exact value, what is refused, independence of the cores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations.command import simulate as simulate_command
from derivations.command import simulation_budget
from derivations.command.simulate import PROTOCOLS, QUANTITIES, run, setting_of
from derivations.command.simulation_budget import most_draws, require_reachable
from derivations.command.simulation_gap import explained
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.parameters import parse_values
from derivations.language.assumptions import PAPER, Assumptions
from derivations.support.workers import workers
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.simulation import Method
from numeric_check.problem.setting import Setting

FIGURE_2 = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_t=0.2", "alpha_r=0.2"]
FIGURE_3 = ["n_t=5", "n_v=25", "n_r=10", "m=40", "p=30", "sigma=0.2", "nu=0.2", "alpha_t=0.2", "alpha_r=0.2"]
MANY_TASKS = ["n_t=20", "n_v=20", "n_r=10", "m=20", "p=4", "sigma=0.5", "nu=0.6", "alpha_r=0.2"]
SLOPE = ["n_v=10", "n_r=8", "m=5", "p=12", "sigma=0.7", "alpha_r=0.3"]


def with_values(words: list[str], **changes: object) -> list[str]:
    kept = [word for word in words if word.partition("=")[0] not in changes]
    return [*kept, *(f"{name}={value}" for name, value in changes.items())]


def number(found: dict[str, Any], key: str) -> float:
    value = found[key]
    assert isinstance(value, float | int)
    return float(value)


def covariance_files(folder: Path, p: int) -> list[str]:
    generator = np.random.default_rng(5)
    words = []
    for name, scale in (("Sigma", 1 / p), ("Sigma_w", 0.25 / p**2)):
        factor = generator.standard_normal((p, p))
        np.save(folder / f"{name}.npy", scale * factor.T @ factor)
        words.append(f"{name}=@{folder / name}.npy")
    return words


# What is simulated


def test_the_document_has_the_fields_of_the_contract() -> None:
    found = run("eq5", FIGURE_2, rel_error=0.01)
    assert list(found) == [
        "mean",
        "stderr",
        "draws",
        "protocol",
        "theory",
        "z",
        "gap",
        "next",
        "exact",
        "note",
    ]
    assert found["gap"] == number(found, "mean") - number(found, "theory")
    assert number(found, "stderr") <= 0.01 * number(found, "mean")
    z = (number(found, "mean") - number(found, "theory")) / number(found, "stderr")
    assert number(found, "z") == pytest.approx(z)


def excess_at_zero(setting: Setting) -> float:
    """E|omega* - w_0|^2 at alpha_t = 0 and p > n_v m, exact, by the Schur complement of a Wishart block."""
    s, rows = setting, setting.validation_points
    noise = s.sigma**2 * rows / (s.p - rows - 1)
    tasks = s.nu**2 / s.p * rows * (1 + (rows - s.n_v) / (s.p - rows - 1))
    return noise + tasks + (1 - rows / s.p) * s.dist0_sq


@pytest.mark.parametrize("protocol", ["conditional", "plain"])
def test_the_loss_is_the_exact_one_at_rate_zero(protocol: str) -> None:
    words = with_values(FIGURE_2, alpha_t=0, dist0_sq=0.5)
    s = setting_of("eq5", parse_values(words))
    h_r = (1 - s.alpha_r) ** 2 + s.alpha_r**2 * (s.p + 1) / s.n_r
    exact = s.sigma**2 / 2 * (1 + s.alpha_r**2 * s.p / s.n_r) + h_r / 2 * (s.nu**2 + excess_at_zero(s))
    found = run("eq5", words, protocol=protocol, rel_error=0.002 if protocol == "conditional" else 0.006)
    assert number(found, "exact") == pytest.approx(exact, rel=1e-14, abs=0)
    assert "the exact value is known here" in str(found["note"])
    assert abs(number(found, "mean") - exact) < 5 * number(found, "stderr")
    assert 5 * number(found, "stderr") < 0.04 * exact


@pytest.mark.parametrize("rate", ["-0.8", "0.3"])
def test_the_exact_loss_is_known_beside_a_simulation_at_every_rate(rate: str) -> None:
    words = with_values(FIGURE_2, alpha_t=rate)
    leading, exact = run("eq5", words, rel_error=2e-4), run("exact-loss", words, rel_error=2e-4)
    assert leading["exact"] == exact["theory"]
    assert leading["mean"] == exact["mean"]
    assert abs(number(exact, "z")) < 5 < number(leading, "z")
    assert "the formula is exact" in str(exact["note"])


def test_the_slope_at_zero_is_the_exact_one_not_the_leading_order() -> None:
    found = run("eq10", SLOPE, rel_error=0.005)
    s = setting_of("eq10", parse_values(SLOPE))
    h_r = (1 - s.alpha_r) ** 2 + s.alpha_r**2 * (s.p + 1) / s.n_r
    exact = h_r * s.sigma**2 * s.p / (s.validation_points - s.p - 1)
    assert abs(number(found, "mean") - exact) < 5 * number(found, "stderr")
    assert 5 * number(found, "stderr") < 0.03 * exact
    # the formula has n_v m in place of n_v m - p - 1
    assert number(found, "theory") == pytest.approx(
        exact * (s.validation_points - s.p - 1) / s.validation_points
    )
    assert number(found, "z") > 10


def test_above_a_slope_is_that_of_the_reduction_where_labels_are_noisy() -> None:
    words = [word for word in FIGURE_2 if not word.startswith("alpha_t")]
    reduced, other = (run("exact-slope-at-zero", words, protocol=how) for how in (None, "conditional"))
    assert (reduced["protocol"], other["protocol"]) == ("reduced", "conditional")
    error = math.hypot(number(reduced, "stderr"), number(other, "stderr"))
    assert abs(number(reduced, "mean") - number(other, "mean")) < 5 * error
    assert abs(number(reduced, "z")) < 5
    assert 5 * number(reduced, "stderr") < 0.03 * number(reduced, "mean")
    without = run("exact-slope-at-zero", with_values(words, sigma=0), explain=False)
    assert without["protocol"] == "conditional"


@pytest.mark.parametrize("still", [{"alpha_t": 0}, {"alpha_t": 0.3, "sigma": 0}])
def test_where_the_reduction_leaves_nothing_to_draw_any_error_is_reached(still: dict[str, float]) -> None:
    words = with_values(FIGURE_2, **still)
    usual, fine = run("eq5", words), run("eq5", words, rel_error=1e-6)
    assert (usual["protocol"], fine["protocol"]) == ("conditional", "reduced")
    assert number(fine, "stderr") <= 1e-6 * number(fine, "mean")
    assert abs(number(usual, "mean") - number(fine, "mean")) < 5 * number(usual, "stderr")


@pytest.mark.parametrize(("name", "words", "part"), [("eq5", FIGURE_2, 0.2), ("eq9", FIGURE_3, 0.5)])
def test_a_gap_many_errors_wide_is_explained_by_the_next_order(
    name: str, words: list[str], part: float
) -> None:
    found = run(name, words, rel_error=1e-4 if name == "eq9" else 5e-4)
    assert number(found, "z") > 5
    assert "what it leaves out" in str(found["note"])
    assert abs(number(found, "mean") - number(found, "next")) < part * number(found, "gap")


def test_what_is_not_known_beside_a_simulation_is_null() -> None:
    found = run("eq5", FIGURE_2, rel_error=0.01, assumptions=Assumptions(inputs="laplace"))
    assert (found["next"], found["exact"]) == (None, None)
    assert "no next order is derived" in str(found["note"])
    assert run("eq5", FIGURE_2, rel_error=0.01, assumptions=Assumptions(order="next"))["next"] is None


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_the_slope_is_taken_at_zero_and_does_not_depend_on_what_the_formula_leaves_out(value: float) -> None:
    plain = run("eq10", SLOPE, rel_error=0.01)
    other = run("eq10", [*SLOPE, f"alpha_t={value}", "n_t=7", "nu=0.8"], rel_error=0.01)
    error = math.hypot(number(plain, "stderr"), number(other, "stderr"))
    assert abs(number(plain, "mean") - number(other, "mean")) < 5 * error


def test_the_located_minimum_nears_the_formula_as_sizes_grow() -> None:
    gaps = []
    for scale in (1, 4):
        found = run("eq8", [f"n_t={8 * scale}", f"p={16 * scale}"], rel_error=0.004)
        gaps.append(abs(number(found, "mean") / number(found, "theory") - 1))
        assert number(found, "mean") < 0
        assert number(found, "stderr") <= 0.004 * abs(number(found, "mean")) * 1.01
    assert gaps[1] < gaps[0] / 2


def test_general_covariance_by_both_protocols(tmp_path: Path) -> None:
    words = [*(w for w in FIGURE_2 if w[:2] not in ("nu", "p=")), *covariance_files(tmp_path, 24)]
    known = run("eq14", words, rel_error=0.002)
    found = run("eq14", words, rel_error=0.02, protocol="plain")
    error = math.hypot(number(known, "stderr"), number(found, "stderr"))
    assert abs(number(known, "mean") - number(found, "mean")) < 5 * error
    assert 5 * error < 0.12 * number(known, "mean")
    assert number(known, "theory") == number(found, "theory")
    assert number(known, "theory") == pytest.approx(evaluate_named("eq14", parse_values(words))["value"])


@pytest.mark.slow
def test_the_protocols_agree_at_the_parameters_of_figure_2() -> None:
    known = run("eq5", FIGURE_2, rel_error=2e-4)
    found = run("eq5", FIGURE_2, rel_error=1e-3, protocol="plain")
    error = math.hypot(number(known, "stderr"), number(found, "stderr"))
    assert abs(number(known, "mean") - number(found, "mean")) < 5 * error
    # fine enough to tell either from the formula, which is 1.3 % low here
    assert 5 * error < 0.5 * (number(known, "mean") - number(known, "theory"))


# What assumptions become


@pytest.mark.parametrize(
    ("assumptions", "change"),
    [
        (PAPER, {}),
        (Assumptions(inner_steps=3), {"inner_steps": 3}),
        (Assumptions(adaptation_steps=2), {"adaptation_steps": 2}),
        (Assumptions(inputs="laplace"), {"inputs": "laplace"}),
        (Assumptions(inputs="kurtosis:7/2"), {"inputs": "kurtosis:3.5"}),
        (Assumptions(noise_val=Fraction(1, 2)), {"noise_val": 0.5}),
    ],
)
def test_assumptions_reach_the_simulated_problem(assumptions: Assumptions, change: dict[str, Any]) -> None:
    base = Setting(30, 2, 20, 3, 60, 1.0, 0.5, 0.2, 0.2)
    found = setting_of("eq5", parse_values(FIGURE_2), assumptions)
    assert found.law == replace(base, **change).law
    assert replace(found, inputs="gaussian") == replace(base, **{**change, "inputs": "gaussian"})


def test_reused_data_are_the_training_data() -> None:
    found = setting_of("eq5", parse_values(with_values(FIGURE_2, n_v=30, m=1)), Assumptions(split="reused"))
    assert found.split == "reused"


def test_open_parameters_are_neutral() -> None:
    found = setting_of("eq8", parse_values(["n_t=6", "p=9"]))
    assert found == Setting(6, 1, 1, 1, 9, 1.0, 0.0, 0.0, 0.0)


# Same answer every time


def test_same_seed_same_result_other_seed_another() -> None:
    one, again, other = (run("eq5", FIGURE_2, rel_error=0.01, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one["mean"] != other["mean"]


@pytest.mark.slow
def test_the_number_of_cores_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, 2):
        monkeypatch.setattr(simulate_command, "WORTH_PROCESSES", 0.0)
        monkeypatch.setattr(simulate_command, "cores", lambda count=count: count)
        found.append(run("eq9", with_values(FIGURE_3, m=4, n_v=12), rel_error=3e-4))
    assert found[0] == found[1]


@pytest.mark.parametrize(("worth", "pieces"), [(0.0, 2), (math.inf, 1)])
def test_processes_are_started_only_for_long_work(
    worth: float, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def spied(count: int, *rest: object) -> Any:
        asked.append(count)
        return workers(1)

    monkeypatch.setattr(simulate_command, "workers", spied)
    monkeypatch.setattr(simulate_command, "cores", lambda: 2)
    monkeypatch.setattr(simulate_command, "WORTH_PROCESSES", worth)
    run("eq5", FIGURE_2, rel_error=3e-4, protocol="conditional")
    assert asked == [pieces]


def test_progress_ends_at_one() -> None:
    heard: list[float] = []
    run("eq5", FIGURE_2, rel_error=1e-6, progress=heard.append)
    assert heard
    assert all(0 <= part <= 1 for part in heard)
    assert heard[-1] == 1.0


def test_draws_that_are_all_equal_have_no_z() -> None:
    found = run("eq5", with_values(FIGURE_2, sigma=0, nu=0, dist0_sq=0.5))
    assert found["z"] is None
    assert number(found, "mean") == pytest.approx(number(found, "theory"), rel=1e-12, abs=0)


def test_heavy_tails_carry_a_warning() -> None:
    found = run("eq5", with_values(FIGURE_2, p=9), rel_error=0.1)
    assert "no finite variance" in str(found["warning"])
    assert "warning" not in run("eq5", with_values(FIGURE_2, p=11), rel_error=0.1)


@pytest.mark.parametrize("n_t", [10**6, 10**9])
def test_the_number_of_training_points_costs_nothing(n_t: int) -> None:
    found = run("eq5", with_values(FIGURE_2, n_t=n_t), rel_error=0.01)
    assert number(found, "mean") == pytest.approx(number(found, "theory"), rel=0.1)
    found = run("eq8", [f"n_t={n_t}", "p=60"], rel_error=0.01)
    assert number(found, "mean") == pytest.approx(number(found, "theory"), rel=0.1)


def test_without_an_error_asked_for_the_draws_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation_budget, "UNASKED", 1e-4)
    heavy = run("eq5", with_values(FIGURE_2, p=8))
    assert number(heavy, "draws") < 10 * simulation_budget.FEWEST
    assert number(heavy, "stderr") > 0.001 * number(heavy, "mean")
    assert "after as many draws as are made unasked" in str(heavy["warning"])
    # the same call where that is enough
    assert "warning" not in run("eq5", FIGURE_2)


def test_draws_that_overflow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(*arguments: object, **options: object) -> Estimate:
        return Estimate(1.0, math.nan, 256)

    monkeypatch.setattr(simulate_command, "_simulation", lambda *arguments: overflowing)
    with pytest.raises(ValueError, match="leave the range of floating point"):
        run("eq5", FIGURE_2)


# What is refused


@pytest.mark.parametrize(
    ("name", "words", "options", "said"),
    [
        ("eq5", FIGURE_2, {"protocol": "plane"}, "unknown protocol 'plane'; did you mean 'plain'?"),
        ("eq5", FIGURE_2, {"rel_error": 0.0}, "--rel-error is 0.0: give a positive finite number"),
        ("eq5", FIGURE_2, {"rel_error": math.nan}, "--rel-error is nan"),
        ("eq5", FIGURE_2, {"rel_error": math.inf}, "--rel-error is inf"),
        (
            "eq5",
            FIGURE_2,
            {"rel_error": 1e-9, "protocol": "conditional"},
            r"and there is time for 2.7e\+06: ask for --rel-error [45]\.\de-06 or more$",
        ),
        ("eq8", ["n_t=8", "p=16"], {"rel_error": 1e-9}, r"ask for --rel-error \S+ or more$"),
        ("eq9", FIGURE_3, {"rel_error": 1e-9}, r"ask for --rel-error \S+ or more$"),
        ("eq10", SLOPE, {"rel_error": 1e-9}, r"ask for --rel-error \S+ or more$"),
        (
            "eq10",
            MANY_TASKS,
            {"protocol": "plain", "rel_error": 0.01},
            r"or more, or leave --protocol plain out",
        ),
        ("eq55", FIGURE_2, {}, "has no simulation of its own: simulate one of eq5, eq8"),
        ("eq555", FIGURE_2, {}, "unknown name 'eq555'"),
        ("eq5", FIGURE_2[1:], {}, "eq5 needs n_t: add n_t=VALUE"),
        ("eq5", [*FIGURE_2, "n_w=3"], {}, "unknown parameter 'n_w'"),
        ("eq5", with_values(FIGURE_2, n_v=2.5), {}, "n_v must be a positive integer"),
        ("eq5", with_values(FIGURE_2, m=40), {}, "eq5 holds for p > n_v m"),
        ("eq9", FIGURE_2, {}, "eq9 holds for p < n_v m"),
        ("eq9", with_values(FIGURE_3, n_v=31, m=1), {}, "the mean is infinite at n_v m = 31, p = 30"),
        (
            "eq9",
            with_values(FIGURE_3, n_v=90, m=1, alpha_t=0.1),
            {},
            "the mean is infinite at alpha_t > 0 with m = 1",
        ),
        ("eq8", ["n_t=4", "p=6", "n_v=3", "m=2"], {}, "eq8 holds for p > n_v m .*, but n_v m = 6"),
        (
            "eq5",
            with_values(FIGURE_2, n_t=10**9, p=10**9),
            {"protocol": "conditional"},
            "one draw would hold",
        ),
        ("eq5", with_values(FIGURE_2, n_r=10**9), {"protocol": "plain"}, "one draw would hold"),
        ("eq5", with_values(FIGURE_2, sigma="1e999"), {}, "beyond 1e308"),
        ("eq5", FIGURE_2, {"rel_error": 1e-300}, r"ask for --rel-error \d\.\de-09 or more"),
        ("eq5", with_values(FIGURE_2, alpha_t="1e200"), {}, "alpha_t is 1e.200: simulate takes rates from"),
        ("eq5", with_values(FIGURE_2, alpha_r="-1e7"), {}, "alpha_r is -1e.07: simulate takes rates from"),
        ("eq5", with_values(FIGURE_2, sigma="1e100"), {}, "sigma is of size 1e.100: simulate takes 0, or"),
        ("eq5", with_values(FIGURE_2, nu="1e-200"), {}, "nu is of size 1e-200: simulate takes 0, or"),
        ("eq5", with_values(FIGURE_2, dist0_sq="1e90"), {}, "dist0_sq is of size 1e.90"),
        ("eq5", with_values(FIGURE_2, n_t="1e13"), {}, "n_t is above 1e.12: simulate takes smaller sizes"),
        (
            "eq5",
            with_values(FIGURE_2, p="1e6"),
            {"protocol": "conditional"},
            "one draw would hold 1.0e.12 numbers",
        ),
    ],
)
def test_refused_in_one_line(name: str, words: list[str], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        run(name, words, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stderr", [0.3, 0.071, 0.0123])
def test_the_error_said_to_be_within_reach_is(stderr: float, protocol: Method) -> None:
    pilot, most = Estimate(2.0, stderr, 256), 4000
    with pytest.raises(ValueError, match="--rel-error") as caught:
        require_reachable(pilot, 1e-4, most, protocol)
    within = float(str(caught.value).partition("--rel-error ")[2].partition(" ")[0])
    assert require_reachable(pilot, within, most, protocol) <= most


def test_a_mean_lost_in_its_spread_is_refused() -> None:
    with pytest.raises(ValueError, match="the mean is close to zero beside its spread, choose other values"):
        require_reachable(Estimate(1e-6, 0.3, 256), 0.01, 10**6, "conditional")
    with pytest.raises(ValueError, match="close to zero"):
        require_reachable(Estimate(0.0, 0.3, 256), 0.01, 10**6, "conditional")


def test_more_work_for_each_draw_leaves_fewer_draws() -> None:
    base = setting_of("eq9", parse_values(FIGURE_3))
    fewer = most_draws(base, "loss", "conditional")
    assert most_draws(base, "slope", "conditional") < fewer
    assert most_draws(replace(base, inner_steps=3), "loss", "conditional") < fewer
    assert most_draws(base, "loss", "plain") < fewer
    assert (
        most_draws(replace(base, m=80), "loss", "conditional")
        < fewer
        < most_draws(replace(base, m=2), "loss", "conditional")
    )


def test_nothing_is_drawn_for_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> Callable[..., object]:
        raise AssertionError("sampling started")

    monkeypatch.setattr(simulate_command, "_simulation", fail)
    for words in (FIGURE_2[1:], with_values(FIGURE_2, m=40)):
        with pytest.raises(ValueError, match="eq5"):
            run("eq5", words)


def test_a_fourth_moment_is_no_law(tmp_path: Path) -> None:
    np.save(tmp_path / "F.npy", np.eye(3))
    values = parse_values([f"F=@{tmp_path / 'F.npy'}"])
    with pytest.raises(ValueError, match="F alone is no law"):
        setting_of("eq14", values)


def test_a_formula_beyond_the_range_of_doubles_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", 9e99 * np.eye(4))
    words = ["n_t=10", "n_v=1", "n_r=1", "m=2", "sigma=1", "nu=1", "alpha_t=0.1", "alpha_r=1"]
    with pytest.raises(ValueError, match=r"in the rates is beyond 1e308 here: give smaller numbers$"):
        run("eq14", [*words, f"Sigma=@{tmp_path / 'large.npy'}"])


def test_every_quantity_is_known() -> None:
    assert set(QUANTITIES.values()) == {"loss", "slope", "minimum"}


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (4.9, "is not seen within 5 standard errors"),
        (-4.9, "is not seen"),
        (5.1, "is what it leaves out at these sizes"),
        (-5.1, "is what it leaves out"),
    ],
)
def test_a_gap_is_seen_from_five_standard_errors_on(errors: float, said: str) -> None:
    values = parse_values(MANY_TASKS)
    values["alpha_t"] = Fraction(1, 10)
    theory = evaluate_named("eq9", values, PAPER)["value"]
    found = explained(
        "eq9", values, PAPER, Estimate(theory + errors * 1e-3, 1e-3, 900), theory, resolved=True
    )
    assert said in str(found["note"])
