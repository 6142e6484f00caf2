"""A function refuses, element by element, what the formula refuses at a point, and agrees with it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from derivations import front
from derivations.formulas.by_name import evaluate_named, formulas, function
from derivations.formulas.function import Function
from derivations.formulas.parameters import Given, InvalidParameter
from derivations.language.assumptions import PAPER, read
from derivations.language.symbols import alpha_t, m, n_v
from derivations.steps.contents import load
from symbolic.code.codegen import compiled

V: dict[str, Any] = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5}
V |= {"alpha_t": 0.2, "alpha_r": 0.2}
REUSED = read(["split=reused"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"p": 3}, "eq5 holds for p > n_v m .*, but n_v m = 6 and p = 3: use eq9"),
        ({"p": 6}, "n_v m = 6 and p = 6: neither eq5 nor eq9 holds"),
        ({"n_t": -5}, "n_t must be a positive integer, not -5"),
        ({"n_r": 2.5}, "n_r must be a positive integer"),
        ({"sigma": -1}, "sigma must not be negative"),
        ({"dist0_sq": -1.0}, "dist0_sq must not be negative"),
        ({"alpha_t": float("nan")}, "alpha_t must be a finite number"),
        ({"alphat": 1}, "unknown parameter 'alphat'"),
        ({"n_t": "3"}, "n_t must be a number, not str"),
        ({"n_t": True}, "n_t must be a number, not bool"),
        ({"Sigma": np.eye(2)}, "takes no matrices"),
    ],
)
def test_refused_as_at_a_point(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        function("eq5")(**{**V, **change})
    with pytest.raises(ValueError, match=said) as at_a_point:
        evaluate_named("eq5", {**V, **change})
    assert str(caught.value) == str(at_a_point.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"p": np.array([60, 30, 6, 3])}, "n_v m = 6 and p = 6"),
        ({"p": np.array([60, 61])[:, None], "n_v": np.array([2, 20, 21])}, "n_v m = 60 and p = 60"),
        ({"n_t": np.array([3, 0])}, "n_t must be a positive integer, not 0"),
        ({"n_t": [30.0, 30.5]}, "n_t must be a positive integer, not 30.5"),
        ({"sigma": np.linspace(1, -1, 5)}, "sigma must not be negative: it is -0.5"),
        ({"alpha_t": np.array([0.0, np.inf])}, "alpha_t must be a finite number"),
        ({"alpha_t": np.array(["a"])}, "alpha_t must be a number"),
        ({"alpha_t": np.array([True])}, "alpha_t must be a number"),
    ],
)
def test_an_element_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        function("eq5")(**{**V, **change})


def test_what_is_missing_is_named_and_what_has_a_default_has_it() -> None:
    with pytest.raises(ValueError, match="eq5 needs n_t, p: add n_t=VALUE p=VALUE"):
        function("eq5")(**{k: v for k, v in V.items() if k not in ("n_t", "p")})
    assert function("eq5")(**V) == function("eq5")(**V, dist0_sq=0)


def test_a_pole_is_refused_in_an_array_too() -> None:
    code = Function("gram-concentrates", PAPER, compiled(1 / (1 - alpha_t)), pole)
    with pytest.raises(ValueError, match="pole at 1"):
        code(alpha_t=np.array([0.0, 1.0, 2.0]))
    with pytest.raises(ValueError, match="pole at 1"):
        code(alpha_t=1)
    assert code(alpha_t=np.array([0.0, 2.0])).tolist() == [1.0, -1.0]


def pole(values: Mapping[str, Given]) -> float:
    raise ValueError(f"pole at {values['alpha_t']}")


@pytest.mark.parametrize("rate", [1e120, np.array([0.2, 1e120])])
def test_where_doubles_do_not_reach_the_value_is_exact(rate: Any) -> None:
    found = np.atleast_1d(function("eq5")(**{**V, "alpha_t": rate}))
    expected = [evaluate_named("eq5", {**V, "alpha_t": float(a)})["value"] for a in np.atleast_1d(rate)]
    assert found == pytest.approx(expected, rel=1e-14, abs=0)


def test_arrays_broadcast() -> None:
    a, r = np.linspace(-1, 1, 3)[:, None], np.linspace(-1, 1, 4)
    grid = function("eq5")(**{**V, "alpha_t": a, "alpha_r": r})
    assert grid.shape == (3, 4)
    assert grid[2, 1] == pytest.approx(
        function("eq5")(**{**V, "alpha_t": 1.0, "alpha_r": float(r[1])}), rel=1e-14
    )
    assert function("eq5")(**{**V, "alpha_t": np.zeros((0,))}).shape == (0,)


def test_reused_data_share_their_rows() -> None:
    values = {k: v for k, v in V.items() if k not in ("n_v", "m")} | {"m": 1}
    name = "eq5"
    expected = evaluate_named(name, values, REUSED)["value"]
    assert function(name, REUSED)(**values) == pytest.approx(expected, rel=1e-14, abs=0)
    assert function(name, REUSED)(**values, n_v=30) == function(name, REUSED)(**values, n_v=np.array([30]))[0]
    with pytest.raises(ValueError, match="set n_v equal to n_t"):
        function(name, REUSED)(**{**values, "n_t": np.array([30, 31])}, n_v=30)
    with pytest.raises(ValueError, match="n_v m = 60 and p = 60"):
        function(name, REUSED)(**{**values, "n_t": np.array([30, 60])})


def test_noise_that_the_assumptions_set_is_not_asked_for() -> None:
    noisy = read(["noise_val=1/3"])
    assert function("eq5", noisy)(**V) == pytest.approx(
        evaluate_named("eq5", V, noisy)["value"], rel=1e-14, abs=0
    )
    with pytest.raises(ValueError, match="sigma_v is set by the assumptions"):
        function("eq5", noisy)(**V, sigma_v=1)


def test_every_formula_with_n_v_m_says_where_it_holds() -> None:
    for step in load().values():
        try:
            found = formulas(step.name, PAPER)
        except ValueError:
            continue
        asks = any({n_v, m} <= expr.free_symbols for expr in found.values())
        assert not asks or step.regime is not None or step.name in ANY_REGIME, step.name


# the loss as a sum over tasks and points, before anything is solved; and what has a formula for each regime
ANY_REGIME = {"stacked-loss", "general-stacked-loss", "exact-loss-at-zero", "exact-slope-at-zero"}


WHOLE = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "sigma": 1}
MATRICES = {"Sigma": np.eye(60), "Sigma_w": np.eye(60) / 60}


@pytest.mark.parametrize(
    ("made", "values", "said"),
    [
        (
            lambda: front.step("eq5").function(),
            {**WHOLE, "p": 60, "nu": 0.5, "alpha_t": np.zeros((2, 3)), "alpha_r": np.zeros(4)},
            r"alpha_t \(2, 3\), alpha_r \(4,\)",
        ),
        (
            lambda: front.step("eq14").function(),
            {**WHOLE, **MATRICES, "alpha_t": np.zeros(3), "alpha_r": np.zeros(2)},
            r"alpha_t \(3,\), alpha_r \(2,\)",
        ),
        (
            lambda: front.moment("tr(W1) tr(W)").function(),
            {"n": [1, 2, 3], "n1": [1, 2], "p": 3},
            r"n \(3,\), n1 \(2,\)",
        ),
    ],
    ids=["a formula", "a formula of matrices", "a moment"],
)
def test_shapes_that_do_not_broadcast_are_named(
    made: Callable[[], Callable[..., object]], values: Mapping[str, object], said: str
) -> None:
    with pytest.raises(InvalidParameter, match=f"do not broadcast: {said}; let them agree"):
        made()(**values)
