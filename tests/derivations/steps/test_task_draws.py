"""The task's block of B by rows is that of the step written as a matrix."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.steps.task_draws import LARGE, adapted_from, design, outer_product


# few rows, few columns, and one row, which are multiplied in different orders
@pytest.mark.parametrize(("points", "rows", "size"), [(7, 2, 5), (7, 6, 2), (1, 1, 1)])
def test_the_design_is_the_validation_inputs_times_the_matrix_of_the_step(
    points: int, rows: int, size: int
) -> None:
    generator = np.random.default_rng(1)
    x_t, x_v = generator.standard_normal((3, points, size)), generator.standard_normal((3, rows, size))
    np.testing.assert_allclose(
        design(x_t, x_v, 0.3), x_v @ adapted_from(np.eye(size), x_t, 0.3), rtol=1e-12, atol=1e-12
    )


# below and above the number of rows where the product is taken another way
@pytest.mark.parametrize("rows", [3, LARGE + 1])
def test_an_outer_product_has_the_products_of_all_elements(rows: int) -> None:
    columns = np.random.default_rng(2).standard_normal((2, rows, 4))
    np.testing.assert_allclose(
        outer_product(columns), np.einsum("bik,bjk->bij", columns, columns), rtol=1e-12, atol=1e-12
    )
