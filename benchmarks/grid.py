"""A grid of two learning rates: the compiled formulas against hand-written numba kernels.

`python -m benchmarks.grid [--size N] [--repeats N] [--out FILE]` evaluates (5) and (9) on an N x N grid of
(alpha_t, alpha_r), N = 1000 unless told. Three kernels are written by hand for each formula:

- `plain` computes every point from its two rates;
- `nested` does what the two loops suggest: the part with alpha_t outside of the inner loop, the other inside;
- `hoisted` tabulates the part with alpha_r too: one multiplication and one addition per point remain.

All results are compared first; then the methods run in turn, so that they meet the same machine, each into a
new array. Times are in milliseconds; numba's compilation is not timed, ours is given as `build`.
Needs numba (`pip install numba`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from derivations.formulas.by_name import function

Array = NDArray[np.float64]
OVER = {
    "n_t": 30,
    "n_v": 2,
    "n_r": 20,
    "m": 3,
    "p": 60,
    "sigma": 1.0,
    "nu": 0.5,
    "dist0_sq": 0.25,
}
UNDER = {"n_t": 5, "n_v": 25, "n_r": 10, "m": 40, "p": 30, "sigma": 0.2, "nu": 0.2}
AGREE = 1e-12
OURS = "this project"


@numba.njit
def plain_over(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu, dist0_sq):
    """(5) at every point from scratch."""
    out = np.empty((alpha_t.size, alpha_r.size))
    share = n_v * m / p
    for i in range(alpha_t.size):
        for j in range(alpha_r.size):
            a, r = alpha_t[i], alpha_r[j]
            h_t = (1 - a) ** 2 + a * a * (p + 1) / n_t
            h_r = (1 - r) ** 2 + r * r * (p + 1) / n_r
            noise = sigma * sigma * share * (1 + a * a * p / n_t) / h_t
            inside = nu * nu * (1 + share) + (1 - share) * dist0_sq + noise
            out[i, j] = sigma * sigma / 2 * (1 + r * r * p / n_r) + h_r / 2 * inside
    return out


@numba.njit
def nested_over(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu, dist0_sq):
    """(5) with the part that depends on alpha_t computed once for each alpha_t."""
    out = np.empty((alpha_t.size, alpha_r.size))
    share = n_v * m / p
    for i in range(alpha_t.size):
        a = alpha_t[i]
        h_t = (1 - a) ** 2 + a * a * (p + 1) / n_t
        noise = sigma * sigma * share * (1 + a * a * p / n_t) / h_t
        inside = nu * nu * (1 + share) + (1 - share) * dist0_sq + noise
        for j in range(alpha_r.size):
            r = alpha_r[j]
            h_r = (1 - r) ** 2 + r * r * (p + 1) / n_r
            out[i, j] = sigma * sigma / 2 * (1 + r * r * p / n_r) + h_r / 2 * inside
    return out


@numba.njit
def hoisted_over(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu, dist0_sq):
    """(5) with everything that depends on one rate computed once."""
    out = np.empty((alpha_t.size, alpha_r.size))
    share = n_v * m / p
    half = np.empty(alpha_r.size)
    constant = np.empty(alpha_r.size)
    for j in range(alpha_r.size):
        r = alpha_r[j]
        half[j] = ((1 - r) ** 2 + r * r * (p + 1) / n_r) / 2
        constant[j] = sigma * sigma / 2 * (1 + r * r * p / n_r)
    for i in range(alpha_t.size):
        a = alpha_t[i]
        h_t = (1 - a) ** 2 + a * a * (p + 1) / n_t
        noise = sigma * sigma * share * (1 + a * a * p / n_t) / h_t
        inside = nu * nu * (1 + share) + (1 - share) * dist0_sq + noise
        for j in range(alpha_r.size):
            out[i, j] = constant[j] + half[j] * inside
    return out


@numba.njit
def _excess_under(a, n, n_v, m, p, sigma, nu):
    """E|omega_star - w_0|^2 of (96), with the moments (102)-(107)."""
    mu_2 = (n + p + 1) / n
    mu_3 = (n * n + p * p + 3 * n * p + 3 * n + 3 * p + 4) / n**2
    mu_4 = (
        n**3
        + p**3
        + 6 * n * n * p
        + 6 * n * p * p
        + 6 * n * n
        + 6 * p * p
        + 17 * n * p
        + 21 * n
        + 21 * p
        + 20
    ) / n**3
    mu_11 = (n * n * p + 2 * n) / (p * n**2)
    mu_21 = (n * n * p + n * p * p + n * p + 4 * n + 4 * p + 4) / (p * n**2)
    mu_22 = (
        n**3 * p
        + n * p**3
        + 2 * n * n * p * p
        + 2 * n * n * p
        + 2 * n * p * p
        + 8 * n * n
        + 8 * p * p
        + 21 * n * p
        + 20 * n
        + 20 * p
        + 20
    ) / (p * n**3)
    h = 1 - 2 * a + mu_2 * a * a
    g_1 = 1 - 2 * a * mu_2 + a * a * mu_3
    g_2 = 1 - 2 * a * mu_11 + a * a * mu_21
    g_3 = 1 - 4 * a + 6 * a * a * mu_2 - 4 * a**3 * mu_3 + a**4 * mu_4
    g_4 = 1 - 4 * a + 2 * a * a * mu_2 + 4 * a * a * mu_11 - 4 * a**3 * mu_21 + a**4 * mu_22
    noise = sigma * sigma * (h + a * a / n * ((n_v + 1) * g_1 + p * g_2))
    return p / (n_v * m * h * h) * (noise + nu * nu / p * ((n_v + 1) * g_3 + p * g_4))


@numba.njit
def plain_under(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu):
    """(9) at every point from scratch."""
    out = np.empty((alpha_t.size, alpha_r.size))
    for i in range(alpha_t.size):
        for j in range(alpha_r.size):
            r = alpha_r[j]
            h_r = (1 - r) ** 2 + r * r * (p + 1) / n_r
            excess = _excess_under(alpha_t[i], n_t, n_v, m, p, sigma, nu)
            out[i, j] = sigma * sigma / 2 * (1 + r * r * p / n_r) + h_r / 2 * (nu * nu + excess)
    return out


@numba.njit
def nested_under(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu):
    """(9) with the part that depends on alpha_t computed once for each alpha_t."""
    out = np.empty((alpha_t.size, alpha_r.size))
    for i in range(alpha_t.size):
        inside = nu * nu + _excess_under(alpha_t[i], n_t, n_v, m, p, sigma, nu)
        for j in range(alpha_r.size):
            r = alpha_r[j]
            h_r = (1 - r) ** 2 + r * r * (p + 1) / n_r
            out[i, j] = sigma * sigma / 2 * (1 + r * r * p / n_r) + h_r / 2 * inside
    return out


@numba.njit
def hoisted_under(alpha_t, alpha_r, n_t, n_v, n_r, m, p, sigma, nu):
    """(9) with everything that depends on one rate computed once."""
    out = np.empty((alpha_t.size, alpha_r.size))
    half = np.empty(alpha_r.size)
    constant = np.empty(alpha_r.size)
    for j in range(alpha_r.size):
        r = alpha_r[j]
        half[j] = ((1 - r) ** 2 + r * r * (p + 1) / n_r) / 2
        constant[j] = sigma * sigma / 2 * (1 + r * r * p / n_r)
    for i in range(alpha_t.size):
        inside = nu * nu + _excess_under(alpha_t[i], n_t, n_v, m, p, sigma, nu)
        for j in range(alpha_r.size):
            out[i, j] = constant[j] + half[j] * inside
    return out


KERNELS = {
    "eq5": (OVER, {"plain": plain_over, "nested": nested_over, "hoisted": hoisted_over}),
    "eq9": (UNDER, {"plain": plain_under, "nested": nested_under, "hoisted": hoisted_under}),
}


def methods(name: str, size: int) -> tuple[float, dict[str, Callable[[], Array]]]:
    """Seconds to build our function, and each method as a call that returns the grid."""
    point, kernels = KERNELS[name]
    alpha_t, alpha_r = np.linspace(-1.5, 1.5, size), np.linspace(-0.5, 1.0, size)
    axes = {"alpha_t": alpha_t[:, None], "alpha_r": alpha_r[None, :]}
    started = time.perf_counter()
    ours = function(name)
    ours(**{**point, "alpha_t": 0.0, "alpha_r": 0.0})
    build = time.perf_counter() - started
    calls: dict[str, Callable[[], Array]] = {OURS: lambda: ours(**point, **axes)}
    for label, kernel in kernels.items():
        calls[label] = partial(kernel, alpha_t, alpha_r, **point)
    return build, calls


def compare(name: str, size: int, repeats: int) -> dict[str, Any]:
    """Times of all methods in milliseconds; raises RuntimeError when their results differ."""
    build, calls = methods(name, size)
    ours = calls[OURS]()
    for label, call in calls.items():
        grid = call()
        if grid.shape != (size, size) or not np.allclose(grid, ours, rtol=AGREE, atol=0.0):
            raise RuntimeError(f"{name}: {label} gives another result; nothing was timed")
    seconds: dict[str, list[float]] = {label: [] for label in calls}
    for _ in range(repeats):
        for label, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[label].append(1000 * (time.perf_counter() - started))
    rows = {
        label: {"median": statistics.median(found), "fastest": min(found), "slowest": max(found)}
        for label, found in seconds.items()
    }
    for row in rows.values():
        row["ours_over_this"] = rows[OURS]["median"] / row["median"]
    return {"name": name, "size": size, "repeats": repeats, "build": 1000 * build, "ms": rows}


def main(argv: list[str] | None = None) -> int:
    """Run, print and perhaps store the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=101)
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args(argv)
    records = [compare(name, arguments.size, arguments.repeats) for name in KERNELS]
    for record in records:
        print(f"{record['name']} on {record['size']} x {record['size']}, build {record['build']:.0f} ms")
        for label, row in record["ms"].items():
            extremes = f"{row['fastest']:.3f} to {row['slowest']:.3f}"
            ratio = f"  ours/this {row['ours_over_this']:.2f}"
            print(
                f"  {label:14s} median {row['median']:7.3f} ms ({extremes}){ratio if label != OURS else ''}"
            )
    if arguments.out is not None:
        versions = {"numpy": np.__version__, "numba": numba.__version__}
        document = {"versions": versions, "records": records}
        arguments.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
