"""The expansion of (85) in fluctuations of the normal matrices: leading order and first correction, exactly.

B^T B and B^T Gamma B enter (85) through their means, with S = B^T B / N = h I + D and
E B^T Gamma B / N = g I. The term of first order in the fluctuations averages to zero. That of second order,
from D^2 and from the covariance of D with B^T Gamma B, is computed exactly; it decides how large the
remainder is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.bounds import require_derivable
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import m
from derivations.paper.target_task import loss_coefficients
from derivations.paper.theorem2 import general_covariance
from derivations.paper.theorem2.concentration import TaskBlocks, isotropic_mean, task_blocks
from symbolic.algebra.words import Expression, constant, reciprocal, scalar


@dataclass(frozen=True)
class Expansion:
    """(85) = prefactor g / h^2 + prefactor second / (m h^4) + ..., prefactor = p / (rows m)."""

    h: Expression
    g: Expression
    blocks: TaskBlocks

    @property
    def rows(self) -> str:
        """The name of the number of validation rows of a task."""
        return self.blocks.rows

    @cached_property
    def second(self) -> Expression:
        """3 g E Tr (a - h)^2 / p - 2 h E Tr (a - h)(b - g) / p: of twice the degree, and computed when needed."""
        spread = isotropic_mean(self.blocks.gram @ self.blocks.gram) - self.h * self.h
        cross = self.blocks.gram @ self.blocks.noise
        joint = isotropic_mean((cross + cross.T) * constant(Fraction(1, 2))) - self.h * self.g
        return 3 * self.g * spread - 2 * self.h * joint

    @property
    def prefactor(self) -> Expression:
        """p over the number of validation rows of all tasks."""
        return scalar("p") * reciprocal(self.rows) * reciprocal("m")

    def leading(self) -> sympy.Expr:
        """The leading order of E|omega_star - w_0|^2."""
        h, g = to_sympy(self.h), to_sympy(self.g)
        return to_sympy(self.prefactor) * g / h**2

    def correction(self) -> sympy.Expr:
        """The first correction that does not average to zero."""
        h, second = to_sympy(self.h), to_sympy(self.second)
        return to_sympy(self.prefactor) * second / (m * h**4)


@lru_cache(maxsize=32)
def expansion(assumptions: Assumptions) -> Expansion:
    """The coefficients, from the exact means and covariances of one task's blocks a, b of B^T B, B^T Gamma B.

    S^-2 = h^-2 (I - 2 D/h + 3 D^2/h^2 - ...) with D the average of m independent copies of a - h I, so that
    E Tr D^2 = p (E a^2 - h^2) / m and E Tr D b = p (E a b - h g) / m.
    """
    blocks = task_blocks(assumptions)
    return Expansion(isotropic_mean(blocks.gram), isotropic_mean(blocks.noise), blocks)


def leading_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2: (85) with both matrices at their means, and the next order if asked for."""
    found = expansion(assumptions)
    return found.leading() + (found.correction() if assumptions.order == "next" else sympy.Integer(0))


@lru_cache(maxsize=32)
def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order: (65) with `leading_excess`."""
    require_derivable(assumptions, Regime.UNDER)
    if assumptions.covariance != "identity":
        return to_sympy(general_covariance.leading_loss(assumptions))
    c_0, c_2 = loss_coefficients(assumptions)
    return to_sympy(c_0) + to_sympy(c_2) * leading_excess(assumptions)
