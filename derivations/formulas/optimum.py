"""The learning rate that minimises a loss, with a proof that the minimum is global.

At exact parameter values a loss is a quotient of polynomials with rational coefficients in either rate, alpha_t or
alpha_r; everything is decided by exact arithmetic and rigorous enclosures (`symbolic.proofs.minimum`), for any derived loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import fmpq_poly
from numpy.polynomial.chebyshev import Chebyshev

from derivations.formulas.by_name import derived_parts, evaluate_named, formula, in_regime
from derivations.formulas.exact import along, parameters, quotient, value_at
from derivations.formulas.least_loss import bound, is_loss, remedy, warning
from derivations.formulas.normal_inverse import along_rate
from derivations.formulas.parameters import Given, InvalidParameter
from derivations.formulas.values import Point, checked_point, needs, traces
from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.beyond.exact_loss import InfiniteLoss
from derivations.paper.theorem2.general_covariance import INVERSE
from derivations.steps.contents import find
from derivations.steps.labels import LOSS_AT_ZERO, InRegime
from derivations.steps.step import DrawsAtAnyRate
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
        return _of_average(name, values, assumptions)
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


# the rates at which an average is looked at first, alpha / (1 + |alpha|), and the nodes at which it is looked at closer, each time in
# a smaller part of what is left
GRID, NODES, NARROWINGS = 24, 9, (1, 8, 64)
CANDIDATES = 2  # of the least places of a grid, those that are looked at closer
TOLD_APART = 5  # standard errors
SURE = 1e-4  # error of an average in the search
FIRST_DRAWS, DRAWS = 8_192, 65_536  # where the same draws serve all rates: on the grid, and closer


def _of_average(name: str, values: Mapping[str, Given], assumptions: Assumptions) -> dict[str, Any]:
    """The best alpha_t of a loss with an average that has no closed form: the least on a grid, closed in on.

    Between neighbours of the grid the loss is not bounded: the certificate says so.
    """
    average = find(name).average
    assert average is not None
    if TRAINING in values:
        raise InvalidParameter(f"{TRAINING} given: leave it out, and give alpha_r=VALUE")
    negative = average.negative(assumptions)
    value = quotient(formula(name, assumptions))
    needed = parameters(value)[0] - {average.name} | {*average.needs}

    def numbers_at(rate: float) -> Mapping[str, Fraction]:
        given = {**values, TRAINING: Fraction(rate)}
        return checked_point(name, given, assumptions, needed=needed, matrices=set()).scalars

    def loss_of(rate: float, mean: float) -> float:
        return float(value_at(value, {**numbers_at(rate), average.name: Fraction(mean)}))

    @cache
    def loss(rate: float) -> float:
        """To the error of the search."""
        numbers = {key: float(number) for key, number in numbers_at(rate).items()}
        return loss_of(rate, average.value(assumptions, numbers, SURE).mean)

    def common_draws(most: int, rate: float) -> DrawsAtAnyRate | None:
        numbers = {key: float(x) for key, x in numbers_at(rate).items()}
        return average.at_any_rate(assumptions, numbers, most)

    only_negative = negative is not None
    try:
        few = common_draws(FIRST_DRAWS, -1.0 if only_negative else 1.0)
    except InfiniteLoss:
        few, only_negative = common_draws(FIRST_DRAWS, -1.0), True
    many = None if few is None else common_draws(DRAWS, -1.0)

    def seen(rate: float, draws: DrawsAtAnyRate | None) -> float:
        return loss(rate) if draws is None else loss_of(rate, float(np.mean(draws.at(rate))))

    places = [-1 + (1 if only_negative else 2) * k / GRID for k in range(1, GRID)]
    grid = [seen(_at(place), few) for place in places]
    low = [k for k in range(len(grid)) if grid[k] <= min(grid[max(k - 1, 0) : k + 2])]
    step = places[1] - places[0]
    rates = []
    for k in sorted(low, key=lambda k: grid[k])[:CANDIDATES]:
        left, right = max(places[k] - step, -1 + step / 8), min(places[k] + step, 1 - step / 8)
        rates.append(_at(_least_between(lambda place: seen(_at(place), many), left, right)))
    rate = rates[0] if many is None else _better(many, rates, loss)
    found = evaluate_named(name, {**values, TRAINING: Fraction(rate)}, assumptions)
    flat = max(grid) - min(grid) <= 1e-13 * abs(found["value"])
    certificate: dict[str, Any] = {"kind": "flat" if flat else "search", "error": found["error"]}
    where = "all negative ones" if only_negative else "the whole line"
    reason = f"the least of {len(places)} rates over {where}, closed in on; nothing is proved between them"
    if only_negative:
        reason = f"{negative or 'the mean loss is infinite at every alpha_t > 0'}; {reason}"
    if flat:
        reason = "the loss does not depend on alpha_t: every rate is a minimum"
    elif abs(rate) > abs(_at(1 - step / 4)):
        reason += "; the loss still falls at the largest rates that were looked at"
    elif many is not None:
        certificate["rate_error"] = _error_of_rate(many, rate)
        reason += (
            f"; the rate is known to about {certificate['rate_error']:.1g}, from draws that serve all rates"
        )
    certificate["reason"] = reason
    return {TRAINING: None if flat else rate, "loss": found["value"], "certificate": certificate}


def _at(place: float) -> float:
    return place / (1 - abs(place))


def _least_between(function: Callable[[float], float], left: float, right: float) -> float:
    """Where a smooth function is least between two places: of its interpolation at Chebyshev nodes, in ever smaller parts."""
    low, high = left, right
    best = (left + right) / 2
    for narrower in NARROWINGS:
        half = (right - left) / (2 * narrower)
        low, high = max(left, best - half), min(right, best + half)
        fitted = Chebyshev.interpolate(np.vectorize(function, otypes=[float]), NODES - 1, domain=[low, high])
        slopes = fitted.deriv().roots()
        inside = [
            float(x.real)
            for x in map(complex, slopes)
            if abs(x.imag) < 1e-9 * (high - low) and low < x.real < high
        ]
        best = min([low, high, *inside], key=lambda place: float(fitted(place)))
    return best


def _better(draws: DrawsAtAnyRate, rates: list[float], loss: Callable[[float], float]) -> float:
    """The rate of the least mean: by draws that serve all, or by the losses themselves where these cannot tell."""
    best, *others = sorted(rates, key=lambda rate: float(np.mean(draws.at(rate))))
    for other in others:
        gap = draws.at(other) - draws.at(best)
        if np.mean(gap) < TOLD_APART * np.std(gap) / len(gap) ** 0.5:
            return min(rates, key=loss)
    return best


def _error_of_rate(draws: DrawsAtAnyRate, rate: float) -> float:
    """The standard error of a stationary point of a mean over draws: that of its slope, over its curvature."""
    step = 1e-3 * (1 + abs(rate))
    below, here, above = (draws.at(one) for one in (rate - step, rate, rate + step))
    slopes, curvature = (above - below) / (2 * step), np.mean(above - 2 * here + below) / step**2
    return float(np.std(slopes) / len(slopes) ** 0.5 / abs(curvature))


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
    if bottom:
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
