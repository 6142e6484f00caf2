"""Moments of frames and of triangular factors: theorems they obey, and known values."""

from fractions import Fraction

import pytest

from symbolic.checks.frame_moments import FrameMoments, triangular_moment


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_columns_are_orthonormal(size: int) -> None:
    moments = FrameMoments(size, size)

    def mean(*places: tuple[int, int]) -> Fraction:
        return moments(tuple(places.count((k // size, k % size)) for k in range(size * size)))

    for a in range(size):
        for b in range(size):
            # E of (u_a' u_b)^2, and of u_a' u_b beside another entry twice
            span = range(size)
            squared = sum(mean((i, a), (i, b), (j, a), (j, b)) for i in span for j in span)
            beside = sum(mean((i, a), (i, b), (0, 0), (0, 0)) for i in span)
            assert squared == int(a == b)
            assert beside == Fraction(int(a == b), size)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_one_column_is_uniform_on_the_sphere(size: int) -> None:
    moments = FrameMoments(size, 1)
    assert moments((4, *[0] * (size - 1))) == Fraction(3, size * (size + 2))
    assert moments((2, 2, *[0] * (size - 2))) == Fraction(1, size * (size + 2))
    assert moments((1, 1, *[0] * (size - 2))) == 0


def test_two_columns_repel() -> None:
    # E O_11^2 O_22^2 = (p + 1) / (p (p - 1) (p + 2)), E O_11 O_12 O_21 O_22 = - 1 / (p (p - 1) (p + 2)) at p = 3
    moments = FrameMoments(3, 3)
    assert moments((2, 0, 0, 0, 2, 0, 0, 0, 0)) == Fraction(4, 30)
    assert moments((1, 1, 0, 1, 1, 0, 0, 0, 0)) == Fraction(-1, 30)


@pytest.mark.parametrize("size", [8, 11])
def test_the_triangular_factor_has_the_means_of_wishart_matrices(size: int) -> None:
    # tr (T^T T)^-1 = tr (X X^T)^-1, of mean n / (p - n - 1), and det of mean 1 / ((p - 2) (p - 3)); tr T^T T of mean n p
    def mean(*exponents: int) -> Fraction:
        return triangular_moment(size, exponents)

    assert mean(1, 0, 0, 0, 0, 0) + mean(0, 0, 1, 0, 0, 0) == Fraction(2, size - 3)
    assert mean(1, 0, 1, 0, 0, 0) - mean(0, 2, 0, 0, 0, 0) == Fraction(1, (size - 2) * (size - 3))
    assert mean(0, 0, 0, 1, 0, 0) + mean(0, 0, 0, 0, 0, 1) == 2 * size
    # the elements of the product of the two, and that of their determinants
    assert mean(1, 0, 0, 1, 0, 0) + mean(0, 1, 0, 0, 1, 0) == 1
    assert mean(1, 0, 0, 0, 1, 0) + mean(0, 1, 0, 0, 0, 1) == 0
    assert mean(0, 1, 0, 0, 1, 0) + mean(0, 0, 1, 0, 0, 1) == 1
    determinants = mean(1, 0, 1, 1, 0, 1) - mean(0, 2, 0, 1, 0, 1) - mean(1, 0, 1, 0, 2, 0)
    assert determinants + mean(0, 2, 0, 0, 2, 0) == 1
    assert triangular_moment(size, (2, 0)) == Fraction(1, (size - 2) * (size - 4))
