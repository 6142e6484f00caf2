"""What a chain of moves is: expressions that lead from one to the next, what they show, and what they leave out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.steps.chains.products import Part, by_powers, degree_of_powers, written
from derivations.steps.domains import ANYWHERE, Where
from derivations.steps.move import DoesNotApply, Growth, Move, Rule
from derivations.steps.rules.expansions import Context
from derivations.steps.rules.stacked import SAME_TASK
from symbolic.algebra.words import Expression, constant, polynomial, scalar
from symbolic.proofs.asymptotics import Exponent, degree, largest

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Record")


def carries_out(rule: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """A rule: what it makes of the present expression of a chain is a move, which keeps how to carry it out again.

    Nothing else makes moves.
    """

    @wraps(rule)
    def carried(chain: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return chain._carried_out(lambda one: rule(one, *args, **kwargs))

    return carried


@dataclass(frozen=True)
class Carried:
    """A chain whose error is carried along, and what it is multiplied by."""

    chain: Record
    factor: Expression


@dataclass(frozen=True)
class Elsewhere:
    """A start that another chain leaves out, or leads to on an event."""

    chain: Record
    start: Expression


class Record:
    """The moves from a starting expression to `result`, what they show, and what they leave out."""

    def __init__(self, start: Expression) -> None:
        self.start = start
        self._moves: list[Move] = []
        self._starts: dict[int, Expression] = {0: start}
        self._left_out: dict[int, Elsewhere] = {}
        self._under: dict[int, Assumptions] = {}
        self._parts: dict[str, Part] = {}
        self._shown: dict[int, list[str]] = {}
        self._written_out: dict[int, list[Expression]] = {}
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

    def begin(self, start: Expression, under: Assumptions | None = None) -> Self:
        """Set out from another expression: what the chain has shown so far is known from here on.

        under: the assumptions under which a step states it, where these are not those of the proof.
        """
        self._starts[len(self._moves)] = start
        if under is not None:
            self._under[len(self._moves)] = under
        return self

    @property
    def under(self) -> Mapping[int, Assumptions]:
        """Under which assumptions starts are stated, where these are others, by the number of moves before."""
        return self._under

    def begin_left_out(self, other: Record, rule: Rule = Rule.KEEP) -> Self:
        """Set out from what the one move of another chain by a rule leaves out: one that keeps orders, or that averages
        fluctuations away.
        """
        (kept,) = (move for move in other.moves if move.rule is rule)
        return self._begin_elsewhere(other, kept.before - kept.after)

    def begin_on_event(self, other: Record, root: str, power: int) -> Self:
        """Set out from what another chain leads to, to a power, times the probability of an event: what is left of it there.

        root: the name of the root of that probability.
        """
        return self._begin_elsewhere(other, other.result**power * scalar(root) ** 2)

    def _begin_elsewhere(self, other: Record, start: Expression) -> Self:
        self._left_out[len(self._moves)] = Elsewhere(other, start)
        return self.begin(start)

    @property
    def left_out_elsewhere(self) -> Mapping[int, Elsewhere]:
        """The starts that another chain leaves out, or leads to on an event, by the number of moves before."""
        return self._left_out

    @property
    def parts(self) -> Mapping[str, Part]:
        """What the chain shows, by the label of the part: see `shows`."""
        return self._parts

    def shows(self, label: str, written_out: Mapping[str, Part] | None = None) -> Self:
        """The present expression is this part of the step, its abbreviations written out for the comparison."""
        return self._show(label, written(self.result, {**self.numbers(), **self._writes_out(written_out)}))

    def shows_number(self, label: str) -> Self:
        """The number of which the present matrix is a multiple of the identity is this part of the step.

        Raises DoesNotApply when it is no such matrix.
        """
        ((term, number),) = self.result.terms.items() if len(self.result.terms) == 1 else ((None, None),)
        if term is None or number is None or term.traces or term.word != ():
            raise DoesNotApply(f"{self.result} is no multiple of the identity")
        return self._show(label, written(polynomial(number), self.numbers()))

    def _writes_out(self, values: Mapping[str, Part] | None) -> Mapping[str, Part]:
        here = self._written_out.setdefault(len(self._moves), [])
        here += [value for value in (values or {}).values() if isinstance(value, Expression)]
        return values or {}

    def shows_order(self, label: str, growth: str) -> Self:
        """The order of what the last move leaves out is this part of the step; raises Refused where it is not known."""
        return self._show(label, self._last(Rule.KEEP).order_of_error()[growth].sympy())

    def shows_degree(self, label: str, factor: Fraction | int = 1) -> Self:
        """The order that the last move has found, times a number, is this part of the step."""
        return self._show(label, self.degree().scaled(factor).sympy())

    def shows_sign(self, label: str) -> Self:
        """The sign that the last move has certified is this part of the step: 1 where a matrix is positive semidefinite."""
        move = self._moves[-1] if self._moves else None
        if move is not None and move.rule is Rule.GRAM:
            return self._show(label, sympy.Integer(1))
        if move is not None and move.rule is Rule.LEAST:
            return self._show(label, to_sympy(move.after))
        return self._show(label, to_sympy(self._last(Rule.SIGN).after))

    def shows_largest(self, label: str, *products: Mapping[int, Fraction | int]) -> Self:
        """The largest of the orders of products is this part of the step: powers of what moves have ordered, by their place."""
        orders = []
        for product in products:
            total = Exponent(Fraction(0))
            for place, power in product.items():
                total = total + degree_of_powers(self._moves[place].after).scaled(power)
            orders.append(total)
        return self._show(label, largest(orders).sympy())

    def where(self, place: int) -> Where:
        """For which values what the first `place` moves lead to says something of what they set out from, with what was
        found before and is put in.
        """
        if not place:
            return ANYWHERE
        begin = max(k for k in self._starts if k < place)
        found = self._where_found(self._starts[begin], begin)
        for move in self._moves[begin:place]:
            for value in move.values.values():
                found = found & self._where_found(value, begin)
            found = found & move.restricts
        return found

    def _where_found(self, value: Expression, before: int) -> Where:
        """For which values an expression was found by the moves before, the last to lead to it; any where none does."""
        told = (Rule.SIGN, Rule.LEAST, Rule.GRAM)
        place = next(
            (
                k
                for k in range(before, 0, -1)
                if (move := self._moves[k - 1]).rule not in told and move.after == value
            ),
            0,
        )
        return self.where(place)

    def degree(self) -> Exponent:
        """The order that the last move has found."""
        return degree_of_powers(self._last(Rule.ORDER).after)

    def _last(self, rule: Rule) -> Move:
        """The last move, which must be one by that rule; raises ValueError where it is another."""
        if not self._moves or self._moves[-1].rule is not rule:
            raise ValueError(f"the last move is not by the rule {rule}")
        return self._moves[-1]

    def _show(self, label: str, value: Part) -> Self:
        if len(self._moves) in self._starts:
            raise ValueError(f"{label}: no move has led to it yet")
        self._parts[label] = value
        return self._mark(label)

    def _mark(self, label: str) -> Self:
        here = self._shown.setdefault(len(self._moves), [])
        if label not in here:
            here.append(label)
        return self

    @property
    def shown(self) -> Mapping[int, Sequence[str]]:
        """The labels of the parts shown, by the number of moves before."""
        return self._shown

    @property
    def written_out(self) -> Mapping[int, Sequence[Expression]]:
        """What is put in for abbreviations of the parts shown, by the number of moves before."""
        return self._written_out

    def names(self, label: str, definitions: Callable[[], Mapping[str, Expression]]) -> Self:
        """The present expression is how this part reads with its names; `definitions`: what they stand for, in order."""
        self._named_parts[label] = self.result, definitions
        return self._mark(label)

    @property
    def named_parts(self) -> Mapping[str, tuple[Expression, Callable[[], Mapping[str, Expression]]]]:
        """The parts that have a form with names, and what these stand for: see `names`."""
        return self._named_parts

    # -- what is left out ------------------------------------------------------------------------------------

    def carry(self, found: Record, letter: str = "") -> Self:
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

    # -- how moves are made ---------------------------------------------------------------------------------------

    def made(self, move: Move) -> Self:
        """Take over a move that a rule has made from the present expression.

        Raises ValueError for one that no rule makes, and for one that sets out from another expression.
        """
        if self._again is None:
            raise ValueError(f"{move.rule}: only a rule makes moves (`carries_out`)")
        if move.before != self.result:
            raise ValueError(f"{move.rule}: a move sets out from the present expression")
        self._moves.append(replace(move, again=self._again))
        return self

    def _carried_out(self, rule: Callable[[Self], R]) -> R:
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

    def _copy(self) -> Self:
        """The same moves and meanings, to go on from here without a trace."""
        found = type(self)(self.start)
        found._moves, found._starts = [*self._moves], {**self._starts}
        found._left_out, found._under = {**self._left_out}, {**self._under}
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
