"""Moves between equal expressions: definitions put in, names given and written out, factors reordered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from flint import fmpq

from derivations.language.model_letters import OF_THE_MODEL
from derivations.steps.chains.products import Powers, in_place_of, product_of, sum_of_terms
from derivations.steps.chains.record import Record, carries_out
from derivations.steps.held import Held
from derivations.steps.move import DoesNotApply, Move, Rule, SecondRoute
from derivations.steps.rules.exact_routes import differs_exactly
from derivations.steps.rules.stacked import SAME_TASK, Tasks
from symbolic.algebra.coefficients import INVERSE, inverse_of, named_terms
from symbolic.algebra.letters import ONE
from symbolic.algebra.quotients import Rational
from symbolic.algebra.words import Expression, matrix, polynomial, scalar, zero


class Equalities(Record):
    """The rules that lead to an equal expression."""

    @carries_out
    def insert(self, definitions: Mapping[str, Expression], *reads: str, held: Held | None = None) -> Self:
        """Put definitions in for letters. Raises DoesNotApply when a letter does not occur.

        held: compares them with what the steps `reads` state; a definition that none of them states is disproved.
        """
        return self._substitute(Rule.INSERT, definitions, reads, held)

    @carries_out
    def define(self, definitions: Mapping[str, Expression], *reads: str) -> Self:
        """Put in what names of this proof alone stand for: what it is about is written with them, and no step knows them.

        Raises DoesNotApply when one does not occur, or where a definition has no name of its own on either side.
        """
        own = {name: {name, *value.letters()} - OF_THE_MODEL for name, value in definitions.items()}
        for name, names in own.items():
            if not names:
                raise DoesNotApply(
                    f"{Rule.INSERT}: {name} is a letter of the model: a step states what it is"
                )
        return self._substitute(Rule.INSERT, definitions, reads, own=frozenset().union(*own.values()))

    @carries_out
    def expand(self, definitions: Mapping[str, Expression], *reads: str, held: Held | None = None) -> Self:
        """Write abbreviations out, and multiply out. Raises DoesNotApply when one does not occur. held: as for `insert`."""
        return self._substitute(Rule.EXPAND, definitions, reads, held)

    @carries_out
    def write_out(self, *letters: str) -> Self:
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
    def insert_blocks(self, tasks: Tasks, *reads: str, held: Held | None = None) -> Self:
        """Put in what the labelled letters of a sum over tasks stand for. held: as for `insert`."""
        return self._substitute(Rule.INSERT, tasks.definitions(self.result), reads, held)

    @carries_out
    def split_blocks(
        self, letter: str, parts: Expression, tasks: Tasks, *reads: str, held: Held | None = None
    ) -> Self:
        """Write a block diagonal letter as a combination of others. Raises DoesNotApply when it does not occur.

        held: compares the block of the letter with what the steps `reads` state.
        """
        before = self.result
        self._require(Rule.INSERT, before.letters(), (letter,))
        after = before.replace({letter: parts})

        def second_route() -> SecondRoute:
            said = differs_exactly(before, after, {letter: parts})
            other = differs_exactly(tasks.blocks[letter]("1"), tasks.block(parts, SAME_TASK), {})
            said = said or (f"the blocks of {letter} are others" if other else "")
            return "", said or (
                "" if held is None else held.not_stated({letter: tasks.blocks[letter]("1")}, reads)
            )

        own = frozenset({*parts.letters()} - {*before.letters()})
        return self.made(
            Move(
                Rule.INSERT,
                before,
                after,
                reads,
                (letter,),
                {letter: parts},
                second_route,
                held=held is not None,
                held_under=None if held is None else held.assumptions,
                own=own,
            )
        )

    @carries_out
    def name(self, trace: Expression, name: str, *reads: str) -> Self:
        """Give the trace of a word a name, wherever it occurs. Raises DoesNotApply when it does not occur."""
        before = self.result
        found = in_place_of(trace, scalar(name), before)
        if name not in found.scalars():
            raise DoesNotApply(f"{Rule.NAME}: {trace} does not occur")
        return self._named(found, name, trace, reads)

    @carries_out
    def name_number(self, name: str, value: Expression, *reads: str) -> Self:
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
    def use(self, trace: Expression, name: str, *reads: str) -> Self:
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
    def name_word(self, word: Expression, name: str, *reads: str) -> Self:
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
    def write_mean(self, name: str, value: Expression, names: Mapping[str, Expression], *reads: str) -> Self:
        """Write the number that a mean is by names; disproved where these do not make up what the engine found.

        It is the mean found here, or by a chain whose error is carried.
        """
        before = self.result
        known = {**{k: x for one in self.carried for k, x in one.chain.numbers().items()}, **self.numbers()}
        self._require(Rule.EXPAND, known, (name,))
        after = before.replace({name: value})

        def second_route() -> SecondRoute:
            if value.replace(names) != known[name]:
                return "", f"what is put in for {name} is not the mean"
            return "", differs_exactly(before, after, {name: value})

        return self.made(
            Move(Rule.EXPAND, before, after, reads, (name,), {name: value}, second_route, held=True)
        )

    @carries_out
    def write_mean_matrix(self, name: str, *reads: str) -> Self:
        """Write the matrix that a mean is by what the engine found."""
        (value,) = (f.value for f in self._context.fluctuations.values() if f.mean.name == name)
        return self._substitute(Rule.EXPAND, {name: value}, reads)

    @carries_out
    def commute(
        self, commuted: Callable[[Expression], Expression], inverse: str, of: Expression, *reads: str
    ) -> Self:
        """Reorder the factors of traces, as a rule that is given does, where the inverse of a word commutes with them."""
        before = self.result
        after, inverses = commuted(before), {inverse: of}

        def second_route() -> SecondRoute:
            return "", differs_exactly(before, after, {}, inverses)

        return self.made(Move(Rule.COMMUTE, before, after, reads, (), {}, second_route, inverses))

    def _named(self, found: Expression, name: str, stands_for: Expression, reads: tuple[str, ...]) -> Self:
        before = self.result

        def second_route() -> SecondRoute:
            out = {name: stands_for}  # the name may stand there already
            same = found.replace(out) == before.replace(out)
            return "", "" if same else f"{name} written out gives something else"

        return self.made(Move(Rule.NAME, before, found, reads, (name,), {name: stands_for}, second_route))

    def _substitute(
        self,
        rule: Rule,
        values: Mapping[str, Expression],
        reads: tuple[str, ...],
        held: Held | None = None,
        own: frozenset[str] = frozenset(),
    ) -> Self:
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

        # the blocks of a letter that a split brought in were compared there
        split = {name for move in self._moves for name in move.own}
        told = {name: value for name, value in values.items() if name.rstrip("0123456789") not in split}

        def second_route() -> SecondRoute:
            said = differs_exactly(before, after, values)
            return "", said or ("" if held is None else held.not_stated(told, reads))

        return self.made(
            Move(
                rule,
                before,
                after,
                reads,
                tuple(values),
                dict(values),
                second_route,
                held=held is not None,
                held_under=None if held is None else held.assumptions,
                own=own,
            )
        )
