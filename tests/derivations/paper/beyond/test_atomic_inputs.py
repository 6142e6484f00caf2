"""Inputs that take few values: the slope at a training rate of zero does not exist, by exact enumeration and by simulation.

p = 3, n_v = 1, m = 2, n_t = 1, inputs +1 or -1, label noise alone. The two validation inputs are parallel with probability 1/4: the
rows of B then are so too at a rate of zero, and nearly so beside it, where the error of the solution grows as one over its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest

from derivations.steps.contents import find
from numeric_check.estimators.simulation import simulate
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge

SIZE = 3
LIMIT = Fraction(3, 32)
SIGNS = tuple(product((1, -1), repeat=SIZE))
Vector = Sequence[int | Fraction]


def test_the_steps_that_need_a_density_say_what_happens_without() -> None:
    said = find("exact-slope-at-zero").remark
    assert f"{mean_square(Fraction(0))} at zero" in said
    assert f"{LIMIT.numerator}/({LIMIT.denominator} alpha_t^2)" in said


def dot(a: Vector, b: Vector) -> Fraction:
    return sum((Fraction(x) * y for x, y in zip(a, b, strict=True)), Fraction(0))


def mean_square(rate: Fraction) -> Fraction:
    """E |omega_star - w_0|^2 over all inputs, at sigma = 1: Tr of the pseudo-inverse of B B^T times the diagonal of Gamma."""
    total, first = (
        Fraction(0),
        (1,) * SIZE,
    )  # signs of coordinates change nothing: the first input may be fixed
    for second, *training in product(SIGNS, repeat=3):
        rows, noise = [], []
        for x, t in zip((first, second), training, strict=True):
            along = rate * dot(x, t)
            rows.append([a - along * b for a, b in zip(x, t, strict=True)])
            noise.append(1 + along**2)
        gram = [[dot(a, b) for b in rows] for a in rows]
        trace = gram[0][0] + gram[1][1]
        determinant = gram[0][0] * gram[1][1] - gram[0][1] ** 2
        if determinant:
            total += (gram[1][1] * noise[0] + gram[0][0] * noise[1]) / determinant
        elif trace:
            total += (gram[0][0] * noise[0] + gram[1][1] * noise[1]) / trace**2
    return total / len(SIGNS) ** 3


@pytest.mark.parametrize("sign", [1, -1])
def test_beside_zero_the_mean_square_grows_as_one_over_the_square_of_the_rate(sign: int) -> None:
    assert mean_square(Fraction(0)) == Fraction(29, 48)
    near, nearer = (mean_square(sign * rate) * rate**2 for rate in (Fraction(1, 10**3), Fraction(1, 10**6)))
    assert abs(nearer - LIMIT) < abs(near - LIMIT) / 100
    assert mean_square(sign * Fraction(1, 100)) > 100 * mean_square(Fraction(0))


@pytest.mark.parametrize("rate", [Fraction(-1, 4), Fraction(-1, 2), Fraction(-1)])
def test_simulation_says_the_same(rate: Fraction) -> None:
    setting = Setting(
        n_t=1,
        n_v=1,
        n_r=2,
        m=2,
        p=SIZE,
        sigma=1.0,
        nu=0.0,
        alpha_t=float(rate),
        alpha_r=0.0,
        inputs="rademacher",
    )
    found = simulate(setting, "excess", rel_error=0.0015)
    assert judge(found.mean, found.stderr, float(mean_square(rate))).status == "agree"
