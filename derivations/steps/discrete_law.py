"""A law neither Gaussian nor of independent entries, with known moments: for observations under Theorem 3.

An input is one of a few fixed vectors, each with equal probability and a random sign. Its second moment Sigma
and the matrix F of fourth moments are finite sums, computed from their definitions (109), (111).
"""

from __future__ import annotations

import numpy as np

from derivations.steps.draws import Array, transpose
from derivations.steps.step import Observed
from derivations.steps.task_draws import adapted_from
from numeric_check.draws.sample import Sample

EXTRA = 3  # support vectors beyond the dimension, so that the covariance has full rank


def _support(sample: Sample, name: str, scale: float) -> Array:
    count = sample.size("p") + EXTRA
    return np.asarray(scale * sample.matrix(name, count, "p"))


def _draw(sample: Sample, support: Array, rows: int) -> Array:
    shape = (sample.batch, rows)
    chosen = support[sample.generator.integers(len(support), size=shape)]
    signs = 2.0 * sample.generator.integers(2, size=shape) - 1.0
    return np.asarray(signs[..., None] * chosen)


def inputs(sample: Sample, rows: str | int) -> Array:
    """A batch of input matrices, rows x p; gives Sigma and F their values."""
    support = _support(sample, "input_support", 1.0)
    covariance(sample)
    return _draw(sample, support, sample.size(rows))


def covariance(sample: Sample) -> Array:
    """Sigma of the inputs; gives Sigma and F their values."""
    support = _support(sample, "input_support", 1.0)
    sigma = support.T @ support / len(support)
    forms = np.array([x @ sigma @ x for x in support])
    sample.define("Sigma", sigma)
    sample.define("F", (support.T * forms) @ support / len(support))
    return np.asarray(sigma)


def tasks(sample: Sample) -> Array:
    """A batch of task parameters as columns, p x 1; gives Sigma_w its value."""
    support = _support(sample, "task_support", 0.6)
    sample.define("Sigma_w", support.T @ support / len(support))
    return np.asarray(transpose(_draw(sample, support, 1)))


def observe_weight(sample: Sample, label: str, rows: str, rate: str) -> Observed:
    """A Sigma A for the linear map A of one gradient step on `rows` inputs."""
    a = adapted_from(np.eye(sample.size("p")), inputs(sample, rows), sample[rate])
    return {label: transpose(a) @ (covariance(sample) @ a)}
