"""The sizes and magnitudes that a simulation takes on, within what doubles hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derivations.support.bad_input import BadInput
from numeric_check.problem.setting import Setting

LARGEST_SIZE = 10**12
# Beyond it what is lost to rounding in I - alpha X^T X / n can be all of the answer.
LARGEST_RATE = 1e6
# Losses are of second order in these, and the spread of losses of second order in losses.
MAGNITUDES: Mapping[str, float] = {"sigma": 1e40, "noise_val": 1e40, "nu": 1e40, "dist0_sq": 1e80}
MATRIX_MAGNITUDES: Mapping[str, float] = {"Sigma": 1e10, "Sigma_w": 1e80}


def require_possible(setting: Setting) -> None:
    """Raises ValueError, in one line that names the parameter, for what doubles do not hold."""
    s = setting
    for name in ("n_t", "n_v", "n_r", "m", "p"):
        if getattr(s, name) > LARGEST_SIZE:
            raise BadInput(f"{name} is above {LARGEST_SIZE:.0e}: simulate takes smaller sizes")
    for name in ("alpha_t", "alpha_r"):
        if abs(getattr(s, name)) > LARGEST_RATE:
            raise BadInput(
                f"{name} is {getattr(s, name):g}: simulate takes rates from {-LARGEST_RATE:g} to {LARGEST_RATE:g}"
            )
    for name, most in MAGNITUDES.items():
        _require_magnitude(name, getattr(s, name) or 0.0, most)
    for name, most in MATRIX_MAGNITUDES.items():
        matrix = getattr(s, name)
        _require_magnitude(name, 0.0 if matrix is None else float(np.abs(matrix).max()), most)


def _require_magnitude(name: str, size: float, most: float) -> None:
    if size and not 1 / most <= size <= most:
        raise BadInput(
            f"{name} is of size {size:g}: simulate takes 0, or sizes from {1 / most:g} to {most:g}"
        )
