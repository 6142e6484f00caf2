"""Partitions: counts, order, and the refusal of parts that are none."""

from typing import Any

import pytest

from symbolic.wishart.partitions import (
    as_partition,
    as_positive_partition,
    distinct_parts,
    partitions,
    total_pairings,
    with_part,
)


@pytest.mark.parametrize(("degree", "count"), [(0, 1), (1, 1), (4, 5), (5, 7), (10, 42), (20, 627)])
def test_number_of_partitions(degree: int, count: int) -> None:
    found = list(partitions(degree))
    assert len(found) == len(set(found)) == count
    assert all(sum(mu) == degree and list(mu) == sorted(mu) for mu in found)


def test_least_part() -> None:
    assert list(partitions(6, 2)) == [(2, 2, 2), (2, 4), (3, 3), (6,)]
    assert list(partitions(1, 2)) == []


def test_parts_are_sorted() -> None:
    assert as_partition([3, -1, 2]) == (-1, 2, 3)
    assert with_part((1, 3), 2) == (1, 2, 3)


def test_distinct_parts_carry_their_multiplicity() -> None:
    assert list(distinct_parts((1, 1, 4))) == [(1, 2, (1, 4)), (4, 1, (1, 1))]


def test_total_pairings_counts_perfect_matchings() -> None:
    def matchings(slots: int) -> int:
        return 1 if slots == 0 else (slots - 1) * matchings(slots - 2)

    assert [total_pairings(d) for d in range(9)] == [matchings(2 * d) for d in range(9)]


@pytest.mark.parametrize("part", [0, 1.0, True, "2", None])
def test_what_is_no_part_is_refused(part: Any) -> None:
    with pytest.raises(ValueError, match="give a non-zero integer"):
        as_partition([1, part])


def test_negative_parts_are_refused_where_they_do_not_belong() -> None:
    with pytest.raises(ValueError, match="negative"):
        as_positive_partition([2, -1])


def test_negative_degree_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        list(partitions(-1))
