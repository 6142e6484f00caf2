"""Inverses of Gram matrices where they have digits, and pseudo-inverses of matrices whose ranks are beyond doubt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.impossible import Impossible

Array = NDArray[np.float64]
# a singular value is zero up to this share of the largest, by rounding, and known well from the other on
ROUNDING, KNOWN = 1e-13, 1e-11
# beyond it the inverse of a Gram matrix has lost so many digits that singular values are to be taken
WORST_CONDITION = 1e10
# below this rate what an inner step adds to B is close to the rounding of its other digits
LEAST_RATE = 1e-9


def gram_inverses(gram: Array, worst: float = WORST_CONDITION) -> tuple[Array, NDArray[np.bool_]]:
    """Inverses of Gram matrices, zero where there is none, and which of them have a condition number below the worst allowed."""
    try:
        inverse = np.linalg.inv(gram)
    except np.linalg.LinAlgError:  # one of them is singular
        values, vectors = np.linalg.eigh(gram)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inverse = (vectors / values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    with np.errstate(invalid="ignore", over="ignore"):
        condition = np.linalg.norm(gram, axis=(-1, -2)) * np.linalg.norm(inverse, axis=(-1, -2))
    return np.where(np.isfinite(condition)[..., None, None], inverse, 0.0), np.asarray(condition < worst)


def require_known(known: bool) -> None:
    """Raises Impossible where a rank is not known."""
    if not known:
        raise Impossible(
            "rounding hides whether the data determine all parameters, as a training rate next to zero or a very large one leaves "
            "that to far digits: take one further from there, or exactly zero"
        )


def pseudo_inverses(b: Array, rate: float = 0.0) -> tuple[Array, NDArray[np.intp]]:
    """B^+ of matrices B, shape (..., rows, columns), and their ranks.

    rate: the training rate; next to zero, what it adds to a rank is lost by rounding before B is known. Raises Impossible
    where it may be lost, and where a singular value is too small to be known and too large to be rounding: neither an answer
    with it nor one without it could be believed.
    """
    left, values, right = np.linalg.svd(b, full_matrices=False)
    share = values / np.maximum(values[..., :1], np.finfo(np.float64).tiny)
    require_known(not ((share > ROUNDING) & (share < KNOWN)).any())
    kept = share >= KNOWN
    require_known(bool(kept.all()) or not 0 < abs(rate) < LEAST_RATE)
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    found = np.swapaxes(right, -1, -2) @ (inverse[..., None] * np.swapaxes(left, -1, -2))
    return found, kept.sum(axis=-1)
