"""Moves of a derivation held against sampling: every letter is drawn, both sides are evaluated, their means compared.

One function for all rules. Where letters are averaged over, they are drawn anew in each draw and all others stay; where
a definition is put in or written out, both sides are the same number at any draw, which is what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import NO_NUMBER, Chain, Move, Rule
from derivations.steps.step import Check, Step
from derivations.verification.measure import batch_size
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Word
from symbolic.algebra.words import Expression, polynomial

Array = NDArray[np.float64]
# the relative difference of the two sides where they are the same number at any draw
ROUNDING = 1e-9
AVERAGING = (Rule.AVERAGE, Rule.CUMULANTS, Rule.KNOWN)
MANY_DRAWS, MOST_DRAWS = 200_000, 4_000_000
# aimed-at standard error relative to the value, so that five of them are well within one per cent
RESOLUTION = 0.0018


def batch_value(expr: Expression, matrices: Mapping[str, Array], numbers: Mapping[str, float]) -> Array:
    """The value of an expression at a batch of matrices, shape (batch, rows, columns), and numbers.

    Matrices have the batch as their first axis, of length 1 where they are the same in every draw.
    """
    total: Array | None = None
    known: dict[Word, Array] = {}
    for term, coefficient in expr.terms.items():
        value = np.full((1, 1, 1), float(evaluate(polynomial(coefficient), numbers)))
        for trace in term.traces:
            value = value * _trace(_from_a_cut(trace, matrices), matrices, known)[:, None, None]
        if term.word is not None and expr.shape is not None:
            rows = expr.shape[0]
            value = value * (
                _product(term.word, matrices, known) if term.word else np.eye(int(numbers[rows]))
            )
        total = value if total is None else total + value
    if total is None:
        rows, columns = expr.shape or (ONE, ONE)
        return np.zeros(
            (1, 1 if rows == ONE else int(numbers[rows]), 1 if columns == ONE else int(numbers[columns]))
        )
    return total


def _from_a_cut(trace: Word, matrices: Mapping[str, Array]) -> Word:
    """A closed word turned to start with a single row, where it has one: its products are then of vectors."""
    rows = [matrices[f.name].shape[-1 if f.transposed else -2] for f in trace]
    start = rows.index(1) if 1 in rows else 0
    return trace[start:] + trace[:start]


def _product(word: Word, matrices: Mapping[str, Array], known: dict[Word, Array]) -> Array:
    """The product of a word, by halves, so that what occurs twice is multiplied once."""
    if word not in known:
        if not word:
            raise ValueError("an empty trace is a dimension: it has no letters")
        if len(word) == 1:
            matrix = matrices[word[0].name]
            known[word] = np.swapaxes(matrix, -1, -2) if word[0].transposed else matrix
        else:
            half = len(word) // 2
            known[word] = _product(word[:half], matrices, known) @ _product(word[half:], matrices, known)
    return known[word]


def _trace(word: Word, matrices: Mapping[str, Array], known: dict[Word, Array]) -> Array:
    """The trace of a word without its last product: the sum over the elements of one half times the other."""
    if len(word) == 1:
        return np.asarray(np.trace(_product(word, matrices, known), axis1=-2, axis2=-1))
    half = len(word) // 2
    left, right = _product(word[:half], matrices, known), _product(word[half:], matrices, known)
    return np.asarray((left * np.swapaxes(right, -1, -2)).sum(axis=(-2, -1)))


def _draw(sample: Sample, letter: Letter, *, anew: bool) -> Array:
    rows, columns = (1 if name == ONE else sample.size(name) for name in (letter.rows, letter.columns))
    covariance = None
    if letter.covariance is not None:
        covariance = sample.matrix(letter.covariance, letter.columns, letter.columns, positive=True)
    if anew:
        return sample.inputs(rows, columns, letter.law or "gaussian", covariance)
    # a positive matrix has no traces near zero, which would take many draws to resolve
    return sample.matrix(letter.name, rows, columns, positive=letter.symmetric and rows > 1)[None]


def _basis_vector(sample: Sample, letter: Letter) -> Array:
    return np.eye(sample.size(letter.rows))[None, :, letter.unit - 1 : letter.unit]


def _sides(move: Move, sample: Sample) -> tuple[Array, Array]:
    """Both sides of a move at one batch of draws."""
    letters: dict[str, Letter] = {}
    for expr in (move.before, move.after, *move.values.values()):
        letters |= expr.letters()
    letters = {name: letter for name, letter in letters.items() if name not in move.values}
    fresh = move.letters if move.rule in AVERAGING else ()
    matrices = {
        name: _basis_vector(sample, letter) if letter.unit else _draw(sample, letter, anew=name in fresh)
        for name, letter in letters.items()
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
    move: Move, label: str, slug: str, sizes: Mapping[str, float], index: int = 0, base_seed: int = 0
) -> Check | None:
    """Sample one move at these sizes, until the mean is resolved or the budget is spent.

    The value is that of `after` along a fixed direction, the mean that of `before`; where both sides are the same
    number at any draw, they are the element at which they differ most. None for a move that has no number of its own.
    A mean that should vanish is resolved to one per cent of the root mean square.
    """
    if move.rule in NO_NUMBER:
        return None
    started = time.monotonic()
    if move.rule not in AVERAGING:
        before, after = _sides(move, Sample(slug, sizes, index, batch=2, base_seed=base_seed))
        # the element at which the two sides differ most
        place = np.unravel_index(int(np.argmax(np.abs(before - after))), before.shape)
        value, mean = float(np.broadcast_to(after, before.shape)[place]), float(before[place])
        gap = abs(mean - value) / (float(np.max(np.abs(after))) or 1.0)
        verdict = "agree" if gap <= ROUNDING else "disagree"
        said = f"the two sides differ by {gap:.1e} of the largest element"
        seconds = time.monotonic() - started
        return Check(label, dict(sizes), value, mean, 0.0, len(before), seconds, verdict, said)
    total = square = 0.0
    draws = batch = 0
    while True:
        sample = Sample(slug, sizes, index, batch, batch=batch_size(sizes), base_seed=base_seed)
        before, after = _sides(move, sample)
        probe = _direction(after[0], slug)
        value = float(np.sum(after[0] * probe))
        seen = np.sum(before * probe, axis=(1, 2)) - value
        total, square = total + float(seen.sum()), square + float((seen**2).sum())
        draws, batch = draws + len(seen), batch + 1
        gap = total / draws
        spread = float(np.sqrt(max(square / draws - gap**2, 0.0)))
        stderr = spread / float(np.sqrt(draws - 1))
        if stderr <= RESOLUTION * (abs(value) or spread) or draws >= MOST_DRAWS:
            break
    found = judge(value + gap, stderr, value, resolution=None if value else 0.01 * spread or None)
    seconds = time.monotonic() - started
    return Check(label, dict(sizes), value, value + gap, stderr, draws, seconds, found.status, found.reason)


def _direction(value: Array, slug: str) -> Array:
    """The value itself tilted by a fixed random matrix: along it an error in any element shows."""
    size = float(np.sum(value**2)) or 1.0
    tilt = generator_for(f"{slug}/direction").standard_normal(value.shape)
    return np.asarray(value / size + 0.3 * tilt / np.sqrt(size * tilt.size))


def move_checks(chain: Chain, step: Step, numbers: Mapping[str, float], base_seed: int = 0) -> list[Check]:
    """Every move of a step's chain that has a number, at the sizes of the step; `numbers`: further values.

    A move that takes many draws is sampled at the first of the sizes alone.
    """
    found = []
    for k, move in enumerate(chain.moves):
        label, slug = f"move {k + 1}: {move.rule}", f"{step.name}/move-{k}"
        for index, sizes in enumerate(step.sizes):
            check = sample_move(move, label, slug, {**sizes, **numbers}, index, base_seed)
            if check is not None:
                found.append(check)
            if check is None or check.draws > MANY_DRAWS:
                break
    return found
