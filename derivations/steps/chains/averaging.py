"""Moves that average over random letters, and sum over tasks that are alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

from derivations.steps.chains.record import Record, carries_out
from derivations.steps.move import DoesNotApply, Known, Move, Rule, SecondRoute
from derivations.steps.rules.exact_routes import differs_on_stacks
from derivations.steps.rules.stacked import NotStacked, Tasks, over_tasks
from derivations.steps.second_routes import compared
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import Expression, matrix, polynomial, tr, zero
from symbolic.averages.expectation import expect
from symbolic.averages.rows import BeyondFourthMoment, expect_rows


class Averaging(Record):
    """The rules for averages and for sums over tasks."""

    @carries_out
    def average(self, *letters: str, reads: Collection[str] = ()) -> Self:
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
    def average_rows(self, *letters: str, fourth: Expression, reads: Collection[str] = ()) -> Self:
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
    ) -> Self:
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
    ) -> Self:
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
    def sum_tasks(self, tasks: Tasks, *reads: str) -> Self:
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

    def _averaged(
        self, rule: Rule, after: Expression, letters: tuple[str, ...], reads: tuple[str, ...]
    ) -> Self:
        before = self.result

        def second_route() -> SecondRoute:
            return compared(before, letters, after, {})

        return self.made(Move(rule, before, after, reads, letters, {}, second_route))
