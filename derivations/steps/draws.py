"""Small NumPy helpers shared by the observations of proof steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.sample import Sample

Array = NDArray[np.float64]


def fixed_column(sample: Sample, name: str, size: str) -> Array:
    """A fixed column vector (size x 1) of that name, the same in every batch."""
    return sample.matrix(name, size, 1)


def transpose(batch: Array) -> Array:
    """The transposes of a batch of matrices."""
    return np.swapaxes(batch, -1, -2)


def squared_norms(batch: Array) -> Array:
    """|v|^2 for a batch of column vectors."""
    return np.asarray(np.sum(batch**2, axis=(-2, -1)))
