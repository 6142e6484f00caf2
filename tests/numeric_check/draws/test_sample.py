"""A sample is a function of its names: same names, same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from numeric_check.draws.sample import Sample

SIZES = {"n": 3, "p": 2, "alpha_t": 0.5}


def sample(slug: str = "step", size_index: int = 0, batch_index: int = 0, base_seed: int = 0) -> Sample:
    return Sample(slug, SIZES, size_index, batch_index, batch=4, base_seed=base_seed)


def test_sizes_by_name() -> None:
    given = sample()
    assert given["n"] == 3
    assert isinstance(given["n"], int)
    assert given["alpha_t"] == 0.5
    assert given.size("n") == 3
    assert given.size(7) == 7
    with pytest.raises(KeyError, match="the sizes are alpha_t, n, p"):
        given["m"]
    for bad in ("alpha_t", 0, -2):
        with pytest.raises(ValueError, match="positive integer"):
            given.size(bad)
    with pytest.raises(ValueError, match="batch is 0"):
        Sample("step", SIZES, batch=0)


def test_draws_have_the_shape_of_a_batch() -> None:
    given = sample()
    assert given.gaussian("n", "p").shape == (4, 3, 2)
    assert given.gaussian(5, 1).shape == (4, 5, 1)
    assert given.inputs("n", "p", "rademacher").shape == (4, 3, 2)


@pytest.mark.parametrize(
    "other", [{"slug": "other"}, {"size_index": 1}, {"batch_index": 1}, {"base_seed": 1}]
)
def test_every_name_changes_the_draws_and_nothing_else_does(other: dict[str, int]) -> None:
    first = sample().gaussian("n", "p")
    assert np.array_equal(first, sample().gaussian("n", "p"))
    assert not np.array_equal(first, sample(**other).gaussian("n", "p"))


def test_fixed_matrices_are_the_same_in_every_batch() -> None:
    first, second = sample(), sample(batch_index=5)
    second.gaussian("n", "p")
    assert np.array_equal(first.matrix("D", "p", "p"), second.matrix("D", "p", "p"))
    assert np.array_equal(first.matrix("w", "p", 1), second.matrix("w", "p", 1))
    assert not np.array_equal(first.matrix("D", "p", "p"), first.matrix("C", "p", "p"))
    assert not np.array_equal(first.matrix("D", "p", "p"), sample(size_index=1).matrix("D", "p", "p"))
    assert set(first.values) == {"n", "p", "alpha_t", "D", "w", "C"}
    assert first.values["D"] is first.matrix("D", "p", "p")
    with pytest.raises(ValueError, match="read-only"):
        first.matrix("D", "p", "p")[0, 0] = 1.0


def test_symmetric_and_positive_matrices() -> None:
    given = sample()
    symmetric = given.matrix("S", 6, 6, symmetric=True)
    assert np.array_equal(symmetric, symmetric.T)
    assert np.linalg.eigvalsh(symmetric)[0] < 0
    positive = given.matrix("P", 6, 6, positive=True)
    assert np.allclose(positive, positive.T)
    assert np.linalg.eigvalsh(positive)[0] > 0.2
    with pytest.raises(ValueError, match="a symmetric matrix is square"):
        given.matrix("Q", 2, 3, symmetric=True)
    with pytest.raises(ValueError, match="use another name"):
        given.matrix("S", 5, 5)


def test_rows_have_the_covariance_asked_for() -> None:
    given = Sample("covariance", SIZES, batch=50_000)
    covariance = given.matrix("Sigma", 2, 2, positive=True)
    for law in ("gaussian", "laplace"):
        rows = given.inputs("n", "p", law, covariance).reshape(-1, 2)
        assert np.abs(rows.T @ rows / len(rows) - covariance).max() < 0.05


@pytest.mark.parametrize(("rows", "columns"), [(6, 3), (3, 3), (2, 4), (1, 2)])
def test_a_triangular_factor_stands_for_its_rows(rows: int, columns: int) -> None:
    """Each entry of R^T R and of its square has the mean that it has with all rows."""
    given = Sample("triangular", SIZES, batch=40_000)
    covariance = given.matrix("Sigma", columns, columns, positive=True)
    factor, full = given.triangular(rows, columns, covariance), given.gaussian(rows, columns, covariance)
    assert factor.shape == (40_000, min(rows, columns), columns)
    of_factor, of_rows = (np.swapaxes(x, 1, 2) @ x for x in (factor, full))
    for first, second in ((of_factor, of_rows), (of_factor @ of_factor, of_rows @ of_rows)):
        error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / len(first))
        assert np.all(np.abs(first.mean(axis=0) - second.mean(axis=0)) < 5 * error)
        assert np.all(error < 0.05 * np.trace(second.mean(axis=0)))


@pytest.mark.parametrize(
    ("few", "points", "columns"), [(1, 1, 3), (1, 6, 3), (2, 5, 4), (3, 3, 3), (2, 3, 2)]
)
def test_rows_pass_a_wishart_matrix_as_by_all_its_points(few: int, points: int, columns: int) -> None:
    """Entries of the product, their products with each other and the third powers have the means that they have by Z."""
    given = Sample("through", SIZES, batch=60_000)
    rows = np.repeat(given.matrix("V", few, columns)[None], given.batch, axis=0)
    z = given.gaussian(points, columns)
    drawn, full = given.through_wishart(rows, points), rows @ np.swapaxes(z, 1, 2) @ z
    assert drawn.shape == full.shape
    flat = [x.reshape(given.batch, -1) for x in (drawn, full)]
    pairs = [np.einsum("bi,bj->bij", x, x) for x in flat]
    for first, second in (flat, pairs, [x**3 for x in flat]):
        error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / given.batch)
        assert np.all(np.abs(first.mean(axis=0) - second.mean(axis=0)) < 5 * error)
    # entries differ by more than these errors from those of rows that were not normalised
    error = np.sqrt(2 * full.var(axis=0) / given.batch)
    assert np.max(np.abs(full.mean(axis=0) - points * np.sign(rows[0])) / error) > 50


def test_more_rows_than_points_or_columns_are_not_passed() -> None:
    given = Sample("through", SIZES, batch=2)
    for few, points in ((2, 1), (4, 5)):
        with pytest.raises(ValueError, match="draw the points themselves"):
            given.through_wishart(np.ones((2, few, 3)), points)
