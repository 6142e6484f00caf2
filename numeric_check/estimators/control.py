"""Control variates for the conditional estimators: features of the task maps whose means are known exactly.

With one inner step and separate data, B_i^T B_i has mean n_v H_t, H_t = E A Sigma A, and tasks are
independent. So |B|^2, |N|^2 and the sum over i != j of |B_i B_j^T|^2 have elementary means, and so have Tr B
Sigma_w B^T and Tr B H_r B^T. With Gaussian inputs of identity covariance B_i^T B_i and B_i^T N_i N_i^T B_i are words of two
Wishart matrices, of one where data are reused, for several steps too: their traces have exact means (`trace_moments`).
Below p = n_v m the traces of S = sum_i (B_i^T B_i)^2, of V = sum_i B_i^T N_i N_i^T B_i, of M S and of M V, M = B^T B, are
taken beside them: the expansion of Tr M^-1 Gamma M^-1 about the mean of M begins with them. Subtracting a multiple of
(feature - mean) leaves the mean of an estimator unchanged and takes away the variance the feature explains. The multiples
are fitted on draws that are not used otherwise, so no bias enters.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from numeric_check.estimators.conditional import loss_of_maps, weighted_excess
from numeric_check.estimators.target_loss import one_step_noise, one_step_weight
from numeric_check.estimators.task_maps import TaskMaps, draw_task_maps
from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.setting import Setting
from numeric_check.problem.trace_moments import Polynomial, mean_of_traces, mean_of_word, times

Array = NDArray[np.float64]
Coefficients = tuple[float, ...]
# the moments of W that the means take grow in number beyond use with the steps
MOST_STEPS = 4
MOST_OF_SPREAD = 0.1  # that a single draw of those that are fitted may make up
FAR = 5.0  # standard errors of a mean from the exact one


def applies(setting: Setting) -> bool:
    """Whether the means of the features are known in closed form."""
    s = setting
    if s.inner_step is not None:
        return False
    return (s.split == "separate" and s.inner_steps == 1) or (_isotropic(s) and s.inner_steps <= MOST_STEPS)


def _isotropic(setting: Setting) -> bool:
    """Whether the law of the inputs is unchanged by rotations, so that means of words are multiples of the identity."""
    return setting.law is GAUSSIAN and setting.Sigma is None and setting.Sigma_w is None


def _below(setting: Setting) -> bool:
    """Whether the traces of S and V are taken."""
    return _isotropic(setting) and setting.p < setting.validation_points


def _weights(setting: Setting) -> list[Array]:
    if setting.Sigma is None and setting.Sigma_w is None:
        return []
    return [setting.task_covariance, one_step_weight(setting, setting.alpha_r, setting.n_r)]


def features(maps: TaskMaps, setting: Setting) -> Array:
    """The features of each draw, shape (batch, k)."""
    b = maps.b.reshape(maps.b.shape[0], -1, setting.p)
    bt = np.swapaxes(b, -1, -2)
    gram = b @ bt if b.shape[-2] < setting.p else bt @ b
    own = maps.b @ np.swapaxes(maps.b, -1, -2)
    path = np.eye(maps.b.shape[-2]) - maps.noise if setting.split == "reused" else maps.noise
    columns = [
        np.einsum("bmii->b", own),
        np.einsum("bmij,bmij->b", path, path),
        np.einsum("bij,bij->b", gram, gram) - np.einsum("bmij,bmij->b", own, own),
    ]
    columns += [np.einsum("bij,bij->b", b @ weight, b) for weight in _weights(setting)]
    if _below(setting):
        noise = path @ np.swapaxes(path, -1, -2)
        through = maps.b @ gram[:, None] @ np.swapaxes(maps.b, -1, -2)
        pairs = [(own, own), (own, noise), (through, own), (through, noise)]
        columns += [np.einsum("bmij,bmij->b", one, other) for one, other in pairs]
    return np.stack(columns, axis=1)


def means(setting: Setting) -> Array:
    """The exact means of the features, shape (k,)."""
    s = setting
    if _isotropic(s):
        return np.array(_traces(s))
    h = one_step_weight(s, s.alpha_t, s.n_t)
    count = s.n_v * s.m
    cross = s.n_v**2 * s.m * (s.m - 1) * float(np.sum(h * h))
    values = [count * float(np.trace(h)), count * one_step_noise(s, s.alpha_t, s.n_t), cross]
    return np.array(values + [count * float(np.sum(weight * h)) for weight in _weights(s)])


@lru_cache(maxsize=256)
def _traces(setting: Setting) -> tuple[float, ...]:
    """The exact means of |B|^2, |N|^2 and the sum of |B_i B_j^T|^2; below p = n_v m also of Tr S, Tr V, Tr M S and Tr M V."""
    s = setting
    below = _below(s)
    c, n, *others = (_words_reused if s.split == "reused" else _words)(s, below)
    # the mean of another task's C is a multiple of the identity
    values = [s.m * c, s.m * n, s.m * (s.m - 1) * c * c / s.p]
    if below:
        cc, v, ccc, cv = others
        around = (s.m - 1) * c / s.p
        values += [s.m * value for value in (cc, v, ccc + around * cc, cv + around * v)]
    return tuple(float(value) for value in values)


def _step(setting: Setting) -> Polynomial:
    """I - alpha_t W / n_t, a polynomial in W = X^tT X^t."""
    return Fraction(1), -Fraction(setting.alpha_t) / setting.n_t


def _power(word: Polynomial, exponent: int) -> Polynomial:
    return reduce(times, [word] * exponent, (Fraction(1),))


def _words(setting: Setting, below: bool) -> list[Fraction]:
    """Of one task, C = B_1^T B_1: the means of Tr C and |N|^2; below, also of Tr C^2, Tr V, Tr C^3 and Tr C V."""
    s = setting
    step = _step(s)
    # I - A^K = A' W with N N^T = X^v A' W A' X^vT
    path = tuple(-coefficient for coefficient in _power(step, s.inner_steps)[1:])
    kept, path = _power(step, 2 * s.inner_steps), times((Fraction(0), Fraction(1)), times(path, path))
    words: list[tuple[Polynomial, ...]] = [(kept,), (path,)]
    if below:
        words += [(kept, kept), (path, kept), (kept, kept, kept), (kept, path, kept)]
    return [mean_of_word(word, s.n_v, s.n_t, s.p) for word in words]


def _words_reused(setting: Setting, below: bool) -> list[Fraction]:
    """As `_words` where X^v is X^t, with I - N = (I - alpha_t X X^T / n_t)^K, which multiplies the noise, in place of N."""
    s = setting
    kept = _power(_step(s), 2 * s.inner_steps)
    c = times((Fraction(0), Fraction(1)), kept)
    found = [_mean_of_trace(c, s), _mean_of_trace(kept, s) - (s.p - min(s.n_t, s.p))]
    if below:
        v = times(c, kept)
        found += [_mean_of_trace(word, s) for word in (times(c, c), v, times(c, times(c, c)), times(c, v))]
    return found


def _mean_of_trace(word: Polynomial, setting: Setting) -> Fraction:
    powers = (
        coefficient * mean_of_traces((k,), setting.n_t, setting.p) for k, coefficient in enumerate(word)
    )
    return sum(powers, Fraction(0))


def _values(generator: np.random.Generator, maps: TaskMaps, setting: Setting, quantity: str) -> Array:
    return weighted_excess(maps, setting) if quantity == "excess" else loss_of_maps(generator, maps, setting)


def fit(
    generator: np.random.Generator, setting: Setting, quantity: str, draws: int, batch: int
) -> Coefficients:
    """The multiples that minimise the variance over `draws` draws, taken `batch` at a time.

    Few draws make up the spread of some, as that of several steps at large rates: these are left out (`explaining`).
    """
    exact = means(setting)
    rows, targets = [], []
    for _ in range(0, draws, batch):
        maps = draw_task_maps(generator, setting, batch)
        rows.append(features(maps, setting) - exact)
        targets.append(_values(generator, maps, setting, quantity))
    found = explaining(np.concatenate(rows), np.concatenate(targets), MOST_OF_SPREAD)
    return tuple(float(value) for value in found)


def explaining(surplus: Array, values: Array, most_of_spread: float) -> Array:
    """The multiples of features that explain most of the values, by regression on draws, shape (draws, k).

    A feature that does not vary gets 0. So does one whose mean rare draws carry, as of any number of draws its mean is off by more
    than its standard error says: a single draw makes up more than `most_of_spread` of its spread, or its mean, which is zero, is
    not within five standard errors of the mean of these draws.
    """
    scale = np.abs(surplus).max(axis=0) + np.finfo(np.float64).tiny
    scaled = surplus / scale
    mean = scaled.mean(axis=0)
    squares = np.square(scaled - mean)
    spread = squares.sum(axis=0)
    told = (np.ptp(scaled, axis=0) > 0) & (squares.max(axis=0) <= most_of_spread * spread)
    told &= np.abs(mean) * len(scaled) <= FAR * np.sqrt(spread)
    design = np.column_stack([np.ones(len(scaled)), scaled[:, told]])
    found = np.zeros(len(scale))
    found[told] = np.linalg.lstsq(design, values, rcond=1e-10)[0][1:] / scale[told]
    return found


def controlled(
    generator: np.random.Generator, setting: Setting, quantity: str, coefficients: Coefficients, draws: int
) -> Array:
    """Draws of the quantity with the fitted features subtracted, shape (draws,)."""
    maps = draw_task_maps(generator, setting, draws)
    values = _values(generator, maps, setting, quantity)
    surplus = (features(maps, setting) - means(setting)) @ np.array(coefficients)
    return np.asarray(values - surplus)
