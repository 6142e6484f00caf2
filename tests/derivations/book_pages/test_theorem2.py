"""The chapter on Theorem 2 counts the factors of its averages."""

from __future__ import annotations

from derivations.book_pages import theorem2
from derivations.book_pages.theorem2 import noise_factors, random_factors
from derivations.language import model
from symbolic.algebra.words import gaussian, tr


def test_factors_are_those_of_the_longest_term() -> None:
    x, y = gaussian("X", "n", "p"), gaussian("Y", "n", "p")
    counts = random_factors(tr(x.T @ y @ y.T @ x) * tr(x.T @ x) + tr(y.T @ y) + tr(model.SIGMA))
    assert (counts["all"], counts["X"], counts["Y"]) == (6, 4, 2)


def test_the_mean_of_the_noise_term_has_twelve() -> None:
    """X_v four times, and A = I - alpha/n X_t^T X_t four times between and around them: up to eight X_t."""
    assert noise_factors() == "up to 12 factors of Gaussian matrices, up to 8 of them from one training set"
    assert theorem2.random_factors(theorem2.task_blocks(theorem2.PAPER).gram)["all"] == 6
