"""Numeric confirmation of Theorem 2: how simulation minus formula falls with tasks and their size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import sympy

from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.normal_form import to_sympy
from derivations.language.values import Point, evaluate
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem2.expansion import leading_excess, leading_loss
from derivations.steps.labels import IN_SIZE, IN_TASKS, LOSS, Order
from derivations.steps.step import Check, Step
from derivations.verification.growth import residual_check
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import Expression

PARAMETERS = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r")
# standard error of a simulated mean as a share of the residual that is to be seen
SHARE = 0.045


def setting_at(size: int, tasks: int, *, sigma: float = 1.0, nu: float = 0.0) -> Setting:
    """A point of a ladder: n_v and n_t in proportion to the size, any number of tasks, p = 4.

    Along each ladder no two sizes agree at all points, so that exchanging them shows.
    """
    return Setting(
        n_t=3 * size, n_v=2 * size, n_r=20, m=tasks, p=4, sigma=sigma, nu=nu, alpha_t=-0.3, alpha_r=0.2
    )


def numbers(setting: Setting) -> dict[str, float]:
    """The scalar parameters of a setting by name."""
    return {name: float(getattr(setting, name)) for name in PARAMETERS}


@lru_cache(maxsize=64)
def point(setting: Setting) -> Point:
    """The same, with what many formulas have in common computed once."""
    return Point(numbers(setting))


def value_at(formula: sympy.Basic | Expression, setting: Setting) -> float:
    """The number that a formula takes at a setting."""
    return float(evaluate(to_sympy(formula), point(setting)))


SOURCES = {"nu": r"\nu", "sigma": r"\sigma"}


class Ladder(NamedTuple):
    """A series of settings and the exponent with which the residual falls on it."""

    label: Order
    source: str
    rungs: tuple[tuple[float, Setting], ...]
    exponent: float


_SIZES, _TASKS = (4, 8, 16, 32), (4, 8, 16, 32)
# neither one is 1, so that an exponent of sigma or nu shows
NEXT = read(["order=next"])
_NOISE, _SPREAD = (0.7, 0.0), (0.0, 1.4)


def _rungs(source: tuple[float, float], *, grow: str) -> tuple[tuple[float, Setting], ...]:
    sigma_value, nu_value = source
    if grow == "xi":
        return tuple((float(k), setting_at(k, 6, sigma=sigma_value, nu=nu_value)) for k in _SIZES)
    return tuple((float(k), setting_at(8, k, sigma=sigma_value, nu=nu_value)) for k in _TASKS)


LADDERS = (
    Ladder(IN_SIZE, "sigma", _rungs(_NOISE, grow="xi"), -2.0),
    Ladder(IN_TASKS, "sigma", _rungs(_NOISE, grow="m"), -2.0),
    Ladder(IN_SIZE, "nu", _rungs(_SPREAD, grow="xi"), -1.0),
    Ladder(IN_TASKS, "nu", _rungs(_SPREAD, grow="m"), -2.0),
)


def decay_checks(
    quantity: Quantity, formula: Callable[[Setting], float], ladders: Iterable[Ladder], seed: int
) -> list[Check]:
    """How simulation minus formula falls on each ladder, every rung drawn until its residual shows."""

    def rel_error(setting: Setting) -> float:
        leading, following = (leading_excess(one) for one in (PAPER, NEXT))
        weight = 1.0 if quantity == "excess" else value_at(loss_coefficients(PAPER)[1], setting)
        total = value_at(leading_loss(PAPER) if quantity == "loss" else leading, setting)
        return SHARE * weight * abs(value_at(following, setting) - value_at(leading, setting)) / total

    return [
        residual_check(
            f"decay of simulation minus formula: {ladder.label.due_to(SOURCES[ladder.source])}",
            ladder.rungs,
            formula,
            ladder.exponent,
            quantity=quantity,
            rel_error=rel_error,
            sharp=True,
            base_seed=seed,
        )
        for ladder in ladders
    ]


def formula_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Simulation minus the formula that the step derives falls with the exponents of the exact correction."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no formula")
    ((label, part),) = step.derive(assumptions).items()
    quantity: Quantity = "loss" if label == LOSS else "excess"
    return decay_checks(quantity, lambda setting: value_at(part, setting), LADDERS, seed)


def remainder_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The exponents as the step derives them; and what the exact correction leaves falls faster than m^-2."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no exponents")
    parts = step.derive(assumptions)
    stated = [
        ladder._replace(
            exponent=value_at(parts[ladder.label.due_to(SOURCES[ladder.source])], ladder.rungs[0][1])
        )
        for ladder in LADDERS
    ]
    checks = decay_checks("excess", lambda setting: value_at(leading_excess(PAPER), setting), stated, seed)
    for source, (sigma_value, nu_value) in (("sigma", _NOISE), ("nu", _SPREAD)):
        # few data for each task, so that what is left shows
        rungs = [
            (float(k), replace(setting_at(2, k, sigma=sigma_value, nu=nu_value), p=3)) for k in (4, 6, 8, 12)
        ]
        checks.append(
            residual_check(
                f"decay in m of what the correction leaves ({SOURCES[source]})",
                rungs,
                lambda setting: value_at(leading_excess(NEXT), setting),
                -2.5,
                quantity="excess",
                rel_error=0.0012,
                sharp=False,
                base_seed=seed,
            )
        )
    return checks
