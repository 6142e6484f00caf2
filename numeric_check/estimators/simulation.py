"""Sampling until a standard error is reached, with results that do not depend on who computes the batches."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.estimate import Estimate, Moments
from numeric_check.draws.executor import Executor, SerialExecutor
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators import conditional, control, plain, reduced
from numeric_check.estimators.differences import slopes
from numeric_check.estimators.tails import mean_is_finite
from numeric_check.estimators.task_maps import numbers_per_draw
from numeric_check.problem.impossible import Impossible
from numeric_check.problem.setting import Setting, in_eigenbasis

Array = NDArray[np.float64]
BatchFunction = Callable[[np.random.Generator], Array]
Progress = Callable[[float], None]
Quantity = Literal["loss", "excess", "slope"]
Method = Literal["conditional", "plain", "reduced"]
BATCH_BYTES = 4_000_000
MIN_BATCHES = 8
PILOT_DRAWS = 512
ESTIMATORS: dict[tuple[str, str], Callable[..., Array]] = {
    ("loss", "conditional"): conditional.loss,
    ("excess", "conditional"): conditional.excess,
    ("slope", "conditional"): partial(slopes, conditional.loss),
    ("loss", "plain"): plain.plain_loss,
    ("excess", "plain"): plain.plain_excess,
    ("loss", "reduced"): reduced.loss,
    ("excess", "reduced"): reduced.excess,
    ("slope", "reduced"): partial(slopes, reduced.loss),
    ("slope", "plain"): partial(slopes, plain.plain_loss),
}


class Batch(NamedTuple):
    """Draws of a function on the random stream of this text and number."""

    function: BatchFunction
    seed_text: str
    number: int


def run_batch(task: Batch) -> Moments:
    """The moments of one batch."""
    return Moments.of(task.function(generator_for(task.seed_text, task.number)))


def _clock(executor: Executor | None) -> Callable[[], float]:
    """Seconds of this process where it does all the work, so that a busy machine comes to the same verdict."""
    return time.process_time if isinstance(executor, SerialExecutor | None) else time.monotonic


def run_until(
    batch_function: BatchFunction,
    *,
    rel_error: float,
    seed_text: str,
    abs_error: float = 0.0,
    max_draws: int = 10_000_000,
    max_seconds: float = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Draws batches until the standard error is small enough, or the budget of draws or time is spent.

    Small enough: at most `rel_error` |mean|, or at most `abs_error`.

    batch_function: independent draws from a generator, shape (draws,). Batches are merged in the order of
    their index and the rule is applied after each, so the result depends on the seed text alone unless time
    runs out. At least `MIN_BATCHES` batches are drawn before the rule applies, so that an early underestimate
    of the spread does not stop it. progress: told the fraction of the work done. Raises ValueError for a
    budget or error that is not positive. max_seconds: of processor time, on the clock where an executor of other processes works.
    """
    for name, value in (("rel_error", rel_error), ("max_draws", max_draws), ("max_seconds", max_seconds)):
        if not value > 0:
            raise Impossible(f"{name} is {value}: give a positive number")
    clock = _clock(executor)
    started = clock()
    tasks = (Batch(batch_function, seed_text, i) for i in itertools.count())
    total = Moments()
    for count, batch in enumerate((executor or SerialExecutor()).map(run_batch, tasks), start=1):
        total = total.merge(batch)
        estimate = total.estimate()
        elapsed = clock() - started
        done = count >= MIN_BATCHES and estimate.resolved(rel_error, abs_error)
        done = done or estimate.draws >= max_draws or elapsed >= max_seconds or not np.isfinite(estimate.mean)
        if progress is not None:
            aim = max(rel_error * abs(estimate.mean), abs_error)
            target = aim / estimate.stderr if estimate.stderr > 0 else 1.0
            fraction = max(
                min(target**2, count / MIN_BATCHES), estimate.draws / max_draws, elapsed / max_seconds
            )
            progress(1.0 if done else min(fraction, 1.0))
        if done:
            return estimate
    raise RuntimeError("the executor ended before the work did: it must yield a result for every task")


