"""Elements of X: what they are as vectors, by the pairs of Gaussian entries, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import pytest

from symbolic.algebra.refusal import Refused
from symbolic.grammar.row_elements import index_of, is_place
from symbolic.query.query import moment

SIGMA = [[2, 1, 0], [1, 3, -1], [0, -1, 4]]


def _pairings(places: list[int]) -> Iterator[list[tuple[int, int]]]:
    if not places:
        yield []
        return
    first, *rest = places
    for k, other in enumerate(rest):
        for pairs in _pairings(rest[:k] + rest[k + 1 :]):
            yield [(first, other), *pairs]


def by_pairs(entries: list[tuple[int, int]]) -> int:
    """E of a product of entries of X by Isserlis' theorem: rows are independent, of covariance SIGMA."""

    def covariance(one: tuple[int, int], two: tuple[int, int]) -> int:
        return SIGMA[one[1] - 1][two[1] - 1] if one[0] == two[0] else 0

    return sum(
        prod(covariance(entries[i], entries[j]) for i, j in pairs)
        for pairs in _pairings([*range(len(entries))])
    )


PRODUCTS = (
    [(1, 2)],
    [(1, 2), (1, 2)],
    [(1, 1), (1, 2), (1, 3), (1, 3)],
    [(1, 1), (2, 2), (1, 2), (2, 3)],
    [(1, 1), (2, 2), (2, 2), (3, 3)],
    [(1, 2), (1, 2), (1, 3), (1, 1), (2, 2), (2, 3)],
)


@pytest.mark.parametrize("entries", PRODUCTS, ids=str)
def test_products_of_entries(entries: list[tuple[int, int]]) -> None:
    text = " ".join(f"X[{row},{column}]" for row, column in entries)
    assert moment(text, {"n": 4, "Sigma": SIGMA}).value == str(by_pairs(entries))
    turned = " ".join(f"X'[{column},{row}]" for row, column in entries)
    assert moment(turned, {"n": 4, "Sigma": SIGMA}).value == str(by_pairs(entries))


def test_beside_a_wishart_matrix_and_a_word() -> None:
    """W = X' X is the sum over rows, of which the first has the entry."""
    n = 4
    expected = [
        [
            str(sum(by_pairs([(1, 2), (1, 3), (row, i), (row, j)]) for row in range(1, n + 1)))
            for j in (1, 2, 3)
        ]
        for i in (1, 2, 3)
    ]
    assert moment("X[1,2] X[1,3] W", {"n": n, "Sigma": SIGMA}).value == expected
    assert moment("cov(X[1,2] X[1,3], W[2,2])", {"n": n, "Sigma": SIGMA}).value == str(
        Fraction(expected[1][1]) - n * SIGMA[1][2] * SIGMA[1][1]
    )


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("X[5,1]^2", {"values": {"n": 4, "p": 3}}, "index 5 is over n = 4"),
        ("X[1,4]^2", {"values": {"n": 4, "p": 3}}, "index 4 is over p = 3"),
        ("X[1,2]^2", {"mean": "general"}, "a mean of zero and independent rows"),
        ("X[1,2] X", {}, "beside X itself"),
        ("X[1,2] a' X b", {}, "columns throughout"),
        ("X[1,2]^4", {"law": "laplace"}, "no method under the law laplace"),
    ],
)
def test_what_has_no_answer_is_refused(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, **options)


def test_names_of_rows_and_columns() -> None:
    assert [index_of(name) for name in ("x_3", "x2_1'", "w_12")] == [("n", 3), ("n2", 1), ("p", 12)]
    assert not any(map(is_place, ("a", "x", "W", "w", "x_", "b2", "e[1,2]")))
    with pytest.raises(ValueError, match="no row"):
        index_of("a")
    assert all(is_place(f"{kind}_{k}") for kind, k in product(("x", "w"), (1, 2)))
