"""A mean with its standard error, accumulated batch by batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A sample mean, its standard error (infinite below two draws), and the number of independent draws."""

    mean: float
    stderr: float
    draws: int

    def resolved(self, rel_error: float, abs_error: float = 0.0) -> bool:
        """Whether the standard error is at most `rel_error` times |mean|, or at most `abs_error`."""
        return bool(self.stderr <= max(rel_error * abs(self.mean), abs_error))


@dataclass(frozen=True)
class Moments:
    """Count, mean, and sum of squared deviations, which merge exactly across batches (Chan et al. 1983)."""

    count: int = 0
    mean: float = 0.0
    scatter: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Moments:
        """The moments of one batch, a one-dimensional array of independent draws."""
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"a batch has shape {values.shape}: give a non-empty one-dimensional array")
        mean = float(values.mean())
        return cls(values.size, mean, float(np.square(values - mean).sum()))

    def merge(self, other: Moments) -> Moments:
        """The moments of both batches together; a NaN anywhere stays a NaN."""
        count = self.count + other.count
        if count == 0:
            return self
        shift = other.mean - self.mean
        mean = self.mean + shift * other.count / count
        scatter = self.scatter + other.scatter + shift * shift * self.count * other.count / count
        return Moments(count, mean, scatter)

    def estimate(self) -> Estimate:
        """Mean and standard error; NaN before the first draw."""
        if self.count == 0:
            return Estimate(math.nan, math.inf, 0)
        if self.count == 1:
            return Estimate(self.mean, math.inf, 1)
        return Estimate(self.mean, math.sqrt(self.scatter / (self.count - 1) / self.count), self.count)
