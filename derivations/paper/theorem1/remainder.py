"""What (5) neglects, with many and with few target points: exponents of the exact next order.

    -  theorem-1-remainder  exponents of the remainder of (5), with few and with many target points

The deviation E|omega_star - w_0|^2 misses terms of order xi^-2, but it enters the loss times h_r, and
h_r = (1 - alpha_r)^2 + alpha_r^2 (p + 1) / n_r is of order one only when n_r grows in proportion to p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy
from sympy import Integer, Rational

from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t
from derivations.language.values import evaluate
from derivations.paper.theorem1.block_draws import SIMULATED, point, setting_at
from derivations.paper.theorem1.concentration import (
    DEPENDS,
    LOSS,
    REGIME,
    XI,
    leading_loss,
    loss_over_chain,
    put_in,
    with_excess,
)
from derivations.paper.theorem1.next_order import next_order
from derivations.paper.theorem1.reused_data import at_rate_zero
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.held import Held
from derivations.steps.labels import ORDER
from derivations.steps.neglected import Quantity, Remainder, order_of
from derivations.steps.orders import ONE
from derivations.steps.rules.fractions_of import DENOMINATOR, one_fraction
from derivations.steps.step import Check, Derived, Kind, Parts, Step
from derivations.verification.growth import residual_check, slope_check
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import scalar
from symbolic.proofs.asymptotics import Exponent

MANY, FEW = ORDER.when(r"n_r\propto\xi"), ORDER.when(r"n_r=\mathrm{const}")
TARGET_POINTS: Mapping[str, Mapping[str, Exponent]] = {FEW: {}, MANY: {"n_r": ONE}}
ORDERS: Parts = {FEW: Integer(-1), MANY: Integer(-2)}


def exact_loss_at_rate_zero(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss at alpha_t = 0, exactly, at every p > n_v m + 1."""
    return with_excess(at_rate_zero(assumptions), assumptions)


def next_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to the next order."""
    return with_excess(next_order(assumptions, XI), assumptions)


def remainder_orders(remainder: sympy.Expr, exact: sympy.Expr) -> Derived:
    """The exponents of a remainder for many and for few target points.

    remainder: the next order minus the formula in question, at every rate. exact: the same at alpha_t = 0 without
    an expansion, which must have the same exponents (ArithmeticError otherwise).
    """
    found = {}
    for label, weights in TARGET_POINTS.items():
        orders = {order_of(part, {**REGIME, **weights}) for part in (remainder, exact)}
        if len(orders) != 1:
            raise ArithmeticError("the expansion and the exact loss at alpha_t = 0 have different orders")
        found[label] = orders.pop().sympy()
    return found


def remainder_chain(assumptions: Assumptions, *reads: str, beside: tuple[str, ...] = ()) -> Chain:
    """The next order of the loss minus (5), and its degree in xi with few and with many target points.

    beside: of the steps that are read, those that say why it is (5).
    """
    further, leading = put_in(next_order(assumptions, XI), assumptions), loss_over_chain(assumptions)
    names = {**further.named_parts[LOSS][1](), **leading.named_parts[LOSS][1]()}
    chain = Chain(scalar("next") - scalar("leading"))
    # (5) as it is stated, and the same step with the next order kept
    for name, loss in (("next", further), ("leading", leading)):
        held = Held(replace(assumptions, order=name), loss.named_parts[LOSS][1](), beside=beside)
        chain.insert({name: loss.result}, *reads, held=held)
    _, below = one_fraction(chain, "alpha_t", names)
    found = chain.result
    for label, more in TARGET_POINTS.items():
        order(chain.begin(found), {**REGIME, **more}, {DENOMINATOR: below}).shows_degree(label)
    return chain


def _chain(assumptions: Assumptions) -> Chain:
    return remainder_chain(assumptions, "theorem-1")


def _derive(assumptions: Assumptions) -> Derived:
    formula = leading_loss(assumptions)
    exact = exact_loss_at_rate_zero(assumptions) - formula.subs(alpha_t, 0)
    return remainder_orders(next_loss(assumptions) - formula, exact)


def _remainders(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of (5), for many and for few target points."""
    formula = leading_loss(PAPER)
    return [Remainder(formula, {"xi": to_sympy(found[label])}) for label in TARGET_POINTS]


