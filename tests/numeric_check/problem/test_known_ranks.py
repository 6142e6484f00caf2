"""Inverses of Gram matrices say where they are known, and pseudo-inverses refuse a rank that is in doubt."""

from __future__ import annotations

import numpy as np
import pytest

from numeric_check.problem.impossible import Impossible
from numeric_check.problem.known_ranks import gram_inverses, pseudo_inverses


def test_pseudo_inverses_and_ranks() -> None:
    b = np.stack([np.diag([2.0, 0.0, 1.0]), np.zeros((3, 3)), np.diag([1.0, 1e-10, 1e-16])])
    inverse, rank = pseudo_inverses(b)
    assert rank.tolist() == [2, 0, 2]
    assert np.array_equal(inverse[0], np.diag([0.5, 0.0, 1.0]))
    assert not inverse[1].any()
    assert inverse[2] == pytest.approx(np.diag([1.0, 1e10, 0.0]))


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2)])
def test_they_are_those_of_numpy(shape: tuple[int, int]) -> None:
    b = np.random.default_rng(0).standard_normal((5, *shape))
    assert pseudo_inverses(b)[0] == pytest.approx(np.linalg.pinv(b))


@pytest.mark.parametrize("small", [3e-13, 1e-12, 9e-12])
def test_a_rank_in_doubt_is_refused(small: float) -> None:
    with pytest.raises(Impossible, match="rounding hides"):
        pseudo_inverses(np.stack([np.eye(2), np.diag([1.0, small])]))


def test_an_inverse_without_digits_is_not_known() -> None:
    gram = np.stack([np.eye(2), np.diag([1.0, 1e-11]), np.ones((2, 2)), np.zeros((2, 2))])
    inverse, known = gram_inverses(gram)
    assert known.tolist() == [True, False, False, False]
    assert np.array_equal(inverse[0], np.eye(2))
    assert np.isfinite(inverse).all()
