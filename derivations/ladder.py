"""Numeric confirmation of asymptotic statements: how a residual or a fluctuation scales over a ladder of sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Rung:
    """Square random blocks at one point of a ladder, by what the distance from any multiple of I needs.

    size: the value of `xi`. square: the mean squared element in each draw. trace: the mean over all elements of those
    on the diagonal, in each draw. side: the number of rows.
    """

    size: float
    square: Array
    trace: Array
    side: int

    def spread(self, centre: float) -> tuple[float, float]:
        """The root mean square of the elements of `block - centre I`, and its standard error."""
        per_draw = self.square - 2 * centre * self.trace + centre**2 / self.side
        mean, stderr = float(per_draw.mean()), float(per_draw.std(ddof=1) / math.sqrt(per_draw.size))
        return math.sqrt(mean), stderr / (2 * math.sqrt(mean))


Centre = Callable[[Mapping[str, float]], float]


def no_centre(point: Mapping[str, float]) -> float:
    """The centre of a block that is pure fluctuation."""
    return 0.0


def fluctuation_check(
    label: str,
    slug: str,
    ladder: Sequence[Mapping[str, float]],
    block: Callable[[Sample], Array],
    centre: Centre,
    claimed: float,
    draws: int = 480,
    base_seed: int = 0,
) -> Check:
    """The growth rate of the root mean square of `block - centre I` over the ladder (key `xi` is the size).

    block: square matrices, (batch, ..., d, d). centre: the stated leading part at a point of the ladder; a wrong one
    stays in the difference and changes the rate. The order of a random element is that of its root mean square; the
    claim is taken as sharp.
    """
    started = time.monotonic()
    key = (slug, label, base_seed, draws)
    if key not in _rungs:
        _rungs[key] = [_rung(slug, point, k, block, draws, base_seed) for k, point in enumerate(ladder)]
    spreads = [rung.spread(centre(point)) for rung, point in zip(_rungs[key], ladder, strict=True)]
    return slope_check(
        label,
        [rung.size for rung in _rungs[key]],
        [value for value, _ in spreads],
        [stderr for _, stderr in spreads],
        claimed,
        draws=draws * len(ladder),
        seconds=time.monotonic() - started,
        sharp=True,
    )


# kept within a process, so that one measurement can be held against many claims
_rungs: dict[tuple[str, str, int, int], list[Rung]] = {}


def _rung(
    slug: str,
    point: Mapping[str, float],
    index: int,
    block: Callable[[Sample], Array],
    draws: int,
    base_seed: int,
) -> Rung:
    squares: list[Array] = []
    traces: list[Array] = []
    side, count = 1, 0
    batch = max(8, min(draws, int(4e6 / (point["p"] * point["n_t"]))))
    while count < draws:
        sample = Sample(slug, point, index, len(squares), batch=batch, base_seed=base_seed)
        found = block(sample)
        side = found.shape[-1]
        flat = found.reshape(found.shape[0], -1, side, side)
        squares.append(np.mean(flat**2, axis=(1, 2, 3)))
        traces.append(np.mean(np.trace(flat, axis1=2, axis2=3), axis=1) / side**2)
        count += found.shape[0]
    return Rung(point["xi"], np.concatenate(squares), np.concatenate(traces), side)


_estimates: dict[tuple[str, str, float, int, float], Estimate] = {}


def simulated(
    setting: Setting, quantity: Quantity, rel_error: float, seed: int, max_seconds: float = 30.0
) -> Estimate:
    """`simulate`, remembered within the process so that one simulation can be held against many claims."""
    key = (setting.fingerprint, quantity, rel_error, seed, max_seconds)
    if key not in _estimates:
        _estimates[key] = simulate(setting, quantity, rel_error=rel_error, seed=seed, max_seconds=max_seconds)
    return _estimates[key]


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
    for xi, setting in ladder:
        error = rel_error(setting) if callable(rel_error) else rel_error
        estimate = simulated(setting, quantity, error, base_seed)
        sizes.append(xi)
        residuals.append(estimate.mean - theory(setting))
        errors.append(estimate.stderr)
        draws += estimate.draws
    return slope_check(
        label, sizes, residuals, errors, claimed, draws=draws, seconds=time.monotonic() - started, sharp=sharp
    )
