"""Mean square distances, from which proofs of an order set out: of a word from its mean, or from an independent copy.

An order does not tell twice a start from the start, nor one word from another: what a proof sets out from must be the square that
belongs to the mean found just before, of the same word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from derivations.steps.move import Move, Rule
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.words import Expression, identity, letter_expression, polynomial, scalar, tr, zero

COPY = "_copy"
TASKS = "0123456789"


def is_mean_square(start: Expression, moves: Sequence[Move], before: Sequence[Move]) -> bool:
    """Whether a start is the mean square distance of a word from its mean, which the moves just before find, or that from
    a copy. Own names, of the word and of the same word between two tasks, must stand for what they stood for there.
    """
    own = {name: one.values[name] for one in moves for name in one.own & one.values.keys()}
    if _from_copies(start, own):
        return True
    if not before:
        return False
    known = {name: one.values[name] for one in before for name in one.own & one.values.keys()}
    if any(own[name] != known[name] for name in own.keys() & known.keys()):
        return False
    squares = [one for centre in _centres(moves, before) for one in _squares(before[0].before, centre)]
    for name, letter in start.letters().items():
        if name in own and name not in known and _between_tasks(own[name], known.values()):
            other = letter_expression(letter)
            squares += [one + tr(other @ other.T) for one in squares]
    return start in squares


def _centres(moves: Sequence[Move], before: Sequence[Move]) -> list[Expression]:
    """Zero where the moves before end at a mean of zero, else the names that stand for the mean that they find."""
    if before[-1].after.is_zero:
        return [zero()]
    means = [one.after for one in before]
    put_in = [one for one in moves if one.rule in (Rule.INSERT, Rule.EXPAND)]
    return [scalar(name) for one in put_in for name in one.letters if one.values.get(name) in means]


def _squares(mean: Expression, centre: Expression) -> Iterator[Expression]:
    """The squares of what the mean is taken of minus a centre: of a number, or summed over the elements of a matrix, where a
    trace over its size is looked at.
    """
    if not mean.is_scalar:
        return
    yield (mean - centre) ** 2
    if len(mean.terms) != 1:
        return
    ((term, coefficient),) = mean.terms.items()
    if len(term.traces) != 1 or term.word is not None:
        return
    (factors,) = term.traces
    letters = {name: letter_expression(one) for name, one in mean.letters().items()}
    for size in (name.removeprefix(INVERSE) for name in mean.scalars() if name.startswith(INVERSE)):
        number = polynomial(coefficient) * scalar(size)
        for k in range(len(factors)):
            word: Expression | None = None
            for name, transposed in (*factors[k:], *factors[:k]):
                factor = letters[name].T if transposed else letters[name]
                word = factor if word is None else word @ factor
            if word is not None and word.shape == (size, size):
                error = number * word - centre * identity(size)
                yield tr(error @ error.T)


def _from_copies(start: Expression, own: Mapping[str, Expression]) -> bool:
    """Whether a start is a sum of x^2 - x x', with an element x' of an independent copy for each element x."""
    letters = start.letters()
    copies = {name: name.removesuffix(COPY) for name in letters if name.endswith(COPY)}
    if not copies or not {*copies, *copies.values()} <= own.keys():
        return False
    same = {name: letter_expression(letters[first]) for name, first in copies.items()}
    apart = {name: zero(*(letters[name].rows, letters[name].columns)) for name in copies}
    squares = start.replace(apart)
    alike = all(_any_task(own[name]) == _any_task(own[first]) for name, first in copies.items())
    disjoint = all(not _drawn(own[name]) & _drawn(own[first]) for name, first in copies.items())
    return alike and disjoint and start.replace(same).is_zero and _sum_of_squares(squares)


def _sum_of_squares(expr: Expression) -> bool:
    return all(
        coefficient.is_one() and len(term.traces) == 2 and term.traces[0] == term.traces[1]
        for term, coefficient in expr.terms.items()
    )


def _drawn(value: Expression) -> set[str]:
    return {name for name, letter in value.letters().items() if letter.random}


def _between_tasks(value: Expression, known: Collection[Expression]) -> bool:
    """Whether a value is one of those known, with rows of two tasks for those of one."""
    return _any_task(value) in [_any_task(one) for one in known]


def _any_task(value: Expression) -> Expression:
    """A value with the same task everywhere; as it is where letters would be taken for others."""
    drawn = {name: replace(one, name="") for name, one in value.letters().items() if one.random}
    stems = {name: name.rstrip(TASKS) for name in drawn}
    if any(drawn[a] != drawn[b] for a in drawn for b in drawn if stems[a] == stems[b]):
        return value
    return value.replace({name: letter_expression(replace(drawn[name], name=stems[name])) for name in drawn})
