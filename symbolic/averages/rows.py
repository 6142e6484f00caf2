"""Expectations over a matrix with independent, identically distributed rows of any law, to fourth order.

Rows x have mean zero and covariance Sigma; nothing else is assumed of their law. A word of degree one in
W = X^T X = sum_i x_i x_i^T then averages to n Sigma, whatever the law. A word of degree two splits into pairs
of different rows, n (n - 1) of them, which are independent, and pairs of equal rows, n of them, which bring
fourth moments. Of these only F = E (x^T Sigma x) x x^T is given a letter; words that need others are
refused.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import matmul

from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter, covariance_letter
from symbolic.algebra.readable import Word
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import dimension, identity, letter_expression, polynomial, tr, zero


class BeyondFourthMoment(Refused):
    """The expectation depends on moments of the rows that are not given."""


def expect_rows(expr: Expression, name: str, fourth: Expression | None = None) -> Expression:
    """E[expr] over the random matrix `name`: n independent rows, mean 0 and the letter's covariance Sigma.

    Unlike in `symbolic.averages.expectation` the rows need not be Gaussian. `fourth`: the symmetric matrix
    F = E (x^T Sigma x) x x^T of a row x. Every occurrence must be part of a factor X^T X, at the two ends of a
    word X C X^T, or alone in its term, which then averages to zero. An expression without that letter is returned as it is.
    Raises BeyondFourthMoment when a term needs a moment other than Sigma and F, ValueError when the letter is
    not random.
    """
    letter = expr.letters().get(name)
    if letter is None:
        return expr
    if not letter.random:
        raise Refused(f"{name} is not random: name a matrix with random rows")
    rows = _Rows(expr.letters(), letter, fourth)
    total = zero(*expr.shape) if expr.shape else zero()
    for term, coefficient in expr.terms.items():
        if expr.shape and not term.word:
            rest: Expression = rows.term(term.traces, None) * identity(expr.shape[0])
        else:
            rest = rows.term(term.traces, term.word)
        total = total + polynomial(coefficient) * rest
    return total


class _Rows:
    """The expectation of single terms."""

    def __init__(self, known: dict[str, Letter], letter: Letter, fourth: Expression | None) -> None:
        self.known = known
        self.letter = letter
        self.fourth = fourth
        covariance = covariance_letter(letter)
        self.sigma = identity(letter.columns) if covariance is None else letter_expression(covariance)

    def term(self, traces: tuple[Word, ...], word: Word | None) -> Expression:
        """The expectation of a product of traces and at most one open word."""
        scalar, touched = dimension("1"), []
        for trace in traces:
            if self._occurs(trace):
                touched.append(trace)
            else:
                scalar = scalar * tr(self._product(trace))
        count = sum(map(self._count, touched)) + (self._count(word) if word else 0)
        if count == 1:
            return zero()
        if word and count == 2 and not touched and self._around(word):
            # X C X^T: different rows are independent, and x^T C x averages to Tr(C Sigma)
            return scalar * tr(self._product(word[1:-1]) @ self.sigma) * identity(self.letter.rows)
        closed = [self._cut(trace, cyclic=True) for trace in touched]
        opened = None if word is None else self._cut(word, cyclic=False)
        return scalar * self._average(closed, opened)

    def _average(self, closed: list[list[Expression]], opened: list[Expression] | None) -> Expression:
        factors = sum(map(len, closed)) + (len(opened) - 1 if opened else 0)
        n = dimension(self.letter.rows)
        if factors == 0:
            return dimension("1") if opened is None else opened[0]
        apart = self._joined(closed, opened)
        if factors == 1:
            return n * apart
        if factors == 2:
            return n * (n - 1) * apart + n * self._together(closed, opened)
        name = self.letter.name
        raise BeyondFourthMoment(
            f"a word of degree {factors} in {name}^T {name} needs moments of the rows beyond the fourth"
        )

    def _joined(self, closed: list[list[Expression]], opened: list[Expression] | None) -> Expression:
        """Every X^T X replaced by Sigma."""
        result = dimension("1") if opened is None else reduce(lambda a, b: a @ self.sigma @ b, opened)
        for between in closed:
            result = result * tr(reduce(matmul, (self.sigma @ part for part in between)))
        return result

    def _together(self, closed: list[list[Expression]], opened: list[Expression] | None) -> Expression:
        """Both X^T X from the same row: x x^T on either side of, or beside, what stands between."""
        if opened is None or len(opened) == 1:
            left, right = [part for between in closed for part in between]
            if right == self.sigma:
                left, right = right, left
            pair = tr(self._weighted(left) @ right)
            return pair if opened is None else pair * opened[0]
        if closed:
            ((inside,),) = closed
            before, after = opened
        else:
            before, inside, after = opened
        return before @ self._weighted(inside) @ after

    def _weighted(self, inside: Expression) -> Expression:
        """E x (x^T inside x) x^T."""
        if inside != self.sigma:
            raise BeyondFourthMoment(
                f"the fourth moment of the rows with {inside} is not given, only with Sigma"
            )
        if self.fourth is None:
            raise BeyondFourthMoment("a word of degree two needs the fourth moment of the rows: give F")
        return self.fourth

    def _around(self, word: Word) -> bool:
        """Whether the word is X C X^T."""
        return word[0] == (self.letter.name, False) and word[-1] == (self.letter.name, True)

    def _occurs(self, word: Word) -> bool:
        return any(factor.name == self.letter.name for factor in word)

    def _count(self, word: Word) -> int:
        return sum(factor.name == self.letter.name for factor in word)

    def _cut(self, word: Word, *, cyclic: bool) -> list[Expression]:
        """What stands between the factors X^T X: one more part than factors, or as many around a trace."""
        size = len(word)
        pairs = [
            k
            for k in range(size if cyclic else size - 1)
            if word[k] == (self.letter.name, True) and word[(k + 1) % size] == (self.letter.name, False)
        ]
        if 2 * len(pairs) != self._count(word):
            raise BeyondFourthMoment(
                f"{self.letter.name} occurs outside of a factor {self.letter.name}^T {self.letter.name}: "
                "average what it meets first"
            )
        if cyclic:
            turned = word[pairs[0] :] + word[: pairs[0]]
            starts = [k - pairs[0] for k in pairs] + [size]
            return [self._product(turned[a + 2 : b]) for a, b in pairwise(starts)]
        starts = [-2, *pairs, size]
        return [self._product(word[a + 2 : b]) for a, b in pairwise(starts)]

    def _product(self, word: Word) -> Expression:
        if not word:
            return identity(self.letter.columns)
        factors = (letter_expression(self.known[name]) for name, _ in word)
        return reduce(matmul, (x.T if f.transposed else x for x, f in zip(factors, word, strict=True)))
