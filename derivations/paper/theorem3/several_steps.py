"""The pieces of (14), and what they are for Gaussian inputs and any number of gradient steps.

Theorem 3 keeps the law of the inputs open and reaches one step; for Gaussian inputs the engine has every moment. To
leading order B B^T = g I, Gamma = c I and E omega_star omega_star^T = N (c / g^2) H_t with H_t = E[A Sigma A] and
g = Tr H_t. The test phase is averaged exactly as a function of that second moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import sympy

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.bounds import require_derivable
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import m
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem2.general_covariance import loss_of_second_moment, normal_mean
from symbolic.algebra.words import Expression, identity, reciprocal, scalar, tr
from symbolic.averages.expectation import expect


@dataclass(frozen=True)
class Leading:
    """The pieces of (14): the loss is constant + rows m w c / (2 g^2) to leading order.

    constant: the loss at omega_star = 0, exact. g, c, w: the numbers around which B B^T, Gamma and B H_r B^T
    concentrate as multiples of the identity. rows: the validation rows of a task.
    """

    constant: Expression
    g: Expression
    c: Expression
    w: Expression
    rows: Expression = field(default_factory=lambda: scalar("n_v"))

    def form(self) -> sympy.Expr:
        """E Tr(H_r omega_star omega_star^T): (133) with each block replaced by its mean."""
        g, c, w, rows = (to_sympy(part) for part in (self.g, self.c, self.w, self.rows))
        return rows * m * w * c / g**2

    def loss(self) -> sympy.Expr:
        """The average test loss."""
        return to_sympy(self.constant) + self.form() / 2

    def replace(self, values: dict[str, Expression]) -> Leading:
        """The same with letters and scalars given values."""

        def put(part: Expression) -> Expression:
            present = part.letters().keys() | part.scalars()
            return part.replace({name: value for name, value in values.items() if name in present})

        return Leading(put(self.constant), put(self.g), put(self.c), put(self.w), put(self.rows))


@lru_cache(maxsize=16)
def gaussian_pieces(assumptions: Assumptions) -> Leading:
    """The pieces with covariances Sigma and Sigma_w for Gaussian inputs; raises NotDerivable for other inputs and the next order."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable(
            "several gradient steps need moments beyond the fourth: with a general covariance these are derived "
            "for Gaussian inputs only"
        )
    if assumptions.order != "leading":
        raise NotDerivable("the next order is derived for identity covariance")
    assumptions = replace(assumptions, covariance="general")
    require_derivable(assumptions, Regime.OVER)
    weight = normal_mean(assumptions)
    noise = reciprocal("n_v") * expect(tr(target_covariance(assumptions)))
    loss = loss_of_second_moment(assumptions)
    constant = loss.replace({"Omega": 0 * identity("p")})
    return Leading(constant, tr(weight), noise, 2 * (loss.replace({"Omega": weight}) - constant))
