"""A derivation as an object: a chain of moves, each carried out by the engine and checked by a second route.

A move leads from one expression to the next by a rule. Nobody types what it leads to: only the methods of `Chain`
make moves, and each rule knows a second route to its own result that shares nothing with the first:

- a definition put in, or an abbreviation written out: both sides at exact random rational matrices;
- an average over random letters (integration by parts, or cumulants): the sum over all Wick pairings, or moments of
  single entries at small sizes, which the move names;
- an average by moments that have names: the names written out again, against the same;
- a name given to a trace: the name written out again;
- a sum over tasks that are alike: the average of one task's share taken at once, not move by move;
- a bound, and an order by degree (`derivations.steps.by_degree`): values at random matrices, and at very large sizes.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from operator import matmul

import sympy
from flint import fmpq, fmpq_mat

from derivations.steps.second_routes import OutOfReach, compared
from symbolic.algebra.coefficients import INVERSE, to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
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

# sizes at which exact random matrices are drawn: unequal, so that no two dimensions are taken for one another
EXACT_SIZES = (2, 3, 4, 5)
SEED = 20_210_503


class Rule(StrEnum):
    """The rules by which one expression leads to the next."""

    INSERT = "insert a definition"
    EXPAND = "write out"
    AVERAGE = "average by parts"
    CUMULANTS = "average by cumulants"
    KNOWN = "average by named moments"
    SUM = "sum over tasks that are alike"
    NAME = "name an abbreviation"
    BOUND = "bound by Cauchy-Schwarz"
    ORDER = "order by degree"


NO_NUMBER = {
    Rule.SUM: "it multiplies by the number of tasks",
    Rule.BOUND: "an inequality, which holds exactly at random matrices",
    Rule.ORDER: "an exponent: sampled over a ladder of sizes where the step has one",
}
"""The rules whose moves are not sampled, and why."""


class DoesNotApply(ValueError):
    """A move that has no meaning here; the text names the move and the reason."""


@dataclass(frozen=True)
class Move:
    """One line of a proof.

    rule: by which `before` leads to `after`. reads: slugs of the steps it rests on. letters: what was put in, written
    out or averaged over. values: what the letters that were put in stand for. disproved: the reason why the second
    route disagrees, or nothing when it agrees. route: the second route, where the rule has several.
    """

    rule: Rule
    before: Expression
    after: Expression
    reads: tuple[str, ...]
    letters: tuple[str, ...]
    values: Mapping[str, Expression]
    disproved: str
    route: str = ""

    @property
    def check(self) -> str:
        """`proved` when the second route came to the same expression, else `failed`."""
        return "failed" if self.disproved else "proved"


@dataclass(frozen=True)
class Known:
    """A moment with a name: E[word] = value, where the value holds the name.

    word: one product of traces and at most one matrix product, with coefficient one. names: what the names in `value`
    stand for. slug: the step that defines them.
    """

    word: Expression
    value: Expression
    names: Mapping[str, Expression]
    slug: str


class Chain:
    """The moves from a starting expression to `result`, made one by one.

    >>> from symbolic.algebra.words import gaussian, matrix
    >>> chain = Chain(matrix("B", "n", "p").T @ matrix("B", "n", "p"))
    >>> chain.insert({"B": gaussian("X", "n", "p")}).average("X").result
    n * I
    >>> [move.check for move in chain.moves]
    ['proved', 'proved']
    """

    def __init__(self, start: Expression) -> None:
        self.start = start
        self._moves: list[Move] = []
        self._starts: dict[int, Expression] = {0: start}
        self._parts: dict[str, Expression | sympy.Basic] = {}

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves so far."""
        return tuple(self._moves)

    @property
    def result(self) -> Expression:
        """What the last move leads to, or the start where no move was made yet."""
        here = len(self._moves)
        return self._starts[here] if here in self._starts else self._moves[-1].after

    @property
    def starts(self) -> Mapping[int, Expression]:
        """From which expressions the chain sets out, by the number of moves before."""
        return self._starts

    def begin(self, start: Expression) -> Chain:
        """Set out from another expression: what the chain has shown so far is known from here on."""
        self._starts[len(self._moves)] = start
        return self

    @property
    def parts(self) -> Mapping[str, Expression | sympy.Basic]:
        """What the chain shows, by the label of the part: see `shows`."""
        return self._parts

    def shows(self, label: str, written_out: Mapping[str, Expression] | None = None) -> Chain:
        """The present expression is this part of the step, its abbreviations written out for the comparison."""
        self._parts[label] = self.result.replace(written_out or {})
        return self

    def shows_value(self, label: str, value: sympy.Basic) -> Chain:
        """This part of the step is a number read off the last move, such as the exponent of an order."""
        self._parts[label] = value
        return self

    def insert(self, definitions: Mapping[str, Expression], *reads: str) -> Chain:
        """Put definitions in for letters. Raises DoesNotApply when a letter does not occur."""
        return self._substitute(Rule.INSERT, definitions, reads)

    def expand(self, definitions: Mapping[str, Expression], *reads: str) -> Chain:
        """Write abbreviations out, and multiply out. Raises DoesNotApply when one does not occur."""
        return self._substitute(Rule.EXPAND, definitions, reads)

    def average(self, *letters: str, reads: Collection[str] = ()) -> Chain:
        """Average over random letters: by integration by parts, or by cumulants where a law is not Gaussian.

        Raises DoesNotApply when a letter does not occur or is not random, or no second route is in reach.
        """
        before = self.result
        known = before.letters()
        self._require(Rule.AVERAGE, known, letters)
        rule = Rule.CUMULANTS if any(known[name].law for name in letters) else Rule.AVERAGE
        try:
            after = expect(before, letters)
        except ValueError as error:
            raise DoesNotApply(f"{rule}: {error}") from None
        route, disproved = _second_route(rule, before, letters, after, {})
        return self.made(Move(rule, before, after, tuple(reads), letters, {}, disproved, route))

    def by_known(
        self,
        known: Collection[Known],
        definitions: Mapping[str, Expression],
        over: Collection[str],
        *reads: str,
    ) -> Chain:
        """Average over the random letters `over` of the abbreviations in `definitions`, term by term, by moments that
        have names.

        Raises DoesNotApply when a term is none of the known words times a number.
        """
        before = self.result
        table = {}
        for moment in known:
            (term,) = moment.word.terms
            table[term] = moment
        after = zero(*before.shape) if before.shape else zero()
        names: dict[str, Expression] = {}
        for term, coefficient in before.terms.items():
            if term not in table:
                raise DoesNotApply(f"{Rule.KNOWN}: no moment is known for a term of {before}")
            after = after + polynomial(coefficient) * table[term].value
            names |= table[term].names
        written_out = before.replace(definitions)
        route, disproved = _second_route(Rule.KNOWN, written_out, over, after, names)
        rests = (*reads, *dict.fromkeys(moment.slug for moment in known))
        values = {**definitions, **names}
        return self.made(Move(Rule.KNOWN, before, after, rests, tuple(over), values, disproved, route))

    def name(self, trace: Expression, name: str, *reads: str) -> Chain:
        """Give the trace of a word a name, wherever it occurs. Raises DoesNotApply when it does not occur."""
        before = self.result
        ((term, _),) = trace.terms.items()
        ((word),) = term.traces
        found = zero(*before.shape) if before.shape else zero()
        for one, coefficient in before.terms.items():
            others = [matrix_word for matrix_word in one.traces if matrix_word != word]
            factor = scalar(name) ** (len(one.traces) - len(others))
            found = found + polynomial(coefficient) * factor * product_of(
                before, Term(tuple(others), one.word)
            )
        if name not in found.scalars():
            raise DoesNotApply(f"{Rule.NAME}: {trace} does not occur")
        disproved = (
            "" if found.replace({name: trace}) == before else f"{name} written out gives something else"
        )
        return self.made(Move(Rule.NAME, before, found, reads, (name,), {name: trace}, disproved))

    def over_tasks(
        self, count: Expression, at_once: Expression, names: Mapping[str, Expression], *reads: str
    ) -> Chain:
        """The sum over tasks that are alike: their number times the average of one.

        at_once: the engine's average of one task's whole share, taken in one step. names: what the names in the present
        expression stand for. The move is disproved when the two averages differ.
        """
        before = self.result
        if before.letters():
            left = ", ".join(before.letters())
            raise DoesNotApply(f"{Rule.SUM}: {left} still tell the tasks apart: average first")
        disproved = "" if before.replace(names) == at_once else f"taken at once the average is {at_once}"
        return self.made(Move(Rule.SUM, before, count * before, reads, (), dict(names), disproved))

    def _substitute(self, rule: Rule, values: Mapping[str, Expression], reads: tuple[str, ...]) -> Chain:
        before = self.result
        self._require(rule, before.letters() | dict.fromkeys(before.scalars()), values)
        circular = [
            name
            for name in values
            if any(name in {*expr.letters(), *expr.scalars()} for expr in values.values())
        ]
        if circular:
            raise DoesNotApply(f"{rule}: {', '.join(circular)} would stand for something it is part of")
        try:
            after = before.replace(values)
        except ValueError as error:
            raise DoesNotApply(f"{rule}: {error}") from None
        disproved = differs_exactly(before, after, values)
        return self.made(Move(rule, before, after, reads, tuple(values), dict(values), disproved))

    def made(self, move: Move) -> Chain:
        """Take over a move that a rule has made from the present expression."""
        self._moves.append(move)
        return self

    @staticmethod
    def _require(rule: Rule, known: Collection[str], names: Collection[str]) -> None:
        missing = [name for name in names if name not in known]
        if missing:
            raise DoesNotApply(
                f"{rule}: {', '.join(missing)} does not occur; there are {', '.join(sorted(known))}"
            )


