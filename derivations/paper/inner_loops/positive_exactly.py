"""Several inner steps make the best rate positive, exactly: with two, three and four, one validation point and large sizes.

    -  several-steps-positive  the exact loss at one positive rate is below that at every rate that is not, for p = 2 n_t and n_t from a bound on

The exact loss is, with positive factors and up to what does not depend on the rate, the mean of K / M (`one-task-suffices`,
`two-small-matrices`). With one validation point M and K are polynomials in independent chi-square variables. A number c is between:

    n_t E K / M < c     at a positive rate, as K / M = K (2 g - g^2 M) + K (1 - g M)^2 / M and M is at least the square of its last component
    n_t E K / M > c     at every rate of zero or below, as E K / M >= E K (2 g - g^2 M) for every g, best at g = E K / E K M

All means are exact rational functions of n_t, and both inequalities certificates of positive coefficients.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import n_t, n_v, p
from derivations.paper.beyond.one_task import mean_of_inverse, one_task, require_rotations
from derivations.paper.beyond.reduction import M_INVERSE, square
from derivations.steps.chain import Chain
from derivations.steps.chains.products import by_powers
from derivations.steps.domains import Where
from derivations.steps.held import Held
from derivations.steps.labels import Sign
from derivations.steps.rules.certified_signs import BOUNDS, Domain, certify, recording
from derivations.steps.rules.rotations import quotient
from derivations.steps.rules.single_row.bidiagonal import average_over_row, bidiagonal, components
from derivations.steps.rules.single_row.reciprocals import (
    at_least_last_square,
    at_least_tangent,
    expand_reciprocal,
)
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.support.files import write_json
from derivations.verification.growth import sign_check
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.single_row import label_noise
from symbolic.algebra.words import Expression, constant, identity, reciprocal, scalar, tr

SIZE = 2 * scalar("n_t")

ONE_ROW = {"n_v": "1", "p": "2*n_t"}


@dataclass(frozen=True)
class Place:
    """So many inner steps, from so many training points on: a positive rate, what n_t E K / M is less than there and more than elsewhere.

    about: near the mean of M at that rate. edges: of the pieces into which rates below zero are cut, from zero on.
    """

    steps: int
    points: int
    rate: Fraction
    about: Fraction
    level: Fraction
    edges: tuple[Fraction, ...]

    @property
    def below(self) -> Sign:
        """The sign of the distance of the level from the positive rate's mean."""
        return Sign(
            rf"\big[c-n_t\,\mathbb{{E}}\,K/M\big]_{{{self.steps}\text{{ steps}},\,\alpha_t={self.rate}}}",
            Where({**ONE_ROW, "alpha_t": str(self.rate)}, {"n_t": Fraction(self.points)}),
        )

    def above(self, low: Fraction, high: Fraction | None) -> Sign:
        """The sign of the distance of the means at rates on a piece below zero from the level."""
        to = rf"{low}\le-\alpha_t" + ("" if high is None else rf"\le{high}")
        rate = {"alpha_t": "-x - 1/2"} if high is None else {"alpha_t": "-1/2*1/y*x", "y": "x + 1"}
        return Sign(
            rf"\big[n_t\,\mathbb{{E}}\,K/M-c\big]_{{{self.steps}\text{{ steps}},\,{to}}}",
            Where({**ONE_ROW, **rate}, {"n_t": Fraction(self.points), "x": Fraction(0)}),
        )

    @property
    def pieces(self) -> list[tuple[Fraction, Fraction | None]]:
        """The pieces, the last without an end."""
        return [*pairwise(self.edges), (self.edges[-1], None)]


# what is cut at 1/2 has positive coefficients on either side
HALVES = (Fraction(0), Fraction(1, 2))
PLACES = (
    Place(2, 1000, Fraction(6, 5), Fraction(40), Fraction(113, 500), HALVES),
    Place(3, 10**5, Fraction(17, 10), Fraction(9693), Fraction(27, 125), HALVES),
    Place(4, 10**5, Fraction(3, 4), Fraction(173), Fraction(1, 5), HALVES),
)
DEPENDS = ("inputs", "covariance", "split", "noise_val")


# what of the deviation for one task depends on the rate
RATIO = tr(M_INVERSE @ square("K"))


@lru_cache(maxsize=2)
def positive_chain(assumptions: Assumptions) -> Chain:
    """Both inequalities for two, three and four inner steps."""
    require_rotations(assumptions)
    chain = Chain(scalar("ratio")).define({"ratio": RATIO}, "two-small-matrices")
    for place in PLACES:
        values = variables(chain, place.steps)
        at_positive_rate(chain, place, values)
        below_zero(chain, place, values)
    return chain


