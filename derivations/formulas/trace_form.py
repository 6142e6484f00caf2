"""Formulas of matrices at fixed covariances: traces taken once, then a quotient of polynomials in the rates.

Expanded in powers of the learning rates, a derived formula such as (14) contains the covariances only through
traces of words free of the rates. With those known, a value costs a few multiplications whatever p is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mpoly, fmpq_poly
from numpy.typing import ArrayLike, NDArray

from derivations.formulas.by_name import evaluate_named, formula
from derivations.formulas.eigenbasis import Eigenbasis, double, word_of
from derivations.formulas.exact import TRACE, fourth_moment, parameters, quotient
from derivations.formulas.parameters import Given, InvalidParameter, Matrix, common_shape
from derivations.formulas.values import checked_point
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.normal_form import normal_form
from derivations.paper.theorem2.general_covariance import INVERSE
from symbolic.algebra.coefficients import named_terms, to_fmpq
from symbolic.algebra.words import Expression

Array = NDArray[np.float64]
Coefficients = tuple[tuple[float, ...], ...]
RATES = ("alpha_t", "alpha_r")


@dataclass(frozen=True)
class TraceForm:
    """A loss at fixed sizes, noise and covariances, as a function of the two learning rates.

    numerator, denominator: coefficients, by the power of alpha_r and then of alpha_t - centre. About the
    centre, the mean of the denominator's roots, nothing cancels where the denominator is small.
    """

    centre: float
    numerator: Coefficients
    denominator: Coefficients

    def __call__(self, alpha_t: ArrayLike, alpha_r: ArrayLike) -> Array:
        """The loss at rates that broadcast against each other, in their common shape."""
        shifted = np.asarray(alpha_t, dtype=np.float64) - self.centre
        rate = np.asarray(alpha_r, dtype=np.float64)
        return np.asarray(_value(self.numerator, shifted, rate) / _value(self.denominator, shifted, rate))


def trace_form(name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER) -> TraceForm:
    """The formula of `name` (`eq14`) at `values`, which hold everything but the rates.

    Raises ValueError as `formulas.evaluate_named` does.
    """
    value = quotient(formula(name, assumptions))
    needed, matrices = parameters(value)
    if INVERSE in matrices:
        raise InvalidParameter(f"the traces of {name} depend on alpha_t here: evaluate it rate by rate")
    placed = {**values, **dict.fromkeys(RATES, 0)}
    point = checked_point(name, placed, assumptions, needed=needed, matrices=matrices)
    numbers = {key: to_fmpq(q) for key, q in point.scalars.items() if key not in RATES}
    numbers |= _traces(sorted(n for n in value.names() if n.startswith(TRACE)), point.matrices, assumptions)
    top, bottom = (_in_rates(part, numbers) for part in (value.numerator, value.denominator))
    try:
        centre = _mean_root(bottom[0])
        return TraceForm(centre, _shifted(top, centre), _shifted(bottom, centre))
    except OverflowError:
        raise InvalidParameter(
            f"a coefficient of {name} in the rates is beyond 1e308 here: give smaller numbers"
        ) from None


@dataclass(frozen=True)
class RateFunction:
    """The formula of matrices of a step as a function of arrays of the two rates, which broadcast; the rest is fixed.

    Raises ValueError, in one line, where `evaluate_named` does.
    """

    name: str
    assumptions: Assumptions

    def __call__(self, **values: Any) -> Any:
        """The value at the given parameters: a float, or an array in the common shape of the rates."""
        fixed = {name: value for name, value in values.items() if name not in RATES}
        rates = {name: np.asarray(values[name]) for name in RATES if name in values}
        shape = common_shape(rates)

        def exact(place: tuple[Any, ...]) -> float:
            there = {name: np.broadcast_to(rate, shape)[place].item() for name, rate in rates.items()}
            return evaluate_named(self.name, {**fixed, **there}, self.assumptions)["value"]

        if not shape:
            return exact(())
        if (
            len(rates) < len(RATES)
            or INVERSE in parameters(quotient(formula(self.name, self.assumptions)))[1]
        ):
            return np.array([exact(place) for place in np.ndindex(shape)]).reshape(shape)
        with np.errstate(all="ignore"):
            found = np.array(trace_form(self.name, fixed, self.assumptions)(**rates))
        for place in np.argwhere(~np.isfinite(found)):
            found[tuple(place)] = exact(tuple(place))
        return found


# -- traces -------------------------------------------------------------------------------------------------


def _traces(names: list[str], given: Mapping[str, Matrix], assumptions: Assumptions) -> dict[str, fmpq]:
    """The traces by name; F follows from Sigma and the law of the inputs where it is not given."""
    words = {name: word_of(name) for name in names}
    basis = Eigenbasis(given)
    if "F" not in given and any("F" in word for word in words.values()):
        found = fourth_moment(given["Sigma"], assumptions.inputs)
        if isinstance(found, Expression):
            basis.define("F", normal_form(found))
        else:
            basis = Eigenbasis({**given, "F": found})
    return {name: basis.trace(word) for name, word in words.items()}


# -- polynomials in the rates -------------------------------------------------------------------------------


def _in_rates(poly: fmpq_mpoly, numbers: Mapping[str, fmpq]) -> list[fmpq_poly]:
    """The polynomials in alpha_t that multiply each power of alpha_r, everything else at its number."""
    rows: list[dict[int, fmpq]] = []
    for exponents, coefficient in named_terms(poly):
        powers, term = dict.fromkeys(RATES, 0), coefficient
        for name, exponent in exponents.items():
            if name in RATES:
                powers[name] = exponent
            else:
                term *= numbers[name] ** exponent
        rows += [{} for _ in range(powers["alpha_r"] + 1 - len(rows))]
        row = rows[powers["alpha_r"]]
        row[powers["alpha_t"]] = row.get(powers["alpha_t"], fmpq(0)) + term
    return [fmpq_poly([row.get(k, fmpq(0)) for k in range(max(row, default=0) + 1)]) for row in rows]


def _mean_root(poly: fmpq_poly) -> float:
    """The mean of the roots, from the two highest coefficients; 0 for a constant."""
    degree = poly.degree()
    if degree < 1:
        return 0.0
    mean = -poly[degree - 1] / (degree * poly[degree])
    return double(mean)


def _shifted(rows: list[fmpq_poly], centre: float) -> Coefficients:
    """The coefficients about the centre: exact until they are rounded, once, to doubles."""
    line = fmpq_poly([fmpq(*centre.as_integer_ratio()), 1])
    return tuple(tuple(double(c) for c in row(line).coeffs()) for row in rows)


def _value(rows: Coefficients, shifted: Array, rate: Array) -> Array:
    """Horner's rule in both rates; what depends on alpha_t alone is formed in the shape of alpha_t."""
    return _horner([_horner(row, shifted) for row in rows], rate)


def _horner(coefficients: Sequence[Array | float], variable: Array) -> Array:
    if not coefficients:  # the zero polynomial
        return np.asarray(0.0)
    total: Array = np.asarray(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * variable + coefficient
    return total
