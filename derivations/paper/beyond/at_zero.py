"""The average test loss and its slope in the training rate at zero, exactly, in both regimes, for Gaussian inputs.

    -  deviation-at-zero-overparameterized         E|omega_star - w_0|^2 at alpha_t = 0, p > n_v m + 1
    -  deviation-at-zero-underparameterized        the same for p < n_v m - 1
    -  exact-loss-at-zero                          the average test loss there, in both regimes
    -  deviation-slope-at-zero-overparameterized   the derivative of E|omega_star - w_0|^2, p > n_v m + 1
    -  deviation-slope-at-zero-underparameterized  the same for p < n_v m - 1
    -  exact-slope-at-zero                         the derivative of the average test loss, in both regimes

At alpha_t = 0 the rows of B are the validation inputs. Below p = n_v m with S = X^T X = L^2 the rows X = Q^T L have a uniform
frame Q, independent of S; E, the rows of one task among all N, is a frame too. The first derivative is linear in the
Gram matrices X_t^T X_t of the tasks, which may be averaged alone. Means of inverses exist with one row or parameter to spare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, dist0_sq, m, n_r, n_v, nu, p, sigma
from derivations.paper.beyond.chains_at_zero import (
    DEVIATION_SLOPES,
    DEVIATIONS,
    LOSSES,
    SLOPE,
    SLOPES,
    loss_at_zero_chain,
    loss_slope_chain,
    slug,
)
from derivations.paper.beyond.one_task import rotations
from derivations.paper.beyond.sampled_at_zero import (
    OVER_SIZES,
    SIZES,
    SLOPE_SIZES,
    deviation_checks,
    deviation_slope_checks,
    loss_checks,
    slope_checks,
)
from derivations.paper.theorem1.concentration import EXCESS, H_R
from derivations.steps.chain import Chain
from derivations.steps.step import Kind, Parts, Step

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val")


# -- what is claimed ----------------------------------------------------------------------------------------


def _deviation(regime: Regime) -> sympy.Expr:
    """Worked out by hand, by a Schur complement and by a matrix-variate beta law."""
    rows, room = n_v * m, p - n_v * m - 1
    if regime is Regime.OVER:
        others = nu**2 / p * rows * (1 + (rows - n_v) / room)
        return sigma**2 * rows / room + others + (1 - rows / p) * dist0_sq
    spare = rows - p - 1
    own = p * n_v * (n_v + 2) / (rows * (rows + 2))
    others = (p * (rows * p - 2) / spare - p) * n_v * (rows - n_v) / ((rows - 1) * rows * (rows + 2))
    return sigma**2 * p / spare + nu**2 / p * m * (own + others)


def _slope(regime: Regime) -> sympy.Expr:
    """Twice the label noise's share of the deviation at zero."""
    rows = n_v * m
    return 2 * sigma**2 * (rows / (p - rows - 1) if regime is Regime.OVER else p / (rows - p - 1))


def _claim_losses() -> Parts:
    noise = sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
    return {LOSSES[regime]: noise + H_R / 2 * (nu**2 + _deviation(regime)) for regime in Regime}


def _claim_slopes() -> Parts:
    return {SLOPES[regime]: H_R / 2 * _slope(regime) for regime in Regime}


# -- the steps ----------------------------------------------------------------------------------------------

_EXISTS = "It exists where p is above n_v m + 1 or below n_v m - 1: between, means of inverse Wishart matrices are infinite."
_DENSITY = (
    "Differentiation under the average needs a law with a density: for inputs that take few values it fails, as an example "
    "shows (two-valued-inputs-diverge)."
)
_DEVIATION_RESTS_ON = {
    Regime.OVER: ("outer-mean-square-as-trace", "target-covariance", "inverse-wishart-mean"),
    Regime.UNDER: (
        "least-squares-mean-square",
        "stacked-design",
        "target-covariance",
        "inverse-wishart-mean",
    ),
}
_SLOPE_RESTS_ON = (
    "outer-mean-square-as-trace",
    "stacked-design",
    "target-covariance",
    "inverse-wishart-mean",
)
_METHODS = {
    Regime.OVER: "Haar average of the start; Schur complement of a Wishart matrix for the tasks",
    Regime.UNDER: "polar decomposition of all rows; second moments of a uniform frame",
}
_INVERSES = {Regime.OVER: "(BB^T)^-1", Regime.UNDER: "(B^TB)^-1"}

