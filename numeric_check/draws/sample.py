"""What an observation of one proof step is given: sizes, sampled matrices, and fixed matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.frames import frames
from numeric_check.draws.seeds import generator_for, seed_for
from numeric_check.problem.laws import input_law
from numeric_check.problem.normals import entries
from numeric_check.problem.samplers import triangular_factor
from numeric_check.problem.setting import symmetric_root

__all__ = ["Sample", "seed_for"]

Array = NDArray[np.float64]
Size = int | str


class Sample:
    """One batch of draws for one step at one of its parameter points.

    slug, size_index, batch_index: name the random stream; equal names give equal draws on every machine.
    sizes: the numbers of this parameter point by name (integer sizes, rates). batch: draws in this batch.
    base_seed: another value repeats the whole experiment with other draws. fixed: keeps the fixed matrices, for the
    batches of one parameter point that share it.
    """

    def __init__(
        self,
        slug: str,
        sizes: Mapping[str, float],
        size_index: int = 0,
        batch_index: int = 0,
        *,
        batch: int = 1024,
        base_seed: int = 0,
        fixed: dict[str, Array] | None = None,
    ) -> None:
        if batch < 1:
            raise ValueError(f"batch is {batch}: give a positive integer")
        self.batch = batch
        self._sizes = dict(sizes)
        self._fixed: dict[str, Array] = {} if fixed is None else fixed
        self._defined: dict[str, float | Array] = {}
        self._place = f"{slug}/{base_seed}/{size_index}"
        self.generator = generator_for(f"{self._place}/draws", batch_index)

    def __getitem__(self, name: str) -> float:
        """The number of that name here; integers stay integers. KeyError names the known ones."""
        if name not in self._sizes:
            raise KeyError(f"{name} is not set here: the sizes are {', '.join(sorted(self._sizes))}")
        return self._sizes[name]

    def size(self, dimension: Size) -> int:
        """A dimension given as a number or by name. Raises ValueError when it is no positive integer."""
        value = self[dimension] if isinstance(dimension, str) else dimension
        if value != int(value) or value < 1:
            raise ValueError(f"{dimension} is {value}: a dimension is a positive integer")
        return int(value)

    @property
    def values(self) -> Mapping[str, float | Array]:
        """The sizes and the fixed matrices drawn so far, by name: what a formula is evaluated at."""
        return {**self._sizes, **self._fixed, **self._defined}

    def define(self, name: str, value: float | Array) -> None:
        """Give a number or matrix that the observation computed from fixed matrices a name in `values`."""
        self._defined[name] = value if isinstance(value, np.ndarray) else float(value)

    def gaussian(self, rows: Size, columns: Size, covariance: Array | None = None) -> Array:
        """Matrices of shape (batch, rows, columns) whose rows are independent N(0, covariance)."""
        return self.inputs(rows, columns, "gaussian", covariance)

    def inputs(
        self, rows: Size, columns: Size, law: str = "gaussian", covariance: Array | None = None
    ) -> Array:
        """As `gaussian`, for rows covariance^(1/2) u with u of independent entries of the named law."""
        shape = (self.batch, self.size(rows), self.size(columns))
        return _of_covariance(entries(self.generator, input_law(law), shape), covariance)

    def triangular(self, rows: Size, columns: Size, covariance: Array | None = None) -> Array:
        """What stands for X = `gaussian(rows, columns, covariance)` where X^T X is all that is seen of it: matrices R,
        of at most as many rows as columns, with R^T R distributed as X^T X.

        That is all rows where they are few, else the triangular factor of X = Q R by its known law.
        """
        count, size = self.size(rows), self.size(columns)
        if count <= size:
            return self.gaussian(count, size, covariance)
        return _of_covariance(triangular_factor(self.generator, count, size, self.batch), covariance)

    def frames(self, rows: Size, columns: Size) -> Array:
        """The first rows of uniform orthogonal matrices, shape (batch, rows, columns)."""
        return frames(self.generator, self.size(rows), self.size(columns), self.batch)

    def through_wishart(self, rows: Array, points: Size) -> Array:
        """rows W for a fresh W = Z^T Z of so many standard Gaussian rows Z, where nothing else is seen of W.

        rows: shape (batch, few, size). In directions Q that span them, rows = T Q, the products N = Q Z^T have a known
        triangular factor of N N^T = F^T F, and the other directions of Z are independent of them: N Z is F^T times
        F Q + G (1 - Q^T Q) in law, with as few standard Gaussian rows G. So few numbers are drawn. Raises ValueError for
        more rows than points or columns.
        """
        few, size = rows.shape[-2:]
        count = self.size(points)
        if few > min(count, size):
            raise ValueError(
                f"{few} rows of {size} columns through {count} points: draw the points themselves"
            )
        turn = np.linalg.cholesky(rows @ np.swapaxes(rows, -1, -2))
        span = np.linalg.solve(turn, rows)
        factor = triangular_factor(self.generator, count, few, self.batch)
        other = self.gaussian(few, size)
        other -= (other @ np.swapaxes(span, -1, -2)) @ span
        return np.asarray(turn @ np.swapaxes(factor, -1, -2) @ (factor @ span + other))

    def matrix(
        self, name: str, rows: Size, columns: Size, *, symmetric: bool = False, positive: bool = False
    ) -> Array:
        """A fixed matrix of that name, entries of order one, the same in every batch at these sizes.

        symmetric: equal to its transpose. positive: symmetric positive definite, eigenvalues of order one.
        Raises ValueError when a symmetric one is not square, or a name is reused for another shape.
        """
        shape = (self.size(rows), self.size(columns))
        if (symmetric or positive) and shape[0] != shape[1]:
            raise ValueError(f"{name} is {shape[0]} x {shape[1]}: a symmetric matrix is square")
        if name not in self._fixed:
            drawn = generator_for(f"{self._place}/fixed/{name}").standard_normal(shape)
            if positive:
                drawn = drawn @ drawn.T / shape[1] + 0.25 * np.eye(shape[0])
            elif symmetric:
                drawn = (drawn + drawn.T) / 2
            drawn.setflags(write=False)
            self._fixed[name] = drawn
        if self._fixed[name].shape != shape:
            raise ValueError(f"{name} already has shape {self._fixed[name].shape}: use another name")
        return self._fixed[name]


def _of_covariance(rows: Array, covariance: Array | None) -> Array:
    """Standard rows given a covariance, all rows of the batch in one product."""
    if covariance is None:
        return rows
    return np.asarray((rows.reshape(-1, len(covariance)) @ symmetric_root(covariance)).reshape(rows.shape))
