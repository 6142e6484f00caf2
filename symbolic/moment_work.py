"""How much work an expectation is, before it is taken: about the number of terms of the answer.

Estimates, checked against measured times (`MAX_WORK` answers in about a second on one core of a laptop). They
decide only what is refused, never a result.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from math import comb, factorial, prod

from symbolic.moment_block import Block
from symbolic.moment_letters import SIGMA, Word, base, is_wishart
from symbolic.partitions import partitions
from symbolic.trace_polynomial import Monomial
from symbolic.wishart_moment import Covariance

MAX_WORK = 3000
"""Most work that the expectations of one query may take together."""

SEVERAL = 8
"""States of several matrices that are linked by words merge less often, by about this factor."""

OVERHEAD: dict[Covariance, int] = {"identity": 60, "general": 140}
"""Work for each expectation besides the terms, mostly for its certificate at small sizes."""

PLAIN_DEGREE = 6
"""Above this degree terms are dearer, in proportion to the degree."""


@lru_cache(maxsize=128)
def partition_count(degree: int) -> int:
    """The number of partitions of a degree."""
    return sum(1 for _ in partitions(degree))


def of_block(block: Block, covariance: Covariance) -> int:
    """Work for the powers of one matrix: terms in Sigma and its power sums, dearer with inverses."""
    powers = (block.power, *block.parts)
    above, below = sum(part for part in powers if part > 0), -sum(part for part in powers if part < 0)
    degree = above + below
    terms = sum(map(partition_count, range(degree + 1))) if block.power else partition_count(degree)
    if below:
        return OVERHEAD["identity"] + terms * below**2 * (1 + above) // 4
    return OVERHEAD[covariance] + _weighted(terms if covariance == "general" else 1, degree)


def _weighted(terms: int, degree: int) -> int:
    return terms * max(degree, PLAIN_DEGREE) // PLAIN_DEGREE


def of_words(monomial: Monomial, covariance: Covariance) -> int:
    """Work for the word engine.

    Lettered gaps between Wishart factors become blocks that the pairings join, in any order and direction,
    to cycles and one path; equal blocks are interchangeable (the division undercounts arrangements that are
    symmetric, by up to 2). The other Wishart factors add powers of Sigma.
    """
    counts = Counter(base(factor) for word in monomial.words for factor in word if is_wishart(factor))
    gaps = [gap for trace in monomial.traces for gap in _gaps((*trace, *_up_to_first(trace)))]
    if monomial.word is not None:
        gaps += [("end",), *_gaps(monomial.word)]
    lettered = Counter(gap for gap in gaps if any(factor != SIGMA for factor in gap))
    blocks = sum(lettered.values())
    sigmas = sum(counts.values()) + sum(factor == SIGMA for word in monomial.words for factor in word)
    spread = _spread(sigmas - blocks, blocks)
    arrangements = _double_factorial(2 * blocks - 1) // prod(map(factorial, lettered.values()))
    arrangements = max(arrangements, 1) * (7 + max(lettered.values(), default=1)) // 8
    pairings = prod(_double_factorial(2 * count - 1) for count in counts.values())
    factor = SEVERAL if len(counts) > 1 else 1
    return OVERHEAD[covariance] + _weighted(
        factor * min(pairings, arrangements * spread), sum(counts.values())
    )


def _up_to_first(trace: Word) -> Word:
    """What closes a trace: the factors up to its first Wishart matrix."""
    first = next(place for place, factor in enumerate(trace) if is_wishart(factor))
    return trace[: first + 1]


def _gaps(word: Word) -> list[Word]:
    places = [place for place, factor in enumerate(word) if is_wishart(factor)]
    return [word[left + 1 : right] for left, right in pairwise(places)]


def _spread(sigmas: int, blocks: int) -> int:
    """The ways to spread powers of Sigma over the joints of blocks and traces of their own."""
    if blocks == 0:
        return partition_count(sigmas)
    return sum(comb(k + blocks - 1, blocks - 1) * partition_count(sigmas - k) for k in range(sigmas + 1))


def _double_factorial(k: int) -> int:
    return prod(range(k, 0, -2))
