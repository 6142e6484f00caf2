"""An implicit inner step (ridge regression towards the meta-parameter): no positive rate is better than zero.

    -  implicit-step-shrinks  label noise of one task at a positive rate is more than at zero, draw by draw

omega_1 = omega - alpha_t grad L(omega_1) has the matrix T = (I + alpha_t X_t^T X_t / n_t)^-1 on omega, and commutes with rotations as the gradient step
does: above p = n_v m + 1 the number of tasks is a factor and the tasks' part flat, whatever the rate (`one-task-suffices`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import n_v, p
from derivations.paper.beyond.one_task import Word, require_rotations
from derivations.steps.chain import Chain, Rule
from derivations.steps.domains import AT_POSITIVE_RATES
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import POSITIVE_RATES
from derivations.steps.rules.rotations import gram, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import sign_check
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.linear_loops import implicit_noise
from symbolic.algebra.words import Expression, gaussian, identity, matrix, reciprocal, scalar

DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val")
SHRUNK = r"\big[2aX^vTWTX^{vT}+a^2X^vTW^2TX^{vT}\big]_{a=\alpha_t/n_t}"
STEP_OF_LOOP = r"T+aWT"
TEST, DATA = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
LOOP = matrix("T_a", "p", "p", symmetric=True)
RATE, WISHART = scalar("alpha_t") * reciprocal("n_t"), DATA.T @ DATA
INVERSES = {"T_a": identity("p") + RATE * WISHART}


@lru_cache(maxsize=2)
def implicit_chain(assumptions: Assumptions) -> Chain:
    """What the rows lose at a positive rate is a Gram matrix."""
    require_rotations(assumptions)
    chain = Chain(LOOP + RATE * WISHART @ LOOP)
    through: dict[Word, Expression] = {
        (("X_t", True), ("X_t", False), ("T_a", False)): scalar("n_t")
        * reciprocal("alpha_t")
        * (identity("p") - LOOP)
    }
    rewritten(chain, Rule.CANCEL_INVERSE, through, inverses=INVERSES).shows(STEP_OF_LOOP)
    rows = TEST @ LOOP
    inside = 2 * RATE * rows @ WISHART @ rows.T
    gram(chain.begin(inside + RATE**2 * rows @ WISHART @ WISHART @ rows.T), POSITIVE_RATES)
    chain.shows_sign(Sign(SHRUNK))
    return rewritten(chain, Rule.CANCEL_INVERSE, through, inverses=INVERSES).shows(SHRUNK)


def _claim() -> Parts:
    x_v, loop = MatrixSymbol("X_v", n_v, p), MatrixSymbol("T_a", p, p)
    return {
        STEP_OF_LOOP: Identity(p),
        Sign(SHRUNK, AT_POSITIVE_RATES): sympy.Integer(1),
        SHRUNK: x_v * x_v.T - x_v * loop * loop * x_v.T,
    }


# -- numbers -------------------------------------------------------------------------------------------------

RATES = -np.geomspace(0.005, 3, 60)
BEST_DRAWS = 600


@lru_cache(maxsize=16)
def best(n_points: int, size: int, sigma: float, nu: float) -> tuple[float, float, float]:
    """For one task and one validation point the rate of least deviation on a grid of negative ones, that deviation over the one at zero,
    and the standard error of this share; from the same draws at all rates.
    """
    rates = [0.0, *map(float, RATES)]
    seen = implicit_noise(generator_for(f"implicit/{n_points}/{size}"), n_points, size, rates, BEST_DRAWS)
    changes = seen[1:] - seen[0]
    k = int(np.argmin(changes.mean(axis=1)))
    at_zero = nu**2 / size + sigma**2 / (size - 2)
    change, error = changes[k].mean(), changes[k].std(ddof=1) / np.sqrt(BEST_DRAWS)
    return float(RATES[k]), float(1 + sigma**2 * change / at_zero), float(sigma**2 * error / at_zero)


# -- what sampling sees -------------------------------------------------------------------------------------

DRAWS, ABOVE = 2_000, (0.05, 0.3, 1.0, 4.0)
PLACES: tuple[tuple[int, int], ...] = ((8, 12), (5, 16), (12, 9))


@lru_cache(maxsize=8)
def _seen(text: str, points: int, size: int) -> np.ndarray:
    return implicit_noise(generator_for(text), points, size, [0.0, *ABOVE], DRAWS)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Label noise at positive rates minus that at zero, draw by draw from definitions."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated, found = float(to_sympy(step.derive(assumptions)[Sign(SHRUNK)])), []
    for points, size in PLACES:
        started, seen = time.monotonic(), _seen(f"{step.name}/{seed}", points, size)
        where = {"n_t": float(points), "n_v": 1.0, "p": float(size)}
        worst, seconds = float((seen[1:] - seen[0]).min()), time.monotonic() - started
        said = f"at {len(ABOVE)} positive rates the least difference is"
        found.append(
            sign_check(Sign(SHRUNK), where, worst, 0.0, stated, said=said, draws=DRAWS, seconds=seconds)
        )
    return found


SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "p": 13, "n_t": 5, "alpha_t": 0.4},
    {"n_v": 3, "p": 17, "n_t": 8, "alpha_t": 0.9},
    {"n_v": 1, "p": 9, "n_t": 6, "alpha_t": 0.7},
)
STEPS: tuple[Step, ...] = (
    Step(
        "implicit-step-shrinks",
        (),
        Kind.BEYOND,
        "With an implicit inner step (ridge regression towards the meta-parameter) in place of the gradient step, p > n_v m + 1 and label noise, the exact loss is at every "
        "positive training rate above that at zero: no best rate is positive.",
        "beyond",
        uses=("one-task-suffices", "inner-loop"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys((SHRUNK, STEP_OF_LOOP), BY_MOVES),
        derivation=implicit_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="X_v X_v^T - B_1 B_1^T is a sum of Gram matrices, and inverses reverse the order",
        remark="T stands for (I + alpha_t W / n_t)^-1 with W = X_t^T X_t: B_1 = X_v T, and of the training labels' noise alpha_t X_v T X_t^T / n_t is passed on. What is certified "
        "is X_v X_v^T - B_1 B_1^T, and not zero; Gamma_z is more than sigma^2 I by the Gram matrix of what is passed on. Of negative rates nothing is proved here but that some are better for given data (best-inner-loop).",
    ),
)
