"""Numeric status of a step: sampled means against the value of the formula, at several sizes.

Matrix-valued parts are compared through fixed linear probes: one along the value itself, one mixed with a random
direction, so that an error in any element shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import engine_values
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import DIMENSIONS
from derivations.language.values import Point, Value, evaluate
from derivations.steps.step import Check, Derived, Step
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample, seed_for
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.words import Expression

# The budget is in draws, so that a slow machine comes to the same verdict; the limit of processor time only stops a hang.
# The matrices of a batch stay in the cache of a core: eight times as many took up to twice the time a draw.
ENTRIES_PER_BATCH = 100_000
FEWEST_PER_BATCH, MOST_PER_BATCH = 32, 16_384
FEWEST_DRAWS = 256
MAX_SECONDS = 120.0
MAX_DRAWS = 40_000_000


@dataclass(frozen=True)
class Measured:
    """What sampling says of one label at one size: probes and, for each, mean and standard error."""

    sizes: Mapping[str, float]
    label: str
    values: Mapping[str, Value]
    probes: tuple[NDArray[np.float64], ...] | None
    mean: NDArray[np.float64]
    stderr: NDArray[np.float64]
    draws: int
    seconds: float

    expected: NDArray[np.float64]

    def value_of(self, claimed: sympy.Basic) -> NDArray[np.float64]:
        """The probed value of a printed formula at this size."""
        return _project(np.asarray(evaluate(claimed, self.values), dtype=float), self.probes)


def _project(
    value: NDArray[np.float64], probes: tuple[NDArray[np.float64], ...] | None
) -> NDArray[np.float64]:
    if probes is None:
        return value.reshape(1)
    return np.array([float(np.sum(probe * value)) for probe in probes])


def probes_for(value: NDArray[np.float64], seed_text: str) -> tuple[NDArray[np.float64], ...] | None:
    """Two linear functionals on matrices of this shape, normalised to give 1 on `value` up to the random part."""
    if value.ndim == 0:
        return None
    scale = float(np.linalg.norm(value))
    if scale == 0.0:
        # no direction of its own: compare the average element
        scale, value = np.sqrt(value.size), np.ones_like(value)
    along = value / scale**2
    generator = np.random.default_rng(seed_for(seed_text, 0))
    random_direction = generator.standard_normal(value.shape) / (scale * np.sqrt(value.size))
    # orthogonal to the value, so that both probes are 1 on it and an error in any element shows in the second
    random_direction -= along * float(np.sum(random_direction * value))
    return along, along + random_direction


def mean_check(label: str, sizes: Mapping[str, float], value: float, seen: Estimate, seconds: float) -> Check:
    """A sampled mean as a check of a value."""
    verdict = judge(seen.mean, seen.stderr, value)
    return Check(
        label, dict(sizes), value, seen.mean, seen.stderr, seen.draws, seconds, verdict.status, verdict.reason
    )


def value_of_part(part: sympy.Basic | Expression, values: Mapping[str, Value]) -> NDArray[np.float64]:
    """The value of a printed tree, or of an engine expression in the engine's own letters."""
    if isinstance(part, Expression):
        return np.asarray(evaluate(to_sympy(part), engine_values(values)), dtype=float)
    return np.asarray(evaluate(part, values), dtype=float)


def measure(
    step: Step,
    parts: Derived,
    index: int,
    base_seed: int = 0,
    *,
    batches: int | None = None,
) -> Iterator[Measured]:
    """Sample the step at its `index`-th sizes until every label resolves its value, or the budget is spent.

    `batches`: take this many batches of draws instead.
    """
    if step.observe is None:
        return
    sizes = (*step.sizes, *step.power_sizes)[index]
    started, worked = time.monotonic(), time.process_time()
    probed: dict[str, _Probed] = {}
    expected, aims = np.zeros(0), np.zeros(0)
    total, square = np.zeros(()), np.zeros(())
    fixed: dict[str, NDArray[np.float64]] = {}
    draws, batch_index = 0, 0
    point: Point | None = None
    while True:
        sample = Sample(
            step.name, sizes, index, batch_index, batch=batch_size(sizes), base_seed=base_seed, fixed=fixed
        )
        observed = step.observe(sample)
        if point is None:
            point = Point(sample.values)
            for label in observed:
                value = value_of_part(parts[label], point)
                probed[label] = _Probed.of(value, f"{step.name}/{label}", step.resolution.get(label))
            expected = np.concatenate([one.expected for one in probed.values()])
            aims = np.concatenate([one.aim for one in probed.values()], axis=1)
        # the numbers of all labels side by side: each batch takes the same few sums, however many there are
        off = np.concatenate([one.numbers(observed[label]) for label, one in probed.items()], axis=1)
        off -= expected
        total, square = total + off.sum(axis=0), square + np.einsum("bk,bk->k", off, off)
        draws, batch_index = draws + len(off), batch_index + 1
        gap = total / draws
        stderr = np.sqrt(np.maximum(square / draws - gap**2, 0.0) / max(draws - 1, 1))
        if (
            time.process_time() - worked > MAX_SECONDS
            or draws >= MAX_DRAWS
            or batch_index == batches
            # once not finite, a sum stays so
            or not np.isfinite(stderr).all()
            or (batches is None and _resolved(stderr, aims, draws))
        ):
            break
    seconds, first = time.monotonic() - started, 0
    for label, one in probed.items():
        own = slice(first, first := first + len(one.expected))
        yield Measured(
            sizes, label, point, one.probes, (expected + gap)[own], stderr[own], draws, seconds, one.expected
        )


