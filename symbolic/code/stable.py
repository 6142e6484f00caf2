"""The numerically stable form of a formula, found automatically and proved equal to the formula.

Sums and products are taken apart by the rates they contain, every part with one rate is put into positive
form, and a sum with a square root that could cancel is replaced by its conjugate. What comes out is compared
with what went in by the exact zero test; a form that is not equal is an error, never a result.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sympy
from flint import fmpq_mpoly

from symbolic.algebra.coefficients import names_of
from symbolic.algebra.quotients import Rational, sum_of
from symbolic.algebra.sympy_trees import from_sympy
from symbolic.code.binary_forms import coefficients
from symbolic.code.positive_form import Form, Rewriter, total


class NotEqual(ArithmeticError):
    """A rewritten formula is not equal to the original: an error in the rewriting."""


@dataclass(frozen=True)
class StableForm:
    """A formula in the given symbols and auxiliary ones.

    expr: the formula. definitions: the auxiliary symbols, each a difference of given symbols that floating
    point computes to full relative accuracy (1 - alpha, p - n m). sign: the certified sign of the formula; 0
    when no positive form was found, and then cancellation is possible. rates: the real variables by name.
    """

    expr: sympy.Expr
    definitions: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    sign: int
    rates: tuple[str, ...]

    def plain(self) -> sympy.Expr:
        """The formula in the given symbols alone."""
        return self.expr.xreplace(dict(self.definitions))

    def parameters(self) -> tuple[str, ...]:
        """The names of the given symbols that occur, sorted."""
        return tuple(sorted(str(symbol.name) for symbol in self.plain().free_symbols))


def stable(
    expr: sympy.Expr,
    *,
    rates: Collection[str] = (),
    sizes: Collection[str] = (),
    weights: Collection[str] = (),
    differences: Mapping[str, sympy.Expr] | None = None,
) -> StableForm:
    """The stable form of a scalar formula of symbols, exact numbers, integer powers and square roots.

    rates: real variables. sizes: variables that are at least one. weights: variables that are not negative.
    differences: by a new name each, sums of sizes that are positive in the formula's regime, at least one as sizes are integers.
    Raises NotRational for other formulas, NotEqual when the result is not proved equal.
    """
    symbols = {str(symbol.name): symbol for symbol in expr.free_symbols}
    for difference in (differences or {}).values():
        symbols.update({str(symbol.name): symbol for symbol in difference.free_symbols})
    rewriter = Rewriter(symbols, tuple(rates), frozenset(sizes), frozenset(weights), dict(differences or {}))
    form = _walk(expr, rewriter)
    used = form.expr.free_symbols
    definitions = tuple(
        (s, d) for s, d in sorted(rewriter.definitions.items(), key=lambda pair: str(pair[0])) if s in used
    )
    result = StableForm(form.expr, definitions, form.sign, tuple(rates))
    verify(expr, result)
    return result


def verify(expr: sympy.Expr, form: StableForm) -> None:
    """Prove a stable form equal to a formula; raises NotEqual."""
    if not (from_sympy(form.plain()) - from_sympy(expr)).is_zero():
        raise NotEqual(f"the rewritten formula differs from the original: {form.plain()}")


def _rates(node: sympy.Basic, rewriter: Rewriter) -> frozenset[str]:
    return frozenset(str(symbol.name) for symbol in node.free_symbols) & frozenset(rewriter.rates)


def _walk(node: sympy.Expr, rewriter: Rewriter) -> Form:
    if len(_rates(node, rewriter)) > 1:
        if isinstance(node, sympy.Add):
            return _separated_sum(node, rewriter)
        if isinstance(node, sympy.Mul):
            return _separated_product(node, rewriter)
    return _whole(node, rewriter)


def _grouped(node: sympy.Expr, rewriter: Rewriter) -> dict[frozenset[str], list[sympy.Expr]]:
    groups: dict[frozenset[str], list[sympy.Expr]] = {}
    for argument in node.args:
        groups.setdefault(_rates(argument, rewriter), []).append(argument)
    return groups


def _separated_sum(node: sympy.Expr, rewriter: Rewriter) -> Form:
    """Terms with the same rate together; those without a rate go where they leave every group of one sign."""
    groups = _grouped(node, rewriter)
    free = groups.pop(frozenset(), [])
    mixed = [_walk(t, rewriter) for rates, terms in groups.items() if len(rates) > 1 for t in terms]
    single = {rates: terms for rates, terms in groups.items() if len(rates) == 1}
    tried: list[Form] = []
    for home in sorted(single, key=sorted) or [frozenset()]:
        parts = {**single, home: [*single.get(home, []), *free]}
        forms = [_whole(sympy.Add(*terms), rewriter) for terms in parts.values() if terms]
        tried.append(total([*mixed, *forms]))
        if tried[-1].sign:
            return tried[-1]
    whole = rewriter.function(from_sympy(node))
    return whole if whole.sign else tried[0]


def _separated_product(node: sympy.Expr, rewriter: Rewriter) -> Form:
    factors = []
    for rates, members in _grouped(node, rewriter).items():
        if len(rates) > 1:
            factors += [_walk(member, rewriter) for member in members]
        else:
            factors.append(_whole(sympy.Mul(*members), rewriter))
    return Form(sympy.Mul(*(form.expr for form in factors)), math.prod(form.sign for form in factors))


def _whole(node: sympy.Expr, rewriter: Rewriter) -> Form:
    """A function of at most one rate, without a root or with one; with several roots it stays as it is."""
    value = from_sympy(node)
    roots = [name for name in value.names() if name in value.roots]
    if len(roots) > 1:
        return Form(node, 0)
    return _with_root(value, roots[0], rewriter) if roots else rewriter.function(value.reduced())


def _with_root(value: Rational, name: str, rewriter: Rewriter) -> Form:
    """(a + b r) / d with r = sqrt(radicand); where a and b r cancel, (a^2 - b^2 radicand) / d / (a - b r)."""
    radicand = value.roots[name]
    a, b = _linear(value.numerator, name, radicand)
    c, d = _linear(value.denominator, name, radicand)
    a, b, d = a * c - b * d * radicand, b * c - a * d, c * c - d * d * radicand
    a, b, d = _cleared(a / d, b / d)
    if rewriter.function(b).sign < 0:
        a, b, d = -a, -b, -d
    orientation = -1 if rewriter.function(d).sign < 0 else 1
    under, left, right, below = (
        rewriter.function(part) for part in (radicand, a, b, d * Rational.number(orientation))
    )
    root = right.expr * sympy.sqrt(under.expr)
    certified = under.sign > 0 and right.sign > 0 and below.sign > 0
    if certified and left.sign < 0:
        top = rewriter.function((b * b * radicand - a * a) / d)
        return Form(top.expr / (root - left.expr), top.sign)
    positive = certified and (left.sign > 0 or a.is_zero())
    return Form(orientation * (left.expr + root) / below.expr, orientation if positive else 0)


def _cleared(a: Rational, b: Rational) -> tuple[Rational, Rational, Rational]:
    """(a d, b d, d) as polynomials with integer coefficients."""
    one = a.denominator.context().constant(1)
    d = Rational.polynomial(a.denominator)
    d = d * Rational((b * d).reduced().denominator, one, {})
    a, b = (a * d).reduced(), (b * d).reduced()
    content = math.lcm(*(int(c.q) for part in (a, b) for c in part.numerator.coeffs()))
    scale = Rational.number(content)
    return a * scale, b * scale, d * scale


def _linear(poly: fmpq_mpoly, name: str, radicand: Rational) -> tuple[Rational, Rational]:
    """(a, b) with the polynomial equal to a + b r where r, the generator of that name, has r^2 = radicand."""
    if name not in names_of(poly.context()):
        return Rational.polynomial(poly), Rational.number(0)
    powers = coefficients(poly, name)
    parts = [
        sum_of(c * radicand ** (k // 2) for k, c in enumerate(powers) if k % 2 == parity) for parity in (0, 1)
    ]
    return parts[0], parts[1]