# -- what the paper prints, and what is so ------------------------------------------------------------------


def claim_remainder() -> Parts:
    """The printed bound, which makes no difference between many and few target points."""
    return {label: Rational(-3, 2) for label in TARGET_POINTS}


# -- what sampling sees -------------------------------------------------------------------------------------

FEW_POINTS = 2
# one validation point for each of two tasks, training rate zero, no variability: the deviation is
# sigma^2 n_v m / (p - n_v m - 1)
EXACT_LADDER = tuple(
    Setting(
        n_t=4, n_v=1, n_r=FEW_POINTS, m=2, p=size, sigma=1.0, nu=0.0, alpha_t=0.0, alpha_r=1.0, dist0_sq=0.0
    )
    for size in (32, 64, 128, 256)
)
SAMPLED_LADDERS: Mapping[str, tuple[tuple[float, Setting], ...]] = {
    MANY: tuple((xi, setting_at(xi, base)) for xi, base in SIMULATED),
    FEW: tuple((xi, replace(setting_at(xi, base), n_r=FEW_POINTS, alpha_r=1.0)) for xi, base in SIMULATED),
}


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Simulation minus (5) on a ladder of each kind; and exactly, and sampled, where the loss is known."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no exponents")
    stated = {label: float(to_sympy(part)) for label, part in step.derive(assumptions).items()}
    formula, exact = leading_loss(assumptions), exact_loss_at_rate_zero(assumptions)

    def theory(setting: Setting) -> float:
        return float(evaluate(formula, point(setting)))

    gaps = [float(evaluate(exact - formula, point(setting))) for setting in EXACT_LADDER]
    sizes = [float(setting.p) for setting in EXACT_LADDER]
    known = slope_check(
        "decay of the exact loss minus the formula at alpha_t = 0",
        sizes,
        gaps,
        [0.0] * len(gaps),
        stated[FEW],
        draws=0,
        seconds=0.0,
        sharp=True,
    )
    return [
        known,
        residual_check(
            "decay of simulation minus the formula at alpha_t = 0",
            [(float(setting.p), setting) for setting in EXACT_LADDER],
            theory,
            stated[FEW],
            quantity="loss",
            # a twentieth of the gap, 3/2p of a loss of p/4
            rel_error=lambda setting: 0.3 / setting.p**2,
            sharp=True,
            base_seed=seed,
        ),
        *(
            residual_check(
                f"decay of simulation minus the formula {label.removeprefix('a ')}",
                rungs,
                theory,
                stated[label],
                quantity="loss",
                rel_error=0.00003,
                sharp=True,
                base_seed=seed,
            )
            for label, rungs in SAMPLED_LADDERS.items()
        ),
    ]


STEPS: tuple[Step, ...] = (
    Step(
        "theorem-1-remainder",
        (),
        Kind.CLAIM,
        "The size of the remainder in (5): exponents of xi when the number of target points stays fixed, and when "
        "it grows with the dimension.",
        "theorem1",
        uses=("theorem-1",),
        depends_on=DEPENDS,
        claim=claim_remainder,
        correction=lambda: ORDERS,
        derive=_derive,
        derivation=_chain,
        remainders=_remainders,
        check=_check,
        applies=unchanged(DEPENDS),
        method="second order of the Neumann series, exact at alpha_t = 0, times h_r; degree in xi",
        remark="The theorem lets p and n_t grow and says nothing of n_r. When n_r grows in proportion to p, h_r is "
        "of order one and the remainder is smaller than printed, of order xi^-2. At a fixed n_r and any rate but zero, "
        "h_r is of order xi and so is its product with the neglected part of the deviation, larger than printed. "
        "At alpha_t = 0 and nu = 0 nothing need be expanded: the deviation has a closed form.",
    ),
)
