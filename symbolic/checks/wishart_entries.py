"""Expectations of products of Wishart matrices and their inverses at small sizes, entry by entry.

W = L G L^T with Sigma = L L^T and G = Z^T Z (`symbolic.checks.gram_moments`), or with the symmetric root L under
another law. An inverse is L^-T adj(G) L^-1 / det(G), and for normal entries the density gives

    E[f(W) det(G)^-d] = E[det(G)^-d] E_(n-2d)[f(W)],

where on the right W has 2d rows less (d rows less, where the entries are complex). So f is a polynomial in the entries of G, also with inverses. This
knows nothing of how expectations are taken elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial, reduce
from operator import add
from typing import Any

from flint import fmpq_mat, fmpq_mpoly

from symbolic.algebra.coefficients import to_fraction
from symbolic.algebra.matrices import exact_matrix
from symbolic.checks.entry_products import (
    EntryProducts,
    Factor,
    Polynomials,
    Product,
    Source,
    Table,
    generators,
)
from symbolic.checks.frame_moments import frame_moments, triangular_moment
from symbolic.checks.gram_moments import (
    ComplexGramMoments,
    Moments,
    complex_inverse_determinant_moment,
    gram_moments,
    inverse_determinant_moment,
    pairs,
    places,
)
from symbolic.checks.log_determinants import LogGramMoments, complex_log_moments
from symbolic.wishart.fixed_letters import (
    INVERSE,
    PSEUDO,
    SIGMA,
    TRANSPOSED,
    Word,
    base,
    covariance_of,
    is_covariance,
    is_inverse,
    is_pseudo,
    is_wishart,
)

MAX_SIZE = 3
"""Largest p: adjugates are written out."""

MIDDLE = "^+middle"
"""What follows the name of the source of (T^T T)^-1 and T^T T."""

PLAIN = (0, 3, 2)
"""The parts of a Wishart matrix beside its Moore-Penrose inverse, whose own parts are 0, 1 and 2."""

Term = tuple[Fraction, tuple[Word, ...], Word | None]
"""A number, the words of traces, and a word that is not traced (None in a scalar)."""


@dataclass(frozen=True)
class SmallWishart:
    """Independent Wishart matrices at a small size p: ``rows`` by their names.

    ``letters`` are the deterministic matrices, ``root`` is L, ``law`` the rule for E z^k of an entry (None
    for the normal law, which alone allows inverses), ``is_complex`` whether its normal entries are complex. The ``rotations`` are
    uniform on the orthogonal group. ``roots`` are those of Sigma1, Sigma2, ... by these names, where W1, W2, ... have such.
    ``beside``: the matrix whose log det, less its mean, is a factor of everything that is averaged.
    """

    size: int
    rows: Mapping[str, int]
    letters: Mapping[str, Table]
    root: Table
    law: Moments | None = field(default=None)
    is_complex: bool = False
    rotations: frozenset[str] = frozenset()
    roots: Mapping[str, Table] = field(default_factory=dict)
    beside: str = ""

    def covariance(self, name: str = SIGMA) -> Table:
        """Sigma = L L^T."""
        root = exact_matrix(self.roots.get(name, self.root))
        return _table(root * root.transpose())

    def expectation(self, terms: Sequence[Term], shape: tuple[int, int] | None = None) -> Table:
        """The expectation of a sum of terms: of a ``shape``, p x p unless given, or 1 x 1 for scalars."""
        products = [self._product(term) for term in terms]
        size = self.size if any(word is not None for _, _, word in terms) else 1
        return self._entries(products).expectation(products, shape or (size, size))

    def cost(self, terms: Sequence[Term]) -> int:
        """About how many terms of polynomials `expectation` multiplies."""
        products = [self._product(term) for term in terms]
        return self._entries(products).cost(products)

    def _product(self, term: Term) -> Product:
        """A term with the number of inverses beside each Wishart factor, and each Moore-Penrose inverse in its three factors, as is
        the matrix itself beside it."""
        number, traces, word = term
        degrees = inverse_counts([*traces, word or ()])
        pseudo = {base(f) for factors in (*traces, word or ()) for f in factors if is_pseudo(f)}

        def keys(factors: Word) -> tuple[tuple[str, int], ...]:
            found: list[tuple[str, int]] = []
            for factor in factors:
                if base(factor) in pseudo:
                    parts = range(3) if is_pseudo(factor) else PLAIN
                    found += [(base(factor) + PSEUDO, part) for part in parts]
                else:
                    found.append((factor, degrees.get(base(factor), 0)))
            return tuple(found)

        for name, degree in degrees.items():
            of_determinant = (
                complex_inverse_determinant_moment if self.is_complex else inverse_determinant_moment
            )
            number = number * of_determinant(self.rows[name], self.size, degree)
        if self.beside and not any(base(f) == self.beside for word in (*traces, word or ()) for f in word):
            number = Fraction(0)  # the logarithm is independent of it
        return Product(number, tuple(map(keys, traces)), None if word is None else keys(word))

    def _entries(self, products: Iterable[Product]) -> EntryProducts:
        used = {key for product in products for word in (*product.traces, product.word or ()) for key in word}
        names = {
            (base(factor), degree) for factor, degree in used if is_wishart(factor) and not is_pseudo(factor)
        }
        where = (places if self.is_complex else pairs)(self.size)
        sources = {
            f"{name}_{degree}": Source(
                tuple(f"{name}_{degree}_{i}_{j}" for i, j in where), self._moments(name, degree)
            )
            for name, degree in names
        }
        for name in {base(factor) for factor, _ in used}:
            if name in self.rotations:
                sources[name] = _frame(name, self.size, self.size)
        for name in {base(factor) for factor, _ in used if is_pseudo(factor)}:
            rows = self.rows[name]
            sources[name + PSEUDO] = _frame(f"{name}_frame", self.size, rows)
            middle = tuple(
                f"{name}_{what}_{i}_{j}" for what in ("middle", "of_middle") for i, j in pairs(rows)
            )
            sources[name + MIDDLE] = Source(middle, partial(triangular_moment, self.size))
        variables = generators(sources)
        factors: dict[Any, Factor] = {}
        for factor, degree in used:
            if is_pseudo(factor):
                factors |= self._pseudo_inverse(factor, variables)
                continue
            if base(factor) in self.rotations:
                entries = variables[base(factor)]
                plain = [list(entries[k * self.size : (k + 1) * self.size]) for k in range(self.size)]
                turned = [list(line) for line in zip(*plain, strict=True)]
                table = turned if factor.endswith(TRANSPOSED) else plain
                factors[factor, degree] = Factor(table, base(factor))
                continue
            if not is_wishart(factor):
                factors[factor, degree] = Factor(self._fixed(factor))
                continue
            source = f"{base(factor)}_{degree}"
            gram: Polynomials = [[variables[source][0]] * self.size for _ in range(self.size)]
            for (i, j), variable in zip(where, variables[source], strict=True):
                gram[i][j] = variable
                if not self.is_complex:
                    gram[j][i] = variable
            outer = exact_matrix(self.roots.get(covariance_of(factor, own=True), self.root))
            if is_inverse(factor):
                gram, outer = _adjugate(gram), outer.inv().transpose()
            factors[factor, degree] = Factor(_sandwich(outer, gram), source)
        return EntryProducts(sources, factors)

    def _pseudo_inverse(
        self, factor: str, variables: Mapping[str, tuple[fmpq_mpoly, ...]]
    ) -> dict[Any, Factor]:
        """The factors H^T, (T^T T)^-1 and H of a Moore-Penrose inverse, and T^T T."""
        rows, name = self.rows[base(factor)], base(factor)
        entries = variables[factor]
        frame = [list(entries[k * rows : (k + 1) * rows]) for k in range(self.size)]
        inverse, plain = ([[entries[0]] * rows for _ in range(rows)] for _ in range(2))
        half = len(pairs(rows))
        for table, start in ((inverse, 0), (plain, half)):
            for (i, j), variable in zip(pairs(rows), variables[name + MIDDLE][start:], strict=False):
                table[i][j] = table[j][i] = variable
        tables = frame, inverse, [list(line) for line in zip(*frame, strict=True)], plain
        sources = factor, name + MIDDLE, factor, name + MIDDLE
        return {
            (factor, part): Factor(table, source)
            for part, (table, source) in enumerate(zip(tables, sources, strict=True))
        }

    def _moments(self, name: str, degree: int) -> Callable[[tuple[int, ...]], Fraction]:
        """Those of the entries of G, the rows less that the inverses in a product take."""
        if name == self.beside and self.is_complex:
            return complex_log_moments(self.rows[name] - degree, self.size, degree)
        if name == self.beside:
            return LogGramMoments(self.rows[name] - 2 * degree, self.size, degree)
        if self.is_complex:
            return ComplexGramMoments(self.rows[name] - degree, self.size)
        return gram_moments(self.rows[name] - 2 * degree, self.size, self.law)

    def _fixed(self, factor: str) -> Table:
        """The value of a deterministic factor."""
        name = base(factor)
        matrix = exact_matrix(self.covariance(name) if is_covariance(name) else self.letters[name])
        if factor.endswith(INVERSE):
            matrix = matrix.inv()
        return _table(matrix.transpose() if factor.endswith(TRANSPOSED) else matrix)


def _frame(name: str, size: int, columns: int) -> Source:
    """The entries of a uniform frame, row by row."""
    names = tuple(f"{name}_{i}_{j}" for i in range(size) for j in range(columns))
    return Source(names, frame_moments(size, columns))


def inverse_counts(words: Iterable[Word]) -> dict[str, int]:
    """How many inverses of each Wishart matrix there are in a product."""
    counts: dict[str, int] = {}
    for factor in (factor for word in words for factor in word):
        if is_wishart(factor) and is_inverse(factor):
            counts[base(factor)] = counts.get(base(factor), 0) + 1
    return counts


def _adjugate(matrix: Polynomials) -> Polynomials:
    """The adjugate of a matrix of size up to `MAX_SIZE`: cofactors, by cyclic rows and columns."""
    size = len(matrix)
    if size == 1:
        return [[matrix[0][0] * 0 + 1]]
    if size == 2:
        return [[matrix[1][1], -matrix[0][1]], [-matrix[1][0], matrix[0][0]]]

    def cofactor(i: int, j: int) -> Any:
        a, b, c, d = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
        return matrix[a][c] * matrix[b][d] - matrix[a][d] * matrix[b][c]

    return [[cofactor(j, i) for j in range(size)] for i in range(size)]


def _sandwich(outer: fmpq_mat, inner: Polynomials) -> Polynomials:
    """outer inner outer^T."""
    span = range(len(inner))
    half = [[reduce(add, (inner[k][j] * outer[i, k] for k in span)) for j in span] for i in span]
    return [[reduce(add, (half[i][k] * outer[j, k] for k in span)) for j in span] for i in span]


def _table(matrix: fmpq_mat) -> Table:
    return [[to_fraction(x) for x in line] for line in matrix.tolist()]
