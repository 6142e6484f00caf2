"""The target task averaged in closed form: what adaptation makes of an error of omega, and of label noise.

Given omega, the adapted parameter differs from the target's w' by A^K (omega - w') + P z with A = I -
(alpha/n) X^T X and P = (alpha/n) sum_{j<K} A^j X^T, so the mean test loss is [sigma^2 (1 + c) + Tr(H (Sigma_w
+ (omega - w_0)(omega - w_0)^T))] / 2 with H = E A^K Sigma A^K, c = E Tr(P^T Sigma P).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.task_maps import gram_factor, numbers_per_draw, propagate
from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.samplers import inputs
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
PILOT_DRAWS = 512


def input_covariance(setting: Setting) -> Array:
    """Sigma as a p x p matrix."""
    return np.eye(setting.p) if setting.Sigma is None else setting.Sigma


def fourth_moment(setting: Setting) -> Array:
    """F = E (x^T Sigma x) x x^T, equation (111), shape (p, p).

    With x = R u, R = Sigma^(1/2): F = R E[(u^T M u) u u^T] R for M = Sigma^2, and independent entries u give
    E (u^T M u) u u^T = (Tr M) I + 2 M + (kurtosis - 3) diag(M).
    """
    sigma_x = input_covariance(setting)
    square = sigma_x @ sigma_x
    inner = np.trace(square) * np.eye(setting.p) + 2 * square
    inner += (setting.law.kurtosis - 3) * np.diag(np.diag(square))
    root = np.eye(setting.p) if setting.root is None else setting.root
    return np.asarray(root @ inner @ root)


@lru_cache(maxsize=32)
def one_step_weight(setting: Setting, alpha: float, points: int) -> Array:
    """E A Sigma A for one gradient step on `points` inputs, shape (p, p): (15), (16) of the paper."""
    sigma_x = input_covariance(setting)
    # of the pairs of rows in (X^T X) Sigma (X^T X), different ones give Sigma^3 and equal ones F
    square = ((points - 1) * sigma_x @ sigma_x @ sigma_x + fourth_moment(setting)) / points
    weight = np.asarray(sigma_x - 2 * alpha * sigma_x @ sigma_x + alpha**2 * square)
    weight.setflags(write=False)
    return weight


def one_step_noise(setting: Setting, alpha: float, points: int) -> float:
    """E Tr(P^T Sigma P) for one gradient step on `points` inputs."""
    sigma_x = input_covariance(setting)
    return alpha**2 / points * float(np.sum(sigma_x * sigma_x))


def sampled_weight(generator: np.random.Generator, setting: Setting, draws: int) -> tuple[Array, Array]:
    """(A^K Sigma A^K, Tr(P^T Sigma P)) per draw of the target inputs, shapes (draws, p, p) and (draws,)."""
    s = setting
    root = np.eye(s.p) if s.root is None else s.root
    start = np.broadcast_to(root, (draws, s.p, s.p))
    rows, path = propagate(start, _target_inputs(generator, s, draws), s.alpha_r / s.n_r, s.adaptation_steps)
    return np.swapaxes(rows, -1, -2) @ rows, np.square(path).sum(axis=(-1, -2))


def sampled_scale(generator: np.random.Generator, setting: Setting, draws: int) -> tuple[Array, Array]:
    """(Tr A^2K / p, Tr P^T P) for identity covariance, from the eigenvalues of X^T X. Shapes (draws,).

    What Tr X^T X and Tr (X^T X)^2 explain of them is replaced by its mean: the mean stays the same, the variance falls.
    Each is averaged over as many target inputs as cost about what the training inputs of a draw cost.
    """
    count = max(1, numbers_per_draw(setting) // (setting.n_r * setting.p))
    found, surplus = traces(generator, setting, draws * count)
    # the target does not know the training rate: the same regression at all of them, so that differences resolve slopes
    found = found - surplus @ _explained(replace(setting, alpha_t=0.0))
    kept, path = found.reshape(draws, count, 2).mean(axis=1).T
    return kept / setting.p, path


def traces(generator: np.random.Generator, setting: Setting, draws: int) -> tuple[Array, Array]:
    """(Tr A^2K, Tr P^T P), and by how much Tr X^T X and Tr (X^T X)^2 exceed their means: two arrays (draws, 2).

    From independent rows of independent entries: n p, and n (n - 1) p + n p (p - 1 + kurtosis). Where the kurtosis is
    infinite no excess over it is known, and zeros are returned.
    """
    s, n, p = setting, setting.n_r, setting.p
    x = _target_inputs(generator, s, draws)
    transposed = np.swapaxes(x, -1, -2)
    eigenvalues = np.linalg.eigvalsh(x @ transposed if x.shape[-2] < p else transposed @ x)
    factor = 1 - s.alpha_r / n * eigenvalues
    kept = (factor ** (2 * s.adaptation_steps)).sum(axis=-1) + (p - eigenvalues.shape[-1])
    powers = sum(factor**j for j in range(s.adaptation_steps))
    path = (s.alpha_r / n) ** 2 * (eigenvalues * powers**2).sum(axis=-1)
    found = np.stack([kept, path], axis=1)
    if not math.isfinite(s.law.kurtosis):
        return found, np.zeros_like(found)
    first = eigenvalues.sum(axis=-1) - n * p
    second = np.square(eigenvalues).sum(axis=-1) - n * p * (n + p - 2 + s.law.kurtosis)
    return found, np.stack([first, second], axis=1)


@lru_cache(maxsize=64)
def _explained(setting: Setting) -> Array:
    """The regression of the traces on the excesses, shape (2, 2), by draws that serve nothing else."""
    generator = generator_for(f"target/{setting.fingerprint}")
    found, surplus = traces(generator, setting, PILOT_DRAWS)
    varying = surplus - surplus.mean(axis=0), found - found.mean(axis=0)
    return np.asarray(np.linalg.lstsq(*varying, rcond=1e-10)[0])


def _target_inputs(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    if setting.law is GAUSSIAN:
        return gram_factor(generator, setting, setting.n_r, draws)
    return inputs(generator, setting, draws, setting.n_r)
