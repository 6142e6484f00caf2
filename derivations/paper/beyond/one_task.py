"""One task in rotated coordinates: the words to which the exact loss above p = n_v m reduces, and their average.

X_v = L Q with L^2 = X_v X_v^T and an n_v x p frame Q; X_t = U Q + V Q_perp with Q_perp the rest of an orthogonal matrix.
For rotation-invariant rows L, U and V are independent, and U, V Gaussian for Gaussian inputs. Of B and Gamma remain
M = L^-1 B B^T L^-1 and K, the average over L of the label-noise part of L^-1 Gamma L^-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf, isfinite

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.symbols import n_v, p
from derivations.paper.beyond.one_task_integral import double_integral, gauss_product
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.exact_haar import mean_trace_of_inverse
from derivations.support.bad_input import BadInput
from derivations.verification.moves import batch_value
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.executor import Executor
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.simulation import run_until
from numeric_check.estimators.task_maps import triangular_factor
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, gaussian, identity, matrix, scalar, tr
from symbolic.averages.expectation import expect

Array = NDArray[np.float64]
Numbers = Mapping[str, float]
Word = tuple[tuple[str, bool], ...]
FRAME, REST = matrix("Q", "n_v", "p"), matrix("Q_perp", "q", "p")
ROOT, ROOT_INVERSE = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("L", "L_inverse"))
ALONG, ACROSS = gaussian("U", "n_t", "n_v"), gaussian("V", "n_t", "q")
OUTER = matrix("Z", "n_t", "n_t", symmetric=True)  # X_t X_t^T = U U^T + V V^T
SPLIT = ALONG @ ALONG.T + ACROSS @ ACROSS.T
# what a frame is, what inverses do, and what of X_t a frame sees
ORTHOGONAL: Mapping[Word, Expression] = {
    (("Q", False), ("Q", True)): identity("n_v"),
    (("X_t", False), ("X_t", True)): OUTER,
    (("X_t", False), ("Q", True)): ALONG,
    (("L", False), ("L_inverse", False)): identity("n_v"),
    (("L_inverse", False), ("L", False)): identity("n_v"),
}
MEAN_INVERSE = "mean_inverse"  # E (X_v X_v^T)^-1 is this times the identity
TO_MEAN: Mapping[Word, Expression] = {
    (("L_inverse", False), ("L_inverse", False)): scalar(MEAN_INVERSE) * identity("n_v")
}
PILOT, BATCH, WORK = 1024, 1024, 5e8
MOST_ROWS = 200
ENOUGH = 1e-7  # relative error below which a quadrature is preferred to sampling


def require_rotations(assumptions: Assumptions) -> None:
    """Raises NotDerivable unless inputs are unchanged by rotations and validation data are the task's own."""
    if assumptions.inputs != "gaussian" or assumptions.covariance != "identity":
        raise NotDerivable(
            "the reduction to one task needs inputs whose law no rotation changes: Gaussian, identity covariance"
        )
    if assumptions.split != "separate":
        raise NotDerivable(
            "with reused data the loss does not depend on the training rate: eq5 is exact there"
        )


def mean_of_inverse() -> sympy.Expr:
    """E (X_v X_v^T)^-1 as a multiple of the identity: an inverse Wishart moment."""
    return mean_trace_of_inverse(n_v, p) / n_v


@dataclass(frozen=True)
class OneTask:
    """E Tr M^-1 K over U and V is sought: gram is M, weight is K, both n_v x n_v words in U and Z = U U^T + V V^T."""

    gram: Expression
    weight: Expression

    @property
    def one_step(self) -> bool:
        """Whether V enters through U^T V V^T U alone, so that U may be replaced by a triangular factor of its size."""
        words = [term.word or () for expr in (self.gram, self.weight) for term in expr.terms]
        return max(sum(factor.name == "Z" for factor in word) for word in words) <= 1

    def split(self) -> OneTask:
        """The same in U and V."""
        return OneTask(
            *(
                expr.replace({"Z": SPLIT}) if "Z" in expr.letters() else expr
                for expr in (self.gram, self.weight)
            )
        )

    def values(self, u: Array, v: Array, numbers: Numbers) -> Array:
        """Tr M^-1 K for a batch of U and V."""
        gram, weight = self.batch(u, v, numbers)
        return np.asarray(np.trace(np.linalg.solve(gram, weight), axis1=1, axis2=2))

    def batch(self, u: Array, v: Array, numbers: Numbers) -> tuple[Array, Array]:
        """M and K for a batch of U and V."""
        z = u @ np.swapaxes(u, 1, 2) + v @ np.swapaxes(v, 1, 2)
        gram, weight = (batch_value(expr, {"U": u, "Z": z}, numbers) for expr in (self.gram, self.weight))
        shape = (len(u), *gram.shape[1:])
        return np.broadcast_to(gram, shape), np.broadcast_to(weight, shape)


@lru_cache(maxsize=32)
def one_task(assumptions: Assumptions) -> OneTask:
    """The words M and K under the assumptions; raises NotDerivable where there is no such reduction."""
    require_rotations(assumptions)
    design = model.task(assumptions).design
    noise = target_covariance(assumptions).replace({"nu": 0})
    gram, weight = (
        (ROOT_INVERSE @ block.replace(_in_frame(block)) @ ROOT_INVERSE).rewrite(ORTHOGONAL)
        for block in (design @ design.T, noise)
    )
    return OneTask(gram, weight.rewrite(TO_MEAN))


