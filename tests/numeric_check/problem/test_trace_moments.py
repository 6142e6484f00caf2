"""Means of traces against the engine, which shares nothing with them."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from operator import matmul, mul

import pytest

from numeric_check.estimators.control import means
from numeric_check.problem.setting import Setting
from numeric_check.problem.trace_moments import mean_of_traces, mean_of_word, pairings, times
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, gaussian, identity, tr
from symbolic.averages.expectation import expect

X, Y = gaussian("X", "n", "p"), gaussian("Y", "n_v", "p")
W, G = X.T @ X, Y.T @ Y
SIZES = {"n": 4, "p": 3, "n_v": 5}


@pytest.mark.parametrize("powers", [(1,), (2, 1), (3,), (2, 2, 1), (4,), (5, 1)])
def test_traces_of_powers(powers: tuple[int, ...]) -> None:
    exact = evaluate(expect(reduce(mul, (tr(W**k) for k in powers))), SIZES)
    assert mean_of_traces(powers, 4, 3) == exact
    assert mean_of_traces((*powers, 0), 4, 3) == 3 * exact


def test_pairings_are_counted() -> None:
    assert [len(list(pairings(tuple(range(k))))) for k in (0, 2, 4, 6)] == [1, 1, 3, 15]


RATE = Fraction(2, 7)
STEP, PATH = (Fraction(1), -RATE), (Fraction(0), RATE**2)
KEPT = times(STEP, STEP)


def written(word: tuple[Fraction, ...]) -> Expression:
    return reduce(
        lambda one, other: one + other, (c * W**k if k else c * identity("p") for k, c in enumerate(word))
    )


@pytest.mark.parametrize(
    "between",
    [(KEPT,), (KEPT, KEPT), (PATH, KEPT), (KEPT, KEPT, KEPT), (KEPT, PATH, KEPT), (STEP, PATH, KEPT)],
)
def test_words_of_two_samples(between: tuple[tuple[Fraction, ...], ...]) -> None:
    whole = reduce(matmul, (G @ written(word) for word in between))
    assert mean_of_word(between, 5, 4, 3) == evaluate(expect(tr(whole)), SIZES)


def test_the_controls_below_have_the_means_that_the_engine_gives() -> None:
    m, rate = 3, 0.5
    s = Setting(n_t=4, n_v=5, n_r=2, m=m, p=3, sigma=1, nu=1, alpha_t=rate, alpha_r=0.1)
    scaled = Fraction(rate) / 4
    tasks = [(gaussian(f"X{i}", "n", "p"), gaussian(f"Y{i}", "n_v", "p")) for i in range(m)]
    maps = [y - scaled * (y @ x.T @ x) for x, y in tasks]
    noise = [scaled * (y @ x.T) for x, y in tasks]

    def total(words: list[Expression]) -> Expression:
        return reduce(lambda one, other: one + other, words)

    gram = total([b.T @ b for b in maps])
    spread = total([b.T @ b @ b.T @ b for b in maps])
    path = total([b.T @ q @ q.T @ b for b, q in zip(maps, noise, strict=True)])
    wanted = [tr(spread), tr(path), tr(gram @ spread), tr(gram @ path)]
    exact = [float(evaluate(expect(word), SIZES)) for word in wanted]
    assert list(means(s)[-4:]) == pytest.approx(exact, rel=1e-13, abs=0)
