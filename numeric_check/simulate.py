"""Sampling until a standard error is reached, with results that do not depend on who computes the batches."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from numeric_check import conditional, plain
from numeric_check.estimate import Estimate, Moments
from numeric_check.executor import Executor, SerialExecutor
from numeric_check.seeds import generator_for
from numeric_check.setting import Setting

Array = NDArray[np.float64]
BatchFunction = Callable[[np.random.Generator], Array]
Progress = Callable[[float], None]
Quantity = Literal["loss", "excess"]
Method = Literal["conditional", "plain"]
BATCH_BYTES = 4_000_000
MIN_BATCHES = 8


def run_batch(task: tuple[BatchFunction, str, int]) -> Moments:
    """The moments of one batch on its own random stream."""
    batch_function, seed_text, index = task
    return Moments.of(batch_function(generator_for(seed_text, index)))


def run_until(
    batch_function: BatchFunction,
    *,
    rel_error: float,
    seed_text: str,
    max_draws: int = 10_000_000,
    max_seconds: float = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Draws batches until the standard error is `rel_error` |mean|, or the budget of draws or time is spent.

    batch_function: independent draws from a generator, shape (draws,). Batches are merged in the order of
    their index and the rule is applied after each, so the result depends on the seed text alone unless time
    runs out. At least `MIN_BATCHES` batches are drawn before the rule applies, so that an early underestimate
    of the spread does not stop it. progress: told the fraction of the work done. Raises ValueError for a
    budget or error that is not positive.
    """
    for name, value in (("rel_error", rel_error), ("max_draws", max_draws), ("max_seconds", max_seconds)):
        if not value > 0:
            raise ValueError(f"{name} is {value}: give a positive number")
    started = time.monotonic()
    tasks: Iterator[tuple[BatchFunction, str, int]] = (
        (batch_function, seed_text, i) for i in itertools.count()
    )
    total = Moments()
    for count, batch in enumerate((executor or SerialExecutor()).map(run_batch, tasks), start=1):
        total = total.merge(batch)
        estimate = total.estimate()
        elapsed = time.monotonic() - started
        done = count >= MIN_BATCHES and estimate.resolved(rel_error)
        done = done or estimate.draws >= max_draws or elapsed >= max_seconds or not np.isfinite(estimate.mean)
        if progress is not None:
            target = rel_error * abs(estimate.mean) / estimate.stderr if estimate.stderr > 0 else 1.0
            fraction = max(
                min(target**2, count / MIN_BATCHES), estimate.draws / max_draws, elapsed / max_seconds
            )
            progress(1.0 if done else min(fraction, 1.0))
        if done:
            return estimate
    raise RuntimeError("the executor ended before the work did: it must yield a result for every task")


def batch_draws(setting: Setting, protocol: Method) -> int:
    """Draws per batch: a function of the setting alone, sized to stay within the processor's cache."""
    s = setting
    numbers = s.m * (s.n_t + 3 * s.n_v) * s.p + min(s.p, s.validation_points) ** 2
    if s.adaptation_steps > 1 or s.Sigma is not None:
        numbers += s.p * (s.n_r + 2 * s.p)
    if protocol == "plain":
        numbers += s.m * s.p**2 + plain.TASKS * (s.n_r + s.n_s) * s.p
    return max(4, min(4096, BATCH_BYTES // (8 * numbers)))


def batch_function_of(setting: Setting, quantity: Quantity, protocol: Method) -> BatchFunction:
    """The estimator of a quantity under a protocol, as a function of a generator."""
    table = {
        ("loss", "conditional"): partial(conditional.loss, setting=setting),
        ("excess", "conditional"): partial(conditional.excess, setting=setting),
        ("loss", "plain"): partial(plain.plain_loss, setting=setting),
        ("excess", "plain"): partial(plain.plain_excess, setting=setting),
    }
    if (quantity, protocol) not in table:
        raise ValueError(f"no {quantity!r} by {protocol!r}: choose loss or excess, by conditional or plain")
    size = "runs" if protocol == "plain" else "draws"
    return partial(table[quantity, protocol], **{size: batch_draws(setting, protocol)})


def simulate(
    setting: Setting,
    quantity: Quantity = "loss",
    *,
    protocol: Method = "conditional",
    rel_error: float = 0.002,
    seed: int = 0,
    max_draws: int = 10_000_000,
    max_seconds: float = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Monte Carlo estimate of the mean test loss ("loss") or of E|omega* - w_0|^2 ("excess").

    protocol: "conditional" samples input matrices only; "plain" is the paper's experiment, one draw per run.
    rel_error: aimed-at standard error over |mean| (0.002 lets `judge` resolve 1 %). Other arguments:
    `run_until`.
    """
    return run_until(
        batch_function_of(setting, quantity, protocol),
        rel_error=rel_error,
        seed_text=f"simulate/{quantity}/{protocol}/{seed}/{setting.fingerprint}",
        max_draws=max_draws,
        max_seconds=max_seconds,
        executor=executor,
        progress=progress,
    )
