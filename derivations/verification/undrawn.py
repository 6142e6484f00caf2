"""Moves that are not drawn: by their rule, or because rare draws would make up the mean that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from derivations.steps.chain import NO_NUMBER, Move, Rule
from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.entry_laws import LawOrderError, law_of_letter
from symbolic.algebra.words import Expression

# the largest E u^2k / (E u^k)^2 at which powers u^k of an entry are drawn: about so many draws differ from their mean
HEAVIEST = 10**5
# rules that are held to a number where both sides are scalars without letters
BY_CALCULUS = (Rule.DIFFERENTIATE, Rule.LIMIT, Rule.ROOT, Rule.SIGN, Rule.FACTOR, Rule.ORDER)


def no_number(move: Move) -> str:
    """Why a move is not drawn; nothing where it is."""
    if move.rule in BY_CALCULUS and not (move.before.letters() or move.after.letters()):
        return ""
    if move.rule in NO_NUMBER:
        return NO_NUMBER[move.rule]
    if not move.rule.averages:
        return ""
    powers = _powers(move.before, move, frozenset())
    letters = {name: letter for expr in _written(move) for name, letter in expr.letters().items()}
    for name, power in sorted(powers.items()):
        if name in letters and letters[name].random and _heaviness(letters[name].law, power) > HEAVIEST:
            return f"power {power} of entries that are {letters[name].law or 'gaussian'}: rare draws make up its mean"
    return ""


def _heaviness(name: str | None, power: int) -> float:
    """E u^2k / (E u^k)^2 of an entry with this law, for an even k; 0 where the law does not declare it."""
    one, even = law_of_letter(name or "gaussian"), power + power % 2
    try:
        square, mean = one.moment(2 * even), one.moment(even)
    except LawOrderError:
        return 0.0
    if not (square.is_constant() and mean.is_constant()):
        return 0.0
    return float(to_fraction(square.leading_coefficient()) / to_fraction(mean.leading_coefficient()) ** 2)


def _written(move: Move) -> list[Expression]:
    """The expressions in which the letters of a move occur."""
    blocks = {} if move.tasks is None else move.tasks.blocks
    return [move.before, *move.values.values(), *(block("1") for block in blocks.values())]


def _powers(expr: Expression, move: Move, inside: frozenset[str]) -> Mapping[str, int]:
    """The highest power of each letter in a term, with what letters stand for written out."""
    blocks = {} if move.tasks is None else move.tasks.blocks
    found: dict[str, int] = {}
    for term in expr.terms:
        powers: Counter[str] = Counter()
        for factor in (factor for word in (*term.traces, term.word or ()) for factor in word):
            name = factor.name
            value = None if name in inside else move.values.get(name)
            if value is None and name in blocks and name not in inside:
                value = blocks[name]("1")
            powers.update({name: 1} if value is None else _powers(value, move, inside | {name}))
        found = {name: max(found.get(name, 0), powers[name]) for name in {*found, *powers}}
    return found
