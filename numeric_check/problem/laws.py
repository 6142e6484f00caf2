"""Laws of the input entries: independent, mean 0, variance 1, with known even moments.

A row of inputs is x = Sigma^(1/2) u, and u has independent entries of one of these laws. What distinguishes a
law in the loss is its moments E u^4, E u^6, E u^8 (odd moments vanish for all but laws given by cumulants).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.impossible import Impossible
from numeric_check.problem.quadrature import moments_of, quadrature

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


@dataclass(frozen=True)
class InputLaw:
    """One law of entries.

    name: as the user writes it. even_moments: (E u^2, E u^4, E u^6, E u^8), infinite where they do not exist.
    atomic: whether single values
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


def _gaussian(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return generator.standard_normal(shape)


# the signs that the eight bits of a byte stand for
_OF_BYTES = 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) - 1.0


def _signs(generator: np.random.Generator, shape: tuple[int, ...], size: float = 1.0) -> Array:
    """Numbers +-size, a bit for each."""
    count = math.prod(shape)
    packed = np.frombuffer(generator.bytes((count + 7) // 8), dtype=np.uint8)
    return np.take(size * _OF_BYTES, packed, axis=0).ravel()[:count].reshape(shape)


def _uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(math.sqrt(12.0) * (generator.random(shape) - 0.5), dtype=np.float64)


def _laplace(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    found = np.asarray(generator.standard_exponential(shape))
    found *= _signs(generator, shape, math.sqrt(0.5))
    return found


@dataclass(frozen=True)
class _ThreePoint:
    """Values 0 and +-sqrt(kurtosis), the latter with total probability 1/kurtosis."""

    kurtosis: float

    def __call__(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        kept = generator.random(shape) < 1.0 / self.kurtosis
        return kept * _signs(generator, shape, math.sqrt(self.kurtosis))


GAUSSIAN = InputLaw("gaussian", (1.0, 3.0, 15.0, 105.0), False, _gaussian)
RADEMACHER = InputLaw("rademacher", (1.0, 1.0, 1.0, 1.0), True, _signs)
UNIFORM = InputLaw("uniform", (1.0, 9 / 5, 27 / 7, 9.0), False, _uniform)
LAPLACE = InputLaw("laplace", (1.0, 6.0, 90.0, 2520.0), False, _laplace)
FORMS = "kurtosis:VALUE, student:DEGREES or cumulants:K3,K4,..."
NAMED = {law.name: law for law in (GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE)}


def three_point(kurtosis: float) -> InputLaw:
    """The law on {-a, 0, a} of unit variance with E u^4 = a^2 = `kurtosis`, at least 1 and finite."""
    if not (math.isfinite(kurtosis) and kurtosis >= 1.0):
        raise Impossible(f"kurtosis is {kurtosis}: the fourth moment at unit variance is at least 1")
    moments = (1.0, kurtosis, kurtosis**2, kurtosis**3)
    return InputLaw(f"kurtosis:{kurtosis!r}", moments, True, _ThreePoint(kurtosis))


@dataclass(frozen=True)
class _Student:
    """Student's t, scaled to unit variance."""

    degrees: float

    def __call__(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        scale = math.sqrt((self.degrees - 2.0) / self.degrees)
        return np.asarray(scale * generator.standard_t(self.degrees, shape), dtype=np.float64)


def student(degrees: float) -> InputLaw:
    """Student's t with more than 2 degrees of freedom, finite, at unit variance."""
    if not (math.isfinite(degrees) and degrees > 2.0):
        raise Impossible(f"student has {degrees} degrees of freedom: give more than 2, for a variance")
    moments, value = [], 1.0
    for k in range(1, 5):
        exists = degrees > 2 * k
        value = value * (degrees - 2.0) * (2 * k - 1) / (degrees - 2 * k) if exists else math.inf
        moments.append(value)
    m2, m4, m6, m8 = moments
    return InputLaw(f"student:{degrees!r}", (m2, m4, m6, m8), False, _Student(degrees))


@dataclass(frozen=True)
class _Points:
    """Finitely many values with given probabilities."""

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __call__(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(generator.choice(self.values, size=shape, p=self.weights), dtype=np.float64)


def from_cumulants(cumulants: tuple[Fraction, ...], name: str) -> InputLaw:
    """A law of few values with the cumulants of orders 3, 4, ... given, if there is any such law."""
    values, weights = quadrature(moments_of((Fraction(0), Fraction(1), *cumulants)))
    m2, m4, m6, m8 = (math.fsum(w * x**k for x, w in zip(values, weights, strict=True)) for k in (2, 4, 6, 8))
    return InputLaw(name, (m2, m4, m6, m8), True, _Points(values, weights))


def input_law(name: str) -> InputLaw:
    """The law a user names: one of `NAMED`, `kurtosis:VALUE`, `student:DEGREES` or `cumulants:K3,K4,...`.

    Raises ValueError otherwise.
    """
    if name in NAMED:
        return NAMED[name]
    prefix, _, value = name.partition(":")
    if prefix in ("kurtosis", "student", "cumulants") and value:
        numbers = _numbers(name, value)
        if prefix == "cumulants":
            return from_cumulants(numbers, name)
        if len(numbers) == 1:
            return three_point(float(numbers[0])) if prefix == "kurtosis" else student(float(numbers[0]))
    raise Impossible(f"inputs is {name!r}: choose one of {', '.join(NAMED)}, {FORMS}")


def _numbers(name: str, text: str) -> tuple[Fraction, ...]:
    try:
        if "e" in text.lower():  # an exponent can stand for a number of any length
            raise ValueError
        found = tuple(Fraction(part) for part in text.split(","))
        if all(math.isfinite(float(number)) for number in found):
            return found
        raise ValueError
    except (ValueError, ZeroDivisionError, OverflowError):
        kind = name.partition(":")[0]
        raise Impossible(
            f"inputs is {name[:60]!r}: write numbers or fractions, as in {kind}:4 or {kind}:7/2"
        ) from None
