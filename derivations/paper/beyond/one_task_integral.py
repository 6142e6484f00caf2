"""The average of one task's label noise for one or two validation points, by quadrature, with the error of it.

One point: s = |U|^2 and t = |V|^2 are chi-square and the Gram matrix is a + b t with polynomials a, b of s, so that the
average over t is an exponential integral, E 1/(a + b t) = e^z E_k(z) / (2 b) with z = a / 2b and k half the degrees of
freedom. The average over s is taken on panels, finer towards the rate's pole. Two points: by rotation U is
diagonal, and the five numbers that are left have laws whose moments are known: a product of Gauss rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import erfc, exp, lgamma, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.estimate import Estimate
from numeric_check.problem.quadrature import quadrature
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, polynomial

if TYPE_CHECKING:
    from derivations.paper.beyond.one_task import OneTask

Array = NDArray[np.float64]
NODES = (24, 34)  # on each panel, for the value and for its error
REACH, PANELS = 10.5, 22  # standard deviations of a chi law that are covered, and panels on them
TERMS, FEW = 300, 30  # of the continued fraction, which k or z of this size make fast
LEVELS = 46  # panels towards the pole, each half as wide as the one before
RULE = (11, 14)  # nodes of each Gauss rule in five dimensions


def double_integral(task: OneTask, numbers: Mapping[str, float]) -> Estimate:
    """E K / M for one validation point, to about 15 digits; `stderr` is the error of the quadrature."""
    split = task.split()
    gram, weight = (_powers(expr, numbers) for expr in (split.gram, split.weight))
    if any(t > 1 for _, t in gram) or any(t for _, t in weight):
        raise ValueError("the double integral is for one inner step: the Gram matrix is linear in |V|^2")
    a, b, k = (_in_s(gram, 0), _in_s(gram, 1), _in_s(weight, 0))
    values = [_over_s(a, b, k, numbers, nodes) for nodes in NODES]
    return Estimate(values[1], abs(values[1] - values[0]) + 4e-16 * abs(values[1]), 0)


def _powers(expr: Expression, numbers: Mapping[str, float]) -> dict[tuple[int, int], float]:
    """The coefficients of s^i t^j: with one row every word is a number, its letters count the powers."""
    exact = {name: Fraction(value) for name, value in numbers.items()}
    found: dict[tuple[int, int], float] = {}
    for term, coefficient in expr.terms.items():
        letters = [factor.name for word in (*term.traces, term.word or ()) for factor in word]
        key = (letters.count("U") // 2, letters.count("V") // 2)
        found[key] = found.get(key, 0.0) + float(evaluate(polynomial(coefficient), exact))
    return found


def _in_s(powers: Mapping[tuple[int, int], float], degree: int) -> list[float]:
    top = max((s for s, t in powers if t == degree), default=0)
    return [powers.get((s, degree), 0.0) for s in range(top + 1)]


def _over_s(
    a: list[float], b: list[float], weight: list[float], numbers: Mapping[str, float], nodes: int
) -> float:
    """The average over s = x^2 on panels in x: nothing is singular at zero, whatever the degrees of freedom.

    a = (1 - c s)^2 has its root where c > 0; near it, x is known by its distance from the root alone.
    """
    free, k, c = numbers["n_t"], (numbers["p"] - 1) / 2, -a[1] / 2 if len(a) > 1 else 0.0
    origin, offset, weights = _panels(free, c, nodes)
    x = origin + offset
    s = x**2
    log_density = (free - 1) * np.log(x) - s / 2 - (free / 2 - 1) * np.log(2) - lgamma(free / 2)
    low = (c * offset * (2 * origin + offset)) ** 2 if origin else (1 - c * s) ** 2
    slope, top = (np.polynomial.polynomial.polyval(s, np.array(powers)) for powers in (b, weight))
    inverse = _scaled_integral(k, low / (2 * slope)) / (2 * slope) if slope.all() else 1 / low
    return float(np.sum(weights * np.exp(log_density) * top * inverse))


def _panels(free: float, c: float, nodes: int) -> tuple[float, Array, Array]:
    """Gauss-Legendre nodes, as distances from an origin, and weights on panels that cover the mass of a chi law.

    The origin is 1/sqrt(c) where that is within reach, with panels that shrink towards it, and else 0.
    """
    centre = sqrt(free)
    low, high = max(0.0, centre - REACH), centre + REACH
    origin = 1 / sqrt(c) if c > 0 and low < 1 / sqrt(c) < high else 0.0
    edges = {x - origin for x in (low, high, *np.linspace(low, high, PANELS))}
    if origin:
        edges |= {side * 2.0**-level for level in range(LEVELS) for side in (-1, 1)} | {0.0}
    inside = sorted(x for x in edges if low <= origin + x <= high)
    x, w = np.polynomial.legendre.leggauss(nodes)
    points = [(left + right) / 2 + (right - left) / 2 * x for left, right in pairwise(inside)]
    weights = [(right - left) / 2 * w for left, right in pairwise(inside)]
    return origin, np.concatenate(points), np.concatenate(weights)


def _scaled_integral(k: float, z: Array) -> Array:
    """e^z E_k(z) = E 1/(z + u) for u of the gamma law of shape k = 1, 3/2, 2, ...

    By its continued fraction; for small z and k, where that is slow, from E_1 or E_(1/2) by k E_(k+1) = e^-z - z E_k.
    """
    found = _fraction(k, z)
    small = z < 1
    if k <= FEW and small.any():
        found[small] = _recurred(k, z[small])
    return found


def _recurred(k: float, z: Array) -> Array:
    start = 1.0 if k == int(k) else 0.5
    if start == 1.0:
        power, series = np.ones_like(z), -np.euler_gamma - np.log(z)
        for j in range(1, 25):
            power = -power * z / j
            series = series - power / j
        value = np.exp(z) * series
    else:
        value = np.array([sqrt(pi / x) * erfc(sqrt(x)) * exp(x) for x in z])
    while start < k:
        value, start = (1 - z * value) / start, start + 1
    return np.asarray(value)


def _fraction(k: float, z: Array) -> Array:
    value = z + k + 2 * TERMS
    for j in range(TERMS, 0, -1):
        value = z + k + 2 * (j - 1) - j * (k + j - 1) / value
    return np.asarray(1 / value)


def gauss_product(task: OneTask, numbers: Mapping[str, float]) -> Estimate:
    """E Tr M^-1 K for two validation points and at least two training points; `stderr` is the error of the quadrature."""
    values = [_product_rule(task, numbers, nodes) for nodes in RULE]
    return Estimate(values[1], abs(values[1] - values[0]) + 1e-14 * abs(values[1]), 0)


def _product_rule(task: OneTask, numbers: Mapping[str, float], nodes: int) -> float:
    """tr S is chi-square with 2 n_t degrees of freedom, 4 det S / (tr S)^2 a beta variable independent of it; V has a
    triangular factor with chi-square squares.
    """
    n, q = int(numbers["n_t"]), int(numbers["p"]) - 2
    order = 2 * nodes + 1
    laws = [_chi_square(2 * n, order), _beta(Fraction(n - 1, 2), order)]
    laws += [_chi_square(free, order) for free in (q, q - 1, 1)]
    rules = [quadrature(moments[: 2 * nodes]) for moments in laws]
    trace, squeeze, *squares = np.meshgrid(*(values for values, _ in rules), indexing="ij")
    weights = np.prod(np.meshgrid(*(found for _, found in rules), indexing="ij"), axis=0)
    u, v = np.zeros((2, *trace.shape, 2, 2))
    spread = np.sqrt(np.clip(1 - squeeze, 0, 1))
    u[..., 0, 0], u[..., 1, 1] = (
        np.sqrt(np.clip(trace / 2 * (1 + side * spread), 0, None)) for side in (1, -1)
    )
    v[..., 0, 0], v[..., 1, 1], v[..., 1, 0] = (np.sqrt(np.clip(x, 0, None)) for x in squares)
    found = task.values(u.reshape(-1, 2, 2), v.reshape(-1, 2, 2), numbers)
    return float(np.sum(weights.ravel() * found))


def _chi_square(free: int, order: int) -> list[Fraction]:
    moments = [Fraction(1)]
    for k in range(order):
        moments.append(moments[-1] * (free + 2 * k))
    return moments


def _beta(a: Fraction, order: int) -> list[Fraction]:
    """The moments of a beta variable with second parameter 1."""
    return [a / (a + k) for k in range(order + 1)]
