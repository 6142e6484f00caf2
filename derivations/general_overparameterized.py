"""The overparameterized loss for Gaussian inputs of general covariance and any number of gradient steps.

Theorem 3 keeps the law of the inputs open and reaches one step; for Gaussian inputs the engine has every moment. To
leading order B B^T = g I, Gamma = c I and E omega_star omega_star^T = N (c / g^2) H_t with H_t = E[A Sigma A] and
g = Tr H_t. The test phase is averaged exactly as a function of that second moment.
"""

from __future__ import annotations

from functools import lru_cache

import sympy

from derivations import model
from derivations.assumptions import Assumptions, NotDerivable
from derivations.general_underparameterized import OMEGA, loss_of_second_moment, normal_mean
from derivations.outer_problem import target_covariance
from derivations.reading import to_sympy
from derivations.symbols import m, n_v
from symbolic.moments import expect
from symbolic.words import Expression, scalar, tr


@lru_cache(maxsize=16)
def noise_level(assumptions: Assumptions) -> Expression:
    """c: the mean of a diagonal element of Gamma, as the mean trace of its block over n_v."""
    return scalar("1/n_v") * expect(tr(target_covariance(assumptions)))


@lru_cache(maxsize=16)
def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order; raises NotDerivable outside Gaussian inputs and separate data."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable(
            "several gradient steps need moments beyond the fourth: with a general covariance these "
            "are known for Gaussian inputs only"
        )
    if model.task(assumptions).x_v == model.task(assumptions).x_t:
        raise NotDerivable(
            "with reused data the validation rows grow with n_t and B B^T does not concentrate"
        )
    if assumptions.order != "leading":
        raise NotDerivable("the next order is derived for identity covariance")
    weight = normal_mean(assumptions)
    g, c = to_sympy(tr(weight)), to_sympy(noise_level(assumptions))
    second_moment = n_v * m * c / g**2 * to_sympy(weight)
    return to_sympy(loss_of_second_moment(assumptions)).xreplace({OMEGA: second_moment})
