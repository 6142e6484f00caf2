"""The training rate that minimises a loss, with a proof that the minimum is global.

At exact parameter values a loss is a quotient of polynomials in alpha_t with rational coefficients;
everything is decided by exact arithmetic and rigorous enclosures (`symbolic.minimum`), for any derived loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import fmpq_poly

from derivations.assumptions import PAPER, Assumptions
from derivations.exact_values import along, as_fraction, parameters, quotient
from derivations.formulas import formula, formulas
from derivations.general_underparameterized import INVERSE
from derivations.normal_inverse import along_rate
from derivations.parameters import Given, InvalidParameter
from derivations.point import Point, checked_point, needs, traces
from derivations.registry import find
from symbolic.minimum import NoMinimum, minimum
from symbolic.rational import Rational

RATE = "alpha_t"
# Of a numerator or denominator: isolating the roots takes minutes for numbers of sixty digits.
MOST_BITS = 128


def optimum(name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER) -> dict[str, Any]:
    """`{"alpha_t": ..., "loss": ..., "certificate": ...}` for the loss of that name at the other values.

    alpha_t is None when the loss does not depend on it, or falls towards its limit without reaching it; the
    certificate's `reason` says which. `symbolic.minimum_check.recheck` verifies one from its own data.
    Raises ValueError in one line on bad values, on a formula that is no loss, and where there is no minimum.
    """
    found = formulas(name, assumptions)
    if len(found) != 1:
        raise InvalidParameter(f"{name} is no loss: ask for the optimum of eq5, eq9 or eq14")
    value = quotient(found["value"])
    scalars, matrices = needs(value, assumptions)
    if value.roots or not {RATE} & (scalars | set(find(name).parameters)):
        raise InvalidParameter(f"{name} does not depend on alpha_t: ask for the optimum of eq5, eq9 or eq14")
    if RATE in values:
        raise InvalidParameter("alpha_t is what is looked for: leave it out")
    point = checked_point(name, values, assumptions, needed=scalars - {RATE}, matrices=matrices)
    _require_few_digits(point)
    try:
        found_at = minimum(*_along_rate(value, point, assumptions))
    except NoMinimum as error:
        raise InvalidParameter(f"{name} has no minimum here: {error}") from None
    except (ArithmeticError, ValueError):  # no double, or more digits than Python writes out
        raise InvalidParameter(
            f"the numbers of {name} differ by too many orders of magnitude here: give ones nearer to 1"
        ) from None
    certificate = found_at.certificate
    if certificate["kind"] == "flat":
        zero = [key for key in ("sigma", "nu") if point.scalars.get(key) == 0]
        why = f" when {' and '.join(f'{key} = 0' for key in zero)}" if zero else ""
        certificate["reason"] = f"the loss does not depend on alpha_t{why}: every rate is a minimum"
    return {RATE: found_at.at, "loss": found_at.value, "certificate": certificate}


def _require_few_digits(point: Point) -> None:
    """Raises InvalidParameter for a number of so many digits that its work would not end."""
    for key, value in point.scalars.items():
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
            raise InvalidParameter(
                f"{key} is beyond 1e38 or has more than 38 digits: give a number nearer to 1"
            )


def slope_at_zero(name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER) -> float:
    """The derivative of the loss of that name in alpha_t at alpha_t = 0, exact until it is rounded.

    Raises ValueError as `optimum`; 0 for a loss that does not depend on the rate.
    """
    value = quotient(formula(name, assumptions))
    scalars, matrices = needs(value, assumptions)
    point = checked_point(name, values, assumptions, needed=scalars - {RATE}, matrices=matrices)
    top, bottom = _along_rate(value, point, assumptions)
    return float(as_fraction((top[1] * bottom[0] - top[0] * bottom[1]) / bottom[0] ** 2))


def _along_rate(value: Rational, point: Point, assumptions: Assumptions) -> tuple[fmpq_poly, fmpq_poly]:
    """Numerator and denominator of the loss as polynomials in the rate."""
    if INVERSE in parameters(value)[1]:
        return along_rate(value, point.matrices, point.scalars, assumptions)
    return along(value, RATE, {**point.scalars, **traces(value, point, assumptions)})
