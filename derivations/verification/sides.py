"""Both sides of a move at drawn letters: how each letter is drawn, by its kind and its law, and stacked letters put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import Move, Rule
from derivations.steps.move import AVERAGES
from derivations.steps.rules.exact_routes import in_order
from derivations.steps.rules.wishart_words.letters_by_name import HERMITIAN, SIGMA
from derivations.verification.batches import Batch, Plan, Weighted
from derivations.verification.measure import draws_at
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import GAUSSIAN
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.entry_laws import GENERIC
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.words import Expression

Array = NDArray[np.float64]
ROWS_OF_COMPLEX = "n"
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


def squared(exprs: Iterable[Expression]) -> frozenset[str]:
    """Letters that occur as X^T X alone: of these a triangular factor tells as much as all rows."""
    seen: set[str] = set()
    alone: set[str] = set()
    for expr in exprs:
        for traces, word in expr.terms:
            for factors, closed in (*((trace, True) for trace in traces), (word or (), False)):
                for k, factor in enumerate(factors):
                    seen.add(factor.name)
                    other = k + 1 if factor.transposed else k - 1
                    inside = 0 <= other < len(factors)
                    beside = factors[other % len(factors)] if closed or inside else None
                    if beside is None or (beside.name, beside.transposed) != (
                        factor.name,
                        not factor.transposed,
                    ):
                        alone.add(factor.name)
    return frozenset(seen - alone)


def _draw(sample: Sample, letter: Letter, *, anew: bool, squared: bool = False) -> Array:
    rows, columns = (1 if name == ONE else sample.size(name) for name in (letter.rows, letter.columns))
    covariance = None
    if letter.covariance is not None:
        covariance = sample.matrix(letter.covariance, letter.columns, letter.columns, positive=True)
    if anew and squared and _law(sample, letter) == GAUSSIAN.name:
        return sample.triangular(rows, columns, covariance)
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


def _complex_wishart(sample: Sample, letter: Letter) -> Array:
    """X^* X of complex rows, whose real and imaginary parts are independent with half the covariance."""
    covariance = sample.matrix(SIGMA, letter.rows, letter.rows, positive=True)
    real, imaginary = (sample.gaussian(ROWS_OF_COMPLEX, letter.rows, covariance / 2) for _ in range(2))
    rows = real + 1j * imaginary
    return np.asarray(np.swapaxes(rows.conj(), -1, -2) @ rows)


def _law(sample: Sample, letter: Letter) -> str:
    """The law of a letter's entries; of one that is known by its cumulants, a law with the fourth at these numbers."""
    name = letter.law or "gaussian"
    return f"kurtosis:{sample['kappa_4'] + 3}" if name.startswith(GENERIC) else name


def _commuting(sample: Sample, spectra: Mapping[str, Sequence[Fraction]], letter: Letter) -> dict[str, Array]:
    """Matrices that commute, with given eigenvalues in equal numbers."""
    frame = sample.frames(letter.rows, letter.columns)
    found = {}
    for name, values in spectra.items():
        diagonal = np.resize(np.array([float(value) for value in values]), frame.shape[-1])
        found[name] = np.asarray((frame * diagonal) @ np.swapaxes(frame, -1, -2))
    return found


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


class Sides:
    """Both sides of a move, batch by batch; what is the same in every batch is worked out once."""

    def __init__(
        self,
        move: Move,
        slug: str,
        sizes: Mapping[str, float],
        index: int,
        base_seed: int,
        batch: int | None,
        plan: Plan | None = None,
    ) -> None:
        """batch: draws in a batch; None: by the sizes of what is drawn. plan: of other sizes, for this too."""
        self._move = move
        # of both sides, and what letters stand for: the largest element of a term, where they are the same number
        self._identity, self.largest = move.rule not in AVERAGING and not move.growths, 0.0
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
        every = [*exprs, *(block for one in self._of_task for block in one.values())]
        # where single draws are looked at, not their means, all rows are drawn
        self._squared: frozenset[str] = squared(every) if batch is None else frozenset()
        self._order = in_order({**move.values, **move.roots}, move.inverses)
        self._weighted: dict[int, Weighted] = {}
        self._plan = Plan() if plan is None else plan
        self._plan.add([*exprs, *(expr for one in self._of_task for expr in one.values())])

    def _value(self, expr: Expression, batch: Batch) -> Array:
        # the expressions are those of the move, or of the tasks: kept, so that each has a number of its own
        if id(expr) not in self._weighted:
            self._weighted[id(expr)] = Weighted.of(expr, self._numbers, self._plan)
        weighted = self._weighted[id(expr)]
        found = weighted.at(batch)
        if self._identity:
            self.largest = max(self.largest, weighted.largest(batch))
        return found

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
            of_task = {
                name: _draw(sample, letter, anew=letter.random, squared=name in self._squared)
                for name, letter in drawn.items()
            }
            batch = Batch(of_task, self._plan)
            blocks.append({name: self._value(expr, batch) for name, expr in exprs.items()})
        for name in self._blocks:
            diagonal = (
                name in letters and move.tasks is not None and letters[name].columns == move.tasks.stacked
            )
            matrices[name] = _stacked([block[name] for block in blocks[: self._count]], diagonal=diagonal)
        fresh = move.letters if move.rule in AVERAGING else ()
        for name, rest in move.frames.items():
            rows, side = sample.size(letters[name].rows), letters[name].columns
            turned = sample.frames(side if rest in letters else rows, side)
            matrices[name], matrices[rest] = turned[:, :rows], turned[:, rows:]
        if move.spectra:
            matrices |= _commuting(sample, move.spectra, letters[next(iter(move.spectra))])
        known = {*move.values, *move.inverses, *move.roots, *matrices, *self._labelled}
        for name, letter in letters.items():
            if name not in known:
                matrices[name] = (
                    _basis_vector(sample, letter)
                    if letter.unit
                    else _complex_wishart(sample, letter)
                    if name == HERMITIAN and move.rule is Rule.HERMITIAN
                    else _draw(sample, letter, anew=name in fresh, squared=name in self._squared)
                )
        batch = Batch(matrices, self._plan)
        for name, expr in self._order:
            found = self._value(expr, batch)
            if name in move.inverses:
                matrices[name] = np.asarray(np.linalg.inv(found))
            elif expr.is_scalar:
                value = float(found[0, 0, 0])
                self._define(name, math.sqrt(value) if name in move.roots else value)
            else:
                matrices[name] = _root(found) if name in move.roots else found
        before = self._value(move.before, batch)
        if not self._labelled:
            # of complex rows the means at real letters are real
            return np.real(before), np.real(self._value(move.after, batch))
        orders = [*permutations(range(self._count))]
        after: Array = np.zeros(())
        for order in orders:
            which = (*order, *range(self._count, len(blocks)))
            chosen = {name: blocks[which[label - 1]][stem] for name, (stem, label) in self._labelled.items()}
            labelled = Batch({**matrices, **chosen}, self._plan)
            after = np.asarray(after + self._value(move.after, labelled) / len(orders))
        return before, after
