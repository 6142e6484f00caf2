"""The terms of an answer as they are printed, read again and evaluated.

A term has a coefficient such as ``(n^2 + 1/2*n)/(n - p)``, words such as ``Sigma^2 A'``, and under a law sums
over indices such as ``[sum_ab (A)_ab^2 (B)_aa]`` and matrices made of them. Only the printed text is used, so
that what a reader sees is what is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import inf, prod
from typing import Any, NoReturn

from flint import fmpq, fmpq_mat

from symbolic.algebra.coefficients import from_terms, to_fmpq, to_fraction
from symbolic.algebra.quotients import Rational
from symbolic.wishart.fixed_letters import IDENTITY, SIGMA

ROOT = "Sigma^(1/2)"

_NUMBER = re.compile(r"-?[0-9]+(?:/[0-9]+)?")
_GENERATOR = re.compile(r"(-?)(p|n[0-9]{0,2})(?:\^([0-9]{1,3}))?")
_FACTOR = re.compile(r"(Sigma\^\(1/2\)|Sigma|[A-D]'?|I)(?:\^(-?[0-9]{1,3}))?")
_WORD = r"(?:[^()\[\]]|\(1/2\))+"
_ELEMENT = re.compile(rf"\(({_WORD})\)_([a-oq])([a-oq])(?:\^([0-9]{{1,3}}))?")
_SUM = re.compile(r"(?:sum_([a-oq]+) )?(.*)")
_PIECE = re.compile(
    rf"diag\((?P<word>{_WORD})\)(?:\^(?P<power>[0-9]{{1,3}}))?"
    r"|(?P<diagonal>diag)?\[(?P<sum>[^\]]*)\]_(?P<outer>[a-oq]{1,2})"
    rf"|(?P<factor>{_FACTOR.pattern})"
)

Data = Mapping[str, Any]


class TooManyProducts(Exception):
    """Sums over indices that are not worth their time here."""


@lru_cache(maxsize=1 << 14)
def coefficient(text: str) -> Rational:
    """A printed coefficient. Raises ValueError for any other text."""
    if not text.startswith("("):
        top, slash, bottom = text.partition("/")
        if not slash or _NUMBER.match(bottom):
            return Rational(_polynomial(text), _polynomial("1"), {})
    else:
        top, slash, bottom = text.partition(")/")
        top = top[1:]
        if not slash:
            _refuse(text)
    if bottom.startswith("(") and bottom.endswith(")"):
        bottom = bottom[1:-1]
    return Rational(_polynomial(top), _polynomial(bottom), {})


def _polynomial(text: str) -> Any:
    terms: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for part in text.replace(" - ", " + -").split(" + "):
        number = Fraction(1)
        powers: dict[str, int] = {}
        for place, factor in enumerate(part.split("*")):
            if _NUMBER.fullmatch(factor):
                number *= Fraction(factor)
                continue
            found = _GENERATOR.fullmatch(factor)
            if found is None or (place and found[1]):
                _refuse(text)
            number = -number if found[1] else number
            powers[found[2]] = powers.get(found[2], 0) + int(found[3] or 1)
        key = tuple(sorted(powers.items()))
        terms[key] = terms.get(key, Fraction(0)) + number
    names = sorted({name for key in terms for name, _ in key})
    return from_terms(names, {tuple(dict(key).get(x, 0) for x in names): c for key, c in terms.items()})


def _refuse(text: object) -> NoReturn:
    raise ValueError(f"{ascii(text)[:60]} is not as a term is printed: take the terms of an answer")


@lru_cache(maxsize=1 << 14)
def _factors(text: str) -> tuple[tuple[str, int], ...]:
    """The factors of a printed word with their powers."""
    found = []
    for part in text.split(" "):
        factor = _FACTOR.fullmatch(part)
        if factor is None or (factor[2] and factor[2].startswith("-") and factor[1] != SIGMA):
            _refuse(text)
        found.append((factor[1], int(factor[2] or 1)))
    return tuple(found)


@dataclass
class Point:
    """Numbers for the dimensions, and exact p x p matrices for the letters, Sigma and its root.

    ``limit`` is the largest number of products of elements in all sums over indices.
    """

    dimensions: Mapping[str, int | Fraction]
    matrices: Mapping[str, fmpq_mat]
    size: int
    limit: float = inf
    _products: dict[tuple[tuple[str, int], ...], fmpq_mat] = field(default_factory=dict)

    def value(self, terms: Iterable[Data]) -> list[list[Fraction]]:
        """The value of a sum of printed terms: p x p, or 1 x 1 for scalars.

        Raises ValueError for what no answer prints, ZeroDivisionError at a pole or for a singular Sigma that
        is inverted, and TooManyProducts for long sums over indices.
        """
        total: dict[bool, fmpq_mat] = {}
        for term in terms:
            factor = self.factor(term)
            matrix = self._matrix(term)
            shown = fmpq_mat([[factor]]) if matrix is None else matrix * factor
            kind = matrix is not None
            total[kind] = total[kind] + shown if kind in total else shown
        if len(total) > 1:
            _refuse("a sum of scalars and matrices")
        (sum_of_terms,) = total.values() or (fmpq_mat(1, 1),)
        return [[to_fraction(x) for x in line] for line in sum_of_terms.tolist()]

    def factor(self, term: Data) -> fmpq:
        """The scalar factor of a term: coefficient, traces and sums."""
        names = {name: Fraction(size) for name, size in self.dimensions.items()}
        value = to_fmpq(coefficient(term["coefficient"]).at(names))
        for trace in term["traces"]:
            matrix = self.word(trace)
            value *= sum((matrix[i, i] for i in range(self.size)), fmpq(0))
        for text in term.get("sums", ()):
            if not (text.startswith("[") and text.endswith("]")):
                _refuse(text)
            value *= self._summed(text[1:-1], "")[()]
        return value

    def word(self, text: str) -> fmpq_mat:
        """The matrix of a printed word."""
        return self._product(_factors(text))

    def _product(self, factors: tuple[tuple[str, int], ...]) -> fmpq_mat:
        """The product of factors; those of common beginnings are shared."""
        if factors not in self._products:
            last = self._power(*factors[-1])
            self._products[factors] = self._product(factors[:-1]) * last if len(factors) > 1 else last
        return self._products[factors]

    def _power(self, name: str, power: int) -> fmpq_mat:
        if name == IDENTITY:
            return fmpq_mat(self.size, self.size, [int(i == j) for i, j in self._places()])
        matrix = self.matrices[name.removesuffix("'")]
        if name.endswith("'"):
            matrix = matrix.transpose()
        return matrix**power if power > 0 else matrix.inv() ** -power

    def _places(self) -> Iterator[tuple[int, int]]:
        span = range(self.size)
        return ((i, j) for i in span for j in span)

    def _matrix(self, term: Data) -> fmpq_mat | None:
        """The word or the matrix of sums of a term; None in a scalar."""
        if term["word"] is not None:
            return self.word(term["word"])
        text = term.get("matrix")
        if text is None:
            return None
        matrix = self.word(IDENTITY)
        place = 0
        while place < len(text):
            found = _PIECE.match(text, place)
            if found is None or text[found.end() : found.end() + 1] not in ("", " "):
                _refuse(text)
            matrix = matrix * self._piece(found)
            place = found.end() + 1
        return matrix

    def _piece(self, found: re.Match[str]) -> fmpq_mat:
        """One factor of a printed matrix."""
        size, power = self.size, int(found["power"] or 1)
        if found["factor"]:
            return self.word(found["factor"])
        if found["word"]:
            matrix = self.word(found["word"])
            return fmpq_mat(size, size, [matrix[i, i] ** power if i == j else 0 for i, j in self._places()])
        outer = found["outer"]
        if (len(outer) == 1) != bool(found["diagonal"]):
            _refuse(found[0])
        summed = self._summed(found["sum"], outer)
        if len(outer) == 1:
            return fmpq_mat(size, size, [summed[i,] if i == j else 0 for i, j in self._places()])
        return fmpq_mat(size, size, [summed[i, j] for i, j in self._places()])

    def _summed(self, text: str, outer: str) -> dict[tuple[int, ...], fmpq]:
        """A sum over indices, by the values of the indices that are left."""
        head = _SUM.fullmatch(text)
        if head is None:
            _refuse(text)
        elements = [_ELEMENT.fullmatch(part) for part in _split(head[2])] if head[2] else []
        names = outer + (head[1] or "")
        self.limit -= self.size ** len(names) * len(elements)
        if self.limit < 0:
            raise TooManyProducts("the sums over indices are long")
        read = []
        for element in elements:
            if element is None or {element[2], element[3]} - {*names}:
                _refuse(text)
            places = names.index(element[2]), names.index(element[3])
            read.append((self.word(element[1]), places, int(element[4] or 1)))
        total: dict[tuple[int, ...], fmpq] = {}
        for values in product(range(self.size), repeat=len(names)):
            key = values[: len(outer)]
            term = prod(
                (matrix[values[i], values[j]] ** power for matrix, (i, j), power in read), start=fmpq(1)
            )
            total[key] = total.get(key, fmpq(0)) + term
        return total


def _split(text: str) -> Sequence[str]:
    """Elements, which are separated by spaces; words within parentheses have spaces of their own."""
    return text.replace(" (", "\n(").split("\n")
