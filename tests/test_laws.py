"""The laws that are sampled and the laws of the exact moments are the same laws."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import NAMED as SAMPLED
from numeric_check.problem.laws import InputLaw, input_law
from numeric_check.problem.quadrature import moments_of, quadrature
from symbolic.algebra.entry_laws import NAMED as EXACT
from symbolic.algebra.entry_laws import Law, law

LAWS = (
    *SAMPLED,
    "kurtosis:1",
    "kurtosis:7/2",
    "student:40",
    "student:81/2",
    "cumulants:1/2",
    "cumulants:1/2,1",
    "cumulants:0,-2",
    "cumulants:1/2,1,-1/3,2,1/5,7",
)
DRAWS = 1_000_000


def known_orders(exact: Law) -> range:
    return range(1, min(8, int(min(exact.order, 8))) + 1)


def sigmas_off(sampled: InputLaw, exact: Law, order: int) -> float:
    """How far the sampled mean of u^order is from the exact one, in standard errors."""
    values = sampled.draw(generator_for(f"laws/{sampled.name}"), (DRAWS // 10, 10)).ravel() ** order
    spread = values.std() / math.sqrt(DRAWS)
    return abs(float(values.mean()) - float(exact.rule(order))) / (float(spread) + 1e-9)


def test_the_names_are_the_same() -> None:
    assert SAMPLED.keys() == EXACT.keys()


@pytest.mark.parametrize("name", LAWS)
def test_sampled_moments_are_the_exact_ones(name: str) -> None:
    exact = law(name)
    assert all(sigmas_off(input_law(name), exact, order) < 5 for order in known_orders(exact))


@pytest.mark.parametrize("name", LAWS)
def test_declared_moments_are_the_exact_ones(name: str) -> None:
    exact = law(name)
    declared = input_law(name).even_moments
    for order in known_orders(exact):
        if order % 2 == 0:
            assert declared[order // 2 - 1] == pytest.approx(float(exact.rule(order)), rel=1e-9)


def test_another_law_is_noticed() -> None:
    assert sigmas_off(input_law("uniform"), law("kurtosis:37/20"), 4) > 5
    assert sigmas_off(input_law("cumulants:1/2,1"), law("cumulants:9/20,1"), 3) > 5


def test_moments_of_students_law_that_do_not_exist() -> None:
    assert input_law("student:5").even_moments == pytest.approx((1.0, 9.0, math.inf, math.inf))
    assert law("student:5").order == 4


@pytest.mark.parametrize(
    "name",
    [
        "cumulants:5,0",
        "cumulants:0,-5/2",
        "cumulants:0,-2,0,15",
        "cumulants:0,-2,1",
        "student:2",
        "kurtosis:1/2",
        "student:x",
    ],
)
def test_what_is_no_law_is_refused_by_both(name: str) -> None:
    for read in (input_law, law):
        with pytest.raises(ValueError, match=r"\S") as caught:
            read(name)
        assert "\n" not in str(caught.value)


def test_laws_by_cumulants_have_the_declared_moments_exactly() -> None:
    exact = law("cumulants:1/2,1,-1/3,2,1/5,7")
    cumulants = (Fraction(0), Fraction(1), *(exact.cumulant_number(order) for order in range(3, 9)))
    values, weights = map(np.array, quadrature(moments_of(cumulants)))
    for order in range(1, 9):
        assert math.fsum(weights * values**order) == pytest.approx(float(exact.rule(order)), abs=1e-10)
