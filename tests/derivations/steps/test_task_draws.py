"""The task's block of B by rows is that of the step written as a matrix."""

from __future__ import annotations

import numpy as np

from derivations.steps.task_draws import adapted_from, design


def test_the_design_is_the_validation_inputs_times_the_matrix_of_the_step() -> None:
    generator = np.random.default_rng(1)
    x_t, x_v = generator.standard_normal((3, 7, 5)), generator.standard_normal((3, 2, 5))
    np.testing.assert_allclose(
        design(x_t, x_v, 0.3), x_v @ adapted_from(np.eye(5), x_t, 0.3), rtol=1e-12, atol=1e-12
    )
