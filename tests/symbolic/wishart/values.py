"""Values of moments at numbers, as `derive moment` takes them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpz_poly

from symbolic.algebra.quotients import Rational
from symbolic.query.value import evaluate, read_matrices
from symbolic.wishart.marked_basis import Marked
from symbolic.wishart.trace_polynomial import TracePolynomial
from symbolic.wishart.wishart_moment import in_sigma

Powers = Mapping[Marked, fmpz_poly | Rational]


def matrix(vector: Powers) -> TracePolynomial:
    """The result of an engine for a matrix."""
    return in_sigma(vector, is_matrix=True)


def scalar(vector: Powers) -> TracePolynomial:
    """The result of an engine for a scalar."""
    return in_sigma(vector, is_matrix=False)


def value(moment: TracePolynomial, n: int, sigma: Sequence[Sequence[Any]]) -> Any:
    """The value for n rows and an exact covariance: a Fraction, or rows of them."""
    matrices = read_matrices({"Sigma": [list(row) for row in sigma]}, len(sigma))
    shown: Any = evaluate(moment.at({"n": n, "p": len(sigma)}), matrices)
    return [[Fraction(x) for x in row] for row in shown] if moment.is_matrix else Fraction(shown)
