"""Laws of the input entries: independent, symmetric, mean 0, variance 1, with known even moments.

A row of inputs is x = Sigma^(1/2) u, and u has independent entries of one of these laws. What distinguishes a
law in the loss is its moments E u^4, E u^6, E u^8 (third-order moments vanish by symmetry).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


@dataclass(frozen=True)
class InputLaw:
    """One law of entries.

    name: as the user writes it. even_moments: (E u^2, E u^4, E u^6, E u^8). atomic: whether single values
    have positive probability, so that sampled matrices can lose rank. draw: independent entries of a given
    shape.
    """

    name: str
    even_moments: tuple[float, float, float, float]
    atomic: bool
    draw: Draw

    @property
    def kurtosis(self) -> float:
        """E u^4 (the variance is 1): 3 for a Gaussian."""
        return self.even_moments[1]

    @property
    def cumulants(self) -> tuple[float, float, float, float]:
        """Cumulants of orders 2, 4, 6, 8, from the even moments."""
        _, m4, m6, m8 = self.even_moments
        return 1.0, m4 - 3, m6 - 15 * m4 + 30, m8 - 28 * m6 - 35 * m4**2 + 420 * m4 - 630


def _gaussian(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return generator.standard_normal(shape)


def _signs(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    size = math.prod(shape)
    packed = np.frombuffer(generator.bytes((size + 7) // 8), dtype=np.uint8)
    signs = np.unpackbits(packed, count=size).astype(np.float64)
    return 2.0 * signs.reshape(shape) - 1.0


def _uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(math.sqrt(12.0) * (generator.random(shape) - 0.5), dtype=np.float64)


def _laplace(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return math.sqrt(0.5) * generator.standard_exponential(shape) * _signs(generator, shape)


@dataclass(frozen=True)
class _ThreePoint:
    """Values 0 and +-sqrt(kurtosis), the latter with total probability 1/kurtosis."""

    kurtosis: float

    def __call__(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        kept = generator.random(shape) < 1.0 / self.kurtosis
        return math.sqrt(self.kurtosis) * kept * _signs(generator, shape)


GAUSSIAN = InputLaw("gaussian", (1.0, 3.0, 15.0, 105.0), False, _gaussian)
RADEMACHER = InputLaw("rademacher", (1.0, 1.0, 1.0, 1.0), True, _signs)
UNIFORM = InputLaw("uniform", (1.0, 9 / 5, 27 / 7, 9.0), False, _uniform)
LAPLACE = InputLaw("laplace", (1.0, 6.0, 90.0, 2520.0), False, _laplace)
NAMED = {law.name: law for law in (GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE)}


def three_point(kurtosis: float) -> InputLaw:
    """The law on {-a, 0, a} of unit variance with E u^4 = a^2 = `kurtosis`, at least 1 and finite."""
    if not (math.isfinite(kurtosis) and kurtosis >= 1.0):
        raise ValueError(f"kurtosis is {kurtosis}: the fourth moment at unit variance is at least 1")
    moments = (1.0, kurtosis, kurtosis**2, kurtosis**3)
    return InputLaw(f"kurtosis:{kurtosis!r}", moments, True, _ThreePoint(kurtosis))


def input_law(name: str) -> InputLaw:
    """The law a user names: one of `NAMED`, or `kurtosis:VALUE`. Raises ValueError otherwise."""
    if name in NAMED:
        return NAMED[name]
    prefix, _, value = name.partition(":")
    if prefix == "kurtosis" and value:
        try:
            kurtosis = float(Fraction(value))
        except (ValueError, ZeroDivisionError, OverflowError):
            raise ValueError(
                f"inputs is {name!r}: write kurtosis:VALUE with a number, as in kurtosis:4 or kurtosis:7/2"
            ) from None
        return three_point(kurtosis)
    raise ValueError(f"inputs is {name!r}: choose one of {', '.join(NAMED)} or kurtosis:VALUE")
