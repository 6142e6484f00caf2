"""One question for all moments: the right method, the right shape, the right refusal."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from symbolic.wishart.existence import MomentDoesNotExist
from symbolic.wishart.identity import trace_moment
from symbolic.wishart.wishart_moment import moment

SIGMA = [[2, 1, 0], [1, 3, 1], [0, 1, 1]]
CASES = [(2, (1,)), (0, (1, 2)), (-2, ()), (-1, (-1,)), (0, (-1, -2)), (1, (-1,)), (-1, (2,)), (0, (1, -1))]


@pytest.mark.parametrize(("power", "traces"), CASES)
def test_identity_is_the_special_case(power: int, traces: tuple[int, ...]) -> None:
    unit = [[int(i == j) for j in range(3)] for i in range(3)]
    special = moment(power, traces, "identity").at(13, 3)
    assert special == moment(power, traces).at(13, 3) == moment(power, traces).at(13, unit)
    assert isinstance(special, list) == (power != 0)


@pytest.mark.parametrize(("power", "traces"), CASES)
def test_scaling_of_the_covariance(power: int, traces: tuple[int, ...]) -> None:
    degree = power + sum(traces)
    tripled = [[3 * entry for entry in row] for row in SIGMA]
    once, thrice = (np.array(moment(power, traces).at(13, sigma)) for sigma in (SIGMA, tripled))
    assert np.all(thrice == Fraction(3) ** degree * once)


def test_identity_coefficients_are_the_trace_moments() -> None:
    n, p = sympy.symbols("n p")
    asked = moment(0, (1, 2), "identity")
    written = n * p * (n**2 * p + n * p**2 + n * p + 4 * n + 4 * p + 4)
    assert sympy.expand(asked.value.to_sympy() - written) == 0
    assert asked.at(7, 3) == int(trace_moment((1, 2))(7, 3))


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_refusal_states_the_condition(degree: int) -> None:
    for power, traces in [(-degree, ()), (0, (-degree,)), (1, (-1,) * degree), (-1, (-1,) * (degree - 1))]:
        asked = moment(power, traces)
        assert asked.condition == f"n - p > {2 * degree - 1}"
        assert asked.inverse_degree == degree
        asked.at(3 + 2 * degree, SIGMA)
        with pytest.raises(MomentDoesNotExist, match=asked.condition):
            asked.at(2 + 2 * degree, SIGMA)


def test_positive_moments_have_no_condition() -> None:
    assert moment(2, (1,)).condition == ""
    assert moment(1).at(1, SIGMA) == SIGMA


def test_in_one_column_powers_cancel() -> None:
    """E tr W tr W^-2 = E 1/x exists for n = 3 although n - p > 3 fails; E tr W tr W^-1 = 1 for every n."""
    assert moment(0, (1, -2)).at(3, [[2]]) == Fraction(1, 2)
    assert moment(0, (1, -1)).at(1, [[5]]) == 1
    assert moment(1, (-1,)).at(2, [[5]]) == [[1]]
    assert moment(1, (-2,), "identity").at(3, 1) == [[1]]
    with pytest.raises(MomentDoesNotExist, match="n - p > 1"):
        moment(0, (1, -2)).at(2, [[2]])


def test_floats_are_rounded_once() -> None:
    halves = [[0.5 * entry for entry in row] for row in SIGMA]
    exact = [[Fraction(entry, 2) for entry in row] for row in SIGMA]
    asked = moment(-2, (3,))
    assert asked.at(30, halves) == [[float(x) for x in row] for row in np.array(asked.at(30, exact))]
    assert asked.at(30, np.array(halves)) == asked.at(30, halves)


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


@pytest.mark.parametrize(
    ("n", "covariance", "message"),
    [
        (0, SIGMA, "positive integer number of rows"),
        (7.0, SIGMA, "positive integer number of rows"),
        (9, 0, "positive integer dimension"),
        (9, [], "not square"),
        (9, [[1, 2]], "not square"),
        (9, 2.5, "is no covariance"),
        (9, [[1, 1], [1, 1]], "singular"),
    ],
)
def test_bad_numbers_are_refused(n: Any, covariance: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moment(-1).at(n, covariance)


def test_identity_moments_take_a_dimension() -> None:
    with pytest.raises(ValueError, match="identity covariance: give p"):
        moment(1, (), "identity").at(5, SIGMA)
