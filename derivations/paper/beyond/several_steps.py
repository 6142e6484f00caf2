"""Several inner steps: where the loss (5) is least at the sizes of Figure 2.

    -  several-steps-minimum  with one inner step at a negative training rate, with two, three and four at a positive one

The label noise that K inner steps pass on is even in the training rate for K = 1; for K = 2, 3, 4 it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem1.rate_chains import loss_by_names
from derivations.steps.chain import Chain
from derivations.steps.chains.products import present
from derivations.steps.labels import Sign
from derivations.steps.rules.roots import least_at
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import paired_check
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import constant

STEPS_OF_INNER_LOOP = (1, 2, 3, 4)
# the sizes, noise and adaptation rate of Figure 2
PLACE: Mapping[str, Fraction] = {
    "n_t": Fraction(30),
    "n_v": Fraction(2),
    "n_r": Fraction(20),
    "m": Fraction(3),
    "p": Fraction(60),
    "sigma": Fraction(1),
    "nu": Fraction(1, 2),
    "alpha_r": Fraction(1, 5),
    "dist0_sq": Fraction(0),
}
NUMBERS = {name: constant(value) for name, value in PLACE.items()}
# where (5) has its lowest minimum on the other side of zero, and where it is least, by the number of inner steps; with one step
# there is none on the other side
PAIRS = {1: (1.0112, -1.0112), 2: (-0.418, 1.2045), 3: (-0.2645, 1.5491), 4: (-0.1971, 0.7267)}
BEST = {steps: Sign(rf"\alpha_t^\star\big|_{{K={steps}}}") for steps in STEPS_OF_INNER_LOOP}
DEPENDS = ("adaptation_steps", "inputs", "covariance", "split", "noise_val", "order")


@lru_cache(maxsize=4)
def minimum_chain(assumptions: Assumptions) -> Chain:
    """For each number of inner steps: numbers put into (5), and the sign of the rate at which it is least."""
    chain: Chain | None = None
    for steps in STEPS_OF_INNER_LOOP:
        loss, names = loss_by_names(replace(assumptions, inner_steps=steps))
        chain = Chain(loss) if chain is None else chain.begin(loss)
        at = {name: value.replace(present(value, NUMBERS)) for name, value in names.items()}
        chain.insert({"h_r": names["h_r"]}, "theorem-1", "adaptation-factor")
        chain.insert(present(chain.result, NUMBERS))
        least_at(chain, "alpha_t", at).shows_sign(BEST[steps])
    assert chain is not None
    return chain


def _claim() -> Parts:
    return {label: sympy.Integer(-1 if steps == 1 else 1) for steps, label in BEST.items()}


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The whole problem simulated at the lowest minimum on either side of zero, at the same random numbers."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived = step.derive(assumptions)
    found = []
    for steps, (other, best) in PAIRS.items():
        place: dict[str, Any] = {name: float(value) for name, value in PLACE.items()}
        sizes: dict[str, Any] = {name: int(place.pop(name)) for name in ("n_t", "n_v", "n_r", "m", "p")}
        low, high = sorted((other, best))
        setting = Setting(**sizes, **place, alpha_t=low, inner_steps=steps)
        # the loss falls towards the side on which it is least
        falls = -int(to_sympy(derived[BEST[steps]]))
        found.append(paired_check(str(BEST[steps]), setting, high, falls, seed))
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "several-steps-minimum",
        (),
        Kind.BEYOND,
        "At the sizes of Figure 2 the training rate at which (5) is least among all real ones is negative with one inner step, and "
        "positive with K = 2, 3 or 4.",
        "positive_rates",
        uses=("theorem-1",),
        depends_on=DEPENDS,
        claim=_claim,
        derivation=minimum_chain,
        check=_check,
        applies=unchanged(DEPENDS),
        method="all stationary points isolated, their values and the limits compared by enclosures; checked again by Sturm's theorem",
        remark="n_t = 30, n_v = 2, n_r = 20, m = 3, p = 60, sigma = 1, nu = 1/2, alpha_r = 1/5, training from the task mean. "
        "A reading, not a theorem: what helps is that the inner loop expands, so that the rows of B grow more than the label noise "
        "that they carry; a negative rate does so, and with several steps, whose noise is not even in the rate, a large "
        "positive one does more.",
    ),
)
