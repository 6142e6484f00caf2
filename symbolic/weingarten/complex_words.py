"""Moments of products of a complex Wishart matrix, its inverse, and fixed letters.

W = X^* X, where X is n x p with independent rows of complex normal entries, E x^* x = Sigma; q = n - p, V = W^-1. No entry of X
is paired with another of X, so of the rules of `symbolic.weingarten.inverse_words` only those remain in which nothing is
transposed:

    tr(W r W s) -> tr(r W) tr(Sigma s),      tr(W r) tr(W s) -> tr(Sigma s W r),
    tr(W r V s) -> - tr(r) tr(Sigma V s),    tr(W r) tr(V s) -> - tr(Sigma V s r),

and what has d factors V and no W is a sum over permutations,

    E prod_k V_{i_k j_k} = (-1)^d sum_s Wg(s; -q) prod_k (Sigma^-1)_{i_k j_s(k)},

Wg the Weingarten function of the unitary group (Graczyk, Letac and Massam, Ann. Statist. 31, 2003). As a function on
permutations it is the product of the (q - J_k)^-1 over the Jucys-Murphy elements J_k = sum_{i<k} (i k), whose eigenvalues
are the integers from 1 - k to k - 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod

from flint import fmpq_mpoly, fmpz_poly

from symbolic.algebra.quotients import Rational
from symbolic.weingarten.inverse_words import Rules, State, pieces, scaled, state_of
from symbolic.wishart.fixed_letters import Word, closed, joined
from symbolic.wishart.identity import RING
from symbolic.wishart.resolvent import M

Permutation = tuple[int, ...]

MAX_COMPLEX_INVERSES = 5
"""Most inverses in a product: there are d! permutations, and as many values of the Weingarten function."""

_n, _p = RING.gens()


class ComplexRules(Rules):
    """The two rules for one complex Wishart matrix."""

    most = MAX_COMPLEX_INVERSES

    def _by_parts(self, state: State) -> Iterator[tuple[State, fmpq_mpoly]]:
        rest, others = self._first(state)
        sigma = self._sigma
        yield scaled((*others, sigma + rest), _n)
        for k, factor in enumerate(rest):
            if factor == self._plain:
                yield scaled((*others, (*rest[:k], factor), sigma + rest[k + 1 :]), 1)
            elif factor == self._inverse:
                yield scaled((*others, rest[:k], (*sigma, factor, *rest[k + 1 :])), -1)
        for j, word in enumerate(others):
            kept = others[:j] + others[j + 1 :]
            for k, factor in enumerate(word):
                inner = word[k + 1 :] + word[:k]
                if factor == self._plain:
                    yield scaled((*kept, sigma + inner + (factor,) + rest), 1)
                elif factor == self._inverse:
                    yield scaled((*kept, (*sigma, factor, *inner, *rest)), -1)

    def _without_inverses(self, level: dict[State, fmpq_mpoly]) -> Iterator[tuple[State, Rational]]:
        for state, value in level.items():
            fixed = [word for word in state if self._inverse not in word]
            # the piece after each factor, and the factor that follows it
            after: list[Word] = []
            following: list[int] = []
            for word in state:
                if self._inverse in word:
                    start = word.index(self._inverse)
                    found = pieces(word[start + 1 :] + word[:start], self._inverse)
                    following += [len(after) + (k + 1) % len(found) for k in range(len(found))]
                    after += found
            values, bottom = unitary_weingarten(len(after))
            for permutation, weight in values.items():
                self._steps.take()
                words = [*fixed, *self._joined(permutation, after, following)]
                key = state_of(filter(None, words))
                yield key, Rational(value * weight * _p ** words.count(()), bottom, {}).reduced()

    def _joined(self, permutation: Permutation, after: list[Word], following: list[int]) -> list[Word]:
        """The closed words in which Sigma^-1 leads from the row of a factor to the column of its image."""
        words, free = [], set(range(len(after)))
        while free:
            word: Word = ()
            factor = min(free)
            while factor in free:
                free.discard(factor)
                image = permutation[factor]
                word = joined(joined(word, self._over_sigma), after[image])
                factor = following[image]
            words.append(closed(word))
        return words


@lru_cache(maxsize=MAX_COMPLEX_INVERSES + 1)
def unitary_weingarten(degree: int) -> tuple[dict[Permutation, fmpq_mpoly], fmpq_mpoly]:
    """(-1)^d Wg(s; -q) by permutations: numerators over a common denominator, in n and p.

    Raises ArithmeticError unless each factor of the denominator is an eigenvalue away, which proves the values.
    """
    vector: dict[Permutation, fmpz_poly] = {tuple(range(degree)): fmpz_poly([1])}
    roots: list[int] = []
    for k in range(degree):
        found: dict[Permutation, fmpz_poly] = {}
        current = vector
        for root in range(-k, k + 1):
            found = _plus({s: x * (M - root) for s, x in found.items()}, current)
            current = _plus(_jucys_murphy(current, k), {s: -root * x for s, x in current.items()})
        if any(current.values()):
            raise ArithmeticError("the values of the Weingarten function do not end")
        vector = {s: x for s, x in found.items() if x}
        roots += range(-k, k + 1)
    for root in sorted(roots):
        if not any(x(root) for x in vector.values()):
            vector = {s: x // (M - root) for s, x in vector.items()}
            roots.remove(root)
    bottom = prod((_n - _p - root for root in roots), start=RING.constant(1))
    return {s: _in_dimensions(x) for s, x in vector.items()}, bottom


def _jucys_murphy(vector: dict[Permutation, fmpz_poly], last: int) -> dict[Permutation, fmpz_poly]:
    total: dict[Permutation, fmpz_poly] = {}
    for s, value in vector.items():
        for i in range(last):
            turned = list(s)
            turned[i], turned[last] = turned[last], turned[i]
            key = tuple(turned)
            total[key] = total[key] + value if key in total else value
    return total


def _plus(
    left: dict[Permutation, fmpz_poly], right: dict[Permutation, fmpz_poly]
) -> dict[Permutation, fmpz_poly]:
    total = dict(left)
    for key, value in right.items():
        total[key] = total[key] + value if key in total else value
    return total


def _in_dimensions(polynomial: fmpz_poly) -> fmpq_mpoly:
    total = RING.constant(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * (_n - _p) + int(coefficient)
    return total
