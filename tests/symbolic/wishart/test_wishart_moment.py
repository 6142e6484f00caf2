"""One question for all moments: the right method, the right shape, the right refusal."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symbolic.wishart.identity import trace_moment
from symbolic.wishart.moment_text import polynomial_latex
from symbolic.wishart.wishart_moment import moment
from tests.symbolic.wishart.values import value

SIGMA = [[2, 1, 0], [1, 3, 1], [0, 1, 1]]
CASES = [(2, (1,)), (0, (1, 2)), (-2, ()), (-1, (-1,)), (0, (-1, -2)), (1, (-1,)), (-1, (2,)), (0, (1, -1))]


@pytest.mark.parametrize(("power", "traces"), CASES)
def test_identity_is_the_special_case(power: int, traces: tuple[int, ...]) -> None:
    unit = [[int(i == j) for j in range(3)] for i in range(3)]
    special = moment(power, traces, "identity")
    assert len(special.terms) == 1
    assert value(special, 13, unit) == value(moment(power, traces), 13, unit)
    assert special.is_matrix == (power != 0)


@pytest.mark.parametrize(("power", "traces"), CASES)
def test_scaling_of_the_covariance(power: int, traces: tuple[int, ...]) -> None:
    degree = power + sum(traces)
    tripled = [[3 * entry for entry in row] for row in SIGMA]
    once, thrice = (np.array(value(moment(power, traces), 13, sigma)) for sigma in (SIGMA, tripled))
    assert np.all(thrice == Fraction(3) ** degree * once)


def test_value_from_the_definition() -> None:
    """E W^2 = (n^2 + n) Sigma^2 + n tr(Sigma) Sigma at n = 2."""
    assert value(moment(2), 2, [[2, 1], [1, 3]]) == [
        [6 * 5 + 10 * 2, 6 * 5 + 10],
        [6 * 5 + 10, 6 * 10 + 10 * 3],
    ]


def test_identity_coefficients_are_the_trace_moments() -> None:
    (coefficient,) = moment(0, (1, 2), "identity").terms.values()
    assert coefficient.numerator == trace_moment((1, 2))
    n, p = 7, 3
    assert coefficient.at({"n": n, "p": p}) == n * p * (n**2 * p + n * p**2 + n * p + 4 * n + 4 * p + 4)


@pytest.mark.parametrize(
    ("power", "traces", "text"),
    [
        (1, (), r"n \, \Sigma"),
        (2, (), r"n (n + 1) \, \Sigma^{2} + n \, \operatorname{tr}(\Sigma) \, \Sigma"),
        (-1, (), r"\frac{1}{n - p - 1} \, \Sigma^{-1}"),
    ],
)
def test_latex(power: int, traces: tuple[int, ...], text: str) -> None:
    assert polynomial_latex(moment(power, traces)) == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, ()), "is no power"),
        ((True, ()), "is no power"),
        ((1, (0,)), "give a non-zero integer"),
        ((1, (), "diagonal"), "say 'identity' or 'general'"),
        ((25, ()), "from 0 to 24"),
        ((0, (-13,)), "at most 12"),
        ((5, (-7,)), "6 of them inverse"),
    ],
)
def test_bad_questions_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moment(*arguments)
