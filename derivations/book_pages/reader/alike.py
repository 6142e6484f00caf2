"""Parts of a proof that are made by the same moves, as for each number of steps: a card writes out the first few."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from derivations.book_pages import html as h
from derivations.steps.chain import Chain
from derivations.steps.step import Step
from derivations.typeset import proofs, statements

MANY_ALIKE, FIRST_ALIKE = 8, 3


def left_out(chain: Chain) -> dict[int, tuple[int, ...]]:
    """The moves that are not written out, as parts before show them at other numbers; for the first of those that
    are left out together, the places where they end.
    """
    begins = sorted(chain.starts)
    parts = [range(one, other) for one, other in pairwise([*begins, len(chain.moves)])]
    rules = [tuple(chain.moves[k].rule for k in part) for part in parts]
    found: dict[int, tuple[int, ...]] = {}
    first: int | None = None
    for number, part in enumerate(parts):
        if rules.count(rules[number]) <= MANY_ALIKE or rules[:number].count(rules[number]) < FIRST_ALIKE:
            first = None
            continue
        first = part.start if first is None else first
        found |= dict.fromkeys(part, ())
        found[first] = (*found[first], part.stop)
    return found


def by_the_same_moves(step: Step, chain: Chain, places: Sequence[int]) -> str:
    """In place of parts that are made as others are: what they lead to, and how they are had."""
    ends = [part for place in places for part in proofs.ends(step, chain, place)]
    shown = "; ".join(h.inline(statements.left_side(part)) if part in chain.parts else part for part in ends)
    led = f" lead to {shown}" if shown else " lead further"
    asked = f"<code>derive show {step.name} --proof</code> prints them"
    return f"</ol><p><small>The same moves{led}: {asked}.</small></p><ol>"
