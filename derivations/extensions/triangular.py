"""inputs=triangular: entries with the triangular density on [-sqrt 6, sqrt 6]."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from derivations.language.extension import add_input_law


def moment(order: int) -> Fraction:
    """E u^2k = 6^k / ((k + 1)(2k + 1)): the integral of 2 (1 - x) x^2k over [0, 1], scaled."""
    if order % 2:
        return Fraction(0)
    k = order // 2
    return Fraction(6**k, (k + 1) * (2 * k + 1))


def draw(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """The sum of two uniform variables has this law."""
    first, second = generator.random((2, *shape))
    return np.asarray(np.sqrt(6.0) * (first + second - 1.0))


add_input_law("triangular", moment, draw)
