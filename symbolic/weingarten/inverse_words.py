"""Moments of products in which inverses of a Wishart matrix stand between fixed letters.

W = X^T X, where X is n x p with independent rows N(0, Sigma), V = W^-1, q = n - p - 1. All is written as traces: an
open word is closed by a letter of its own. Two rules lead from any product to one without W and V.

By parts, a factor W of a product goes away: it is replaced by n Sigma, and meets every other W and V,

    tr(W r W s)  -> tr(Sigma r^T W s) + tr(r W) tr(Sigma s),    tr(W r) tr(W s) -> tr(Sigma s^T W r) + tr(Sigma s W r),
    tr(W r V s)  -> - tr(Sigma V r^T s) - tr(r) tr(Sigma V s),  tr(W r) tr(V s) -> - tr(Sigma V s^T r) - tr(Sigma V s r).

What has d factors V and no W is a sum over all pairings of the 2 d indices of the factors,

    E prod_k V_{i_{2k} i_{2k+1}} = (-1)^d sum_pi Wg(pi; -q) prod_{{a, b} in pi} (Sigma^-1)_{i_a i_b},

Wg the Weingarten function of the orthogonal group, which depends on the cycles that the pairs of pi make with those of the
factors (Collins and Matsumoto, ALEA 14, 2017; Matsumoto, J. Theor. Probab. 25, 2012). Its values are the coefficients of
E (tr V)^d, in which a cycle of k factors gives tr Sigma^-k.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import factorial, prod

from flint import fmpq, fmpq_mpoly

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart.fixed_letters import (
    Word,
    closed,
    inverse,
    joined,
    row_dimension,
    transpose,
    word_order,
)
from symbolic.wishart.identity import RING
from symbolic.wishart.partitions import Partition
from symbolic.wishart.resolvent import DIFFERENCE, in_dimensions
from symbolic.wishart.trace_polynomial import Monomial, QueryTooLarge, TracePolynomial, collect
from symbolic.wishart.wishart_inverse import trace_numerators
from symbolic.wishart.wishart_moment import in_rows

MAX_INVERSES = 6
"""Most inverses in a product: there are (2 d - 1)!! pairings."""

MAX_STEPS = 40_000
"""Most contractions and pairings of one query: about a second."""

END = "end"
"""The letter that closes an open word."""

State = tuple[Word, ...]
"""A product of traces: canonical words that are not empty, sorted."""

_n, _p = RING.gens()


class Steps:
    """How many contractions and pairings are left, of `MAX_STEPS` times an effort."""

    def __init__(self, effort: float = 1) -> None:
        self._left = int(MAX_STEPS * effort)

    def take(self) -> None:
        """One more. Raises QueryTooLarge where none is left."""
        self._left -= 1
        if self._left < 0:
            raise QueryTooLarge(
                "inverses between letters are too much work here: lower the degree, ask for the parts one by one, or "
                "give it more seconds (work)"
            )


def word_moment(
    monomial: Monomial,
    name: str,
    sigma: Word,
    steps: Steps | None = None,
    rules: type[Rules] | None = None,
) -> TracePolynomial:
    """The expectation of a product over the Wishart matrix ``name``, all other factors held fixed; ``sigma`` is its covariance, as a
    word.

    It exists for n - p > 2 d - 1, d the number of inverses of the matrix. Raises ValueError for more than
    `MAX_INVERSES` of them, and QueryTooLarge when ``steps`` are at an end. ``rules`` are of a real matrix unless given.
    """
    count = sum(word.count(inverse(name)) for word in monomial.words)
    rules = rules or Rules
    if count > rules.most:
        raise Refused(
            f"{count} inverses of {name} between other factors are over the limit: ask for at most {rules.most}"
        )
    words = monomial.words if monomial.word is None else (*monomial.traces, (*monomial.word, END))
    start, factor = _product(words)
    terms = [
        (_reopened(state), in_rows(value, row_dimension(name)))
        for state, value in rules(name, sigma, steps or Steps()).expectation(start, factor)
    ]
    return collect(terms, monomial.word is not None)


class Rules:
    """The two rules for one Wishart matrix."""

    most = MAX_INVERSES

    def __init__(self, name: str, sigma: Word, steps: Steps) -> None:
        self._steps = steps
        self._plain, self._inverse = name, inverse(name)
        self._sigma, self._over_sigma = sigma, tuple(map(inverse, sigma))

    def expectation(self, start: State, factor: fmpq_mpoly) -> Iterator[tuple[State, Rational]]:
        """The terms of the expectation of a product, some of them several times."""
        waiting: dict[int, dict[State, fmpq_mpoly]] = {self._count(start, self._plain): {start: factor}}
        while waiting:
            left = max(waiting)
            level = waiting.pop(left)
            if not left:
                yield from self._without_inverses(level)
                return
            for state, value in level.items():
                for following, change in self._by_parts(state):
                    self._steps.take()
                    below = waiting.setdefault(self._count(following, self._plain), {})
                    term = value * change
                    below[following] = below[following] + term if following in below else term

    @staticmethod
    def _count(state: State, factor: str) -> int:
        return sum(word.count(factor) for word in state)

    # -- one factor W away -----------------------------------------------------------------------------------

    def _first(self, state: State) -> tuple[Word, State]:
        """What follows the first factor W in its word, and the other words."""
        index = next(k for k, word in enumerate(state) if self._plain in word)
        place = state[index].index(self._plain)
        return state[index][place + 1 :] + state[index][:place], state[:index] + state[index + 1 :]

    def _by_parts(self, state: State) -> Iterator[tuple[State, fmpq_mpoly]]:
        """What a product is worth with its first factor W averaged away."""
        rest, others = self._first(state)
        sigma = self._sigma
        yield scaled((*others, sigma + rest), _n)
        for k, factor in enumerate(rest):
            before, after = rest[:k], rest[k + 1 :]
            if factor == self._plain:
                yield scaled((*others, sigma + transpose(before) + (factor,) + after), 1)
                yield scaled((*others, (*before, factor), sigma + after), 1)
            elif factor == self._inverse:
                yield scaled((*others, (*sigma, factor, *transpose(before), *after)), -1)
                yield scaled((*others, before, (*sigma, factor, *after)), -1)
        for j, word in enumerate(others):
            kept = others[:j] + others[j + 1 :]
            for k, factor in enumerate(word):
                inner = word[k + 1 :] + word[:k]
                for turned in (transpose(inner), inner):
                    if factor == self._plain:
                        yield scaled((*kept, sigma + turned + (factor,) + rest), 1)
                    elif factor == self._inverse:
                        yield scaled((*kept, (*sigma, factor, *turned, *rest)), -1)

    # -- all inverses away -----------------------------------------------------------------------------------

    def _without_inverses(self, level: dict[State, fmpq_mpoly]) -> Iterator[tuple[State, Rational]]:
        totals: dict[int, dict[State, fmpq_mpoly]] = {}
        for state, value in level.items():
            count = self._count(state, self._inverse)
            total = totals.setdefault(count, {})
            for (following, loops), kinds in self._paired(state).items():
                weight = sum(
                    (number * weingarten(count)[0][kind] for kind, number in kinds.items()), RING.constant(0)
                )
                term = value * weight * _p**loops
                total[following] = total[following] + term if following in total else term
        for count, total in totals.items():
            bottom = weingarten(count)[1]
            for state, value in total.items():
                if value:
                    yield state, Rational(value, bottom, {}).reduced()

    def _paired(self, state: State) -> dict[tuple[State, int], Counter[Partition]]:
        """The products that the pairings make, with a number of traces of 1, by their kind of pairing."""
        fixed: list[Word] = []
        ends: list[
            tuple[int, Word]
        ] = []  # where the word that begins at an end of a factor leads, and the word
        for word in state:
            if self._inverse not in word:
                fixed.append(word)
                continue
            start = word.index(self._inverse)
            first = len(ends)
            between = pieces(word[start + 1 :] + word[:start], self._inverse)
            ends += [(0, ())] * (2 * len(between))
            for k, piece in enumerate(between):
                right, left = first + 2 * k + 1, first + 2 * ((k + 1) % len(between))
                ends[right], ends[left] = (left, piece), (right, transpose(piece))
        found: dict[tuple[State, int], Counter[Partition]] = {}
        for pairing in pairings(len(ends)):
            self._steps.take()
            words = cycles(pairing, ends, self._over_sigma)
            loops = words.count(())
            key = state_of([*fixed, *filter(None, words)]), loops
            found.setdefault(key, Counter())[kind_of(pairing)] += 1
        return found


def cycles(pairing: tuple[int, ...], ends: list[tuple[int, Word]], between: Word) -> list[Word]:
    """The closed words that pieces make, each leading from an end of a factor to another, with ``between`` at each pair of ends."""
    words: list[Word] = []
    free = set(range(len(ends)))
    while free:
        word: Word = ()
        end = min(free)
        while end in free:
            free.discard(end)
            other, piece = ends[end]
            free.discard(other)
            word = joined(joined(word, piece), between)
            end = pairing[other]
        words.append(closed(word))
    return words


def pieces(word: Word, cut: str) -> list[Word]:
    """What stands after each factor V of a closed word that begins after one."""
    found: list[Word] = []
    piece: Word = ()
    for factor in word:
        if factor == cut:
            found.append(piece)
            piece = ()
        else:
            piece = (*piece, factor)
    return [*found, piece]


def state_of(words: Iterable[Word]) -> State:
    """A product of traces of canonical words."""
    return tuple(sorted(words, key=word_order))


def _product(words: tuple[Word, ...]) -> tuple[State, fmpq_mpoly]:
    """A product of traces in canonical form, and the powers of p that traces of 1 are worth."""
    found = [closed(_reduced(word)) for word in words]
    return state_of([word for word in found if word]), _p ** found.count(())


def _reduced(word: Word) -> Word:
    result: Word = ()
    for factor in word:
        result = joined(result, (factor,))
    return result


def scaled(words: tuple[Word, ...], value: fmpq_mpoly | int) -> tuple[State, fmpq_mpoly]:
    """A product of traces in canonical form, and a value times the powers of p that traces of 1 are worth."""
    state, factor = _product(words)
    return state, factor * value


def _reopened(state: State) -> Monomial:
    """The product with the word opened again that holds the letter `END`."""
    for index, word in enumerate(state):
        turned = word if END in word else transpose(word)
        if END in turned:
            place = turned.index(END)
            return Monomial(state[:index] + state[index + 1 :], turned[place + 1 :] + turned[:place])
    return Monomial(state, None)


# -- the Weingarten function ---------------------------------------------------------------------------------


@lru_cache(maxsize=MAX_INVERSES + 1)
def weingarten(degree: int) -> tuple[dict[Partition, fmpq_mpoly], fmpq_mpoly]:
    """(-1)^d Wg(kind; -q) by the kind of a pairing: numerators over a common denominator, in n and p."""
    numerators, roots = trace_numerators((1,) * degree)
    bottom = prod((DIFFERENCE - root for root in roots), start=RING.constant(1))
    values = {
        kind: in_dimensions(value) * fmpq(1, kind_count(kind)) for (_, kind), value in numerators.items()
    }
    return values, bottom


def kind_count(kind: Partition) -> int:
    """How many pairings of the ends of d factors are of a kind: 2^d d! / prod_k (2 k)^(m_k) m_k!."""
    degree = sum(kind)
    below = prod((2 * part) ** count * factorial(count) for part, count in Counter(kind).items())
    return int(2**degree * factorial(degree) // below)


@lru_cache(maxsize=2 * MAX_INVERSES + 1)
def pairings(ends: int) -> tuple[tuple[int, ...], ...]:
    """All pairings of the numbers 0, ..., ends - 1: the partner of each."""
    if not ends:
        return ((),)
    found: list[tuple[int, ...]] = []
    for smaller in pairings(ends - 2):
        for partner in range(1, ends):
            names = [k for k in range(1, ends) if k != partner]
            pairing = [0] * ends
            pairing[0], pairing[partner] = partner, 0
            for one, other in enumerate(smaller):
                pairing[names[one]] = names[other]
            found.append(tuple(pairing))
    return tuple(found)


@lru_cache(maxsize=1 << 15)
def kind_of(pairing: tuple[int, ...]) -> Partition:
    """The lengths of the cycles that a pairing makes with the pairs (0, 1), (2, 3), ... of the factors."""
    free = set(range(len(pairing)))
    lengths: list[int] = []
    while free:
        end, length = min(free), 0
        while end in free:
            free -= {end, end ^ 1}
            end, length = pairing[end ^ 1], length + 1
        lengths.append(length)
    return tuple(sorted(lengths))
