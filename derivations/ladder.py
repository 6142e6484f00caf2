"""Numeric confirmation of asymptotic statements: how a residual or a fluctuation scales over a ladder of sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from derivations.step import Check
from numeric_check.decay import decay_rate, judge_decay
from numeric_check.estimate import Estimate
from numeric_check.sample import Sample
from numeric_check.setting import Setting
from numeric_check.simulate import Quantity, simulate

Array = NDArray[np.float64]


def slope_check(
    label: str, sizes: Sequence[float], values: Sequence[float], stderrs: Sequence[float], claimed: float,
    *, draws: int, seconds: float, sharp: bool,
) -> Check:  # fmt: skip
    """The fitted exponent of `values` over `sizes` as a check against the claimed one."""
    slope, error = decay_rate(sizes, values, stderrs)
    verdict = judge_decay(slope, error, claimed, sharp=sharp)
    shown = {f"xi_{k + 1}": float(size) for k, size in enumerate(sizes)}
    return Check(label, shown, claimed, slope, error, draws, seconds, verdict.status, verdict.reason)


def fluctuation_check(
    label: str,
    slug: str,
    ladder: Sequence[Mapping[str, float]],
    deviation: Callable[[Sample], Array],
    claimed: float,
    draws: int = 480,
    base_seed: int = 0,
) -> Check:
    """The growth rate of the root mean square of `deviation` (batch, ...) over the ladder (key `xi` is the size).

    The order of a random element is that of its root mean square; the claim is taken as sharp.
    """
    started = time.monotonic()
    key = (slug, label, base_seed, draws)
    if key not in _fluctuations:
        _fluctuations[key] = _measure_fluctuations(slug, ladder, deviation, draws, base_seed)
    sizes, values, errors = _fluctuations[key]
    return slope_check(
        label,
        sizes,
        values,
        errors,
        claimed,
        draws=draws * len(ladder),
        seconds=time.monotonic() - started,
        sharp=True,
    )


Series = tuple[list[float], list[float], list[float]]
# kept within a process, so that one measurement can be held against many claims
_fluctuations: dict[tuple[str, str, int, int], Series] = {}


def _measure_fluctuations(
    slug: str,
    ladder: Sequence[Mapping[str, float]],
    deviation: Callable[[Sample], Array],
    draws: int,
    base_seed: int,
) -> Series:
    sizes, values, errors = [], [], []
    for index, point in enumerate(ladder):
        squares: list[Array] = []
        batch = max(8, min(draws, int(4e6 / (point["p"] * point["n_t"]))))
        while sum(len(block) for block in squares) < draws:
            sample = Sample(slug, point, index, len(squares), batch=batch, base_seed=base_seed)
            found = deviation(sample)
            squares.append(np.mean(found.reshape(found.shape[0], -1) ** 2, axis=1))
        per_draw = np.concatenate(squares)
        mean, stderr = float(per_draw.mean()), float(per_draw.std(ddof=1) / math.sqrt(per_draw.size))
        sizes.append(point["xi"])
        values.append(math.sqrt(mean))
        errors.append(stderr / (2 * math.sqrt(mean)))
    return sizes, values, errors


_estimates: dict[tuple[str, str, float, int, float], Estimate] = {}


def simulated(
    setting: Setting, quantity: Quantity, rel_error: float, seed: int, max_seconds: float = 30.0
) -> Estimate:
    """`simulate`, remembered within the process so that one simulation can be held against many claims."""
    key = (setting.fingerprint, quantity, rel_error, seed, max_seconds)
    if key not in _estimates:
        _estimates[key] = simulate(setting, quantity, rel_error=rel_error, seed=seed, max_seconds=max_seconds)
    return _estimates[key]


# as `_estimates`, so that the errors asked for are not computed anew for each claim
_ladders: dict[tuple[object, ...], list[Estimate]] = {}


def residual_check(
    label: str,
    ladder: Sequence[tuple[float, Setting]],
    theory: Callable[[Setting], float],
    claimed: float,
    *,
    quantity: Quantity,
    rel_error: float | Callable[[Setting], float],
    sharp: bool,
    base_seed: int = 0,
) -> Check:
    """The decay rate of simulation minus theory over a ladder of (xi, setting).

    `rel_error` is the relative standard error of each simulated mean, the same on all rungs or by setting.
    """
    started = time.monotonic()
    sizes, residuals, errors, draws = [], [], [], 0
    how = rel_error.__qualname__ if callable(rel_error) else rel_error
    key = (label, quantity, how, base_seed, *(setting.fingerprint for _, setting in ladder))
    if key not in _ladders:
        _ladders[key] = [
            simulated(setting, quantity, rel_error(setting) if callable(rel_error) else rel_error, base_seed)
            for _, setting in ladder
        ]
    for (xi, setting), estimate in zip(ladder, _ladders[key], strict=True):
        sizes.append(xi)
        residuals.append(estimate.mean - theory(setting))
        errors.append(estimate.stderr)
        draws += estimate.draws
    return slope_check(
        label, sizes, residuals, errors, claimed, draws=draws, seconds=time.monotonic() - started, sharp=sharp
    )
