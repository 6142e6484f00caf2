"""The operator L: derivative in Sigma, self-adjointness, eigenvalues."""

from collections import Counter
from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat

from symbolic.wishart import marked_basis
from symbolic.wishart.marked_basis import basis, contents, images, scalar_count, traced
from symbolic.wishart.partitions import partitions

SIGMA = fmpq_mat([[2, 1, 0], [1, 3, -1], [0, -1, 5]])
SIZE = 3


def power(matrix: fmpq_mat, k: int) -> fmpq_mat:
    result = fmpq_mat(SIZE, SIZE, [int(i == j) for i in range(SIZE) for j in range(SIZE)])
    for _ in range(k):
        result = result * matrix
    return result


def value(matrix: fmpq_mat, j: int, nu: tuple[int, ...]) -> fmpq_mat:
    result = power(matrix, j)
    for part in nu:
        trace = power(matrix, part)
        result = result * (trace[0, 0] + trace[1, 1] + trace[2, 2])
    return result


def derivative(direction: fmpq_mat, j: int, nu: tuple[int, ...]) -> fmpq_mat:
    """The exact derivative of Sigma^j s_nu, from its values along the line by interpolation."""
    degree = j + sum(nu)
    points = range(degree + 1)
    total = fmpq_mat(SIZE, SIZE)
    for t in points:
        coefficients = [Fraction(1)]
        for u in points:
            if u != t:
                scale = Fraction(1, t - u)
                shifted = [Fraction(0), *coefficients]
                coefficients = [
                    scale * (a - u * b) for a, b in zip(shifted, [*coefficients, Fraction(0)], strict=True)
                ]
        slope = coefficients[1]
        total += value(SIGMA + direction * t, j, nu) * fmpq(slope.numerator, slope.denominator)
    return total


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_images_are_the_derivative_in_sigma(degree: int) -> None:
    """sum_c 2 [Sigma (dG_cb/dSigma) Sigma]_{ac} = [Sigma L G]_{ab}, derivatives taken entry by entry."""
    for j, nu in basis(degree):
        expected = fmpq_mat(SIZE, SIZE)
        for x in range(SIZE):
            for y in range(SIZE):
                symmetric = fmpq_mat(SIZE, SIZE)
                symmetric[x, y] += fmpq(1, 2)
                symmetric[y, x] += fmpq(1, 2)
                slope = derivative(symmetric, j, nu)
                for a in range(SIZE):
                    for b in range(SIZE):
                        for c in range(SIZE):
                            expected[a, b] += 2 * SIGMA[a, x] * slope[c, b] * SIGMA[y, c]
        found = fmpq_mat(SIZE, SIZE)
        for key, factor in images(j, nu).items():
            found += SIGMA * value(SIGMA, *key) * factor
        assert found == expected


@pytest.mark.parametrize("degree", range(8))
def test_operator_is_self_adjoint(degree: int) -> None:
    """For orthogonal Sigma^j s_nu of squared norm prod_l (2 l)^m_l m_l!, m_l the multiplicity of l in nu."""

    def norm(nu: tuple[int, ...]) -> int:
        result = 1
        for part, multiplicity in Counter(nu).items():
            for copy in range(1, multiplicity + 1):
                result *= 2 * part * copy
        return result

    for left in basis(degree):
        for right, factor in images(*left).items():
            assert factor * norm(right[1]) == images(*right)[left] * norm(left[1])


@pytest.mark.parametrize("degree", range(8))
def test_contents_are_the_eigenvalues(degree: int) -> None:
    elements = basis(degree)
    matrix = fmpq_mat(len(elements), len(elements))
    for column, element in enumerate(elements):
        for key, factor in images(*element).items():
            matrix[elements.index(key), column] = factor
    minimal = matrix.minpoly()
    assert minimal.degree() == len(contents(degree))
    assert all(minimal(root) == 0 for root in contents(degree))


@pytest.mark.parametrize("degree", range(9))
def test_basis_starts_with_the_scalars(degree: int) -> None:
    elements = basis(degree)
    assert [nu for j, nu in elements if j == 0] == list(partitions(degree))
    assert scalar_count(degree) == len(list(partitions(degree)))
    for (j, nu), position in zip(elements[scalar_count(degree) :], traced(degree), strict=True):
        assert elements[position] == (0, tuple(sorted((*nu, j))))


def test_tables_are_rebuilt_after_clearing() -> None:
    before = marked_basis.raised(3)
    marked_basis.clear_cache()
    assert marked_basis.raised(3) == before
