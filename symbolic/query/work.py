"""How much work the expectations of a query are, before any is taken: about the milliseconds of one core.

An expectation has a price for each term of the answer, which covers deriving, checking and writing it. The prices were
fitted to measured times, with room for a busy machine; `python -m benchmarks.work` measures again. They decide only what
is refused, never a result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from math import comb, factorial, isqrt, prod

from symbolic.query.block import Block, isolated
from symbolic.query.query_words import Setting
from symbolic.weingarten.haar_words import require_few_inverses, require_few_rotations, runs
from symbolic.wishart.fixed_letters import (
    ROWS,
    SIGMA,
    Word,
    base,
    covariance_of,
    is_covariance,
    is_inverse,
    is_pseudo,
    is_wishart,
    of_rows,
    row_dimension,
)
from symbolic.wishart.partitions import Partition, partitions
from symbolic.wishart.trace_polynomial import Monomial
from symbolic.wishart.wishart_moment import Covariance

MAX_WORK = 2000
"""Most work that the expectations of one query may take together."""

IDENTITY = 20
"""With the identity covariance powers of Sigma make states on the way but no terms, cheaper by about this factor."""

THIRD_INVERSE = 2500
"""Three Moore-Penrose inverses are compared at p = 8, which is most of their work, and more beside those of another matrix."""


def of_query(monomials: Iterable[Monomial], setting: Setting) -> int:
    """Work for the expectations of all the products of a query, each different one taken once."""
    plan = _Plan(setting)
    return sum(plan.of(monomial) for monomial in monomials)


class _Plan:
    """What `symbolic.query.query_expectation` will do for a query, without doing it."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._covariance: Covariance = setting.covariance
        self._planned: set[Monomial | tuple[int, Partition]] = set()

    def of(self, monomial: Monomial, copies: int = 1) -> int:
        """Work for a product that occurs in several copies, which differ in powers of Sigma."""
        if self._setting.rotation(monomial) or any(is_pseudo(f) for word in monomial.words for f in word):
            return self._of_pairs(monomial, copies) if self._is_new(monomial) else 0
        if self._setting.needs_rows(monomial):
            return of_rows_of(monomial, self._setting) if self._is_new(monomial) else 0
        names = {base(factor) for word in monomial.words for factor in word if is_wishart(factor)}
        if not names or not self._is_new(monomial):
            return 0
        if self._setting.is_complex:
            return of_complex(monomial)
        for name in sorted(names):
            block = isolated(monomial, name)
            if block is None:
                continue
            work = of_block(block, self._covariance) if self._is_new((block.power, block.parts)) else 0
            terms = block_terms(block, self._covariance)
            work += terms * copies // 8 if copies > 1 else 0  # the first block pays for its terms itself
            degree = max(block.power + sum(block.parts), 0) if self._covariance == "general" else 0
            rest, _ = block.around((SIGMA,) * degree, ())
            return work + self.of(rest, copies * terms)
        inverted = [base(f) for word in monomial.words for f in word if is_wishart(f) and is_inverse(f)]
        if inverted:
            name = min(inverted)
            pairings, terms = inverse_word_terms(monomial, name, self._covariance)
            work = copies * (1 + pairings // 512 + terms // 2)
            return work + self.of(_without(monomial, name), copies * terms)
        return copies * of_words(monomial, self._covariance)

    def _of_pairs(self, monomial: Monomial, copies: int) -> int:
        """Work for a product with a rotation, or with Moore-Penrose inverses: its pairings, and what each leaves."""
        rotation = self._setting.rotation(monomial)
        name = rotation or next(base(f) for word in monomial.words for f in word if is_pseudo(f))
        own = (base(f) == name for word in monomial.words for f in word)
        count = sum(own) if rotation else len(runs(monomial, name).exponents)
        (require_few_rotations if rotation else require_few_inverses)(name, count)
        pairings = _double_factorial(count - 1) ** 2 if rotation else _double_factorial(2 * count - 1)
        words = [tuple(f for f in word if base(f) != name) for word in monomial.words]
        word = None if monomial.word is None else words.pop()
        counts = Counter(f for word in monomial.words for f in word if is_pseudo(f))
        check = THIRD_INVERSE * len(counts) if max(counts.values(), default=0) > 2 else 0
        return check + copies * (1 + pairings // 8) + self.of(Monomial(tuple(words), word), copies * pairings)

    def _is_new(self, key: Monomial | tuple[int, Partition]) -> bool:
        is_new = key not in self._planned
        self._planned.add(key)
        return is_new


def of_rows_of(monomial: Monomial, setting: Setting) -> int:
    """Work for a product in X itself: its pairings, or with a mean those of every choice of factors."""
    counts: Counter[str] = Counter()
    plain = setting.covariance == "identity" and not setting.correlated and monomial.word is None
    for factor in (f for word in monomial.words for f in word):
        if is_wishart(factor) or of_rows(factor) == ROWS:
            counts[row_dimension(factor)] += 2 if is_wishart(factor) else 1
        else:
            plain = False
    ways = prod(
        sum(comb(count, 2 * k) * _double_factorial(2 * k - 1) for k in range(count // 2 + 1))
        if rows in setting.means
        else _double_factorial(count - 1)
        for rows, count in counts.items()
    )
    if not setting.means & counts.keys():
        return 1 + ways // 10
    return 1 + (ways // 60 if plain else 3 * ways // 2)


def of_complex(monomial: Monomial) -> int:
    """Work for a product of complex Wishart matrices: its permutations."""
    counts = Counter(base(f) for word in monomial.words for f in word if is_wishart(f))
    return 1 + prod(map(factorial, counts.values())) // 12


@lru_cache(maxsize=128)
def partition_count(degree: int) -> int:
    """The number of partitions of a degree."""
    return sum(1 for _ in partitions(degree))


def block_terms(block: Block, covariance: Covariance) -> int:
    """How many terms the expectation of the powers of one matrix has, in Sigma and its power sums."""
    if covariance == "identity":
        return 1
    return _expansion(block)


def _expansion(block: Block) -> int:
    degree = abs(block.power) + sum(map(abs, block.parts))
    return sum(map(partition_count, range(degree + 1))) if block.power else partition_count(degree)


def of_block(block: Block, covariance: Covariance) -> int:
    """Work for the powers of one matrix; with inverses it is done for a general covariance."""
    powers = (block.power, *block.parts)
    above, below = sum(part for part in powers if part > 0), -sum(part for part in powers if part < 0)
    if below:
        return 1 + _expansion(block) * below**2 * (3 + 2 * above) // 72
    return 1 + block_terms(block, covariance) * (1 if block.power else 2) // 3


def inverse_word_terms(monomial: Monomial, name: str, covariance: Covariance) -> tuple[int, int]:
    """For one matrix that has inverses between other factors: how many pairings are looked at, and about how many terms come.

    A factor W meets every other one in two ways, or none; then come the pairings of the ends of the inverses.
    """
    counts = Counter(f for word in monomial.words for f in word if base(f) == name)
    below = sum(count for factor, count in counts.items() if is_inverse(factor))
    met = prod(2 * k + 1 for k in range(below, counts.total()))
    pairings = met * _double_factorial(2 * below - 1)
    words = [tuple(name if base(f) == name else f for f in word) for word in monomial.words]
    open_word = None if monomial.word is None else words.pop()
    cheaper = IDENTITY if covariance == "identity" else 1
    return pairings, min(pairings, _ways(words, open_word, name, cheaper))


def _without(monomial: Monomial, name: str) -> Monomial:
    """The product with the factors of one matrix left out."""
    words = [tuple(f for f in word if base(f) != name) for word in monomial.words]
    word = None if monomial.word is None else words.pop()
    return Monomial(tuple(words), word)


def of_words(monomial: Monomial, covariance: Covariance) -> int:
    """Work for the word engine: ways to integrate each matrix, the others taken for letters, multiplied.

    Between several matrices without letters many products of those ways are equal.
    """
    words = [word for word in monomial.words if any(map(is_wishart, word))]
    open_word = words.pop() if monomial.word is not None and words[-1] is monomial.word else None
    counts = Counter(
        base(factor) for word in (*words, open_word or ()) for factor in word if is_wishart(factor)
    )
    deterministic = any(
        not (is_wishart(f) or is_covariance(f)) for word in (*words, open_word or ()) for f in word
    )
    degree, pairings = sum(counts.values()), prod(_double_factorial(2 * k - 1) for k in counts.values())
    is_single = len(counts) == 1
    cheaper = IDENTITY if is_single and covariance == "identity" else 1
    terms = min(pairings, prod(_ways(words, open_word, name, cheaper) for name in counts))
    if not is_single and not deterministic:
        terms = isqrt(isqrt(terms)) ** 3
    return 1 + (terms * (degree - 2) // 24 if is_single else terms // 6)


def _ways(traces: list[Word], open_word: Word | None, name: str, cheaper: int) -> int:
    """About the terms of the expectation over one matrix.

    Lettered gaps between its factors become blocks that the pairings join, in any order and direction, to cycles
    and one path; equal blocks are interchangeable (the division undercounts arrangements that are symmetric, by up
    to 2). The other factors add powers of Sigma, spread over the joints of blocks and traces of their own.
    """
    gaps = [gap for trace in traces for gap in _gaps(trace + trace, name)[: trace.count(name)]]
    if open_word is not None:
        gaps += [("end",), *_gaps(open_word, name)]
    own = covariance_of(name, own=True)
    lettered = Counter(gap for gap in gaps if any(factor not in (SIGMA, own) for factor in gap))
    blocks = sum(lettered.values())
    sigmas = sum(word.count(name) for word in (*traces, open_word or ()))
    sigmas += sum(len(gap) for gap in gaps if gap not in lettered)
    arrangements = _double_factorial(2 * blocks - 1) // prod(map(factorial, lettered.values()))
    arrangements = max(arrangements, 1) * (7 + max(lettered.values(), default=1)) // 8
    return arrangements * max(_spread(max(sigmas - blocks, 0), blocks) // cheaper, 1)


def _gaps(word: Word, name: str) -> list[Word]:
    places = [place for place, factor in enumerate(word) if factor == name]
    return [word[left + 1 : right] for left, right in pairwise(places)]


def _spread(sigmas: int, blocks: int) -> int:
    """The ways to spread powers of Sigma over the joints of blocks and over traces of their own."""
    if blocks == 0:
        return partition_count(sigmas)
    return sum(comb(k + blocks - 1, blocks - 1) * partition_count(sigmas - k) for k in range(sigmas + 1))


def _double_factorial(k: int) -> int:
    return prod(range(k, 0, -2))