@dataclass(frozen=True)
class _Probed:
    """What is looked at of a label: its probes, their values, and the standard errors to which they are drawn.

    columns: the probes of a matrix as columns, each of all its elements. aim: in the first row what resolves each value, in the second what says that it is the same in every draw.
    """

    probes: tuple[NDArray[np.float64], ...] | None
    columns: NDArray[np.float64] | None
    expected: NDArray[np.float64]
    aim: NDArray[np.float64]

    @classmethod
    def of(cls, value: NDArray[np.float64], name: str, resolution: float | None) -> _Probed:
        """The probes of a value; `resolution`: what is declared for it."""
        probes = probes_for(value, name)
        expected = _project(value, probes)
        # just within the verdict's own requirement, 5 stderr <= 1 %
        if resolution is None:
            aim = np.stack([0.00199 * np.abs(expected), np.full_like(expected, -1.0)])
        else:
            aim = np.stack([np.full_like(expected, share * resolution) for share in (0.199, 1e-7)])
        columns = None if probes is None else np.stack([probe.ravel() for probe in probes], axis=1)
        return cls(probes, columns, expected, aim)

    def numbers(self, observed: NDArray[np.float64]) -> NDArray[np.float64]:
        """In each draw the numbers that are compared, shape (draws, probes)."""
        entries = observed.reshape(len(observed), -1)
        return entries if self.columns is None else np.asarray(entries @ self.columns)


def batch_size(sizes: Mapping[str, float]) -> int:
    """Draws per batch, so that the matrices of a batch have about the same number of entries at any size."""
    counts = sorted(value for name, value in sizes.items() if name in DIMENSIONS)
    largest = counts[-1] * counts[-2] if len(counts) > 1 else 1
    return draws_at(largest)


def draws_at(entries: float) -> int:
    """Draws per batch where the largest matrix of a draw has so many entries."""
    return int(max(FEWEST_PER_BATCH, min(MOST_PER_BATCH, ENTRIES_PER_BATCH / entries)))


def _resolved(stderr: NDArray[np.float64], aims: NDArray[np.float64], draws: int) -> bool:
    """Whether every number is known well enough, or is the same in every draw: a pointwise identity."""
    same = stderr <= aims[1]
    return bool(np.all(same | ((stderr <= aims[0]) & (draws >= FEWEST_DRAWS)))) and draws >= 2


def checks(step: Step, assumptions: Assumptions, derived: Derived, base_seed: int = 0) -> list[Check]:
    """All numeric comparisons of a step: at each of its sizes, for each observed label and probe."""
    found: list[Check] = []
    if step.check is not None:
        found.extend(step.check(step, assumptions, base_seed))
    for index in range(len(step.sizes) if step.observe is not None else 0):
        for result in measure(step, derived, index, base_seed):
            for k, value in enumerate(result.expected):
                verdict = judge(
                    float(result.mean[k]),
                    float(result.stderr[k]),
                    float(value),
                    resolution=step.resolution.get(result.label),
                )
                found.append(
                    Check(
                        result.label,
                        dict(result.sizes),
                        float(value),
                        float(result.mean[k]),
                        float(result.stderr[k]),
                        result.draws,
                        result.seconds / len(result.expected),
                        verdict.status,
                        verdict.reason,
                        probe=0 if result.probes is None else k + 1,
                    )
                )
    return found
