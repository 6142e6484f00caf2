"""Polynomials in words and traces of words of p x p matrices, with coefficients rational in the dimensions.

The form of a moment query and of its answer: a sum of c * tr(word) * ... * tr(word) * word, where c lies in
Q(n, p, ...). Unlike `symbolic.algebra.expression` it knows inverses and quotients; expectations are taken elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from flint import fmpq

from symbolic.algebra.canonical import turns
from symbolic.algebra.coefficients import Exact, context, names_of, to_fmpq
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    TRANSPOSED,
    Word,
    base,
    closed,
    indices_of,
    inverse,
    is_invertible,
    is_vector,
    is_wishart,
    joined,
    transpose,
    unit,
    word_order,
)

MAX_DEGREE = 24
"""Most Wishart factors in a term of a query, inverses included."""

MAX_LETTERS = 100
"""Most factors in a term of a query."""

MAX_TERMS = 400
"""Most terms of a query, and of one of its coefficients, when parentheses are multiplied out."""

MAX_BITS = 2000
"""Largest numbers in the coefficients of a query."""

ONE = Rational.number(1)


class QueryTooLarge(Refused):
    """A query that is refused because of its size; the message names the limit."""


class IndexSum(NamedTuple):
    """A sum over indices that products and traces do not express: text, LaTeX, and what its engine knows it by."""

    text: str
    latex: str
    network: Hashable


class Monomial(NamedTuple):
    """A product of traces of words (canonical, sorted) and at most one word that is not traced.

    An expectation under a law may also hold ``sums`` over indices, and in place of the word a ``matrix`` of such.
    """

    traces: tuple[Word, ...]
    word: Word | None
    sums: tuple[IndexSum, ...] = ()
    matrix: IndexSum | None = None

    @property
    def index_sums(self) -> tuple[IndexSum, ...]:
        """All the sums over indices."""
        return self.sums if self.matrix is None else (*self.sums, self.matrix)

    @property
    def words(self) -> tuple[Word, ...]:
        """All the words."""
        return self.traces if self.word is None else (*self.traces, self.word)

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key of terms: long words first, then few traces; sums over indices last."""
        size, primes, names = word_order(self.word or ())
        traces = [word_order(trace) for trace in self.traces]
        if self.index_sums:
            return 1, len(traces), [x.text for x in self.index_sums], -size, primes, names, traces
        return 0, -size, primes, names, len(traces), traces


