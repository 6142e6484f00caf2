"""Lemma 3, (55)-(57): products of Gaussian matrices concentrate when the rows grow at a fixed dimension p.

    (55)  columns-concentrate       W_v
    (56)  columns-after-wishart     W_t W_v
    (57)  columns-between-wisharts  W_t W_v W_t

Each line says Y = c I + O(xi^a) elementwise with n_v, n_t = O(xi). As for Lemma 2, the derivation computes
the exact mean of Y and the exact mean square of the elements of Y - c I; half its degree in xi is the sharp
exponent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import sympy
from sympy import Rational

from derivations.language.assumptions import Assumptions
from derivations.language.symbols import n_t, n_v, p
from derivations.steps.by_degree import concentration
from derivations.steps.chain import Chain
from derivations.steps.draws import Array, transpose
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import ONE, exponent_of, leading_of
from derivations.steps.step import Check, Kind, Observed, Step
from derivations.verification.growth import fluctuation_check
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, gaussian
from symbolic.proofs.asymptotics import Exponent

HALF = Rational(1, 2)
# the underparameterized regime: the data of a task grow, the dimension does not
ROWS_GROW: Mapping[str, Exponent] = {"n_v": ONE, "n_t": ONE}
SIZES = ({"n_t": 5, "n_v": 4, "p": 3}, {"n_t": 8, "n_v": 11, "p": 4}, {"n_t": 12, "n_v": 7, "p": 2})
LADDER = tuple({"xi": float(xi), "p": 3, "n_v": 2 * xi, "n_t": 3 * xi} for xi in (16, 32, 64, 128))


def word(left: int, right: int) -> Expression:
    """W_t^left X^vT X^v W_t^right with W_t = X^tT X^t, p x p."""
    x_v, x_t = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
    w_t = x_t.T @ x_t
    return w_t**left @ x_v.T @ x_v @ w_t**right


def _product(sample: Sample, left: int, right: int) -> Array:
    """The word on sampled matrices."""
    x_v, x_t = sample.gaussian("n_v", "p"), sample.gaussian("n_t", "p")
    w_t = transpose(x_t) @ x_t
    y = transpose(x_v) @ x_v
    for _ in range(left):
        y = w_t @ y
    for _ in range(right):
        y = y @ w_t
    return np.asarray(y)


def _order(
    number: str, name: str, powers: tuple[int, int], leading: sympy.Expr, exponent: sympy.Expr
) -> Step:
    left, right = powers
    said = " ".join([*["W_t"] * left, "W_v", *["W_t"] * right])

    @cache
    def chain(assumptions: Assumptions) -> Chain:
        return concentration(word(left, right), (("X_v",), ("X_t",)), ROWS_GROW)

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        def observed(sample: Sample) -> Array:
            return _product(sample, left, right)

        exponent, mean = exponent_of(step, assumptions), leading_of(step, assumptions)
        return [
            fluctuation_check(ORDER, step.name, LADDER, observed, exponent, mean, draws=4000, base_seed=seed)
        ]

    def observe(sample: Sample) -> Observed:
        y = _product(sample, left, right)
        return {LEADING: np.trace(y, axis1=1, axis2=2) / sample.size("p")}

    return Step(
        name,
        (number,),
        Kind.LEMMA,
        f"With many rows and few dimensions the product {said} is a multiple of the identity up to fluctuations of order "
        f"xi^({exponent}).",
        "lemma3",
        uses=("gaussian-inputs",),
        claim=lambda: {LEADING: leading, ORDER: exponent},
        derivation=chain,
        check=check,
        observe=observe,
        sizes=SIZES,
        method="exact mean and variance of the elements by the engine; degree in xi",
        remark="The exponent is sharp: it is attained by the standard deviation.",
    )


STEPS: tuple[Step, ...] = (
    _order("55", "columns-concentrate", (0, 0), n_v, HALF),
    _order("56", "columns-after-wishart", (1, 0), n_t * n_v, 3 * HALF),
    _order("57", "columns-between-wisharts", (1, 1), n_v * n_t * (n_t + p + 1), 5 * HALF),
)
