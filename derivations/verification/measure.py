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
ENTRIES_PER_BATCH = 50_000
FEWEST_PER_BATCH, MOST_PER_BATCH = 32, 8192
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
    sums: dict[str, NDArray[np.float64]] = {}
    squares: dict[str, NDArray[np.float64]] = {}
    probes: dict[str, tuple[NDArray[np.float64], ...] | None] = {}
    expected: dict[str, NDArray[np.float64]] = {}
    offset: dict[str, NDArray[np.float64]] = {}
    fixed: dict[str, NDArray[np.float64]] = {}
    draws, batch_index = 0, 0
    point: Point | None = None
    while True:
        sample = Sample(
            step.name, sizes, index, batch_index, batch=batch_size(sizes), base_seed=base_seed, fixed=fixed
        )
        observed = step.observe(sample)
        point = point or Point(sample.values)
        for label, array in observed.items():
            if label not in probes:
                value = value_of_part(parts[label], point)
                probes[label] = probes_for(value, f"{step.name}/{label}")
                expected[label] = offset[label] = _project(value, probes[label])
                sums[label] = np.zeros_like(expected[label])
                squares[label] = np.zeros_like(expected[label])
            projected = _batch_project(array, probes[label]) - offset[label]
            sums[label] += projected.sum(axis=0)
            squares[label] += (projected**2).sum(axis=0)
        count = next(iter(observed.values())).shape[0]
        draws += count
        batch_index += 1
        elapsed = time.monotonic() - started
        results = [
            Measured(
                sizes,
                label,
                point,
                probes[label],
                offset[label] + sums[label] / draws,
                np.sqrt(
                    np.maximum(squares[label] / draws - (sums[label] / draws) ** 2, 0.0) / max(draws - 1, 1)
                ),
                draws,
                elapsed,
                expected[label],
            )
            for label in observed
        ]
        if (
            time.process_time() - worked > MAX_SECONDS
            or draws >= MAX_DRAWS
            or batch_index == batches
            # once not finite, a sum stays so
            or not all(np.isfinite(result.stderr).all() for result in results)
            or (batches is None and all(_resolved(result, step.resolution) for result in results))
        ):
            yield from results
            return


def batch_size(sizes: Mapping[str, float]) -> int:
    """Draws per batch, so that the matrices of a batch have about the same number of entries at any size."""
    counts = sorted(value for name, value in sizes.items() if name in DIMENSIONS)
    largest = counts[-1] * counts[-2] if len(counts) > 1 else 1
    return draws_at(largest)


def draws_at(entries: float) -> int:
    """Draws per batch where the largest matrix of a draw has so many entries."""
    return int(max(FEWEST_PER_BATCH, min(MOST_PER_BATCH, ENTRIES_PER_BATCH / entries)))


def _resolved(result: Measured, resolutions: Mapping[str, float]) -> bool:
    # just within the verdict's own requirement, 5 stderr <= 1 %
    resolution, value = resolutions.get(result.label), result.expected
    target = 0.00199 * np.abs(value) if resolution is None else np.full_like(value, 0.199 * resolution)
    if resolution is not None and np.all(result.stderr <= 1e-7 * resolution):
        return result.draws >= 2  # the same in every draw: a pointwise identity
    return bool(np.all(result.stderr <= target)) and result.draws >= 256


def _batch_project(
    array: NDArray[np.float64], probes: tuple[NDArray[np.float64], ...] | None
) -> NDArray[np.float64]:
    if probes is None:
        return np.asarray(array.reshape(array.shape[0], 1))
    return np.stack([np.einsum("bij,ij->b", array, probe) for probe in probes], axis=1)


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
