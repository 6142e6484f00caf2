"""The next order of Theorem 1: exact terms where they exist, a second-order expansion where none does.

For Gaussian inputs the start and the task variability contribute exactly known terms, at every training rate
(`exact_haar`): B_i has a uniformly distributed row space, whatever the inner loop does. Only the label noise needs
an expansion. With S = B B^T / p = h I + D and G = g I + F the label-noise part of Gamma, E D = E F = 0 and

  E Tr[S^-1 G] = N g / h - E Tr(F D) / h^2 + g E Tr(D^2) / h^3 + ...,

where both averages are exact covariances of elements, within one task and between two.
"""

from __future__ import annotations

from functools import lru_cache

import sympy

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import m, n_v, p
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.exact_haar import exact_excess
from derivations.steps.orders import element
from symbolic.algebra.words import Expression, reciprocal
from symbolic.averages.expectation import covariance, expect, variance


def _label_noise(assumptions: Assumptions) -> Expression:
    """The part of Gamma that is due to label noise, for one task."""
    return target_covariance(assumptions, "1", "1").replace({"nu": 0})


@lru_cache(maxsize=32)
def label_noise_excess(assumptions: Assumptions) -> sympy.Expr:
    """E Tr[(B B^T)^-1 G] to second order in the fluctuations."""
    one, two = model.task(assumptions, "1"), model.task(assumptions, "2")
    scale = reciprocal("p")
    own, cross = scale * (one.design @ one.design.T), scale * (one.design @ two.design.T)
    noise = _label_noise(assumptions)
    h, g = (to_sympy(expect(element(word, 1, 1))) for word in (own, noise))
    squares = m * n_v * to_sympy(variance(element(own, 1, 1)))
    squares += m * n_v * (n_v - 1) * to_sympy(variance(element(own, 1, 2)))
    squares += m * (m - 1) * n_v**2 * to_sympy(variance(element(cross, 1, 1)))
    mixed = m * n_v * to_sympy(covariance(element(own, 1, 1), element(noise, 1, 1)))
    mixed += m * n_v * (n_v - 1) * to_sympy(covariance(element(own, 1, 2), element(noise, 1, 2)))
    return (m * n_v * g / h - mixed / h**2 + g * squares / h**3) / p


@lru_cache(maxsize=32)
def next_order_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 with the next order of the label noise and the other two terms exact."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable("the next order rests on terms that are exactly known for Gaussian inputs only")
    return label_noise_excess(assumptions) + exact_excess(n_v * m, n_v, sympy.Integer(0))
