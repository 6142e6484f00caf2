"""The linearised network beside the network: how far (12) is off at a solution, and the moments of its features (13)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.seeds import generator_for
from numeric_check.network.experiment import Experiment, Reading, draw, root_covariance
from numeric_check.network.linearised import Linearised
from numeric_check.network.relu import Tangents, Weights, initial_weights, kernel, tangents

Array = NDArray[np.float64]


def moved(weights: Weights, points: Tangents, coefficients: Array) -> Weights:
    """The weights plus the combination of the points' gradients with these coefficients (n,)."""
    back1, back2 = (coefficients[:, None] * back for back in (points.d1, points.d2))
    return Weights(
        weights.W1 + back1.T @ points.x,
        weights.b1 + back1.sum(axis=0),
        weights.W2 + back2.T @ points.z1,
        weights.b2 + back2.sum(axis=0),
        weights.w3 + coefficients @ points.z2,
        weights.b3 + coefficients.sum(),
    )


def linearisation_gap(experiment: Experiment, seed: int, run: int, rate: float = 0.0) -> float:
    """Root mean square over the test inputs of what (12) leaves out, at the solution (128) of a run's outer problem."""
    drawn = draw(experiment, Reading.TASK, seed, run)
    found = Linearised(experiment, drawn)
    coefficients = found.projection(rate) @ (drawn.meta.labels.reshape(-1) - found.points.f)
    exact = tangents(moved(drawn.weights, found.points, coefficients), drawn.test.inputs).f
    flat = Tangents(*(part.reshape(-1, *part.shape[2:]) for part in found.test))
    linear = found.test.f + (kernel(flat, found.points) @ coefficients).reshape(exact.shape)
    return float(np.sqrt(np.mean((exact - linear) ** 2)))


class FeatureMoments(NamedTuple):
    """What Theorem 3 takes from the law of features and tasks, in a basis of the features of N sampled inputs.

    Sigma, Sigma_w, F: N x N. noise_sq: the variance of labels given the task. largest: share of Sigma's largest eigenvalue
    in its trace.
    """

    Sigma: Array
    Sigma_w: Array
    F: Array
    noise_sq: float
    largest: float


def feature_moments(experiment: Experiment, how: Reading, points: int, seed: int) -> FeatureMoments:
    """Moments of the tangent features (13) of one initial network over `points` inputs.

    Task parameters are those whose labels at the inputs vary between tasks as the target's do: what all tasks of a run
    have in common does not enter.
    """
    rng = generator_for(f"network features/{seed}/{experiment.width}")
    weights = initial_weights(rng, experiment.p, experiment.width)
    x = rng.standard_normal((points, experiment.p))
    found = tangents(weights, x)
    values, vectors = np.linalg.eigh(kernel(found, found) / points)
    features = vectors * np.sqrt(points * values)  # rows: the inputs' features in the eigenbasis of Sigma
    form = features**2 @ values
    own = root_covariance(experiment, how, x, np.zeros(points, dtype=np.int_))
    noise = experiment.sigma**2
    if how == Reading.POINT:
        linear = np.diagonal(own) - 1
        own = own - np.eye(points)
        noise += float(np.mean(4 * linear + 2))
    common = 1.0 if how == Reading.RUN else 0.0
    inverse = features / (points * values)
    return FeatureMoments(
        np.diag(values),
        inverse.T @ (2 * (own**2 - common**2)) @ inverse,
        (features * form[:, None]).T @ features / points,
        noise,
        float(values[-1] / values.sum()),
    )
