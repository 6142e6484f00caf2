"""The best inner loop for given data: an implicit gradient step with a negative rate, among all that are linear.

    -  best-inner-loop  label noise in units of a lower bound, as a square; with one validation point one loop attains it

What a linear inner loop makes of the training labels is seen by the validation inputs as some matrix Y, and B_1 = X_v - Y X_t where it
leaves a task's own parameters alone, as gradient descent does (`stacked-design`). For a number mu at least the largest eigenvalue of the
inputs of both kinds together, with Y = E - X_v X_t^T R and R = (mu I - X_t X_t^T)^-1,

    mu (I + Y Y^T) - B_1 B_1^T = E (mu I - X_t X_t^T) E^T + mu I - X_v T X_v^T,     T = (I - X_t^T X_t / mu)^-1,

both of whose parts are positive semidefinite. So Tr (B_1 B_1^T)^-1 (I + Y Y^T) is at least n_v / mu. At E = 0 the rows are B_1 = X_v T: an
implicit gradient step, omega_1 = omega - alpha_t grad L(omega_1), with alpha_t = -n_t / mu. With one validation point and the largest
eigenvalue for mu the last part is zero, and the bound is attained.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from sympy import Identity, MatrixSymbol, Symbol

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.symbols import n_t, n_v, p
from derivations.paper.beyond.one_task import Word
from derivations.steps.chain import Chain, Rule
from derivations.steps.labels import BY_MOVES
from derivations.steps.rules.rotations import replaced, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import sign_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.linear_loops import Shares, shares
from symbolic.algebra.words import Expression, gaussian, identity, matrix, reciprocal, scalar

DEPENDS = ("inputs", "covariance", "split", "noise_val")
SQUARE = r"\mu(I+YY^T)-B_1B_1^T"
ROWS = r"X^v-YX^t\big|_{E=0}"
IMPLICIT = r"T_\mu"
TEST, DATA = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
SEEN, APART = matrix("Y", "n_v", "n_t"), matrix("E_t", "n_v", "n_t")
RESOLVENT = matrix("R_mu", "n_t", "n_t", symmetric=True)
LOOP = matrix("T_mu", "p", "p", symmetric=True)
MU, ONE = scalar("mu"), identity("n_t")
INVERSES = {
    "R_mu": MU * ONE - DATA @ DATA.T,
    "T_mu": identity("p") - reciprocal("mu") * DATA.T @ DATA,
}


@lru_cache(maxsize=2)
def best_chain(assumptions: Assumptions) -> Chain:
    """The square, the rows where it vanishes, and the loop that has them."""
    at_best = -1 * TEST @ DATA.T @ RESOLVENT
    own = TEST - SEEN @ DATA
    chain = Chain(MU * (identity("n_v") + SEEN @ SEEN.T) - own @ own.T)
    chain.define({"Y": APART + at_best})
    cancelled: dict[Word, Expression] = {
        (("X_t", False), ("X_t", True), ("R_mu", False)): MU * RESOLVENT - ONE,
        (("R_mu", False), ("X_t", False), ("X_t", True)): MU * RESOLVENT - ONE,
    }
    inverses = {"R_mu": INVERSES["R_mu"]}
    rewritten(chain, Rule.CANCEL_INVERSE, cancelled, inverses=inverses).shows(SQUARE)
    chain.begin(TEST - SEEN @ DATA).define({"Y": at_best}).shows(ROWS)
    chain.begin(LOOP)
    put = identity("p") + DATA.T @ RESOLVENT @ DATA
    return replaced(chain, Rule.CANCEL_INVERSE, {"T_mu": put}, inverses=INVERSES).shows(IMPLICIT)


def _claim() -> Parts:
    x_v, x_t = MatrixSymbol("X_v", n_v, p), MatrixSymbol("X_t", n_t, p)
    apart, resolvent = MatrixSymbol("E_t", n_v, n_t), MatrixSymbol("R_mu", n_t, n_t)
    mu, through = Symbol("mu"), x_t.T * resolvent * x_t
    return {
        SQUARE: apart * (mu * Identity(n_t) - x_t * x_t.T) * apart.T
        + mu * Identity(n_v)
        - x_v * x_v.T
        - x_v * through * x_v.T,
        ROWS: x_v + x_v * through,
        IMPLICIT: Identity(p) + through,
    }


# -- what sampling sees -------------------------------------------------------------------------------------

DRAWS = 4_000
PLACES: tuple[tuple[int, int, int], ...] = ((8, 1, 12), (5, 1, 16), (12, 1, 9))
ATTAINED = "the bound over the label noise of the implicit step"


@lru_cache(maxsize=8)
def _seen(text: str, place: tuple[int, int, int]) -> Shares:
    return shares(generator_for(text), *place, draws=DRAWS)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The bound over the label noise, draw by draw: at most one for many loops, and one for the implicit step."""
    found = []
    for place in PLACES:
        started, seen = time.monotonic(), _seen(f"{step.name}/{seed}", place)
        where = dict(zip(("n_t", "n_v", "p"), map(float, place), strict=True))
        worst = max(seen.others, key=lambda name: float(seen.others[name].max()))
        gap, count = 1 - float(seen.others[worst].max()), DRAWS * len(seen.others)
        seconds = time.monotonic() - started
        said = f"of {len(seen.others)} loops {worst} comes nearest, the least distance is"
        found.append(
            sign_check("1 - 1 / (mu noise)", where, gap, 0.0, 1.0, said=said, draws=count, seconds=seconds)
        )
        best = seen.implicit
        estimate = Estimate(float(best.mean()), float(best.std(ddof=1) / np.sqrt(best.size)), best.size)
        found.append(mean_check(ATTAINED, where, 1.0, estimate, time.monotonic() - started))
    return found


SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "p": 13, "n_t": 5, "mu": 60.0},
    {"n_v": 3, "p": 17, "n_t": 8, "mu": 90.0},
    {"n_v": 1, "p": 9, "n_t": 6, "mu": 45.0},
)
STEPS: tuple[Step, ...] = (
    Step(
        "best-inner-loop",
        (),
        Kind.BEYOND,
        "For given inputs of one task no linear inner loop that leaves the task's own parameters where they are makes its label noise Tr (B_1 B_1^T)^-1 (I + Y Y^T) less than n_v / mu, mu the "
        "largest eigenvalue of X_t^T X_t + X_v^T X_v; with one validation point one does, an implicit gradient step with the negative rate -n_t / mu.",
        "positive_rates",
        uses=("inner-loop", "stacked-design"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(_claim(), BY_MOVES),
        derivation=best_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="a completed square in what the inner loop makes of the training labels",
        remark="No law of the inputs is used. mu I - X_t X_t^T and mu I - X_v T X_v^T are positive semidefinite, as mu I is at least the Gram matrix of all inputs, of which "
        "the second is the Schur complement; with one validation point it is zero where mu is the largest eigenvalue. The rate depends on the data, those of validation too: that no loop with one rate for "
        "all data is better than another is not said. The mean of 1 / mu is below the label noise of every loop, of any number of steps and any rate.",
    ),
)
