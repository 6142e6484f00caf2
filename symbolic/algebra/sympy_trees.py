"""Expressions as SymPy objects, for reading, printing and further algebra at the boundary."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from flint import fmpq_mpoly

from symbolic.algebra.coefficients import INVERSE, names_of
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import LETTERS, ONE, Letter
from symbolic.algebra.readable import Word

__all__ = ["evaluate", "polynomial_to_sympy", "to_sympy"]

Symbols = Mapping[str, sympy.Expr]


def to_sympy(expr: Expression, symbols: Symbols | None = None) -> sympy.Expr:
    """``expr`` as a SymPy scalar or matrix expression, of ``Trace`` and ``MatrixSymbol`` objects.

    ``symbols`` gives the SymPy expression of dimensions and scalars by name (and of letters, if wanted). By
    default a dimension is ``Symbol(name, positive=True)``, any other scalar ``Symbol(name)``, and ``1/x`` is
    one over what ``x`` is. A name is taken for a dimension when it is one in a letter that the expression was
    made from or in its shape, or when it is ``n``, ``p``, ``m`` or starts with ``n_``.
    """
    known = expr.letters()
    sources = [LETTERS[index] for index in expr.letter_indices]
    sizes = {size for letter in sources for size in (letter.rows, letter.columns)}
    reader = _Reader(known, sizes | set(expr.shape or ()), symbols or {})
    terms = []
    for term, value in expr.terms.items():
        scalar = polynomial_to_sympy(value, reader.scalars(value))
        for trace in term.traces:
            scalar *= sympy.Trace(reader.word(trace))
        if term.word is None:
            terms.append(scalar)
        else:
            matrix = reader.word(term.word) if term.word else sympy.Identity(reader.size(expr.shape))
            terms.append(matrix if scalar == 1 else sympy.MatMul(scalar, matrix))
    if expr.shape is None:
        return sympy.Add(*terms)
    rows, columns = (reader.symbol(name) for name in expr.shape)
    return sympy.MatAdd(*terms) if len(terms) > 1 else terms[0] if terms else sympy.ZeroMatrix(rows, columns)


def polynomial_to_sympy(value: fmpq_mpoly, symbols: Symbols) -> sympy.Expr:
    """A coefficient as a SymPy polynomial in ``symbols``, expanded; a generator ``1/x`` is one over ``x``.

    Raises ValueError when a generator has no symbol.
    """
    powers = []
    for name in names_of(value.context()):
        base = name.removeprefix(INVERSE)
        if base not in symbols:
            raise ValueError(f"no symbol given for {base}: add it to the symbols")
        powers.append((symbols[base], -1 if name.startswith(INVERSE) else 1))
    return sympy.Add(
        *(
            sympy.Mul(
                sympy.Rational(int(number.p), int(number.q)),
                *(base ** (sign * int(e)) for (base, sign), e in zip(powers, exponents, strict=True) if e),
            )
            for exponents, number in value.terms()
        )
    )


class _Reader:
    """The SymPy objects of the names in one expression."""

    def __init__(self, known: Mapping[str, Letter], dimensions: set[str], symbols: Symbols) -> None:
        self._known = known
        self._dimensions = dimensions
        self._symbols = symbols

    def symbol(self, name: str) -> sympy.Expr:
        if name == ONE:
            return sympy.Integer(1)
        if name in self._symbols:
            return self._symbols[name]
        if name in self._dimensions or name in {"n", "p", "m"} or name.startswith("n_"):
            return sympy.Symbol(name, positive=True)
        return sympy.Symbol(name)

    def scalars(self, value: fmpq_mpoly) -> dict[str, sympy.Expr]:
        names = {name.removeprefix(INVERSE) for name in names_of(value.context())}
        return {name: self.symbol(name) for name in names}

    def size(self, shape: tuple[str, str] | None) -> sympy.Expr:
        return self.symbol(shape[0] if shape else ONE)

    def word(self, word: Word) -> sympy.MatrixExpr:
        factors = []
        for name, transposed in word:
            letter = self._known[name]
            matrix = self._symbols.get(name)
            if matrix is None:
                matrix = sympy.MatrixSymbol(name, self.symbol(letter.rows), self.symbol(letter.columns))
            factors.append(matrix.T if transposed else matrix)
        return factors[0] if len(factors) == 1 else sympy.MatMul(*factors)
