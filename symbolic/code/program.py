"""Straight-line programs: a formula as statements to run in order, ready to be printed in any language.

A program has auxiliary differences, common subexpressions, and a result that is a sum of products of parts
with at most one rate each. On a grid of two rates every part is then computed along its own axis, and the
grid costs one multiplication per product and one addition per further term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy

from symbolic.algebra.refusal import Refused
from symbolic.code.stable import StableForm

Statement = tuple[sympy.Symbol, sympy.Expr]


class NoSourceForm(Refused):
    """The formula, or the language asked for, has no source form."""


@dataclass(frozen=True)
class Program:
    """Statements to run in order, then a result: the sum over `terms` of the products of their factors."""

    parameters: tuple[str, ...]
    statements: tuple[Statement, ...]
    terms: tuple[tuple[sympy.Expr, ...], ...]

    def result(self) -> sympy.Expr:
        """The value of the program after its statements."""
        return sympy.Add(*(sympy.Mul(*factors) for factors in self.terms))


def program(form: StableForm | sympy.Expr, parameters: Sequence[str] | None = None) -> Program:
    """The straight-line program of a formula; raises NoSourceForm on what is no arithmetic with square roots.

    parameters: the arguments in order (all symbols of the formula, sorted, when not given).
    """
    if not isinstance(form, StableForm):
        form = StableForm(form, (), 0, ())
    names = form.parameters() if parameters is None else tuple(parameters)
    missing = sorted(set(form.parameters()) - set(names))
    if missing:
        raise NoSourceForm(f"the formula also contains {missing[0]}: add it to the parameters")
    _require_arithmetic(form.expr)
    terms = _parted(form.expr, _dependence(form))
    flat = [factor for term in terms for factor in term]
    taken = {symbol.name for symbol in form.expr.free_symbols} | set(names)
    fresh = (s for s in sympy.numbered_symbols("x") if s.name not in taken)
    common, reduced = sympy.cse(flat, symbols=fresh)
    statements = [*form.definitions]
    for symbol, value in common:
        statements += _with_named_bases(symbol, value, fresh)
    parts = iter(reduced)
    results = []
    for term in terms:
        factors = []
        for _ in term:
            *before, (_, value) = _with_named_bases(sympy.Symbol("result"), next(parts), fresh)
            statements += before
            factors.append(value)
        results.append(tuple(factors))
    return Program(names, tuple(statements), tuple(results))


Dependence = Callable[[sympy.Basic], frozenset[str]]


def _dependence(form: StableForm) -> Dependence:
    """The rates on which an expression depends, through the auxiliary symbols too."""
    through = {str(s.name): frozenset(str(x.name) for x in d.free_symbols) for s, d in form.definitions}

    def rates(node: sympy.Basic) -> frozenset[str]:
        names = {str(symbol.name) for symbol in node.free_symbols}
        reached = names.union(*(through.get(name, frozenset()) for name in names))
        return frozenset(reached) & frozenset(form.rates)

    return rates


def _parted(expr: sympy.Expr, rates: Dependence) -> list[tuple[sympy.Expr, ...]]:
    """Products first, so that a sum over a grid can be accumulated in place."""
    if len(rates(expr)) < 2 or not isinstance(expr, sympy.Add):
        return [_factors(expr, rates)]
    products = [_factors(term, rates) for term in expr.args if len(rates(term)) > 1]
    single = _gathered([term for term in expr.args if len(rates(term)) < 2], rates, sympy.Add)
    return [*products, *((term,) for term in single)]


def _factors(expr: sympy.Expr, rates: Dependence) -> tuple[sympy.Expr, ...]:
    if len(rates(expr)) < 2 or not isinstance(expr, sympy.Mul):
        return (expr,)
    return tuple(_gathered(list(expr.args), rates, sympy.Mul))


def _gathered(
    nodes: list[sympy.Expr], rates: Dependence, combine: Callable[..., sympy.Expr]
) -> list[sympy.Expr]:
    """The nodes combined by the rates they contain; those without a rate join the first that has one."""
    groups: dict[frozenset[str], list[sympy.Expr]] = {}
    for node in nodes:
        groups.setdefault(rates(node), []).append(node)
    free = groups.pop(frozenset(), [])
    if not groups:
        return [combine(*free)] if free else []
    first = min(groups, key=lambda key: (len(key), sorted(key)))
    groups[first] = [*free, *groups[first]]
    return [combine(*members) for members in groups.values()]


def _with_named_bases(
    symbol: sympy.Symbol, value: sympy.Expr, fresh: Iterator[sympy.Symbol]
) -> list[Statement]:
    """`symbol = value` after statements that name every compound base of an integer power."""
    named: list[Statement] = []

    def visit(node: sympy.Expr) -> sympy.Expr:
        if not node.args:
            return node
        arguments = [visit(argument) for argument in node.args]
        if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Integer) and abs(node.exp) > 1:
            base = arguments[0]
            if not isinstance(base, sympy.Symbol):
                base = next(fresh)
                named.append((base, arguments[0]))
            return base**node.exp
        return node.func(*arguments)

    final = visit(value)
    return [*named, (symbol, final)]


def multiplied(expr: sympy.Expr) -> sympy.Expr:
    """The expression with integer powers of symbols as products, which are fast and accurate."""

    def is_power(node: sympy.Basic) -> bool:
        return isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Integer) and node.base.is_Symbol

    def product(node: sympy.Pow) -> sympy.Expr:
        times = abs(int(node.exp))
        repeated = sympy.UnevaluatedExpr(sympy.Mul(*[node.base] * times, evaluate=False))
        return node if times < 2 else repeated if node.exp > 0 else 1 / repeated

    return expr.replace(is_power, product)


def _require_arithmetic(expr: sympy.Expr) -> None:
    for node in sympy.preorder_traversal(expr):
        plain = isinstance(node, sympy.Add | sympy.Mul | sympy.Symbol | sympy.Rational)
        if isinstance(node, sympy.MatrixSymbol) or not (plain or _is_power(node)):
            kind = "an unevaluated sum" if isinstance(node, sympy.Sum) else f"a {type(node).__name__}"
            raise NoSourceForm(f"the formula contains {kind}, which has no source form: use latex or sympy")


def _is_power(node: sympy.Basic) -> bool:
    return isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational) and node.exp.q in (1, 2)
