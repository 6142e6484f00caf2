"""Tasks that are alike, stacked: what a word in stacked matrices is in words of one, two, three tasks.

A stacked letter has a row for every validation row of every task: `B` is N x p with one block below the other, `Gamma`
is N x N with the blocks on its diagonal. In a word, each place where two factors meet in the dimension N is an index of
a task to be summed over. The sum over k indices is a sum over which of them coincide: over the partitions of the indices
into b blocks, each as often as there are b different tasks, m (m - 1) ... (m - b + 1) times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import matmul
from typing import TypeAlias

from symbolic.algebra.letters import Letter
from symbolic.algebra.readable import Term, Word
from symbolic.algebra.words import (
    Expression,
    constant,
    identity,
    letter_expression,
    matrix,
    polynomial,
    scalar,
    tr,
    zero,
)
from symbolic.averages.expectation import expect

SAME_TASK, OTHER_TASK = "same task", "other task"
START, STOP = (-1, 0), (-1, 1)
Leg: TypeAlias = tuple[int, int]


class NotStacked(ValueError):
    """A word whose sum over tasks is not one of products of the tasks' own blocks."""


@dataclass(frozen=True)
class Tasks:
    """Tasks that are alike.

    blocks: what the block of a stacked letter is for the task of a given label, by the letter's name; a letter with N
    rows and N columns is block diagonal. rows: the number of rows of a block. count: the number of tasks. stacked: the
    name of N = rows count. average: how the engine averages over the data of tasks. gaussian: what letters of the law of
    the inputs are for Gaussian inputs, which the second routes and the samples take.
    """

    blocks: Mapping[str, Callable[[str], Expression]]
    rows: str = "n_v"
    count: str = "m"
    stacked: str = "N"
    average: Callable[[Expression], Expression] = expect
    gaussian: Mapping[str, Expression] = field(default_factory=dict)

    def under_gaussian(self, value: Expression) -> Expression:
        """What a mean is for Gaussian inputs."""
        present = value.letters()
        return value.replace({name: law for name, law in self.gaussian.items() if name in present})

    @property
    def total(self) -> Expression:
        """N as a product."""
        return scalar(self.rows) * scalar(self.count)

    def labelled(self, letter: Letter, label: str) -> Expression:
        """The block of a stacked letter for one task, by its name with the label behind it."""
        rows, columns = (
            self.rows if side == self.stacked else side for side in (letter.rows, letter.columns)
        )
        return matrix(f"{letter.name}{label}", rows, columns, symmetric=letter.symmetric)

    def definitions(self, expr: Expression) -> dict[str, Expression]:
        """What the labelled letters of an expression stand for."""
        found = {}
        for name in expr.letters():
            stem = name.rstrip("0123456789")
            if stem in self.blocks and stem != name:
                found[name] = self.blocks[stem](name[len(stem) :])
        return found

    def written_out(self, expr: Expression) -> Expression:
        """The sum over tasks with every block written out."""
        summed = over_tasks(expr, self)
        return summed.replace(self.definitions(summed))

    def mean(self, word: Expression) -> Expression:
        """The engine's mean of a word in stacked letters that is no N x N matrix."""
        return self.average(self.written_out(word))

    def block(self, word: Expression, which: str) -> Expression:
        """The block of a word with N rows that belongs to one task, or to two different ones, written out."""
        found = block_of(word, self, "1", "1" if which == SAME_TASK else "2")
        return found.replace(self.definitions(found))


class _Wires:
    """The factors of a term, and which of their sides belong to one task."""

    def __init__(self, term: Term, letters: Mapping[str, Letter], tasks: Tasks) -> None:
        self._term, self._letters, self._tasks = term, letters, tasks
        self._parent: dict[Leg, Leg] = {}
        self.indices: list[Leg] = []
        stacked: list[Leg] = []
        place = 0
        for word, closed in [*((trace, True) for trace in term.traces), *_opened(term)]:
            legs = []
            for factor in word:
                left, right = (place, 0), (place, 1)
                letter = letters[factor.name]
                sides = (letter.columns, letter.rows) if factor.transposed else (letter.rows, letter.columns)
                inside = [
                    leg for leg, side in zip((left, right), sides, strict=True) if side == tasks.stacked
                ]
                if inside and factor.name not in tasks.blocks:
                    raise NotStacked(f"{factor.name} has no blocks: write it out first")
                if len(inside) == 2:
                    self._join(left, right)
                stacked += inside
                legs += [left, right]
                place += 1
            joined = [*legs[1:], legs[0]] if closed else [START, *legs, STOP]
            for first, second in zip(joined[::2], joined[1::2], strict=True):
                self._join(first, second)
        for leg in stacked:
            root = self.root(leg)
            if root not in self.indices:
                self.indices.append(root)

    def root(self, leg: Leg) -> Leg:
        while leg in self._parent:
            leg = self._parent[leg]
        return leg

    def _join(self, first: Leg, second: Leg) -> None:
        first, second = self.root(first), self.root(second)
        if first != second:
            self._parent[second] = first

    def product(self, labels: Mapping[Leg, str], rows: str) -> Expression:
        """The term with every stacked factor replaced by the block of its task; `rows`: of an empty word."""
        place = 0

        def word(factors: Word) -> Expression:
            nonlocal place
            found = []
            for factor in factors:
                letter = self._letters[factor.name]
                label = next((labels[r] for r in map(self.root, ((place, 0), (place, 1))) if r in labels), "")
                one = self._tasks.labelled(letter, label) if label else letter_expression(letter)
                found.append(one.T if factor.transposed else one)
                place += 1
            return reduce(matmul, found)

        total = constant(1)
        for trace in self._term.traces:
            total = total * tr(word(trace))
        if self._term.word is None:
            return total
        return total * (word(self._term.word) if self._term.word else identity(rows))


