"""Reading claims: from a printed SymPy tree, or an engine expression, to one exact normal form.

The normal form of a scalar or matrix is a mapping from matrix words to rational functions, in which every trace is
a generator of its own. Words are canonical (rotation, transposition, symmetric letters), so two formulas are equal
exactly when the difference of their normal forms has only coefficients that vanish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

import sympy
from flint import fmpq_mpoly

from derivations.language.model_letters import SYMMETRIC, letter
from derivations.language.symbols import dimension_name, symbol_table
from symbolic.algebra.canonical import turns
from symbolic.algebra.letters import ONE, Factor
from symbolic.algebra.quotients import NotRational, Rational, product_of, sum_of
from symbolic.algebra.sympy_trees import from_sympy, positive_names, power, sum_from_sympy
from symbolic.algebra.sympy_trees import to_sympy as expression_to_sympy
from symbolic.algebra.words import Expression, Term, identity, tr

SCALAR: Term = Term((), None)


@dataclass(frozen=True)
class NormalForm:
    """A linear combination of open words (or the empty monomial, for scalars) with rational coefficients."""

    terms: Mapping[Term, Rational]

    def minus(self, other: NormalForm) -> NormalForm:
        """The difference of two formulas."""
        total = dict(self.terms)
        for key, coefficient in other.terms.items():
            total[key] = total[key] - coefficient if key in total else -coefficient
        return NormalForm(total)

    def is_zero(self) -> bool:
        """Whether every coefficient vanishes identically."""
        return all(coefficient.is_zero() for coefficient in self.terms.values())

    def coefficients(self) -> list[Rational]:
        """The coefficients that do not vanish."""
        return [coefficient for coefficient in self.terms.values() if not coefficient.is_zero()]

    def __str__(self) -> str:
        shown = [
            f"({c.numerator})/({c.denominator}) {_show(term)}"
            for term, c in self.terms.items()
            if not c.is_zero()
        ]
        return "; ".join(shown[:3]) + (" ..." if len(shown) > 3 else "")


def _show(term: Term) -> str:
    return (
        ""
        if term.word is None
        else " ".join(f.name + ("^T" if f.transposed else "") for f in term.word) or "I"
    )


def trace_name(word: tuple[Factor, ...]) -> str:
    """The name of a trace as a generator: the first in the alphabet of its rotations and transposed rotations."""
    mirrored = tuple(
        Factor(f.name, f.transposed if f.name in SYMMETRIC else not f.transposed) for f in reversed(word)
    )
    return min(
        "tr(" + " ".join(f"{f.name}^T" if f.transposed else f.name for f in turn) + ")"
        for turn in turns(word, mirrored)
    )


def _coefficient(term: Term, coefficient: fmpq_mpoly) -> Rational:
    return product_of(
        [Rational.polynomial(coefficient), *(Rational.generator(trace_name(w)) for w in term.traces)]
    )


def _of_expression(expr: Expression) -> NormalForm:
    found: dict[Term, Rational] = {}
    for term, coefficient in expr.terms.items():
        key = Term((), term.word)
        value = _coefficient(term, coefficient)
        found[key] = found[key] + value if key in found else value
    return NormalForm(found)


Words = list[tuple[Expression, Rational]]


def _matrix(node: sympy.Basic) -> Words:
    """A SymPy matrix expression as words with rational coefficients."""
    if isinstance(node, sympy.MatrixSymbol):
        return [(letter(str(node.name)), Rational.number(1))]
    if isinstance(node, sympy.Identity):
        return [(identity(dimension_name(node.shape[0])), Rational.number(1))]
    if isinstance(node, sympy.ZeroMatrix):
        return []
    if isinstance(node, sympy.Transpose):
        return [(word.T, coefficient) for word, coefficient in _matrix(node.arg)]
    if isinstance(node, sympy.Inverse):
        return [(letter(f"inverse of {node.arg}"), Rational.number(1))]
    if isinstance(node, sympy.MatAdd):
        return [pair for term in node.args for pair in _matrix(term)]
    if isinstance(node, sympy.MatMul):
        scalars = [f for f in node.args if not getattr(f, "is_Matrix", False)]
        factor = product_of(scalar(f) for f in scalars)
        words = reduce(_product, (_matrix(f) for f in node.args if getattr(f, "is_Matrix", False)))
        return [(word, coefficient * factor) for word, coefficient in words]
    if isinstance(node, sympy.MatPow) and isinstance(node.exp, sympy.Integer):
        start: Words = [(identity(dimension_name(node.shape[0])), Rational.number(1))]
        base = node.base if node.exp >= 0 else sympy.Inverse(node.base)
        return reduce(_product, [_matrix(base)] * abs(int(node.exp)), start)
    raise NotRational(f"cannot read the matrix expression {node}")


def _product(left: Words, right: Words) -> Words:
    return [(a @ b, x * y) for a, x in left for b, y in right]


# formulas that are compared with one another have most parts in common
@lru_cache(maxsize=4096)
def scalar(node: sympy.Basic) -> Rational:
    """A scalar SymPy tree, traces included, as an exact rational function."""
    if isinstance(node, sympy.Trace):
        return sum_of(coefficient * quotient(tr(word)) for word, coefficient in _matrix(node.arg))
    if isinstance(node, sympy.Add):
        return sum_from_sympy(node.args, scalar)
    if isinstance(node, sympy.Mul):
        return product_of(scalar(factor) for factor in node.args)
    if isinstance(node, sympy.Pow):
        return power(scalar(node.base), node.exp, positive_names(node))
    return from_sympy(node)


def quotient(expr: Expression) -> Rational:
    """A scalar of the engine, traces included, as an exact rational function."""
    return sum_of(_coefficient(term, coefficient) for term, coefficient in expr.terms.items())


def normal_form(formula: sympy.Basic | Expression) -> NormalForm:
    """The normal form of a printed or derived formula; raises NotRational when it cannot be read exactly."""
    if isinstance(formula, Expression):
        return _of_expression(formula)
    if not getattr(formula, "is_Matrix", False):
        return NormalForm({SCALAR: scalar(formula)})
    found: dict[Term, Rational] = {}
    for word, coefficient in _matrix(formula):
        for key, value in _of_expression(word).terms.items():
            found[key] = found[key] + value * coefficient if key in found else value * coefficient
    return NormalForm(found)


def equal(first: sympy.Basic | Expression, second: sympy.Basic | Expression) -> bool:
    """Whether two formulas have the same normal form; one that cannot be read exactly is equal to none."""
    try:
        return normal_form(first).minus(normal_form(second)).is_zero()
    except (ValueError, TypeError):
        return False


def to_sympy(formula: sympy.Basic | Expression) -> sympy.Basic:
    """A formula as a SymPy tree in the paper's symbols, in which a random vector is a column, as it is printed."""
    if not isinstance(formula, Expression):
        return formula
    tree = expression_to_sympy(formula, symbol_table())
    if not any(ONE in (letter.rows, letter.columns) for letter in formula.letters().values()):
        return tree
    # the engine's random vectors are rows
    columns = {
        row: sympy.MatrixSymbol(row.name, row.cols, 1)
        for row in tree.atoms(sympy.MatrixSymbol)
        if row.rows == 1 and row.cols != 1
    }
    tree = tree.xreplace({sympy.Transpose(row): column for row, column in columns.items()})
    return tree.xreplace({row: sympy.Transpose(column) for row, column in columns.items()})
