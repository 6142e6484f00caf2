"""Expressions evaluated on batches of matrices, in an order of products that takes few multiplications."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from flint import fmpq_mpoly
from numpy.typing import NDArray

from symbolic.algebra.coefficients import INVERSE, names_of
from symbolic.algebra.letters import ONE, Factor
from symbolic.algebra.readable import Term, Word
from symbolic.algebra.words import Expression

Array = NDArray[np.float64]
# what a product of small matrices takes besides its multiplications, in multiplications
CALL = 500


class Coefficient:
    """A polynomial in scalars as arrays, of which some have very many terms: its numbers, and the power of each name in each."""

    def __init__(self, polynomial: fmpq_mpoly) -> None:
        self._numbers = np.array([int(one.p) / int(one.q) for one in polynomial.coeffs()])
        columns = np.array(polynomial.monoms(), dtype=np.intp).reshape(len(self._numbers), -1).T
        self._powers = {
            name: powers
            for name, powers in zip(names_of(polynomial.context()), columns, strict=True)
            if powers.any()
        }

    def at(self, numbers: Mapping[str, float]) -> float:
        """The value where names take these numbers; `1/x` follows `x`. KeyError where one is missing."""
        terms = self._numbers
        for name, powers in self._powers.items():
            base = numbers[name] if name in numbers else 1 / numbers[name.removeprefix(INVERSE)]
            terms = terms * (base ** np.arange(powers.max() + 1.0))[powers]
        return float(terms.sum())


@dataclass(frozen=True)
class Weighted:
    """An expression with numbers put in for its coefficients: traces, open word and coefficient of each term.

    constant: what an empty open word stands for, the identity; of an expression without terms, zero.
    """

    terms: tuple[tuple[tuple[Word, ...], Word | None, float], ...]
    constant: Array | None

    @classmethod
    def of(cls, expr: Expression, numbers: Mapping[str, float], plan: Plan) -> Weighted:
        """The numbers of all coefficients."""
        terms = tuple(
            (
                term.traces,
                term.word if expr.shape is not None else None,
                coefficient.at(numbers),
            )
            for term, coefficient in plan.coefficients(expr).items()
        )
        sides = expr.shape or (ONE, ONE)
        constant: Array | None = None
        if not terms:
            constant = np.zeros([1, *(1 if name == ONE else int(numbers[name]) for name in sides)])
        elif any(word == () for _, word, _ in terms):
            constant = np.eye(int(numbers[sides[0]]))[None]
        return cls(terms, constant)

    def at(self, batch: Batch) -> Array:
        """The value, shape (batch, rows, columns), at a batch of matrices."""
        total: Array | None = None
        for value in self._each(batch):
            total = value if total is None else total + value
        return self._constant if total is None else total

    def largest(self, batch: Batch) -> float:
        """The largest element of any term: what is left of terms that cancel is known to a part of it."""
        return max((float(np.max(np.abs(x))) for x in self._each(batch)), default=0.0)

    def _each(self, batch: Batch) -> Iterator[Array]:
        """The value of each term."""
        for traces, word, coefficient in self.terms:
            value: Array = np.full((1, 1, 1), coefficient)
            for trace in traces:
                value = value * batch.trace(trace)[:, None, None]
            if word is not None:
                value = value * (batch.product(word) if word else self._constant)
            yield value

    @property
    def _constant(self) -> Array:
        assert self.constant is not None
        return self.constant


class Plan:
    """Where products are cut, so that the words of some expressions take the least work together.

    The work of a product is shared among the words that it is a part of. A cut once chosen stays, for all batches and at
    all sizes: at others it may not be the best, and is found but once.
    """

    def __init__(self, exprs: Iterable[Expression] = ()) -> None:
        self._letters: dict[Factor, str] = {}
        self._shared: Counter[str] = Counter()
        self._seen: set[tuple[tuple[Word, ...], Word | None]] = set()
        self._sides: dict[str, tuple[int, int]] = {}
        self._work: dict[str, float] = {}
        self._cuts: dict[str, int] = {}
        self._turns: dict[Word, tuple[Word, Word]] = {}
        self._coefficients: dict[int, tuple[Expression, dict[Term, Coefficient]]] = {}
        self.add(exprs)

    def add(self, exprs: Iterable[Expression]) -> None:
        """Further expressions, as there are at a size with more tasks; what is known already is not counted again."""
        for expr in exprs:
            for term in expr.terms:
                if term in self._seen:
                    continue
                self._seen.add(term)
                for trace in term.traces:
                    self._shared.update(_parts(self._spelt(trace), closed=True))
                self._shared.update(_parts(self._spelt(term.word or ()), closed=False))

    def coefficients(self, expr: Expression) -> Mapping[Term, Coefficient]:
        """The coefficient of each term, read once for all sizes."""
        # the expression is kept beside them, so that no other has its number
        if id(expr) not in self._coefficients:
            read = {term: Coefficient(coefficient) for term, coefficient in expr.terms.items()}
            self._coefficients[id(expr)] = expr, read
        return self._coefficients[id(expr)][1]

    def cut(self, word: Word, matrices: Mapping[str, Array]) -> int:
        """The place at which a product is cut last."""
        spelt = self._measured(word, matrices)
        self._least(spelt)
        return self._cuts[spelt]

    def halves(self, trace: Word, matrices: Mapping[str, Array]) -> tuple[Word, Word]:
        """The two products whose elements give a trace, of any of its rotations."""
        if trace not in self._turns:
            spelt, long = self._measured(trace, matrices), len(trace)
            twice, found = spelt + spelt, []
            for cut in range(1, long // 2 + 1):  # the longer half of one turn is the shorter one of another
                for turn in range(long):
                    left, right = twice[turn : turn + cut], twice[turn + cut : turn + long]
                    work = self._least(left) + (self._least(right) if right != left else 0.0)
                    found.append((work, turn, cut))
            _, turn, cut = min(found)
            whole = trace[turn:] + trace[:turn]
            self._turns[trace] = whole[:cut], whole[cut:]
        return self._turns[trace]

    def _spelt(self, word: Word) -> str:
        """A word with a character for each factor: there are very many parts, and they are looked up all the time."""
        return "".join(self._letters.setdefault(factor, chr(len(self._letters))) for factor in word)

    def _measured(self, word: Word, matrices: Mapping[str, Array]) -> str:
        """A word as it is spelt, the sides of whose factors are known then."""
        spelt = self._spelt(word)
        for letter, factor in zip(spelt, word, strict=True):
            if letter not in self._sides:
                self._sides[letter] = _side(factor, matrices, 0), _side(factor, matrices, 1)
        return spelt

    def _least(self, word: str) -> float:
        """The least share of the work of a product, in multiplications."""
        known = self._work
        if word in known:
            return known[word]
        if len(word) == 1:
            return 0.0
        rows, columns = self._sides[word[0]][0], self._sides[word[-1]][1]
        shared, best, place = max(self._shared[word], 1), math.inf, 0
        for cut in range(1, len(word)):
            left, right = word[:cut], word[cut:]
            work = (CALL + rows * self._sides[word[cut]][0] * columns) / shared
            work += known[left] if left in known else self._least(left)
            if right != left:
                work += known[right] if right in known else self._least(right)
            if work < best:
                best, place = work, cut
        known[word], self._cuts[word] = best, place
        return best


def _parts(word: str, *, closed: bool) -> set[str]:
    """The products of two factors or more that a word contains, across its ends where it is closed."""
    long = len(word)
    if closed:
        word += word
    return {
        word[i : i + size] for size in range(2, long + 1) for i in range(long if closed else long - size + 1)
    }


def _side(factor: Factor, matrices: Mapping[str, Array], which: int) -> int:
    """The number of rows, or of columns, of a factor."""
    return int(matrices[factor.name].shape[-1 - which if factor.transposed else which - 2])


class Batch:
    """A batch of matrices by name, and what is made of them: a product or a trace that occurs twice is taken once.

    Matrices have the batch as their first axis, of length 1 where they are the same in every draw. More may be added, and none
    put in the place of another.
    """

    def __init__(self, matrices: Mapping[str, Array], plan: Plan) -> None:
        self._matrices, self._plan = matrices, plan
        self._products: dict[Word, Array] = {}
        self._traces: dict[Word, Array] = {}

    def product(self, word: Word) -> Array:
        """The product of a word."""
        if word not in self._products:
            if not word:
                raise ValueError("an empty trace is a dimension: it has no letters")
            if len(word) == 1:
                matrix = self._matrices[word[0].name]
                # products with copies of transposes take half the time of products with views
                found = np.ascontiguousarray(np.swapaxes(matrix, -1, -2)) if word[0].transposed else matrix
            else:
                cut = self._plan.cut(word, self._matrices)
                found = _times(self.product(word[:cut]), self.product(word[cut:]))
            self._products[word] = found
        return self._products[word]

    def trace(self, word: Word) -> Array:
        """The trace of a word without its last product: the sum over the elements of one half times the other."""
        if word not in self._traces:
            if len(word) == 1:
                found = np.trace(self.product(word), axis1=-2, axis2=-1)
            else:
                left, right = map(self.product, self._plan.halves(word, self._matrices))
                found = np.einsum("bij,bji->b", left, right)
            self._traces[word] = np.asarray(found)
        return self._traces[word]


def _times(left: Array, right: Array) -> Array:
    """The products of two batches; where one side is the same in every draw, as a single product of tall matrices."""
    if len(left) > 1 and len(right) == 1:
        draws, rows, inner = left.shape
        return np.asarray((left.reshape(draws * rows, inner) @ right[0]).reshape(draws, rows, -1))
    if len(right) > 1 and len(left) == 1:
        transposed = _times(np.swapaxes(right, -1, -2), np.swapaxes(left, -1, -2))
        return np.ascontiguousarray(np.swapaxes(transposed, -1, -2))
    return np.asarray(left @ right)
