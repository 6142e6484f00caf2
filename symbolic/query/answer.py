"""An answer to a moment query with what was asked, and the small sizes and matrices at which the two are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symbolic.algebra.entry_laws import GAUSSIAN, Law
from symbolic.checks.entry_products import Table
from symbolic.checks.frame_moments import MAX_FRAME
from symbolic.checks.wishart_entries import SmallWishart, inverse_counts
from symbolic.grammar.shapes import ONE
from symbolic.grammar.tree import Determinant, Element, Node, subtrees, symbols
from symbolic.query.query_words import (
    Setting,
)
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    SIGMA,
    base,
    indices_of,
    is_covariance,
    is_dimension,
    is_pseudo,
    is_wishart,
    of_rows,
    row_dimension,
    unit,
)
from symbolic.wishart.trace_polynomial import TracePolynomial
from symbolic.wishart.wishart_moment import Covariance

SIZES = ((2, 3), (3, 2), (1, 4), (2, 5), (4, 5), (5, 6))
"""p and the rows of the first Wishart matrix, in the order of preference; the last are for divisors such as p - 1."""

LONE = 3
"""The number of rows of a letter beside no random matrix with that number."""

ONE_COLUMN = ((1, 3), (1, 6))
"""The sizes when the answer is for p = 1 only."""


@dataclass(frozen=True)
class Answer:
    """What was asked and what was found.

    ``products`` is the query multiplied out, ``averaged`` what the expectation was taken of: the same, or for p = 1,
    where matrices commute and an inverse may cancel, what is left of it. ``formula`` is the expectation. ``effort``: how
    many times `symbolic.query.check.MOST_COST` the check may take.
    """

    tree: Node
    products: TracePolynomial
    averaged: TracePolynomial
    formula: TracePolynomial
    setting: Setting
    law: Law
    effort: float = 1

    @property
    def covariance(self) -> Covariance:
        """That of a row."""
        return self.setting.covariance

    @property
    def needs_rows(self) -> bool:
        """Whether the query is averaged in X itself."""
        return any(map(self.setting.needs_rows, self.averaged.terms))

    @property
    def one_column(self) -> bool:
        """Whether the answer is for p = 1 only."""
        return self.averaged is not self.products

    @property
    def length(self) -> int:
        """The number of terms of the formula."""
        return len(self.formula.terms)

    @property
    def tree_sizes(self) -> tuple[int, ...]:
        """The sizes at which the query as it is read may be compared, in the order of preference."""
        return (1,) if self.one_column else (*self.orders, 2, 1, 3, 4, 5)

    @cached_property
    def pseudo_inverses(self) -> dict[str, int]:
        """The Wishart matrices with Moore-Penrose inverses, each with the largest number of them in one product."""
        found: dict[str, int] = {}
        for key in self.averaged.terms:
            for name, count in Counter(f for word in key.words for f in word if is_pseudo(f)).items():
                found[base(name)] = max(found.get(base(name), 0), count)
        return found

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """p and the rows of the first Wishart matrix, in the order of preference, at which the answer may be compared."""
        if self.one_column:
            return [*ONE_COLUMN]
        if self.pseudo_inverses:
            most = max(self.pseudo_inverses.values())
            return [(rows + 2 * most, rows) for rows in range(MAX_FRAME, 0, -1)]
        least = least_columns(self.averaged, self.setting)
        # at smaller sizes a determinant is zero, and anything may stand before it
        chosen = [(order, order + 1) for order in self.orders if order > 1]
        return [*chosen, *(pair for pair in SIZES if pair[0] >= least)]

    @property
    def orders(self) -> list[int]:
        """The sizes of determinants in the query."""
        return sorted({part.order for part in subtrees(self.tree) if isinstance(part, Determinant)})

    @cached_property
    def inverses(self) -> dict[str, int]:
        """The Wishart matrices, each with the largest number of its inverses in one product."""
        names = {base(symbol.name) for symbol in symbols(self.tree) if is_wishart(symbol.name)}
        names |= {base(f) for key in self.averaged.terms for word in key.words for f in word if is_wishart(f)}
        names |= {"W" + row_dimension(name)[1:] for name in self.row_letters}
        degrees = dict.fromkeys(sorted(names), 0)
        for monomial in self.averaged.terms:
            for name, count in inverse_counts(monomial.words).items():
                degrees[name] = max(degrees[name], count)
        return degrees

    @cached_property
    def covariances(self) -> set[str]:
        """Sigma1, Sigma2, ..., where the matrices have their own."""
        if not self.setting.own:
            return set()
        names = {symbol.name for symbol in symbols(self.tree)}
        names |= {base(f) for key in self.formula.terms for word in key.words for f in word}
        return {
            *filter(is_covariance, names),
            *(x for name in self.inverses for x in self.setting.sigma(name)),
        }

    @cached_property
    def plain_letters(self) -> list[str]:
        """The deterministic letters without a meaning of their own."""
        names = {symbol.name for symbol in symbols(self.tree) if symbol.is_matrix}
        terms = [*self.averaged.terms, *self.formula.terms]
        names |= {base(factor) for key in terms for word in key.words for factor in word}
        return sorted(
            name
            for name in names - {IDENTITY}
            if not (is_covariance(name) or is_wishart(name) or indices_of(name) or of_rows(name))
        )

    @cached_property
    def row_letters(self) -> list[str]:
        """X, M, U and I_n, as far as they occur in the query as it is read."""
        return sorted({symbol.name for symbol in symbols(self.tree) if of_rows(symbol.name)})

    @property
    def lone_dimensions(self) -> set[str]:
        """Numbers of rows of letters, or of the whole, of which this term of a sum has no random matrix."""
        shapes = [self.setting.whole, *map(self.setting.shape, self.plain_letters)]
        rows = {row_dimension(name) for name in (*self.inverses, *self.pseudo_inverses)}
        return {length for shape in shapes for length in shape} - rows - {COLUMNS, ONE}

    @cached_property
    def units(self) -> list[str]:
        """The matrices of a single 1, those above the diagonal first, each with its transpose."""
        found = {symbol.name for symbol in symbols(self.tree)}
        found |= {unit(x.row, x.column) for x in subtrees(self.tree) if isinstance(x, Element)}
        places = {place for name in found if (place := indices_of(name))}
        places |= {(column, row) for row, column in places}
        return [unit(*place) for place in sorted(places, key=lambda place: (place[0] > place[1], place))]

    def small(self, size: int, rows: int) -> SmallWishart:
        """Matrices of a small size; W, W1, ... have different numbers of rows, from ``rows`` on."""
        # one that is inverted d times needs n - p > 2 d - 1
        counts = {
            name: rows + k + (size + 2 * degree if degree else 0)
            for k, (name, degree) in enumerate(self.inverses.items())
        } | dict.fromkeys(self.pseudo_inverses, rows)
        gaussian = self.law is GAUSSIAN
        span = range(size)
        lengths = {COLUMNS: size, ONE: 1, **dict.fromkeys(self.lone_dimensions, LONE)}
        lengths |= {row_dimension(name): count for name, count in counts.items()}
        root = [[Fraction(i == j) for j in span] for i in span]
        if self.covariance == "general" and gaussian:
            # diagonal: the Gaussian law turns with Sigma, and no letter commutes with it
            root = [[Fraction(int(i == j) * (i + 1)) for j in span] for i in span]
        elif self.covariance == "general":
            root = [[Fraction(i + 2 if i == j else int(abs(i - j) == 1)) for j in span] for i in span]
        letters = {
            name: fixed_letter(k, *(lengths[length] for length in self.setting.shape(name)))
            for k, name in enumerate(self.plain_letters)
        }
        for name in self.units:
            row, column = indices_of(name) or (0, 0)
            # any matrix, symmetric where row and column are the same: the answer is found for letters
            letters[name] = [
                [
                    Fraction((5 * row * (i + 1) + 3 * column * (j + 1) + 2 * row * column) % 7 - 2)
                    for j in span
                ]
                for i in span
            ]
            if row == column:
                letters[name] = [[letters[name][min(i, j)][max(i, j)] for j in span] for i in span]
            if row > column:
                letters[name] = [[letters[unit(column, row)][j][i] for j in span] for i in span]
        rule = None if gaussian else self.law.rule
        rotations, roots = self.setting.rotations, {name: _own_root(name, size) for name in self.covariances}
        return SmallWishart(size, counts, letters, root, rule, self.setting.is_complex, rotations, roots)

    def dimensions(self, small: SmallWishart) -> dict[str, int]:
        """Numbers for all dimensions of the query; for those that are no rows of a matrix there, others."""
        rows = dict.fromkeys(self.lone_dimensions, LONE)
        rows |= {row_dimension(name): number for name, number in small.rows.items()}
        names = {symbol.name for symbol in symbols(self.tree) if is_dimension(symbol.name)}
        others = sorted(names - rows.keys() - {COLUMNS})
        return {**rows, **{name: 7 + k for k, name in enumerate(others)}, COLUMNS: small.size}


def _own_root(name: str, size: int) -> Table:
    """A root of Sigma1, Sigma2, ..., triangular, so that no two of them commute."""
    k = int(name.removeprefix(SIGMA) or 0)
    return [
        [Fraction((k + i) % 4 + 1 if i == j else (k + i + j) % 3 - 1 if i > j else 0) for j in range(size)]
        for i in range(size)
    ]


def least_columns(query: TracePolynomial, setting: Setting) -> int:
    """The least p for which averages over rotations are by the formula: half the largest number of factors of one."""
    counts = [
        Counter(base(f) for word in key.words for f in word if base(f) in setting.rotations)
        for key in query.terms
    ]
    return max((count // 2 for found in counts for count in found.values()), default=1)


def fixed_letter(number: int, rows: int, columns: int) -> Table:
    """A matrix of small integers, another one for each number."""
    return [
        [Fraction((7 * number + 3 * i + 5 * j + 2 * i * j + 10) % 11 - 4) for j in range(columns)]
        for i in range(rows)
    ]
