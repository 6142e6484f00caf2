"""Moves of a derivation held against sampling: every letter is drawn, both sides are evaluated, their means compared.

One function for all rules. Where letters are averaged over, they are drawn anew in each draw and all others stay; where
a definition is put in or written out, both sides are the same number at any draw, which is what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import Chain, Move, Rule
from numeric_check.draws.sample import Sample
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Word
from symbolic.algebra.words import Expression, polynomial

Array = NDArray[np.float64]
# the relative difference of the two sides where they are the same number at any draw
ROUNDING = 1e-9
AVERAGING = (Rule.AVERAGE, Rule.KNOWN)
BATCH, MOST_DRAWS = 4096, 4_000_000
# aimed-at standard error relative to the value, so that five of them are well within one per cent
RESOLUTION = 0.0015


@dataclass(frozen=True)
class Sampled:
    """A move at one set of sizes: the value that `after` has along a direction, the mean of `before` along it.

    verdict: `agree`, `disagree`, `inconclusive`, or `not-applicable` where a move has no number of its own.
    """

    sizes: Mapping[str, float]
    value: float
    mean: float
    stderr: float
    draws: int
    verdict: str
    reason: str


def batch_value(expr: Expression, matrices: Mapping[str, Array], numbers: Mapping[str, float]) -> Array:
    """The value of an expression at a batch of matrices, shape (batch, rows, columns), and numbers.

    Matrices have the batch as their first axis, of length 1 where they are the same in every draw.
    """
    total: Array | None = None
    for term, coefficient in expr.terms.items():
        value = np.full((1, 1, 1), float(evaluate(polynomial(coefficient), numbers)))
        for trace in term.traces:
            value = value * np.trace(_product(trace, matrices), axis1=-2, axis2=-1)[:, None, None]
        if term.word is not None and expr.shape is not None:
            rows = expr.shape[0]
            value = value * (_product(term.word, matrices) if term.word else np.eye(int(numbers[rows])))
        total = value if total is None else total + value
    if total is None:
        rows, columns = expr.shape or (ONE, ONE)
        return np.zeros(
            (1, 1 if rows == ONE else int(numbers[rows]), 1 if columns == ONE else int(numbers[columns]))
        )
    return total


def _product(word: Word, matrices: Mapping[str, Array]) -> Array:
    result: Array | None = None
    for factor in word:
        matrix = matrices[factor.name]
        matrix = np.swapaxes(matrix, -1, -2) if factor.transposed else matrix
        result = matrix if result is None else result @ matrix
    if result is None:
        raise ValueError("an empty trace is a dimension: it has no letters")
    return result


def _draw(sample: Sample, letter: Letter, *, anew: bool) -> Array:
    if letter.law is not None:
        raise ValueError(f"{letter.name} has entries of another law: moves are sampled for Gaussian ones")
    rows, columns = (1 if name == ONE else sample.size(name) for name in (letter.rows, letter.columns))
    covariance = None
    if letter.covariance is not None:
        covariance = sample.matrix(letter.covariance, letter.columns, letter.columns, positive=True)
    if anew:
        return sample.gaussian(rows, columns, covariance)
    return sample.matrix(letter.name, rows, columns, symmetric=letter.symmetric and rows > 1)[None]


def _sides(move: Move, sample: Sample) -> tuple[Array, Array]:
    """Both sides of a move at one batch of draws."""
    letters: dict[str, Letter] = {}
    for expr in (move.before, move.after, *move.values.values()):
        letters |= expr.letters()
    letters = {name: letter for name, letter in letters.items() if name not in move.values}
    fresh = move.letters if move.rule in AVERAGING else ()
    matrices = {
        name: _draw(sample, letter, anew=name in fresh) for name, letter in letters.items() if not letter.unit
    }
    numbers = {
        name: float(value) for name, value in sample.values.items() if not isinstance(value, np.ndarray)
    }
    for name, value in move.values.items():
        found = batch_value(value, matrices, numbers)
        if value.is_scalar:
            numbers[name] = float(found[0, 0, 0])
        else:
            matrices[name] = found
    return batch_value(move.before, matrices, numbers), batch_value(move.after, matrices, numbers)


def sample_move(
    move: Move, slug: str, sizes: Mapping[str, float], index: int = 0, base_seed: int = 0
) -> Sampled:
    """Sample one move at these sizes, until the mean is resolved or the budget is spent."""
    if move.rule is Rule.SUM:
        return Sampled(sizes, 0.0, 0.0, 0.0, 0, "not-applicable", "multiplies by the number of tasks")
    if move.rule not in AVERAGING:
        before, after = _sides(move, Sample(slug, sizes, index, batch=2, base_seed=base_seed))
        scale = float(np.max(np.abs(after))) or 1.0
        gap = float(np.max(np.abs(before - after))) / scale
        verdict = "agree" if gap <= ROUNDING else "disagree"
        return Sampled(
            sizes,
            scale,
            scale * (1 + gap),
            0.0,
            1,
            verdict,
            f"the two sides differ by {gap:.1e} of their size",
        )
    total = square = value = 0.0
    draws = batch = 0
    while True:
        before, after = _sides(move, Sample(slug, sizes, index, batch, batch=BATCH, base_seed=base_seed))
        # a direction that an error in any element moves: the value itself, tilted by a fixed random matrix
        fixed = np.random.default_rng(len(slug)).standard_normal(after.shape[1:])
        probe = after[0] / float(np.sum(after[0] ** 2)) + 0.3 * fixed / float(
            np.sqrt(np.sum(after[0] ** 2) * fixed.size)
        )
        value = float(np.sum(after[0] * probe))
        seen = np.sum(before * probe, axis=(1, 2)) - value
        total, square, draws, batch = (
            total + seen.sum(),
            square + (seen**2).sum(),
            draws + len(seen),
            batch + 1,
        )
        mean = total / draws
        stderr = float(np.sqrt(max(square / draws - mean**2, 0.0) / (draws - 1)))
        if stderr <= RESOLUTION * abs(value) or draws >= MOST_DRAWS:
            break
    found = judge(value + mean, stderr, value)
    return Sampled(sizes, value, value + mean, stderr, draws, found.status, found.reason)


def sample_chain(
    chain: Chain, slug: str, sizes: Sequence[Mapping[str, float]], base_seed: int = 0
) -> list[list[Sampled]]:
    """Every move of a chain at all sizes."""
    return [
        [sample_move(move, f"{slug}/move-{k}", place, index, base_seed) for index, place in enumerate(sizes)]
        for k, move in enumerate(chain.moves)
    ]
