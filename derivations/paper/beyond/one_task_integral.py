"""The average of one task's label noise for one or two validation points, by quadrature, with the error of it.

One point: s = |U|^2 and t = |V|^2 are chi-square and the Gram matrix is a + b t with polynomials a, b of s, so that the
average over t is an exponential integral, E 1/(a + b t) = e^z E_k(z) / (2 b) with z = a / 2b and k half the degrees of
freedom. The average over s is taken on panels, finer towards the rate's pole. Two points: by rotation U is
diagonal, and the five numbers that are left have laws whose moments are known: a product of Gauss rules. So it is for
one point and two or three inner steps, where X_t may be taken bidiagonal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import erfc, exp, inf, pi, sqrt
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
# nodes of each Gauss rule by the number of dimensions: as many as it takes for two of them to agree
RULES: Mapping[int, tuple[int, ...]] = {4: (7, 10, 13, 17), 5: (5, 7, 9, 11, 14), 6: (5, 7, 9), 8: (3, 4, 5)}
AGREED, ROUNDING = 1e-13, 1e-15
SERIES = 18  # terms of a logarithm near one


def by_quadrature(task: OneTask, numbers: Mapping[str, float], agreed: float = AGREED) -> Estimate | None:
    """E Tr M^-1 K with the error of the quadrature and no draws; None where there are too many dimensions."""
    rows, room = int(numbers["n_v"]), min(int(numbers["n_t"]), int(numbers["q"]))
    if rows == 1 and task.blocks == 1:
        return double_integral(task, numbers)
    if room < rows * task.blocks or (rows, task.blocks) not in ((2, 1), (1, 2), (1, 3), (1, 4)):
        return None
    dimensions = 5 if rows == 2 else 2 * task.blocks
    place = _two_points if rows == 2 else _bidiagonal(task.blocks)
    found = Estimate(0.0, inf, 0)
    for nodes in RULES[dimensions]:
        value = _product_rule(task, numbers, nodes, place)
        found = Estimate(value, abs(value - found.mean) + ROUNDING * abs(value), 0)
        if found.resolved(agreed):
            break
    return found


def double_integral(task: OneTask, numbers: Mapping[str, float]) -> Estimate:
    """E K / M for one validation point, to about 15 digits; `stderr` is the error of the quadrature."""
    split = task.split()
    gram, weight = (_powers(expr, numbers) for expr in (split.gram, split.weight))
    if any(t > 1 for _, t in gram) or any(t for _, t in weight):
        raise ValueError("the double integral is for one inner step: the Gram matrix is linear in |V|^2")
    a, b, k = (_in_s(gram, 0), _in_s(gram, 1), _in_s(weight, 0))
    values = [_over_s(a, b, k, numbers, nodes) for nodes in NODES]
    # what differs between many nodes is rounded alike at all of them
    rounding = ROUNDING * (1 + sqrt(numbers["n_t"]) / 50)
    return Estimate(values[1], abs(values[1] - values[0]) + rounding * abs(values[1]), 0)


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
    mass = weights * _density(free, x)
    low = (c * offset * (2 * origin + offset)) ** 2 if origin else (1 - c * s) ** 2
    slope, top = (np.polynomial.polynomial.polyval(s, np.array(powers)) for powers in (b, weight))
    inverse = _scaled_integral(k, low / (2 * slope)) / (2 * slope) if slope.all() else 1 / low
    return float(np.sum(mass * top * inverse) / np.sum(mass))


def _density(free: float, x: Array) -> Array:
    """x^(free - 1) exp(-x^2 / 2) as a share of what it is near its largest: the two terms there cancel, and are not taken apart."""
    if free < 2:
        return np.asarray(np.exp(-(x**2) / 2))
    top = sqrt(free - 1)
    away = (x - top) / top
    return np.asarray(np.exp((free - 1) * (_log_without_line(away) - away**2 / 2)))


def _log_without_line(away: Array) -> Array:
    """log(1 + x) - x, by its series where the two are nearly the same."""
    near = np.abs(away) < 0.1
    with np.errstate(divide="ignore"):  # so near zero that it is rounded there: there is no mass
        found = np.log1p(np.where(near, 0.0, away)) - away
    few = away[near]
    series = np.zeros_like(few)
    for power in range(SERIES, 1, -1):
        series = few * series - (-1.0) ** power / power
    found[near] = few**2 * series
    return np.asarray(found)


def _panels(free: float, c: float, nodes: int) -> tuple[float, Array, Array]:
    """Gauss-Legendre nodes, as distances from an origin, and weights on panels that cover the mass of a chi law.

    The origin is 1/sqrt(c) where that is within reach, with panels that shrink towards it, and else 0.
    """
    centre = sqrt(free)
    low, high = max(0.0, centre - REACH), centre + REACH
    origin = 1 / sqrt(c) if c > 0 and low < 1 / sqrt(c) < high else 0.0
    edges = {x - origin for x in (low, high, *np.linspace(low, high, PANELS))}
    if not origin and low == 0.0:
        # the poles of large negative rates are near zero
        edges |= {2.0**-level for level in range(LEVELS)}
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


Places = tuple[Array, Array, Array]
Numbers = Mapping[str, float]


def _product_rule(
    task: OneTask, numbers: Numbers, nodes: int, place: Callable[[Numbers, int], Places]
) -> float:
    u, v, weights = place(numbers, nodes)
    return float(np.sum(weights * task.values(u, v, numbers)))


def _nodes(laws: Sequence[list[Fraction]], nodes: int) -> tuple[list[Array], Array]:
    """All combinations of the nodes of Gauss rules with these moments, and their weights."""
    rules = [_rule(tuple(moments[: 2 * nodes])) for moments in laws]
    places = np.meshgrid(*(np.array(values) for values, _ in rules), indexing="ij")
    weights = np.prod(np.meshgrid(*(found for _, found in rules), indexing="ij"), axis=0)
    return [np.clip(x.ravel(), 0, None) for x in places], weights.ravel()


@lru_cache(maxsize=256)
def _rule(moments: tuple[Fraction, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The Gauss rule of a law, found once for all rates of a curve."""
    return quadrature(moments)


