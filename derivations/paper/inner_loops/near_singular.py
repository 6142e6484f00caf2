"""One task with one validation point in eigenvalues, and with which sizes they can come near enough to zero to make its label noise infinite.

B_1 B_1^T is the sum of w_k u_k^(2 K), with u_k the eigenvalues of I - alpha_t X_t^T X_t / n_t and independent chi-square variables w_k of one
degree of freedom: see `derivations/steps/rules/single_row/eigenvalues.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.paper.beyond.reduction import GAMMA, OWN, OWN_INVERSE
from derivations.paper.outer_problem import target_covariance
from derivations.steps.chain import Chain
from derivations.steps.held import Held
from derivations.steps.rules.single_row.eigenvalues import by_eigenvalues
from symbolic.algebra.words import Expression, identity, scalar, tr

MOST_STEPS = 8
OF_ONE_TASK = tr(OWN_INVERSE @ GAMMA)


def weight(steps: int, size: int, reached: int) -> int:
    """K times the power of 1/e in the chance that B_1 B_1^T is less than e^2, of which more than two are needed for a mean.

    The j-th nearest eigenvalue to zero of `reached` counts as min(j, K), each other direction as K.
    """
    return sum(powers(steps, size, reached))


def powers(steps: int, size: int, reached: int) -> list[int]:
    """What each direction counts."""
    return [min(j, steps) if j <= reached else steps for j in range(1, size + 1)]


def finite_places() -> Iterator[tuple[int, int, int]]:
    """K, p and the most training points up to which the weight is enough, from p = 3 to where no number of them is too many."""
    for steps in range(1, MOST_STEPS + 1):
        for size in range(3, 2 * MOST_STEPS):
            found = [n for n in range(1, size + 1) if weight(steps, size, n) > 2 * steps]
            if found:
                yield steps, size, found[-1]
            if found and found[-1] == size:
                break


def infinite_places() -> Iterator[tuple[int, int, int]]:
    """K, p and the least number of training points from which on the weight is not enough."""
    return ((steps, size, most + 1) for steps, size, most in finite_places() if most < size)


def squared_row(chain: Chain, steps: int, size: int, reached: int) -> Expression:
    """B_1 B_1^T in eigenvalues."""
    under = replace(PAPER, inner_steps=steps)
    chain.begin(scalar("G_1"), under).define({"G_1": tr(OWN @ OWN.T)})
    chain.insert({"B_1": model.task(under).design}, "stacked-design", held=Held(under))
    return by_eigenvalues(chain, size, reached).result


def share_of_task(chain: Chain, steps: int, size: int, reached: int) -> Chain:
    """Tr (B_1 B_1^T)^-1 Gamma_1 in eigenvalues and R = 1/G_1, as one row of validation data makes a number of an inverse."""
    under = replace(PAPER, inner_steps=steps)
    chain.begin(OF_ONE_TASK, under)
    chain.insert({"Gamma_1": target_covariance(under)}, "target-covariance", held=Held(under))
    chain.define({"G_inverse": scalar("R") * identity("n_v")}, "one-task-suffices")
    return by_eigenvalues(chain, size, reached)
