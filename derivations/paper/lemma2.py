"""Lemma 2, (43)-(54): products of Gaussian matrices concentrate, with their orders in xi.

    (43)  rows-concentrate                         X_v X_v^T
    (44)  rows-through-wishart                     X_v W_t X_v^T
    (45)  rows-through-wishart-squared             X_v W_t^2 X_v^T
    (46)  rows-of-two-tasks                        rows of two tasks
    (47)  rows-of-two-tasks-wishart                rows of two tasks, the training data of one between
    (48)  rows-of-two-tasks-two-wisharts           rows of two tasks, the training data of both between
    (49)  weighted-rows-concentrate                (43) with D between
    (50)  weighted-rows-through-wishart            (44) with D between
    (51)  weighted-rows-through-two-wisharts       (45) with D between
    (52)  weighted-rows-of-two-tasks               (46) with D between
    (53)  weighted-rows-of-two-tasks-wishart       (47) with D between
    (54)  weighted-rows-of-two-tasks-two-wisharts  (48) with D between

Each line says Y = c I + O(xi^a) elementwise, or Y = O(xi^a) between two tasks. The derivation computes the exact
mean of Y and the exact mean square of the elements of Y - c I; half its degree in xi is the sharp exponent. With a deterministic matrix D, Tr D and Tr D^2 are of order xi^delta, and (Tr D)^2 <= p Tr D^2
(Cauchy-Schwarz) bounds the square of the trace.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy
from sympy import Integer, MatrixSymbol, Rational, Trace

from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from derivations.language.symbols import delta, n_t, p
from derivations.steps.by_degree import concentration
from derivations.steps.chain import Chain
from derivations.steps.draws import Array, transpose
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import WEIGHTS, exponent_of, leading_of
from derivations.steps.step import Check, Kind, Observed, Step
from derivations.verification.growth import fluctuation_check
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, gaussian

D = MatrixSymbol("D", p, p)
HALF = Rational(1, 2)
# numeric ladder: with D a projection of rank sqrt(xi), Tr D = Tr D^2 = xi^(1/2)
DELTA_ON_LADDER = 0.5
LADDER = tuple(
    {"xi": float(xi), "p": 2 * xi, "n_t": 3 * xi, "rank": round(xi**DELTA_ON_LADDER)}
    for xi in (16, 36, 64, 100)
)


def word(left: int, right: int, *, with_d: bool, cross: bool) -> Expression:
    """X^v W_i^left D W_j^right X^vT, with W of the same task, or of tasks 1 and 2."""
    x_v, x_w = gaussian("X_v1", "n_v", "p"), gaussian("X_v2" if cross else "X_v1", "n_v", "p")
    x_t, x_s = gaussian("X_t1", "n_t", "p"), gaussian("X_t2" if cross else "X_t1", "n_t", "p")
    middle = letter("D") if with_d else letter("I_p")
    return x_v @ (x_t.T @ x_t) ** left @ middle @ (x_s.T @ x_s) ** right @ x_w.T


def word_text(left: int, right: int, *, with_d: bool, cross: bool) -> str:
    """The word as text, with rows X and W of each task."""
    first, second = ("_i", "_j") if cross else ("", "")
    before, after = [f"W{first}"] * left, [f"W{second}"] * right
    if not (with_d or cross):
        before, after = ([f"W^{left + right}" if left + right > 1 else "W"] if left + right else []), []
    return " ".join([f"X{first}", *before, *(["D"] if with_d else []), *after, f"X{second}^T"])


def _rows(sample: Sample, count: int, left: int, right: int, *, cross: bool) -> tuple[Array, Array]:
    """X W_i^left and X W_j^right, for so many rows X of each task.

    Each is met by one W at most, of which only this product is seen. Without a second task both are the same rows.
    """
    x_v = sample.gaussian(count, "p")
    x_w = sample.gaussian(count, "p") if cross else x_v
    passed = sample.through_wishart(x_v, "n_t") if left or (right and not cross) else x_v
    other = (sample.through_wishart(x_w, "n_t") if right else x_w) if cross else passed
    return (passed if left else x_v), (other if right else x_w)


def _product(sample: Sample, left: int, right: int, *, with_d: bool, cross: bool) -> Array:
    """Y for two validation rows."""
    x_v, x_w = _rows(sample, 2, left, right, cross=cross)
    size = sample.size("p")
    kept = sample.size("rank") if with_d else size
    sample.define("D", np.diag(1.0 * (np.arange(size) < kept)))
    return np.asarray(x_v[:, :, :kept] @ transpose(x_w[:, :, :kept]))


SIZES: tuple[dict[str, float], ...] = (
    {"p": 4, "n_t": 3, "n_v": 5},
    {"p": 3, "n_t": 5, "n_v": 4},
    {"p": 5, "n_t": 4, "n_v": 6},
)


def _diagonal(sample: Sample, left: int, right: int, *, with_d: bool, cross: bool) -> Array:
    """A diagonal element of Y for one validation row, at small sizes where its leading part shows exactly."""
    x_v, x_w = _rows(sample, 1, left, right, cross=cross)
    middle = sample.matrix("D", "p", "p", positive=True) if with_d else np.eye(sample.size("p"))
    return np.asarray(x_v @ middle @ transpose(x_w))[:, 0, 0]


def _order(
    number: str,
    name: str,
    left: int,
    right: int,
    leading: sympy.Expr,
    exponent: sympy.Expr,
    *,
    with_d: bool,
    cross: bool,
) -> Step:
    said = word_text(left, right, with_d=with_d, cross=cross)

    @cache
    def chain(assumptions: Assumptions) -> Chain:
        y = word(left, right, with_d=with_d, cross=cross)
        return concentration(y, (("X_v1", "X_v2"), ("X_t1", "X_t2")), WEIGHTS)

    def observe(sample: Sample) -> Observed:
        return {LEADING: _diagonal(sample, left, right, with_d=with_d, cross=cross)}

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        def observed(sample: Sample) -> Array:
            return _product(sample, left, right, with_d=with_d, cross=cross)

        exponent, mean = exponent_of(step, assumptions), leading_of(step, assumptions)
        return [fluctuation_check(ORDER, step.name, LADDER, observed, exponent, mean, base_seed=seed, rows=2)]

    return Step(
        name,
        (number,),
        Kind.LEMMA,
        f"For validation rows X_i, X_j of different tasks the product {said} is pure fluctuation, of order xi^({exponent})."
        if cross
        else f"For validation rows X the product {said} is a multiple of the identity up to fluctuations of order xi^({exponent}).",
        "lemma2",
        uses=("gaussian-inputs",),
        claim=lambda: {LEADING: leading, ORDER: exponent},
        derivation=chain,
        check=check,
        observe=observe,
        sizes=SIZES,
        resolution={LEADING: 0.05 * 30 ** (left + right)} if cross else {},
        method="exact mean and variance of the elements by the engine; degree in xi",
        remark="The exponent is sharp: it is attained by the standard deviation.",
    )


_SECOND = n_t * (n_t + p + 1)


STEPS: tuple[Step, ...] = (
    _order("43", "rows-concentrate", 0, 0, p, HALF, with_d=False, cross=False),
    _order("44", "rows-through-wishart", 1, 0, p * n_t, 3 * HALF, with_d=False, cross=False),
    _order("45", "rows-through-wishart-squared", 1, 1, p * _SECOND, 5 * HALF, with_d=False, cross=False),
    _order("46", "rows-of-two-tasks", 0, 0, Integer(0), HALF, with_d=False, cross=True),
    _order("47", "rows-of-two-tasks-wishart", 1, 0, Integer(0), 3 * HALF, with_d=False, cross=True),
    _order("48", "rows-of-two-tasks-two-wisharts", 1, 1, Integer(0), 5 * HALF, with_d=False, cross=True),
    _order("49", "weighted-rows-concentrate", 0, 0, Trace(D), delta / 2, with_d=True, cross=False),
    _order(
        "50", "weighted-rows-through-wishart", 1, 0, Trace(D) * n_t, 1 + delta / 2, with_d=True, cross=False
    ),
    _order(
        "51",
        "weighted-rows-through-two-wisharts",
        1,
        1,
        Trace(D) * _SECOND,
        2 + delta / 2,
        with_d=True,
        cross=False,
    ),
    _order("52", "weighted-rows-of-two-tasks", 0, 0, Integer(0), delta / 2, with_d=True, cross=True),
    _order(
        "53", "weighted-rows-of-two-tasks-wishart", 1, 0, Integer(0), 1 + delta / 2, with_d=True, cross=True
    ),
    _order(
        "54",
        "weighted-rows-of-two-tasks-two-wisharts",
        1,
        1,
        Integer(0),
        2 + delta / 2,
        with_d=True,
        cross=True,
    ),
)
