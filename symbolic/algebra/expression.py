"""Expressions in matrix words: exact algebra of products and traces of matrices.

An `Expression` is a linear combination of monomials; a monomial is a product of traces of words (closed
words) and at most one matrix product (open word). Coefficients are polynomials in the dimensions and
scalars. Words are kept in canonical form, so that equal terms merge: traces up to rotation and
transposition, 1 x 1 factors split off as scalars, products of standard basis vectors evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce

from flint import fmpq_mpoly

from symbolic.algebra import coefficients, letters, substitution, terms
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import NUMBERS, Exact, lift, to_fraction, trim, union
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.readable import Term, readable, show_term, term_order
from symbolic.algebra.terms import Terms

Shape = tuple[str, str] | None


class Expression:
    """An immutable linear combination of monomials in matrices; see `symbolic.algebra.words` to build one.

    ``a + b``, ``a - b``, ``-a``; ``a * b`` when one side is a scalar; ``a @ b`` the matrix product; ``a.T``;
    ``a ** k`` for a square or scalar ``a`` and an integer k >= 0. Shapes are pairs of dimension names,
    checked: ValueError names the two that disagree. A 1 x 1 matrix is a scalar, and zero may be added to
    anything.
    """

    __slots__ = ("_hash", "_indices", "_ring", "_terms", "shape")

    shape: Shape

    def __init__(self, total: Terms, shape: Shape, indices: frozenset[int]) -> None:
        """Take over canonical monomials and non-zero coefficients; callers use the constructors instead."""
        ring = reduce(union, {value.context() for value in total.values()}, NUMBERS)
        self._terms = {
            key: value if value.context() is ring else lift(value, ring) for key, value in total.items()
        }
        self._ring = ring
        self._indices = indices
        self._hash: int | None = None
        self.shape = shape

    # -- reading -------------------------------------------------------------------------------------------

    @property
    def is_zero(self) -> bool:
        """Whether the expression is zero."""
        return not self._terms

    @property
    def is_scalar(self) -> bool:
        """Whether the expression is a scalar (its shape is None)."""
        return self.shape is None

    @property
    def monomials(self) -> Mapping[Monomial, fmpq_mpoly]:
        """The terms in the coded form of `symbolic.algebra.canonical`, for the engines; `terms` is readable."""
        return self._terms

    @property
    def letter_indices(self) -> frozenset[int]:
        """The numbers (`symbolic.algebra.letters`) of the letters that occur, and perhaps of some that cancelled."""
        return self._indices

    @property
    def terms(self) -> dict[Term, fmpq_mpoly]:
        """The terms, readable and in a fixed order that depends on the names only."""
        named = {readable(key): trim(value) for key, value in self._terms.items()}
        return dict(sorted(named.items(), key=lambda item: term_order(item[0])))

    def letters(self) -> dict[str, Letter]:
        """The letters that occur, by name."""
        found: set[str] = set()
        for traces, word in self._terms:
            found.update(*traces, word or "")
        return dict(sorted((letter.name, letter) for letter in map(letters.letter_of, found)))

    def scalars(self) -> frozenset[str]:
        """The names of the dimensions and scalars that occur in coefficients."""
        return frozenset().union(*map(coefficients.names_in, self._terms.values()))

    def coefficient(self) -> fmpq_mpoly:
        """The polynomial that a scalar without letters is.

        Raises ValueError when a trace or an open word remains.
        """
        if not self._terms:
            return NUMBERS.constant(0)
        if self._terms.keys() != {((), None)}:
            raise ValueError(f"{self} is not a polynomial: traces or matrices remain; substitute them first")
        return trim(self._terms[((), None)])

    def __repr__(self) -> str:
        if not self._terms:
            return "0"
        return " + ".join(show_term(term, value) for term, value in self.terms.items())

    # -- equality ------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            if not isinstance(other, int | Fraction):
                return NotImplemented
            other = number(other)
        if self._terms.keys() != other._terms.keys() or (self._terms and self.shape != other.shape):
            return False
        return all(coefficients.equal(value, other._terms[key]) for key, value in self._terms.items())

    def __hash__(self) -> int:
        if self._hash is None:
            if self._terms.keys() <= {((), None)} and not self.scalars():
                value = self._terms.get(((), None))
                self._hash = hash(to_fraction(value.leading_coefficient()) if value is not None else 0)
            else:
                self._hash = hash((self.shape, frozenset(self._terms)))
        return self._hash

    # -- algebra -------------------------------------------------------------------------------------------

    def __add__(self, other: Expression | Exact) -> Expression:
        right = _operand(other)
        if right is None:
            return NotImplemented
        if right.is_zero and (right.shape is None or right.shape == self.shape):
            return self
        if self.is_zero and (self.shape is None or right.shape == self.shape):
            return right
        if self.shape != right.shape:
            raise ValueError(
                f"cannot add shapes {_dims(self.shape)} and {_dims(right.shape)}: make them equal"
            )
        indices = letters.merge_alphabets(self._indices, right._indices)
        return Expression(terms.add(self._terms, right._terms), self.shape, indices)

    __radd__ = __add__

    def __neg__(self) -> Expression:
        return Expression({key: -value for key, value in self._terms.items()}, self.shape, self._indices)

    def __sub__(self, other: Expression | Exact) -> Expression:
        right = _operand(other)
        return NotImplemented if right is None else self + (-right)

    def __rsub__(self, other: Expression | Exact) -> Expression:
        return -self + other

    def __mul__(self, other: Expression | Exact) -> Expression:
        right = _operand(other)
        if right is None:
            return NotImplemented
        if self.shape is not None and right.shape is not None:
            raise ValueError(
                f"* needs a scalar, got shapes {_dims(self.shape)} and {_dims(right.shape)}: use @"
            )
        shape = right.shape if self.shape is None else self.shape
        indices = letters.merge_alphabets(self._indices, right._indices)
        return Expression(terms.multiply(self._terms, right._terms), shape, indices)

    __rmul__ = __mul__

    def __matmul__(self, other: Expression) -> Expression:
        if not isinstance(other, Expression):
            return NotImplemented
        rows, inner = self.shape or (ONE, ONE)
        outer, columns = other.shape or (ONE, ONE)
        if inner != outer:
            raise ValueError(f"cannot multiply: {inner} columns meet {outer} rows")
        if self.shape is None or other.shape is None:
            return self * other
        product = terms.concatenate(self._terms, other._terms, rows, columns)
        shape = None if rows == columns == ONE else (rows, columns)
        return Expression(product, shape, letters.merge_alphabets(self._indices, other._indices))

    def __pow__(self, exponent: int) -> Expression:
        if not isinstance(exponent, int) or exponent < 0:
            raise ValueError(f"the exponent {exponent!r} must be an integer >= 0")
        if self.shape is not None and self.shape[0] != self.shape[1]:
            raise ValueError(f"a power needs a square matrix, got {_dims(self.shape)}")
        result = number(1) if self.shape is None else one(self.shape[0])
        for _ in range(exponent):
            result = result @ self
        return result

    @property
    def T(self) -> Expression:
        """The transpose; a scalar is its own."""
        if self.shape is None:
            return self
        return Expression(terms.transpose(self._terms), (self.shape[1], self.shape[0]), self._indices)

    def trace(self) -> Expression:
        """The trace; a scalar (a 1 x 1 matrix) is its own. Raises ValueError for other shapes."""
        if self.shape is None:
            return self
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"a trace needs a square matrix, got {_dims(self.shape)}")
        return Expression(terms.trace(self._terms, self.shape[0]), None, self._indices)

    # -- substitution --------------------------------------------------------------------------------------

    def replace(self, values: Mapping[str, Expression | Exact]) -> Expression:
        """Substitute letters and scalars by name, all at once; see `symbolic.algebra.substitution.replace`."""
        given = {name: _given(value) for name, value in values.items()}
        return Expression(*_swap(substitution.replace(self, given), self.shape))

    def rewrite(self, rules: Mapping[tuple[tuple[str, bool], ...], Expression | Exact]) -> Expression:
        """Replace subwords until none is left; see `symbolic.algebra.substitution.rewrite`."""
        given = {pattern: _given(value) for pattern, value in rules.items()}
        return Expression(*_swap(substitution.rewrite(self, given), self.shape))


def number(value: Exact) -> Expression:
    """An exact number as an expression."""
    return polynomial(coefficients.number(value))


def polynomial(value: fmpq_mpoly) -> Expression:
    """A coefficient as a scalar expression."""
    return Expression({((), None): value} if value else {}, None, frozenset())


def one(dimension: str) -> Expression:
    """The identity matrix of a dimension."""
    if dimension == ONE:
        return number(1)
    return Expression({((), ""): NUMBERS.constant(1)}, (dimension, dimension), frozenset())


def single(character: str) -> Expression:
    """The expression that is one factor."""
    rows, columns = letters.row_dimension(character), letters.column_dimension(character)
    unit: Terms = {((), ""): NUMBERS.constant(1)}
    factor = terms.concatenate(unit, {((), character): NUMBERS.constant(1)}, rows, columns)
    shape = None if rows == columns == ONE else (rows, columns)
    return Expression(factor, shape, frozenset((ord(character) >> 1,)))


def _dims(shape: Shape) -> str:
    return "scalar" if shape is None else f"{shape[0]} x {shape[1]}"


def _operand(value: object) -> Expression | None:
    if isinstance(value, Expression):
        return value
    return number(value) if isinstance(value, int | Fraction) else None


def _given(value: Expression | Exact) -> Expression:
    return value if isinstance(value, Expression) else number(value)


def _swap(substituted: substitution.Substituted, shape: Shape) -> tuple[Terms, Shape, frozenset[int]]:
    return substituted[0], shape, substituted[1]
