"""More answers to moment queries, besides those that are steps, against plain sampling at three unequal sizes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import input_law
from numeric_check.problem.setting import symmetric_root
from numeric_check.verdicts.verdict import judge
from symbolic.query.query import moment

Array = NDArray[np.float64]
Sampled = Callable[[dict[str, Array]], Array]
MOST_DRAWS, BATCH = 8_000_000, 50_000
SIZES = ((13, 2), (19, 4), (16, 3))


def tr(batch: Array) -> Array:
    return np.asarray(np.trace(batch, axis1=-2, axis2=-1))


def inv(batch: Array) -> Array:
    return np.asarray(np.linalg.inv(batch))


# query, covariance, law, and the same from sampled matrices; matrices are compared through tr(A .)
QUERIES: tuple[tuple[str, str, str, Sampled], ...] = (
    ("tr(W^3)", "identity", "gaussian", lambda m: tr(m["W"] @ m["W"] @ m["W"])),
    ("tr(W)^2 tr(W^2)", "identity", "gaussian", lambda m: tr(m["W"]) ** 2 * tr(m["W"] @ m["W"])),
    ("tr(W^4)", "general", "gaussian", lambda m: tr(m["W"] @ m["W"] @ m["W"] @ m["W"])),
    ("tr(A W B W)", "general", "gaussian", lambda m: tr(m["A"] @ m["W"] @ m["B"] @ m["W"])),
    ("tr(A W A' W B)", "identity", "gaussian", lambda m: tr(m["A"] @ m["W"] @ m["A"].T @ m["W"] @ m["B"])),
    ("tr(A W1 B W2)", "general", "gaussian", lambda m: tr(m["A"] @ m["W1"] @ m["B"] @ m["W2"])),
    ("tr(W^-1)", "identity", "gaussian", lambda m: tr(inv(m["W"]))),
    ("tr(A W^-1)", "general", "gaussian", lambda m: tr(m["A"] @ inv(m["W"]))),
    ("tr(W) tr(W^-1)", "identity", "gaussian", lambda m: tr(m["W"]) * tr(inv(m["W"]))),
    ("tr(A W B W)", "identity", "rademacher", lambda m: tr(m["A"] @ m["W"] @ m["B"] @ m["W"])),
    ("tr(A W B W)", "general", "uniform", lambda m: tr(m["A"] @ m["W"] @ m["B"] @ m["W"])),
    ("tr(A W) tr(B W)", "general", "laplace", lambda m: tr(m["A"] @ m["W"]) * tr(m["B"] @ m["W"])),
    ("tr(W1 W2 W1)", "general", "rademacher", lambda m: tr(m["W1"] @ m["W2"] @ m["W1"])),
    ("tr(W^2)^2", "identity", "laplace", lambda m: tr(m["W"] @ m["W"]) ** 2),
    ("tr(A W B W)", "identity", "kurtosis:5", lambda m: tr(m["A"] @ m["W"] @ m["B"] @ m["W"])),
)


def fixed(n: int, p: int) -> dict[str, Array]:
    """The deterministic matrices: A and B near the identity, so that no trace is zero by chance."""
    rng = generator_for(f"sampled moments/{n}/{p}")
    near = {name: np.eye(p) + 0.3 * rng.standard_normal((p, p)) for name in ("A", "B")}
    factor = rng.standard_normal((p, p))
    return {**near, "Sigma": factor @ factor.T / p + 0.5 * np.eye(p)}


def rows_of(name: str, n: int) -> int:
    return n + 2 * int(name[1:] or 0)


def verdict(query: str, covariance: str, law: str, sampled: Sampled, n: int, p: int) -> str:
    known = fixed(n, p)
    wisharts = [name for name in ("W1", "W2") if name in query] or ["W"]
    values: dict[str, Any] = {"n" + name[1:]: rows_of(name, n) for name in wisharts} | {"p": p}
    values |= {name: known[name] for name in ("A", "B") if name in query}
    root = np.eye(p)
    if covariance == "general":
        values["Sigma"] = known["Sigma"]
        root = symmetric_root(known["Sigma"])
    value = moment(query, values, covariance, law).value
    assert isinstance(value, float | str)
    exact = number(value)
    rng = generator_for(f"sampled moments/{query}/{covariance}/{law}/{n}")
    total = squares = count = 0.0
    while count < MOST_DRAWS:
        draws = dict(known)
        for name in wisharts:
            x = input_law(law).draw(rng, (BATCH, rows_of(name, n), p)) @ root
            draws[name] = np.swapaxes(x, 1, 2) @ x
        ratio = sampled(draws) / exact
        total, squares, count = total + ratio.sum(), squares + (ratio**2).sum(), count + BATCH
        mean = total / count
        stderr = float(np.sqrt((squares / count - mean**2) / count))
        if 5 * stderr < 0.01:
            break
    return judge(float(mean), stderr, 1.0).status


def number(value: float | str) -> float:
    top, _, bottom = str(value).partition("/")
    return float(top) / float(bottom or 1)


@pytest.mark.slow(2)
@pytest.mark.parametrize(
    ("query", "covariance", "law", "sampled"), QUERIES, ids=[f"{q} {c} {law}" for q, c, law, _ in QUERIES]
)
def test_sampling_confirms_the_answer(query: str, covariance: str, law: str, sampled: Sampled) -> None:
    assert [verdict(query, covariance, law, sampled, n, p) for n, p in SIZES] == ["agree"] * len(SIZES)


def test_a_wrong_answer_is_seen() -> None:
    n, p = SIZES[1]
    query, covariance, law, _ = QUERIES[0]
    assert verdict(query, covariance, law, lambda m: tr(m["W"] @ m["W"] @ m["W"]) * 1.02, n, p) == "disagree"
