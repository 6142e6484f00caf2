"""SymPy at the boundary: coefficients to SymPy and back, and expressions to SymPy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from functools import cmp_to_key

import sympy
from flint import fmpq, fmpq_mpoly

from symbolic.algebra.coefficients import INVERSE, Exact, context, named_terms, names_in, names_of, to_fmpq
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import LETTERS, ONE, Letter
from symbolic.algebra.quotients import NotRational, Rational, product_of, square_root, sum_of
from symbolic.algebra.readable import Word

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
    powers = {}
    for name in names_in(value):
        base = name.removeprefix(INVERSE)
        if base not in symbols:
            raise ValueError(f"no symbol given for {base}: add it to the symbols")
        powers[name] = symbols[base], -1 if name.startswith(INVERSE) else 1
    bases = [base for base, _ in powers.values()]
    plain = len({*bases}) == len(bases) and all(type(base) is sympy.Symbol for base in bases)
    # symbols come before powers, and either in the order of their names and assumptions
    rank = (
        {base: k for k, base in enumerate(sorted(bases, key=cmp_to_key(sympy.Basic.compare)))}
        if plain
        else {}
    )
    known: dict[tuple[str, int], tuple[bool, int, sympy.Expr]] = {}
    terms = []
    for exponents, number in named_terms(value):
        for at in exponents.items():
            if at not in known:
                base, sign = powers[at[0]]
                power = base ** (sign * at[1])
                known[at] = not power.is_Symbol, rank.get(base, 0), power
        places = [known[at] for at in exponents.items()]
        first = number_to_sympy(number)
        if plain:
            # to find the order of powers of different symbols is all that is left of the work of `Mul`
            factors = [power for _, _, power in sorted(places)]
            terms.append(sympy.Mul._from_args(factors if first == 1 else [first, *factors]))
        else:
            terms.append(sympy.Mul(first, *(power for _, _, power in places)))
    return sympy.Add(*terms)


def number_to_sympy(value: Exact | fmpq) -> sympy.Rational:
    """An exact number as a SymPy number."""
    exact = to_fmpq(value)
    return sympy.Rational(int(exact.p), int(exact.q))


def quotient_to_sympy(value: Rational, symbols: Symbols) -> sympy.Expr:
    """A rational function without roots as an expanded numerator over an expanded denominator.

    Names without an entry in ``symbols`` become plain symbols of that name.
    """
    given = _completed(value, symbols)
    return polynomial_to_sympy(value.numerator, given) / polynomial_to_sympy(value.denominator, given)


def factored_to_sympy(value: Rational, symbols: Symbols | None = None) -> sympy.Expr:
    """The same as a number times powers of irreducible polynomials."""
    given = _completed(value, symbols or {})
    constant, factors = value.factored()
    powers = (polynomial_to_sympy(base, given) ** power for base, power in factors)
    return sympy.Mul(number_to_sympy(constant), *powers)


def _completed(value: Rational, symbols: Symbols) -> Symbols:
    return {name: symbols.get(name, sympy.Symbol(name)) for name in value.names()}


def from_sympy(expr: sympy.Expr) -> Rational:
    """Read a scalar SymPy expression (symbols, rationals, integer powers, square roots) exactly.

    Raises `NotRational` on floats, functions, and powers that are neither integers nor halves.
    """
    if isinstance(expr, sympy.Rational):
        return Rational.number(Fraction(int(expr.p), int(expr.q)))
    if isinstance(expr, sympy.Symbol):
        return Rational.generator(expr.name)
    if isinstance(expr, sympy.Add):
        return sum_from_sympy(expr.args, from_sympy)
    if isinstance(expr, sympy.Mul):
        return product_of(from_sympy(factor) for factor in expr.args)
    if isinstance(expr, sympy.Pow):
        return power(from_sympy(expr.base), expr.exp, positive_names(expr))
    raise NotRational(f"cannot read {expr} exactly; use symbols, exact rationals, powers and square roots")


def sum_from_sympy(terms: Iterable[sympy.Expr], read: Callable[[sympy.Expr], Rational]) -> Rational:
    """The sum of what `read` gives for each; products of numbers and powers of symbols, often thousands, in one go."""
    others: list[Rational] = []
    found: dict[tuple[tuple[str, int], ...], fmpq] = {}
    for term in terms:
        powers = _powers(term)
        if powers is None:
            others.append(read(term))
        else:
            key, coefficient = powers
            found[key] = found.get(key, fmpq(0)) + coefficient
    least: dict[str, int] = {}
    for key in found:
        for name, exponent in key:
            least[name] = min(least.get(name, 0), exponent)
    ring = context(least)
    names = names_of(ring)
    lowest = [least[name] for name in names]
    numerator = {
        tuple(powers.get(name, 0) - low for name, low in zip(names, lowest, strict=True)): coefficient
        for powers, coefficient in ((dict(key), coefficient) for key, coefficient in found.items())
    }
    denominator = {tuple(-low for low in lowest): 1}
    return sum_of([Rational(ring.from_dict(numerator), ring.from_dict(denominator), {}).reduced(), *others])


def _powers(term: sympy.Expr) -> tuple[tuple[tuple[str, int], ...], fmpq] | None:
    """A product of a number and powers of symbols as exponents by name and the number; None for anything else."""
    coefficient, powers = fmpq(1), []
    for factor in term.args if isinstance(term, sympy.Mul) else (term,):
        base, exponent = factor.args if isinstance(factor, sympy.Pow) else (factor, sympy.S.One)
        if isinstance(factor, sympy.Rational):
            coefficient *= fmpq(int(factor.p), int(factor.q))
        elif (
            isinstance(base, sympy.Symbol)
            and isinstance(exponent, sympy.Integer)
            and not base.name.startswith(INVERSE)
        ):
            powers.append((base.name, int(exponent)))
        else:
            return None
    # symbols of one name with other assumptions are the same generator
    return (tuple(sorted(powers)), coefficient) if len({name for name, _ in powers}) == len(powers) else None


def positive_names(expr: sympy.Basic) -> frozenset[str]:
    """Names of the symbols of an expression that are declared positive."""
    return frozenset(str(s) for s in expr.free_symbols if s.is_positive)


def power(base: Rational, exponent: sympy.Expr, positive: Collection[str] = ()) -> Rational:
    """`base` to an integer or half-integer power; `positive` as in `square_root`."""
    if isinstance(exponent, sympy.Integer):
        return base ** int(exponent)
    if isinstance(exponent, sympy.Rational) and exponent.q == 2:
        return square_root(base, positive) ** int(exponent.p)
    raise NotRational(f"cannot read the exponent {exponent}; use integers and halves")


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
            # a scalar may bear the name of a letter elsewhere: the labels y, and one label y
            if not isinstance(matrix, sympy.MatrixExpr):
                matrix = sympy.MatrixSymbol(name, self.symbol(letter.rows), self.symbol(letter.columns))
            factors.append(matrix.T if transposed else matrix)
        return factors[0] if len(factors) == 1 else sympy.MatMul(*factors)
