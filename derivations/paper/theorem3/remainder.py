"""What (14) neglects, with many and with few target points: exponents at the isotropic point, and sampled.

    -  theorem-3-remainder  exponents of the remainder of (14), with few and with many target points

At Sigma = I, Sigma_w = nu^2/p I and F = (p + 2) I, the case of Gaussian inputs and isotropic tasks, the next order
of the loss is known. A bound that fails there fails for the theorem.
"""

from __future__ import annotations

from dataclasses import replace

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, dist0_sq
from derivations.language.values import evaluate
from derivations.paper.theorem1.remainder import (
    FEW_POINTS,
    MANY,
    ORDERS,
    claim_remainder,
    exact_loss_at_rate_zero,
    next_loss,
    remainder_chain,
    remainder_orders,
)
from derivations.paper.theorem3.loss import LOSS_DEPENDS, isotropic_loss, leading_loss
from derivations.paper.theorem3.sampled_loss import setting_at, values_at
from derivations.steps.chain import Chain
from derivations.steps.step import Check, Derived, Kind, Step
from derivations.verification.growth import residual_check
from numeric_check.problem.setting import Setting

SIZES, LAW = (12, 24, 48, 80), "laplace"


def _derive(assumptions: Assumptions) -> Derived:
    formula = to_sympy(isotropic_loss(assumptions))
    isotropic = replace(assumptions, covariance="identity", inputs="gaussian")
    more, exact = (part(isotropic).subs(dist0_sq, 0) for part in (next_loss, exact_loss_at_rate_zero))
    return remainder_orders(more - formula, exact - formula.subs(alpha_t, 0))


def _chain(assumptions: Assumptions) -> Chain:
    """At the isotropic point, where (14) is (5) at the task mean; the difference does not contain where training starts."""
    isotropic = replace(assumptions, covariance="identity", inputs="gaussian")
    reduces = "theorem-3-reduces-to-theorem-1"
    return remainder_chain(isotropic, reduces, "theorem-1", beside=(reduces,))


def _rung(size: int, label: str) -> Setting:
    many = setting_at(size, LAW)
    return many if label == MANY else replace(many, n_r=FEW_POINTS, alpha_r=1.0)


def _rel_error(setting: Setting) -> float:
    # a twentieth of the part that is neglected, relative to the loss
    return 0.1 / setting.n_t**2


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Simulation minus (14) for Laplace inputs and general covariances, on a ladder of each kind."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no exponents")
    formula = to_sympy(leading_loss(assumptions))
    return [
        residual_check(
            f"decay of simulation minus formula {label.removeprefix('a ')}: {LAW}",
            [(float(size), _rung(size, label)) for size in SIZES],
            lambda setting: float(evaluate(formula, values_at(setting))),
            float(to_sympy(exponent)),
            quantity="loss",
            rel_error=_rel_error,
            sharp=True,
            base_seed=seed,
        )
        for label, exponent in step.derive(assumptions).items()
    ]


STEPS: tuple[Step, ...] = (
    Step(
        "theorem-3-remainder",
        (),
        Kind.CLAIM,
        "The size of the remainder in (14): exponents of xi when the number of target points stays fixed, and when "
        "it grows with the dimension.",
        "theorem3",
        uses=("theorem-3", "theorem-3-reduces-to-theorem-1", "theorem-1", "theorem-1-remainder"),
        depends_on=LOSS_DEPENDS,
        claim=claim_remainder,
        correction=lambda: ORDERS,
        derive=_derive,
        derivation=_chain,
        check=_check,
        applies=unchanged(LOSS_DEPENDS),
        method="the next order at Sigma = I, exact at alpha_t = 0; degree in xi",
        remark="As for theorem-1-remainder: at a fixed n_r the eigenvalues of H_r grow like xi, and the remainder "
        "is larger than printed. The exponents are those at Sigma = I, which disprove the bound; the check has "
        "Laplace inputs and general covariances.",
    ),
)
