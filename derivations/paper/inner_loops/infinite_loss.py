"""Where the exact loss is infinite: with three and four inner steps, one validation point and three parameters.

    -  exact-loss-infinite  at every positive rate: near a row that an eigenvalue n_t/alpha_t maps to itself the mean of K / M diverges

With one validation point M and K are polynomials in chi-square variables (`two-small-matrices`), and M vanishes where
s_1 = n_t / alpha_t and t_1 = 0. Near it, at s_1 = (n_t / alpha_t) (1 + d x_1), s_2 = (n_t / alpha_t) (1 + d x_2), t_1 = d^2 and
t_2 = d^(2 (K-1)) r^2, M is of order d^(2 K), and the mean at least a positive factor times the integral of d^(2-K) from zero on.
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
from derivations.paper.inner_loops.positive_exactly import ratio, variables
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.labels import Order
from derivations.steps.rules.single_row.near_point import near_point
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import slope_check
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.single_row import small_label_noise
from symbolic.algebra.words import constant, reciprocal, scalar
from symbolic.proofs.asymptotics import Exponent

STEPS_OF_INNER_LOOP = (3, 4)
DEPENDS = ("inputs", "covariance", "split", "noise_val")
# the degrees of freedom of t_1 and t_2 with three parameters
FREEDOM = {"t_1": 2, "t_2": 1}


def exponent(steps: int) -> Order:
    """Of the integrand in 1/d."""
    return Order("a", "(1/d)").when(rf"{steps}\text{{ steps}}")


@lru_cache(maxsize=2)
def infinite_chain(assumptions: Assumptions) -> Chain:
    """The integrand near the point, and its order."""
    require_rotations(assumptions)
    chain = Chain(scalar("ratio"))
    for steps in STEPS_OF_INNER_LOOP:
        values = variables(chain, steps)
        ratio(chain).define({"R": reciprocal("M_1")}).insert({"K_1": values["K_1"]})
        from_rate, d = scalar("n_t") * reciprocal("alpha_t"), scalar("d")
        staying = {f"s_{k}": from_rate * (constant(1) + d * scalar(f"x_{k}")) for k in (1, 2)}
        # n_t >= 2: s_3 and t_3 do not matter, as with three parameters t_3 has no degree of freedom
        roots = {"t_1": d, "t_2": d ** (steps - 1) * scalar("r")}
        over = ("x_1", "x_2", "d", "r")
        there = f"M_{steps}_near"
        near_point(chain, staying, roots, FREEDOM, over, {"M_1": (there, values["M_1"])})
        below = {there: chain.moves[-1].values[there]}
        order(chain, {"d": Exponent(Fraction(-1))}, below).shows_degree(exponent(steps))
    return chain


def _claim() -> Parts:
    return {exponent(steps): sympy.Integer(steps - 2) for steps in STEPS_OF_INNER_LOOP}


# -- what sampling sees -------------------------------------------------------------------------------------

POINTS, PARAMETERS, RATE = 2, 3, 0.8
# the label noise that is exceeded, and how close to the power its share is
LEVELS = (500.0, 2000.0, 8000.0, 32000.0)
DRAWS, BATCH, WITHIN = 4_000_000, 500_000, 0.08


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
    for steps in STEPS_OF_INNER_LOOP:
        started = time.monotonic()
        shares = _shares(f"{step.name}/{seed}/{steps}", steps)
        power = (2 * steps + 1 - float(to_sympy(stated[exponent(steps)]))) / (2 * steps)
        errors = [float(np.sqrt(share / DRAWS)) for share in shares]
        found.append(
            slope_check(
                exponent(steps),
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
    {
        "n_v": 1,
        "q": 2,
        "p": 3,
        "n_t": points,
        "alpha_t": rate,
        "sigma": 0.8,
        "d": 0.01,
        "r": 0.7,
        "x_1": 0.4,
        "x_2": -0.3,
    }
    for points, rate in ((4, 0.7), (2, 1.3), (7, 0.4))
)
STEPS: tuple[Step, ...] = (
    Step(
        "exact-loss-infinite",
        (),
        Kind.BEYOND,
        "With three or four inner steps, one task with one validation point, p = 3, n_t >= 2 and label noise the exact loss is infinite at every training rate alpha_t > 0.",
        "beyond",
        uses=("one-task-suffices", "two-small-matrices"),
        depends_on=DEPENDS,
        claim=_claim,
        derivation=infinite_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="one row in chi-square variables near a zero of M: Jacobian and densities, ordered by their degree",
        remark="The integral of d^-a from zero on is infinite for a >= 1. K is at least sigma^2 / (p - 2), and the mean is at least that over the variables near the point. "
        "With p = 3 the variable t_3 is zero, at which M is no larger in order.",
    ),
)
