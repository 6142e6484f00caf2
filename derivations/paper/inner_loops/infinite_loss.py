"""Where the exact loss is infinite: up to eight inner steps, one validation point and few parameters.

    -  exact-loss-infinite  at every positive rate: where eigenvalues of the inner loop come near zero together the mean diverges

With one validation point B_1 B_1^T is the sum of w_k u_k^(2 K), and vanishes where u_1 = ... = u_j = 0, eigenvalues n_t / alpha_t of X_t^T X_t, and the
other w_k = 0. Near it, at u_k = d x_k and w_k = d^(2 K) r_k^2, it is of order d^(2 K), and the mean at least a positive factor times the integral of
d^-a from zero on, a = 2 K + 1 - j (j + 1) / 2 - K (p - j).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.paper.beyond.one_task import require_rotations
from derivations.paper.inner_loops.near_singular import (
    OF_ONE_TASK,
    infinite_places,
    share_of_task,
    squared_row,
    weight,
)
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.labels import BY_MOVES, Order
from derivations.steps.rules.single_row.eigenvalues import shrinkages, weights
from derivations.steps.rules.single_row.near_point import near_point
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import slope_check
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.single_row import small_label_noise
from symbolic.algebra.words import constant, reciprocal, scalar
from symbolic.proofs.asymptotics import Exponent

DEPENDS = ("inputs", "covariance", "split", "noise_val")
PLACES = tuple(infinite_places())
SAMPLED = (3, 4)  # inner steps, with three parameters


def exponent(steps: int, size: int) -> Order:
    """Of the integrand in 1/d."""
    return Order("a", "(1/d)").when(rf"{steps}\text{{ steps}},\,p={size}")


@lru_cache(maxsize=2)
def infinite_chain(assumptions: Assumptions) -> Chain:
    """The integrand near the point, and its order, for each number of steps and parameters."""
    require_rotations(assumptions)
    chain = Chain(scalar("ratio")).define({"ratio": OF_ONE_TASK}, "one-task-suffices")
    for steps, size, together in PLACES:
        own = squared_row(chain, steps, size, size)
        share_of_task(chain, steps, size, size).define({"R": reciprocal("G_1")})
        names, d, there = shrinkages(size)[:together], scalar("d"), f"G_{steps}_{size}"
        free = [f"x_{k}" for k in range(1, together + 1)] + [f"r_{k}" for k in range(together + 1, size + 1)]
        # the last of them is one, and d in its place
        over, ahead = [*free[:-1], "d"], dict(zip(free, [*map(scalar, free[:-1]), constant(1)], strict=True))
        staying = {u: d * x for u, x in zip(names, ahead.values(), strict=False)}
        roots = {w: d**steps * ahead[f"r_{k}"] for k, w in enumerate(weights(size), 1) if k > together}
        near_point(
            chain, staying, roots, dict.fromkeys(roots, 1), over, {"G_1": (there, own)}, repelled=names
        )
        below = {there: chain.moves[-1].values[there]}
        order(chain, {"d": Exponent(Fraction(-1))}, below).shows_degree(exponent(steps, size))
    return chain


def _claim() -> Parts:
    return {
        exponent(steps, size): sympy.Integer(2 * steps + 1 - weight(steps, size, together))
        for steps, size, together in PLACES
    }


# -- what sampling sees -------------------------------------------------------------------------------------

POINTS, PARAMETERS, RATE = 2, 3, 0.8
# the label noise that is exceeded, and how close to the power its share is
SEEN = [exponent(steps, PARAMETERS) for steps in SAMPLED]
LEVELS = (500.0, 2000.0, 8000.0, 32000.0)
DRAWS, BATCH, WITHIN = 4_000_000, 20_000, 0.08


@lru_cache(maxsize=4)
def _shares(text: str, steps: int) -> tuple[float, ...]:
    """Which share of draws exceeds each level."""
    above = np.zeros(len(LEVELS))
    for batch in range(DRAWS // BATCH):
        seen = small_label_noise(generator_for(text, batch), POINTS, PARAMETERS, steps, RATE, BATCH)
        above += [(seen > level).sum() for level in LEVELS]
    return tuple(float(x) for x in above / DRAWS)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The share of draws in which the label noise exceeds a level falls like the level to the power -(2 K + 1 - a) / 2 K."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated, found = step.derive(assumptions), []
    for steps in SAMPLED:
        started = time.monotonic()
        shares = _shares(f"{step.name}/{seed}/{steps}", steps)
        power = (2 * steps + 1 - float(to_sympy(stated[exponent(steps, PARAMETERS)]))) / (2 * steps)
        errors = [float(np.sqrt(share / DRAWS)) for share in shares]
        found.append(
            slope_check(
                exponent(steps, PARAMETERS),
                LEVELS,
                shares,
                errors,
                -power,
                draws=DRAWS,
                seconds=time.monotonic() - started,
                sharp=True,
                within=WITHIN,
            )
        )
    return found


SIZES: tuple[Mapping[str, float], ...] = tuple(
    {"n_v": 1, "p": size, "n_t": points, "alpha_t": rate, "sigma": 0.8, "nu": 0.6}
    for size, points, rate in ((3, 4, 0.7), (4, 2, 1.3), (5, 7, 0.4))
)
STEPS: tuple[Step, ...] = (
    Step(
        "exact-loss-infinite",
        (),
        Kind.BEYOND,
        "With one validation point of each task, p > m + 1 and label noise the exact loss is infinite at every training rate alpha_t > 0 where p = 3, the inner loop makes three to eight steps and n_t >= 2; "
        "where p = 4 with five steps and n_t >= 4, or six to eight and n_t >= 3; and where p = 5 with eight steps and n_t >= 5.",
        "beyond",
        uses=("one-task-suffices", "stacked-design", "target-covariance", "gaussian-inputs"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys((label for label in _claim() if label not in SEEN), BY_MOVES),
        derivation=infinite_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="one row in eigenvalues near a zero of B_1 B_1^T: Jacobian and densities, ordered by their degree",
        remark="The integral of d^-a from zero on is infinite for a >= 1. Gamma_1 is at least sigma^2, and the mean is at least that over the variables near the point; more training points than are needed leave "
        "eigenvalues u_k with other w_k, which stay where they are. At all other sizes the loss is finite (exact-loss-finite). With more validation points p - n_v + 1 stands for p: of a row that "
        "p - j - n_v + 1 chi-square variables keep from the span of the others, across the j eigenvectors, a multiple of the others can be taken away. That is no move here.",
    ),
)
