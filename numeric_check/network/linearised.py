"""MAML with the linearised network (12), its outer problem (125)-(128) solved exactly in the space of its kernel.

With Phi the tangent features of all meta-training points, gamma = M e and B = M Phi for the matrix M of one inner step
and the labels' distance e = y - f from the initial outputs. The solution nearest to the start is
omega - omega_0 = Phi^T P e with P = M^T (M K M^T)^-1 M and K = Phi Phi^T; only kernels enter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numeric_check.network.experiment import Experiment, Reading, Run, root_covariance
from numeric_check.network.relu import Tangents, kernel, tangents

Array = NDArray[np.float64]


def inner_step(k: Array, experiment: Experiment, rate: float) -> Array:
    """M, shape (m n_v, m (n_t + n_v)): validation residuals after a step, from residuals before it."""
    e = experiment
    n = e.n_t + e.n_v
    found = np.zeros((e.m * e.n_v, e.m * n))
    for i in range(e.m):
        t = slice(i * n, i * n + e.n_t)
        v = slice(i * n + e.n_t, (i + 1) * n)
        rows = slice(i * e.n_v, (i + 1) * e.n_v)
        found[rows, v] = np.eye(e.n_v)
        found[rows, t] = -rate / e.n_t * k[v, t]
    return found


class Linearised:
    """One run with the linearised network: kernels once, then any number of rates."""

    def __init__(self, experiment: Experiment, run: Run) -> None:
        e = self.experiment = experiment
        self.run = run
        self.points = tangents(run.weights, run.meta.inputs.reshape(-1, e.p))
        test = tangents(run.weights, run.test.inputs)
        self.test = test
        target = Tangents(*(part[:, : e.n_r] for part in test))
        fresh = Tangents(*(part[:, e.n_r :] for part in test))
        self.k = kernel(self.points, self.points)
        flat = Tangents(*(part.reshape(-1, *part.shape[2:]) for part in test))
        k_test = kernel(flat, self.points).reshape(e.test_tasks, e.n_r + e.test_points, -1)
        self.step = e.alpha_r * e.scale / e.n_r * kernel(fresh, target)
        self.moved = k_test[:, e.n_r :] - self.step @ k_test[:, : e.n_r]

    def projection(self, rate: float) -> Array:
        """P: the solution is Phi^T P e."""
        m = inner_step(self.k, self.experiment, rate * self.experiment.scale)
        found: Array = m.T @ np.linalg.solve(m @ self.k @ m.T, m)
        return found

    def predictions(self, rate: float) -> Array:
        """The outputs at the test points after adaptation, for the labels of the run: (test_tasks, test_points)."""
        e = self.experiment
        distance = self.run.meta.labels.reshape(-1) - self.points.f
        near = self.run.test.labels[:, : e.n_r] - self.test.f[:, : e.n_r]
        change = self.moved @ (self.projection(rate) @ distance) + np.einsum("ijk,ik->ij", self.step, near)
        found: Array = self.test.f[:, e.n_r :] + change
        return found

    def loss(self, rate: float) -> float:
        """The test loss for the labels of the run, what is drawn at each test point averaged exactly."""
        return target_loss(self.experiment, self.run, self.predictions(rate))

    def mean_losses(self, rates: tuple[float, ...]) -> dict[Reading, Array]:
        """Under each reading the test loss at each rate, averaged over all labels and over the sign of the last layer.

        Residuals are linear in e = y - f: for a row l, E (l e)^2 = (l f)^2 + (l c)^2 + l (2 C*C + sigma^2 I) l^T with c the
        diagonal of C (`root_covariance`); the mixed term is odd in the last layer.
        """
        e = self.experiment
        tasks, n_train = e.test_tasks, e.m * (e.n_t + e.n_v)
        of = np.concatenate([np.repeat(np.arange(e.m), e.n_t + e.n_v), np.full(e.n_r + e.test_points, e.m)])
        train = np.broadcast_to(self.points.x, (tasks, n_train, e.p))
        inputs = np.concatenate([train, self.test.x], axis=1)
        outputs = np.concatenate([np.broadcast_to(self.points.f, (tasks, n_train)), self.test.f], axis=1)
        fixed = np.concatenate(
            [self.step, np.broadcast_to(-np.eye(e.test_points), (tasks, e.test_points, e.test_points))],
            axis=2,
        )
        rows = [np.concatenate([self.moved @ self.projection(rate), fixed], axis=2) for rate in rates]
        found = {}
        for how in Reading:
            c = root_covariance(e, how, inputs, of)
            spread = 2 * c**2 + e.sigma**2 * np.eye(len(of))
            mean = np.diagonal(c, axis1=-2, axis2=-1)
            losses = [
                np.mean(np.einsum("ijk,ik->ij", row, mean) ** 2)
                + np.mean(np.einsum("ijk,ik->ij", row, outputs) ** 2)
                + np.mean(np.sum((row @ spread) * row, axis=2))
                for row in rows
            ]
            found[how] = 0.5 * np.array(losses)
        return found


def target_loss(experiment: Experiment, run: Run, predictions: Array) -> float:
    """Half the mean square residual at the test points, averaged exactly over what is drawn at each of them."""
    fresh = slice(experiment.n_r, None)
    residual = predictions - run.test.mean[:, fresh]
    return float(0.5 * np.mean(residual**2 + run.test.variance[:, fresh]))
