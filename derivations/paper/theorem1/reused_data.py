"""Reused data, p > n_t m: the validation data are the training data again, and the inner loop no longer matters.

    -  reused-data-ignore-the-rate  omega_star does not depend on alpha_t

Every task's block of B and of gamma then carries the same invertible factor C before plain rows and plain labels, so
that the outer problem has the solutions of C X omega = C (X w + z), which are those of X omega = X w + z.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from sympy import Identity, MatrixSymbol, ZeroMatrix

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.language.symbols import alpha_t, column, n_t, p
from derivations.paper.outer_problem import target_covariance, with_one_noise
from derivations.steps.chain import Chain, Rule, Tasks
from derivations.steps.draws import Array, fixed_column
from derivations.steps.held import Held
from derivations.steps.rules import haar, solutions
from derivations.steps.rules.rotations import rewritten
from derivations.steps.step import Kind, Observed, Parts, Step
from derivations.steps.task_draws import adapted_from, gradient_step, nearest_solution
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, identity, matrix, reciprocal, scalar, tr, vector
from symbolic.averages.expectation import expect

DESIGN, TARGET, CHANGE = "B^{(i)}", r"\gamma^{(i)}", r"\omega^\star(\alpha_t)-\omega^\star(0)"
SIZES = (
    {"n_t": 3, "p": 5, "N": 3, "sigma": 0.7, "alpha_t": 0.4},
    {"n_t": 4, "p": 9, "N": 8, "sigma": 1.2, "alpha_t": -0.7},
    {"n_t": 2, "p": 7, "N": 6, "sigma": 0.4, "alpha_t": 0.25},
)


# -- the engine ---------------------------------------------------------------------------------------------


PLAIN_INVERSE = "XXT_inverse"


def row_factor(assumptions: Assumptions, label: str = "") -> Expression:
    """C, n_t x n_t: what the inner loop does to residuals at its own inputs, (I - alpha_t/n_t X X^T)^K for plain steps.

    The same loop run on rows: a step along -X^T r / n_t changes the residual r by a multiple of X X^T r / n_t.
    """
    x = model.task(assumptions, label).x_t
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


def plain_tasks(assumptions: Assumptions) -> Tasks:
    """Plain rows and the covariance of plain labels, that reused data amount to."""

    def rows(label: str) -> Expression:
        return model.task(assumptions, label).x_t

    def covariance(label: str) -> Expression:
        task = model.task(assumptions, label)
        labels = task.x_t @ task.deviation + task.z_t
        over = {name for name in labels.letters() if name[0] in "wz"}
        return model.specialise(expect(labels @ labels.T, over), assumptions)

    return Tasks({haar.PLAIN: rows, haar.COVARIANCE: covariance, haar.OWN_PLAIN: _own(rows)}, rows="n_t")


def _own(rows: Callable[[str], Expression]) -> Callable[[str], Expression]:
    return lambda label: rows(label) @ rows(label).T


def without_factor(assumptions: Assumptions) -> Chain:
    """(74) for reused data, in the plain rows X and the covariance K_X of plain labels."""
    b, gap, inverse = letter("B"), vector("d", "p"), letter("inverse of B*B.T")
    chain = Chain(tr(inverse @ letter("Gamma")) - gap.T @ b.T @ inverse @ b @ gap + gap.T @ gap)
    return cancel_factor(chain, assumptions, target_covariance, plain_tasks(assumptions))


def cancel_factor(
    chain: Chain,
    assumptions: Assumptions,
    covariance: Callable[[Assumptions, str, str], Expression],
    plain: Tasks,
) -> Chain:
    """Plain rows and labels in place of those with the factor C. covariance: the blocks of Gamma, with the factor."""
    require_shared_factor(assumptions)
    made_of = Tasks(
        {
            haar.DESIGN: lambda label: model.task(assumptions, label).design,
            "Gamma": lambda label: covariance(assumptions, label, label),
        },
        rows="n_t",
    )

    def factor(label: str) -> Expression:
        return row_factor(assumptions, label)

    return haar.cancel(chain, "BBT_inverse", PLAIN_INVERSE, factor, made_of, plain)


def exactly(assumptions: Assumptions) -> Chain:
    """E|omega_star - w_0|^2 for reused Gaussian data, exactly, at every p > n_t m + 1."""
    return _averaged(without_factor(assumptions), plain_tasks(assumptions), scalar("sigma"))


def at_rate_zero(assumptions: Assumptions) -> Chain:
    """The same for separate Gaussian data at alpha_t = 0, at every p > n_v m + 1."""

    def rows(label: str) -> Expression:
        return model.task(assumptions, label).x_v

    def covariance(label: str) -> Expression:
        return target_covariance(assumptions, label, label).replace({"alpha_t": 0})

    made_of = Tasks({haar.PLAIN: rows, haar.COVARIANCE: covariance, haar.OWN_PLAIN: _own(rows)})
    x, gap = matrix(haar.PLAIN, "N", "p"), vector("d", "p")
    inverse, noise = (matrix(name, "N", "N", symmetric=True) for name in (PLAIN_INVERSE, haar.COVARIANCE))
    chain = Chain(tr(inverse @ noise) - gap.T @ x.T @ inverse @ x @ gap + gap.T @ gap)
    return _averaged(chain, made_of, noise_level(assumptions))


def noise_level(assumptions: Assumptions) -> Expression:
    """The standard deviation of the label noise in separate validation data."""
    ((name, _),) = ((x, None) for x in model.task(assumptions).z_v.scalars())
    return scalar(name)


def _averaged(chain: Chain, made_of: Tasks, noise: Expression) -> Chain:
    """(74) in plain Gaussian rows, averaged exactly."""
    gap, own = vector("d", "p"), matrix(haar.OWN_PLAIN, "N", "N", symmetric=True)
    haar.project(chain, PLAIN_INVERSE, made_of, design=haar.PLAIN)
    parts = noise**2 * identity("N") + scalar("nu") ** 2 * reciprocal("p") * own
    chain.split_blocks(haar.COVARIANCE, parts, made_of, "target-covariance")
    haar.average_plain_rows(chain, PLAIN_INVERSE, made_of)
    return chain.expand({"N": made_of.total}).name(gap.T @ gap, "dist0_sq")


C, C_INVERSE = (matrix(name, "N", "N", symmetric=True) for name in ("C", "C_inverse"))
GRAM_INVERSE = matrix("XXT_inverse", "N", "N", symmetric=True)
ROWS, LABELS, START = matrix("X", "N", "p"), vector("y", "N"), vector("omega_0", "p")
Word: TypeAlias = tuple[tuple[str, bool], ...]
CANCELS: Mapping[Word, Expression] = {
    (("C_inverse", False), ("C", False)): identity("N"),
    (("C", False), ("C_inverse", False)): identity("N"),
}
BBT_INVERSE: Word = (("BBT_inverse", False),)


def _solution_chain(chain: Chain, factor: bool) -> Expression:
    """(69) with C X and C y for B and gamma, C cancelled; or with the plain rows and labels themselves."""
    chain.begin(letter("omega_star"))
    solutions.nearest(chain, "omega_star", "BBT_inverse", START, "outer-solution")
    gram = {"XXT_inverse": ROWS @ ROWS.T}
    if not factor:
        chain.define({"B": ROWS, "gamma": LABELS})
        inverses = {**gram, "BBT_inverse": ROWS @ ROWS.T}
        return rewritten(chain, Rule.CANCEL_INVERSE, {BBT_INVERSE: GRAM_INVERSE}, inverses=inverses).result
    chain.define({"B": C @ ROWS, "gamma": C @ LABELS})
    inverses = {**gram, "C_inverse": C, "BBT_inverse": C @ ROWS @ ROWS.T @ C}
    inside: Mapping[Word, Expression] = {BBT_INVERSE: C_INVERSE @ GRAM_INVERSE @ C_INVERSE}
    rewritten(chain, Rule.CANCEL_INVERSE, inside, inverses=inverses)
    return rewritten(chain, Rule.CANCEL_INVERSE, CANCELS, inverses=inverses).result


def _chain(assumptions: Assumptions) -> Chain:
    """Every task's block of B and of gamma has the factor C, which drops out of the outer optimum."""
    reused = replace(assumptions, split="reused", noise_val=None)
    require_shared_factor(reused)
    task = model.task(reused)
    chain = Chain(matrix("B_1", "n_t", "p")).insert({"B_1": task.design}, "stacked-design").shows(DESIGN)
    labels = vector("y", "n_t")
    chain.begin(labels - task.x_t @ task.noise_path @ labels)
    labels_t = task.x_t @ vector("w", "p") + task.z_t
    chain.insert({"y": labels_t}, "train-labels", held=Held(assumptions, read=with_one_noise)).shows(TARGET)
    found = {
        name: _solution_chain(chain, factor)
        for name, factor in (("omega_alpha", True), ("omega_zero", False))
    }
    chain.begin(vector("omega_alpha", "p") - vector("omega_zero", "p"))
    return chain.insert(found).shows(CHANGE)


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
        Kind.CLAIM,
        "With more parameters than data and the training data reused for validation, the outer optimum does not "
        "depend on the training rate.",
        "change_data",
        uses=("stacked-design", "stacked-target", "outer-solution"),
        depends_on=("inner_steps",),
        claim=_claim,
        derivation=_chain,
        observe=_observe,
        sizes=SIZES,
        resolution={DESIGN: 1e-9, TARGET: 1e-9, CHANGE: 1e-8},
        method="expansion of the model in matrix words, and the solution (69) with a factor C before the rows, move by move",
        remark="Beyond the paper. It holds for inputs of any law and covariance wherever C = I - alpha_t X X^T / n_t has "
        "an inverse: for given inputs, at all but at most n_t training rates.",
    ),
)
