"""Numeric confirmation of statements that no single mean says: how a residual or a fluctuation scales over a ladder
of sizes, and the sign of a sampled change."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.values import Point
from derivations.steps.status import NumericStatus
from derivations.steps.step import Check, Comparison
from derivations.support.estimates import asked, estimated, simulated
from derivations.verification.measure import ENTRIES_PER_BATCH, value_of_part
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from numeric_check.estimators import conditional
from numeric_check.estimators.differences import changes
from numeric_check.estimators.simulation import Quantity, batch_draws, require_finite_mean, run_until
from numeric_check.problem.setting import Setting, in_eigenbasis
from numeric_check.verdicts.decay import EXPONENT_SPACING, decay_rate, judge_decay
from numeric_check.verdicts.verdict import SIGMAS
from symbolic.algebra.words import Expression

Array = NDArray[np.float64]
PAIRED_SECONDS = 10.0
# in a batch of paired differences, whose sign few draws tell
PAIRED_DRAWS = 40
# how many times as many are drawn while a fitted exponent does not tell, so that few seeds leave it open
ROUNDS = (1, 4, 16)


def until_told(fitted: Callable[[int], Check]) -> Check:
    """The check of an exponent at so many times its draws, the first of ROUNDS that does not leave it open, or the last."""
    for more in ROUNDS:
        check = replace(fitted(more), longer=ROUNDS[-1] // more)
        if check.verdict != NumericStatus.INCONCLUSIVE:
            break
    return check


def slope_check(
    label: str,
    sizes: Sequence[float],
    values: Sequence[float],
    stderrs: Sequence[float],
    claimed: float,
    *,
    draws: int,
    seconds: float,
    sharp: bool,
    within: float = EXPONENT_SPACING / 2,
    comparison: Comparison = Comparison.POWER,
) -> Check:
    """The fitted exponent of `values` over `sizes` as a check against the claimed one, `within` so much of it."""
    slope, error = decay_rate(sizes, values, stderrs)
    verdict = judge_decay(slope, error, claimed, sharp=sharp, within=within)
    return Check(
        label,
        rungs(sizes),
        claimed,
        slope,
        error,
        draws,
        seconds,
        verdict.status,
        verdict.reason,
        comparison,
    )


def rungs(sizes: Sequence[float]) -> dict[str, float]:
    """The sizes that a power is fitted over, by name."""
    return {f"xi_{k + 1}": float(size) for k, size in enumerate(sizes)}


# two estimates of one random matrix that are independent given the inputs it belongs to
Halves: TypeAlias = tuple[Array, Array]
Formula: TypeAlias = "sympy.Basic | Expression"


def fluctuation_check(
    label: str,
    slug: str,
    ladder: Sequence[Mapping[str, float]],
    observed: Callable[[Sample], Array | Halves],
    claimed: float,
    leading: Formula | None = None,
    draws: int = 900,
    base_seed: int = 0,
    rows: str | int = "n_t",
) -> Check:
    """The growth rate over the ladder (key `xi` is the size) of the root mean square of an observed matrix minus
    `leading` times the identity; without a leading part, minus the mean of its diagonal over all draws.

    The order of a random element is that of its root mean square; the claim is taken as sharp. `observed` gives square
    matrices, shape (batch, ..., k, k). A conditional average that is itself sampled comes as two halves: the product of
    their deviations has the mean square that the exact average would have. rows: of the largest matrices that are drawn,
    of p columns each.
    """
    started = time.monotonic()

    def fitted(more: int) -> Check:
        seen = [
            _root_mean_square(_draw(label, slug, rung, k, observed, more * draws, base_seed, rows), leading)
            for k, rung in enumerate(ladder)
        ]
        return slope_check(
            label,
            [rung["xi"] for rung in ladder],
            [value for value, _ in seen],
            [error for _, error in seen],
            claimed,
            draws=more * draws * len(ladder),
            seconds=time.monotonic() - started,
            sharp=True,
        )

    return until_told(fitted)


@dataclass
class _Drawn:
    """What has been observed at one size, two numbers a draw: a longer run goes on from a shorter one.

    Deviations are from `centre` times the identity, close to the mean of the diagonal. squares: the mean over all
    entries of the product of both halves' deviations. diagonals: the mean deviation along the diagonal. side: of the
    square matrices. values: what a formula is evaluated at there.
    """

    centre: float = 0.0
    side: int = 0
    squares: list[Array] = field(default_factory=list)
    diagonals: list[Array] = field(default_factory=list)
    fixed: dict[str, Array] = field(default_factory=dict)
    values: Point = field(default_factory=lambda: Point({}))

    def add(self, first: Array, second: Array) -> None:
        """The numbers of a further batch."""
        diagonals = _diagonals(first, second)
        if not self.squares:
            self.centre, self.side = float(np.mean(diagonals)), first.shape[-1]
        shift = self.centre * np.eye(self.side)
        for kept, found in (
            (self.squares, (first - shift) * (second - shift)),
            (self.diagonals, diagonals - self.centre),
        ):
            kept.append(np.mean(found.reshape(len(found), -1), axis=1))

    def squares_about(self, centre: float | None) -> Array:
        """Of each draw the mean square deviation from `centre` times the identity; None is the mean of the diagonal."""
        diagonals = np.concatenate(self.diagonals)
        moved = float(np.mean(diagonals)) if centre is None else centre - self.centre
        return np.concatenate(self.squares) + moved * (moved - 2 * diagonals) / self.side


def _diagonals(first: Array, second: Array) -> Array:
    return np.diagonal(first + second, axis1=-2, axis2=-1) / 2


# kept within a process, so that one measurement can be held against many claims
_drawn: dict[tuple[object, ...], _Drawn] = {}


def _draw(
    label: str,
    slug: str,
    rung: Mapping[str, float],
    index: int,
    observed: Callable[[Sample], Array | Halves],
    draws: int,
    base_seed: int,
    rows: str | int,
) -> _Drawn:
    entries = rung["p"] * (rung[rows] if isinstance(rows, str) else rows)
    batch = max(2, min(draws, int(ENTRIES_PER_BATCH / entries)))
    count = math.ceil(draws / batch)
    seen = _drawn.setdefault((slug, label, base_seed, index, batch, *rung.items()), _Drawn())
    for number in range(len(seen.squares), count):
        sample = Sample(slug, rung, index, number, batch=batch, base_seed=base_seed, fixed=seen.fixed)
        found = observed(sample)
        seen.add(*(found if isinstance(found, tuple) else (found, found)))
        seen.values.update(sample.values)
    return replace(seen, squares=seen.squares[:count], diagonals=seen.diagonals[:count])


def _root_mean_square(drawn: _Drawn, leading: Formula | None) -> tuple[float, float]:
    """The root mean square deviation and its standard error."""
    per_draw = drawn.squares_about(None if leading is None else float(value_of_part(leading, drawn.values)))
    mean, stderr = float(per_draw.mean()), float(per_draw.std(ddof=1) / math.sqrt(per_draw.size))
    # a mean product of halves can come out negative: then nothing but noise was seen, and its error says so
    root = math.sqrt(max(mean, stderr))
    return root, stderr / (2 * root) if mean > 0 else root


# so that the errors asked for are not computed anew for each claim
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
    how = rel_error.__qualname__ if callable(rel_error) else rel_error

    def fitted(more: int) -> Check:
        key = (
            asked(),
            label,
            quantity,
            how,
            more,
            base_seed,
            *((setting.fingerprint, setting.law) for _, setting in ladder),
        )
        if key not in _ladders:
            _ladders[key] = [
                simulated(
                    setting,
                    quantity,
                    (rel_error(setting) if callable(rel_error) else rel_error) / math.sqrt(more),
                    base_seed,
                )
                for _, setting in ladder
            ]
        found = _ladders[key]
        return slope_check(
            label,
            [xi for xi, _ in ladder],
            [estimate.mean - theory(setting) for (_, setting), estimate in zip(ladder, found, strict=True)],
            [estimate.stderr for estimate in found],
            claimed,
            draws=sum(estimate.draws for estimate in found),
            seconds=time.monotonic() - started,
            sharp=sharp,
        )

    return until_told(fitted)


def sign_verdict(value: float, stderr: float, stated: float) -> NumericStatus:
    """Whether a sampled value has the stated sign, +1 or -1, by five standard errors.

    No other number is a sign: it disagrees with whatever is sampled.
    """
    if stated not in (1, -1):
        return NumericStatus.DISAGREE
    if not abs(value) > SIGMAS * stderr:
        return NumericStatus.INCONCLUSIVE
    return NumericStatus.AGREE if (value > 0) == (stated > 0) else NumericStatus.DISAGREE


def sign_check(
    label: str,
    places: Mapping[str, float],
    value: float,
    stderr: float,
    stated: float,
    *,
    said: str,
    draws: int,
    seconds: float,
) -> Check:
    """The sign of a sampled value as a check against the stated one; `said` names the value in the reason."""
    verdict = sign_verdict(value, stderr, stated)
    reason = f"{said} {value:.3g} +- {stderr:.2g}"
    if stated not in (1, -1):
        reason = f"{stated:g} is stated for a sign, which is 1 or -1; {reason}"
    elif verdict == NumericStatus.INCONCLUSIVE:
        reason = f"{reason}: draw more"
    relative = stderr / abs(value) if value else float("inf")
    sampled = float((value > 0) - (value < 0))
    return Check(
        label,
        dict(places),
        float(stated),
        sampled,
        relative,
        draws,
        seconds,
        verdict,
        reason,
        Comparison.SIGN,
        signed=(value, stderr),
    )


def difference_check(
    label: str, low: Setting, high: Setting, claimed: int, seed: int, *, rel_error: float = 0.002
) -> Check:
    """Whether the simulated loss rises (+1) or falls (-1) from one setting to the other, by five standard errors."""
    started = time.monotonic()
    first = simulated(low, "loss", rel_error, seed)
    second = simulated(high, "loss", rel_error, seed)
    gap = second.mean - first.mean
    stderr = float((first.stderr**2 + second.stderr**2) ** 0.5)
    changed = {
        f"{name} {end}": float(value)
        for name in ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
        if getattr(low, name) != getattr(high, name)
        for end, value in (("from", getattr(low, name)), ("to", getattr(high, name)))
    }
    return sign_check(
        label,
        changed,
        gap,
        stderr,
        claimed,
        said="the loss changes by",
        draws=first.draws + second.draws,
        seconds=time.monotonic() - started,
    )


def paired_check(
    label: str, low: Setting, high: float, claimed: int, seed: int, *, rel_error: float = 0.07
) -> Check:
    """Whether the simulated loss rises (+1) or falls (-1) from a training rate to another, at the same random numbers.

    rel_error: of the change.
    """
    started = time.monotonic()
    found = changed_loss(low, high, rel_error, seed)
    return sign_check(
        label,
        {"alpha_t from": low.alpha_t, "alpha_t to": high},
        found.mean,
        found.stderr,
        claimed,
        said="the loss changes by",
        draws=found.draws,
        seconds=time.monotonic() - started,
    )


_changed: dict[tuple[object, ...], Estimate] = {}


def changed_loss(low: Setting, high: float, rel_error: float, seed: int) -> Estimate:
    """The change of the simulated loss between two training rates, remembered within the process."""
    text = f"paired/{high!r}/{seed}/{low.fingerprint}"
    known = (asked(), rel_error, text, low.law)
    if known not in _changed:
        require_finite_mean(low)
        draws = min(PAIRED_DRAWS, batch_draws(low, "loss", "conditional"))
        estimate = partial(changes, conditional.loss, setting=in_eigenbasis(low), draws=draws, rate=high)
        draw = partial(run_until, estimate, rel_error=rel_error, seed_text=text)
        _changed[known] = estimated(draw, PAIRED_SECONDS)
    return _changed[known]
