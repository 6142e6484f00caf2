"""Frames are orthonormal, and have the moments of uniform ones."""

from __future__ import annotations

import numpy as np
import pytest

from numeric_check.draws.frames import frames
from numeric_check.draws.seeds import generator_for

DRAWS = 200_000


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (2, 2), (2, 7), (5, 5), (1, 3)])
def test_rows_are_orthonormal(rows: int, size: int) -> None:
    found = frames(generator_for(f"orthonormal/{rows}/{size}"), rows, size, 3000)
    assert found.shape == (3000, rows, size)
    assert np.abs(found @ np.swapaxes(found, 1, 2) - np.eye(rows)).max() < 1e-13


@pytest.mark.parametrize("rows", [2, 3])
def test_moments_are_those_of_uniform_frames(rows: int) -> None:
    """All entries alike, E O_11^2 O_22^2 = (p + 1) / (p (p - 1) (p + 2)) and E O_11 O_22 O_12 O_21 = -1 / (p (p - 1) (p + 2))."""
    found, p = frames(generator_for(f"uniform/{rows}"), rows, 3, DRAWS), 3
    for power, mean in ((1, 0.0), (2, 1 / p), (3, 0.0), (4, 3 / (p * (p + 2)))):
        assert np.abs((found**power).mean(axis=0) - mean).max() < 5 / DRAWS**0.5
    below = p * (p - 1) * (p + 2)
    for i, j in ((0, 1), (1, 0), (0, 2), (1, 2)):
        squares = found[:, 0, i] ** 2 * found[:, 1, j] ** 2
        mixed = found[:, 0, i] * found[:, 1, j] * found[:, 0, j] * found[:, 1, i]
        for seen, mean in ((squares, (p + 1) / below), (mixed, -1 / below)):
            assert abs(seen.mean() - mean) < 5 * seen.std() / DRAWS**0.5
    if rows == p:
        assert abs(np.mean(np.linalg.det(found))) < 5 / DRAWS**0.5
