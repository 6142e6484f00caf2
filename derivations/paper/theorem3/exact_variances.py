"""The exact variances behind (134)-(136), for Gaussian inputs of any covariance.

    -  exact-variances  the variances of (134)-(136) as traces of powers of Sigma

The products are X_i W_i^a W_j^b X_j^T over p^(1 + a + b), X validation and W = X^t^T X^t training data of a task; each
has a diagonal and an off-diagonal element within one task, and elements between two tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import sympy
from sympy import Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.symbols import n_t, p
from derivations.paper.theorem3.general_setting import SIGMA, general
from derivations.steps.chain import Chain
from derivations.steps.draws import Array, transpose
from derivations.steps.orders import element
from derivations.steps.step import Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import matrix, reciprocal, scalar, zero

NUMBERS: Mapping[tuple[int, int], str] = {(0, 0): "134", (1, 0): "135", (1, 1): "136"}
# places of an element: in which of the two products, and where
DIAGONAL, OFF, BETWEEN = r"i=j,\ k=l", r"i=j,\ k\neq l", r"i\neq j"
SAME, OTHER = "same task", "other task"
PLACES = {DIAGONAL: (SAME, 1), OFF: (SAME, 2), BETWEEN: (OTHER, 1)}
# tasks behind one sampled variance, and validation rows that go through the training data of each
TASKS, ROWS = 12, 48
SIZES = ({"n_t": 120, "n_v": 2, "p": 4}, {"n_t": 60, "n_v": 3, "p": 6}, {"n_t": 300, "n_v": 2, "p": 3})


def label(powers: tuple[int, int], place: str) -> str:
    """The label of a variance."""
    return rf"\mathrm{{Var}}_{{({NUMBERS[powers]})}}\ [{place}]"


@lru_cache(maxsize=8)
def variances_chain(assumptions: Assumptions) -> Chain:
    """Of each element the mean, and the mean square distance from there: over the rows, with anything between them; then
    over the training data that is between them.
    """
    first, second = (model.task(general(assumptions), index).x_v for index in ("1", "2"))
    within, between = matrix("M", "p", "p", symmetric=True), matrix("M", "p", "p")
    chain: Chain | None = None
    means, over_rows = {}, {}
    for place, (task, column) in PLACES.items():
        word = first @ between @ second.T if task == OTHER else first @ within @ first.T
        entry = element(word, 1, column)
        chain = Chain(entry) if chain is None else chain.begin(entry)
        means[place] = _averaged(chain).result
        centre = zero() if means[place].is_zero else scalar("c")
        over_rows[place] = _averaged(chain.begin((entry - centre) ** 2)).result
    assert chain is not None
    for powers in NUMBERS:
        for place, (task, _) in PLACES.items():
            centre = means[place]
            if not centre.is_zero:
                centre = _passed(chain.begin(centre), powers, task, assumptions).result
            _passed(chain.begin(over_rows[place]), powers, task, assumptions)
            if not centre.is_zero:
                chain.expand({"c": centre})
            chain.shows(label(powers, place))
    return chain


def _passed(chain: Chain, powers: tuple[int, int], task: str, assumptions: Assumptions) -> Chain:
    """W_i^a W_j^b over p^(1 + a + b), of one task or of two, put in between the rows, and averaged."""
    one, two = (model.task(general(assumptions), index).x_t for index in ("1", "2"))
    other = two if task == OTHER else one
    left, right = powers
    scale = reciprocal("p") ** (1 + left + right)
    return _averaged(chain.define({"M": scale * (one.T @ one) ** left @ (other.T @ other) ** right}))


def _averaged(chain: Chain) -> Chain:
    data = [name for name, one in chain.result.letters().items() if one.random]
    return chain.average(*data, reads=("input-covariance",)) if data else chain


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
    """Sampled variances over the independent tasks of a draw, averaged over the elements of a place.

    An element off the diagonal, or between two tasks, changes its sign with that of a row: its variance is its mean
    square. Squares are summed over all pairs of rows by the sums of x^T x. A task has a product of its own, and one with
    its partner. Training data are seen by X^T X alone, for which their triangular factor is enough. Rows are drawn standard:
    their covariance goes to the products between them, which are smaller.
    """
    size = sample.size("p")
    sigma = 0.75 * np.eye(size) + 0.25 * sample.matrix("Sigma_part", "p", "p", positive=True)
    sample.define("Sigma", sigma)
    x_v = sample.gaussian(TASKS * ROWS, size).reshape(-1, ROWS, size)
    x_t = np.stack([sample.triangular("n_t", size) for _ in range(TASKS)], axis=1)
    x_t = x_t.reshape(-1, *x_t.shape[2:])
    outer, passed = (np.ascontiguousarray(transpose(x)) @ x for x in (x_v, x_t))
    # what is the same in every draw is multiplied once for all of them
    turned = (passed.reshape(-1, size) @ sigma).reshape(passed.shape)
    once = (np.ascontiguousarray(transpose(turned)).reshape(-1, size) @ sigma).reshape(passed.shape)
    without = np.broadcast_to(sigma, passed.shape)
    middles = {
        (0, 0): (without, without[::2]),
        (1, 0): (once, once[::2]),
        (1, 1): (once @ turned, once[::2] @ turned[1::2]),
    }
    found: dict[str, Array] = {}
    for left, right in NUMBERS:
        scale = sample["p"] ** (1 + left + right)
        within, between = middles[left, right]
        on_diagonal = np.einsum("tri,tri->tr", x_v @ within, x_v)
        product, others = within @ outer, outer[::2] @ between @ outer[1::2]
        whole = np.einsum("tij,tji->t", product, product) - np.einsum("tr,tr->t", on_diagonal, on_diagonal)
        places = {
            DIAGONAL: np.var(on_diagonal.reshape(-1, TASKS, ROWS), axis=1, ddof=1),
            OFF: whole / (ROWS * (ROWS - 1)),
            BETWEEN: np.einsum("tij,tij->t", others, between) / ROWS**2,
        }
        for place, values in places.items():
            found[label((left, right), place)] = values.reshape(sample.batch, -1).mean(axis=1) / scale**2
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "exact-variances",
        (),
        Kind.CLAIM,
        "For Gaussian inputs the variances of (134)-(136) are known exactly, as traces of powers of Sigma: those of the "
        "element (k, l) of the product of the data of tasks i and j.",
        "theorem3",
        uses=(
            "input-covariance",
            "variance-of-rows",
            "variance-through-training-data",
            "variance-through-both-training-data",
        ),
        claim=_claim,
        derivation=variances_chain,
        observe=_observe,
        sizes=SIZES,
        depends_on=("split",),
        applies=unchanged(("split",)),
        method="exact averages over the rows, then over the training data between them",
        remark="With Tr Sigma^k = O(xi) every term is O(1/xi) or smaller.",
    ),
)
