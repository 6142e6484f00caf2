"""Theorem 2, (9) with (96)-(97) and (108): fewer parameters than validation data, p < n_v m.

(96)      excess-underparameterized        E|omega_star - w_0|^2 to leading order
(97)      excess-underparameterized-short  the same with g_1 to g_4
(9)(108)  theorem-2                        the average test loss to leading order
-         theorem-2-remainder              exponents of xi and m in the first correction, by its cause
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Rational

from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.printed_order import in_order
from derivations.language.regime import Regime
from derivations.language.symbols import alpha_r, alpha_t, m, n_r, n_t, n_v, nu, p, sigma
from derivations.paper.lemma3 import ROWS_GROW
from derivations.paper.theorem1.concentration import H_R
from derivations.paper.theorem2.concentration import H_T, INNER, TASKS_GROW
from derivations.paper.theorem2.expansion import (
    EXCESS,
    correction_chain,
    excess_chain,
    excess_proof,
    general_chain,
    leading_excess,
    leading_loss,
    loss_proof,
    short_proof,
)
from derivations.paper.theorem2.moments import G_1, G_2, G_3, G_4, MU, TASK_SIZES
from derivations.paper.theorem2.sampled_loss import (
    PARAMETERS,
    SOURCES,
    formula_checks,
    remainder_checks,
)
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.domains import Where
from derivations.steps.labels import IN_SIZE, IN_TASKS, LOSS, Order
from derivations.steps.neglected import Neglected, Quantity, Remainder
from derivations.steps.rules.fractions_of import DENOMINATOR, one_fraction
from derivations.steps.step import Derived, Erratum, Kind, Parts, Step
from symbolic.algebra.words import constant

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val", "order")
HALF = Rational(1, 2)
# where the moves are sampled
SIZES = tuple({**sizes, "n_r": 6, "alpha_r": 0.3} for sizes in TASK_SIZES)


# -- the engine ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _remainder_chain(assumptions: Assumptions) -> Chain:
    """What the next order adds, for each source of noise alone, ordered by degree."""
    chain = correction_chain(assumptions)
    total, names = chain.result, {"h_t": excess_chain(replace(assumptions, order="leading")).numbers()["h_t"]}
    for source in SOURCES:
        (other,) = set(SOURCES) - {source}
        for label, weights in ((IN_SIZE, ROWS_GROW), (IN_TASKS, TASKS_GROW)):
            chain.begin(total).expand({other: constant(0)}, "excess-underparameterized")
            # over one denominator, where terms of the same power of h_t cancel
            _, below = one_fraction(chain, "alpha_t", names)
            order(chain, weights, {DENOMINATOR: below}).shows_degree(label.due_to(SOURCES[source]))
    return chain


def _remainders(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of (96), by what causes them."""
    return [
        Remainder(
            leading_excess(PAPER),
            {label.growing: to_sympy(found[label.due_to(source)]) for label in (IN_SIZE, IN_TASKS)},
        )
        for source in SOURCES.values()
    ]


def _alone(label: Order, source: str) -> Order:
    """The exponent of what a source of noise causes, without the other."""
    (other,) = set(SOURCES) - {source}
    return label.due_to(SOURCES[source], Where({other: "0"}))


def _derive_loss(assumptions: Assumptions) -> Derived:
    if assumptions.covariance == "identity":
        return {LOSS: leading_loss(assumptions)}
    return general_chain(assumptions).parts


# -- what the paper prints ----------------------------------------------------------------------------------


def _braces() -> sympy.Expr:
    noise = in_order(H_T, alpha_t**2 / n_t * in_order((n_v + 1) * G_1, p * G_2))
    return in_order(sigma**2 * noise, nu**2 / p * in_order((n_v + 1) * G_3, p * G_4))


def _claim_long() -> Parts:
    a = alpha_t
    h = 1 - 2 * a + a**2 * MU["2"]
    training = (n_v + 1) * (1 - 2 * a * MU["2"] + a**2 * MU["3"])
    training += p * (1 - 2 * a * MU["1,1"] + a**2 * MU["2,1"])
    tasks = (n_v + 1) * (1 - 4 * a + 6 * a**2 * MU["2"] - 4 * a**3 * MU["3"] + a**4 * MU["4"])
    tasks += p * (
        1 - 4 * a + 2 * a**2 * MU["2"] + 4 * a**2 * MU["1,1"] - 4 * a**3 * MU["2,1"] + a**4 * MU["2,2"]
    )
    braces = in_order(sigma**2 * h, a**2 * sigma**2 / n_t * training, nu**2 / p * tasks)
    return {EXCESS: p / (n_v * m) * h**-2 * braces}


def _claim_short() -> Parts:
    return {EXCESS: p / (n_v * m * H_T**2) * _braces()}


def _claim_loss() -> Parts:
    return {
        LOSS: in_order(
            sigma**2 / 2 * (1 + alpha_r**2 * p / n_r),
            H_R * nu**2 / 2,
            H_R / (2 * H_T**2) * p / (n_v * m) * _braces(),
        )
    }


