"""Normal numbers are normal, and those of Laplace's law of that: moments, tails, independence, and the number asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import LAPLACE
from numeric_check.problem.normals import BLOCK, FEW, entries, laplace_numbers, normals

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


def test_laplace_numbers_have_the_moments_of_their_law() -> None:
    drawn = laplace_numbers(generator_for("moments of Laplace numbers"), (COUNT,))
    assert abs(drawn.mean()) < 5 / math.sqrt(COUNT)
    for k, moment in zip((2, 4, 6, 8), LAPLACE.even_moments, strict=True):
        powers = drawn**k
        assert abs(powers.mean() - moment) < 5 * powers.std() / math.sqrt(COUNT)
        odd = drawn ** (k - 1)
        assert abs(odd.mean()) < 5 * odd.std() / math.sqrt(COUNT)
    for edge in (-8.0, -2.0, -0.3, 0.0, 1e-3, 0.3, 2.0, 8.0):
        beyond = 0.5 * math.exp(-math.sqrt(2) * abs(edge))
        share = beyond if edge >= 0 else 1 - beyond
        assert abs(np.mean(drawn > edge) - share) < 5 * math.sqrt(share * (1 - share) / COUNT)


def test_sizes_and_signs_and_neighbours_of_laplace_numbers_are_independent() -> None:
    drawn = laplace_numbers(generator_for("pairs of Laplace numbers"), (64, 2 * BLOCK))
    signs, sizes = np.sign(drawn), np.abs(drawn) - math.sqrt(0.5)
    for one, other in (
        (signs, sizes),
        (signs[:, :-1], signs[:, 1:]),
        (sizes[:, :-1], sizes[:, 1:]),
        (signs[:, :-1], sizes[:, 1:]),
    ):
        assert abs(np.mean(one * other)) < 5 * np.std(one * other) / math.sqrt(one.size)


class Extremes:
    """Bits that give the largest and the smallest numbers, of either sign."""

    def random_raw(self, count: int) -> np.ndarray:
        return np.resize(np.array([-(2**31), 2**31 - 1, 0, -1], dtype=np.int32).view(np.uint64), count)


def test_the_extremes_of_laplace_numbers_are_numbers() -> None:
    class Drawing:
        bit_generator = Extremes()

    drawn = laplace_numbers(Drawing(), (4,))
    largest = math.sqrt(0.5) * np.log([2.0**32, 2.0**32 / 3])
    assert drawn == pytest.approx([0, 0, largest[0], -largest[1]])


@pytest.mark.parametrize("draw", [normals, laplace_numbers])
@pytest.mark.parametrize("shape", [(0,), (1,), (FEW + 1,), (3, 5, 7), (2 * BLOCK + 3,), (17, 101, 31)])
def test_the_shape_asked_for_and_the_same_numbers_again(
    shape: tuple[int, ...], draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
) -> None:
    first, again = (draw(generator_for("shape of normals"), shape) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.float64
    assert np.array_equal(first, again)
    assert np.unique(first).size >= 0.99 * first.size


def test_a_law_whose_draws_cannot_be_hashed_is_drawn_by_itself() -> None:
    class Twos:
        __hash__ = None  # as of a dataclass that is not frozen

        def __call__(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
            return np.full(shape, 2.0)

    law = replace(LAPLACE, draw=Twos())
    assert entries(generator_for("twos"), law, (2, 3)).tolist() == [[2.0] * 3] * 2
    assert entries(generator_for("same"), LAPLACE, (5,)).tolist() == (
        laplace_numbers(generator_for("same"), (5,)).tolist()
    )
