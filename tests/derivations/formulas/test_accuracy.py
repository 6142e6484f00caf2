"""The stable forms of the formulas agree with fifty digits, in their corners too."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import flint
import numpy as np
import pytest
import sympy
from flint import arb

from derivations.formulas.by_name import (
    NoFormula,
    formulas,
    function,
    stable_formulas,
)
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.regime import Regime
from derivations.language.symbols import m, n_v
from derivations.paper.experiments.panels import FIGURE_2, FIGURE_3
from derivations.steps.contents import ALIASES, find, load
from symbolic.code.codegen import Compiled, compiled

load()
# Every central formula of scalars, whoever adds it.
SCALAR = [
    (alias, key)
    for alias in sorted(ALIASES)
    for key, expr in formulas(alias).items()
    if not expr.has(sympy.Trace)
]
LARGEST = 10**9
ACCURACY = 1e-12
# fifty digits
BITS = 167


# -- accuracy -----------------------------------------------------------------------------------------------


def log_uniform(generator: random.Random, low: float, high: float) -> int:
    return min(
        max(round(10 ** generator.uniform(math.log10(low), math.log10(high))), math.ceil(low)), int(high)
    )


def rate(generator: random.Random, n: int, p: int) -> float:
    """A rate near the roots (8), near 0, 1 and places where factors are small, tiny, or up to a million."""
    root = math.sqrt((n + 1.0) ** 2 + 4.0 * n * p)
    near = (-(n + 1 + root) / (2 * p), 2 * n / (n + 1 + root), 1.0, n / (n + p + 1.0), 2 * n / (n + p + 1.0))
    gap = generator.choice((-1, 1)) * 10 ** generator.uniform(-17, -1)
    kind = generator.randrange(len(near) + 4)
    if kind < len(near):
        return near[kind] * (1 + gap)
    further = (
        gap,
        generator.uniform(-1, 2),
        float(generator.choice((-1, 1)) * 10 ** generator.uniform(-12, 6)),
    )
    return (*further, generator.choice((0.0, 1.0, -1e6, 1e6)))[kind - len(near)]


def sizes(generator: random.Random, side: Regime | None, room: int) -> dict[str, int]:
    """Sizes up to a billion in the regime asked for, in one of three with n_v m next to p; `room` is the least distance."""
    while True:
        found = {name: log_uniform(generator, 1, LARGEST) for name in ("n_t", "n_v", "n_r", "m", "p")}
        if side is Regime.OVER:
            found["p"] = max(found["p"], 2)
            found["n_v"] = log_uniform(generator, 1, found["p"] - 1)
            found["m"] = log_uniform(generator, 1, max(1, (found["p"] - 1) // found["n_v"]))
        rows = found["n_v"] * found["m"]
        if generator.randrange(3) == 0 and 4 < rows < LARGEST:
            found["p"] = rows + (1 if side is Regime.OVER else -1) * generator.randint(room, room + 2)
        distance = found["p"] - rows if side is Regime.OVER else rows - found["p"]
        if side is None or distance >= room:
            return found


def level(generator: random.Random) -> float:
    return 0.0 if generator.random() < 0.1 else 10 ** generator.uniform(-6, 6)


def point(generator: random.Random, side: Regime | None, room: int) -> dict[str, float]:
    found: dict[str, float] = dict(sizes(generator, side, room))
    found |= {name: level(generator) for name in ("sigma", "nu", "dist0_sq", "excess")}
    found["delta"] = generator.uniform(-1, 1)
    found["alpha_t"] = rate(generator, int(found["n_t"]), int(found["p"]))
    found["alpha_r"] = rate(generator, int(found["n_r"]), int(found["p"]))
    return found


def reference(expr: sympy.Expr, points: list[dict[str, float]]) -> list[arb]:
    """The derived formula as it is, in balls that hold the value: of 150 digits 50 must survive any cancellation."""
    names = sorted(str(symbol.name) for symbol in expr.free_symbols)
    bare = expr.xreplace({symbol: sympy.Symbol(str(symbol.name)) for symbol in expr.free_symbols})
    balls = {"mpf": arb, "sqrt": arb.sqrt}
    exact = sympy.lambdify([sympy.Symbol(name) for name in names], bare, modules=[balls, "mpmath"], cse=True)
    # a formula may be a constant, which comes as an integer
    return [arb(exact(*(arb(values[name]) for name in names))) for values in points]


def errors(code: Compiled, expr: sympy.Expr, points: list[dict[str, float]]) -> np.ndarray:
    """Relative errors of a compiled formula at the points, at most (absolute where the value is zero)."""
    columns = {name: np.array([float(values[name]) for values in points]) for name in code.parameters}
    got = np.broadcast_to(code(**columns), len(points))
    found = []
    with flint.ctx.workdps(150):
        for number, exact in zip(got, reference(expr, points), strict=True):
            assert exact.contains(0) or exact.rel_accuracy_bits() > BITS
            gap = abs(arb(float(number)) - exact) / (1 if exact.contains(0) else abs(exact))
            found.append(float(gap.upper()) if np.isfinite(number) else math.inf)
    return np.array(found)


def side(alias: str, key: str, expr: sympy.Expr) -> Regime | None:
    """The regime of a formula, None for one that has no n_v m in it and holds on both sides."""
    regime = {one.value: one for one in Regime}.get(key, find(alias).regime)
    return regime if {n_v, m} <= expr.free_symbols else None


def accuracy(alias: str, key: str, count: int, assumptions: Assumptions = PAPER) -> np.ndarray:
    generator = random.Random(f"{alias}/{key}/{assumptions.label()}")
    expr = formulas(alias, assumptions)[key]
    # what holds exactly at a rate of zero is infinite where p is next to n_v m
    room = 2 if "at-zero" in alias else 1
    regime = side(alias, key, expr)
    points = [point(generator, regime, room) for _ in range(count)]
    return errors(compiled(stable_formulas(alias, assumptions)[key]), expr, points)


@pytest.mark.parametrize(("alias", "key"), SCALAR)
def test_function_agrees_with_fifty_digits(alias: str, key: str) -> None:
    assert accuracy(alias, key, 400).max() <= ACCURACY


@pytest.mark.slow
@pytest.mark.parametrize(("alias", "key"), SCALAR)
def test_function_agrees_with_fifty_digits_at_ten_thousand_points(alias: str, key: str) -> None:
    assert accuracy(alias, key, 10_000).max() <= ACCURACY


# Every other step that derives a formula of scalars alone.
FURTHER = (
    "rows-concentrate",
    "rows-through-wishart",
    "rows-through-wishart-squared",
    "weighted-rows-of-two-tasks",
    "weighted-rows-of-two-tasks-wishart",
    "weighted-rows-of-two-tasks-two-wisharts",
    "columns-concentrate",
    "columns-after-wishart",
    "columns-between-wisharts",
    "loss-from-excess",
    "gram-concentrates",
    "noise-concentrates",
    "start-concentrates",
    "gram-inverse-concentrates",
    "inner-factor",
    "adaptation-factor",
    "excess-overparameterized",
    "adaptation-rate-bracket",
    "scale-mixture-meets-the-conditions",
    "scale-mixture-breaks-the-conclusion",
    "same-limits",
    "normal-matrix-concentrates",
    "normal-inverse-concentrates",
    "mu-2",
    "mu-3",
    "mu-4",
    "mu-1-1",
    "mu-2-1",
    "mu-2-2",
    "g-1",
    "g-2",
    "g-3",
    "g-4",
    "excess-underparameterized",
    "excess-underparameterized-short",
    "many-tasks-limit",
    "adaptation-rate-bracket-underparameterized",
    "deviation-at-zero-overparameterized",
    "deviation-at-zero-underparameterized",
    "deviation-slope-at-zero-overparameterized",
    "deviation-slope-at-zero-underparameterized",
    "exact-loss-at-zero",
    "two-valued-inputs-diverge",
    "exact-slope-at-zero",
)


def accuracies(name: str, count: int) -> dict[str, float]:
    """The largest error of each formula of a step."""
    return {key: float(accuracy(name, key, count).max()) for key in formulas(name)}


@pytest.mark.parametrize("name", FURTHER)
def test_every_function_agrees_with_fifty_digits(name: str) -> None:
    assert max(accuracies(name, 400).values()) <= ACCURACY


@pytest.mark.slow
@pytest.mark.parametrize("name", FURTHER)
def test_every_function_agrees_with_fifty_digits_at_ten_thousand_points(name: str) -> None:
    assert max(accuracies(name, 10_000).values()) <= ACCURACY


def of_scalars(name: str) -> bool:
    """Whether a step derives a formula that is a function of numbers alone, with no average to be computed."""
    if load()[name].average is not None:
        return False
    try:
        found = formulas(name)
    except NoFormula:
        return False
    return any(expr.free_symbols for expr in found.values()) and not any(
        expr.has(sympy.Trace) for expr in found.values()
    )


@pytest.mark.slow
def test_no_formula_of_scalars_is_left_out() -> None:
    assert {name for name in load() if of_scalars(name)} == {*FURTHER, *ALIASES.values()} - {ALIASES["eq14"]}


VARIANTS = [
    ("eq5", replace(PAPER, inner_steps=2)),
    ("eq9", replace(PAPER, inner_steps=2)),
    ("eq5", replace(PAPER, inner_steps=3, adaptation_steps=2)),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alias", "assumptions"), VARIANTS, ids=lambda x: x if isinstance(x, str) else x.label()
)
def test_function_under_other_assumptions_agrees_with_fifty_digits(
    alias: str, assumptions: Assumptions
) -> None:
    assert accuracy(alias, "value", 1000, assumptions).max() <= ACCURACY


def naive(expr: sympy.Expr) -> sympy.Expr:
    """The formula as one quotient of expanded polynomials; a root over its denominator as it comes."""
    top, bottom = sympy.fraction(sympy.together(expr))
    return sympy.expand(top) / sympy.expand(bottom)


@pytest.mark.parametrize(("alias", "key"), [("eq5", "value"), ("eq9", "value"), ("eq8", "maximum")])
def test_accuracy_test_fails_the_tempting_form(alias: str, key: str) -> None:
    expr = formulas(alias)[key]
    generator = random.Random(0)
    regime = side(alias, key, expr)
    points = [point(generator, regime, 1) for _ in range(300)]
    found = errors(compiled(naive(expr)), expr, points)
    assert (found > ACCURACY).mean() > 0.05
    assert found.max() > 1000 * ACCURACY


@pytest.mark.parametrize(("alias", "key"), SCALAR)
def test_stable_form_is_certified(alias: str, key: str) -> None:
    form = stable_formulas(alias)[key]
    assert form.sign == (-1 if key == "minimum" else 1)


@pytest.mark.parametrize("alias", ["eq5", "eq9"])
def test_rates_are_apart_on_a_grid(alias: str) -> None:
    code = function(alias)
    setting = replace(FIGURE_2 if alias == "eq5" else FIGURE_3, dist0_sq=0.3)
    values = {name: getattr(setting, name) for name in code.parameters}
    alpha_t, alpha_r = np.linspace(-2, 2, 70), np.linspace(-1, 1, 80)
    grid = code(**{**values, "alpha_t": alpha_t[:, None], "alpha_r": alpha_r[None, :]})
    assert sorted(len(term) for term in code.code.program.terms) == [1, 2]
    assert grid[12, 34] == pytest.approx(
        code(**{**values, "alpha_t": alpha_t[12], "alpha_r": alpha_r[34]}), rel=1e-15
    )