def require_finite_mean(setting: Setting) -> None:
    """Raises ValueError where the mean loss is infinite, so that no average over draws would settle."""
    if not mean_is_finite(setting):
        if setting.alpha_t > 0 and mean_is_finite(replace(setting, alpha_t=0.0)):
            if setting.p > setting.validation_points:
                raise Impossible(
                    f"the mean is infinite at alpha_t > 0 with {setting.inner_steps} inner steps, n_t = {setting.n_t} and p = n_v + "
                    f"{setting.p - setting.n_v}: take a larger p, fewer inner steps or an alpha_t of at most 0"
                )
            raise Impossible(
                f"the mean is infinite at alpha_t > 0 with m = {setting.m} and p = {setting.p}: take more tasks, "
                "a larger p, or an alpha_t of at most 0"
            )
        raise Impossible(
            f"the mean is infinite at n_v m = {setting.validation_points}, p = {setting.p}: "
            "move them further apart, or take more tasks"
        )


def batch_draws(setting: Setting, quantity: Quantity, protocol: Method) -> int:
    """Draws per batch: a function of what is asked alone, sized to stay within the processor's cache."""
    s = setting
    if protocol == "plain":
        numbers = s.m * (s.n_t + s.n_v + s.p) * s.p
        numbers += 0 if quantity == "excess" else plain.TASKS * (s.n_r + s.n_s) * s.p
    elif protocol == "reduced":
        numbers = reduced.numbers_per_draw(s)
    else:
        numbers = numbers_per_draw(s) + min(s.p, s.validation_points) ** 2
        if s.adaptation_steps > 1:
            numbers += s.p * (s.n_r + (0 if s.Sigma is None else 2 * s.p))
    return max(4, min(4096, BATCH_BYTES // (8 * numbers)))


def batch_function_of(setting: Setting, quantity: Quantity, protocol: Method) -> BatchFunction:
    """The estimator of a quantity under a protocol, as a function of a generator."""
    if (quantity, protocol) not in ESTIMATORS:
        known = ", ".join(f"{name} by {method}" for name, method in ESTIMATORS)
        raise Impossible(f"no estimator of {quantity!r} by {protocol!r}: choose among {known}")
    return partial(
        ESTIMATORS[quantity, protocol], setting=setting, draws=batch_draws(setting, quantity, protocol)
    )


def simulate(
    setting: Setting,
    quantity: Quantity = "loss",
    *,
    protocol: Method = "conditional",
    rel_error: float = 0.002,
    abs_error: float = 0.0,
    seed: int = 0,
    max_draws: int = 10_000_000,
    max_seconds: float = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Monte Carlo estimate of the mean "loss", of "excess" E|omega* - w_0|^2 or "slope" d loss / d alpha_t.

    protocol: "conditional" samples input matrices only; "reduced" what of one task's matters, above p = n_v m with
    Gaussian inputs of identity covariance; "plain" is the paper's experiment, one draw per run.
    rel_error: aimed-at standard error over |mean| (0.002 lets `judge` resolve 1 %); or stop at `abs_error`.
    Other arguments: `run_until`. Where a first part of the work does not reach the aim, all but the plain
    protocol go on with control variates; the draws reported are then those of the second part. Raises
    ValueError where the mean is infinite (`tails`), and where the reduction does not hold.
    """
    require_finite_mean(setting)
    if protocol == "reduced" and not reduced.applies(setting):
        raise Impossible(
            "the reduction is for p > n_v m + 1 and Gaussian inputs of identity covariance, not reused: leave it out"
        )
    controls = reduced if protocol == "reduced" else control
    text = f"simulate/{quantity}/{protocol}/{seed}/{setting.fingerprint}"
    clock = _clock(executor)
    deadline = clock() + max_seconds
    if protocol == "conditional":
        setting = in_eigenbasis(setting)
    function = batch_function_of(setting, quantity, protocol)
    run = partial(run_until, rel_error=rel_error, abs_error=abs_error, executor=executor)
    if protocol == "plain" or quantity == "slope" or not controls.applies(setting):
        return run(function, seed_text=text, max_draws=max_draws, max_seconds=max_seconds, progress=progress)
    first = run(function, seed_text=text, max_draws=min(PILOT_DRAWS, max_draws), max_seconds=max_seconds)
    left = deadline - clock()
    if first.resolved(rel_error, abs_error) or left <= 0 or max_draws <= first.draws:
        return first
    batch = batch_draws(setting, quantity, protocol)
    fitted = controls.fit(generator_for(f"{text}/fit"), setting, quantity, PILOT_DRAWS, batch)
    function = partial(
        controls.controlled, setting=setting, quantity=quantity, coefficients=fitted, draws=batch
    )
    text = f"{text}/controlled"
    return run(function, seed_text=text, max_draws=max_draws, max_seconds=left, progress=progress)
