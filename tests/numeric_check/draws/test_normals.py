"""Normal numbers are normal: moments, tails, independence within a pair, and the number asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numeric_check.draws.normals import BLOCK, FEW, normals
from numeric_check.draws.seeds import generator_for

COUNT = 64 * 2 * BLOCK
MOMENTS = (1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0)


def test_moments_up_to_the_eighth() -> None:
    drawn = normals(generator_for("moments of normals"), (COUNT,))
    for k in range(1, 5):
        stderr = math.sqrt((MOMENTS[2 * k] - MOMENTS[k] ** 2) / COUNT)
        assert abs(np.mean(drawn**k) - MOMENTS[k]) < 5 * stderr
    for k in range(5, 9):
        powers = drawn**k
        assert abs(powers.mean() - MOMENTS[k]) < 5 * powers.std() / math.sqrt(COUNT)


def test_shares_between_quantiles_and_beyond() -> None:
    drawn = normals(generator_for("shares of normals"), (COUNT,))
    for edge in (-4.0, -3.0, -1.5, -0.5, 0.0, 0.01, 1.0, 2.0, 4.0):
        share = 0.5 * math.erfc(edge / math.sqrt(2))
        assert abs(np.mean(drawn > edge) - share) < 5 * math.sqrt(share * (1 - share) / COUNT)


def test_the_two_of_a_pair_and_neighbours_are_independent() -> None:
    drawn = normals(generator_for("pairs of normals"), (64, 2, BLOCK))
    for first, second in ((drawn[:, 0], drawn[:, 1]), (drawn[..., :-1], drawn[..., 1:])):
        for one, other in ((first, second), (first**2 - 1, second**2 - 1), (first, second**2 - 1)):
            assert abs(np.mean(one * other)) < 5 * np.std(one * other) / math.sqrt(one.size)


@pytest.mark.parametrize("shape", [(0,), (1,), (FEW + 1,), (3, 5, 7), (2 * BLOCK + 3,), (17, 101, 31)])
def test_the_shape_asked_for_and_the_same_numbers_again(shape: tuple[int, ...]) -> None:
    first, again = (normals(generator_for("shape of normals"), shape) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.float64
    assert np.array_equal(first, again)
    assert np.unique(first).size >= 0.99 * first.size