def variables(chain: Chain, steps: int) -> dict[str, Expression]:
    """M and K with so many inner steps and one validation point, in chi-square variables."""
    assumptions = replace(PAPER, inner_steps=steps)
    task, found = one_task(assumptions).split(), {}
    held = Held(assumptions, {"mean_inverse": mean_of_inverse()})
    for name, word in (("M", task.gram), ("K", task.weight)):
        number = f"{name}_1"
        chain.begin(scalar(number)).define({number: tr(square(name))})
        chain.insert({name: word}, "two-small-matrices", held=held)
        found[number] = bidiagonal(chain, "U", "V", steps).result
    return found


def at_positive_rate(chain: Chain, place: Place, values: Mapping[str, Expression]) -> Chain:
    """The level is more than n_t E K / M at the positive rate."""
    ratio(chain)
    expand_reciprocal(chain, "R", "M_1", constant(1 / place.about))
    squares = components(place.steps, scalar("alpha_t") * reciprocal("n_t"))
    at_least_last_square(chain, "R", "M_1", values, squares)
    chain.insert(dict(values)).insert({"alpha_t": constant(place.rate)})
    level, freedom = f"level_{place.steps}", f"freedom_{place.steps}"
    average_over_row(chain, place.steps, SIZE, freedom)
    top, degrees = chain.result, chain.moves[-1].values[freedom]
    chain.begin(scalar(level) - scalar("ratio")).insert({"ratio": top}).define({level: _level(place)})
    return certify(chain, {freedom: degrees, **_free()}, domain=_domain(place), apart=()).shows_sign(
        place.below
    )


def ratio(chain: Chain) -> Chain:
    """K / M, as one row of validation data makes a number of either."""
    numbers = {name: scalar(to) * identity("n_v") for name, to in (("M_inverse", "R"), ("K", "K_1"))}
    return chain.begin(RATIO).define(numbers, "two-small-matrices").insert({"n_v": constant(1)})


def below_zero(chain: Chain, place: Place, values: Mapping[str, Expression]) -> Chain:
    """The level is less than n_t E K / M at every rate of zero or below."""
    at_least_tangent(ratio(chain), "R", "M_1", "g").insert(dict(values))
    bound = average_over_row(chain, place.steps, SIZE).result
    by_power = by_powers(bound, ["g"])
    once, twice = by_power[1,] * Fraction(1, 2), -1 * by_power[2,]
    level = f"level_{place.steps}"
    chain.begin(scalar("ratio") - scalar(level)).insert({"ratio": bound}).define({level: _level(place)})
    square_part = f"B_{place.steps}"
    chain.define({"g": once * reciprocal(square_part)})
    start = chain.result
    for low, high in place.pieces:
        domain = _domain(place, low, high)
        certify(chain.begin(start), {square_part: twice, **_free()}, domain=domain, apart=()).shows_sign(
            place.above(low, high)
        )
    return chain


def _level(place: Place) -> Expression:
    return place.level * scalar("sigma") ** 2 * reciprocal("n_t")


def _free() -> dict[str, Expression]:
    """The mean of one over the squared length of a row, at p = 2 n_t."""
    value, free = quotient(mean_of_inverse().subs({n_v: 1, p: 2 * n_t}), "free")
    return {"mean_inverse": value, "free": free}


def _domain(place: Place, low: Fraction | None = None, high: Fraction | None = None) -> Domain:
    """Sizes from a bound on, and rates on a piece below zero: -alpha_t = low + x, or (low + high x) / (1 + x), for x >= 0."""
    bounds = {"n_t": Fraction(place.points)}
    if low is None:
        return Domain(at_least=bounds)
    x = scalar("x")
    within = {"alpha_t": -1 * (constant(low) + x)}
    if high is not None:
        within = {"alpha_t": -1 * (constant(low) + high * x) * reciprocal("y"), "y": constant(1) + x}
    return Domain(at_least={**bounds, "x": Fraction(0)}, within=within)


# -- the certificates as data -------------------------------------------------------------------------------

FILE = Path(__file__).with_suffix(".json")


