"""The checks of the rows without a second tool reject engines that are wrong in ways that weak checks miss."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from symbolic.wishart import general as wishart_general
from symbolic.wishart import identity as wishart
from symbolic.wishart.general import matrix_moment_general, trace_moment_general
from symbolic.wishart.identity import trace_moment
from symbolic.wishart.marked_basis import Marked, Vector
from symbolic.wishart.partitions import partitions
from tests.symbolic.wishart.values import matrix, scalar
from tests.symbolic.wishart.values import value as exact

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT))
    yield importlib.import_module("benchmarks.rows")
    wishart.clear_cache()


def verdict(rows: ModuleType, name: str) -> bool:
    wishart.clear_cache()
    row = next(row for row in rows.ROWS if row.name == name)
    answer = row.methods[0].read(row.methods[0].run())
    wishart.clear_cache()
    return bool(row.theorem(answer))


@pytest.mark.parametrize(
    "name",
    [
        "all-identity-16",
        "power-8",
        "power-16",
        "all-general-12",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("all-identity-24", "all-general-16")),
    ],
)
def test_the_engines_pass(rows: ModuleType, name: str) -> None:
    assert verdict(rows, name)


def test_an_identity_engine_without_the_trace_of_the_identity_is_rejected(
    rows: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses the factor p = tr I, and is right at p = 1."""
    right = wishart._with_trace
    monkeypatch.setattr(
        wishart, "_with_trace", lambda mu, k: right(mu, k) if k else wishart._moment(tuple(sorted(mu)))
    )
    assert not verdict(rows, "all-identity-16")


def exchanged(vector: list[int], degree: int) -> Vector:
    """The moment with the coefficients of two products of equally many power sums exchanged: right at Sigma = I."""
    terms = UNPACKED(vector, degree)
    first, second = pair(terms)
    terms[first], terms[second] = terms[second], terms[first]
    return terms


UNPACKED = wishart_general._unpacked


def pair(value: Vector) -> tuple[Marked, Marked]:
    """Two terms with different coefficients whose power sums have the same number of factors."""
    keys = sorted(value, key=lambda key: (len(key[1]), key))
    for first, second in pairwise(keys):
        if len(first[1]) == len(second[1]) and value[first] != value[second]:
            return first, second
    return keys[0], keys[0]


@pytest.mark.parametrize("name", ["power-8", "power-16", "all-general-12"])
def test_a_general_engine_that_exchanges_power_sums_is_rejected(
    rows: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishart_general, "_unpacked", exchanged)
    assert not verdict(rows, name)


@pytest.mark.parametrize("name", ["all-identity-16", "power-8", "all-general-12"])
def test_an_empty_answer_is_rejected(rows: ModuleType, name: str) -> None:
    row = next(row for row in rows.ROWS if row.name == name)
    assert not row.theorem({})


@pytest.mark.parametrize("s", [1, 2, 5])
def test_the_bartlett_values_are_those_of_small_engines(rows: ModuleType, s: int) -> None:
    sigma: Any = [[1, 0], [0, s]]
    for degree in range(1, 6):
        for mu in partitions(degree):
            value = rows.bartlett.trace_moment(mu, 4, s)
            assert value == exact(scalar(trace_moment_general(mu)), 4, sigma)
            assert s > 1 or value == int(trace_moment(mu)(4, 2))
        rows_of_power = exact(matrix(matrix_moment_general(degree)), 4, sigma)
        diagonal = rows_of_power[0][0], rows_of_power[1][1]
        assert rows.bartlett.power_moment(degree, 4, s) == diagonal


def test_every_aim_says_what_bounds_the_engine(rows: ModuleType) -> None:
    aims = [row for row in rows.ROWS if row.goal_seconds is not None or row.goal_ratio is not None]
    assert len(aims) > 5
    assert all(row.bound for row in aims)


@pytest.mark.parametrize(
    ("name", "kind", "points"),
    [
        # Wg(1, 1, 1) = (p^2 + 3 p - 2) / (p (p - 1) (p - 2) (p + 2) (p + 4)) of O(p)
        (
            "weingarten-orthogonal-3",
            (1, 1, 1),
            lambda p: Fraction(p * p + 3 * p - 2, p * (p - 1) * (p - 2) * (p + 2) * (p + 4)),
        ),
        # Wg(2, 1, 1) = - 1 / (N (N^2 - 1) (N^2 - 9)) of U(N)
        ("weingarten-unitary-4", (1, 1, 2), lambda p: Fraction(-1, p * (p * p - 1) * (p * p - 9))),
    ],
)
def test_values_of_the_weingarten_function_are_read_where_the_other_tool_reads_them(
    rows: ModuleType, name: str, kind: tuple[int, ...], points: Callable[[int], Fraction]
) -> None:
    method = next(row for row in rows.ROWS if row.name == name).methods[0]
    found = method.read(method.run())[kind]
    assert found == tuple(points(p) for p in range(11, 31))