def differs_exactly(before: Expression, after: Expression, values: Mapping[str, Expression]) -> str:
    """Why `after` is not `before` with the values put in, at exact random rational matrices; nothing if it is.

    The values are evaluated first, as matrices of numbers, and put into `before`; the algebra of words has no part
    in that.
    """
    source = random.Random(SEED)
    letters: dict[str, Letter] = {}
    names: set[str] = set()
    for expr in (before, after, *values.values()):
        letters |= expr.letters()
        names |= expr.scalars()
    dimensions = sorted(
        {d for x in letters.values() for d in (x.rows, x.columns)}
        | {d for expr in (before, after) for d in expr.shape or ()}
    )
    place: dict[str, object] = {
        name: EXACT_SIZES[k % len(EXACT_SIZES)] for k, name in enumerate(d for d in dimensions if d != ONE)
    }
    size = {ONE: 1, **place}
    for name in sorted(names | {n.removeprefix(INVERSE) for n in names}):
        if not name.startswith(INVERSE) and name not in values:
            place.setdefault(name, Fraction(source.randint(1, 9), source.randint(1, 9)))
    for name, letter in sorted(letters.items()):
        if name not in values and not letter.unit:
            place[name] = _exact_matrix(
                source, int(str(size[letter.rows])), int(str(size[letter.columns])), letter
            )
    for name, expr in values.items():
        found = evaluate(expr, place)
        place[name] = found if expr.is_scalar or isinstance(found, fmpq_mat) else exact_matrix(found)
    left, right = evaluate(before, place), evaluate(after, place)
    return "" if left == right else "the two sides differ at exact random matrices"


