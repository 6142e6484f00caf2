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

from dataclasses import replace

import sympy

from derivations import model
from derivations.assumptions import Assumptions, NotDerivable
from derivations.symbols import dist0_sq, m, n_t, nu, p, sigma
from symbolic.stationary import polynomial_to_sympy
from symbolic.wishart_moment import moment
from symbolic.words import Expression, identity, scalar


def mean_trace_of_inverse(dimension: sympy.Expr, freedom: sympy.Expr) -> sympy.Expr:
    """E Tr W^-1 for a Wishart matrix of that dimension and degrees of freedom, from the engine."""
    value = moment(0, (-1,), "identity").value.terms[0, ()]
    # the engine's n are degrees of freedom, its p the dimension; both replaced at once
    freedom_symbol, dimension_symbol = sympy.Dummy("freedom"), sympy.Dummy("dimension")
    expr = polynomial_to_sympy(value, {"n": freedom_symbol, "p": dimension_symbol})
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


def require_shared_factor(assumptions: Assumptions) -> None:
    """Checks in the algebra of words that reused data make the outer problem one of plain rows.

    Every task's block is C (X w + z) against C X with one C = (I - alpha_t X X^T / n_t)^K, which has an inverse for
    almost all X: the solutions of B omega = gamma, and so the outer optimum, do not depend on the training rate. They
    are those of separate data at alpha_t = 0, with n_t rows in each task. Raises ArithmeticError otherwise.
    """
    task = model.task(assumptions)
    mixer = row_mixer(assumptions)
    plain_target = task.x_t @ task.deviation + task.z_t
    if task.design != mixer @ task.x_t or task.target_deviation != mixer @ plain_target:
        raise ArithmeticError("the blocks of reused data do not share an invertible factor")


def plain_rows(assumptions: Assumptions) -> Assumptions:
    """The assumptions under which separate data at alpha_t = 0 give the outer optimum of reused data."""
    require_shared_factor(assumptions)
    return replace(assumptions, split="separate", inner_steps=1)


def reused_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 for reused Gaussian data (n_v = n_t, same noise), exactly, with N = n_t m."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable("exact means of the reused data are known for Gaussian inputs only")
    require_shared_factor(assumptions)
    return exact_excess(n_t * m, n_t, sigma**2)


def row_mixer(assumptions: Assumptions) -> Expression:
    """C = (I - alpha_t/n_t X X^T)^K, the factor that the inner loop puts before the rows of reused data."""
    if assumptions.added:
        raise NotDerivable("with reused data the inner loop makes plain gradient steps")
    x = model.task(assumptions).x_t
    one_step = identity("n_t") - scalar("alpha_t") * scalar("1/n_t") * (x @ x.T)
    return one_step**assumptions.inner_steps
