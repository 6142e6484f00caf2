"""The order in which terms are written."""

from __future__ import annotations

import random

import pytest
import sympy

from derivations.typeset.term_order import operations

x, y, z = sympy.symbols("x y z", positive=True)
ODD = sympy.Rational(-3, 2)
FACTORS = (
    x,
    y,
    z,
    x + y,
    1 / (x - y),
    x**2,
    sympy.sqrt(x),
    1 / x,
    1 / x**2,
    (x + y) ** 2,
    1 / (x + 1) ** 3,
    x**ODD,
    z - x,
)
NUMBERS = (1, -1, 2, -3, sympy.Rational(5, 7), sympy.Rational(-1, 2))


@pytest.mark.parametrize("seed", range(4))
def test_the_length_of_a_product_is_that_of_sympy(seed: int) -> None:
    drawn = random.Random(seed)
    for _ in range(200):
        term = drawn.choice(NUMBERS) * sympy.Mul(*drawn.choices(FACTORS, k=drawn.randint(1, 5)))
        assert operations(term) == sympy.count_ops(term), term
