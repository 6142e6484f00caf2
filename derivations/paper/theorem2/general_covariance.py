"""The underparameterized loss with general covariances of inputs and tasks: beyond the paper.

B^T B is n_v m H_t up to fluctuations, with H_t = E[A Sigma A], and B^T Gamma B is m Q with Q the exact mean of one
task's share, so that the second moment of the deviation is H_t^-1 Q H_t^-1 / (m n_v^2) to leading order in 1/m. The
test phase is averaged exactly as a function of that second moment. Start and task mean are zero, as in Theorem 3.

H_t is a polynomial in Sigma. Its inverse, which no sum of words expresses, is a letter of its own in the loss.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from itertools import pairwise
from operator import matmul, mul

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from symbolic.algebra.words import Expression, gaussian, polynomial, tr, zero
from symbolic.averages.expectation import expect

INVERSE, NORMAL, TASKS = "H_t_inverse", "H_t", "Sigma_w"


def loss_of_second_moment(assumptions: Assumptions) -> Expression:
    """The average loss of the test phase as a function of Omega = E omega_star omega_star^T (a symmetric letter)."""
    target = letter("delta_w")
    start = gaussian("omega_draw", "1", "p", covariance="Omega").T
    theta = model.adapted(start, target, assumptions)
    loss = model.test_loss(theta, target, assumptions)
    for names in ({"X_s", "z_s"}, {"z_r"}, {"delta_w", "omega_draw"}, {"X_r"}):
        loss = expect(loss, names & set(loss.letters()))
    return loss


@lru_cache(maxsize=16)
def normal_mean(assumptions: Assumptions) -> Expression:
    """The mean of one task's share of B^T B, a multiple of H_t: with what the inverse of H_t commutes."""
    design = model.task(assumptions).design
    return expect(design.T @ design)


def commuted(expr: Expression) -> Expression:
    """A scalar with equal traces merged, given that Sigma and H_t commute."""
    # what becomes equal is added up first: to add to a long sum copies it
    found: dict[tuple[tuple[str, ...], ...], Expression] = {}
    for term, coefficient in expr.terms.items():
        words = tuple(sorted(tuple(_sorted([factor.name for factor in trace])) for trace in term.traces))
        found[words] = found.get(words, zero()) + polynomial(coefficient)
    total = zero()
    for words, factor in found.items():
        total = total + reduce(mul, (tr(reduce(matmul, map(letter, word))) for word in words), factor)
    return total


def _sorted(names: list[str]) -> list[str]:
    """A closed word with the factors between two Sigma_w in order (all letters are symmetric)."""
    places = [place for place, name in enumerate(names) if name == TASKS]
    if not places:
        return sorted(names)
    turned = names[places[0] :] + names[: places[0]]
    starts = [place - places[0] for place in places] + [len(turned)]
    return [name for a, b in pairwise(starts) for name in (TASKS, *sorted(turned[a + 1 : b]))]
