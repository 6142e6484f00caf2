"""One task in rotated coordinates: the words to which the exact loss above p = n_v m reduces, and their average.

X_v = L Q with L^2 = X_v X_v^T and an n_v x p frame Q; X_t = U Q + V Q_perp with Q_perp the rest of an orthogonal matrix.
For rotation-invariant rows L, U and V are independent, and U, V Gaussian for Gaussian inputs. Of B and Gamma remain
M = L^-1 B B^T L^-1 and K, the average over L of the label-noise part of L^-1 Gamma L^-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from math import inf, isfinite

import numpy as np
import sympy
from flint import fmpq, fmpq_poly
from numpy.typing import NDArray

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.symbols import m, n_v, p
from derivations.paper.beyond.one_task_integral import AGREED, by_quadrature
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.inverse_traces import mean_trace_of_inverse, noise_mean
from derivations.steps.chains.products import by_powers
from derivations.support.bad_input import BadInput
from derivations.verification.batches import Batch, Plan, Weighted
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.executor import Executor
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.control import explaining
from numeric_check.estimators.simulation import run_until
from numeric_check.estimators.tails import task_exponent
from numeric_check.problem.known_ranks import gram_inverses, require_known
from numeric_check.problem.normals import normals
from numeric_check.problem.samplers import triangular_factor
from symbolic.algebra.coefficients import evaluate_at, names_in, to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, gaussian, identity, matrix, scalar, tr, zero
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
PROJECTED: Mapping[Word, Expression] = {(("Q", False), ("Q", True)): identity("n_v")}
MOST_SQUARED = 4  # blocks for which the means of squares are taken
PILOT, BATCH, WORK = 1024, 1024, 5e8
MOST_ROWS = 200
MOST_OF_SPREAD = 0.2  # that a single draw of the pilot may make up
WORST_CONDITION, KNOWN_DRAWS = 1e13, 0.99  # of M, and the share of draws in which it is to be better
KEPT = 2e7  # numbers that are kept of common draws
ENOUGH = 1e-7  # relative error below which a quadrature is preferred to sampling
SETTLED = 1e-5  # and below which the difference of two rules bounds it, so that it is one to compare with that of draws


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


def rotations(assumptions: Assumptions) -> str | None:
    """Why there is no such reduction; None where there is."""
    try:
        require_rotations(assumptions)
    except NotDerivable as error:
        return str(error)
    return None


def mean_of_inverse() -> sympy.Expr:
    """E (X_v X_v^T)^-1 as a multiple of the identity: an inverse Wishart moment."""
    return mean_trace_of_inverse(n_v, p) / n_v


def tasks_factor() -> sympy.Expr:
    """c: the mean of (Q Q^T)^-1 over independent uniform frames, from the two inverse Wishart moments it links."""
    rows = n_v * m
    return noise_mean(rows) / rows / mean_of_inverse()


@dataclass(frozen=True)
class OneTask:
    """E Tr M^-1 K over U and V is sought: gram is M, weight is K, both n_v x n_v words in U and Z = U U^T + V V^T."""

    gram: Expression
    weight: Expression

    @cached_property
    def blocks(self) -> int:
        """How many blocks of n_v rows of X_t are seen from n_v directions through these words (Golub and Kahan)."""
        words = [term.word or () for expr in (self.gram, self.weight) for term in expr.terms]
        return max(sum(factor.name == "Z" for factor in word) + 1 for word in words) // 2 or 1

    def split(self) -> OneTask:
        """The same in U and V."""
        return OneTask(
            *(
                expr.replace({"Z": SPLIT}) if "Z" in expr.letters() else expr
                for expr in (self.gram, self.weight)
            )
        )

    def values(self, u: Array, v: Array, numbers: Numbers) -> Array:
        """Tr M^-1 K for a batch of U and V; raises Impossible where M leaves it too few digits in more than a few draws."""
        gram, weight = self.batch(u, v, numbers)
        inverse, known = gram_inverses(gram, WORST_CONDITION)
        found = np.einsum("bij,bji->b", inverse, weight)
        require_known(float(known.mean()) >= KNOWN_DRAWS and bool(inverse.any(axis=(1, 2)).all()))
        return np.asarray(found)

    def batch(self, u: Array, v: Array, numbers: Numbers) -> tuple[Array, Array]:
        """M and K for a batch of U and V."""
        z = u @ np.swapaxes(u, 1, 2) + v @ np.swapaxes(v, 1, 2)
        exprs, plan = _ready(self, tuple(sorted(numbers.items())))
        batch = Batch({"U": u, "Z": z}, plan)
        gram, weight = (expr.at(batch) for expr in exprs)
        shape = (len(u), *gram.shape[1:])
        return np.broadcast_to(gram, shape), np.broadcast_to(weight, shape)


@lru_cache(maxsize=32)
def _ready(task: OneTask, numbers: tuple[tuple[str, float], ...]) -> tuple[tuple[Weighted, Weighted], Plan]:
    """M and K with numbers put in for their coefficients, and in which order their products are taken."""
    values, plan = dict(numbers), Plan([task.gram, task.weight])
    return (Weighted.of(task.gram, values, plan), Weighted.of(task.weight, values, plan)), plan


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
        MEAN_INVERSE: _mean_of_inverse_at(int(rows), int(size)),
    }


@lru_cache(maxsize=256)
def _mean_of_inverse_at(rows: int, size: int) -> float:
    return float(mean_of_inverse().subs({n_v: rows, p: size}))


@lru_cache(maxsize=32)
def order_of_zero(assumptions: Assumptions) -> int:
    """How flat the inner loop is in an eigenvalue of the inputs where it vanishes: its steps, or less where their rates differ."""
    if not assumptions.added:
        return assumptions.inner_steps
    powers: dict[int, fmpq] = {}
    for term, coefficient in model.task(assumptions).contraction.terms.items():
        power = len(term.word or ()) // 2
        value = to_fmpq(evaluate_at(coefficient, dict.fromkeys(names_in(coefficient), 1)))
        powers[power] = powers.get(power, fmpq(0)) + value
    _, factors = fmpq_poly([powers.get(k, fmpq(0)) for k in range(max(powers) + 1)]).factor()
    return max((int(times) for _, times in factors), default=1)


def require_variance(assumptions: Assumptions, given: Numbers) -> None:
    """Raises BadInput where draws at this rate have no finite variance, so that no error can be stated."""
    if given["alpha_t"] <= 0 or not (given["sigma"] or given["sigma_v"]):
        return
    steps, sizes = order_of_zero(assumptions), [int(given[name]) for name in ("n_t", "n_v", "p")]
    if task_exponent(steps, *sizes) <= 4:
        raise BadInput(
            f"the mean loss is finite, but draws of it have no finite variance at alpha_t > 0 with {assumptions.inner_steps} inner "
            f"steps and p = n_v + {sizes[2] - sizes[1]}: take a larger p, or alpha_t <= 0"
        )


def average(
    assumptions: Assumptions,
    given: Numbers,
    *,
    rel_error: float = 1e-5,
    seed: int = 0,
    max_draws: int = 400_000,
    agreed: float = AGREED,
    sampled: bool = False,
    executor: Executor | None = None,
) -> Estimate:
    """E Tr M^-1 K with its error: by quadrature for one or two validation points (no draws), else by sampling U and V.

    given: n_t, n_v, p > n_v + 1, alpha_t, sigma, sigma_v. sampled: never by quadrature. agreed: within which
    two rules of a quadrature must come to the same. Sampling subtracts multiples of traces
    whose means the engine knows; equal arguments give equal results. Raises BadInput where nothing but draws without a
    finite variance is left.
    """
    task, numbers = one_task(assumptions), full_numbers(given)
    found = None if sampled else by_quadrature(task, numbers, agreed)
    if found is not None and isfinite(found.mean) and found.resolved(max(ENOUGH, agreed)):
        return found
    if not sampled:
        require_variance(assumptions, given)
    size = seen_rows(task, numbers)
    if size > MOST_ROWS:
        raise BadInput(
            f"the exact loss is sampled for up to {MOST_ROWS} validation points times inner steps: give a smaller n_v"
        )
    # the same draws at all rates, so that their losses are compared
    fixed = sorted((name, value) for name, value in given.items() if name != "alpha_t")
    text = f"one-task/{seed}/{assumptions.label()}/{fixed}"
    fitted = _fit(task, numbers, text)
    drawn = run_until(
        partial(_controlled, task=task, numbers=numbers, fitted=fitted),
        rel_error=rel_error,
        seed_text=text,
        max_draws=max(2 * BATCH, min(max_draws, int(WORK / size**3))),
        max_seconds=inf,
        executor=executor,
    )
    settled = found is not None and isfinite(found.mean) and found.resolved(SETTLED)
    return found if found is not None and settled and found.stderr < drawn.stderr else drawn


@dataclass(frozen=True)
class Common:
    """One set of draws for all training rates: M and K are polynomials in the rate, whose coefficients are kept draw by draw."""

    gram: tuple[Array, ...]
    weight: tuple[Array, ...]

    def at(self, rate: float) -> Array:
        """Tr M^-1 K at a rate, draw by draw."""
        gram, weight = (
            sum([part * rate**k for k, part in enumerate(parts)][1:], parts[0])
            for parts in (self.gram, self.weight)
        )
        if gram.shape[-1] == 1:
            return np.asarray((weight / gram)[:, 0, 0])
        return np.asarray(np.trace(np.linalg.solve(gram, weight), axis1=1, axis2=2))


def by_quadrature_alone(assumptions: Assumptions, given: Numbers) -> bool:
    """Whether a quadrature gives the average at any rate: one inner step, one or two validation points."""
    return one_task(assumptions).blocks == 1 and given["n_v"] <= 2


def common(assumptions: Assumptions, given: Numbers, most: int) -> Common:
    """At most so many draws of one task, fewer where matrices are large; equal arguments give equal draws."""
    task, numbers = one_task(assumptions), full_numbers(given)
    size = seen_rows(task, numbers)
    exprs = [by_powers(expr, ["alpha_t"]) for expr in (task.gram, task.weight)]
    powers = [range(max(parts)[0] + 1) for parts in exprs]
    room = KEPT / (numbers["n_v"] ** 2 * sum(map(len, powers)))
    batches = max(2, int(min(most, WORK / size**3, room)) // BATCH)
    text = f"common/{assumptions.label()}/{sorted(given.items())}"
    plan = Plan([task.gram, task.weight])
    weighted = [
        [Weighted.of(parts.get((k,), zero("n_v", "n_v")), numbers, plan) for k in found]
        for parts, found in zip(exprs, powers, strict=True)
    ]
    drawn: list[list[Array]] = [[] for parts in weighted for _ in parts]
    for number in range(batches):
        u, v = draw(generator_for(text, number), task, numbers, BATCH)
        batch = Batch({"U": u, "Z": u @ np.swapaxes(u, 1, 2) + v @ np.swapaxes(v, 1, 2)}, plan)
        for k, part in enumerate(part for parts in weighted for part in parts):
            found = part.at(batch)
            drawn[k].append(np.broadcast_to(found, (BATCH, *found.shape[1:])))
    arrays = [np.concatenate(column) for column in drawn]
    return Common(tuple(arrays[: len(powers[0])]), tuple(arrays[len(powers[0]) :]))


def seen_rows(task: OneTask, numbers: Numbers) -> int:
    """The rows of X_t that matter: all n_t, or the blocks that stand for them where there are fewer."""
    return min(int(numbers["n_t"]), task.blocks * int(numbers["n_v"]))


def draw(generator: np.random.Generator, task: OneTask, numbers: Numbers, batch: int) -> tuple[Array, Array]:
    """U and V, or smaller matrices with the same law of M and K.

    Block bidiagonal (Golub and Kahan) with Bartlett's triangular factors: X_t turned from the left shows the directions
    of validation rows a factor R_1 alone, its next rows what R_1 sees across, L_1 and R_2, and so on.
    """
    rows, points, across = (int(numbers[name]) for name in ("n_v", "n_t", "q"))
    size = task.blocks * rows
    if min(points, across) < size:
        u = normals(generator, (batch, points, rows))
        if across > points:
            return u, np.swapaxes(triangular_factor(generator, across, points, batch), 1, 2)
        return u, normals(generator, (batch, points, across))
    u, v = np.zeros((batch, size, rows)), np.zeros((batch, size, size))
    u[:, :rows] = triangular_factor(generator, points, rows, batch)
    for k in range(task.blocks):
        here, following = slice(k * rows, (k + 1) * rows), slice((k + 1) * rows, (k + 2) * rows)
        v[:, here, here] = np.swapaxes(triangular_factor(generator, across - k * rows, rows, batch), 1, 2)
        if k + 1 < task.blocks:
            v[:, following, here] = triangular_factor(generator, points - (k + 1) * rows, rows, batch)
    return u, v


@lru_cache(maxsize=32)
def _means(task: OneTask) -> tuple[Expression, ...]:
    """E Tr M, E Tr K, E Tr M^2 and E Tr M K; after many steps the first two alone."""
    m, k = _in_data(task)
    traces = [tr(m), tr(k)] + ([tr(m @ m), tr(m @ k)] if task.blocks <= MOST_SQUARED else [])
    return tuple(expect(expr).rewrite(PROJECTED) for expr in traces)


def _in_data(task: OneTask) -> tuple[Expression, Expression]:
    """M and K in the training inputs themselves and a frame Q, of which an average is easier than in U and V."""
    x, q = gaussian("X_t", "n_t", "p"), FRAME
    whole = {"U": x @ q.T, "Z": x @ x.T}
    m, k = (
        expr.replace({name: value for name, value in whole.items() if name in expr.letters()})
        for expr in (task.gram, task.weight)
    )
    return m, k


def _surplus(task: OneTask, u: Array, v: Array, numbers: Numbers) -> Array:
    """The traces minus their means, one row for each draw."""
    m, k = task.batch(u, v, numbers)
    pairs = [(m, None), (k, None), (m, m), (m, k)]
    columns = [
        np.trace(a, axis1=1, axis2=2) if b is None else np.einsum("bij,bji->b", a, b) for a, b in pairs
    ]
    means = _means_at(task, tuple(sorted(numbers.items())))
    return np.stack([c - mean for c, mean in zip(columns, means, strict=False)], axis=1)


@lru_cache(maxsize=32)
def _means_at(task: OneTask, numbers: tuple[tuple[str, float], ...]) -> tuple[float, ...]:
    """The means of the traces where numbers are put in: the same for every batch."""
    values = dict(numbers)
    return tuple(float(evaluate(mean, values)) for mean in _means(task))


def _fit(task: OneTask, numbers: Numbers, text: str) -> Array:
    """The multiples of the features that explain most, from draws that are not used otherwise."""
    u, v = draw(generator_for(f"{text}/fit"), task, numbers, PILOT)
    surplus = _surplus(task, u, v, numbers)
    return explaining(surplus, task.values(u, v, numbers), MOST_OF_SPREAD)


def _controlled(generator: np.random.Generator, task: OneTask, numbers: Numbers, fitted: Array) -> Array:
    u, v = draw(generator, task, numbers, BATCH)
    return np.asarray(task.values(u, v, numbers) - _surplus(task, u, v, numbers) @ fitted)
