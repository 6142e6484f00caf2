"""A derivation as an object: a chain of moves, each carried out by the engine and checked by a second route.

A move leads from one expression to the next by a rule. Nobody types what it leads to: only the methods of `Chain`
make moves, and each rule knows a second route to its own result that shares nothing with the first:

- a definition put in, or an abbreviation written out: both sides at exact random rational matrices;
- an average over random letters (by parts, by cumulants, by rows): the sum over all Wick pairings, or moments of
  single entries at small sizes, which the move names;
- an average by moments that have names: the names written out again, against the same;
- a name given to a trace or a word: the name written out again;
- a sum over tasks that are alike: stacked matrices of exact random blocks, summed over task by task;
- a word split into its mean and a fluctuation, an inverse expanded about the mean of what it inverts: exact random
  matrices, and the mean by the second route of averages;
- products of more than so many fluctuations left out: the order of the error, from exact variances of elements;
- the average of a single fluctuation, which is zero: written out, by the second route of averages;
- a bound, and an order by degree (`derivations.steps.by_degree`): values at random matrices, and at very large sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.steps.chains.averaging import Averaging
from derivations.steps.chains.equalities import Equalities
from derivations.steps.chains.fluctuations import Fluctuations
from derivations.steps.chains.products import Part, abbreviation, written
from derivations.steps.chains.record import carries_out
from derivations.steps.move import NO_NUMBER, DoesNotApply, Growth, Known, Move, Rule, without_traces
from derivations.steps.rules.expansions import Mean
from derivations.steps.rules.stacked import Tasks

__all__ = [
    "NO_NUMBER",
    "Chain",
    "DerivedBy",
    "DoesNotApply",
    "Growth",
    "Known",
    "Mean",
    "Move",
    "Rule",
    "Tasks",
    "abbreviation",
    "carried_out",
    "carries_out",
    "without_traces",
    "written",
]


class Chain(Equalities, Averaging, Fluctuations):
    """The moves from a starting expression to `result`, made one by one.

    >>> from symbolic.algebra.words import gaussian, matrix
    >>> chain = Chain(matrix("B", "n", "p").T @ matrix("B", "n", "p"))
    >>> chain.insert({"B": gaussian("X", "n", "p")}).average("X").result
    n * I
    >>> [move.check for move in chain.moves]
    ['proved', 'proved']
    """


def carried_out(chain: Callable[[Assumptions], Chain], assumptions: Assumptions) -> Chain:
    """A chain under the assumptions; raises NotDerivable, with the name of the move, where one does not apply."""
    try:
        return chain(assumptions)
    except DoesNotApply as error:
        raise NotDerivable(str(error)) from None


@dataclass(frozen=True)
class DerivedBy:
    """What a chain shows, as the derivation of a step."""

    chain: Callable[[Assumptions], Chain]

    def __call__(self, assumptions: Assumptions) -> Mapping[str, Part]:
        """Its parts; raises NotDerivable where a move does not apply."""
        return carried_out(self.chain, assumptions).parts
