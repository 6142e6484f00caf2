"""The most naive expectation: every index summed at numerical sizes, every product of entries by Isserlis.

An entry-by-entry check of both `symbolic.averages.expectation` and `symbolic.averages.pairings` at tiny sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product

from symbolic.algebra.coefficients import Exact, evaluate_at, to_fmpq, to_fraction
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, Factor, Letter, covariance_letter
from symbolic.algebra.readable import Term

Entries = Sequence[Sequence[Exact]]
Entry = tuple[str, int, int]
"""Name of a random matrix, row and column of one of its entries, from 0."""


def isserlis(entries: Sequence[Entry], covariance: Mapping[str, Entries | None]) -> Fraction:
    """The expectation of a product of entries of Gaussian matrices: E X_ia X_jb = delta_ij Sigma_ab."""
    if not entries:
        return Fraction(1)
    (name, row, column), rest = entries[0], entries[1:]
    total = Fraction(0)
    for place, (other, other_row, other_column) in enumerate(rest):
        if other == name and other_row == row:
            sigma = covariance[name]
            weight = (
                Fraction(int(column == other_column)) if sigma is None else exact(sigma[column][other_column])
            )
            if weight:
                total += weight * isserlis([*rest[:place], *rest[place + 1 :]], covariance)
    return total


def exact(value: Exact) -> Fraction:
    """An exact number as a Fraction. Raises ValueError for a float."""
    return to_fraction(to_fmpq(value))


def expect_by_summation(
    expr: Expression, sizes: Mapping[str, int], values: Mapping[str, Entries | Exact] | None = None
) -> Fraction | tuple[tuple[Fraction, ...], ...]:
    """The expectation of ``expr`` at numerical ``sizes`` of its dimensions; a matrix as a tuple of rows.

    ``values`` gives deterministic letters and covariances as nested lists of exact numbers, and scalars. The
    work grows like the product of all sizes met: meant for sizes up to 3 and a few letters.
    Raises ValueError when a size or a value is missing or has the wrong shape.
    """
    given = dict(values or {})
    point = _Point(sizes, given, expr.letters())
    scalars = {name: value for name, value in given.items() if isinstance(value, int | Fraction)}
    weights = {term: evaluate_at(value, {**sizes, **scalars}) for term, value in expr.terms.items()}

    def element(row: int, column: int) -> Fraction:
        return sum((weights[term] * point.expectation(term, row, column) for term in weights), Fraction(0))

    if expr.shape is None:
        return element(0, 0)
    rows, columns = map(point.size, expr.shape)
    return tuple(tuple(element(row, column) for column in range(columns)) for row in range(rows))


class _Point:
    """Numerical sizes and the entries of the deterministic letters."""

    def __init__(
        self, sizes: Mapping[str, int], given: Mapping[str, Entries | Exact], known: Mapping[str, Letter]
    ) -> None:
        self.sizes = {ONE: 1, **sizes}
        self.known = known
        self.tables = {name: self._table(x, given) for name, x in known.items() if not x.random}
        self.covariance = {
            name: None if (sigma := covariance_letter(letter)) is None else self._table(sigma, given)
            for name, letter in known.items()
            if letter.random
        }

    def size(self, name: str) -> int:
        """The size of a dimension."""
        if name not in self.sizes:
            raise ValueError(f"no size given for the dimension {name}: add it to the sizes")
        return self.sizes[name]

    def _table(self, letter: Letter, given: Mapping[str, Entries | Exact]) -> Entries:
        """The entries of a deterministic letter."""
        rows, columns = self.size(letter.rows), self.size(letter.columns)
        if letter.unit:
            return [[int(row + 1 == letter.unit)] for row in range(rows)]
        value = given.get(letter.name)
        if value is None:
            raise ValueError(f"no value given for the letter {letter.name}: give {rows} x {columns} entries")
        table = [[value]] if isinstance(value, int | Fraction) else value
        if len(table) != rows or any(len(line) != columns for line in table):
            raise ValueError(f"the value of {letter.name} must have {rows} rows and {columns} columns")
        if letter.symmetric and any(table[i][j] != table[j][i] for i in range(rows) for j in range(i)):
            raise ValueError(f"the value of {letter.name} must be symmetric")
        return table

    def expectation(self, term: Term, row: int, column: int) -> Fraction:
        """One element of a monomial: over all index values, the expectation of the product of the entries."""
        if term.word == () and row != column:
            return Fraction(0)
        starts = [[start for start, _ in map(self._indices, word)] for word in term.traces]
        if term.word:
            starts.append([start for start, _ in map(self._indices, term.word[1:])])
        total = Fraction(0)
        for indices in product(*(range(self.size(name)) for names in starts for name in names)):
            summed = iter(indices)
            factors: list[tuple[Factor, int, int]] = []
            for trace in term.traces:
                inner = [next(summed) for _ in trace]
                factors += zip(trace, inner, [*inner[1:], inner[0]], strict=True)
            if term.word:
                inner = [next(summed) for _ in term.word[1:]]
                factors += zip(term.word, [row, *inner], [*inner, column], strict=True)
            total += self._product(factors)
        return total

    def _indices(self, factor: Factor) -> tuple[str, str]:
        """The dimensions of a factor's two indices."""
        letter = self.known[factor.name]
        return (letter.columns, letter.rows) if factor.transposed else (letter.rows, letter.columns)

    def _product(self, factors: Sequence[tuple[Factor, int, int]]) -> Fraction:
        """The expectation of a product of entries."""
        weight, entries = Fraction(1), []
        for (name, transposed), first, second in factors:
            row, column = (second, first) if transposed else (first, second)
            if self.known[name].random:
                entries.append((name, row, column))
            else:
                weight *= exact(self.tables[name][row][column])
        return weight * isserlis(entries, self.covariance) if weight else weight
