"""Moves of a derivation held against sampling: every letter is drawn, both sides are evaluated, their means compared.

One function for all rules. Where letters are averaged over, they are drawn anew in each draw and all others stay; where
a definition is put in, written out or expanded about a mean, both sides are the same number at any draw, which is what
is asked. Stacked letters are put together from the drawn data of tasks. Where products of fluctuations are left out,
what is asked is the rate at which both sides approach each other over a ladder of sizes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import NO_NUMBER, Chain, Growth, Move, Rule, Tasks
from derivations.steps.move import AVERAGES
from derivations.steps.rules.exact_routes import in_order
from derivations.steps.step import Check, Step
from derivations.verification.growth import slope_check
from derivations.verification.measure import batch_size
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Word
from symbolic.algebra.words import Expression, polynomial

Array = NDArray[np.float64]
# the relative difference of the two sides where they are the same number at any draw
ROUNDING = 1e-9
# where the two sides agree in the mean alone
AVERAGING = (*AVERAGES, Rule.SHOWN, Rule.IMAGE)
# where stacked letters are put together from the data of tasks
OF_TASKS = (
    Rule.TASKS,
    Rule.KEEP,
    Rule.CENTRED,
    Rule.SHOWN,
    Rule.HAAR,
    Rule.ROW_SPACES,
    Rule.WISHART,
    Rule.CANCEL,
    Rule.LINEAR,
)
MANY_DRAWS, MOST_DRAWS = 50_000, 4_000_000
# sizes of a ladder relative to its start, and draws at each
LADDER, RUNG_DRAWS, RUNG_BATCH = (1, 2, 4, 8), 960, 40
# aimed-at standard error relative to the value, so that five of them are well within one per cent
RESOLUTION = 0.0018
# a mean below this share of its spread would take millions of draws to be resolved relative to itself
SMALL_MEAN = 1.0


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
    """The product of a word in the order of least work; what occurs twice is multiplied once."""
    if word not in known:
        if not word:
            raise ValueError("an empty trace is a dimension: it has no letters")
        if len(word) == 1:
            matrix = matrices[word[0].name]
            known[word] = np.swapaxes(matrix, -1, -2) if word[0].transposed else matrix
        else:
            sides = [_product((factor,), matrices, known).shape[-2:] for factor in word]
            _, cut = _least_work((sides[0][0], *(columns for _, columns in sides)))
            known[word] = _product(word[:cut], matrices, known) @ _product(word[cut:], matrices, known)
    return known[word]


@lru_cache(maxsize=4096)
def _least_work(sizes: tuple[int, ...]) -> tuple[int, int]:
    """The least number of multiplications for a product of matrices of these sizes, and where it is cut last."""
    if len(sizes) == 2:
        return 0, 0
    return min(
        (
            _least_work(sizes[: cut + 1])[0]
            + _least_work(sizes[cut:])[0]
            + sizes[0] * sizes[cut] * sizes[-1],
            cut,
        )
        for cut in range(1, len(sizes) - 1)
    )


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
    drawn = sample.matrix(letter.name, rows, columns, positive=letter.symmetric and rows > 1)[None]
    size = sample.values.get(f"|{letter.name}|")
    if size is not None:
        drawn = drawn * float(size)
    if letter.name == "d" and "dist0_sq" in sample.values:
        drawn = drawn * math.sqrt(sample["dist0_sq"] / float(np.sum(drawn**2)))
    return drawn


def _frames(sample: Sample, letter: Letter) -> tuple[Array, Array]:
    """The first rows of uniform orthogonal matrices, and the remaining ones."""
    size, rows = sample.size(letter.columns), sample.size(letter.rows)
    found, triangle = np.linalg.qr(sample.gaussian(size, size))
    signs = np.sign(np.diagonal(triangle, axis1=-2, axis2=-1))
    found = np.swapaxes(found * signs[:, None, :], -1, -2)
    return found[:, :rows], found[:, rows:]


def _root(found: Array) -> Array:
    """The symmetric square roots of positive matrices."""
    values, vectors = np.linalg.eigh(found)
    return np.asarray((vectors * np.sqrt(values)[:, None, :]) @ np.swapaxes(vectors, -1, -2))


def _basis_vector(sample: Sample, letter: Letter) -> Array:
    return np.eye(sample.size(letter.rows))[None, :, letter.unit - 1 : letter.unit]


def _of_tasks(
    tasks: Tasks, wanted: Collection[str], labels: int, sample: Sample, numbers: Mapping[str, float]
) -> list[dict[str, Array]]:
    """The blocks of stacked letters for so many tasks, from data drawn anew for each."""
    found = []
    for label in map(str, range(1, labels + 1)):
        blocks = {name: block(label) for name, block in tasks.blocks.items() if name in wanted}
        letters = {name: x for block in blocks.values() for name, x in block.letters().items()}
        matrices = {name: _draw(sample, x, anew=x.random) for name, x in letters.items()}
        found.append({name: batch_value(block, matrices, numbers) for name, block in blocks.items()})
    return found


def _stacked(blocks: list[Array], *, diagonal: bool) -> Array:
    """Blocks one below the other, or on the diagonal."""
    if not diagonal:
        return np.concatenate(blocks, axis=1)
    rows = blocks[0].shape[1]
    found = np.zeros((len(blocks[0]), rows * len(blocks), rows * len(blocks)))
    for k, block in enumerate(blocks):
        found[:, rows * k : rows * (k + 1), rows * k : rows * (k + 1)] = block
    return found


def _sides(move: Move, sample: Sample) -> tuple[Array, Array]:
    """Both sides of a move at one batch of draws; a sum over tasks averaged over which task bears which label."""
    letters: dict[str, Letter] = {}
    scalars: set[str] = set()
    for expr in (
        move.before,
        move.after,
        *move.values.values(),
        *move.inverses.values(),
        *move.roots.values(),
    ):
        letters |= expr.letters()
        scalars |= {name.removeprefix(INVERSE) for name in expr.scalars()}
    numbers = {
        name: float(value) for name, value in sample.values.items() if not isinstance(value, np.ndarray)
    }
    for name in sorted(scalars - numbers.keys() - move.values.keys()):
        numbers[name] = float(generator_for(f"number/{name}").uniform(0.5, 1.5))
    matrices: dict[str, Array] = {}
    labelled: dict[str, tuple[str, int]] = {}
    blocks: list[dict[str, Array]] = []
    count = 1
    if move.tasks is not None and move.rule in OF_TASKS:
        count = sample.size(move.tasks.count)
        for name in move.tasks.definitions(move.after):
            stem = name.rstrip("0123456789")
            labelled[name] = stem, int(name[len(stem) :])
        most = max((label for _, label in labelled.values()), default=1)
        wanted = {*letters} | {stem for stem, _ in labelled.values()}
        blocks = _of_tasks(move.tasks, wanted, max(count, most), sample, numbers)
        for name in move.tasks.blocks.keys() & wanted:
            diagonal = name in letters and letters[name].columns == move.tasks.stacked
            matrices[name] = _stacked([block[name] for block in blocks[:count]], diagonal=diagonal)
    fresh = move.letters if move.rule in AVERAGING else ()
    for name, rest in move.frames.items():
        matrices[name], matrices[rest] = _frames(sample, letters[name])
    known = {*move.values, *move.inverses, *move.roots, *matrices, *labelled}
    for name, letter in letters.items():
        if name not in known:
            drawn = (
                _basis_vector(sample, letter) if letter.unit else _draw(sample, letter, anew=name in fresh)
            )
            matrices[name] = drawn
    for name, value in in_order({**move.values, **move.roots}, move.inverses):
        found = batch_value(value, matrices, numbers)
        if name in move.inverses:
            matrices[name] = np.asarray(np.linalg.inv(found))
        elif name in move.roots:
            if value.is_scalar:
                numbers[name] = math.sqrt(float(found[0, 0, 0]))
            else:
                matrices[name] = _root(found)
        elif value.is_scalar:
            numbers[name] = float(found[0, 0, 0])
        else:
            matrices[name] = found
    before = batch_value(move.before, matrices, numbers)
    if not labelled:
        return before, batch_value(move.after, matrices, numbers)
    orders = [*permutations(range(count))]
    after: Array = np.zeros(())
    for order in orders:
        which = (*order, *range(count, len(blocks)))
        chosen = {name: blocks[which[label - 1]][stem] for name, (stem, label) in labelled.items()}
        after = np.asarray(after + batch_value(move.after, {**matrices, **chosen}, numbers) / len(orders))
    return before, after


def sample_move(
    move: Move, label: str, slug: str, sizes: Mapping[str, float], index: int = 0, base_seed: int = 0
) -> Check | None:
    """Sample one move at these sizes, until the mean is resolved or the budget is spent.

    The value is that of `after` along a fixed direction, the mean that of `before`; where both sides are the same
    number at any draw, they are the element at which they differ most. None for a move that has no number of its own.
    A mean that vanishes, or is small against its spread, is resolved to one per cent of its spread.
    """
    if move.rule in NO_NUMBER:
        return None
    started = time.monotonic()
    if move.rule not in AVERAGING:
        before, after = _sides(move, Sample(slug, sizes, index, batch=2, base_seed=base_seed))
        # the element at which the two sides differ most
        before, after = np.broadcast_arrays(before, after)
        place = np.unravel_index(int(np.argmax(np.abs(before - after))), before.shape)
        value, mean = float(after[place]), float(before[place])
        gap = abs(mean - value) / (float(np.max(np.abs(after))) or 1.0)
        verdict = "agree" if gap <= ROUNDING else "disagree"
        said = f"the two sides differ by {gap:.1e} of the largest element"
        seconds = time.monotonic() - started
        return Check(label, dict(sizes), value, mean, 0.0, len(before), seconds, verdict, said)
    total = square = centre = 0.0
    draws = batch = 0
    while True:
        sample = Sample(slug, sizes, index, batch, batch=batch_size(sizes), base_seed=base_seed)
        before, after = _sides(move, sample)
        if batch == 0:
            probe = _direction(np.asarray(after.mean(axis=0)), slug)
        values = np.broadcast_to(np.sum(after * probe, axis=(1, 2)), (sample.batch,))
        seen = np.sum(before * probe, axis=(1, 2)) - values
        total, square = total + float(seen.sum()), square + float((seen**2).sum())
        draws, batch, centre = draws + len(seen), batch + 1, centre + float(values.sum())
        gap, value = total / draws, centre / draws
        spread = float(np.sqrt(max(square / draws - gap**2, 0.0)))
        stderr = spread / float(np.sqrt(draws - 1))
        aim = max(abs(value), SMALL_MEAN * spread)
        if stderr <= RESOLUTION * aim or draws >= MOST_DRAWS:
            break
    found = judge(value + gap, stderr, value, resolution=None if aim == abs(value) else 0.01 * aim)
    seconds = time.monotonic() - started
    return Check(label, dict(sizes), value, value + gap, stderr, draws, seconds, found.status, found.reason)


def sample_order(move: Move, growth: Growth, label: str, slug: str, base_seed: int = 0) -> Check:
    """The rate at which both sides approach each other as sizes grow, against the order of the error."""
    started = time.monotonic()
    sizes, values, errors = [], [], []
    for k, factor in enumerate(LADDER):
        rung = dict(growth.base)
        for name, exponent in growth.weights.items():
            if name in rung:
                grown = rung[name] * factor ** float(exponent.constant)
                rung[name] = round(grown) if isinstance(rung[name], int) else grown
        gaps = []
        for batch in range(RUNG_DRAWS // RUNG_BATCH):
            sample = Sample(slug, _with_total(rung, move), k, batch, batch=RUNG_BATCH, base_seed=base_seed)
            before, after = _sides(move, sample)
            gaps.append(np.mean((before - after) ** 2, axis=(1, 2)))
        square = np.concatenate(gaps)
        root = math.sqrt(float(square.mean()))
        sizes.append(float(factor))
        values.append(root)
        errors.append(float(square.std(ddof=1) / math.sqrt(square.size)) / (2 * root))
    return slope_check(
        label,
        sizes,
        values,
        errors,
        float(move.order[growth.label].sympy()),
        draws=RUNG_DRAWS * len(LADDER),
        seconds=time.monotonic() - started,
        sharp=True,
    )


def _with_total(sizes: Mapping[str, float], move: Move) -> dict[str, float]:
    """Sizes with N, the rows of all tasks, where their numbers are given."""
    rows, count, total = (
        (move.tasks.rows, move.tasks.count, move.tasks.stacked) if move.tasks else ("n_v", "m", "N")
    )
    if move.tasks is None and total in sizes:
        return dict(sizes)
    return {**sizes, total: sizes[rows] * sizes[count]} if {rows, count} <= sizes.keys() else dict(sizes)


def _direction(value: Array, slug: str) -> Array:
    """The value itself tilted by a fixed random matrix: along it an error in any element shows."""
    size = float(np.sum(value**2)) or 1.0
    tilt = generator_for(f"{slug}/direction").standard_normal(value.shape)
    return np.asarray(value / size + 0.3 * tilt / np.sqrt(size * tilt.size))


def move_checks(chain: Chain, step: Step, numbers: Mapping[str, float], base_seed: int = 0) -> list[Check]:
    """Every move of a step's chain that has a number, at the sizes of the step; `numbers`: further values.

    A move that takes many draws is sampled where it takes fewest; an expansion over ladders of sizes.
    """
    found = []
    for k, move in enumerate(chain.moves):
        label, slug = f"move {k + 1}: {move.rule}", f"{step.name}/move-{k}"
        found += [
            sample_order(
                move, growth, f"{label}, as {growth.label} grows", f"{slug}/{growth.label}", base_seed
            )
            for growth in move.growths
            if growth.base and growth.label in move.order
        ]
        if move.growths:
            continue
        if move.rule in NO_NUMBER:
            continue
        at = [_with_total({**sizes, **numbers}, move) for sizes in step.sizes]
        needed = [_draws_needed(move, slug, sizes, k, base_seed) for k, sizes in enumerate(at)]
        for index, sizes in enumerate(at):
            if needed[index] <= max(MANY_DRAWS, min(needed)):
                check = sample_move(move, label, slug, sizes, index, base_seed)
                found += [] if check is None else [check]
    return found


def _draws_needed(move: Move, slug: str, sizes: Mapping[str, float], index: int, base_seed: int) -> float:
    """About how many draws the mean takes to be resolved, by those of one batch; none where nothing is averaged."""
    if move.rule not in AVERAGING:
        return 0.0
    sample = Sample(slug, sizes, index, batch=batch_size(sizes), base_seed=base_seed)
    before, after = _sides(move, sample)
    probe = _direction(np.asarray(after.mean(axis=0)), slug)
    values = np.broadcast_to(np.sum(after * probe, axis=(1, 2)), (sample.batch,))
    spread = float(np.std(np.sum(before * probe, axis=(1, 2)) - values))
    aim = max(abs(float(values.mean())), SMALL_MEAN * spread) or 1.0
    return (spread / (RESOLUTION * aim)) ** 2
