"""The loss above p = n_v m through one task and a few independent numbers: exact for Gaussian inputs, identity covariance.

The rows of B of different tasks span independent uniform subspaces, whatever the inner loop does to their lengths, so that
E|omega* - w_0|^2 = (1 - N/p) |omega_0 - w_0|^2 + m c (nu^2 n_v / p + f), N = n_v m, c = (p - n_v - 1) / (p - N - 1), with f
the label noise of one task. Seen from its validation rows X^t is block bidiagonal (Golub and Kahan) with Bartlett's
triangular factors, one pair for each inner step: independent normal and chi numbers, however large p, n_t and m are.

Their orthogonal polynomials (Hermite, Laguerre) have products of mean exactly zero. What these explain of a draw, by
multiples fitted on draws that are not used otherwise, is taken from it: the mean stays, most of the variance goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numeric_check.estimators import target_loss
from numeric_check.estimators.task_maps import propagate
from numeric_check.problem.known_ranks import gram_inverses, pseudo_inverses
from numeric_check.problem.laws import GAUSSIAN
from numeric_check.problem.normals import normals
from numeric_check.problem.samplers import triangular_factor
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]
# the degree of the products, then their multiples
Coefficients = tuple[float, ...]
# variables and the degrees of their polynomials, ascending
Product = tuple[tuple[int, int], ...]
MOST_PRODUCTS, HIGHEST = 160, 8
DRAWS_PER_PRODUCT = 16
MOST_ROWS = 200


class Variable(NamedTuple):
    """One independent number: the square of a chi with these degrees of freedom, or normal (0); its place in a factor."""

    freedom: float
    row: int
    column: int


def applies(setting: Setting) -> bool:
    """Whether the reduction holds, and the reduced matrices are of moderate size."""
    s = setting
    return (
        s.law is GAUSSIAN
        and s.Sigma is None
        and s.Sigma_w is None
        and s.split == "separate"
        and s.inner_step is None
        and s.p > s.validation_points + 1
        and s.n_v * s.inner_steps <= MOST_ROWS
    )


def numbers_per_draw(setting: Setting) -> int:
    """About how many floating-point numbers one draw holds at a time."""
    rows, n = setting.n_v * setting.inner_steps, setting.n_v
    if not _bidiagonal(setting):
        rows = setting.n_t
    return rows * (n + rows) + 3 * n * (n + rows)


def _bidiagonal(setting: Setting) -> bool:
    """Whether X^t has room for all factors; else its entries are drawn."""
    s = setting
    return min(s.n_t, s.p - s.n_v) >= s.n_v * s.inner_steps


def _freedoms(setting: Setting) -> list[tuple[int, int]]:
    """Degrees of freedom of the upper and of the lower factor of each inner step."""
    s = setting
    return [(s.n_t - k * s.n_v, s.p - s.n_v - k * s.n_v) for k in range(s.inner_steps)]


def training_inputs(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """X^t in coordinates whose first n_v are those of the validation rows, as far as they see it. Shape (draws, rows, columns)."""
    s, n = setting, setting.n_v
    if not _bidiagonal(s):
        seen = min(s.n_t, s.p - n)
        x = np.zeros((draws, s.n_t, n + seen))
        x[..., :n] = normals(generator, (draws, s.n_t, n))
        if seen < s.p - n:
            x[..., n:] = np.swapaxes(triangular_factor(generator, s.p - n, seen, draws), -1, -2)
        else:
            x[..., n:] = normals(generator, (draws, s.n_t, seen))
        return x
    size = n * s.inner_steps
    x = np.zeros((draws, size, n + size))
    for k, (upper, lower) in enumerate(_freedoms(s)):
        here, following = slice(k * n, (k + 1) * n), slice((k + 1) * n, (k + 2) * n)
        x[:, here, here] = triangular_factor(generator, upper, n, draws)
        x[:, here, following] = np.swapaxes(triangular_factor(generator, lower, n, draws), -1, -2)
    return x


def label_noise(x: Array, setting: Setting) -> Array:
    """Tr (B_1 B_1^T)^-1 Gamma_1 of label noise alone, averaged over the lengths of the validation rows. Shape (draws,)."""
    s = setting
    start = np.broadcast_to(np.eye(s.n_v, x.shape[-1]), (len(x), s.n_v, x.shape[-1]))
    rows, path = propagate(start, x, s.alpha_t / s.n_t, s.inner_steps)
    inverse, known = gram_inverses(rows @ np.swapaxes(rows, -1, -2))
    noise = s.sigma**2 * (path @ np.swapaxes(path, -1, -2))
    own = s.sigma_v**2 / (s.p - s.n_v - 1)
    found = np.einsum("bij,bji->b", inverse, noise + own * np.eye(s.n_v))
    if not known.all():
        left, _ = pseudo_inverses(rows[~known])
        through = s.sigma * left @ path[~known]
        found[~known] = np.sum(through**2, axis=(1, 2)) + own * np.sum(left**2, axis=(1, 2))
    return np.asarray(found)


def _value(generator: np.random.Generator, x: Array, setting: Setting, quantity: str) -> Array:
    s = setting
    rows = s.validation_points
    tasks = s.m * (s.p - s.n_v - 1) / (s.p - rows - 1)
    found = (1 - rows / s.p) * s.dist0_sq + tasks * (s.nu**2 * s.n_v / s.p + label_noise(x, s))
    if quantity == "excess":
        return np.asarray(found)
    if s.adaptation_steps == 1:
        scale: Array | float = _weight(s)
        gain: Array | float = s.alpha_r**2 * s.p / s.n_r
    else:
        scale, gain = target_loss.sampled_scale(generator, s, len(x))
    return np.asarray((s.sigma**2 * (1 + gain) + scale * (s.nu**2 + found)) / 2)


def _weight(setting: Setting) -> float:
    """H_r = E A^2 for one step of adaptation, a multiple of the identity: (15)."""
    s = setting
    return (1 - s.alpha_r) ** 2 + s.alpha_r**2 * (s.p + 1) / s.n_r


def loss(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """The test loss given `draws` draws of what is left of the training inputs. Shape (draws,)."""
    return _value(generator, training_inputs(generator, setting, draws), setting, "loss")


def excess(generator: np.random.Generator, setting: Setting, draws: int) -> Array:
    """|omega* - w_0|^2, as `loss`. Shape (draws,)."""
    return _value(generator, training_inputs(generator, setting, draws), setting, "excess")


# -- products of orthogonal polynomials --------------------------------------------------------------------------


@lru_cache(maxsize=64)
def variables(setting: Setting) -> tuple[Variable, ...]:
    """The independent numbers in X^t, none where its entries are drawn."""
    found = []
    for upper, lower in _freedoms(setting) if _bidiagonal(setting) else ():
        for freedom, turned in ((upper, False), (lower, True)):
            for i in range(setting.n_v):
                for j in range(i, setting.n_v):
                    place = (j, i) if turned else (i, j)
                    found.append(Variable(freedom - i if i == j else 0, *place))
    return tuple(found)


def _numbers(x: Array, setting: Setting) -> list[Array]:
    """The values of `variables`, each of shape (draws,)."""
    n, found = setting.n_v, []
    for index, variable in enumerate(variables(setting)):
        step, lower = divmod(index // (n * (n + 1) // 2), 2)
        column = (step + lower) * n + variable.column
        value = x[:, step * n + variable.row, column]
        found.append(value**2 if variable.freedom else value)
    return found


def polynomials(freedom: float, values: Array, degree: int) -> list[Array]:
    """The orthonormal polynomials up to a degree under the law of chi-square with this freedom, or of a normal number (0).

    By their three-term recurrences (Laguerre's of order freedom / 2 - 1 in half the value; Hermite's).
    """
    found = [np.ones_like(values)]
    before, norm = np.zeros_like(values), 1.0
    current = found[0]
    order, half = freedom / 2 - 1, values / 2
    for k in range(degree):
        if freedom:
            following = ((2 * k + 1 + order - half) * current - (k + order) * before) / (k + 1)
            norm *= (k + 1 + order) / (k + 1)
        else:
            following = values * current - k * before
            norm *= k + 1
        before, current = current, following
        found.append(current / math.sqrt(norm))
    return found


@lru_cache(maxsize=256)
def products(setting: Setting, degree: int) -> tuple[Product, ...]:
    """The products of polynomials of at most this total degree; none where they would be many.

    The loss does not change when validation rows change their signs, which turns the signs of numbers off the diagonals:
    only products that stay the same are of use.
    """
    found: list[Product] = []
    for product in _all(variables(setting), 0, degree, (), 0):
        found.append(product)
        if len(found) > MOST_PRODUCTS:
            return ()
    return tuple(found)


def _all(places: tuple[Variable, ...], first: int, left: int, chosen: Product, odd: int) -> Iterator[Product]:
    """Products that begin with those chosen and are even in every sign; `odd` has a bit for each sign that is not yet."""
    if chosen and not odd:
        yield chosen
    for index in range(first, len(places)):
        _, row, column = places[index]
        turns = (1 << row) ^ (1 << column)
        for power in range(1, left + 1):
            signs = odd ^ (turns if power % 2 else 0)
            if signs.bit_count() <= 2 * (left - power):
                yield from _all(places, index + 1, left - power, (*chosen, (index, power)), signs)


def features(x: Array, setting: Setting, degree: int) -> Iterator[Array]:
    """The products at each draw, of mean zero, one after another; each of shape (draws,)."""
    wanted, numbers = products(setting, degree), _numbers(x, setting)
    table = {
        index: polynomials(variables(setting)[index].freedom, numbers[index], degree)
        for index in {index for product in wanted for index, _ in product}
    }
    # products come in the order in which they begin alike
    open_: list[tuple[tuple[int, int], Array]] = []
    for product in wanted:
        same = 0
        while same < min(len(open_), len(product)) and open_[same][0] == product[same]:
            same += 1
        del open_[same:]
        for index, power in product[same:]:
            factor = table[index][power]
            open_.append(((index, power), open_[-1][1] * factor if open_ else factor))
        yield open_[-1][1]


def fit(
    generator: np.random.Generator, setting: Setting, quantity: str, draws: int, batch: int
) -> Coefficients:
    """A degree and the multiples of its products that explain most of `draws` draws, or of as many as that takes.

    Draws are taken `batch` at a time. Far from the means, as near a pole, polynomials of high degree are wild: the degree
    is the one that leaves least of draws that were not fitted.
    """
    best: Coefficients = (0.0,)
    least = np.inf
    trials = training_inputs(generator, setting, batch * -(-draws // batch))
    aims = _value(generator, trials, setting, quantity)
    state = generator.bit_generator.state
    for degree in range(HIGHEST + 1):
        count = len(products(setting, degree))
        if degree and not count:
            break
        generator.bit_generator.state = state  # the same draws for each degree
        gram, moment, total = np.zeros((count + 1, count + 1)), np.zeros(count + 1), 0
        while total < max(draws, DRAWS_PER_PRODUCT * count):
            x = training_inputs(generator, setting, batch)
            design = np.stack([np.ones(batch), *features(x, setting, degree)])
            gram += design @ design.T
            moment += design @ _value(generator, x, setting, quantity)
            total += batch
        multiples = np.linalg.lstsq(gram, moment, rcond=1e-12)[0][1:]
        tried = (float(degree), *(float(value) for value in multiples))
        left = float(_without(aims, trials, setting, tried).std())
        if left < least:
            best, least = tried, left
    return best


def _without(values: Array, x: Array, setting: Setting, coefficients: Coefficients) -> Array:
    """Values at draws without what the products explain of them."""
    degree, *multiples = coefficients
    found = values.copy()
    for multiple, feature in zip(multiples, features(x, setting, int(degree)), strict=True):
        found -= multiple * feature
    return found


def controlled(
    generator: np.random.Generator, setting: Setting, quantity: str, coefficients: Coefficients, draws: int
) -> Array:
    """Draws of the quantity without what the products explain of it, shape (draws,)."""
    x = training_inputs(generator, setting, draws)
    return _without(_value(generator, x, setting, quantity), x, setting, coefficients)
