"""Moves of a derivation held against sampling: every letter is drawn, both sides are evaluated, their means compared.

One function for all rules. Where letters are averaged over, they are drawn anew in each draw and all others stay; where
a definition is put in, written out or expanded about a mean, both sides are the same number at any draw, which is what
is asked. Stacked letters are put together from the drawn data of tasks. Where products of fluctuations are left out,
what is asked is the rate at which both sides approach each other over a ladder of sizes.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import NO_NUMBER, Chain, Growth, Move, Rule
from derivations.steps.move import AVERAGES
from derivations.steps.rules.exact_routes import in_order
from derivations.steps.step import Check, Step
from derivations.verification.growth import slope_check
from derivations.verification.measure import draws_at
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.entry_laws import GENERIC
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Factor, Letter
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
# what a product of small matrices takes besides its multiplications, in multiplications
CALL = 500
# sizes of a ladder relative to its start, and draws at each
LADDER, RUNG_DRAWS, RUNG_BATCH = (1, 2, 4, 8), 960, 40
# aimed-at standard error relative to the value, so that five of them are well within one per cent
RESOLUTION = 0.00199
# a mean below this share of its spread would take millions of draws to be resolved relative to itself
SMALL_MEAN = 1.0
# sizes whose draws differ by less than this are sampled alike
TIE = 1.01


@dataclass(frozen=True)
class _Weighted:
    """An expression with numbers put in for its coefficients: traces, open word and coefficient of each term.

    constant: what an empty open word stands for, the identity; of an expression without terms, zero.
    """

    terms: tuple[tuple[tuple[Word, ...], Word | None, float], ...]
    constant: Array | None

    @classmethod
    def of(cls, expr: Expression, numbers: Mapping[str, float]) -> _Weighted:
        """The numbers of all coefficients."""
        terms = tuple(
            (
                term.traces,
                term.word if expr.shape is not None else None,
                float(evaluate(polynomial(coefficient), numbers)),
            )
            for term, coefficient in expr.terms.items()
        )
        sides = expr.shape or (ONE, ONE)
        constant: Array | None = None
        if not terms:
            constant = np.zeros([1, *(1 if name == ONE else int(numbers[name]) for name in sides)])
        elif any(word == () for _, word, _ in terms):
            constant = np.eye(int(numbers[sides[0]]))[None]
        return cls(terms, constant)

    def at(self, matrices: Mapping[str, Array], known: dict[Word, Array], plan: _Plan) -> Array:
        """The value at a batch of matrices; `known`: products of these matrices, which are added to."""
        total: Array | None = None
        for traces, word, coefficient in self.terms:
            value: Array = np.full((1, 1, 1), coefficient)
            for trace in traces:
                value = value * _trace(trace, matrices, known, plan)[:, None, None]
            if word is not None:
                value = value * (_product(word, matrices, known, plan) if word else self._constant)
            total = value if total is None else total + value
        return self._constant if total is None else total

    @property
    def _constant(self) -> Array:
        assert self.constant is not None
        return self.constant


def batch_value(expr: Expression, matrices: Mapping[str, Array], numbers: Mapping[str, float]) -> Array:
    """The value of an expression at a batch of matrices, shape (batch, rows, columns), and numbers.

    Matrices have the batch as their first axis, of length 1 where they are the same in every draw.
    """
    return _Weighted.of(expr, numbers).at(matrices, {}, _Plan([expr]))


class _Plan:
    """Where products are cut, so that the words of some expressions take the least work together.

    The work of a product is shared among the words that it is a part of. A cut once chosen stays, for all batches.
    """

    def __init__(self, exprs: Iterable[Expression]) -> None:
        self._shared: Counter[Word] = Counter()
        for expr in exprs:
            for traces, word in expr.terms:
                self._shared.update(part for trace in traces for part in _parts(trace, len(trace)))
                self._shared.update(_parts(word or (), 0))
        self._cuts: dict[Word, int] = {}
        self._turns: dict[Word, tuple[Word, Word]] = {}

    def cut(self, word: Word, matrices: Mapping[str, Array]) -> int:
        """The place at which a product is cut last."""
        if word not in self._cuts:
            self._least(word, matrices, {})
        return self._cuts[word]

    def halves(self, trace: Word, matrices: Mapping[str, Array]) -> tuple[Word, Word]:
        """The two products whose elements give a trace, of any of its rotations."""
        if trace not in self._turns:
            known: dict[Word, float] = {}
            turns = (trace[k:] + trace[:k] for k in range(len(trace)))
            pairs = [(turn[:cut], turn[cut:]) for turn in turns for cut in range(1, len(trace))]
            self._turns[trace] = min(
                pairs, key=lambda pair: sum(self._least(half, matrices, known) for half in {*pair})
            )
        return self._turns[trace]

    def _least(self, word: Word, matrices: Mapping[str, Array], known: dict[Word, float]) -> float:
        """The least share of the work of a product, in multiplications."""
        if len(word) == 1:
            return 0.0
        if word not in known:
            rows, columns = _side(word[0], matrices, 0), _side(word[-1], matrices, 1)
            found = []
            for cut in range(1, len(word)):
                own = CALL + rows * _side(word[cut], matrices, 0) * columns
                halves = {word[:cut], word[cut:]}
                parts = sum(self._least(half, matrices, known) for half in halves)
                found.append((parts + own / max(self._shared[word], 1), cut))
            known[word], self._cuts[word] = min(found)
        return known[word]


def _parts(word: Word, turns: int) -> set[Word]:
    """The products that a word contains, of its rotations where it is closed."""
    turned = [word[k:] + word[:k] for k in range(max(turns, 1))]
    return {w[i:j] for w in turned for i in range(len(w)) for j in range(i + 2, len(w) + 1)}


def _side(factor: Factor, matrices: Mapping[str, Array], which: int) -> int:
    """The number of rows, or of columns, of a factor."""
    return int(matrices[factor.name].shape[-1 - which if factor.transposed else which - 2])


def _product(word: Word, matrices: Mapping[str, Array], known: dict[Word, Array], plan: _Plan) -> Array:
    """The product of a word; what occurs twice is multiplied once."""
    if word not in known:
        if not word:
            raise ValueError("an empty trace is a dimension: it has no letters")
        if len(word) == 1:
            matrix = matrices[word[0].name]
            # products with copies of transposes take half the time of products with views
            known[word] = np.ascontiguousarray(np.swapaxes(matrix, -1, -2)) if word[0].transposed else matrix
        else:
            cut = plan.cut(word, matrices)
            left, right = (_product(half, matrices, known, plan) for half in (word[:cut], word[cut:]))
            known[word] = _times(left, right)
    return known[word]


def _times(left: Array, right: Array) -> Array:
    """The products of two batches; where one side is the same in every draw, as a single product of tall matrices."""
    if len(left) > 1 and len(right) == 1:
        draws, rows, inner = left.shape
        return np.asarray((left.reshape(draws * rows, inner) @ right[0]).reshape(draws, rows, -1))
    if len(right) > 1 and len(left) == 1:
        transposed = _times(np.swapaxes(right, -1, -2), np.swapaxes(left, -1, -2))
        return np.ascontiguousarray(np.swapaxes(transposed, -1, -2))
    return np.asarray(left @ right)


def _trace(word: Word, matrices: Mapping[str, Array], known: dict[Word, Array], plan: _Plan) -> Array:
    """The trace of a word without its last product: the sum over the elements of one half times the other."""
    if len(word) == 1:
        return np.asarray(np.trace(_product(word, matrices, known, plan), axis1=-2, axis2=-1))
    left, right = (_product(half, matrices, known, plan) for half in plan.halves(word, matrices))
    return np.asarray(np.einsum("bij,bji->b", left, right))


def _draw(sample: Sample, letter: Letter, *, anew: bool) -> Array:
    rows, columns = (1 if name == ONE else sample.size(name) for name in (letter.rows, letter.columns))
    covariance = None
    if letter.covariance is not None:
        covariance = sample.matrix(letter.covariance, letter.columns, letter.columns, positive=True)
    if anew:
        return sample.inputs(rows, columns, _law(sample, letter), covariance)
    # a positive matrix has no traces near zero, which would take many draws to resolve
    drawn = sample.matrix(letter.name, rows, columns, positive=letter.symmetric and rows > 1)[None]
    size = sample.values.get(f"|{letter.name}|")
    if size is not None:
        drawn = drawn * float(size)
    if letter.name == "d" and "dist0_sq" in sample.values:
        drawn = drawn * math.sqrt(sample["dist0_sq"] / float(np.sum(drawn**2)))
    return drawn


def _law(sample: Sample, letter: Letter) -> str:
    """The law of a letter's entries; of one that is known by its cumulants, a law with the fourth at these numbers."""
    name = letter.law or "gaussian"
    return f"kurtosis:{sample['kappa_4'] + 3}" if name.startswith(GENERIC) else name


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


