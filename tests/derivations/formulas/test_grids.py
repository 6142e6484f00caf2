"""Full grids have the values of open ones, at nearly their price: repeated axes are found and cut."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.formulas.by_name import function
from derivations.formulas.function import thinned

SIZES = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1, "nu": 0.5, "dist0_sq": 0}
COLUMN, ROW = np.linspace(-1, 1, 80)[:, None], np.linspace(-0.4, 0.4, 70)[None, :]


@pytest.mark.parametrize("indexing", ["ij", "xy"])
def test_a_full_grid_has_the_values_of_an_open_one(indexing: str) -> None:
    eq5 = function("eq5")
    full_t, full_r = np.meshgrid(COLUMN[:, 0], ROW[0], indexing=indexing)
    found = eq5(**SIZES, alpha_t=full_t, alpha_r=full_r)
    expected = eq5(**SIZES, alpha_t=COLUMN, alpha_r=ROW)
    np.testing.assert_array_equal(found, expected if indexing == "ij" else expected.T)


def test_values_that_repeat_everywhere_keep_their_shape() -> None:
    found = function("eq5")(**SIZES, alpha_t=np.full((3, 4), 0.2), alpha_r=0.1)
    assert found.shape == (3, 4)
    assert np.unique(found).size == 1


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (np.broadcast_to(COLUMN, (80, 70)), (80, 1)),
        (np.array(np.broadcast_to(ROW, (80, 70))), (1, 70)),
        (np.ones((5, 6)), (1, 1)),
        (np.arange(30.0).reshape(5, 6), (5, 6)),
        (np.array([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]), (1, 3)),
        (np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]), (3, 2)),
        (np.ones(7), (7,)),
        (np.asfortranarray(np.broadcast_to(ROW, (80, 70))), (1, 70)),
        (np.array(np.broadcast_to(np.arange(4.0)[None, :, None], (3, 4, 5))), (1, 4, 1)),
        (np.array(np.broadcast_to(np.arange(15.0).reshape(3, 1, 5), (3, 4, 5))), (3, 1, 5)),
    ],
)
def test_only_axes_that_repeat_throughout_are_cut(array: np.ndarray, shape: tuple[int, ...]) -> None:
    assert thinned(array).shape == shape
    np.testing.assert_array_equal(np.broadcast_to(thinned(array), array.shape), array)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("place", [(1, 1), (399, 0), (0, 399), (399, 399), (327, 271), (328, 1)])
def test_one_element_that_differs_keeps_the_whole_axis(axis: int, place: tuple[int, int]) -> None:
    # more elements than are compared at once, so that every block is met, and their borders
    line = np.arange(400.0)
    array = np.array(np.broadcast_to(line[None, :] if axis == 0 else line[:, None], (400, 400)))
    assert thinned(array).shape[axis] == 1
    array[place] += 0.5
    assert thinned(array).shape == array.shape
