"""Random words: the engine against the sum over pairings, and both against sums over entries."""

import random

import pytest

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, gaussian, matrix, scalar, tr, unit, vector
from symbolic.averages.expectation import clear_cache, expect
from symbolic.averages.pairings import expect_by_pairings
from symbolic.checks.entries import expect_by_entries, letter_values

LETTERS = [
    gaussian("X", "n", "p"),
    gaussian("S", "n", "p", covariance="Sigma"),
    gaussian("Q", "p", "p"),
    gaussian("r", "1", "p", covariance="Sigma"),
    gaussian("z", "n", "1"),
    matrix("A", "p", "p"),
    matrix("D", "p", "p", symmetric=True),
    matrix("C", "n", "n"),
    matrix("B", "n", "p"),
    matrix("Sigma", "p", "p", symmetric=True),
    vector("w", "p"),
    unit("p", 1),
    unit("p", 2),
]
FACTORS = LETTERS + [letter.T for letter in LETTERS]
SIZES = {"n": 1, "p": 2}
PAIRINGS = 105


def chain(source: random.Random, length: int, rows: str | None = None) -> Expression:
    """A random product of ``length`` factors that starts with ``rows`` rows."""
    result = None
    while length:
        dimension = rows if result is None else (result.shape or ("1", "1"))[1]
        choices = [f for f in FACTORS if dimension is None or (f.shape or ("1", "1"))[0] == dimension]
        factor = source.choice(choices)
        result = factor if result is None else result @ factor
        length -= 1
    return result


def random_expression(seed: int) -> Expression:
    """An expression that is even in every matrix more often than not: words beside their own transposes."""
    source = random.Random(f"word {seed}")
    while True:
        half = chain(source, source.randint(1, 4))
        _, columns = half.shape or ("1", "1")
        middle = chain(source, 1, columns)
        if (middle.shape or ("1", "1"))[1] != columns:
            middle = middle @ middle.T
        expr = half @ middle @ half.T
        if source.random() < 0.4:
            other = chain(source, source.randint(1, 2))
            expr = tr(other @ other.T) * expr
        if source.random() < 0.5:
            expr = tr(expr)
        if source.random() < 0.3:
            expr = expr * scalar("alpha") + 2 * expr
        pairs = sum(
            name in {"X", "S", "Q", "r", "z"}
            for term in expr.terms
            for trace in term.traces
            for name, _ in trace
        ) + sum(name in {"X", "S", "Q", "r", "z"} for term in expr.terms for name, _ in term.word or ())
        if 2 <= pairs <= 8:
            return expr


@pytest.mark.parametrize("block", range(10))
def test_engine_and_oracle_agree_on_random_words(block):
    clear_cache()
    alive = 0
    for seed in range(20 * block, 20 * block + 20):
        moment = random_expression(seed)
        value = expect(moment)
        assert value == expect_by_pairings(moment), moment
        alive += not value.is_zero
    assert alive >= 12


@pytest.mark.parametrize("seed", range(200, 240))
def test_engine_agrees_with_sums_over_entries(seed):
    moment = random_expression(seed).replace({"alpha": 3})
    values, roots = letter_values({**moment.letters(), **expect(moment).letters()}, SIZES)
    value = evaluate(expect(moment), {**SIZES, **values})
    assert expect_by_entries(moment, SIZES, values, roots) == ([[value]] if moment.is_scalar else value)