# -- the steps ----------------------------------------------------------------------------------------------

_FEW_TASKS = (
    "It is a statement about many tasks: (9) is finite at every rate, but with few tasks the exact loss is not. With one "
    "task B is X^v A, the label noise enters through the inverse square of A, and at every alpha_t > 0 an eigenvalue of A "
    "comes near zero too often for the mean of that to exist."
)
_NEGLECTED = Neglected({"xi": -3 * HALF, "m": -3 * HALF})
# that of the task variability; the part of the label noise is smaller
_LEFT_OUT = Neglected({"xi": Rational(-1), "m": Rational(-2)})
_ORDER_ALONE = (
    "Of what is printed only the order of what is left out is too small; where m grows at least like xi it is right. By its "
    "causes it is the matter of a step of its own, theorem-2-remainder."
)
_METHOD = "means of the normal matrices put into the exact formula (85)"
_BASIS = ("least-squares-mean-square", "normal-inverse-concentrates", "normal-noise-concentrates")


STEPS: tuple[Step, ...] = (
    Step(
        "excess-underparameterized",
        ("96",),
        Kind.EQUATION,
        "The mean square deviation of the learned meta-parameter with more validation data than parameters, to leading order.",
        "theorem2",
        regime=Regime.UNDER,
        uses=(*_BASIS, "validation-noise-average", "task-average", "training-noise-average"),
        depends_on=INNER,
        claim=_claim_long,
        derive=lambda assumptions: {EXCESS: leading_excess(assumptions)},
        derivation=excess_proof,
        sizes=SIZES,
        check=formula_checks,
        neglects=_NEGLECTED,
        right_order=_LEFT_OUT,
        counterexample="theorem-2-remainder",
        method=_METHOD,
        remark=_ORDER_ALONE,
    ),
    Step(
        "excess-underparameterized-short",
        ("97",),
        Kind.EQUATION,
        "The mean square deviation of the learned meta-parameter in the abbreviations g_1 to g_4.",
        "theorem2",
        regime=Regime.UNDER,
        uses=("excess-underparameterized", "g-1", "g-2", "g-3", "g-4"),
        depends_on=INNER,
        claim=_claim_short,
        derivation=short_proof,
        sizes=SIZES,
        check=formula_checks,
        neglects=_NEGLECTED,
        right_order=_LEFT_OUT,
        counterexample="theorem-2-remainder",
        method=_METHOD,
        unreadable="one index cannot be read with certainty in the available text, which has g_3 twice; g_4 is "
        "taken from (96), written out, and from (9) and (108); nor can the exponent of the error, for which -3/2 is taken from "
        "(96)",
    ),
    Step(
        "theorem-2",
        ("9", "108"),
        Kind.THEOREM,
        "The average test loss with fewer parameters than validation data, to leading order.",
        "theorem2",
        regime=Regime.UNDER,
        uses=(
            "loss-from-excess",
            "excess-underparameterized",
            "inner-factor",
            "adaptation-factor",
            "average-loss",
        ),
        depends_on=DEPENDS,
        claim=_claim_loss,
        derive=_derive_loss,
        derivation=loss_proof,
        sizes=SIZES,
        check=formula_checks,
        neglects=_NEGLECTED,
        right_order=_LEFT_OUT,
        counterexample="theorem-2-remainder",
        errata={Erratum.CONDITION: _FEW_TASKS},
        method="exact test phase (65) with the leading-order deviation",
        remark=_ORDER_ALONE,
        parameters=PARAMETERS,
    ),
    Step(
        "theorem-2-remainder",
        (),
        Kind.CLAIM,
        "The size of the remainder in (9) and (96): exponents of xi and m in the first correction that does "
        "not average to zero, by what causes it.",
        "theorem2",
        uses=("excess-underparameterized", "theorem-2"),
        depends_on=INNER,
        claim=lambda: {_alone(a, source): -3 * HALF for source in SOURCES for a in (IN_SIZE, IN_TASKS)},
        correction=lambda: {
            _alone(IN_SIZE, "nu"): Rational(-1),
            _alone(IN_TASKS, "nu"): Rational(-2),
            _alone(IN_SIZE, "sigma"): Rational(-2),
            _alone(IN_TASKS, "sigma"): Rational(-2),
        },
        derivation=_remainder_chain,
        remainders=_remainders,
        check=remainder_checks,
        applies=unchanged(INNER),
        method="second order of the Neumann series of (B^T B)^-1, exact covariances of one task's blocks",
        remark="The part of the label noise is O((m xi)^-2), smaller than the O((m xi)^(-3/2)) that is "
        "printed. The part of the task variability is O(m^-2 xi^-1): at a fixed number of tasks it falls "
        "only like 1/xi, and the printed bound then needs m to grow at least like xi. The reason: the first correction that does not average "
        "to zero has two fluctuations of the tasks' mean B^T B, each of relative size (m xi)^(-1/2), and is smaller by 1/(m xi) than what it corrects. "
        "The label noise's part of the deviation falls like 1/(m xi) itself; the tasks' part only like 1/m, however many points a task has.",
    ),
)
