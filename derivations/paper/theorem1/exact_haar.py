"""Exact means of the outer solution when the validation rows of all tasks are plain Gaussian rows.

Stack N rows, n of them per task, into a matrix X (N x p, p > N + 1). With G = X X^T the two means that the squared
deviation needs are

  E Tr G^-1, an inverse Wishart moment of N dimensions with p degrees of freedom; and
  E Tr[(G^-1)_ii X_i X_i^T] for one task. By the Schur complement (G^-1)_ii is the inverse of X_i Q X_i^T, with Q
  the projection orthogonal to the rows of the other tasks. X_i Q X_i^T is Wishart with q = p - (N - n) degrees of
  freedom, and X_i X_i^T - X_i Q X_i^T is independent of it with mean (N - n) I, the rank of I - Q.

Both inverse moments come from the engine; the row space of X is uniformly distributed, so that the start keeps the
share 1 - N/p of its squared distance.
"""

from __future__ import annotations

import sympy

from derivations.language.symbols import dist0_sq, nu, p
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.wishart.wishart_moment import moment


def mean_trace_of_inverse(dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    """E Tr W^-1 for a Wishart matrix of that dimension and degrees of freedom, from the engine."""
    (value,) = moment(0, (-1,), "identity").terms.values()
    # the engine's n are degrees of freedom, its p the dimension; both replaced at once
    freedom_symbol, dimension_symbol = sympy.Dummy("freedom"), sympy.Dummy("dimension")
    expr = quotient_to_sympy(value, {"n": freedom_symbol, "p": dimension_symbol})
    return expr.subs({freedom_symbol: freedom, dimension_symbol: dimension}, simultaneous=True)


def noise_mean(rows: sympy.Expr) -> sympy.Expr:
    """E Tr G^-1 for N = rows."""
    return mean_trace_of_inverse(rows, p)


def task_mean(rows: sympy.Expr, per_task: sympy.Expr) -> sympy.Expr:
    """The sum over tasks of E Tr[(G^-1)_ii X_i X_i^T], for N = rows with per_task rows in each task."""
    others = rows - per_task
    own = per_task + others * mean_trace_of_inverse(per_task, p - others)
    return rows / per_task * own


def exact_excess(rows: sympy.Expr, per_task: sympy.Expr, noise_variance: sympy.Expr) -> sympy.Expr:
    """E|omega_star - w_0|^2, exactly, at every p > rows + 1."""
    return (
        noise_variance * noise_mean(rows) + nu**2 / p * task_mean(rows, per_task) + (1 - rows / p) * dist0_sq
    )
