"""From what a proof sets out, held against what the steps that it reads state.

A part that is a number or a matrix tells a wrong start: it ends elsewhere than at the claim. The sign, the exponent or the
root of a formula does not, so the formula must be stated by a step that the moves read, follow from what is shown before in
the same proof, be what a name stands for in a start that is stated, or be made of names that its moves put in.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import NormalForm, normal_form
from derivations.steps.chain import Chain, DoesNotApply, Rule, written
from derivations.steps.move import Move
from derivations.steps.neglected import Quantity
from derivations.steps.step import Step
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.quotients import NotRational
from symbolic.algebra.words import Expression, reciprocal, scalar

# rules to whose results many other starts would lead too
BLUNT = (Rule.SIGN, Rule.FACTOR, Rule.GRAM, Rule.ORDER, Rule.ROOT)


def unstated_start(chain: Chain, assumptions: Assumptions) -> str:
    """The first start that nothing states although what it leads to would not tell; nothing where there is none."""
    names = _names(chain)
    for first, moves in _sections(chain):
        start, reads = moves[0].before, dict.fromkeys(slug for move in moves for slug in move.reads)
        if start.letters() or _tells(chain, first, moves) or _is_name(start) or _put_in(start, moves):
            continue
        if _follows(start, chain.moves[:first]) or _is_given(start, chain, names, assumptions):
            continue
        if not reads and factor_of_bound(chain, first, moves):
            continue
        if not _stated_by(start, reads, names, assumptions):
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


def _stated_by(
    start: Expression, reads: Iterable[str], names: Mapping[str, Expression], assumptions: Assumptions
) -> bool:
    return any(_same(start, part, names) for slug in reads for part in _stated(slug, assumptions))


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
            or _stated_by(
                moves[0].before, [slug for move in moves for slug in move.reads], names, assumptions
            )
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


@lru_cache(maxsize=256)
def _stated(slug: str, assumptions: Assumptions) -> tuple[Quantity, ...]:
    """What a step derives, as it reads with its names too, or claims where it derives nothing."""
    # named, not imported: the result of a step does not depend on the contents, but on the steps it rests on
    step: Step = importlib.import_module("derivations.steps.contents").named(slug)
    try:
        if step.derive is not None:
            named = {} if step.derivation is None else step.derivation(assumptions).named_parts
            return (*(form for form, _ in named.values()), *step.derive(assumptions).values())
    except (DoesNotApply, NotDerivable):
        return ()
    return tuple(step.claim().values()) if step.claim is not None else ()


def _same(start: Expression, part: Quantity, names: Mapping[str, Expression]) -> bool:
    if isinstance(part, Expression) and part == start:
        return True
    try:
        return _normal(start, names).minus(_normal(part, names)).is_zero()
    except (NotRational, ValueError, TypeError):
        return False


def _normal(value: Quantity, names: Mapping[str, Expression]) -> NormalForm:
    return normal_form(written(value, names) if isinstance(value, Expression) else value)
