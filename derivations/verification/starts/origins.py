"""From what a proof sets out, and what it puts in on its way, held against what the steps that it reads state.

What is put in for a letter or a name, or written out for it, is what a step that the move reads states, what was found above in
the same proof or given that name there, or what the step itself shows and claims; a parameter that the model leaves free may have any value, and a name of the proof alone
any meaning. Anything else is named.

A part that shows a number or a matrix, or goes into one that does, tells a wrong start: it ends elsewhere than at the claim
(`sections`). The sign, the exponent, the slope or the limit of a formula does not, so the formula must be stated by a step that
the moves read, follow from what is shown before in the same proof, be what a name stands for in a start that is stated, or be
the distance of two names that its moves put in. With letters in it, it is the mean square distance of a word from its mean that is found
just before (`spreads`), that mean, what the proof of a step that is read leaves out, or a side of a move before, a term or a trace of it. What
names stand for in such parts: `bindings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise, takewhile

from sympy import Trace

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import equal
from derivations.steps.chain import Chain, Rule
from derivations.steps.chains.products import Part
from derivations.steps.chains.record import Elsewhere
from derivations.steps.held import left_open, proves, stated, stated_by
from derivations.steps.move import Move
from derivations.verification.starts.sections import (
    FREE,
    Section,
    is_found,
    names_in,
    sections,
    telling,
)
from derivations.verification.starts.spreads import is_mean_square
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.words import Expression, letter_expression, reciprocal, scalar


def unstated_start(chain: Chain, assumptions: Assumptions) -> str:
    """The first unjustified start of a part whose result would not reveal a wrong start; empty if there is none."""
    told, parts, squares = telling(chain), list(sections(chain)), squares_of_means(chain)
    changes = _Changes()
    # the mean from which the next part takes the distance is that of the same word
    known = {*told, *squares, *squares.values()}
    for one in parts:
        start, reads = one.start, dict.fromkeys(slug for move in one.moves for slug in move.reads)
        if one.first in known:
            continue
        if _is_name(start):
            fault = _invented(chain, one, assumptions)
            if fault:
                return fault
            continue
        elsewhere = chain.left_out_elsewhere.get(one.first)
        if elsewhere is not None and start == elsewhere.start:
            wrong = _reads_another(elsewhere, one, assumptions)
            if wrong is None:
                continue
            said = f"whose proof is not that of {', '.join(wrong) or 'a step that it reads'}"
            return f"it sets out from what another proof leads to before move {one.first + 1}, {said}"
        before, under = chain.moves[: one.first], chain.under.get(one.first, assumptions)
        if start.letters():
            sides = [side for move in before for side in (move.before, move.after)]
            sides += [part for slug in reads for part in stated(slug, under) if isinstance(part, Expression)]
            if any(is_part(start, x) for x in sides):
                continue
            if is_mean_square(start, one.moves, ()):
                continue
        elif _put_in(start, one.moves):
            fault = _held_otherwise(chain, one)
            if fault:
                return fault
            if _is_distance(start):
                continue
        names, letters = names_in(chain, one), _letters(parts)
        if _follows(start, before, changes) or _is_given(start, chain, names, assumptions, changes):
            continue
        told_as = [(start, names)]
        if letters:
            told_as.append((_in_words(start, letters), {k: _in_words(x, letters) for k, x in names.items()}))
        if not any(stated_by(value, reads, inside, under) for value, inside in told_as):
            said = f"which {', '.join(reads)} do not state" if reads else "and reads no step that states it"
            return f"it sets out from {str(start)[:80]} before move {one.first + 1}, {said}"
    return ""


def _reads_another(elsewhere: Elsewhere, one: Section, assumptions: Assumptions) -> Sequence[str] | None:
    """The steps that the first move of this part reads and that are not proved by the chain from which it sets out; None if
    every move reads such a step. Moves that read nothing are justified by their rule.
    """
    reading = [move.reads for move in one.moves if move.reads]
    return next((reads for reads in reading or [()] if not proves(elsewhere.chain, reads, assumptions)), None)


def _letters(parts: Iterable[Section]) -> dict[str, Expression]:
    """What is put in for letters that a proof sets out from."""
    found: dict[str, Expression] = {}
    for one in parts:
        move = one.moves[0]
        if move.rule is Rule.INSERT and one.start.letters() and _is_name(one.start):
            found |= {name: value for name, value in move.values.items() if name in one.start.letters()}
    return found


def _in_words(value: Expression, letters: Mapping[str, Expression]) -> Expression:
    present = value.letters().keys() & letters.keys()
    return value.replace({name: letters[name] for name in present}) if present else value


def squares_of_means(chain: Chain) -> dict[int, int]:
    """The starts that are mean square distances, each with that of its mean."""
    parts = list(sections(chain))
    return {later.first: one.first for one, later in pairwise(parts) if _is_square_of(later, one, parts)}


def _is_square_of(one: Section, before: Section, parts: Sequence[Section]) -> bool:
    """Whether a part sets out from the mean square distance of a word from the mean found just before; where it is written
    on in other parts, in each of them, from the mean that was written on with the same names.
    """
    return all(
        any(
            is_mean_square(one.start, (*one.moves, *more), (*before.moves, *same))
            for same in _written_on(before, parts)
        )
        for more in _written_on(one, parts)
    )


def _written_on(one: Section, parts: Sequence[Section]) -> list[tuple[Move, ...]]:
    """The moves of the parts that set out from the end of another; none where there is no such part."""
    return [later.moves for later in parts if later.first > one.first and later.start == one.sides[-1]] or [
        ()
    ]


def is_part(start: Expression, side: Expression) -> bool:
    """Whether a start is a side of a move, a term of it or a trace in it."""
    if start == side:
        return True
    if len(start.terms) != 1 or not start.is_scalar:
        return False
    ((term, coefficient),) = start.terms.items()
    if side.terms.get(term) == coefficient:
        return True
    # moments of it too
    alone = coefficient.is_one() and len({*term.traces}) == 1
    return alone and any(term.traces[0] in one.traces for one in side.terms)


class _Changes:
    """What moves take away from a scalar, each found once: the scalars may be long."""

    def __init__(self) -> None:
        self._known: dict[int, Expression] = {}

    def of(self, move: Move) -> Expression:
        """The scalar before the move less that after it."""
        found = self._known.get(id(move))
        if found is None:
            found = self._known[id(move)] = move.before - move.after
        return found


def _follows(start: Expression, moves: Sequence[Move], changes: _Changes) -> bool:
    """Whether a start is a side of a move before, the numerator or the denominator of a fraction found there, or the
    difference or the product of two of them; with any sign, and times a power of a name.
    """
    sides = [side for move in moves for side in (move.before, move.after) if not side.letters()]
    fractions = [move for move in moves if move.rule is Rule.FRACTION]
    sides += [value for move in fractions for name, value in move.values.items() if name in move.letters]
    if any(start in (side, -1 * side) for side in sides):
        return True
    if any(start * reciprocal(name) == move.after for move in fractions for name in move.letters):
        return True
    names = start.scalars()
    found = {side for move in moves for side in [changes.of(move)] if not side.letters()}
    ends = [move.after for move in moves if move.rule is Rule.ROOT]
    found |= {one * other for one in ends for other in ends}
    return any(start in (one, -1 * one, *(scalar(name) * one for name in names)) for one in found)


def _is_given(
    start: Expression,
    chain: Chain,
    names: Mapping[str, Expression],
    assumptions: Assumptions,
    changes: _Changes,
) -> bool:
    """Whether a start is what a name stands for in another one, which is stated with its names written out; or what a move
    gives a name to.
    """
    if any(move.rule is Rule.NAME and start in move.values.values() for move in chain.moves):
        return True
    mine = {name for name, value in names.items() if value == start}
    for one in sections(chain):
        if mine & {name.removeprefix(INVERSE) for move in one.moves for name in move.before.scalars()} and (
            _follows(one.start, chain.moves[: one.first], changes)
            or stated_by(one.start, [slug for move in one.moves for slug in move.reads], names, assumptions)
        ):
            return True
    return False


def _is_name(start: Expression) -> bool:
    """Whether a start is a letter, or a power of a name: what it stands for is put in, or it is free."""
    if start.letters():
        return any(start == letter_expression(one) for one in start.letters().values())
    names = start.scalars()
    return any(start == scalar(name) ** power for name in names for power in (1, 2)) and len(names) == 1


def _put_in(start: Expression, moves: Sequence[Move]) -> bool:
    """Whether the first moves put something in for all names."""
    put_in = takewhile(lambda move: move.rule is Rule.INSERT, moves)
    given = {name for move in put_in for name in move.letters}
    return {name.removeprefix(INVERSE) for name in start.scalars()} <= given


def _invented(chain: Chain, one: Section, assumptions: Assumptions) -> str:
    """The formula that a name from which a part sets out stands for, where no step states it and it was not found above; empty
    if there is none. A step states what is a term or a trace of a part of it.
    """
    names, under = names_in(chain, one), chain.under.get(one.first, assumptions)
    mine = {name.removeprefix(INVERSE) for name in (*one.start.scalars(), *one.start.letters())}
    for k, move in enumerate(one.moves):
        for name in () if move.held else mine & move.values.keys():
            value, place = move.values[name], one.first + k
            if not (value.scalars() or value.letters()):
                continue
            if _found(chain, place, value, move) or stated_by(value, move.reads, names, under):
                continue
            told = [part for slug in move.reads for part in stated(slug, under)]
            if not (
                value.letters() and (_is_part_of_any(value, told) or _is_trace_of_put_in(value, one.moves))
            ):
                return f"move {place + 1}: it sets out from {name}, and no step states the formula that is put in for it"
    return ""


def _is_part_of_any(value: Expression, parts: Iterable[Part]) -> bool:
    """Whether a word is a part, a term or a trace of one, or a trace in a formula."""
    for part in parts:
        if isinstance(part, Expression):
            if is_part(value, part):
                return True
        elif _is_alone(value) and any(equal(one, value) for one in part.atoms(Trace)):
            return True
    return False


def _is_trace_of_put_in(value: Expression, moves: Sequence[Move]) -> bool:
    """Whether a word is one trace, for all letters of which the moves put in something that does not come from nowhere
    (`unheld`).
    """
    put_in = {name for move in moves if move.rule is Rule.INSERT for name in {*move.letters} - move.own}
    return _is_alone(value) and {*value.letters()} <= put_in


def _is_alone(value: Expression) -> bool:
    """Whether a word is one trace, once."""
    if len(value.terms) != 1 or not value.is_scalar:
        return False
    ((term, coefficient),) = value.terms.items()
    return coefficient.is_one() and len(term.traces) == 1


def _is_distance(start: Expression) -> bool:
    """Whether a start is one name less another: it says what is compared, and nothing of either."""
    names = sorted(start.scalars())
    return len(names) == 2 and start in (
        scalar(names[0]) - scalar(names[1]),
        scalar(names[1]) - scalar(names[0]),
    )


def _held_otherwise(chain: Chain, one: Section) -> str:
    """The first formula put in that none of the steps it is compared with states, once its names are replaced by what they
    mean in the later moves; empty if there is none.
    """
    names = names_in(chain, one)
    for name in left_open(slug for move in one.moves for slug in move.reads):
        names.pop(name, None)
    for k, move in enumerate(takewhile(lambda move: move.rule is Rule.INSERT, one.moves)):
        for name, value in move.values.items():
            inside = {x.removeprefix(INVERSE) for x in value.scalars()} & names.keys()
            if move.held_under and inside and not stated_by(value, move.reads, names, move.held_under):
                said = f"{', '.join(sorted(inside))} stand for something else below"
                return f"move {one.first + k + 1}: {', '.join(move.reads)} do not state {name}, or {said}"
    return ""


# -- what is put in ------------------------------------------------------------------------------------------


# by which a name is given to a word, a fluctuation or a mean, and held to it by the rule's own second route
GIVES_NAME = (Rule.NAME, Rule.MEAN, Rule.INVERSE)


class Origin(StrEnum):
    """Where a value that is put in comes from."""

    CHOSEN = "a value of a parameter"
    OWN = "a name of this proof"
    HELD = "compared with the step that states it, or with what was found of it"
    FOUND = "found above"
    NAMED = "what was given the name above"
    COUNTED = "the rows of all tasks that are stacked"
    SHOWN = "what the step claims"
    STATED = "as a step that is read states it"
    UNKNOWN = "not said"


def unheld(chain: Chain, assumptions: Assumptions) -> str:
    """The first value that is put in and comes from nowhere; nothing where there is none, nor where an extension states the
    steps of the inner loop.
    """
    if assumptions.added:
        return ""
    for place, name, origin in origins(chain, assumptions):
        if origin is Origin.UNKNOWN:
            move = chain.moves[place]
            read = f"{', '.join(move.reads)} do not state it" if move.reads else "no step is read"
            return f"move {place + 1}, {move.rule}: where {name} comes from is not said: it was not found above, and {read}"
    return ""


def origins(chain: Chain, assumptions: Assumptions) -> Iterator[tuple[int, str, Origin]]:
    """Of every value that is put in: the number of moves before, the name, and where the value comes from."""
    own: set[str] = set()
    names = {name: value for move in chain.moves for name, value in move.values.items() if value.is_scalar}
    names = {name: value for name, value in (names | chain.numbers()).items() if name not in FREE}
    for place, move in enumerate(chain.moves):
        own |= move.own
        if move.rule not in (Rule.INSERT, Rule.EXPAND):
            continue
        # the square of the spread of a root is compared with the root by the rule that writes it out
        for name in (name for name in move.letters if name in move.values):
            yield place, name, _origin(chain, place, name, own, names, assumptions)


def _origin(
    chain: Chain,
    place: int,
    name: str,
    own: set[str],
    names: Mapping[str, Expression],
    assumptions: Assumptions,
) -> Origin:
    move, stem = chain.moves[place], name.rstrip("0123456789")
    value = move.values[name]
    if move.held:
        return Origin.HELD
    if name in FREE:
        return Origin.CHOSEN
    if _found(chain, place, value, move):
        return Origin.FOUND
    if move.rule is Rule.EXPAND:
        if _named(name, value, chain.moves[:place]):
            return Origin.NAMED
        if any(one.tasks and (one.tasks.stacked, one.tasks.total) == (name, value) for one in chain.moves):
            return Origin.COUNTED
    if own & {name, stem} or own & move.own & {*value.letters()}:
        return Origin.OWN
    if any(isinstance(part, Expression) and part == value for part in chain.parts.values()):
        return Origin.SHOWN
    return Origin.STATED if stated_by(value, move.reads, names, assumptions) else Origin.UNKNOWN


def _named(name: str, value: Expression, moves: Sequence[Move]) -> bool:
    """Whether a move gave the name to the value, or to a word that stands for it by a name of its own."""
    words = {x: word for move in moves if move.rule is Rule.NAME for x, word in move.values.items()}
    given = [move.values[name] for move in moves if move.rule in GIVES_NAME and name in move.values]
    return any(value in (one, _in_words(one, words)) for one in given)


def _found(chain: Chain, place: int, value: Expression, move: Move) -> bool:
    """Whether a value is what a move above leads to, or a chain whose error is carried; or that at the parameters that are put
    in with it.
    """
    ends = (*(one.after for one in chain.moves[:place]), *(one.chain.result for one in chain.carried))
    return is_found(value, move, ends)
