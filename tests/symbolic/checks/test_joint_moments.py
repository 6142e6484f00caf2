"""Moments of correlated Gaussian entries: the product rule of Isserlis, and a matrix with a mean."""

from fractions import Fraction

import pytest

from symbolic.checks.joint_moments import JointLaw, JointMoments

U = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(3)]]
SIGMA = [[Fraction(5), Fraction(-1)], [Fraction(-1), Fraction(4)]]
MEAN = [[Fraction(1), Fraction(2)], [Fraction(0), Fraction(-3)]]
ZERO = [[Fraction(0)] * 2] * 2


def covariance(one: int, other: int) -> Fraction:
    return U[one // 2][other // 2] * SIGMA[one % 2][other % 2]


@pytest.mark.parametrize("places", [(0, 1, 2, 3), (0, 0, 1, 3), (2, 2, 2, 2)])
def test_four_entries_without_a_mean(places: tuple[int, int, int, int]) -> None:
    a, b, c, d = places
    exponents = tuple(places.count(k) for k in range(4))
    expected = (
        covariance(a, b) * covariance(c, d)
        + covariance(a, c) * covariance(b, d)
        + covariance(a, d) * covariance(b, c)
    )
    assert JointMoments(JointLaw(ZERO, U, SIGMA))(exponents) == expected


def test_three_entries_with_a_mean() -> None:
    means = [x for line in MEAN for x in line]
    expected = means[0] * means[1] * means[3]
    for k, (i, j) in zip((0, 1, 3), ((1, 3), (0, 3), (0, 1)), strict=True):
        expected += means[k] * covariance(i, j)
    assert JointMoments(JointLaw(MEAN, U, SIGMA))((1, 1, 0, 1)) == expected