def _two_points(numbers: Numbers, nodes: int) -> Places:
    """tr S is chi-square with 2 n_t degrees of freedom, 4 det S / (tr S)^2 a beta variable independent of it; V has a
    triangular factor with chi-square squares.
    """
    n, q, order = int(numbers["n_t"]), int(numbers["q"]), 2 * nodes
    laws = [_chi_square(2 * n, order), _beta(Fraction(n - 1, 2), order)]
    (trace, squeeze, *squares), weights = _nodes(
        [*laws, *(_chi_square(k, order) for k in (q, q - 1, 1))], nodes
    )
    u, v = np.zeros((2, len(weights), 2, 2))
    spread = np.sqrt(np.clip(1 - squeeze, 0, 1))
    u[:, 0, 0], u[:, 1, 1] = (np.sqrt(np.clip(trace / 2 * (1 + side * spread), 0, None)) for side in (1, -1))
    v[:, 0, 0], v[:, 1, 1], v[:, 1, 0] = map(np.sqrt, squares)
    return u, v, weights


def chi_square_rule(numbers: Numbers, nodes: int) -> Places:
    """U and V of one validation point and one inner step at the nodes of a Gauss rule, and the weights."""
    return _bidiagonal(1)(numbers, nodes)


def _bidiagonal(blocks: int) -> Callable[[Numbers, int], Places]:
    """X_t seen from one validation row: bidiagonal with squares that are chi-square, each with one degree fewer."""

    def place(numbers: Numbers, nodes: int) -> Places:
        n, q = int(numbers["n_t"]), int(numbers["q"])
        laws = [_chi_square(free - k, 2 * nodes) for k in range(blocks) for free in (n, q)]
        squares, weights = _nodes(laws, nodes)
        u, v = np.zeros((len(weights), blocks, 1)), np.zeros((len(weights), blocks, blocks))
        u[:, 0, 0] = np.sqrt(squares[0])
        for k in range(blocks):
            v[:, k, k] = np.sqrt(squares[2 * k + 1])
            if k:
                v[:, k, k - 1] = np.sqrt(squares[2 * k])
        return u, v, weights

    return place


def _chi_square(free: int, order: int) -> list[Fraction]:
    moments = [Fraction(1)]
    for k in range(order):
        moments.append(moments[-1] * (free + 2 * k))
    return moments


def _beta(a: Fraction, order: int) -> list[Fraction]:
    """The moments of a beta variable with second parameter 1."""
    return [a / (a + k) for k in range(order + 1)]
