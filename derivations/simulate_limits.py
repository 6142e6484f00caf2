"""What a simulation takes on: sizes and magnitudes that doubles and the memory hold, and how far it goes unasked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numeric_check.laws import GAUSSIAN
from numeric_check.plain import TASKS
from numeric_check.setting import Setting
from numeric_check.simulate import Method
from numeric_check.tails import variance_is_finite
from numeric_check.task_maps import numbers_per_draw

# Floating-point numbers that one draw may hold at a time; a batch is at least four draws, with copies.
LARGEST = 2 * 10**7
LARGEST_SIZE = 10**12
# Beyond it what is lost to rounding in I - alpha X^T X / n can be all of the answer.
LARGEST_RATE = 1e6
# Losses are of second order in these, and the spread of losses of second order in losses.
MAGNITUDES: Mapping[str, float] = {"sigma": 1e40, "noise_val": 1e40, "nu": 1e40, "dist0_sq": 1e80}
MATRIX_MAGNITUDES: Mapping[str, float] = {"Sigma": 1e10, "Sigma_w": 1e80}
# Numbers held in all draws together where no error is asked for: about half a minute of one core.
UNASKED: Mapping[Method, float] = {"conditional": 2e9, "plain": 1e9}
# Where draws have no finite variance, more of them hardly help.
HEAVY = 10
FEWEST = 1024


def require_possible(setting: Setting, method: Method) -> None:
    """Raises ValueError, in one line that names the parameter, for what doubles or the memory do not hold."""
    s = setting
    for name in ("n_t", "n_v", "n_r", "m", "p"):
        if getattr(s, name) > LARGEST_SIZE:
            raise ValueError(f"{name} is above {LARGEST_SIZE:.0e}: simulate takes smaller sizes")
    for name in ("alpha_t", "alpha_r"):
        if abs(getattr(s, name)) > LARGEST_RATE:
            raise ValueError(
                f"{name} is {getattr(s, name):g}: simulate takes rates from {-LARGEST_RATE:g} to {LARGEST_RATE:g}"
            )
    for name, most in MAGNITUDES.items():
        _require_magnitude(name, getattr(s, name) or 0.0, most)
    for name, most in MATRIX_MAGNITUDES.items():
        matrix = getattr(s, name)
        _require_magnitude(name, 0.0 if matrix is None else float(np.abs(matrix).max()), most)
    numbers = _numbers(s, method)
    if numbers > LARGEST:
        raise ValueError(
            f"one draw would hold {numbers:.1e} numbers, more than the {LARGEST:.0e} there is room for: "
            "choose smaller n_t, n_v, n_r, m or p"
        )


def _require_magnitude(name: str, size: float, most: float) -> None:
    if size and not 1 / most <= size <= most:
        raise ValueError(
            f"{name} is of size {size:g}: simulate takes 0, or sizes from {1 / most:g} to {most:g}"
        )


def _numbers(setting: Setting, method: Method) -> int:
    """About how many floating-point numbers one draw holds at a time."""
    s = setting
    numbers = s.p**2 + min(s.p, s.validation_points) ** 2
    if method == "plain":
        return numbers + s.m * (s.n_t + s.n_v + s.p) * s.p + TASKS * (s.n_r + s.n_s) * s.p
    if s.adaptation_steps > 1:
        numbers += s.p * (min(s.n_r, s.p) if s.law is GAUSSIAN else s.n_r)
    return numbers + numbers_per_draw(s)


def draws_unasked(setting: Setting, method: Method) -> int:
    """Most draws where no error is asked for; the same on every machine."""
    most = UNASKED[method] / _numbers(setting, method)
    return max(FEWEST, int(most if variance_is_finite(setting) else most / HEAVY))