def _stacked(blocks: list[Array], *, diagonal: bool) -> Array:
    """Blocks one below the other, or on the diagonal."""
    if not diagonal:
        return np.concatenate(blocks, axis=1)
    rows = blocks[0].shape[1]
    found = np.zeros((len(blocks[0]), rows * len(blocks), rows * len(blocks)))
    for k, block in enumerate(blocks):
        found[:, rows * k : rows * (k + 1), rows * k : rows * (k + 1)] = block
    return found


class _Sides:
    """Both sides of a move, batch by batch; what is the same in every batch is worked out once."""

    def __init__(
        self, move: Move, slug: str, sizes: Mapping[str, float], index: int, base_seed: int, batch: int | None
    ) -> None:
        """batch: draws in a batch; None: by the sizes of what is drawn."""
        self._move = move
        exprs = [
            move.before,
            move.after,
            *move.values.values(),
            *move.inverses.values(),
            *move.roots.values(),
        ]
        self._letters: dict[str, Letter] = {}
        scalars: set[str] = set()
        for expr in exprs:
            self._letters |= expr.letters()
            scalars |= {name.removeprefix(INVERSE) for name in expr.scalars()}
        self._labelled: dict[str, tuple[str, int]] = {}
        self._blocks: dict[str, Callable[[str], Expression]] = {}
        self._count, self._labels = 1, 0
        first = Sample(slug, sizes, index, base_seed=base_seed)
        if move.tasks is not None and move.rule in OF_TASKS:
            self._count = first.size(move.tasks.count)
            for name in move.tasks.definitions(move.after):
                stem = name.rstrip("0123456789")
                self._labelled[name] = stem, int(name[len(stem) :])
            self._labels = max(self._count, *(label for _, label in self._labelled.values()), 1)
            wanted = {*self._letters} | {stem for stem, _ in self._labelled.values()}
            self._blocks = {name: block for name, block in move.tasks.blocks.items() if name in wanted}
        self._of_task = [
            {name: block(str(label)) for name, block in self._blocks.items()}
            for label in range(1, self._labels + 1)
        ]
        self._drawn_for = [
            {name: letter for block in blocks.values() for name, letter in block.letters().items()}
            for blocks in self._of_task
        ]
        if batch is None:
            letters = [*self._letters.values(), *(x for one in self._drawn_for for x in one.values())]
            sides = {side for letter in letters for side in (letter.rows, letter.columns)}
            counts = sorted((first.size(side) for side in sides - {ONE}), reverse=True)
            batch = draws_at(counts[0] * counts[min(1, len(counts) - 1)] if counts else 1)
        self._sample = partial(Sample, slug, sizes, index, batch=batch, base_seed=base_seed, fixed={})
        self._numbers = {name: float(value) for name, value in sizes.items()}
        for name in sorted(scalars - self._numbers.keys() - move.values.keys()):
            self._numbers[name] = float(generator_for(f"number/{name}").uniform(0.5, 1.5))
        self._order = in_order({**move.values, **move.roots}, move.inverses)
        self._weighted: dict[int, _Weighted] = {}
        self._plan = _Plan([*exprs, *(expr for one in self._of_task for expr in one.values())])

    def _value(self, expr: Expression, matrices: Mapping[str, Array], known: dict[Word, Array]) -> Array:
        # the expressions are those of the move, or of the tasks: kept, so that each has a number of its own
        if id(expr) not in self._weighted:
            self._weighted[id(expr)] = _Weighted.of(expr, self._numbers)
        return self._weighted[id(expr)].at(matrices, known, self._plan)

    def _define(self, name: str, value: float) -> None:
        """A number that stands for a scalar; another one than in the batch before changes the coefficients."""
        if self._numbers.get(name) != value:
            self._numbers[name] = value
            self._weighted.clear()

    @cached_property
    def first(self) -> tuple[Array, Array]:
        """Both sides at the first batch."""
        return self._at(0)

    def at(self, batch_index: int) -> tuple[Array, Array]:
        """Both sides at one batch; a sum over tasks averaged over which task bears which label."""
        return self._at(batch_index) if batch_index else self.first

    def _at(self, batch_index: int) -> tuple[Array, Array]:
        move, letters = self._move, self._letters
        sample = self._sample(batch_index)
        matrices: dict[str, Array] = {}
        blocks: list[dict[str, Array]] = []
        for exprs, drawn in zip(self._of_task, self._drawn_for, strict=True):
            of_task = {name: _draw(sample, letter, anew=letter.random) for name, letter in drawn.items()}
            shared: dict[Word, Array] = {}
            blocks.append({name: self._value(expr, of_task, shared) for name, expr in exprs.items()})
        for name in self._blocks:
            diagonal = (
                name in letters and move.tasks is not None and letters[name].columns == move.tasks.stacked
            )
            matrices[name] = _stacked([block[name] for block in blocks[: self._count]], diagonal=diagonal)
        fresh = move.letters if move.rule in AVERAGING else ()
        for name, rest in move.frames.items():
            matrices[name], matrices[rest] = _frames(sample, letters[name])
        known = {*move.values, *move.inverses, *move.roots, *matrices, *self._labelled}
        for name, letter in letters.items():
            if name not in known:
                matrices[name] = (
                    _basis_vector(sample, letter)
                    if letter.unit
                    else _draw(sample, letter, anew=name in fresh)
                )
        products: dict[Word, Array] = {}
        for name, expr in self._order:
            found = self._value(expr, matrices, products)
            if name in move.inverses:
                matrices[name] = np.asarray(np.linalg.inv(found))
            elif expr.is_scalar:
                value = float(found[0, 0, 0])
                self._define(name, math.sqrt(value) if name in move.roots else value)
            else:
                matrices[name] = _root(found) if name in move.roots else found
        before = self._value(move.before, matrices, products)
        if not self._labelled:
            return before, self._value(move.after, matrices, products)
        orders = [*permutations(range(self._count))]
        after: Array = np.zeros(())
        for order in orders:
            which = (*order, *range(self._count, len(blocks)))
            chosen = {name: blocks[which[label - 1]][stem] for name, (stem, label) in self._labelled.items()}
            after = np.asarray(after + self._value(move.after, {**matrices, **chosen}, {}) / len(orders))
        return before, after


