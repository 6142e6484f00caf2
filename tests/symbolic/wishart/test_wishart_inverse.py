"""Inverse moments: exact theorems that no step of their derivation uses."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq_mat

from symbolic.algebra.coefficients import to_fmpq
from symbolic.algebra.quotients import Rational
from symbolic.wishart.general import trace_moments_general
from symbolic.wishart.partitions import Partition, partitions
from symbolic.wishart.wishart_inverse import inverse_matrix_moment, inverse_trace_moment
from tests.symbolic.wishart.values import matrix, scalar, value

N = Rational.generator("n")
P = Rational.generator("p")


def number(exact: int) -> Rational:
    return Rational.number(exact)


def over(top: Rational, *bottom: Rational) -> Rational:
    for factor in bottom:
        top = top / factor
    return top


def negated(parts: Iterable[int]) -> Partition:
    return tuple(sorted(-part for part in parts))


@pytest.mark.parametrize("degree", range(1, 7))
def test_one_column_is_an_inverse_chi_square(degree: int) -> None:
    """At p = 1, Sigma = 1: E x^-d = 1 / ((n-2)(n-4)...(n-2d)), whatever the partition."""
    n = 41
    expected = Fraction(1)
    for i in range(1, degree + 1):
        expected /= n - 2 * i
    for mu in partitions(degree):
        assert value(scalar(inverse_trace_moment(mu)), n, [[1]]) == expected
        assert value(matrix(inverse_matrix_moment(mu[0], mu[1:])), n, [[1]]) == [[expected]]


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_inverse_moments_are_the_inverse_of_the_moments(degree: int) -> None:
    """(-1)^d M(p+1-n) is the inverse of the inverse-moment matrix: the eigenvalues prod (n + c) turn over.

    M is the matrix from tr W^mu to tr Sigma^nu; both matrices are diagonal on zonal polynomials.
    """
    n, p = 37, 4
    index = list(partitions(degree))
    positive = trace_moments_general(degree)
    forward = fmpq_mat(
        [[positive[mu][0, nu](p + 1 - n) if (0, nu) in positive[mu] else 0 for nu in index] for mu in index]
    )
    backward = fmpq_mat(len(index), len(index))
    for i, mu in enumerate(index):
        moment = inverse_trace_moment(mu)
        for j, nu in enumerate(index):
            found = moment.get((0, negated(nu)), number(0))
            backward[i, j] = to_fmpq(found.at({"n": n, "p": p}))
    product = forward * backward
    sign = (-1) ** degree
    assert product == fmpq_mat(
        len(index), len(index), [sign * int(i == j) for i in range(len(index)) for j in range(len(index))]
    )


def test_first_and_second_inverse_moments_written_out() -> None:
    """Von Rosen's first moments, in d = n - p: W^-1, W^-2 and (tr W^-1) W^-1."""
    d = N - P
    first = inverse_matrix_moment(1)
    assert first[-1, ()].equals(over(number(1), d - number(1)))
    second = inverse_matrix_moment(2)
    bottom = (d, d - number(1), d - number(3))
    assert second[-2, ()].equals(over(d - number(1), *bottom))
    assert second[-1, (-1,)].equals(over(number(1), *bottom))
    product = inverse_matrix_moment(1, (1,))
    assert product[-2, ()].equals(over(number(2), *bottom))
    assert product[-1, (-1,)].equals(over(d - number(2), *bottom))
    assert len(first) == 1
    assert len(second) == len(product) == 2


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_two_columns_obey_cayley_hamilton(degree: int) -> None:
    """V^2 - V tr V + det V = 0 for V = W^-1 and p = 2, multiplied by any product of powers of V."""
    n, sigma = 23, [[2, 1], [1, 3]]

    def at(power: int, *traces: int) -> fmpq_mat:
        rows = value(matrix(inverse_matrix_moment(power, traces)), n, sigma)
        return fmpq_mat([[to_fmpq(x) for x in row] for row in rows])

    for e in range(degree - 1):
        for mu in partitions(e):
            k = degree - 2 - e
            total = (at(k + 2, *mu) - at(k + 1, 1, *mu)) * 2 + at(k, 1, 1, *mu) - at(k, 2, *mu)
            assert total == fmpq_mat(2, 2)


@pytest.mark.parametrize("degree", range(1, 6))
def test_trace_of_the_matrix_moment(degree: int) -> None:
    for mu in partitions(degree):
        assert matrix(inverse_matrix_moment(mu[0], mu[1:])).trace().equals(scalar(inverse_trace_moment(mu)))


def test_only_the_difference_of_the_dimensions_matters() -> None:
    for coefficient in inverse_trace_moment((1, 3)).values():
        assert len({coefficient.at({"n": p + 20, "p": p}) for p in (1, 5, 9)}) == 1


def test_degree_zero_is_one() -> None:
    assert inverse_trace_moment(())[0, ()].equals(number(1))
    assert value(matrix(inverse_matrix_moment(0)), 1, [[2, 0], [0, 3]]) == [[1, 0], [0, 1]]


@pytest.mark.parametrize("power", [-1, 1.0, True])
def test_bad_powers_are_refused(power: Any) -> None:
    with pytest.raises(ValueError, match="is no power here"):
        inverse_matrix_moment(power)


def test_bad_parts_and_degrees_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        inverse_trace_moment((-1,))
    with pytest.raises(ValueError, match="at most 12"):
        inverse_trace_moment((7, 6))
    with pytest.raises(ValueError, match="at most 12"):
        inverse_matrix_moment(13)