def exact_matrix(rows: list[list[Fraction]]) -> fmpq_mat:
    """Rows of fractions as a matrix of flint."""
    return fmpq_mat([[to_fmpq(x) for x in row] for row in rows])


def _exact_matrix(source: random.Random, rows: int, columns: int, letter: Letter) -> fmpq_mat:
    entries = [
        [fmpq(source.randint(-5, 5), source.randint(1, 3)) for _ in range(columns)] for _ in range(rows)
    ]
    found = fmpq_mat(entries)
    return found + found.transpose() if letter.symmetric and rows == columns else found


def _second_route(
    rule: Rule, before: Expression, over: Collection[str], after: Expression, names: Mapping[str, Expression]
) -> tuple[str, str]:
    try:
        return compared(before, over, after, names)
    except OutOfReach as error:
        raise DoesNotApply(f"{rule}: {error}") from None


def product_of(like: Expression, term: Term) -> Expression:
    """The product of traces and a word that a term is, from the letters of an expression."""
    letters = {name: letter_expression(letter) for name, letter in like.letters().items()}

    def word(factors: Word) -> Expression:
        one, *rest = (letters[f.name].T if f.transposed else letters[f.name] for f in factors)
        return reduce(matmul, rest, one)

    found = constant(1)
    for trace in term.traces:
        found = found * tr(word(trace))
    if term.word is None:
        return found
    return found * (word(term.word) if term.word else identity((like.shape or (ONE,))[0]))


def abbreviation(name: str, dimension: str) -> Expression:
    """A symmetric matrix that is written by its name until the name is written out."""
    return matrix(name, dimension, dimension, symmetric=True)
