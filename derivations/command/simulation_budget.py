"""What a simulation may take: the memory of one draw, and the work of all draws that an error asked for needs.

Work is counted in floating-point numbers that pass through memory, about 20 ns each on one core, and not in seconds, so
that what is refused does not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from derivations.support.bad_input import BadInput
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators import reduced
from numeric_check.estimators.plain import TASKS
from numeric_check.estimators.simulation import Method
from numeric_check.estimators.tails import variance_is_finite
from numeric_check.estimators.task_maps import numbers_per_draw
from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.setting import Setting

Quantity = Literal["loss", "slope", "minimum"]
# How often each draw is evaluated: at two rates for a slope, and that in some rounds for a minimum.
EVALUATIONS: Mapping[Quantity, int] = {"loss": 1, "slope": 2, "minimum": 6}
# Floating-point numbers that one draw may hold at a time; a batch is at least four draws, with copies.
LARGEST = 2 * 10**7
# Some minutes of one core.
WORK = 1.5e10
# The part of it that is taken where no error is asked for, and of that where draws have no finite variance.
UNASKED, HEAVY = 0.1, 0.1
FEWEST = 1024
# Small draws cost more than their numbers.
MAX_DRAWS = 10**8
# Multiplications and divisions of a factorised matrix that cost as much as one number moved.
FACTORISATION: Mapping[Method, int] = {"plain": 10, "conditional": 40, "reduced": 40}


def numbers_held(setting: Setting, quantity: Quantity, method: Method) -> int:
    """About how many floating-point numbers one draw holds at a time."""
    s = setting
    if method == "reduced":
        return reduced.numbers_per_draw(s)
    numbers = s.p**2 + min(s.p, s.validation_points) ** 2
    if method == "conditional":
        if s.adaptation_steps > 1:
            numbers += s.p * (min(s.n_r, s.p) if s.law is GAUSSIAN else s.n_r)
        return numbers + numbers_per_draw(s)
    targets = 0 if quantity == "minimum" else TASKS * (s.n_r + s.n_s) * s.p
    return numbers + s.m * (s.n_t + s.n_v + s.p) * s.p + targets


def require_memory(setting: Setting, quantity: Quantity, method: Method) -> None:
    """Raises ValueError where one draw alone would not fit."""
    numbers = numbers_held(setting, quantity, method)
    if numbers > LARGEST:
        raise BadInput(
            f"one draw would hold {numbers:.1e} numbers, more than the {LARGEST:.0e} there is room for: "
            "choose smaller n_t, n_v, n_r, m or p"
        )


def most_draws(setting: Setting, quantity: Quantity, method: Method) -> int:
    """How many draws there is time for."""
    s = setting
    rows, columns = (s.n_v, s.n_v) if method == "reduced" else (s.validation_points, s.p)
    solving = rows * columns * min(rows, columns) / FACTORISATION[method]
    steps = max(s.inner_steps, s.adaptation_steps)
    each = EVALUATIONS[quantity] * (numbers_held(s, quantity, method) * steps + solving)
    return max(1, min(MAX_DRAWS, int(WORK / each)))


def draws_unasked(setting: Setting, quantity: Quantity, method: Method) -> int:
    """How many draws are made where no error is asked for."""
    share = UNASKED if variance_is_finite(setting) else UNASKED * HEAVY
    return max(FEWEST, int(share * most_draws(setting, quantity, method)))


def require_reachable(pilot: Estimate, aim: float, most: int, method: Method) -> float:
    """The draws that a standard error of `aim` |mean| takes; ValueError, with what is within reach, beyond `most`."""
    needed = draws_for_error(pilot, aim)
    if needed <= most:
        return needed
    within = pilot.stderr / abs(pilot.mean) * math.sqrt(pilot.draws / most) if pilot.mean else math.inf
    other = "" if method != "plain" else ", or leave --protocol plain out, which takes fewer draws"
    if within < 1:
        remedy = f"ask for --rel-error {_rounded_up(within)} or more{other}"
    else:
        remedy = f"the mean is close to zero beside its spread, choose other values{other}"
    raise BadInput(
        f"an error of {aim:g} of the mean would take about {needed:.1e} draws, and there is time for {most:.1e}: "
        f"{remedy}"
    )


def draws_for_error(pilot: Estimate, aim: float) -> float:
    """About how many draws a standard error of `aim` |mean| takes."""
    ratio = pilot.stderr / abs(pilot.mean) / aim if pilot.mean else math.inf
    return pilot.draws * (ratio * ratio)  # infinite where a power would raise OverflowError


def _rounded_up(value: float) -> str:
    """Two digits of a number, not below it."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / unit * (1 + 1e-9)) * unit:.2g}"
