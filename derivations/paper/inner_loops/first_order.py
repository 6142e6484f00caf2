"""First-order MAML with one task: the outer gradient takes the inner loop's derivative for the identity.

    -  first-order-costs-more  its deviation in rotated coordinates, draw by draw at least that of MAML, and larger at a positive rate

The first-order gradient is X_v^T (B_1 omega - gamma): descent from the task mean ends, where it converges, at
X_v^T (B_1 X_v^T)^-1 (gamma - B_1 w_0). In the coordinates of `two-small-matrices` B_1 X_v^T is L F L with F = I - alpha_t U^T U / n_t, in
the place of M stands F^2, and M - F^2 is a Gram matrix. Several tasks share the rows of X_v and of B_1, which differ: there the
reduction to one task does not hold.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Identity, MatrixSymbol, Symbol, Trace

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.symbols import alpha_t, n_t, n_v, nu, p
from derivations.paper.beyond.one_task import FRAME, ROOT, ROOT_INVERSE, Word, full_numbers, one_task
from derivations.paper.beyond.one_task_integral import chi_square_rule
from derivations.paper.beyond.reduction import DEPENDS, IN_FRAME, turned
from derivations.paper.outer_problem import target_covariance
from derivations.steps.chain import Chain, Rule, carried_out
from derivations.steps.domains import AT_POSITIVE_RATES
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import EVERYWHERE, POSITIVE_RATES
from derivations.steps.rules.rotations import gram, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.batches import Batch, Plan, Weighted
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.first_order_descent import deviations
from symbolic.algebra.words import Expression, gaussian, matrix, reciprocal, scalar, tr

Array = NDArray[np.float64]
TRACE = r"\mathrm{Tr}\,(B_1X^{vT})^{-1}X^vX^{vT}(B_1X^{vT})^{-1}\Gamma_1"
CROSS, APART, MIRRORED = "F", "M-F^2", r"F(-\alpha_t)^2-F(\alpha_t)^2"
COSTS = Sign(r"\big[M-F^2\big]")
BETTER = Sign(r"\big[F(-\alpha_t)^2-F(\alpha_t)^2\big]_{\alpha_t>0}", AT_POSITIVE_RATES)


def _square(name: str) -> Expression:
    return matrix(name, "n_v", "n_v", symmetric=True)


LOOP, DATA = matrix("A_t", "p", "p", symmetric=True), gaussian("X_v", "n_v", "p")
BETWEEN = DATA @ LOOP @ DATA.T
C_INVERSE, F_INVERSE, GAMMA, NOISE = map(_square, ("C_inverse", "F_inverse", "Gamma_1", "Gamma_z"))


@lru_cache(maxsize=2)
def _chain(assumptions: Assumptions) -> Chain:
    task = model.task(assumptions)
    chain = Chain(ROOT_INVERSE @ DATA @ LOOP @ DATA.T @ ROOT_INVERSE)
    held = Held(assumptions, read=lambda contraction: task.x_v @ contraction)
    chain.insert({"A_t": task.contraction}, "stacked-design", held=held)
    cross = turned(chain).shows(CROSS).result

    chain.begin(tr(C_INVERSE @ DATA @ DATA.T @ C_INVERSE @ GAMMA))
    inverses = {"C_inverse": BETWEEN, "L_inverse": ROOT, "F_inverse": ROOT_INVERSE @ BETWEEN @ ROOT_INVERSE}
    ways: tuple[dict[Word, Expression], ...] = (
        {(("C_inverse", False),): ROOT_INVERSE @ F_INVERSE @ ROOT_INVERSE},
        {(("X_v", False), ("X_v", True)): ROOT @ ROOT},
    )
    for patterns in ways:
        rewritten(
            chain, Rule.POLAR, patterns, values={"X_v": ROOT @ FRAME}, inverses=inverses, frames=IN_FRAME
        )
    rewritten(
        chain,
        Rule.CANCEL_INVERSE,
        {(("L_inverse", False), ("L", False)): _one(), (("L", False), ("L_inverse", False)): _one()},
        inverses={"L_inverse": ROOT},
    )
    own = matrix("B_1", "n_v", "p")
    variability = scalar("nu") ** 2 * reciprocal("p") * own @ own.T
    noise = target_covariance(assumptions).replace({"nu": 0})
    held = Held(assumptions, {"Gamma_z": noise, "B_1": task.design})
    chain.insert({"Gamma_1": variability + NOISE}, "target-covariance", held=held)
    chain.name_word(ROOT_INVERSE @ NOISE @ ROOT_INVERSE, "K").name_word(
        ROOT_INVERSE @ own @ own.T @ ROOT_INVERSE, "M"
    )
    chain.shows(TRACE)

    chain.begin(_square("M") - _square("F_plus") @ _square("F_plus"))
    chain.insert({"M": one_task(assumptions).split().gram, "F_plus": cross}, "two-small-matrices")
    gram(chain.shows(APART), EVERYWHERE).shows_sign(COSTS)
    minus, plus = _square("F_minus"), _square("F_plus")
    chain.begin(minus @ minus - plus @ plus)
    chain.insert({"F_plus": cross}).define({"F_minus": cross.replace({"alpha_t": -scalar("alpha_t")})})
    return gram(chain.shows(MIRRORED), POSITIVE_RATES).shows_sign(BETTER)


def _one() -> Expression:
    return ROOT**0


def _claim() -> Parts:
    u, v = MatrixSymbol("U", n_t, n_v), MatrixSymbol("V", n_t, Symbol("q", positive=True))
    inverse, own, noise = (MatrixSymbol(name, n_v, n_v) for name in ("F_inverse", "M", "K"))
    rate = alpha_t / n_t
    return {
        CROSS: Identity(n_v) - rate * u.T * u,
        TRACE: nu**2 / p * Trace(inverse * inverse * own) + Trace(inverse * inverse * noise),
        APART: rate**2 * u.T * v * v.T * u,
        COSTS: sympy.Integer(1),
        MIRRORED: 4 * rate * u.T * u,
        BETTER: sympy.Integer(1),
    }


# -- numbers -------------------------------------------------------------------------------------------------

NODES = (16, 20)


@dataclass(frozen=True)
class Deviation:
    """The mean square deviation for one task and one validation point, from the task mean: MAML, and first order."""

    maml: float
    first_order: float
    error: float


@lru_cache(maxsize=4096)
def deviation(n_points: int, size: int, rate: float, sigma: float, nu_: float) -> Deviation:
    """Both by the same Gauss rule over |U|^2 and |V|^2, from the derived words, for alpha_t <= 0."""
    found = [_by_rule(n_points, size, rate, sigma, nu_, nodes) for nodes in NODES]
    error = max(abs(a - b) for a, b in zip(*found, strict=True))
    return Deviation(*found[-1], error)


@lru_cache(maxsize=64)
def _rule(n_points: int, size: int, nodes: int) -> tuple[Array, Array, Array]:
    return chi_square_rule({"n_t": n_points, "q": size - 1}, nodes)


def _by_rule(
    n_points: int, size: int, rate: float, sigma: float, nu_: float, nodes: int
) -> tuple[float, float]:
    given = {"n_t": n_points, "n_v": 1, "p": size, "alpha_t": rate, "sigma": sigma, "sigma_v": sigma}
    numbers, task = {**full_numbers(given), "nu": nu_}, one_task(PAPER)
    u, v, weights = _rule(n_points, size, nodes)
    own, noise = task.batch(u, v, numbers)
    cross, trace = (_word(label) for label in (CROSS, TRACE))
    plan = Plan([cross, trace])
    inverse = 1 / Weighted.of(cross, numbers, plan).at(Batch({"U": u}, plan))

    def mean(f_inverse: Array) -> float:
        values = {"F_inverse": f_inverse, "M": own, "K": noise}
        return float(weights @ Weighted.of(trace, numbers, plan).at(Batch(values, plan)).ravel())

    # where F^2 is M the trace is that of MAML
    return mean(own**-0.5), mean(inverse)


def _word(label: str) -> Expression:
    part = carried_out(_chain, PAPER).parts[label]
    if not isinstance(part, Expression):
        raise TypeError(f"{label} is no expression in words")
    return part


def best(n_points: int, size: int, sigma: float, nu_: float) -> dict[str, tuple[float, float]]:
    """By method the negative rate of least deviation on a fine grid, and that deviation over the one at zero."""
    rates = -np.geomspace(0.01, 30, 160)
    at_zero = deviation(n_points, size, 0.0, sigma, nu_).maml
    found = {}
    for method in ("maml", "first_order"):
        values = [getattr(deviation(n_points, size, float(rate), sigma, nu_), method) for rate in rates]
        k = int(np.argmin(values))
        found[method] = float(rates[k]), values[k] / at_zero
    return found


PLACES: tuple[tuple[Mapping[str, int], float], ...] = (
    ({"n_t": 7, "p": 12}, -0.6),
    ({"n_t": 4, "p": 14}, -0.3),
    ({"n_t": 9, "p": 11}, -1.5),
)
DRAWS, LABELS, NOISE_LEVEL, SPREAD = 60_000, 16, 0.8, 0.7


def _checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The deviation by the words against first-order meta-training by descent, from definitions."""
    found = []
    for sizes, rate in PLACES:
        started, source = time.monotonic(), generator_for(f"{step.name}/{seed}/{rate}")
        seen = deviations(
            source, **sizes, n_v=1, sigma=NOISE_LEVEL, nu=SPREAD, alpha_t=rate, draws=DRAWS, labels=LABELS
        )
        estimate = Estimate(float(seen.mean()), float(seen.std(ddof=1) / np.sqrt(len(seen))), len(seen))
        value = deviation(sizes["n_t"], sizes["p"], rate, NOISE_LEVEL, SPREAD).first_order
        where = {**{name: float(size) for name, size in sizes.items()}, "n_v": 1.0, "alpha_t": rate}
        label, seconds = "deviation of first-order MAML", time.monotonic() - started
        found.append(mean_check(label, where, value, estimate, seconds))
    return found


SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "q": 11, "p": 13, "n_t": 5, "alpha_t": 0.4},
    {"n_v": 3, "q": 14, "p": 17, "n_t": 8, "alpha_t": -0.5},
    {"n_v": 1, "q": 13, "p": 14, "n_t": 6, "alpha_t": 0.7},
)
STEPS: tuple[Step, ...] = (
    Step(
        "first-order-costs-more",
        (),
        Kind.BEYOND,
        "First-order MAML with one task, trained from the mean of the tasks, p > n_v + 1: of its mean square deviation the label noise's part is "
        "Tr F^-2 K where MAML's is Tr M^-1 K, which is at most as large, draw by draw and at every rate; and at -alpha_t it is smaller than "
        "at alpha_t > 0.",
        "beyond",
        uses=("stacked-design", "target-covariance", "two-small-matrices", "gaussian-inputs"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(_claim(), BY_MOVES),
        derivation=_chain,
        check=_checks,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="validation inputs turned to the first coordinates; M - F^2 and F(-a)^2 - F(a)^2 are Gram matrices, and inverses reverse the order",
        remark="K is even in the rate and positive semidefinite, and so is M; the tasks' part nu^2/p Tr F^-2 M, which is flat for MAML, is least at no "
        "inner loop. Descent along the first-order gradient converges at a rate of zero or below, where F is positive; above zero it may be negative, and "
        "with one validation point 1/F^2 has no mean.",
    ),
)