def _opened(term: Term) -> list[tuple[Word, bool]]:
    return [] if term.word is None else [(term.word, False)]


def partitions(count: int) -> Iterator[tuple[int, ...]]:
    """All ways to say which of `count` indices coincide: the number of its block for each, in order of appearance."""
    if count == 0:
        yield ()
        return
    for start in partitions(count - 1):
        for block in range(max(start, default=-1) + 2):
            yield (*start, block)


def falling(count: str, length: int) -> Expression:
    """m (m - 1) ... with `length` factors: the ways to name as many different tasks in order."""
    return reduce(lambda total, k: total * (scalar(count) - k), range(length), constant(1))


def over_tasks(expr: Expression, tasks: Tasks) -> Expression:
    """The sum over tasks by which of them coincide, in labelled letters.

    Raises NotStacked for an N x N matrix, and where a stacked letter has no blocks.
    """
    if tasks.stacked in (expr.shape or ()):
        raise NotStacked(f"a matrix with {tasks.stacked} rows is no sum over tasks: take a block of it")
    letters = expr.letters()
    total = zero(*expr.shape) if expr.shape else zero()
    for term, coefficient in expr.terms.items():
        wires = _Wires(term, letters, tasks)
        for blocks in partitions(len(wires.indices)):
            labels = {leg: str(block + 1) for leg, block in zip(wires.indices, blocks, strict=True)}
            times = falling(tasks.count, len(set(blocks)))
            total = total + polynomial(coefficient) * times * wires.product(labels, (expr.shape or ("",))[0])
    return total.replace({tasks.stacked: tasks.total})


def block_of(expr: Expression, tasks: Tasks, first: str, second: str) -> Expression:
    """The block of a word with N rows in those of one task, and of N columns in those of another, in labelled letters.

    Raises NotStacked where a sum over further tasks would be left inside.
    """
    letters = expr.letters()
    columns = (expr.shape or ("", ""))[1]
    total = zero(tasks.rows, tasks.rows if columns == tasks.stacked else columns)
    for term, coefficient in expr.terms.items():
        wires = _Wires(term, letters, tasks)
        start, stop = wires.root(START), wires.root(STOP)
        if {*wires.indices} - {start, stop}:
            raise NotStacked("a sum over further tasks is inside a block")
        if start == stop and first != second:
            continue
        labels = {leg: label for leg, label in ((start, first), (stop, second)) if leg in wires.indices}
        found = wires.product(labels, tasks.rows)
        total = total + polynomial(coefficient) * found
    return total.replace({tasks.stacked: tasks.total})


def exchanged(expr: Expression, first: str, second: str) -> Expression:
    """An expression in the data of one task with the label of its letters exchanged for another."""
    return expr.replace(
        {
            name: letter_expression(replace(letter, name=name[: -len(first)] + second))
            for name, letter in expr.letters().items()
            if name.endswith(first)
        }
    )


def unlike(expr: Expression, tasks: Tasks) -> str:
    """Why the tasks whose blocks occur in labelled letters are not exchangeable; nothing if they are.

    They are when the blocks of one task become those of another by renaming its random letters, which it shares with
    no other task.
    """
    for name in {name.rstrip("0123456789") for name in tasks.definitions(expr)}:
        one, two, three = (tasks.blocks[name](label) for label in "123")
        random = [{x for x, letter in e.letters().items() if letter.random} for e in (one, two, three)]
        if random[0] & random[1] or random[1] & random[2]:
            return f"the blocks of {name} share random letters"
        if exchanged(one, "1", "2") != two or exchanged(one, "1", "3") != three:
            return f"the blocks of {name} differ from task to task"
    return ""
