"""Exact values of derived formulas: at exact numbers, and at matrices through exact traces.

A formula without a square root is a quotient of polynomials, in scalars and in traces of matrix words. With
every number an exact fraction (also every entry of a matrix of doubles) its value is one, without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from operator import matmul

import numpy as np
import sympy
from flint import fmpq, fmpq_mat, fmpq_mpoly, fmpq_poly

from derivations.formulas.parameters import InvalidParameter, Matrix
from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import scalar
from numeric_check.problem.setting import symmetric_root
from symbolic.algebra.coefficients import named_terms, to_fmpq
from symbolic.algebra.entry_laws import law
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.quotients import Rational
from symbolic.algebra.words import Expression, gaussian, matrix, tr
from symbolic.averages.expectation import expect
from symbolic.averages.network_polynomial import NetworkPolynomial
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.over_laws import average

TRACE = "tr("


@lru_cache(maxsize=64)
def quotient(expr: sympy.Expr) -> Rational:
    """The formula as a quotient of polynomials; raises NotRational when it cannot be read exactly."""
    return scalar(expr).reduced()


def parameters(value: Rational) -> tuple[set[str], set[str]]:
    """The scalars on which a quotient depends, and the matrices in its traces, by name."""
    names = value.names()
    words = [_word(name) for name in names if name.startswith(TRACE)]
    return {n for n in names if not n.startswith(TRACE)}, {letter for word in words for letter, _ in word}


def _word(trace: str) -> list[tuple[str, bool]]:
    """The letters of a trace's name, each with whether it is transposed."""
    letters = trace.removeprefix(TRACE).removesuffix(")").split()
    return [(letter.removesuffix("^T"), letter.endswith("^T")) for letter in letters]


def trace_at(name: str, matrices: Mapping[str, fmpq_mat]) -> Fraction:
    """The trace of this name at exact matrices."""
    word = _word(name)
    letters = [matrix(letter, "p", "p") for letter, _ in word]
    factors = [x.T if transposed else x for x, (_, transposed) in zip(letters, word, strict=True)]
    value: Fraction = evaluate(tr(reduce(matmul, factors)), {letter: matrices[letter] for letter, _ in word})
    return value


def exact_matrix(value: Matrix) -> fmpq_mat:
    """A matrix of doubles as one of fractions, without rounding."""
    rows, columns = value.shape
    return fmpq_mat(rows, columns, [fmpq(*float(x).as_integer_ratio()) for x in value.ravel()])


def fourth_moment(covariance: Matrix, inputs: str) -> Matrix | Expression:
    """F = E (x^T Sigma x) x x^T (111) for x = Sigma^(1/2) u, u with independent entries of the law `inputs`.

    By the engine: for Gaussian inputs an expression in Sigma, otherwise a matrix, because sums over indices of
    the root Sigma^(1/2) remain.
    """
    if inputs == "gaussian":
        return expect(_fourth_moment_of_a_row())
    size = len(covariance)
    values = {"p": size, "Sigma": covariance, "Sigma^(1/2)": symmetric_root(covariance)}
    return np.asarray(evaluate_networks(_fourth_moment_under(inputs), values))


def _fourth_moment_of_a_row() -> Expression:
    x = gaussian("x_any", "1", "p", covariance="Sigma").T
    return tr(x.T @ model.SIGMA @ x) * (x @ x.T)


@lru_cache(maxsize=64)
def _fourth_moment_under(inputs: str) -> NetworkPolynomial:
    return average(_fourth_moment_of_a_row(), law(inputs))


def trace_values(
    value: Rational, given: Mapping[str, Matrix], assumptions: Assumptions
) -> dict[str, Fraction]:
    """The traces of a quotient, exact for the given matrices; F follows from Sigma when it is not given."""
    traces = sorted(name for name in value.names() if name.startswith(TRACE))
    if not traces:
        return {}
    _, needed = parameters(value)
    matrices = {name: exact_matrix(array) for name, array in given.items()}
    if "F" in needed and "F" not in given:
        found = fourth_moment(given["Sigma"], assumptions.inputs)
        matrices["F"] = (
            evaluate(found, {"Sigma": matrices["Sigma"]})
            if isinstance(found, Expression)
            else exact_matrix(found)
        )
    return {name: trace_at(name, matrices) for name in traces}


def value_at(value: Rational, numbers: Mapping[str, Fraction]) -> Fraction:
    """The exact value of a quotient; raises InvalidParameter at a pole."""
    missing = sorted(value.names() - numbers.keys())
    if missing:
        raise InvalidParameter(f"the formula needs {missing[0]}: add {missing[0]}=VALUE")
    try:
        return value.at(numbers)
    except ZeroDivisionError:
        raise InvalidParameter("the formula has a pole at these values") from None


def along(value: Rational, variable: str, numbers: Mapping[str, Fraction]) -> tuple[fmpq_poly, fmpq_poly]:
    """Numerator and denominator as polynomials in one variable, the others at exact numbers."""
    flint = {name: to_fmpq(q) for name, q in numbers.items()}
    return line(value.numerator, variable, flint), line(value.denominator, variable, flint)


def line(poly: fmpq_mpoly, variable: str, numbers: Mapping[str, fmpq]) -> fmpq_poly:
    """A polynomial in one variable, everything else at its number."""
    coefficients: dict[int, fmpq] = {}
    for exponents, coefficient in named_terms(poly):
        power, term = 0, coefficient
        for name, exponent in exponents.items():
            if name == variable:
                power = exponent
            else:
                term *= numbers[name] ** exponent
        coefficients[power] = coefficients.get(power, fmpq(0)) + term
    return fmpq_poly([coefficients.get(k, fmpq(0)) for k in range(max(coefficients, default=0) + 1)])
