"""A claimed moment and what a check of it says.

A `Case` holds the moment and the value claimed for its expectation, and answers the questions that decide
which checks apply to it; a `Check` keeps what was expected and what was obtained.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import NUMBERS, number, substitute, unify
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Term


class NotApplicable(Exception):
    """Why a check has nothing to say about a moment."""


@dataclass(frozen=True)
class Check:
    """One check: ``expected`` against ``obtained``, or the reason why it does not apply."""

    name: str
    expected: str | None = None
    obtained: str | None = None
    reason: str | None = None

    @property
    def applies(self) -> bool:
        """Whether the check has something to say about this moment."""
        return self.reason is None

    @property
    def passed(self) -> bool:
        """Whether the two values agree; a check that does not apply passes."""
        return not self.applies or self.expected == self.obtained


@dataclass(frozen=True)
class Case:
    """A moment and the claimed value of its expectation."""

    moment: Expression
    result: Expression

    @cached_property
    def letters(self) -> dict[str, Letter]:
        """The letters of the moment and of the result."""
        return {**self.result.letters(), **self.moment.letters()}

    @cached_property
    def random(self) -> list[Letter]:
        """The random letters."""
        return [letter for letter in self.letters.values() if letter.random]

    @cached_property
    def dimensions(self) -> list[str]:
        """The symbolic dimensions."""
        sizes = {size for x in self.letters.values() for size in (x.rows, x.columns)}
        return sorted((sizes | set(self.moment.shape or ())) - {ONE})

    def fixed_dimensions(self) -> set[str]:
        """The dimensions that occur in deterministic letters, covariances apart, and in the shape."""
        sigma = {letter.covariance for letter in self.random}
        fixed = [x for x in self.moment.letters().values() if not x.random and x.name not in sigma]
        return {size for x in fixed for size in (x.rows, x.columns)} | set(self.moment.shape or ())

    def single_matrix(self) -> Letter:
        """The one random matrix, of two different symbolic dimensions."""
        if len(self.random) != 1:
            raise NotApplicable(f"the moment has {len(self.random)} random matrices, not one")
        letter = self.random[0]
        if letter.rows == letter.columns or ONE in (letter.rows, letter.columns):
            raise NotApplicable("the random matrix does not have two different symbolic dimensions")
        return letter

    def without_units(self) -> None:
        """Refuse basis vectors beyond the first: their dimension cannot shrink to 1."""
        if any(letter.unit > 1 for letter in self.letters.values()):
            raise NotApplicable("a basis vector needs a dimension larger than 1")

    def counts(self, term: Term) -> list[int]:
        """How often each random letter occurs in a term."""
        factors = [factor for word in (*term.traces, term.word or ()) for factor in word]
        found = Counter(name for name, _ in factors)
        return [found[letter.name] for letter in self.random]


def with_dimensions_one(expr: Expression, dimensions: list[str]) -> fmpq_mpoly:
    """The value when these dimensions and all deterministic letters are 1: the sum of the coefficients."""
    ones = {name: number(1) for name in dimensions}
    total = NUMBERS.constant(0)
    for value in expr.monomials.values():
        first, second = unify(total, substitute(value, ones))
        total = first + second
    return total
