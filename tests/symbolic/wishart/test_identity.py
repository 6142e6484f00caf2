"""Trace moments for the identity covariance: theorems that hold in every degree."""

from typing import Any

import pytest
from flint import fmpq_mpoly

from symbolic.wishart import identity
from symbolic.wishart.identity import RING, matrix_moment, trace_moment, trace_moments
from symbolic.wishart.partitions import partitions, total_pairings

N, P = RING.gens()
DEGREES = (1, 2, 3, 5, 8, 12)


@pytest.mark.parametrize("degree", DEGREES)
def test_all_pairings_are_counted(degree: int) -> None:
    assert {int(value(1, 1)) for value in trace_moments(degree).values()} == {total_pairings(degree)}


@pytest.mark.parametrize("degree", DEGREES)
def test_one_column_is_a_chi_square(degree: int) -> None:
    product = RING.constant(1)
    for i in range(degree):
        product *= N + 2 * i
    assert all(value.compose(N, RING.constant(1)) == product for value in trace_moments(degree).values())


@pytest.mark.parametrize("degree", DEGREES)
def test_rows_and_columns_may_be_exchanged(degree: int) -> None:
    assert all(value.compose(P, N) == value for value in trace_moments(degree).values())


@pytest.mark.parametrize("degree", DEGREES)
def test_degrees_in_the_dimensions(degree: int) -> None:
    for mu, value in trace_moments(degree).items():
        assert value.total_degree() == degree + len(mu)
        assert value.degrees() == (degree, degree)
        assert value % (N * P) == 0


@pytest.mark.parametrize("degree", DEGREES)
def test_power_of_the_trace_is_a_chi_square_moment(degree: int) -> None:
    product = RING.constant(1)
    for i in range(degree):
        product *= N * P + 2 * i
    assert trace_moment((1,) * degree) == product


@pytest.mark.parametrize("degree", range(1, 9))
def test_one_row_has_one_eigenvalue(degree: int) -> None:
    values = [value.compose(RING.constant(1), P) for value in trace_moments(degree).values()]
    assert all(value == values[0] for value in values)


@pytest.mark.parametrize("degree", range(3))
def test_two_columns_obey_cayley_hamilton(degree: int) -> None:
    """At p = 2, W^2 - W tr W + det W = 0: hence tr W^{k+2} - tr W^{k+1} tr W + tr W^k det W = 0."""
    for mu in partitions(degree):
        for k in (1, 2, 3):
            total = 2 * (trace_moment((k + 2, *mu)) - trace_moment((k + 1, 1, *mu)))
            total += trace_moment((k, 1, 1, *mu)) - trace_moment((k, 2, *mu))
            assert total.compose(N, RING.constant(2)) == 0


def test_matrix_moment_is_the_trace_moment_per_dimension() -> None:
    assert matrix_moment(2) * P == trace_moment((2,))
    assert matrix_moment(3, (2, 1)) * P == trace_moment((1, 2, 3))
    assert matrix_moment(0, (2, 1)) == trace_moment((1, 2))
    assert matrix_moment(0) == trace_moment(()) == 1


def test_order_of_the_parts_does_not_matter() -> None:
    assert trace_moment((3, 1, 2)) == trace_moment((1, 2, 3)) == trace_moment([2, 3, 1])


def test_the_cache_changes_nothing() -> None:
    before: fmpq_mpoly = trace_moment((4, 5))
    identity.clear_cache()
    assert trace_moment((4, 5)) == before


@pytest.mark.parametrize("parts", [(0,), (-1, 2), (1.5,), ("2",), (True,)])
def test_bad_parts_are_refused(parts: Any) -> None:
    with pytest.raises(ValueError, match=r"is no power of a trace|negative"):
        trace_moment(parts)


@pytest.mark.parametrize("power", [-1, 1.0, True])
def test_bad_powers_are_refused(power: Any) -> None:
    with pytest.raises(ValueError, match="is no power here"):
        matrix_moment(power)


def test_degree_is_limited() -> None:
    with pytest.raises(ValueError, match="at most 28"):
        trace_moment((20, 9))
    with pytest.raises(ValueError, match="at most 28"):
        trace_moments(29)
    with pytest.raises(ValueError, match="at least 0"):
        trace_moments(-1)
