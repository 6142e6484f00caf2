"""The parts of a proof, from each start to the next, and which of them tell a wrong start.

A part tells that shows a number or a matrix: from another start it ends elsewhere than at the claim. So does one whose end
goes into a part that tells. The sign, the exponent, the slope or the limit of a formula, and the place where it is least,
are those of many formulas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from derivations.language.meanings import PARAMETERS
from derivations.steps.chain import Chain, Rule
from derivations.steps.chains.products import present
from derivations.steps.move import Move
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.words import Expression, scalar

# the parameters of the model, and of the laws of inputs of examples; F follows from the law
FREE = {*PARAMETERS, "q", "k", "low", "high", "along", "across"} - {"F"}
# rules to whose results many other starts would lead too
BLUNT = (
    Rule.SIGN,
    Rule.FACTOR,
    Rule.GRAM,
    Rule.ORDER,
    Rule.ROOT,
    Rule.LEAST,
    Rule.DIFFERENTIATE,
    Rule.LIMIT,
)


@dataclass(frozen=True, eq=False)
class Section:
    """The moves from a start to the next one; first: the number of moves before."""

    first: int
    moves: tuple[Move, ...]

    @property
    def start(self) -> Expression:
        """What it sets out from."""
        return self.moves[0].before

    @cached_property
    def sides(self) -> tuple[Expression, ...]:
        """What its moves lead to."""
        return tuple(move.after for move in self.moves)

    @property
    def last(self) -> int:
        """The number of moves of the proof at its end."""
        return self.first + len(self.moves)


def sections(chain: Chain) -> Iterator[Section]:
    """The parts of a chain that have moves, in order."""
    for first, end in pairwise([*sorted(chain.starts), len(chain.moves)]):
        if end > first:
            yield Section(first, chain.moves[first:end])


def names_in(chain: Chain, one: Section) -> dict[str, Expression]:
    """What the names in a chain stand for, and in one part of it; numbers that are put in for parameters are no names, and
    a name that the proof defines keeps its definition even when a value has been found for it.
    """
    found: dict[str, Expression] = {}
    for move in (*chain.moves, *one.moves):
        stands = (item for item in move.values.items() if not is_parameter(item[0], move))
        found |= {name: value for name, value in stands if value.is_scalar}
    found |= chain.numbers()
    for move in (*chain.moves, *one.moves):
        found |= {name: move.values[name] for name in move.own if name in found and name in move.values}
    return found


def is_parameter(name: str, move: Move) -> bool:
    """Whether a move puts a number in for a parameter, by which the model and its examples are chosen."""
    return name in FREE and (name in PARAMETERS or move.rule is Rule.INSERT)


def telling(chain: Chain) -> frozenset[int]:
    """The starts that tell, by the number of moves before."""
    parts, found = list(sections(chain)), set[int]()
    for place in reversed(range(len(parts))):
        one = parts[place]
        shown = [move for k, move in enumerate(one.moves) if one.first + k + 1 in chain.shown]
        goes_on = any(later.first in found and feeds(chain, one, later) for later in parts[place + 1 :])
        if goes_on or any(move.rule not in BLUNT for move in shown):
            found.add(one.first)
    return frozenset(found)


def feeds(chain: Chain, one: Section, later: Section) -> bool:
    """Whether what a part leads to goes into a later one: as its start, alone or over a name, as a value put in on its way,
    or as what an abbreviation in what it shows stands for.
    """
    divided = (name.removeprefix(INVERSE) for name in later.start.scalars() if name.startswith(INVERSE))
    if any(start in one.sides for start in (later.start, *(later.start * scalar(name) for name in divided))):
        return True
    if any(
        value in one.sides
        for place in range(later.first + 1, later.last + 1)
        for value in chain.written_out.get(place, ())
    ):
        return True
    return any(is_found(value, move, one.sides) for move in later.moves for value in move.values.values())


def is_found(value: Expression, move: Move, ends: tuple[Expression, ...]) -> bool:
    """Whether a value that a move puts in is one of those found, or one at the parameters that are put in with it."""
    if value in ends:
        return True
    numbers = {name: x for name, x in move.values.items() if name in FREE and x.is_scalar}
    if move.rule is not Rule.INSERT or not numbers:
        return False
    return any(value == end.replace(present(end, numbers)) for end in ends if not end.letters())
