"""What sampling compares of a matrix: its value, and a direction in which an error in any element shows."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.language.assumptions import PAPER
from derivations.steps.contents import find
from derivations.verification.measure import measure, probes_for

VALUES = [np.eye(3), np.arange(1.0, 7.0).reshape(2, 3), np.zeros((2, 2)), np.full((4, 1), -2.0)]


@pytest.mark.parametrize("value", VALUES, ids=["identity", "rows", "zero", "column"])
def test_an_error_in_any_element_shows(value: np.ndarray) -> None:
    probes = probes_for(value, "an error")
    assert probes is not None
    along, mixed = probes
    if value.any():
        assert [float(np.sum(probe * value)) for probe in probes] == pytest.approx([1.0, 1.0])
    for place in np.ndindex(*value.shape):
        error = np.zeros(value.shape)
        error[place] = 1.0
        # the value itself does not tell what is orthogonal to it
        error -= along * float(np.sum(along * error)) / float(np.sum(along * along))
        assert abs(float(np.sum(along * error))) < 1e-12
        assert abs(float(np.sum(mixed * error))) > 1e-4


def test_a_number_is_compared_as_it_is() -> None:
    assert probes_for(np.array(3.0), "a number") is None


def test_another_seed_draws_something_else() -> None:
    step = find("wishart-mean")
    assert step.derive is not None
    derived = step.derive(PAPER)
    first, again, other = (
        [result.mean.tolist() for result in measure(step, derived, 0, seed, batches=2)] for seed in (0, 0, 7)
    )
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))