def document() -> list[dict[str, Any]]:
    """All certificates of the chain, each with where it holds: `symbolic/proofs/plain_check.py` checks them by itself."""
    with recording() as found:
        shown = positive_chain.__wrapped__(PAPER).parts
    labels = [(label, place) for place in PLACES for label in _labels(place)]
    if len(labels) != len(found) or {*shown} != {label for label, _ in labels}:
        raise ValueError("there is another number of certificates than of signs")
    return [
        {"what": str(label), "sign": which, "certificate": certificate, "domain": _bounds(place)}
        for (label, place), (_, which, certificate) in zip(labels, found, strict=True)
    ]


def _labels(place: Place) -> list[Sign]:
    return [place.below, *(place.above(low, high) for low, high in place.pieces)]


def _bounds(place: Place) -> dict[str, Any]:
    """Sizes from the bound of the place on, noise positive, distances along a piece not negative."""
    bounds = {name: str(bound) for name, bound in {**BOUNDS, "x": Fraction(0)}.items()}
    return {
        "bounds": {**bounds, "n_t": str(place.points)},
        "strict": sorted({*BOUNDS} - {"n_t"}),
        "nonzero": [],
    }


# -- what sampling sees -------------------------------------------------------------------------------------

# rates of zero and below at which n_t E K / M is sampled, and draws
RATES = (0.0, -0.1, -0.41, -1.0, -5.0)
DRAWS = 4000


# of moves, at which their signs hold
SIZES: tuple[Mapping[str, float], ...] = tuple(
    {"n_t": 100_000, "n_v": 1, "q": q, "p": q + 1, "x": x, "alpha_t": rate, "sigma": 0.8}
    for q, x, rate in ((5, 0.3, -0.4), (6, 2.0, 0.7), (7, 0.9, -1.5))
)


def _claim() -> Parts:
    return {label: sympy.Integer(1) for place in PLACES for label in _labels(place)}


@lru_cache(maxsize=8)
def _distances(place: Place, text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much n_t times the label noise is below the level at the positive rate, and above it at the others, with errors."""
    rates = [float(place.rate), *RATES]
    source = generator_for(text)
    seen = place.points * label_noise(source, place.points, 2 * place.points, place.steps, rates, DRAWS)
    gaps = (seen.mean(axis=1) - float(place.level)) * np.where(np.arange(len(rates)) == 0, -1, 1)
    return gaps, seen.std(axis=1, ddof=1) / np.sqrt(DRAWS)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The level against the label noise that passes through the inner loop at the smallest size of each place."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated = {label: int(to_sympy(part)) for label, part in step.derive(assumptions).items()}
    found = []
    for place in PLACES:
        started = time.monotonic()
        gaps, errors = _distances(place, f"{step.name}/{seed}/{place.steps}")
        rates = [float(place.rate), *RATES]
        for k, rate in enumerate(rates):
            label = _labels(place)[0 if k == 0 else 1 if rate >= -0.5 else 2]
            found.append(
                sign_check(
                    str(label),
                    {"n_t": float(place.points), "inner_steps": float(place.steps), "alpha_t": rate},
                    float(gaps[k]),
                    float(errors[k]),
                    stated[label],
                    said="the distance from the level is",
                    draws=DRAWS,
                    seconds=(time.monotonic() - started) / len(rates),
                )
            )
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "several-steps-positive",
        (),
        Kind.BEYOND,
        "With noisy labels, one validation point of each task, p = 2 n_t and several inner steps the exact loss is lower at one positive training rate than "
        "at every rate of zero or below: with two steps at 6/5 for all n_t >= 1000, with three at 17/10 and with four at 3/4 for all "
        "n_t >= 100000; whatever the number of tasks m < p - 1, and the other noise and rates.",
        "positive_rates",
        uses=("one-task-suffices", "two-small-matrices", "exact-loss"),
        depends_on=DEPENDS,
        claim=_claim,
        derivation=positive_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="one row in chi-square variables; bounds on both sides of a number, with exact means, certified by positive coefficients",
        remark="Of the loss only E K / M depends on the training rate, which is lower than a number at the positive rate and higher than it at all others that are named: "
        f"c is {', '.join(str(place.level) for place in PLACES)} times sigma^2 with two, three and four steps. "
        "The bounds are good where sizes are large; that they hold from n_t = 1000 or 100000 on says nothing of smaller sizes. The certificates are data, "
        "positive_exactly.json, and symbolic/proofs/plain_check.py checks them with nothing but the standard library.",
    ),
)


def main() -> None:
    """Writes the certificates anew, after the proof was edited."""
    write_json(FILE, document(), indent=None)


if __name__ == "__main__":
    main()