@dataclass(frozen=True, eq=False)
class TracePolynomial:
    """``terms`` maps monomials to non-zero coefficients; every term of a matrix has a word, perhaps empty."""

    terms: Mapping[Monomial, Rational]
    is_matrix: bool

    @staticmethod
    def constant(value: Rational) -> TracePolynomial:
        """A scalar without traces."""
        return collect([(Monomial((), None), value)], is_matrix=False)

    @staticmethod
    def letter(word: Word) -> TracePolynomial:
        """One word, a matrix; the empty word is the identity."""
        return TracePolynomial({Monomial((), word): ONE}, is_matrix=True)

    @cached_property
    def sorted_terms(self) -> list[tuple[Monomial, Rational]]:
        """The terms in a fixed order."""
        return sorted(self.terms.items(), key=lambda item: item[0].order)

    def equals(self, other: TracePolynomial) -> bool:
        """Exact equality."""
        return self.is_matrix == other.is_matrix and all(
            self.terms.get(key, _ZERO).equals(other.terms.get(key, _ZERO))
            for key in {**self.terms, **other.terms}
        )

    def __add__(self, other: TracePolynomial) -> TracePolynomial:
        return collect([*self.terms.items(), *other.terms.items()], self.is_matrix)

    def scaled(self, factor: Rational) -> TracePolynomial:
        """The product with a coefficient."""
        return collect(((key, factor * value) for key, value in self.terms.items()), self.is_matrix)

    def __mul__(self, other: TracePolynomial) -> TracePolynomial:
        """The product: of scalars, of a scalar and a matrix, or of matrices in this order.

        Raises QueryTooLarge over a limit of this module.
        """
        if len(self.terms) * len(other.terms) > MAX_TERMS * 4:
            raise _too_many_terms()
        products = []
        for one, left in self._multiplied_out():
            for two, right in other._multiplied_out():
                if one.word is None or two.word is None:
                    both = two.word if one.word is None else one.word
                else:
                    both = joined(one.word, two.word)
                key = Monomial(tuple(sorted((*one.traces, *two.traces), key=word_order)), both)
                products.append((key, left * right))
        return collect(products, self.is_matrix or other.is_matrix).checked()

    def _multiplied_out(self) -> Iterable[tuple[Monomial, Rational]]:
        """The terms. Raises ValueError for sums over indices, which can be added, written and evaluated only."""
        if any(key.index_sums for key in self.terms):
            raise ValueError(
                "sums over indices are not multiplied, traced or transposed: do it before averaging"
            )
        return self.terms.items()

    def checked(self) -> TracePolynomial:
        """The polynomial itself. Raises QueryTooLarge when it is over a limit of this module."""
        if len(self.terms) > MAX_TERMS:
            raise _too_many_terms()
        for monomial, value in self.terms.items():
            degree = sum(is_wishart(factor) for word in monomial.words for factor in word)
            if degree > MAX_DEGREE:
                raise QueryTooLarge(f"degree {degree} is over the limit: ask for at most {MAX_DEGREE}")
            if sum(map(len, monomial.words)) > MAX_LETTERS:
                raise QueryTooLarge(f"a product is over the limit of {MAX_LETTERS} factors: shorten it")
            for part in (value.numerator, value.denominator):
                if len(part) > MAX_TERMS:
                    raise QueryTooLarge(f"a coefficient is over the limit of {MAX_TERMS} terms: shorten it")
                if part.total_degree() > MAX_LETTERS:
                    raise QueryTooLarge(f"a coefficient is over the limit of degree {MAX_LETTERS}: lower it")
                if any(_bits(c) > MAX_BITS for c in part.coeffs()):
                    raise QueryTooLarge(f"a number is over the limit of {MAX_BITS} bits: take it out")
        return self

    def transposed(self) -> TracePolynomial:
        """The transpose of a matrix."""
        return collect(
            (
                (Monomial(key.traces, transpose(key.word or ())), value)
                for key, value in self._multiplied_out()
            ),
            is_matrix=True,
        )

    def trace(self) -> TracePolynomial:
        """The trace of a matrix."""
        return collect(
            (
                product_of_traces((*key.traces, key.word or ()), None, value)
                for key, value in self._multiplied_out()
            ),
            is_matrix=False,
        )

    def inverted(self) -> TracePolynomial | None:
        """The inverse of one term without traces whose factors are invertible; None for anything else.

        The coefficient may be any function of the dimensions, such as n - 1.
        """
        if len(self.terms) != 1:
            return None
        ((key, value),) = self._multiplied_out()
        word = key.word
        if key.traces or not all(map(is_invertible, word or ())):
            return None
        opposite = None if word is None else tuple(map(inverse, reversed(word)))
        return TracePolynomial({Monomial((), opposite): value**-1}, self.is_matrix)

    def commuted(self) -> TracePolynomial:
        """The same for p = 1, where factors are numbers: one word per term, sorted and cancelled."""
        terms = []
        for (traces, word, _, _), value in self._multiplied_out():
            merged: Word = ()
            plain = (factor.removesuffix(TRANSPOSED) for part in (*traces, word or ()) for factor in part)
            for factor in sorted(plain):
                merged = joined(merged, (factor,))
            merged = _cancelled(merged)
            terms.append(
                (Monomial((merged,) if merged else (), None) if word is None else Monomial((), merged), value)
            )
        return collect(terms, self.is_matrix)

    def at(self, dimensions: Mapping[str, Exact]) -> TracePolynomial:
        """The polynomial with numbers for some dimensions.

        Raises ZeroDivisionError where a coefficient has a pole.
        """
        if not dimensions:
            return self
        return collect(((key, at(value, dimensions)) for key, value in self.terms.items()), self.is_matrix)


_ZERO = Rational.number(0)


def _too_many_terms() -> QueryTooLarge:
    return QueryTooLarge(f"multiplied out it has over {MAX_TERMS} terms: ask for the parts one by one")


def collect(terms: Iterable[tuple[Monomial, Rational]], is_matrix: bool) -> TracePolynomial:
    """The sum of terms, equal monomials merged and zeros removed."""
    total: dict[Monomial, Rational] = {}
    for key, value in terms:
        total[key] = total[key] + value if key in total else value
    return TracePolynomial({key: value for key, value in total.items() if not value.is_zero()}, is_matrix)


def product_of_traces(words: Iterable[Word], word: Word | None, value: Rational) -> tuple[Monomial, Rational]:
    """The term value * tr(words) * ... * word, in canonical form; the trace of the identity is p."""
    traces = []
    for each in words:
        canonical = closed(each)
        if canonical:
            traces.append(canonical)
        else:
            value = value * Rational.generator(COLUMNS)
    return Monomial(tuple(sorted(traces, key=word_order)), word), value


def elements(polynomial: TracePolynomial) -> TracePolynomial:
    """The same with at most one matrix of a single 1 in each word: what stands between two of them is an element.

    tr(u e[i,j] v e[k,l]) = tr(u e[i,l]) tr(v e[k,j]), and in an open word e[i,j] v e[k,l] = tr(v e[k,j]) e[i,l].
    """
    terms = []
    for key, value in polynomial.terms.items():
        traces: list[Word] = []
        for trace in key.traces:
            traces += _split(trace, is_closed=True)
        word = key.word
        if word is not None:
            *inner, word = _split(word, is_closed=False)
            traces += inner
        if all(_is_one(trace) for trace in traces if len(trace) == 1 and indices_of(trace[0])):
            kept = [trace for trace in traces if not (len(trace) == 1 and indices_of(trace[0]))]
            monomial, factor = product_of_traces(kept, word, value)
            terms.append((monomial._replace(sums=key.sums, matrix=key.matrix), factor))
    return collect(terms, polynomial.is_matrix)


