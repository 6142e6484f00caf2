"""Matrix polynomials in Sigma: values, traces, SymPy and LaTeX."""

from fractions import Fraction

import pytest
import sympy
from flint import fmpz_poly

from symbolic.algebra.quotients import Rational
from symbolic.wishart.covariance_polynomial import CovariancePolynomial
from symbolic.wishart.general import matrix_moment_general, trace_moment_general
from symbolic.wishart.mixed import mixed_moment
from symbolic.wishart.wishart_inverse import inverse_matrix_moment

SIGMA = [[2, 1], [1, 3]]
N, P = sympy.symbols("n p")


def test_value_from_the_definition() -> None:
    """3 n Sigma^2 + n^2 tr(Sigma) Sigma - I at n = 2."""
    value = CovariancePolynomial(
        {(2, ()): fmpz_poly([0, 3]), (1, (1,)): fmpz_poly([0, 0, 1]), (0, ()): fmpz_poly([-1])},
        is_matrix=True,
    )
    assert value.at(2, SIGMA) == [[6 * 5 + 20 * 2 - 1, 6 * 5 + 20], [6 * 5 + 20, 6 * 10 + 20 * 3 - 1]]
    assert value.at(2, 2) == [[6 + 8 - 1, 0], [0, 13]]


def test_scalar_value() -> None:
    assert trace_moment_general((1, 1)).at(5, SIGMA) == 25 * 25 + 10 * 15
    assert isinstance(trace_moment_general((1,)).at(5, [[1.0]]), float)


def test_trace_of_the_identity_is_p() -> None:
    one = CovariancePolynomial({(0, ()): fmpz_poly([1])}, is_matrix=True)
    assert one.trace().coefficient(0).equals(Rational.generator("p"))


def test_absent_terms_are_zero() -> None:
    assert matrix_moment_general(2).coefficient(0).is_zero()


def test_equality_compares_every_term() -> None:
    left, right = matrix_moment_general(2), matrix_moment_general(1, (1,))
    assert left.equals(matrix_moment_general(2))
    assert not left.equals(right)
    assert not CovariancePolynomial(left.terms, is_matrix=False).equals(left)
    assert not CovariancePolynomial({}, is_matrix=True).equals(left)


def test_sympy_scalar_with_chosen_power_sums() -> None:
    s = sympy.IndexedBase("s")
    found = trace_moment_general((2,)).to_sympy(power_sum=lambda k: s[k])
    assert sympy.expand(found - (N**2 * s[2] + N * s[2] + N * s[1] ** 2)) == 0


@pytest.mark.parametrize(
    "value", [matrix_moment_general(2, (1,)), inverse_matrix_moment(2), mixed_moment(1, (-1,))]
)
def test_sympy_matrix_has_the_same_value(value: CovariancePolynomial) -> None:
    sigma = sympy.MatrixSymbol("Sigma", 2, 2)
    expression = value.to_sympy({"p": sympy.Integer(2)})
    found = expression.subs({N: 11, sigma: sympy.Matrix(SIGMA)}).doit().as_explicit()
    assert found.tolist() == [[sympy.Rational(str(x)) for x in row] for row in value.at(11, SIGMA)]


def test_sympy_zero_matrix() -> None:
    assert CovariancePolynomial({}, is_matrix=True).to_sympy() == sympy.ZeroMatrix(P, P)
    assert CovariancePolynomial({}, is_matrix=False).to_sympy() == 0
    assert CovariancePolynomial({}, is_matrix=True).at(1, SIGMA) == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (matrix_moment_general(1), r"n \, \Sigma"),
        (matrix_moment_general(2), r"n (n + 1) \, \Sigma^{2} + n \, \operatorname{tr}(\Sigma) \, \Sigma"),
        (
            trace_moment_general((1, 1)),
            r"2 n \, \operatorname{tr}(\Sigma^{2}) + n^{2} \, \operatorname{tr}(\Sigma)^{2}",
        ),
        (inverse_matrix_moment(1), r"\frac{1}{n - p - 1} \, \Sigma^{-1}"),
        (
            mixed_moment(1, (-1,)),
            r"\frac{n}{n - p - 1} \, \operatorname{tr}(\Sigma^{-1}) \, \Sigma - \frac{2}{n - p - 1} \, I",
        ),
        (CovariancePolynomial({(0, ()): fmpz_poly([-1])}, is_matrix=False), "-1"),
        (CovariancePolynomial({}, is_matrix=False), "0"),
    ],
)
def test_latex(value: CovariancePolynomial, text: str) -> None:
    assert value.latex() == text


def test_a_scalar_has_no_trace() -> None:
    with pytest.raises(ValueError, match="has no trace"):
        trace_moment_general((1,)).trace()


def test_a_pole_is_refused() -> None:
    with pytest.raises(ValueError, match="pole at n = 3, p = 2"):
        inverse_matrix_moment(1).at(3, SIGMA)


def test_fractions_stay_exact() -> None:
    assert matrix_moment_general(1).at(3, [[Fraction(1, 7)]]) == [[Fraction(3, 7)]]