def _in_frame(expr: Expression) -> dict[str, Expression]:
    return {"X_v": ROOT @ FRAME} if "X_v" in expr.letters() else {}


def full_numbers(given: Numbers) -> dict[str, float]:
    """The numbers at which the words are evaluated: n_t, n_v, p, alpha_t, sigma, sigma_v and what follows from them."""
    rows, size = given["n_v"], given["p"]
    return {
        **given,
        "q": size - rows,
        MEAN_INVERSE: float(mean_of_inverse().subs({n_v: int(rows), p: int(size)})),
    }


def average(
    assumptions: Assumptions,
    given: Numbers,
    *,
    rel_error: float = 1e-5,
    seed: int = 0,
    max_draws: int = 400_000,
    sampled: bool = False,
    executor: Executor | None = None,
) -> Estimate:
    """E Tr M^-1 K with its error: by quadrature for one or two validation points (no draws), else by sampling U and V.

    given: n_t, n_v, p > n_v + 1, alpha_t, sigma, sigma_v. sampled: never by quadrature. Sampling subtracts multiples of traces
    whose means the engine knows; equal arguments give equal results.
    """
    task, numbers = one_task(assumptions), full_numbers(given)
    rows, points, across = int(numbers["n_v"]), int(numbers["n_t"]), int(numbers["q"])
    if not sampled and task.one_step and rows == 1:
        return double_integral(task, numbers)
    if not sampled and task.one_step and rows == 2 and min(points, across) > 1:
        found = gauss_product(task, numbers)
        if isfinite(found.mean) and found.resolved(ENOUGH):
            return found
    if rows > MOST_ROWS or points * (1 if task.one_step else points) > MOST_ROWS**2:
        raise BadInput(
            f"the exact loss is sampled for n_v up to {MOST_ROWS}, and fewer n_t with more inner steps"
        )
    text = f"one-task/{seed}/{assumptions.label()}/{sorted(given.items())}"
    fitted = _fit(task, numbers, text)
    return run_until(
        partial(_controlled, task=task, numbers=numbers, fitted=fitted),
        rel_error=rel_error,
        seed_text=text,
        max_draws=max(2 * BATCH, min(max_draws, int(WORK / max(rows, 1 if task.one_step else points) ** 3))),
        max_seconds=inf,
        executor=executor,
    )


def draw(generator: np.random.Generator, task: OneTask, numbers: Numbers, batch: int) -> tuple[Array, Array]:
    """U and V, or smaller matrices with the same law of M and K (Bartlett's decomposition)."""
    rows, points, across = (int(numbers[name]) for name in ("n_v", "n_t", "q"))
    if task.one_step and points > rows:
        u, points = triangular_factor(generator, points, rows, batch), rows
    else:
        u = generator.standard_normal((batch, points, rows))
    if across > points:
        return u, np.swapaxes(triangular_factor(generator, across, points, batch), 1, 2)
    return u, generator.standard_normal((batch, points, across))


@lru_cache(maxsize=32)
def _means(task: OneTask) -> tuple[Expression, ...]:
    """E Tr M and E Tr K; after one step also E Tr M^2 and E Tr M K."""
    m, k = (task.split() if task.one_step else task).gram, task.weight
    found = OneTask(m, k).split()
    traces = [tr(found.gram), tr(found.weight)]
    if task.one_step:
        traces += [tr(found.gram @ found.gram), tr(found.gram @ found.weight)]
    return tuple(map(expect, traces))


def _surplus(task: OneTask, u: Array, v: Array, numbers: Numbers) -> Array:
    """The traces minus their means, one row for each draw."""
    m, k = task.batch(u, v, numbers)
    pairs = [(m, None), (k, None), (m, m), (m, k)]
    columns = [
        np.trace(a, axis1=1, axis2=2) if b is None else np.einsum("bij,bji->b", a, b) for a, b in pairs
    ]
    means = [float(evaluate(mean, numbers)) for mean in _means(task)]
    return np.stack([c - mean for c, mean in zip(columns, means, strict=False)], axis=1)


def _fit(task: OneTask, numbers: Numbers, text: str) -> Array:
    """The multiples of the features that explain most, from draws that are not used otherwise."""
    u, v = draw(generator_for(f"{text}/fit"), task, numbers, PILOT)
    surplus = _surplus(task, u, v, numbers)
    scale = np.abs(surplus).max(axis=0) + np.finfo(np.float64).tiny
    design = np.column_stack([np.ones(PILOT), surplus / scale])
    return np.asarray(np.linalg.lstsq(design, task.values(u, v, numbers), rcond=1e-10)[0][1:] / scale)


def _controlled(generator: np.random.Generator, task: OneTask, numbers: Numbers, fitted: Array) -> Array:
    u, v = draw(generator, task, numbers, BATCH)
    return np.asarray(task.values(u, v, numbers) - _surplus(task, u, v, numbers) @ fitted)
