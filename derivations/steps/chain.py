"""A derivation as an object: a chain of moves, each carried out by the engine and checked by a second route.

A move leads from one expression to the next by a rule. Nobody types what it leads to: only the methods of `Chain`
make moves, and each rule knows a second route to its own result that shares nothing with the first:

- a definition put in, or an abbreviation written out: both sides at exact random rational matrices;
- an average over random letters (by parts, by cumulants, by rows): the sum over all Wick pairings, or moments of
  single entries at small sizes, which the move names;
- an average by moments that have names: the names written out again, against the same;
- a name given to a trace or a word: the name written out again;
- a sum over tasks that are alike: stacked matrices of exact random blocks, summed over task by task;
- a word split into its mean and a fluctuation, an inverse expanded about the mean of what it inverts: exact random
  matrices, and the mean by the second route of averages;
- products of more than so many fluctuations left out: the order of the error, from exact variances of elements;
- the average of a single fluctuation, which is zero: written out, by the second route of averages;
- a bound, and an order by degree (`derivations.steps.by_degree`): values at random matrices, and at very large sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce, wraps
from operator import add, matmul
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

import sympy
from flint import fmpq

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.steps.held import Held
from derivations.steps.move import (
    NO_NUMBER,
    DoesNotApply,
    Growth,
    Known,
    Move,
    Rule,
    SecondRoute,
    without_traces,
)
from derivations.steps.rules.exact_routes import differs_exactly, differs_on_stacks
from derivations.steps.rules.expansions import Context, Fluctuation, Mean, mean_of, series
from derivations.steps.rules.stacked import SAME_TASK, NotStacked, Tasks, over_tasks
from derivations.steps.second_routes import compared
from symbolic.algebra.coefficients import INVERSE, inverse_of, named_terms, to_fraction
from symbolic.algebra.letters import ONE
from symbolic.algebra.quotients import Rational
from symbolic.algebra.readable import Term, Word
from symbolic.algebra.refusal import Refused
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
from symbolic.averages.rows import BeyondFourthMoment, expect_rows
from symbolic.proofs.asymptotics import Exponent, degree, largest

__all__ = [
    "NO_NUMBER",
    "Chain",
    "DoesNotApply",
    "Growth",
    "Known",
    "Mean",
    "Move",
    "Rule",
    "Tasks",
    "abbreviation",
    "carried_out",
    "carries_out",
    "derived_by",
    "without_traces",
    "written",
]

# a number by which every fluctuation is multiplied to count them
SMALL = "small"
# what grows, and its power with the exponent delta, in what an order by degree leads to
SIZE, POWER_OF_SIZE = "xi", "xi_delta"
Part: TypeAlias = Expression | sympy.Basic
Powers: TypeAlias = tuple[tuple[str, int], ...]


P = ParamSpec("P")
R = TypeVar("R")


def carries_out(rule: Callable[Concatenate[Chain, P], R]) -> Callable[Concatenate[Chain, P], R]:
    """A rule: what it makes of the present expression of a chain is a move, which keeps how to carry it out again.

    Nothing else makes moves.
    """

    @wraps(rule)
    def carried(chain: Chain, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return chain._carried_out(lambda one: rule(one, *args, **kwargs))

    return carried


@dataclass(frozen=True)
class Carried:
    """A chain whose error is carried along, and what it is multiplied by."""

    chain: Chain
    factor: Expression


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
        self._parts: dict[str, Part] = {}
        self._shown: dict[int, list[str]] = {}
        self._named_parts: dict[str, tuple[Expression, Callable[[], Mapping[str, Expression]]]] = {}
        self._carried: list[Carried] = []
        self._context = Context()
        self._again: Callable[[Expression], Expression] | None = None

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
    def parts(self) -> Mapping[str, Part]:
        """What the chain shows, by the label of the part: see `shows`."""
        return self._parts

    def shows(self, label: str, written_out: Mapping[str, Part] | None = None) -> Chain:
        """The present expression is this part of the step, its abbreviations written out for the comparison."""
        return self._show(label, written(self.result, {**self.numbers(), **(written_out or {})}))

    def shows_number(self, label: str, written_out: Mapping[str, Part] | None = None) -> Chain:
        """The number of which the present matrix is a multiple of the identity is this part of the step.

        Raises DoesNotApply when it is no such matrix.
        """
        ((term, number),) = self.result.terms.items() if len(self.result.terms) == 1 else ((None, None),)
        if term is None or number is None or term.traces or term.word != ():
            raise DoesNotApply(f"{self.result} is no multiple of the identity")
        return self._show(label, written(polynomial(number), {**self.numbers(), **(written_out or {})}))

    def shows_order(self, label: str, growth: str) -> Chain:
        """The order of what the last move leaves out is this part of the step; raises Refused where it is not known."""
        return self._show(label, self._last(Rule.KEEP).order_of_error()[growth].sympy())

    def shows_degree(self, label: str, factor: Fraction | int = 1) -> Chain:
        """The order that the last move has found, times a number, is this part of the step."""
        return self._show(label, self.degree().scaled(factor).sympy())

    def shows_sign(self, label: str) -> Chain:
        """The sign that the last move has certified is this part of the step: 1 where a matrix is positive semidefinite."""
        move = self._moves[-1] if self._moves else None
        if move is not None and move.rule is Rule.GRAM:
            return self._show(label, sympy.Integer(1))
        return self._show(label, to_sympy(self._last(Rule.SIGN).after))

    def shows_largest(self, label: str, *products: Mapping[int, Fraction | int]) -> Chain:
        """The largest of the orders of products is this part of the step: powers of what moves have ordered, by their place."""
        orders = []
        for product in products:
            total = Exponent(Fraction(0))
            for place, power in product.items():
                total = total + degree_of_powers(self._moves[place].after).scaled(power)
            orders.append(total)
        return self._show(label, largest(orders).sympy())

    def degree(self) -> Exponent:
        """The order that the last move has found."""
        return degree_of_powers(self._last(Rule.ORDER).after)

    def _last(self, rule: Rule) -> Move:
        """The last move, which must be one by that rule; raises ValueError where it is another."""
        if not self._moves or self._moves[-1].rule is not rule:
            raise ValueError(f"the last move is not by the rule {rule}")
        return self._moves[-1]

    def _show(self, label: str, value: Part) -> Chain:
        if len(self._moves) in self._starts:
            raise ValueError(f"{label}: no move has led to it yet")
        self._parts[label] = value
        return self._mark(label)

    def _mark(self, label: str) -> Chain:
        here = self._shown.setdefault(len(self._moves), [])
        if label not in here:
            here.append(label)
        return self

    @property
    def shown(self) -> Mapping[int, Sequence[str]]:
        """The labels of the parts shown, by the number of moves before."""
        return self._shown

    def names(self, label: str, definitions: Callable[[], Mapping[str, Expression]]) -> Chain:
        """The present expression is how this part reads with its names; `definitions`: what they stand for, in order."""
        self._named_parts[label] = self.result, definitions
        return self._mark(label)

    @property
    def named_parts(self) -> Mapping[str, tuple[Expression, Callable[[], Mapping[str, Expression]]]]:
        """The parts that have a form with names, and what these stand for: see `names`."""
        return self._named_parts

    # -- what is left out ------------------------------------------------------------------------------------

    def carry(self, found: Chain, letter: str = "") -> Chain:
        """What another chain leaves out is left out here too: the one that has found the number of this name, which stands
        as a factor, or the present expression.

        Raises DoesNotApply when the name does not occur, or not as a factor.
        """
        factor = constant(1)
        if letter:
            parts = by_powers(self.result, [letter])
            if set(parts) - {(0,)} != {(1,)}:
                raise DoesNotApply(f"{letter} is no factor of {self.result}")
            factor = parts[1,]
        self._carried.append(Carried(found, factor))
        return self

    @property
    def carried(self) -> Sequence[Carried]:
        """The chains whose errors this one has, each with what they are multiplied by."""
        return tuple(self._carried)

    @property
    def growths(self) -> Mapping[str, Growth]:
        """Along what the order of what is left out is known."""
        found = {label: growth for one in self._carried for label, growth in one.chain.growths.items()}
        return found | {growth.label: growth for move in self._moves for growth in move.growths}

    def left_out(self, where: Mapping[str, Exponent] | None = None) -> dict[str, Exponent]:
        """The order of what the moves leave out, by what grows; what is carried along times what it is multiplied by.

        where: further numbers that grow with the size. Raises Refused for an order that is not known.
        """
        found: dict[str, list[Exponent]] = {}
        for move in self._moves:
            for label, order in move.order_of_error().items():
                found.setdefault(label, []).append(order)
        for one in self._carried:
            for label, order in one.chain.left_out(where).items():
                found.setdefault(label, []).append(order + self.size(one, label, where or {}))
        return {label: largest(orders) for label, orders in found.items()}

    def size(self, one: Carried, label: str, where: Mapping[str, Exponent]) -> Exponent:
        """The order of what the error of another chain is multiplied by."""
        growth, factor = one.chain.growths[label], written(one.factor, self.numbers())
        if not isinstance(factor, Expression):
            raise DoesNotApply(f"the order of {factor} is not known")
        found = degree(growth.bound(factor), {**growth.weights, **where})
        return Exponent(Fraction(0)) if found is None else found

    def fluctuating(self) -> list[Expression]:
        """The words whose fluctuations the chain knows, in the data of one task where they have a block for each."""
        return [fluctuation.blocks()[SAME_TASK] for fluctuation in self._context.fluctuations.values()]

    def numbers(self) -> dict[str, Expression]:
        """What the names of means, of means found above, and of what is divided by, stand for."""
        means = {f.mean.name: f.value for f in self._context.fluctuations.values() if not f.mean.inverse}
        named = [move for move in self._moves if move.rule in (Rule.WISHART, Rule.SHOWN)]
        shown = {k: v for move in named for k, v in move.values.items() if v.is_scalar}
        return means | shown | self._context.named

    # -- equal expressions -----------------------------------------------------------------------------------

    @carries_out
    def insert(self, definitions: Mapping[str, Expression], *reads: str, held: Held | None = None) -> Chain:
        """Put definitions in for letters. Raises DoesNotApply when a letter does not occur.

        held: compares them with what the steps `reads` state; a definition that none of them states is disproved.
        """
        return self._substitute(Rule.INSERT, definitions, reads, held)

    @carries_out
    def expand(self, definitions: Mapping[str, Expression], *reads: str) -> Chain:
        """Write abbreviations out, and multiply out. Raises DoesNotApply when one does not occur."""
        return self._substitute(Rule.EXPAND, definitions, reads)

    @carries_out
    def write_out(self, *letters: str) -> Chain:
        """Write out fluctuations, and abbreviated words, by what the chain knows of them."""
        known = self._context
        return self._substitute(
            Rule.EXPAND,
            {
                name: known.words[name] if name in known.words else known.fluctuations[name].definition
                for name in letters
            },
            (),
        )

    @carries_out
    def insert_blocks(self, tasks: Tasks, *reads: str) -> Chain:
        """Put in what the labelled letters of a sum over tasks stand for."""
        return self._substitute(Rule.INSERT, tasks.definitions(self.result), reads)

    @carries_out
    def split_blocks(self, letter: str, parts: Expression, tasks: Tasks, *reads: str) -> Chain:
        """Write a block diagonal letter as a combination of others. Raises DoesNotApply when it does not occur."""
        before = self.result
        self._require(Rule.INSERT, before.letters(), (letter,))
        after = before.replace({letter: parts})

        def second_route() -> SecondRoute:
            said = differs_exactly(before, after, {letter: parts})
            other = differs_exactly(tasks.blocks[letter]("1"), tasks.block(parts, SAME_TASK), {})
            return "", said or (f"the blocks of {letter} are others" if other else "")

        return self.made(Move(Rule.INSERT, before, after, reads, (letter,), {letter: parts}, second_route))

    @carries_out
    def name(self, trace: Expression, name: str, *reads: str) -> Chain:
        """Give the trace of a word a name, wherever it occurs. Raises DoesNotApply when it does not occur."""
        before = self.result
        found = in_place_of(trace, scalar(name), before)
        if name not in found.scalars():
            raise DoesNotApply(f"{Rule.NAME}: {trace} does not occur")
        return self._named(found, name, trace, reads)

    @carries_out
    def name_number(self, name: str, value: Expression, *reads: str) -> Chain:
        """Give a number a name where it stands as a factor, in what is multiplied by one product of other names.

        Raises DoesNotApply when it does not occur.
        """
        before = self.result
        inside = {one.removeprefix(INVERSE) for one in value.scalars()}
        divisor = Rational.polynomial(value.coefficient())
        found = zero(*before.shape) if before.shape else zero()
        for term, coefficient in before.terms.items():
            groups: dict[Powers, dict[Powers, fmpq]] = {}
            for powers, number in named_terms(coefficient):
                outer = tuple(item for item in powers.items() if item[0].removeprefix(INVERSE) not in inside)
                rest = tuple(item for item in powers.items() if item[0].removeprefix(INVERSE) in inside)
                groups.setdefault(outer, {})[rest] = number
            for outer, terms in groups.items():
                factor = sum_of_terms(terms)
                quotient = Rational.polynomial(factor.coefficient()) / divisor
                if len(quotient.numerator) == len(quotient.denominator) == 1:
                    over = inverse_of(quotient.denominator)
                    factor = scalar(name) * polynomial(quotient.numerator) * polynomial(over)
                others = sum_of_terms({outer: fmpq(1)})
                found = found + factor * others * product_of(before, term)
        if name not in found.scalars() - before.scalars() and found == before:
            raise DoesNotApply(f"{Rule.NAME}: {name} does not occur as a factor")
        self._context.named[name] = value

        def second_route() -> SecondRoute:
            return "", differs_exactly(before, found, {name: value})

        return self.made(Move(Rule.NAME, before, found, reads, (name,), {name: value}, second_route))

    @carries_out
    def use(self, trace: Expression, name: str, *reads: str) -> Chain:
        """Put in, by a name, the mean of a trace that the chain has found from a start of its own.

        Raises DoesNotApply when the chain has not begun with that trace, or it does not occur.
        """
        ends = [*list(self._starts)[1:], len(self._moves)]
        sections = list(zip(self._starts.items(), ends, strict=True))[:-1]
        found = {k: end for (k, start), end in sections if start == trace and end > k}
        if not found:
            raise DoesNotApply(f"{Rule.SHOWN}: the mean of {trace} was not found above")
        value = self._moves[found.popitem()[1] - 1].after
        before = self.result
        after = in_place_of(trace, scalar(name), before)
        if after == before:
            raise DoesNotApply(f"{Rule.SHOWN}: {trace} does not occur")

        def second_route() -> SecondRoute:
            same = in_place_of(trace, value, before) == after.replace({name: value})
            return "", "" if same else f"{name} written out gives something else"

        used = self._context.definitions(before)
        return self.made(
            Move(
                Rule.SHOWN,
                before,
                after,
                reads,
                (name,),
                {**used, name: value},
                second_route,
                tasks=next((f.tasks for f in self._context.fluctuations.values()), None),
            )
        )

    @carries_out
    def name_word(self, word: Expression, name: str, *reads: str) -> Chain:
        """Give a square symmetric word a name, wherever it occurs. Raises DoesNotApply when it does not occur."""
        before = self.result
        ((term, _),) = word.terms.items()
        size = (word.shape or (ONE,))[0]
        letter = matrix(name, size, size, symmetric=True)
        found = before.rewrite({tuple(term.word or ()): letter})
        if name not in found.letters():
            raise DoesNotApply(f"{Rule.NAME}: {word} does not occur")
        self._context.words[name] = word
        return self._named(found, name, word, reads)

    @carries_out
    def write_mean(self, name: str, value: Expression, names: Mapping[str, Expression], *reads: str) -> Chain:
        """Write the number that a mean is by names; disproved where these do not make up what the engine found."""
        before, known = self.result, self.numbers()
        self._require(Rule.EXPAND, known, (name,))
        after = before.replace({name: value})

        def second_route() -> SecondRoute:
            if value.replace(names) != known[name]:
                return "", f"what is put in for {name} is not the mean"
            return "", differs_exactly(before, after, {name: value})

        return self.made(Move(Rule.EXPAND, before, after, reads, (name,), {name: value}, second_route))

    @carries_out
    def write_mean_matrix(self, name: str, *reads: str) -> Chain:
        """Write the matrix that a mean is by what the engine found."""
        (value,) = (f.value for f in self._context.fluctuations.values() if f.mean.name == name)
        return self._substitute(Rule.EXPAND, {name: value}, reads)

    @carries_out
    def commute(
        self, commuted: Callable[[Expression], Expression], inverse: str, of: Expression, *reads: str
    ) -> Chain:
        """Reorder the factors of traces, as a rule that is given does, where the inverse of a word commutes with them."""
        before = self.result
        after, inverses = commuted(before), {inverse: of}

        def second_route() -> SecondRoute:
            return "", differs_exactly(before, after, {}, inverses)

        return self.made(Move(Rule.COMMUTE, before, after, reads, (), {}, second_route, inverses))

    def _named(self, found: Expression, name: str, stands_for: Expression, reads: tuple[str, ...]) -> Chain:
        before = self.result

        def second_route() -> SecondRoute:
            out = {name: stands_for}  # the name may stand there already
            same = found.replace(out) == before.replace(out)
            return "", "" if same else f"{name} written out gives something else"

        return self.made(Move(Rule.NAME, before, found, reads, (name,), {name: stands_for}, second_route))

    # -- averages --------------------------------------------------------------------------------------------

    @carries_out
    def average(self, *letters: str, reads: Collection[str] = ()) -> Chain:
        """Average over random letters: by integration by parts, or by cumulants where a law is not Gaussian.

        Raises DoesNotApply when a letter does not occur or is not random, or the average is out of reach.
        """
        before = self.result
        self._require(Rule.AVERAGE, before.letters(), letters)
        rule = Rule.CUMULANTS if any(before.letters()[name].law for name in letters) else Rule.AVERAGE
        for name in letters:
            if not before.letters()[name].random:
                raise DoesNotApply(f"{rule}: {name} is not random")
        try:
            after = expect(before, letters)
        except Refused as error:
            raise DoesNotApply(f"{rule}: {error}") from None
        return self._averaged(rule, after, letters, tuple(reads))

    @carries_out
    def average_rows(self, *letters: str, fourth: Expression, reads: Collection[str] = ()) -> Chain:
        """Average over matrices of independent rows of any law, with `fourth` for its fourth moments.

        Raises DoesNotApply when a letter does not occur, or other moments would be needed.
        """
        before = self.result
        self._require(Rule.ROWS, before.letters(), letters)
        after = before
        try:
            for name in letters:
                after = expect_rows(after, name, fourth)
        except BeyondFourthMoment as error:
            raise DoesNotApply(f"{Rule.ROWS}: {error}") from None

        # the second route, and sampling, take Gaussian rows, of which F is known
        sigma = matrix("Sigma", "p", "p", symmetric=True)
        gaussian = {"F": 2 * sigma @ sigma @ sigma + tr(sigma @ sigma) * sigma}
        values = gaussian if "F" in {*before.letters(), *after.letters()} else {}

        def second_route() -> SecondRoute:
            return compared(before.replace(values), letters, after.replace(values), {})

        return self.made(Move(Rule.ROWS, before, after, tuple(reads), letters, values, second_route))

    @carries_out
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
        rests = (*reads, *dict.fromkeys(moment.slug for moment in known))

        def second_route() -> SecondRoute:
            return compared(before.replace(definitions), over, after, names)

        values = {**definitions, **names}
        return self.made(Move(Rule.KNOWN, before, after, rests, tuple(over), values, second_route))

    @carries_out
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

        def second_route() -> SecondRoute:
            same = before.replace(names) == at_once
            return "", "" if same else f"taken at once the average is {at_once}"

        return self.made(Move(Rule.SUM, before, count * before, reads, (), dict(names), second_route))

    @carries_out
    def sum_tasks(self, tasks: Tasks, *reads: str) -> Chain:
        """The sum over tasks in a word of stacked letters, by which of the tasks coincide.

        Raises DoesNotApply where a stacked letter has no blocks, as a fluctuation that is not written out.
        """
        before = self.result
        try:
            after = over_tasks(before, tasks)
        except NotStacked as error:
            raise DoesNotApply(f"{Rule.TASKS}: {error}") from None
        if after == before:
            raise DoesNotApply(f"{Rule.TASKS}: there is no sum over tasks")

        def second_route() -> SecondRoute:
            return "", differs_on_stacks(before, after, tasks)

        return self.made(Move(Rule.TASKS, before, after, reads, (), {}, second_route, tasks=tasks))

    # -- expansions ------------------------------------------------------------------------------------------

    @carries_out
    def expand_inverse(
        self,
        inverse: str,
        of: Expression,
        mean: Mean,
        order: int,
        fluctuation: str,
        tasks: Tasks,
        *reads: str,
    ) -> Chain:
        """Expand the inverse of a random word about its mean, to so many fluctuations and an exact remainder.

        inverse: the letter of the inverse. of: the word, in stacked letters. mean: how its mean is written, whose value
        the engine computes. fluctuation: the letter that the deviation from it gets. Raises DoesNotApply when the
        inverse does not occur, or the mean is not of the form wanted.
        """
        before = self.result
        self._require(Rule.INVERSE, before.letters(), (inverse,))
        found = self._fluctuation(Rule.INVERSE, fluctuation, of, mean, tasks)
        letter = letter_expression(before.letters()[inverse])
        after = before.replace({inverse: series(found, letter, order)})
        self._context.inverses[inverse] = of
        self._context.expanded[inverse] = found
        inverses = {inverse: of}
        if mean.inverse:
            inverses[mean.inverse] = matrix(mean.name, found.size, found.size, symmetric=True)
            self._context.inverses[mean.inverse] = inverses[mean.inverse]
        values = found.definitions

        def second_route() -> SecondRoute:
            free = {name: value for name, value in values.items() if name != mean.name}
            return "", differs_exactly(before, after, free, inverses) or found.wrong_mean()

        return self.made(
            Move(Rule.INVERSE, before, after, reads, (inverse,), values, second_route, inverses, tasks=tasks)
        )

    @carries_out
    def split_mean(self, letter: str, mean: Mean, fluctuation: str, tasks: Tasks, *reads: str) -> Chain:
        """Write a random letter, stacked or the name of a word, as its mean and a fluctuation.

        Raises DoesNotApply when it does not occur, or the mean is not of the form wanted.
        """
        before = self.result
        self._require(Rule.MEAN, before.letters(), (letter,))
        symbol = letter_expression(before.letters()[letter])
        word = self._context.words.get(letter, symbol)
        found = self._fluctuation(Rule.MEAN, fluctuation, word, mean, tasks)
        deviation = matrix(fluctuation, found.size, found.size, symmetric=True)
        after = before.replace({letter: mean.written(found.size) + deviation})
        definition = {fluctuation: symbol - mean.written(found.size)}

        def second_route() -> SecondRoute:
            return "", differs_exactly(before, after, definition) or found.wrong_mean()

        values = {**definition, mean.name: found.number}
        return self.made(Move(Rule.MEAN, before, after, reads, (letter,), values, second_route, tasks=tasks))

    @carries_out
    def keep(
        self,
        most: int,
        *growths: Growth,
        orders: Mapping[str, Exponent] | None = None,
        reads: Collection[str] = (),
    ) -> Chain:
        """Leave out the products of more than `most` fluctuations; the order of the error by what grows.

        orders: of deterministic letters in what is left out. Raises DoesNotApply when nothing is left out, when an
        inverse stands beside fewer fluctuations, which is not expanded far enough, or when an order is not known.
        """
        before = self.result
        after = zero(*before.shape) if before.shape else zero()
        for term, coefficient in before.terms.items():
            if self._context.fluctuating(term) <= most:
                after = after + polynomial(coefficient) * product_of(before, term)
        left = [name for name in self._context.expanded if name in after.letters()]
        if left:
            raise DoesNotApply(
                f"{Rule.KEEP}: {', '.join(left)} must be expanded to more than {most - 1} fluctuations"
            )
        dropped = before - after
        if dropped.is_zero:
            raise DoesNotApply(f"{Rule.KEEP}: there are no products of more than {most} fluctuations")

        def order_of_error() -> dict[str, Exponent]:
            return {g.label: self._context.order_of(dropped, g, orders or {}) for g in growths}

        fluctuations = {
            name: scalar(SMALL) * letter_expression(letter)
            for name, letter in before.letters().items()
            if name in self._context.fluctuations
        }

        def second_route() -> SecondRoute:
            """Each fluctuation times a small number: what is left out has more than `most` powers of it."""
            small = {
                powers.get(SMALL, 0)
                for coefficient in dropped.replace(fluctuations).terms.values()
                for powers, _ in named_terms(coefficient)
            }
            if min(small) <= most:
                return "", f"a product of {min(small)} fluctuations is left out"
            try:
                orders_left_out = order_of_error()
                kept = {g.label: self._context.order_of(after, g, orders or {}) for g in growths}
            except Refused:
                return "", ""  # the law says too little of its entries for an order
            for growth in growths:
                claimed = orders_left_out[growth.label]
                said = self._context.another_order(dropped, growth, orders or {}, claimed)
                if said:
                    return "", f"what is left out is of another order as {growth.label} grows: {said}"
            larger = [label for label, order in kept.items() if not order.dominates(orders_left_out[label])]
            said = f"what is left out is larger than what is kept as {', '.join(larger)} grows"
            return "", said if larger else ""

        return self.made(
            Move(
                Rule.KEEP,
                before,
                after,
                tuple(reads),
                (),
                self._context.definitions(before, after),
                second_route,
                self._context.inverted(before, after),
                tasks=next(iter(self._context.fluctuations.values())).tasks,
                order_of_error=order_of_error,
                growths=growths,
            )
        )

    @carries_out
    def average_fluctuations(self, *reads: str) -> Chain:
        """Terms with a single fluctuation and nothing else that is random average to zero.

        Raises DoesNotApply when there are none.
        """
        before = self.result
        centred = [term for term in before.terms if self._context.fluctuating(term) == 1]
        if not centred:
            raise DoesNotApply(f"{Rule.CENTRED}: no term has a single fluctuation")
        single = zero(*before.shape) if before.shape else zero()
        for term in centred:
            single = single + polynomial(before.terms[term]) * product_of(before, term)
        used = [f for name, f in self._context.fluctuations.items() if name in single.letters()]
        random = {*self._context.expanded, *self._context.words}
        random |= {name for fluctuation in used for name in fluctuation.tasks.blocks}
        random |= {name for name, letter in single.letters().items() if letter.random}
        self._context.require_centred(single, random)

        def second_route() -> SecondRoute:
            return "", next((said for f in used if (said := f.wrong_mean())), "")

        return self.made(
            Move(
                Rule.CENTRED,
                before,
                before - single,
                reads,
                tuple(f.letter for f in used),
                self._context.definitions(before),
                second_route,
                tasks=used[0].tasks,
            )
        )

    # -- what the rules share --------------------------------------------------------------------------------

    def _fluctuation(
        self, rule: Rule, letter: str, word: Expression, mean: Mean, tasks: Tasks
    ) -> Fluctuation:
        if letter in self.result.letters():
            raise DoesNotApply(f"{rule}: {letter} has a meaning already")
        value = mean_of(word, tasks, mean, rule, self.numbers())
        found = Fluctuation(letter, word, mean, value, tasks)
        self._context.fluctuations[letter] = found
        return found

    def _substitute(
        self,
        rule: Rule,
        values: Mapping[str, Expression],
        reads: tuple[str, ...],
        held: Held | None = None,
    ) -> Chain:
        before = self.result
        known = {name.removeprefix(INVERSE) for name in before.scalars()}
        self._require(rule, {*before.letters(), *known}, values)
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

        def second_route() -> SecondRoute:
            said = differs_exactly(before, after, values)
            return "", said or ("" if held is None else held.not_stated(values, reads))

        return self.made(Move(rule, before, after, reads, tuple(values), dict(values), second_route))

    def _averaged(
        self, rule: Rule, after: Expression, letters: tuple[str, ...], reads: tuple[str, ...]
    ) -> Chain:
        before = self.result

        def second_route() -> SecondRoute:
            return compared(before, letters, after, {})

        return self.made(Move(rule, before, after, reads, letters, {}, second_route))

    def made(self, move: Move) -> Chain:
        """Take over a move that a rule has made from the present expression.

        Raises ValueError for one that no rule makes, and for one that sets out from another expression.
        """
        if self._again is None:
            raise ValueError(f"{move.rule}: only a rule makes moves (`carries_out`)")
        if move.before != self.result:
            raise ValueError(f"{move.rule}: a move sets out from the present expression")
        self._moves.append(replace(move, again=self._again))
        return self

    def _carried_out(self, rule: Callable[[Chain], R]) -> R:
        """What a rule makes of this chain; its move keeps how to carry it out again, from any expression."""
        if self._again is not None:  # a part of another rule
            return rule(self)
        before = self._copy()

        def again(start: Expression) -> Expression:
            twin = before._copy().begin(start)
            twin._again = again
            rule(twin)
            return twin.result

        self._again = again
        try:
            return rule(self)
        finally:
            self._again = None

    def _copy(self) -> Chain:
        """The same moves and meanings, to go on from here without a trace."""
        found = Chain(self.start)
        found._moves, found._starts = [*self._moves], {**self._starts}
        found._parts, found._named_parts = {**self._parts}, {**self._named_parts}
        found._carried, found._context = [*self._carried], self._context.copy()
        return found

    @staticmethod
    def _require(rule: Rule, known: Collection[str], names: Collection[str]) -> None:
        missing = [name for name in names if name not in known]
        if missing:
            raise DoesNotApply(
                f"{rule}: {', '.join(missing)} does not occur; there are {', '.join(sorted(known))}"
            )


def carried_out(chain: Callable[[Assumptions], Chain], assumptions: Assumptions) -> Chain:
    """A chain under the assumptions; raises NotDerivable, with the name of the move, where one does not apply."""
    try:
        return chain(assumptions)
    except DoesNotApply as error:
        raise NotDerivable(str(error)) from None


def derived_by(chain: Callable[[Assumptions], Chain]) -> Callable[[Assumptions], Mapping[str, Part]]:
    """What a chain shows, as the derivation of a step."""
    return lambda assumptions: carried_out(chain, assumptions).parts


def written(expr: Expression, names: Mapping[str, Part]) -> Part:
    """An expression with its abbreviations written out; a SymPy tree where one of them is divided by, or is one."""
    scalars = expr.scalars()
    used = {
        name: _closed(value, names) if isinstance(value, Expression) else value
        for name, value in names.items()
        if name in {*expr.letters(), *scalars} or INVERSE + name in scalars
    }
    plain = {name: value for name, value in used.items() if isinstance(value, Expression)}
    apart = [INVERSE + name for name in used if INVERSE + name in scalars]
    apart += [name for name in used if name not in plain]
    if not apart:
        return expr.replace(plain)
    total: list[sympy.Basic] = []  # of numbers or of matrices
    for powers, part in by_powers(expr, apart).items():
        outside = sympy.Integer(1)
        for name, power in zip(apart, powers, strict=True):
            sign = -1 if name.startswith(INVERSE) else 1
            outside = outside * to_sympy(used[name.removeprefix(INVERSE)]) ** (sign * power)
        if _length(part) > 1 or part.letters():
            inside = to_sympy(part.replace(plain))
        else:  # a single product stays one
            inside = to_sympy(part).subs({sympy.Symbol(x): to_sympy(value) for x, value in plain.items()})
        total.append(inside * outside)
    return reduce(add, total)


def _closed(value: Expression, names: Mapping[str, Part]) -> Expression:
    """What a name stands for without any of the names."""
    inside = {
        name: _closed(known, names)
        for name in value.scalars() & names.keys()
        if isinstance(known := names[name], Expression)
    }
    return value.replace(inside) if inside else value


def _length(expr: Expression) -> int:
    return sum(len(coefficient) for coefficient in expr.terms.values())


def degree_of_powers(expr: Expression) -> Exponent:
    """The exponent of a power of xi and of xi^delta; raises ValueError for anything else."""
    ((powers, one),) = by_powers(expr, [SIZE, INVERSE + SIZE, POWER_OF_SIZE, INVERSE + POWER_OF_SIZE]).items()
    if one != constant(1):
        raise ValueError(f"{expr} is no power of {SIZE}")
    above, below, with_delta, below_delta = powers
    return Exponent(Fraction(above - below), Fraction(with_delta - below_delta))


def by_powers(expr: Expression, names: Sequence[str]) -> dict[tuple[int, ...], Expression]:
    """The coefficients of products of powers of scalars (`1/h` is one of its own), by the powers."""
    found: dict[tuple[int, ...], Expression] = {}
    for term, coefficient in expr.terms.items():
        for exponents, number in named_terms(coefficient):
            factor = constant(to_fraction(number))
            for name, exponent in exponents.items():
                if name not in names:
                    factor = factor * scalar(name) ** exponent
            one, powers = factor * product_of(expr, term), tuple(exponents.get(name, 0) for name in names)
            found[powers] = found[powers] + one if powers in found else one
    return found


def sum_of_terms(terms: Mapping[Powers, fmpq]) -> Expression:
    """A polynomial from its terms, by the powers of names."""
    found = zero()
    for powers, number in terms.items():
        product = constant(to_fraction(number))
        for name, power in powers:
            product = product * scalar(name) ** power
        found = found + product
    return found


def in_place_of(trace: Expression, value: Expression, expr: Expression) -> Expression:
    """An expression with the trace of a word replaced by a scalar, wherever it occurs."""
    ((term, _),) = trace.terms.items()
    (word,) = term.traces
    found = zero(*expr.shape) if expr.shape else zero()
    for one, coefficient in expr.terms.items():
        others = tuple(other for other in one.traces if other != word)
        factor = value ** (len(one.traces) - len(others))
        found = found + polynomial(coefficient) * factor * product_of(expr, Term(others, one.word))
    return found


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