_step = partial(Step, equations=(), kind=Kind.BEYOND, page="beyond", depends_on=DEPENDS, applies=rotations)


def _of_deviation(regime: Regime) -> Step:
    return _step(
        slug("deviation-at-zero", regime),
        statement="The mean square deviation at a training rate of zero, exactly, for Gaussian inputs and "
        f"{regime.with_room('p', 'n_v m')}.",
        regime=regime,
        uses=_DEVIATION_RESTS_ON[regime],
        claim=lambda: {EXCESS: _deviation(regime)},
        derivation=DEVIATIONS[regime],
        check=deviation_checks(regime),
        sizes=SIZES[regime],
        method=_METHODS[regime],
    )


def _of_slope(regime: Regime) -> Step:
    solved = ("least-squares-mean-square",) if regime is Regime.UNDER else ()
    return _step(
        slug("deviation-slope-at-zero", regime),
        statement="The derivative of the mean square deviation in the training rate at zero, exactly, for Gaussian inputs and "
        f"{regime.with_room('p', 'n_v m')}.",
        regime=regime,
        uses=(*solved, *_SLOPE_RESTS_ON),
        claim=lambda: {SLOPE: _slope(regime)},
        derivation=DEVIATION_SLOPES[regime],
        check=deviation_slope_checks(regime),
        sizes=SLOPE_SIZES[regime],
        method="the derivative of a word is linear in the tasks' training inputs, of which only the mean remains",
        remark=f"Before the last average it is 2 sigma^2 E Tr {_INVERSES[regime]} at alpha_t = 0, for inputs of any law with "
        f"unit covariance and a density that is bounded near singular designs. {_DENSITY}",
    )


def _of_loss(name: str, deviation: str, chain: Callable[[Assumptions], Chain], **rest: Any) -> Step:
    """The loss or its slope in both regimes, from the deviation or its slope in each."""
    return _step(
        name,
        uses=("loss-from-excess", "adaptation-factor", *(slug(deviation, regime) for regime in Regime)),
        derivation=chain,
        sizes=tuple({**sizes, "n_r": 9, "alpha_r": 0.4} for sizes in OVER_SIZES),
        **rest,
    )


STEPS: tuple[Step, ...] = (
    *map(_of_deviation, Regime),
    _of_loss(
        "exact-loss-at-zero",
        "deviation-at-zero",
        loss_at_zero_chain,
        statement="The average test loss at a training rate of zero, exactly, for Gaussian inputs: above p = n_v m + 1 and below "
        "p = n_v m - 1.",
        claim=_claim_losses,
        check=loss_checks,
        method="the exact deviation put into the exact test phase (65)",
        remark=_EXISTS,
        parameters=("n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r", "dist0_sq"),
    ),
    *map(_of_slope, Regime),
    _of_loss(
        "exact-slope-at-zero",
        "deviation-slope-at-zero",
        loss_slope_chain,
        statement="The derivative of the average test loss in the training rate at zero, exactly, for Gaussian inputs: positive in both "
        "regimes where labels are noisy, so that a negative rate helps.",
        claim=_claim_slopes,
        check=slope_checks,
        method="the exact slope of the deviation put into the exact test phase (65)",
        remark=f"{_EXISTS} {_DENSITY}",
        parameters=("n_v", "n_r", "m", "p", "sigma", "alpha_r"),
    ),
)
