"""How far average losses are derived: beyond these bounds a formula takes more than two minutes, or too much memory.

The bounds were found by `derive eval` on one core of a laptop; the slowest within them takes about a minute. They decide
only what is refused.
"""

from __future__ import annotations

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.regime import Regime
from symbolic.algebra.entry_laws import LawOrderError
from symbolic.averages.cumulants import TooManyBlocks
from symbolic.averages.network_polynomial import NotAnExpression
from symbolic.averages.over_laws import MAX_FACTORS, MomentDegreeError
from symbolic.averages.rows import BeyondFourthMoment
from symbolic.proofs.asymptotics import UndecidedOrder
from symbolic.proofs.positivity import SignUnproved

# what a derivation raises where it ends under changed assumptions; anything else that it raises is a failure
OUT_OF_REACH = (
    NotDerivable,
    SignUnproved,
    UndecidedOrder,
    LawOrderError,
    MomentDegreeError,
    TooManyBlocks,
    BeyondFourthMoment,
    NotAnExpression,
)
# inner and adaptation steps together
TOGETHER: dict[tuple[Regime, str], int] = {
    (Regime.OVER, "identity"): 12,
    (Regime.OVER, "general"): 6,
    (Regime.UNDER, "identity"): 12,
    (Regime.UNDER, "general"): 3,
}
INNER_UNDER, INNER_UNDER_GENERAL, INNER_UNDER_NEXT, INNER_UNDER_REUSED_LAW = 7, 2, 3, 1
INNER_OVER_NEXT, ADAPTATION_NEXT = 6, 4


def require_derivable(assumptions: Assumptions, regime: Regime) -> None:
    """Raises NotDerivable, in one line with the bound, for a loss that would take too long to derive."""
    inner, adaptation = assumptions.inner_steps, assumptions.adaptation_steps
    together = TOGETHER[regime, assumptions.covariance]
    if inner + adaptation > together:
        _refuse(f"at most {together} inner and adaptation steps together", assumptions, regime)
    bound = _inner_bound(assumptions, regime)
    if inner > bound:
        _refuse(f"at most {bound} inner {'step' if bound == 1 else 'steps'}", assumptions, regime)
    if assumptions.order == "next" and adaptation > ADAPTATION_NEXT:
        _refuse(f"at most {ADAPTATION_NEXT} adaptation steps", assumptions, regime)
    if assumptions.inputs != "gaussian":
        _require_factors(assumptions, regime)


def _inner_bound(assumptions: Assumptions, regime: Regime) -> int:
    following = assumptions.order == "next"
    if regime is Regime.OVER:
        return INNER_OVER_NEXT if following else TOGETHER[regime, assumptions.covariance]
    if assumptions.covariance == "general":
        return INNER_UNDER_GENERAL
    if assumptions.split == "reused" and assumptions.inputs != "gaussian":
        return INNER_UNDER_REUSED_LAW
    return INNER_UNDER_NEXT if following else INNER_UNDER


def _require_factors(assumptions: Assumptions, regime: Regime) -> None:
    """The degree in the inputs of the highest moment, against what is averaged by cumulants."""
    # B^T B has degree 2 + 4 K, B^T Gamma B twice as much in the training inputs; the test phase has A^J twice
    inner = assumptions.inner_steps
    training = 4 * inner + 2 if regime is Regime.OVER else 8 * inner + 2
    if assumptions.order == "next" and regime is Regime.UNDER:
        training = 12 * inner + 6  # B^T B B^T Gamma B
    degree = max(training, 4 * assumptions.adaptation_steps + 4)
    if degree > MAX_FACTORS:
        raise NotDerivable(
            f"for {assumptions.inputs} inputs and {assumptions.inner_steps} inner and "
            f"{assumptions.adaptation_steps} adaptation steps moments of degree {degree} of the inputs are needed, and "
            f"{MAX_FACTORS} is the highest derived: take fewer steps"
        )


def _refuse(bound: str, assumptions: Assumptions, regime: Regime) -> None:
    where = "above" if regime is Regime.OVER else "below"
    kind = {"identity": "", "general": " with a general covariance"}[assumptions.covariance]
    if assumptions.inputs != "gaussian":
        kind += f" and {assumptions.inputs} inputs" if kind else f" with {assumptions.inputs} inputs"
    if assumptions.split == "reused":
        kind += " and reused data" if kind else " with reused data"
    order = " to the next order" if assumptions.order == "next" else ""
    raise NotDerivable(f"{where} p = n_v m{kind} the loss is derived{order} for {bound}: take fewer")
