"""A grid of learning rates at one covariance: the trace form of (14) against matrices formed at every point.

`python -m benchmarks.trace_form [--p P] [--size N] [--points K] [--repeats R]` draws Sigma and Sigma_w as in
(17) with P = 200 parameters. The trace form evaluates the whole N x N grid of (alpha_t, alpha_r), N = 1000
unless told, in one call; the others are timed on K of its points, chosen at random:

- `matrices`: a hand-written function that forms H_t and H_r of (15), (16) and takes the traces of (14), with
  F and the powers of Sigma formed beforehand;
- `eigenvalues`: the same in the eigenbasis of Sigma, also formed beforehand, where for Gaussian inputs
  H_t and H_r are diagonal: the best that evaluation point by point can do.

All are compared at those points before anything is timed. Printed are the median and the extremes of R
repetitions, per point, and the ratio of medians. Set OMP_NUM_THREADS=1 for steady timings of `matrices`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from derivations.formulas.trace_form import TraceForm, trace_form

Array = NDArray[np.float64]
Loss = Callable[[float, float], float]
SIZES = {"n_t": 100, "n_v": 2, "n_r": 50, "m": 3, "sigma": 1.0}
NU = 0.5
LIMIT = 2.0


def covariances(p: int) -> tuple[Array, Array]:
    """One draw of (17)."""
    first, second = np.random.default_rng(0).standard_normal((2, p, p))
    return np.asarray(first.T @ first / p), np.asarray(NU**2 * second.T @ second / p**2)


def by_matrices(sigma: Array, sigma_w: Array) -> Loss:
    """(14) with the matrices H_t and H_r formed at every call."""
    square, cube = sigma @ sigma, sigma @ sigma @ sigma
    fourth = 2 * cube + sigma * np.trace(square)
    identity = np.eye(len(sigma))

    def factor(rate: float, points: int) -> Array:
        contraction = identity - rate * sigma
        return np.asarray(sigma @ contraction @ contraction + rate**2 / points * (fourth - cube))

    return _from_factors(
        factor, float(np.trace(square)), sigma_w, lambda a, b: float(np.trace(a @ b)), np.trace
    )


def by_eigenvalues(sigma: Array, sigma_w: Array) -> Loss:
    """(14) for Gaussian inputs with the diagonals of H_t and H_r, in the eigenbasis of Sigma."""
    values, vectors = np.linalg.eigh(sigma)
    squares = float(np.sum(values**2))
    fourth = 2 * values**3 + values * squares
    tasks = np.einsum("ik,ij,jk->k", vectors, sigma_w, vectors)

    def factor(rate: float, points: int) -> Array:
        return np.asarray(values * (1 - rate * values) ** 2 + rate**2 / points * (fourth - values**3))

    return _from_factors(factor, squares, tasks, lambda a, b: float(a @ b), np.sum)


def _from_factors(
    factor: Callable[[float, int], Array],
    squares: float,
    tasks: Array,
    inner: Callable[[Array, Array], float],
    trace: Callable[[Array], float],
) -> Loss:
    n_t, n_r, rows, sigma = SIZES["n_t"], SIZES["n_r"], SIZES["n_v"] * SIZES["m"], SIZES["sigma"]

    def loss(alpha_t: float, alpha_r: float) -> float:
        h_t, h_r = factor(alpha_t, int(n_t)), factor(alpha_r, int(n_r))
        braces = inner(tasks, h_t) + sigma**2 * (1 + alpha_t**2 / n_t * squares)
        learned = rows * inner(h_r, h_t) / float(trace(h_t)) ** 2 * braces
        return float(sigma**2 * (1 + alpha_r**2 / n_r * squares) + inner(tasks, h_r) + learned) / 2

    return loss


def timed(function: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each of several calls."""
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    return found


def compare(form: TraceForm, losses: dict[str, Loss], points: list[tuple[float, float]]) -> float:
    """The largest relative difference over the points; raises ValueError when it is not rounding."""
    worst = max(abs(float(form(*point)) / loss(*point) - 1) for loss in losses.values() for point in points)
    if worst > 1e-11:
        raise ValueError(f"the methods differ by {worst:.1e}: nothing is timed")
    return worst


def main() -> None:
    """Compare, time, print."""
    parser = argparse.ArgumentParser(description="The trace form of (14) against matrices at every point.")
    parser.add_argument("--p", type=int, default=200)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    sigma, sigma_w = covariances(options.p)
    started = time.perf_counter()
    form = trace_form("eq14", {**SIZES, "Sigma": sigma, "Sigma_w": sigma_w})
    build = time.perf_counter() - started
    axis = np.linspace(-LIMIT, LIMIT, options.size)
    generator = np.random.default_rng(1)
    points = [(float(a), float(b)) for a, b in generator.choice(axis, (options.points, 2))]
    losses = {"matrices": by_matrices(sigma, sigma_w), "eigenvalues": by_eigenvalues(sigma, sigma_w)}
    worst = compare(form, losses, points)
    print(f"p = {options.p}, {options.size} x {options.size} rates, {os.cpu_count()} cores")
    print(f"largest relative difference {worst:.1e}; trace form built in {1e3 * build:.0f} ms")
    ours = [
        seconds / options.size**2 for seconds in timed(lambda: form(axis[:, None], axis), options.repeats)
    ]
    _report("trace form", ours, ours)
    for name, loss in losses.items():
        times = timed(partial(_each, loss, points), options.repeats)
        _report(name, [seconds / options.points for seconds in times], ours)


def _each(loss: Loss, points: list[tuple[float, float]]) -> None:
    for point in points:
        loss(*point)


def _report(name: str, seconds: list[float], ours: list[float]) -> None:
    median = statistics.median(seconds)
    spread = f"{1e6 * min(seconds):.4g} .. {1e6 * max(seconds):.4g}"
    ratio = median / statistics.median(ours)
    print(f"{name:12s} {1e6 * median:12.4g} us a point ({spread}), {ratio:,.0f} times the trace form")


if __name__ == "__main__":
    main()