def scalars(polynomial: TracePolynomial) -> TracePolynomial:
    """The same with a trace of its own for each product from a row a' to a column b, which is a scalar."""
    if not any(is_vector(factor) for key in polynomial.terms for word in key.words for factor in word):
        return polynomial
    terms = []
    for key, value in polynomial.terms.items():
        traces = [part for trace in key.traces for part in _cut(row_first(trace))]
        word = key.word
        if word is not None and len(parts := _cut(word)) > 1:
            traces += parts[1:-1]
            word = parts[0] + parts[-1]
        monomial, factor = product_of_traces(traces, word, value)
        terms.append((monomial._replace(sums=key.sums, matrix=key.matrix), factor))
    return collect(terms, polynomial.is_matrix)


def _cut(word: Word) -> list[Word]:
    """The parts of a word, cut between a column and the row after it."""
    starts = [k for k in range(1, len(word)) if _is_row(word[k]) and is_vector(word[k - 1])]
    return [word[i:j] for i, j in pairwise([0, *starts, len(word)])]


def _is_row(factor: str) -> bool:
    return is_vector(factor) and factor.endswith(TRANSPOSED)


def row_first(trace: Word) -> Word:
    """A closed word, or its transpose, turned to begin with a row, where there is one."""
    ways = [w[k:] + w[:k] for w in (trace, transpose(trace)) for k in range(len(w)) if _is_row(w[k])]
    return min(ways, key=lambda w: [*map(base, w)], default=trace)


def symmetrised(polynomial: TracePolynomial, names: Collection[str]) -> TracePolynomial:
    """The same for letters that are their own transposes."""

    def plain(word: Word) -> Word:
        return tuple(factor.removesuffix(TRANSPOSED) if base(factor) in names else factor for factor in word)

    terms = []
    for key, value in polynomial.terms.items():
        traces = []
        for trace in map(plain, key.traces):
            flipped = plain(transpose(trace))
            ways = (*turns(trace, trace), *turns(flipped, flipped))
            traces.append(min(ways, key=word_order))
        word = None if key.word is None else plain(key.word)
        ordered = tuple(sorted(traces, key=word_order))
        terms.append((key._replace(traces=ordered, word=word), value))
    return collect(terms, polynomial.is_matrix)


def _split(word: Word, is_closed: bool) -> list[Word]:
    """A word as traces with one matrix of a single 1 each, and as the last part what is left of it."""
    places = [k for k, factor in enumerate(word) if indices_of(factor)]
    if len(places) < 2:
        return [word]
    if is_closed:
        word = word[places[0] :] + word[: places[0]]
        places = [k - places[0] for k in places]
    found: list[Word] = []
    for left, right in pairwise(places):
        found.append((*word[left + 1 : right], unit(_row(word[right]), _column(word[left]))))
    outer = unit(_row(word[places[0]]), _column(word[places[-1]]))
    return [*found, (*word[: places[0]], outer, *word[places[-1] + 1 :])]


def _row(factor: str) -> int:
    return (indices_of(factor) or (0, 0))[0]


def _column(factor: str) -> int:
    return (indices_of(factor) or (0, 0))[1]


def _is_one(trace: Word) -> bool:
    """Whether the trace of a matrix of a single 1 is 1: it is on the diagonal."""
    return _row(trace[0]) == _column(trace[0])


def at(value: Rational, dimensions: Mapping[str, Exact]) -> Rational:
    """A coefficient with numbers for some of its generators; raises ZeroDivisionError at a pole."""
    names = value.names()
    given = {name: number for name, number in dimensions.items() if name in names}
    if not given:
        return value
    if names <= given.keys():
        return Rational.number(value.at({name: Fraction(number) for name, number in given.items()}))
    ring = context(names - given.keys())
    parts = []
    for part in (value.numerator, value.denominator):
        labels = names_of(part.context())
        images = [
            ring.constant(to_fmpq(given[name]))
            if name in given
            else ring.gen(ring.variable_to_index(name))
            if name in names
            else ring.constant(0)
            for name in labels
        ]
        parts.append(part.compose(*images, ctx=ring))
    if parts[1].is_zero():
        raise ZeroDivisionError("the point is a pole")
    return Rational(parts[0], parts[1], {}).reduced()


def _cancelled(word: Word) -> Word:
    """A sorted word with factors cancelled against their inverses, wherever these stand."""
    counts: dict[str, int] = {}
    for factor in word:
        opposite = inverse(factor) if is_invertible(factor) else ""
        if counts.get(opposite):
            counts[opposite] -= 1
        else:
            counts[factor] = counts.get(factor, 0) + 1
    return tuple(factor for factor, count in counts.items() for _ in range(count))


def _bits(value: fmpq) -> int:
    return max(int(value.p).bit_length(), int(value.q).bit_length())
