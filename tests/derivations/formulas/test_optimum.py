"""The best rates: where they are, that they are global, and what is said where there is none."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from derivations.command.cli import main
from derivations.formulas import optimum as module
from derivations.formulas.by_name import evaluate_named, function
from derivations.formulas.least_loss import note
from derivations.formulas.optimum import optimum
from derivations.formulas.parameters import InvalidParameter, parse_values
from derivations.language.assumptions import PAPER, Assumptions, read
from symbolic.proofs.minimum import Undecided
from symbolic.proofs.minimum_check import recheck

OVER = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1.0, "nu": 0.5, "alpha_r": 0.2}
UNDER = {"n_t": 5, "n_v": 25, "n_r": 10, "m": 40, "p": 30, "sigma": 0.2, "nu": 0.2, "alpha_r": 0.2}
EXTREME = (
    ("eq5", "n_t=1e9 n_v=1 n_r=1e9 m=1 p=2 sigma=1e-6 nu=0.5 alpha_r=1/5"),
    ("eq5", "n_t=1 n_v=1e4 n_r=1e9 m=99999 p=1e9 sigma=1e-6 nu=0.5 alpha_r=1/5"),
    ("eq9", "n_t=1e9 n_v=1e9 n_r=1 m=1e9 p=1e9 sigma=1e-3 nu=1e3 alpha_r=0.3"),
    ("eq9", "n_t=1 n_v=1 n_r=1 m=2 p=1 sigma=1e3 nu=1e-3 alpha_r=0.3"),
    ("eq9", "n_t=1e9 n_v=1e5 n_r=1 m=1e5 p=1 sigma=1 nu=1 alpha_r=-5"),
    ("eq5", "n_t=1e160 n_v=1 n_r=1 m=1 p=2 sigma=1 nu=0 alpha_r=0"),
    ("eq9", "n_t=1e160 n_v=3 n_r=1 m=1 p=2 sigma=1 nu=1 alpha_r=0"),
    ("eq5", "n_t=1e900 n_v=1 n_r=1e800 m=1 p=2e700 sigma=1e-700 nu=1 alpha_r=0"),
)


def on_a_grid(
    name: str, values: Mapping[str, float], assumptions: Assumptions = PAPER
) -> tuple[float, float]:
    """The least loss over a fine grid of rates, and its rate: no derivative, no exact arithmetic."""
    code = function(name, assumptions)
    given = {key: x for key, x in {"dist0_sq": 0.0, **values}.items() if key in code.parameters}
    rates = np.concatenate([-np.logspace(4, -6, 20_001), [0.0], np.logspace(-6, 4, 20_001)])
    losses = code(**given, alpha_t=rates)
    best = int(np.argmin(losses))
    return float(rates[best]), float(losses[best])


@pytest.mark.parametrize(
    ("name", "values", "assumptions"),
    [
        ("eq5", OVER, PAPER),
        ("eq9", UNDER, PAPER),
        ("eq5", {**OVER, "dist0_sq": 3.0}, PAPER),
        ("eq5", OVER, replace(PAPER, inner_steps=2)),
        ("eq9", UNDER, replace(PAPER, inner_steps=2)),
        ("eq5", OVER, replace(PAPER, inner_steps=3)),
    ],
    ids=["eq5", "eq9", "eq5 from afar", "eq5, two steps", "eq9, two steps", "eq5, three steps"],
)
def test_no_rate_on_a_grid_is_better(
    name: str, values: Mapping[str, float], assumptions: Assumptions
) -> None:
    found = optimum(name, values, assumptions)
    place, least = on_a_grid(name, values, assumptions)
    assert found["loss"] <= least * (1 + 1e-12)
    assert found["loss"] == pytest.approx(least, rel=1e-5)
    assert found["alpha_t"] == pytest.approx(place, rel=2e-2, abs=1e-5)
    assert recheck(found["certificate"])


def test_shape_of_the_answer() -> None:
    found = optimum("eq5", OVER)
    assert list(found) == ["alpha_t", "loss", "certificate"]
    assert json.loads(json.dumps(found)) == found
    assert "\n" not in found["certificate"]["reason"]


def test_best_rate_of_theorem_1_is_the_minus_root() -> None:
    generator = random.Random(1)
    for _ in range(30):
        n_t, rows, room = (generator.randint(1, 10 ** generator.randint(1, 9)) for _ in range(3))
        values = {**OVER, "n_t": n_t, "n_v": rows, "m": 1, "p": rows + room}
        found = optimum("eq5", values)
        roots = evaluate_named("eq8", values)
        assert found["alpha_t"] == roots["minimum"] < 0
        assert found["certificate"]["kind"] == "closed form"
        loss = evaluate_named("eq5", {**values, "alpha_t": found["alpha_t"]})["value"]
        assert found["loss"] == pytest.approx(loss, rel=1e-14, abs=0)
        assert recheck(found["certificate"])


@pytest.mark.parametrize(("name", "text"), EXTREME)
def test_extreme_sizes_are_decided(name: str, text: str) -> None:
    found = optimum(name, parse_values(text.split()))
    assert found["alpha_t"] < 0
    assert recheck(found["certificate"])
    names = [word.partition("=")[0] for word in text.split()]
    for factor in (0.99, 1.01):
        moved = parse_values([*text.split(), f"alpha_t={found['alpha_t'] * factor!r}"])
        assert set(names) <= set(moved)
        assert evaluate_named(name, moved)["value"] >= found["loss"]


def test_numbers_that_differ_by_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def undecided(numerator: object, denominator: object) -> None:
        raise Undecided("give other values")

    monkeypatch.setattr(module, "minimum", undecided)
    with pytest.raises(InvalidParameter, match="the minimum of eq5 is not found: give other values"):
        optimum("eq5", OVER)


def test_reason_says_why_the_root_is_global() -> None:
    reason = optimum("eq5", OVER)["certificate"]["reason"]
    assert "one negative and one positive" in reason
    assert "limits at both infinities are equal, so the lower root is the global minimum" in reason
    assert "exactly 2 real rates, each isolated" in optimum("eq9", UNDER)["certificate"]["reason"]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("eq5", {**OVER, "sigma": 0}, "does not depend on alpha_t when sigma = 0: every rate is a minimum"),
        ("eq9", {**UNDER, "sigma": 0, "nu": 0}, "when sigma = 0 and nu = 0: every rate is a minimum"),
    ],
)
def test_flat_loss_has_no_best_rate(name: str, values: Mapping[str, float], said: str) -> None:
    found = optimum(name, values)
    assert found["alpha_t"] is None
    assert found["loss"] == pytest.approx(
        evaluate_named(name, {**values, "alpha_t": 0.7})["value"], rel=1e-15
    )
    assert said in found["certificate"]["reason"]
    assert recheck(found["certificate"])


def test_without_label_noise_theorem_2_is_best_at_zero() -> None:
    assert optimum("eq9", {**UNDER, "sigma": 0})["alpha_t"] == 0.0


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("eq5", {**OVER, "alpha_t": 0.1}, "alpha_t and alpha_r given: leave out the one that is looked for"),
        ("97", {**UNDER, "alpha_t": 0.1}, "alpha_t given: leave it out"),
        ("eq8", OVER, "eq8 is no loss: ask for the optimum of eq5, eq9 or eq14"),
        ("eq10", UNDER, "eq10 does not depend on alpha_t"),
        ("eq5", UNDER, "use eq9"),
        ("eq5", {**OVER, "sigma": -1}, "sigma must not be negative"),
        ("eq5", {**OVER, "alpha_r": math.inf}, "alpha_r must be a finite number"),
        (
            "eq5",
            {k: v for k, v in OVER.items() if k != "alpha_r"},
            "give alpha_r=VALUE to find the best alpha_t, or",
        ),
    ],
)
def test_wrong_input_is_refused(name: str, values: Mapping[str, float], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        optimum(name, values)


@pytest.mark.parametrize(
    ("name", "text", "words", "said"),
    [
        (
            "eq5",
            "n_t=1e900 n_v=1 n_r=1 m=1 p=2 sigma=1 nu=0 alpha_r=0",
            "",
            "beyond 1e308: give smaller numbers",
        ),
        (
            "eq9",
            "n_t=1e900 n_v=3 n_r=1 m=1 p=2 sigma=1 nu=1 alpha_r=0",
            "inner_steps=2",
            "nearer to each other",
        ),
    ],
)
def test_sizes_beyond_reach_are_refused(name: str, text: str, words: str, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        optimum(name, parse_values(text.split()), read(words.split()))


# the adaptation rate


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("eq5", OVER, ""),
        ("eq9", UNDER, ""),
        ("eq5", OVER, "adaptation_steps=2"),
        ("eq9", UNDER, "adaptation_steps=3"),
        ("eq5", OVER, "inputs=rademacher inner_steps=2"),
        ("eq9", UNDER, "noise_val=1/3"),
        ("eq5", OVER, "order=next"),
    ],
)
def test_no_adaptation_rate_on_a_grid_is_better(name: str, values: Mapping[str, float], words: str) -> None:
    assumptions = read(words.split())
    values = {**values, "alpha_t": -0.1}
    del values["alpha_r"]
    found = optimum(name, values, assumptions)
    assert list(found) == ["alpha_r", "loss", "certificate"]
    code = function(name, assumptions)
    rates = np.linspace(-1, 2, 30_001)
    losses = code(**values, alpha_r=rates)
    assert found["loss"] <= losses.min() * (1 + 1e-12)
    assert found["loss"] == pytest.approx(losses.min(), rel=1e-6)
    assert found["alpha_r"] == pytest.approx(rates[losses.argmin()], abs=2e-4)
    assert recheck(found["certificate"])


def test_best_adaptation_rate_is_in_the_bracket() -> None:
    for values in (OVER, {**OVER, "sigma": 10.0}, {**OVER, "sigma": 0.01, "nu": 3.0}):
        found = optimum("eq5", {**{k: v for k, v in values.items() if k != "alpha_r"}, "alpha_t": 0.3})
        assert 0 < found["alpha_r"] < evaluate_named("adaptation-rate-bracket", {"p": 60, "n_r": 20})["value"]


@pytest.mark.parametrize(
    ("name", "sizes", "words"),
    [("eq14", {"n_v": 1, "m": 2}, []), ("eq9", {"n_v": 6, "m": 4}, ["covariance=general"])],
)
def test_best_adaptation_rate_with_general_covariance(
    name: str, sizes: Mapping[str, int], words: list[str]
) -> None:
    matrices = {"Sigma": np.diag([1.0, 2.0, 3.0]), "Sigma_w": np.eye(3)}
    values: dict[str, Any] = {"n_t": 6, "n_r": 10, "sigma": 1, "alpha_t": 0.2, **sizes, **matrices}
    found = optimum(name, values, read(words))
    assert recheck(found["certificate"])
    for step in (-1e-3, 1e-3):
        moved = {**values, "alpha_r": found["alpha_r"] + step}
        assert evaluate_named(name, moved, read(words))["value"] > found["loss"]


# poles, singular covariances, and sizes at which an expansion does not hold


def test_loss_that_rises_at_its_pole_has_its_minimum() -> None:
    values = {"n_t": 5, "n_v": 4, "n_r": 5, "m": 3, "p": 1, "sigma": 0.5, "nu": 0.5}
    rademacher = read(["inputs=rademacher"])
    found = optimum("eq9", {**values, "alpha_r": 0.2}, rademacher)
    assert len(found["certificate"]["poles"]) == 1
    assert recheck(found["certificate"])
    for rate in (found["alpha_t"] - 0.01, found["alpha_t"] + 0.01, 0.99, 1.01, 1e6):
        at = {**values, "alpha_r": 0.2, "alpha_t": rate}
        assert evaluate_named("eq9", at, rademacher)["value"] > found["loss"]
    with pytest.raises(InvalidParameter, match="pole at this alpha_t: give another one"):
        optimum("eq9", {**values, "alpha_t": 1}, rademacher)


@pytest.mark.parametrize("given", ["alpha_t", "alpha_r"])
@pytest.mark.parametrize(
    ("name", "n_v", "words", "diagonal"),
    [("eq9", 6, ["covariance=general"], [1.0, 1.0, 0.0, 0.0]), ("eq14", 1, [], [0.0, 0.0, 0.0, 0.0])],
)
def test_singular_covariance_is_refused(
    name: str, n_v: int, words: list[str], diagonal: list[float], given: str
) -> None:
    values = {"n_t": 6, "n_v": n_v, "n_r": 10, "m": 2, "sigma": 1, "nu": 1, given: 0.2}
    with pytest.raises(InvalidParameter, match=r"H_t.* is singular .*give a Sigma"):
        optimum(name, {**values, "Sigma": np.diag(diagonal)}, read(words))


SMALL = ["n_t=5", "n_v=5", "n_r=10", "m=4", "p=3", "sigma=.2", "nu=.2"]


@pytest.mark.parametrize("rate", ["alpha_r=.2", "alpha_t=.8"])
def test_loss_below_every_loss_is_no_minimum(rate: str) -> None:
    with pytest.raises(InvalidParameter, match="the expansion is not valid at these sizes, give larger"):
        optimum("eq9", parse_values([*SMALL, rate]), read(["order=next"]))
    assert optimum("eq9", parse_values([*SMALL, rate]))["loss"] > 0.02


def test_evaluated_loss_below_every_loss_has_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["eval", "eq9", *SMALL, "alpha_r=.2", "alpha_t=1"]
    assert main([*words, "--assume", "order=next", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["value"] == pytest.approx(-0.063136124)
    assert (
        "is not valid at these sizes, give larger n_v, m and n_t, or take order=leading" in document["note"]
    )
    assert main([*words, "--assume", "order=next"]) == 0
    assert f"note = {document['note']}" in capsys.readouterr().out.splitlines()
    assert main([*words, "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["value"]


def test_loss_at_the_bound_is_no_violation() -> None:
    # without noise in validation and without variability nothing is learned wrong at a zero training rate
    exact = {**OVER, "nu": 0, "alpha_t": 0}
    del exact["alpha_r"]
    assumptions = read(["noise_val=0"])
    found = optimum("eq5", exact, assumptions)
    assert (found["alpha_r"], found["loss"]) == (0.0, 0.5)
    assert note("eq5", {**exact, "alpha_r": 0.3}, assumptions, 0.635) is None


def spiked(size: int) -> dict[str, Any]:
    """Two large eigenvalues of Sigma among small ones: the case in which a positive rate helps."""
    return {
        "n_t": 100,
        "n_r": 50,
        "n_v": 2,
        "m": 2,
        "sigma": 0.3,
        "alpha_r": 0,
        "Sigma": np.diag([2.0, 2.0, *[0.05] * (size - 2)]),
        "Sigma_w": np.eye(size) / size,
    }


def test_spiked_covariance_has_a_positive_best_rate() -> None:
    found = optimum("eq14", spiked(200))
    assert found["alpha_t"] == pytest.approx(0.485, abs=0.005)
    assert recheck(found["certificate"])


def test_certified_rate_of_theorem_3_is_better_than_others() -> None:
    found = optimum("eq14", spiked(30))
    for rate in (-0.2, 0.0, 0.9 * found["alpha_t"], 1.1 * found["alpha_t"], 50.0):
        assert evaluate_named("eq14", {**spiked(30), "alpha_t": rate})["value"] > found["loss"]


def test_isotropic_covariance_gives_the_rate_of_theorem_1() -> None:
    values = {key: x for key, x in OVER.items() if key != "nu"}
    found = optimum("eq14", {**values, "Sigma": np.eye(60), "Sigma_w": 0.25 / 60 * np.eye(60)})
    assert found["alpha_t"] == pytest.approx(optimum("eq5", OVER)["alpha_t"], rel=1e-12, abs=0)


def test_wrong_minimum_does_not_pass_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    original = module.minimum

    def upside_down(numerator: Any, denominator: Any) -> Any:
        found = original(-numerator, denominator)
        top = [str(-int(c)) for c in found.certificate["numerator"]]
        return replace(found, certificate={**found.certificate, "numerator": top})

    monkeypatch.setattr(module, "minimum", upside_down)
    assert not recheck(optimum("eq5", OVER)["certificate"])


def test_text_names_the_rate_that_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    values = {**OVER, "alpha_t": 0.2}
    del values["alpha_r"]
    assert main(["optimum", "eq5", *(f"{key}={value}" for key, value in values.items())]) == 0
    rate, loss, *_ = capsys.readouterr().out.splitlines()
    name, _, number = rate.partition(" = ")
    assert name == "alpha_r"
    assert float(number) == pytest.approx(optimum("eq5", values)["alpha_r"], rel=1e-14, abs=0)
    assert loss.startswith("loss = ")


def test_a_pole_at_every_training_rate_is_not_blamed_on_one() -> None:
    values = {"n_t": 3, "n_v": 3, "m": 2, "p": 7, "n_r": 5, "sigma": 1, "nu": 0.5, "alpha_r": 0.2}
    with pytest.raises(
        InvalidParameter, match="pole at these sizes, whatever alpha_t is: change n_v, m or p"
    ):
        optimum("eq5", values, read(["split=reused"]))
