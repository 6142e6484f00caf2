"""The small sizes at which the expectation of a moment is taken entry by entry (`symbolic.checks.entries`)."""

from __future__ import annotations

from collections.abc import Callable

from symbolic.algebra.letters import ONE
from symbolic.checks.claims import Case, NotApplicable
from symbolic.checks.entries import gram_letters

PATTERNS = ((2, 2), (3, 3), (2, 3), (3, 2), (1, 2), (2, 1), (1, 3), (3, 1))
"""Sizes given in turn to the dimensions that cost something; in the order in which they are tried."""

Sizes = dict[str, int]


MOST_COST = 60_000_000
"""A moment is multiplied out up to about this number of terms, about a second; words of degree 24 are below."""

LOW_COST = 30_000
"""A second and third choice of sizes is taken up to about this number of terms."""

MOST_SIZES = 3
"""At how many sizes at most a moment is compared."""


def small_sizes(case: Case, cost: Callable[[Sizes], int], low: int = LOW_COST) -> list[Sizes]:
    """The first sizes that are affordable at all, and more of them where they are cheap.

    The rows of a matrix X that occurs in products X^T X only cost nothing, and get different sizes. Raises
    NotApplicable when no sizes are affordable.
    """
    free = _rows_of_gram_matrices(case)
    costly = [name for name in case.dimensions if name not in free]
    least = dict.fromkeys(case.dimensions, 1)
    for letter in case.letters.values():
        if letter.unit:
            least[letter.rows] = max(least[letter.rows], letter.unit)
    found: dict[tuple[int, ...], Sizes] = {}
    for pattern in PATTERNS:
        sizes = {name: max(least[name], pattern[k % 2]) for k, name in enumerate(costly)}
        # one more row than columns at first, then one less: neither takes n for p
        sizes |= {name: 5 - pattern[0] + k for k, name in enumerate(free)}
        found.setdefault(tuple(sizes[name] for name in costly), sizes)
    chosen: list[Sizes] = []
    for sizes in found.values():
        if len(chosen) < MOST_SIZES and cost(sizes) <= (low if chosen else MOST_COST):
            chosen.append(sizes)
    if not chosen:
        raise NotApplicable("the degree is too high for an expansion in entries at any size")
    return chosen


def _rows_of_gram_matrices(case: Case) -> list[str]:
    """The dimensions that are the rows of matrices X in products X^T X and nothing else."""
    paired = gram_letters(case.moment)
    rows = {letter.rows for letter in case.random if letter.name in paired} - {ONE}
    others = {letter.columns for letter in case.letters.values()} | set(case.moment.shape or ())
    others |= {letter.rows for letter in case.letters.values() if letter.name not in paired}
    return sorted(rows - others)
