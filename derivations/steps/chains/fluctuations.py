"""Moves that expand about means: words split into mean and fluctuation, inverses expanded, small products left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

from derivations.steps.chains.products import product_of
from derivations.steps.chains.record import Record, carries_out
from derivations.steps.move import DoesNotApply, Growth, Move, Rule, SecondRoute
from derivations.steps.rules.exact_routes import differs_exactly
from derivations.steps.rules.expansions import Fluctuation, Mean, mean_of, series
from derivations.steps.rules.stacked import Tasks
from symbolic.algebra.coefficients import named_terms
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import Expression, letter_expression, matrix, polynomial, scalar, zero
from symbolic.proofs.asymptotics import Exponent

# a number by which every fluctuation is multiplied to count them
SMALL = "small"


class Fluctuations(Record):
    """The rules for what fluctuates about a mean."""

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
    ) -> Self:
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
    def split_mean(self, letter: str, mean: Mean, fluctuation: str, tasks: Tasks, *reads: str) -> Self:
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
    ) -> Self:
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
    def average_fluctuations(self, *reads: str) -> Self:
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

    def _fluctuation(
        self, rule: Rule, letter: str, word: Expression, mean: Mean, tasks: Tasks
    ) -> Fluctuation:
        if letter in self.result.letters():
            raise DoesNotApply(f"{rule}: {letter} has a meaning already")
        value = mean_of(word, tasks, mean, rule, self.numbers())
        found = Fluctuation(letter, word, mean, value, tasks)
        self._context.fluctuations[letter] = found
        return found
