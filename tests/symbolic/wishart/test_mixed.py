"""Mixed moments: two derivations, cancellation of powers, one column, Cayley-Hamilton, sampling."""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from symbolic.algebra.quotients import Rational
from symbolic.wishart import mixed
from symbolic.wishart.general import matrix_moment_general
from symbolic.wishart.mixed import mixed_moment
from symbolic.wishart.partitions import partitions
from symbolic.wishart.wishart_inverse import inverse_matrix_moment, inverse_trace_moment
from tests.symbolic.wishart.values import matrix, scalar, value

N = Rational.generator("n")
P = Rational.generator("p")
CASES = [(1, -1), (2, -1), (-1, -1, 1), (1, 1, -1), (2, -2), (1, 1, -2), (3, -1), (-1, -1, 1, 1), (-3, 1)]


@pytest.mark.parametrize("degree", range(1, 6))
def test_pure_inverse_moments_agree_with_the_other_derivation(degree: int) -> None:
    for mu in partitions(degree):
        opposite = tuple(-part for part in mu)
        assert scalar(mixed_moment(0, opposite)).equals(scalar(inverse_trace_moment(mu)))
        opened = matrix(mixed_moment(opposite[0], opposite[1:]))
        assert opened.equals(matrix(inverse_matrix_moment(mu[0], mu[1:])))


@pytest.mark.parametrize("degree", range(1, 6))
def test_pure_positive_moments_agree_with_the_other_derivation(degree: int) -> None:
    for mu in partitions(degree):
        assert matrix(mixed_moment(mu[0], mu[1:])).equals(matrix(matrix_moment_general(mu[0], mu[1:])))


@pytest.mark.parametrize("traces", CASES)
def test_every_factor_may_be_the_open_one(traces: tuple[int, ...]) -> None:
    """The trace of E[W^k P] is the same scalar whichever factor tr W^k was opened."""
    closed = scalar(mixed_moment(0, traces))
    for k in range(len(traces)):
        assert matrix(mixed_moment(traces[k], traces[:k] + traces[k + 1 :])).trace().equals(closed)


@pytest.mark.parametrize("traces", CASES)
def test_derivative_in_sigma_inserts_a_factor(traces: tuple[int, ...]) -> None:
    """E[W P] = n Sigma E[P] + 2 Sigma (dE[P]/dSigma) Sigma, with d tr Sigma^k / dSigma = k Sigma^{k-1}."""
    total: dict[tuple[int, tuple[int, ...]], Rational] = {}

    def add(j: int, nu: tuple[int, ...], value: Rational) -> None:
        total[j, nu] = total[j, nu] + value if (j, nu) in total else value

    for (_, nu), coefficient in mixed_moment(0, traces).items():
        add(1, nu, N * coefficient)
        for k, part in enumerate(nu):
            add(part + 1, nu[:k] + nu[k + 1 :], Rational.number(2 * part) * coefficient)
    assert matrix(mixed_moment(1, traces)).equals(matrix(total))


@pytest.mark.parametrize("traces", CASES)
def test_one_column_multiplies_all_powers(traces: tuple[int, ...]) -> None:
    n, power = 29, sum(traces)
    expected = Fraction(1)
    for i in range(max(power, 0)):
        expected *= n + 2 * i
    for i in range(1, max(-power, 0) + 1):
        expected /= n - 2 * i
    assert value(scalar(mixed_moment(0, traces)), n, [[1]]) == expected
    scale = Fraction(3)
    assert value(scalar(mixed_moment(0, traces)), n, [[3]]) == expected * scale**power


@pytest.mark.parametrize(
    ("k", "traces"), list(product([-1, 0, 1], [(-1,), (1,), (-2, 1), (-1, 2), (-1, -1, 1)]))
)
def test_two_columns_obey_cayley_hamilton(k: int, traces: tuple[int, ...]) -> None:
    """W^{k+1} - W^k tr W + W^{k-1} det W = 0 at p = 2, inside every expectation."""
    n, sigma = 19, [[2, 1], [1, 3]]

    def at(power: int, *more: int) -> Any:
        return np.array(value(matrix(mixed_moment(power, (*traces, *more))), n, sigma))

    total = 2 * (at(k + 1) - at(k, 1)) + at(k - 1, 1, 1) - at(k - 1, 2)
    assert np.all(total == 0)


@pytest.mark.parametrize(
    ("power", "traces"), [(-1, (1,)), (1, (-1,)), (-2, (2,)), (2, (-1, -1)), (-1, (1, -1))]
)
def test_sampled_means_agree(power: int, traces: tuple[int, ...]) -> None:
    n, p, draws = 48, 3, 40_000
    quarters = [[8, 2, 0], [2, 4, -1], [0, -1, 6]]
    sigma = np.array(quarters) / 4
    rng = np.random.default_rng(20240607 + 10 * power + sum(traces))
    x = rng.standard_normal((draws, n, p)) @ np.linalg.cholesky(sigma).T
    w = x.transpose(0, 2, 1) @ x
    sample = np.linalg.matrix_power(w, power)
    for part in traces:
        sample = sample * np.trace(np.linalg.matrix_power(w, part), axis1=1, axis2=2)[:, None, None]
    covariance = [[Fraction(x, 4) for x in row] for row in quarters]
    exact = np.array(value(matrix(mixed_moment(power, traces)), n, covariance), dtype=float)
    error = sample.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(sample.mean(axis=0) - exact) < 5 * error)
    assert np.all(5 * np.diag(error) < 0.02 * np.diag(exact))


def test_written_out_for_the_simplest_pair() -> None:
    """E[tr W tr W^-1] = (n tr Sigma tr Sigma^-1 - 2 p) / (n - p - 1), by integration by parts on a line."""
    moment = mixed_moment(0, (1, -1))
    bottom = N - P - Rational.number(1)
    assert moment[0, (-1, 1)].equals(N / bottom)
    assert moment[0, ()].equals(-(P + P) / bottom)


def test_a_lost_join_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = mixed.distinct_parts
    mixed._moment.cache_clear()
    monkeypatch.setattr(mixed, "distinct_parts", lambda mu: list(complete(mu))[1:])
    try:
        with pytest.raises(AssertionError):
            test_one_column_multiplies_all_powers((1, -1))
        with pytest.raises(AssertionError):
            test_derivative_in_sigma_inserts_a_factor((2, -1))
    finally:
        mixed._moment.cache_clear()


@pytest.mark.parametrize("power", [1.0, True, "1"])
def test_bad_powers_are_refused(power: Any) -> None:
    with pytest.raises(ValueError, match="is no power here"):
        mixed_moment(power, (1,))


@pytest.mark.parametrize(("power", "traces"), [(-7, ()), (1, (-4, -3)), (10, (-3,))])
def test_degrees_are_limited(power: int, traces: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="over the limit: ask for at most 12 in total, 6 of them inverse"):
        mixed_moment(power, traces)
