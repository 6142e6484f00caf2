"""Theorem 2 without its proviso: every global minimizer of (9) in the training rate is negative.

    -  theorem-2-minimum-is-negative  for all sizes and noisy labels, small or not in absolute value

With c = 1 / mu_2 the deviation V(alpha) of (97) has four properties, which are the parts of the step:

    V(alpha) > V(0) for 0 < alpha < 2 c              g_3 - h_t^2 and g_4 - h_t^2 are alpha^2 times positive quadratics, h_t <= 1
    V(2 c + t) > V(-t) for t >= 0                    h_t is the same at both, and g_1 to g_4 are larger at the first
    V'(0) > 0                                        some negative rate is better than zero
    alpha (V(alpha) - V(infinity)) > 0 at infinity   V approaches its limit at minus infinity from below

By the first two no rate above zero attains the infimum, by the third zero does not, by the last it is attained at a finite rate.
The loss is the deviation times h_r / 2 > 0, and what does not depend on alpha_t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import sympy

from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem2.concentration import INNER
from derivations.paper.theorem2.expansion import EXCESS, excess_proof
from derivations.paper.theorem2.learning_rates import SIZES
from derivations.paper.theorem2.rate_chains import FROM_ONE
from derivations.steps.chain import Chain
from derivations.steps.domains import Where
from derivations.steps.labels import Sign
from derivations.steps.rules.certified_signs import BOUNDS, Domain, certify, recording, write_by_rest
from derivations.steps.rules.derivatives import at_zero, insert_values_at, limit, slope_at_zero
from derivations.steps.rules.fractions_of import DENOMINATOR, complement, one_fraction
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.support.files import write_json
from derivations.verification.growth import difference_check
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import Expression, constant, reciprocal, scalar
from symbolic.proofs.positivity import Certificate

Names = Mapping[str, Expression]
# mu_2 = (n_t + p + 1) / n_t
NEAR = Sign(
    r"\big[V(\alpha_t)-V(0)\big]_{0<\alpha_t<2/\mu_2}",
    Where({"alpha_t": "2*1/y*n_t", "y": "n_t + p + room + 1"}, nonzero=frozenset({"alpha_t"})),
)
FAR = Sign(
    r"\big[V(2/\mu_2+t)-V(-t)\big]_{t\ge0}",
    Where({"alpha_t in V_far": "2*1/mu_2 + t", "alpha_t in V_near": "-t"}, {"t": Fraction(0)}),
)
AT_ZERO = Sign(r"V'(0)", Where({"alpha_t": "0"}))
TAIL = Sign(
    r"\lim_{\alpha_t\to\pm\infty}\alpha_t\big[V(\alpha_t)-V(\infty)\big]", Where({"alpha_t": "infinity"})
)
RATE = scalar("alpha_t")
SOURCES = ("sigma", "nu", "n_v")
# what is known to be positive besides sizes and noise: room is the distance of 2 n_t / alpha_t from n_t + p + 1
SHOWN = ("h_t", "g_1", "g_2", "d_3", "d_4")
KNOWN = dict.fromkeys((*SHOWN, "t"), Fraction(0))


def _nonzero(domain: Domain) -> Domain:
    return replace(domain, nonzero=frozenset({"alpha_t"}))


@lru_cache(maxsize=4)
def minimum_chain(assumptions: Assumptions) -> Chain:
    """The four properties, each by certificates of signs."""
    excess, found = excess_proof(assumptions).named_parts[EXCESS]
    names = dict(found())
    h = scalar("h_t")
    variances = {"d_3": names["g_3"] - h**2, "d_4": names["g_4"] - h**2}
    chain = Chain(names["h_t"])
    certify(chain, names, domain=FROM_ONE, apart=())
    for name in ("g_1", "g_2"):
        certify(chain.begin(names[name]), names, domain=FROM_ONE, apart=())
    for value in variances.values():
        certify(chain.begin(value), names, domain=_nonzero(FROM_ONE), apart=())
    # 0 < alpha_t <= 2/mu_2
    at_zero(chain.begin(excess), ("alpha_t",), names, "excess-underparameterized-short")
    start = chain.result
    by_rest = {name: h**2 + scalar(f"d_{name[-1]}") for name in ("g_3", "g_4")}
    write_by_rest(chain.begin(excess - start), by_rest, {**names, **variances, "h_t": h})
    complement(chain, "h_t", "k", names, FROM_ONE)
    distance = {"y": scalar("n_t") + scalar("p") + constant(1) + scalar("room")}
    known = Domain(
        at_least=FROM_ONE.at_least,
        positive=frozenset(SHOWN),
        within={"alpha_t": 2 * scalar("n_t") * reciprocal("y"), **distance},
    )
    written = {**names, **variances, "k": constant(1) - names["h_t"]}
    certify(chain, written, domain=known, apart=SOURCES).shows_sign(NEAR)
    # alpha_t = 2/mu_2 + t against -t
    far = 2 * reciprocal("mu_2") + scalar("t")
    ends = {"V_far": far, "V_near": -1 * scalar("t")}
    chain.begin(scalar("V_far") - scalar("V_near"))
    insert_values_at(chain, excess, "alpha_t", ends, names, "excess-underparameterized-short")
    beyond = Domain(at_least={**FROM_ONE.at_least, "t": Fraction(0)})
    certify(chain, {**names, **chain.moves[-1].values}, domain=beyond, apart=SOURCES).shows_sign(FAR)
    # at zero, and far away
    slope_at_zero(chain.begin(excess), "alpha_t", names)
    certify(chain, {}, domain=FROM_ONE).shows_sign(AT_ZERO)
    limit(chain.begin(excess), "alpha_t", names, {"h_t": "mu_2"})
    chain.begin(RATE * (excess - chain.result))
    _, bottom = one_fraction(chain, "alpha_t", names)
    limit(chain, "alpha_t", {DENOMINATOR: bottom}, {DENOMINATOR: "e"})
    lead = {"e": chain.moves[-1].values["e"]}
    return certify(chain, lead, domain=FROM_ONE, apart=()).shows_sign(TAIL)


# -- the certificates as data -------------------------------------------------------------------------------

FILE = Path(__file__).with_suffix(".json")


def document() -> list[dict[str, Any]]:
    """All certificates of the chain, each with where it holds: `symbolic/proofs/plain_check.py` checks them by itself."""
    with recording() as found:
        minimum_chain.__wrapped__(PAPER)
    return [
        {
            "what": str(quantity),
            "sign": which,
            "certificate": certificate,
            "domain": domain_of(certificate),
        }
        for quantity, which, certificate in found
    ]


def domain_of(certificate: Certificate) -> dict[str, Any]:
    """Sizes from one, noise and distances positive, a rate that is not zero where a certificate says so."""
    bounds = {name: str(bound) for name, bound in {**BOUNDS, **KNOWN, **FROM_ONE.at_least}.items()}
    strict = sorted({*BOUNDS, *SHOWN} - {*FROM_ONE.at_least})
    powers = (factor["certificate"]["method"] for factor in certificate["factors"])
    rates = ["alpha_t"] if "even power of a non-zero variable" in powers else []
    return {"bounds": bounds, "strict": strict, "nonzero": rates}


# -- what sampling sees -------------------------------------------------------------------------------------

PLACES = (
    {"n_t": 40, "n_v": 4, "m": 20, "p": 5, "sigma": 0.9, "nu": 0.5},
    {"n_t": 30, "n_v": 6, "m": 12, "p": 4, "sigma": 0.7, "nu": 0.4},
    {"n_t": 50, "n_v": 3, "m": 30, "p": 6, "sigma": 1.1, "nu": 0.6},
)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The whole problem simulated at pairs of rates, and the position of the least value of (97) on a grid."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated = {label: int(to_sympy(part)) for label, part in step.derive(assumptions).items()}
    found = []
    for place in PLACES:
        c = place["n_t"] / (place["n_t"] + place["p"] + 1)

        def at(rate: float, place: Mapping[str, Any] = place) -> Setting:
            return Setting(**place, n_r=5, alpha_t=rate, alpha_r=0.0)

        pairs = {NEAR: (0.0, 0.7 * c), FAR: (-0.3, 2 * c + 0.3), AT_ZERO: (-0.1, 0.1), TAIL: (-4.0, -40.0)}
        found += [
            difference_check(str(label), at(low), at(high), stated[label], seed, rel_error=0.001)
            for label, (low, high) in pairs.items()
        ]
    return found


def _claim() -> Parts:
    return dict.fromkeys((NEAR, FAR, AT_ZERO, TAIL), sympy.Integer(1))


STEPS: tuple[Step, ...] = (
    Step(
        "theorem-2-minimum-is-negative",
        (),
        Kind.BEYOND,
        "For all n_t, n_v, p, m >= 1 and label noise sigma > 0 every global minimizer of (9) in the training rate is negative, "
        "whether it is small in absolute value or not.",
        "beyond",
        uses=("theorem-2", "excess-underparameterized-short", "mu-2", "g-1", "g-2", "g-3", "g-4"),
        depends_on=INNER,
        claim=_claim,
        derivation=minimum_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(INNER),
        method="reflection of large rates at 1/mu_2; polynomials with positive coefficients and quadratics without real roots",
        remark="The paper proves it provided that the best rate is small in absolute value. By the first two parts no positive rate "
        "attains the least value, by the third zero does not, and by the last it is attained: V is the deviation, of which "
        "the loss is a positive multiple up to a constant. The certificates are data, negative_minimum.json, and "
        "symbolic/proofs/plain_check.py checks them with nothing but the standard library.",
    ),
)


def main() -> None:
    """Writes the certificates anew, after the proof was edited."""
    write_json(FILE, document(), indent=None)


if __name__ == "__main__":
    main()
