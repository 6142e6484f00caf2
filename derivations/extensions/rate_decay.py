"""rate_decay=Q: step k = 0, 1, ... of the inner loop at meta-training has the rate alpha_t Q^k (the paper: Q = 1)."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from derivations.language.extension import Extension, add_assumption
from symbolic.algebra.words import Expression, constant


def read(text: str) -> str:
    """A number or fraction between 0 and 1."""
    value = Fraction(text)
    if not 0 <= value <= 1:
        raise ValueError
    return str(value)


def words(value: str, k: int, theta: Expression, gradient: Expression, rate: Expression) -> Expression:
    """Step k as matrix words."""
    return theta - constant(Fraction(value) ** k) * rate * gradient


@dataclass(frozen=True)
class Decayed:
    """Step k on arrays."""

    decay: float

    def __call__(self, k: int, theta: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
        """The parameters after the step."""
        return theta - rate * self.decay**k * gradient


add_assumption(
    Extension("rate_decay", "1", "inner_steps", read, words, lambda value: Decayed(float(Fraction(value))))
)
