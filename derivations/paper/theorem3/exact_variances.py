"""The exact variances behind (134)-(136), for Gaussian inputs of any covariance.

    -  exact-variances  the variances of (134)-(136) as traces of powers of Sigma

The products are X_i W_i^a W_j^b X_j^T over p^(1 + a + b), X validation and W = X^t^T X^t training data of a task; each
has a diagonal and an off-diagonal element within one task, and elements between two tasks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy
from sympy import Trace

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.symbols import n_t, p
from derivations.paper.theorem3.general_setting import SIGMA
from derivations.paper.theorem3.orders import products_of_inputs
from derivations.steps.draws import Array, transpose
from derivations.steps.orders import element
from derivations.steps.step import Derived, Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.averages.expectation import variance

NUMBERS: Mapping[tuple[int, int], str] = {(0, 0): "134", (1, 0): "135", (1, 1): "136"}
# places of an element: in which of the two products, and where
DIAGONAL, OFF, BETWEEN = r"i=j,\ k=l", r"i=j,\ k\neq l", r"i\neq j"
PLACES = {DIAGONAL: ("same task", 1), OFF: ("same task", 2), BETWEEN: ("other task", 1)}
# tasks behind one sampled variance, validation rows that go through the training data of each, and those of them that
# serve the elements off the diagonal, which fluctuate less and cost more
TASKS, ROWS, FEW = 16, 24, 12
SIZES = ({"n_t": 30, "p": 12}, {"n_t": 40, "p": 20}, {"n_t": 24, "p": 16})


def label(powers: tuple[int, int], place: str) -> str:
    """The label of a variance."""
    return rf"\mathrm{{Var}}_{{({NUMBERS[powers]})}}\ [{place}]"


def _derive(assumptions: Assumptions) -> Derived:
    found = {}
    for powers in NUMBERS:
        words = products_of_inputs(powers, assumptions)
        for place, (task, column) in PLACES.items():
            found[label(powers, place)] = variance(element(words[task], 1, column))
    return found


# -- the closed forms ---------------------------------------------------------------------------------------


def _claim() -> Parts:
    n, t = n_t, [p, *(Trace(SIGMA**k) for k in range(1, 7))]
    once = n * t[2] ** 2 + n * (n + 1) * t[4]
    between = n**2 * (n + 1) ** 2 * t[6] + 2 * n**2 * (n + 1) * t[2] * t[4] + n**2 * t[2] ** 3
    off = (
        n * t[1] ** 2 * t[2] ** 2
        + n * (n + 1) * (t[2] ** 3 + t[1] ** 2 * t[4] + 4 * t[1] * t[2] * t[3] + 2 * (n + 1) * t[3] ** 2)
        + 2 * n * (n**2 + 3 * n + 4) * t[1] * t[5]
        + n * (2 * n**2 + 7 * n + 11) * t[2] * t[4]
        + n * (n**3 + 6 * n**2 + 21 * n + 20) * t[6]
    )
    diagonal = (
        2 * n * t[1] ** 2 * t[2] ** 2
        + 2 * n * (n + 2) * (t[2] ** 3 + t[1] ** 2 * t[4])
        + 4 * n * (2 * n + 3) * t[1] * t[2] * t[3]
        + 2 * n * (n + 1) * (2 * n + 3) * t[3] ** 2
        + 4 * n * (n + 2) * (n + 3) * t[1] * t[5]
        + 4 * n * (n + 2) * (n + 4) * t[2] * t[4]
        + 2 * n * (n**3 + 10 * n**2 + 31 * n + 30) * t[6]
    )
    values: Mapping[tuple[int, int], tuple[sympy.Expr, sympy.Expr, sympy.Expr]] = {
        (0, 0): (2 * t[2], t[2], t[2]),
        (1, 0): (2 * n * t[2] ** 2 + 2 * n * (n + 2) * t[4], once, once),
        (1, 1): (diagonal, off, between),
    }
    return {
        label(powers, place): value / p ** (2 + 2 * sum(powers))
        for powers, three in values.items()
        for place, value in zip(PLACES, three, strict=True)
    }


# -- what sampling sees -------------------------------------------------------------------------------------


def _observe(sample: Sample) -> Observed:
    """Sampled variances over independent tasks, averaged over the elements of a place.

    The tasks of a batch are taken in groups of TASKS, each of which gives a variance. A task has a product of its own,
    and one with its partner.
    """
    sigma = 0.5 * np.eye(sample.size("p")) + 0.5 * sample.matrix("Sigma_part", "p", "p", positive=True)
    sample.define("Sigma", sigma)
    groups = sample.batch // TASKS
    x_v, x_t = (
        sample.gaussian(rows, "p", sigma)[: groups * TASKS].reshape(groups, TASKS, -1, sample.size("p"))
        for rows in (ROWS, "n_t")
    )
    # X W^k of each task
    passed = [x_v, (x_v @ np.ascontiguousarray(transpose(x_t))) @ x_t]
    few = [rows[:, :, :FEW] for rows in passed]
    found: dict[str, Array] = {}
    for left, right in NUMBERS:
        scale = sample["p"] ** (1 + left + right)
        diagonal = np.sum(passed[left] * passed[right], axis=-1)
        same = few[left] @ transpose(few[right])
        between = few[left][:, ::2] @ transpose(few[right][:, 1::2])
        places = {DIAGONAL: _variances(diagonal), BETWEEN: _variances(between).mean(axis=(1, 2))}
        all_places, on_diagonal = _variances(same), _variances(np.diagonal(same, axis1=-2, axis2=-1))
        places[OFF] = (all_places.sum(axis=(1, 2)) - on_diagonal.sum(axis=1)) / (FEW * (FEW - 1))
        for place, values in places.items():
            found[label((left, right), place)] = (
                values.mean(axis=1) if place == DIAGONAL else values
            ) / scale**2
    return found


def _variances(elements: Array) -> Array:
    """Sampled variances over the second axis, the tasks."""
    tasks = elements.shape[1]
    squares = np.einsum("gt...,gt...->g...", elements, elements)
    return np.asarray((squares - elements.sum(axis=1) ** 2 / tasks) / (tasks - 1))


STEPS: tuple[Step, ...] = (
    Step(
        "exact-variances",
        (),
        Kind.CLAIM,
        "For Gaussian inputs the variances of (134)-(136) are known exactly, as traces of powers of Sigma: those of the "
        "element (k, l) of the product of the data of tasks i and j.",
        "theorem3",
        uses=("variance-of-rows", "variance-through-training-data", "variance-through-both-training-data"),
        claim=_claim,
        derive=_derive,
        observe=_observe,
        sizes=SIZES,
        depends_on=("split",),
        applies=unchanged(("split",)),
        method="exact variances of the elements by the engine",
        remark="With Tr Sigma^k = O(xi) every term is O(1/xi) or smaller.",
    ),
)
