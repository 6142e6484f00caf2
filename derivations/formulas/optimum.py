"""The learning rate that minimises a loss, with a proof that the minimum is global.

At exact parameter values a loss is a quotient of polynomials with rational coefficients in either rate, alpha_t or
alpha_r; everything is decided by exact arithmetic and rigorous enclosures (`symbolic.proofs.minimum`), for any derived loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import fmpq_poly

from derivations.formulas.by_name import derived_parts, formula, in_regime
from derivations.formulas.exact import along, parameters, quotient
from derivations.formulas.least_loss import bound, is_loss, remedy, warning
from derivations.formulas.normal_inverse import along_rate
from derivations.formulas.parameters import Given, InvalidParameter
from derivations.formulas.values import Point, checked_point, needs, traces
from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.theorem2.general_covariance import INVERSE
from derivations.steps.contents import find
from derivations.steps.labels import LOSS_AT_ZERO, InRegime
from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.quotients import Rational
from symbolic.proofs.minimum import Minimum, NoMinimum, Undecided, minimum

TRAINING, ADAPTATION = RATES = ("alpha_t", "alpha_r")


def optimum(name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER) -> dict[str, Any]:
    """The best rate and loss of that name at the other values: `{"alpha_t": ..., "loss": ..., "certificate": ...}`.

    The rate is the one of alpha_t and alpha_r that is left out, and the first key is its name. It is None when the
    loss does not depend on it, or falls towards its limit without reaching it; the certificate's `reason` says which.
    `symbolic.proofs.minimum_check.recheck` verifies a certificate from its own data.
    Raises ValueError in one line on bad values, on a formula that is no loss, where there is no minimum, and where
    the formula falls below what any loss is.
    """
    found = in_regime(name, values, assumptions)
    if find(name).average is not None:
        raise InvalidParameter(
            f"{name} has an average without a closed form, so no optimum with a certificate: ask eq5, with order=next"
        )
    if len(found) != 1:
        raise InvalidParameter(f"{name} is no loss: ask for the optimum of eq5, eq9 or eq14")
    value = quotient(found["value"])
    scalars, matrices = needs(value, assumptions)
    depends = scalars | set(find(name).parameters)
    at_zero = any(
        isinstance(label, InRegime) and label.quantity == LOSS_AT_ZERO
        for label in derived_parts(name, assumptions)
    )
    if value.roots or not (TRAINING in depends or at_zero):
        raise InvalidParameter(f"{name} does not depend on alpha_t: ask for the optimum of eq5, eq9 or eq14")
    rate = _left_out(name, [rate for rate in RATES if rate in depends], values)
    point = checked_point(name, values, assumptions, needed=scalars - {rate}, matrices=matrices)
    top, bottom = _along_rate(name, value, point, assumptions, rate)
    try:
        best = minimum(top, bottom)
    except NoMinimum as error:
        why = f": {remedy(name, assumptions)}" if is_loss(name, assumptions) else ""
        raise InvalidParameter(f"{name} has no minimum here: {error}{why}") from None
    except Undecided as error:
        raise InvalidParameter(f"the minimum of {name} is not found: {error}") from None
    except OverflowError:
        raise InvalidParameter(f"the minimum of {name} is beyond 1e308: give smaller numbers") from None
    if is_loss(name, assumptions):
        _check_bound(name, best, (top, bottom), point, assumptions, rate)
    certificate = best.certificate
    if certificate["kind"] == "flat":
        zero = [key for key in ("sigma", "nu") if point.scalars.get(key) == 0]
        why = f" when {' and '.join(f'{key} = 0' for key in zero)}" if zero else ""
        certificate["reason"] = f"the loss does not depend on {rate}{why}: every rate is a minimum"
    return {rate: best.at, "loss": best.value, "certificate": certificate}


def slope_at_zero(name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER) -> float:
    """The derivative of the loss of that name in alpha_t at alpha_t = 0, exact until it is rounded.

    Raises ValueError as `optimum`; 0 for a loss that does not depend on the rate.
    """
    value = quotient(formula(name, assumptions))
    scalars, matrices = needs(value, assumptions)
    point = checked_point(name, values, assumptions, needed=scalars - {TRAINING}, matrices=matrices)
    top, bottom = _along_rate(name, value, point, assumptions, TRAINING)
    return float(to_fraction((top[1] * bottom[0] - top[0] * bottom[1]) / bottom[0] ** 2))


def _left_out(name: str, rates: list[str], values: Mapping[str, Given]) -> str:
    """The rate to be found: the one that the formula has and the values do not give."""
    missing = [rate for rate in rates if rate not in values]
    if len(missing) == 1:
        return missing[0]
    if not missing:
        which = "leave it out" if len(rates) == 1 else "leave out the one that is looked for"
        raise InvalidParameter(f"{' and '.join(rates)} given: {which}")
    raise InvalidParameter(
        f"{name} depends on alpha_t and alpha_r: give alpha_r=VALUE to find the best alpha_t, or alpha_t=VALUE to "
        "find the best alpha_r"
    )


def _along_rate(
    name: str, value: Rational, point: Point, assumptions: Assumptions, rate: str
) -> tuple[fmpq_poly, fmpq_poly]:
    """Numerator and denominator of the loss as polynomials in the rate; raises where the loss has a pole at every rate."""
    inverse = INVERSE in parameters(value)[1]
    if inverse and rate == TRAINING:
        top, bottom = along_rate(value, point.matrices, point.scalars, assumptions)
    else:
        top, bottom = along(value, rate, {**point.scalars, **traces(value, point, assumptions)})
    if bottom != 0:
        return top, bottom
    if not point.matrices:
        if rate == TRAINING:
            raise InvalidParameter(
                f"{name} has a pole at these sizes, whatever alpha_t is: change n_v, m or p"
            )
        raise InvalidParameter(f"{name} has a pole at this alpha_t: give another one")
    right = "without eigenvalue 0" if inverse else "that is not zero"
    raise InvalidParameter(f"{name} divides by H_t, which is singular for this Sigma: give a Sigma {right}")


def _check_bound(
    name: str,
    best: Minimum,
    along: tuple[fmpq_poly, fmpq_poly],
    point: Point,
    assumptions: Assumptions,
    rate: str,
) -> None:
    """Raise InvalidParameter when the least loss is one that no loss can be; decided exactly at the rounded rate."""
    if best.at is None and best.certificate["kind"] != "flat":
        # the limit at infinity, where the loss without deviation does not depend on alpha_t
        value = min(Fraction(end) for end in best.certificate["limits"] if end != "infinite")
        at = Fraction(0)
    else:
        at = Fraction(best.at or 0.0)
        top, bottom = (part(to_fmpq(at)) for part in along)
        value = to_fraction(top / bottom)
    least = bound(replace(point, scalars={**point.scalars, rate: at}), assumptions)
    if value < least:
        raise InvalidParameter(
            f"{name} has no valid minimum here: {warning(value, least, name, assumptions)}"
        )
