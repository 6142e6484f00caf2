"""Mean traces of an inverse Wishart matrix: of the Gram matrix of plain Gaussian rows."""

from __future__ import annotations

import sympy

from derivations.language.symbols import p
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.wishart.wishart_moment import moment


def mean_trace_of_inverse(dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    """E Tr W^-1 for a Wishart matrix of that dimension and degrees of freedom, from the engine."""
    return _of_inverse((-1,), dimension, freedom)


def mean_squared_trace_of_inverse(dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    """E (Tr W^-1)^2."""
    return _of_inverse((-1, -1), dimension, freedom)


def mean_traces_of_both(dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    """E Tr W Tr W^-1."""
    return _of_inverse((1, -1), dimension, freedom)


def _of_inverse(powers: tuple[int, ...], dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    (value,) = moment(0, powers, "identity").terms.values()
    # the engine's n are degrees of freedom, its p the dimension; both replaced at once
    freedom_symbol, dimension_symbol = sympy.Dummy("freedom"), sympy.Dummy("dimension")
    expr = quotient_to_sympy(value, {"n": freedom_symbol, "p": dimension_symbol})
    return expr.subs({freedom_symbol: freedom, dimension_symbol: dimension}, simultaneous=True)


def noise_mean(rows: sympy.Expr) -> sympy.Expr:
    """E Tr G^-1 for N = rows."""
    return mean_trace_of_inverse(rows, p)
