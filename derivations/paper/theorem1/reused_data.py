"""Reused data, p > n_t m: the validation data are the training data again, and the inner loop no longer matters.

    -  reused-data-ignore-the-rate  omega_star does not depend on alpha_t

Every task's block of B and of gamma then carries the same invertible factor C before plain rows and plain labels, so
that the outer problem has the solutions of C X omega = C (X w + z), which are those of X omega = X w + z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.symbols import alpha_t, column, m, n_t, p, sigma
from derivations.paper.theorem1.exact_haar import exact_excess
from derivations.steps.draws import Array, fixed_column
from derivations.steps.step import Derived, Observed, Parts, Step
from derivations.steps.task_draws import adapted_from, gradient_step, nearest_solution
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, identity, matrix, vector

DESIGN, TARGET, CHANGE = "B^{(i)}", r"\gamma^{(i)}", r"\omega^\star(\alpha_t)-\omega^\star(0)"
SIZES = (
    {"n_t": 3, "p": 5, "sigma": 0.7, "alpha_t": 0.4},
    {"n_t": 4, "p": 9, "sigma": 1.2, "alpha_t": -0.7},
    {"n_t": 2, "p": 7, "sigma": 0.4, "alpha_t": 0.25},
)


# -- the engine ---------------------------------------------------------------------------------------------


def row_factor(assumptions: Assumptions) -> Expression:
    """C, n_t x n_t: what the inner loop does to residuals at its own inputs, (I - alpha_t/n_t X X^T)^K for plain steps.

    The same loop run on rows: a step along -X^T r / n_t changes the residual r by a multiple of X X^T r / n_t.
    """
    x = model.task(assumptions).x_t
    return model.training_loop(identity("n_t"), x.T, 0 * x.T, assumptions)


def require_shared_factor(assumptions: Assumptions) -> None:
    """Checks in the algebra of words that the blocks are C X and C (X w + z).

    C has an inverse unless alpha_t meets one of finitely many values for given X, so for almost all rates. Raises
    NotDerivable for an inner loop that does anything else to the data.
    """
    task = model.task(assumptions)
    factor = row_factor(assumptions)
    plain = task.x_t @ task.deviation + task.z_t
    if task.design != factor @ task.x_t or task.target_deviation != factor @ plain:
        raise NotDerivable("with reused data the inner loop must take steps along the gradient")


def plain_rows(assumptions: Assumptions) -> Assumptions:
    """The assumptions under which separate data at alpha_t = 0, with n_v = n_t, give the outer optimum of reused data."""
    require_shared_factor(assumptions)
    return replace(assumptions, split="separate", inner_steps=1, added=())


def reused_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 for reused Gaussian data (n_v = n_t, same noise), exactly, with N = n_t m."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable("exact means of the reused data are known for Gaussian inputs only")
    require_shared_factor(assumptions)
    return exact_excess(n_t * m, n_t, sigma**2)


C, C_INVERSE = (matrix(name, "N", "N", symmetric=True) for name in ("C", "C_inverse"))
GRAM_INVERSE = matrix("XXT_inverse", "N", "N", symmetric=True)
ROWS, LABELS, START = matrix("X", "N", "p"), vector("y", "N"), vector("omega_0", "p")
RULES: Mapping[tuple[tuple[str, bool], ...], Expression] = {
    (("C", False), ("C_inverse", False)): identity("N"),
    (("C_inverse", False), ("C", False)): identity("N"),
    (("X", False), ("X", True), ("XXT_inverse", False)): identity("N"),
    (("XXT_inverse", False), ("X", False), ("X", True)): identity("N"),
}


def solution(factor: Expression, inverse: Expression) -> Expression:
    """The point nearest to the start among all with factor X omega = factor y, checked to be one of them.

    It moves from the start by a combination of the rows of factor X, with multipliers from the inverse of
    factor X X^T factor.
    """
    design, target = factor @ ROWS, factor @ LABELS
    multiplier = inverse @ GRAM_INVERSE @ inverse @ (target - design @ START)
    found = START + design.T @ multiplier
    if not (design @ found - target).rewrite(RULES).is_zero:
        raise ArithmeticError("the equations of the outer problem are not met")
    return found


def _derive(assumptions: Assumptions) -> Derived:
    reused = replace(assumptions, split="reused", noise_val=None)
    require_shared_factor(reused)
    task = model.task(reused)
    labels = task.x_t @ vector("w", "p") + task.z_t
    change = solution(C, C_INVERSE) - solution(identity("N"), identity("N"))
    return {
        DESIGN: task.design,
        TARGET: labels - task.x_t @ task.noise_path @ labels,
        CHANGE: change.rewrite(RULES),
    }


# -- what is claimed ----------------------------------------------------------------------------------------


def _claim() -> Parts:
    x, w, z = MatrixSymbol("X_t", n_t, p), column("w", p), column("z_t", n_t)
    factor = Identity(n_t) - alpha_t / n_t * x * x.T
    return {DESIGN: factor * x, TARGET: factor * (x * w + z), CHANGE: ZeroMatrix(p, 1)}


# -- what sampling sees -------------------------------------------------------------------------------------


def _blocks(sample: Sample, rate: float) -> tuple[Array, Array]:
    """B and gamma of one task whose validation data are its training data, by running the inner step."""
    x = sample.matrix("X_t", "n_t", "p")
    y = x @ fixed_column(sample, "w", "p") + fixed_column(sample, "z_t", "n_t")
    design = x @ adapted_from(np.eye(x.shape[1]), x, rate)
    return np.asarray(design), np.asarray(y - x @ gradient_step(np.zeros((x.shape[1], 1)), x, y, rate))


def _observe(sample: Sample) -> Observed:
    start = fixed_column(sample, "omega_0", "p")
    (design, target), plain = (_blocks(sample, rate) for rate in (sample["alpha_t"], 0.0))
    change = nearest_solution(design, target, start) - nearest_solution(*plain, start)
    return {DESIGN: design[None], TARGET: target[None], CHANGE: change[None]}


STEPS: tuple[Step, ...] = (
    Step(
        "reused-data-ignore-the-rate",
        (),
        "claim",
        "With more parameters than data and the training data reused for validation, the outer optimum does not "
        "depend on the training rate.",
        "variants",
        uses=("stacked-design", "stacked-target", "outer-solution"),
        depends_on=("inner_steps",),
        claim=_claim,
        derive=_derive,
        observe=_observe,
        sizes=SIZES,
        resolution={DESIGN: 1e-9, TARGET: 1e-9, CHANGE: 1e-8},
        method="expansion of the model in matrix words; Lagrange conditions with a factor C before the rows",
        remark="Beyond the paper. It holds for inputs of any law and covariance wherever C = I - alpha_t X X^T / n_t has "
        "an inverse: for given inputs, at all but at most n_t training rates.",
    ),
)
