"""From what a proof sets out, and what it puts in on its way, held against what the steps that it reads state.

What is put in for a letter or a name is what a step that the move reads states, what was found above in the same proof, or
what the step itself shows and claims; a parameter that the model leaves free may have any value, and a name of the proof alone
any meaning. Anything else is named.

A part that is a number or a matrix tells a wrong start: it ends elsewhere than at the claim. The sign, the exponent or the
root of a formula does not, so the formula must be stated by a step that the moves read, follow from what is shown before in
the same proof, be what a name stands for in a start that is stated, or be made of names that its moves put in. With letters in
it, it is the mean square distance of a word from its mean that is found just before (`spreads`), what another chain
leaves out, or a side of a move before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from derivations.language.assumptions import Assumptions
from derivations.language.meanings import PARAMETERS
from derivations.steps.chain import Chain, Rule
from derivations.steps.chains.products import present
from derivations.steps.held import stated_by
from derivations.steps.move import Move
from derivations.verification.spreads import is_mean_square
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.words import Expression, reciprocal, scalar

# the parameters of the model, and of the laws of inputs of examples; F follows from the law
FREE = {*PARAMETERS, "q", "k", "low", "high", "along", "across"} - {"F"}
# rules to whose results many other starts would lead too
BLUNT = (Rule.SIGN, Rule.FACTOR, Rule.GRAM, Rule.ORDER, Rule.ROOT)


def unstated_start(chain: Chain, assumptions: Assumptions) -> str:
    """The first start that nothing states although what it leads to would not tell; nothing where there is none."""
    names = _names(chain)
    for first, moves in _sections(chain):
        start, reads = moves[0].before, dict.fromkeys(slug for move in moves for slug in move.reads)
        if _tells(chain, first, moves):
            continue
        if start.letters():
            before = next((moves for k, moves in _sections(chain) if k + len(moves) == first), ())
            if is_mean_square(start, moves, before) or start == chain.left_out_elsewhere.get(first):
                continue
            if any(start in (move.before, move.after) for move in chain.moves[:first]):
                continue
        elif _is_name(start) or _put_in(start, moves):
            continue
        if _follows(start, chain.moves[:first]) or _is_given(start, chain, names, assumptions):
            continue
        if not reads and factor_of_bound(chain, first, moves):
            continue
        if not stated_by(start, reads, names, assumptions):
            said = f"which {', '.join(reads)} do not state" if reads else "and reads no step that states it"
            return f"it sets out from {str(start)[:80]} before move {first + 1}, {said}"
    return ""


def factor_of_bound(chain: Chain, first: int, moves: Sequence[Move]) -> bool:
    """Whether moves order a factor of a bound that the step puts together: what it shows is the order of the whole."""
    shown = any(first + k + 1 in chain.shown for k in range(len(moves) - 1))
    return {move.rule for move in moves} <= {Rule.CHEBYSHEV, Rule.ORDER} and not shown


def _names(chain: Chain) -> dict[str, Expression]:
    """What the names in a chain stand for."""
    found: dict[str, Expression] = {}
    for move in chain.moves:
        found |= {name: value for name, value in move.values.items() if value.is_scalar}
    return found | chain.numbers()


def _follows(start: Expression, moves: Sequence[Move]) -> bool:
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
    found = {side for move in moves for side in [move.before - move.after] if not side.letters()}
    ends = [move.after for move in moves if move.rule is Rule.ROOT]
    found |= {one * other for one in ends for other in ends}
    return any(start in (one, -1 * one, *(scalar(name) * one for name in names)) for one in found)


def _is_given(
    start: Expression, chain: Chain, names: Mapping[str, Expression], assumptions: Assumptions
) -> bool:
    """Whether a start is what a name stands for in another one, which is stated with its names written out; or what a move
    gives a name to.
    """
    if any(move.rule is Rule.NAME and start in move.values.values() for move in chain.moves):
        return True
    mine = {name for name, value in names.items() if value == start}
    for first, moves in _sections(chain):
        if mine & {name.removeprefix(INVERSE) for move in moves for name in move.before.scalars()} and (
            _follows(moves[0].before, chain.moves[:first])
            or stated_by(moves[0].before, [slug for move in moves for slug in move.reads], names, assumptions)
        ):
            return True
    return False


def _sections(chain: Chain) -> Iterator[tuple[int, tuple[Move, ...]]]:
    """The moves from each start to the next one."""
    places = [*sorted(chain.starts), len(chain.moves)]
    for first, end in pairwise(places):
        if end > first:
            yield first, chain.moves[first:end]


def _tells(chain: Chain, first: int, moves: tuple[Move, ...]) -> bool:
    """Whether what moves lead to, or show on their way, would be another from another start."""
    shown = [move for k, move in enumerate(moves) if first + k + 1 in chain.shown]
    return any(move.rule not in BLUNT for move in (*shown, moves[-1]))


def _is_name(start: Expression) -> bool:
    return len(start.terms) == 1 and len(start.scalars()) <= 1


def _put_in(start: Expression, moves: tuple[Move, ...]) -> bool:
    """Whether the first of the moves puts something in for all names, so that these only say what is looked at."""
    given = moves[0].values if moves[0].rule is Rule.INSERT else {}
    return {name.removeprefix(INVERSE) for name in start.scalars()} <= given.keys()


# -- what is put in ------------------------------------------------------------------------------------------


class Origin(StrEnum):
    """Where a value that is put in comes from."""

    CHOSEN = "a value of a parameter"
    OWN = "a name of this proof"
    HELD = "compared with the step that states it"
    FOUND = "found above"
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
    names |= chain.numbers()
    for place, move in enumerate(chain.moves):
        own |= move.own
        if move.rule is not Rule.INSERT:
            continue
        for name in move.letters:
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
    if own & {name, stem} or own & move.own & {*value.letters()}:
        return Origin.OWN
    if _found(chain, place, value, move):
        return Origin.FOUND
    if any(isinstance(part, Expression) and part == value for part in chain.parts.values()):
        return Origin.SHOWN
    return Origin.STATED if stated_by(value, move.reads, names, assumptions) else Origin.UNKNOWN


def _found(chain: Chain, place: int, value: Expression, move: Move) -> bool:
    """Whether a value is what a move above leads to, or a chain whose error is carried; or that at the parameters that are put
    in with it.
    """
    ends = [one.after for one in chain.moves[:place]] + [one.chain.result for one in chain.carried]
    numbers = {name: x for name, x in move.values.items() if name in FREE and x.is_scalar}
    return value in ends or any(
        value == end.replace(present(end, numbers)) for end in ends if not end.letters()
    )
