"""What no average loss can be below: the test-phase loss (65) of a meta-parameter that deviates from nothing.

The deviation E|omega_star - w_0|^2 is not negative, so a formula below this bound is an expansion outside the sizes
for which it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from derivations.formulas.by_name import derived_parts, formulas
from derivations.formulas.exact import quotient, value_at
from derivations.formulas.parameters import Given
from derivations.formulas.values import Point, checked_point, needs
from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.paper.target_task import loss_coefficients
from derivations.steps.contents import find
from derivations.steps.labels import LOSS
from symbolic.algebra.quotients import Rational


def is_loss(name: str, assumptions: Assumptions) -> bool:
    """Whether the one formula of a step is an average test loss."""
    return LOSS in derived_parts(name, assumptions) and list(formulas(name, assumptions)) == ["value"]


def bound(point: Point, assumptions: Assumptions) -> Fraction:
    """The loss at these values without any deviation, exact; with matrices sigma^2/2, the label noise of the test.

    The point holds alpha_r, except with matrices.
    """
    noise = point.scalars["sigma"] ** 2 / 2
    return noise if point.matrices else max(noise, value_at(_undisturbed(assumptions), point.scalars))


def warning(value: Fraction | float, least: Fraction, name: str, assumptions: Assumptions) -> str:
    """What to say of a loss below the bound, in one line."""
    return (
        f"{float(value):.6g} is below {float(least):.6g}, the loss of a learned parameter without any deviation: "
        f"{remedy(name, assumptions)}"
    )


def remedy(name: str, assumptions: Assumptions) -> str:
    """What to change where a formula takes values that no loss has."""
    more = "n_v, m and n_t" if find(name).regime is Regime.UNDER else "p and n_t"
    less = ", or take order=leading" if assumptions.order == "next" else ""
    return f"the expansion is not valid at these sizes, give larger {more}{less}"


def note(name: str, values: Mapping[str, Given], assumptions: Assumptions, value: float) -> str | None:
    """The warning about a loss evaluated at these values when it is below the bound; None when all is well."""
    if not is_loss(name, assumptions) or find(name).average is not None:
        return None
    scalars, matrices = needs(quotient(formulas(name, assumptions)["value"]), assumptions)
    point = checked_point(name, values, assumptions, needed=scalars, matrices=matrices)
    least = bound(point, assumptions)
    # both are the nearest doubles, so that rounding alone puts neither below the other
    return warning(value, least, name, assumptions) if value < float(least) else None


@lru_cache(maxsize=32)
def _undisturbed(assumptions: Assumptions) -> Rational:
    return quotient(to_sympy(loss_coefficients(assumptions)[0]))