class _Averaged:
    """The two sides along a fixed direction, batch by batch: their gap in each draw, and the value."""

    def __init__(self, move: Move, slug: str, sizes: Mapping[str, float], index: int, base_seed: int) -> None:
        self._sides = _Sides(move, slug, sizes, index, base_seed, None)
        self._probe = _direction(np.asarray(self._sides.first[1].mean(axis=0)), slug)

    def at(self, batch_index: int) -> tuple[Array, Array]:
        """Before minus after, and after, in each draw of a batch."""
        before, after = (
            side.reshape(len(side), -1) @ self._probe.ravel() for side in self._sides.at(batch_index)
        )
        gap = np.asarray(before - after)
        return gap, np.broadcast_to(after, gap.shape)

    @cached_property
    def needed(self) -> float:
        """About how many draws the mean takes to be resolved, by those of the first batch."""
        gap, value = self.at(0)
        spread = float(np.std(gap))
        aim = max(abs(float(value.mean())), SMALL_MEAN * spread) or 1.0
        return (spread / (RESOLUTION * aim)) ** 2

    def check(self, label: str, sizes: Mapping[str, float]) -> Check:
        """The comparison, with draws until the mean is resolved or the budget is spent."""
        started = time.monotonic()
        total = square = centre = 0.0
        draws = batch = 0
        while True:
            seen, values = self.at(batch)
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
        return Check(
            label, dict(sizes), value, value + gap, stderr, draws, seconds, found.status, found.reason
        )


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
    if move.rule in AVERAGING:
        return _Averaged(move, slug, sizes, index, base_seed).check(label, sizes)
    started = time.monotonic()
    # the element at which the two sides differ most
    before, after = np.broadcast_arrays(*_Sides(move, slug, sizes, index, base_seed, 2).first)
    place = np.unravel_index(int(np.argmax(np.abs(before - after))), before.shape)
    value, mean = float(after[place]), float(before[place])
    gap = abs(mean - value) / (float(np.max(np.abs(after))) or 1.0)
    verdict = "agree" if gap <= ROUNDING else "disagree"
    said = f"the two sides differ by {gap:.1e} of the largest element"
    seconds = time.monotonic() - started
    return Check(label, dict(sizes), value, mean, 0.0, len(before), seconds, verdict, said)


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
        sides = _Sides(move, slug, _with_total(rung, move), k, base_seed, RUNG_BATCH)
        gaps = []
        for batch in range(RUNG_DRAWS // RUNG_BATCH):
            before, after = sides.at(batch)
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
    return [
        replace(check, move=k + 1)
        for k, move in enumerate(chain.moves)
        for check in _checks_of(
            move, k, f"move {k + 1}: {move.rule}", f"{step.name}/move-{k}", step, numbers, base_seed
        )
    ]


def _checks_of(
    move: Move, k: int, label: str, slug: str, step: Step, numbers: Mapping[str, float], base_seed: int
) -> list[Check]:
    """The checks of one move, the k-th from 0."""
    if move.growths:
        return [
            sample_order(
                move, growth, f"{label}, as {growth.label} grows", f"{slug}/{growth.label}", base_seed
            )
            for growth in move.growths
            if growth.base and growth.label in move.order
        ]
    if move.rule in NO_NUMBER:
        return []
    at = [_with_total({**sizes, **numbers}, move) for sizes in step.sizes]
    if move.rule not in AVERAGING:
        checks = (sample_move(move, label, slug, sizes, index, base_seed) for index, sizes in enumerate(at))
        return [check for check in checks if check is not None]
    averaged = [_Averaged(move, slug, sizes, index, base_seed) for index, sizes in enumerate(at)]
    fewest = min((one.needed for one in averaged), default=0.0)
    return [
        one.check(label, sizes)
        for one, sizes in zip(averaged, at, strict=True)
        if one.needed <= max(MANY_DRAWS, TIE * fewest)
    ]
