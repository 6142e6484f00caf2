"""Multiplying out a parsed moment query: from the tree to a sum of products of traces and words."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symbolic.algebra.quotients import Rational
from symbolic.grammar import tree
from symbolic.grammar.syntax import MAX_INVERSE_ORDER
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.wishart.fixed_letters import COLUMNS, IDENTITY, unit
from symbolic.wishart.trace_polynomial import ONE, QueryTooLarge, TracePolynomial

UNIT = TracePolynomial.constant(ONE)
IDENTITY_MATRIX = TracePolynomial.letter(())


def expand(text: str, node: tree.Node) -> TracePolynomial:
    """The query as a sum of products, coefficients in the dimensions.

    Raises MomentSyntaxError at a power or quotient that is not defined, and where multiplying out goes over
    a limit of `symbolic.wishart.trace_polynomial`.
    """
    try:
        return _expand(text, node)
    except QueryTooLarge as error:
        raise MomentSyntaxError(text, node.position, str(error)) from None


def _expand(text: str, node: tree.Node) -> TracePolynomial:
    result = UNIT
    match node:
        case tree.Number(value=value):
            result = TracePolynomial.constant(Rational.number(value))
        case tree.Symbol():
            result = _symbol(node)
        case tree.Trace(of=inner):
            result = expand(text, inner).trace()
        case tree.Element(of=inner, row=row, column=column):
            result = (expand(text, inner) * TracePolynomial.letter((unit(column, row),))).trace()
        case tree.Determinant(of=inner, order=order):
            result = _elementary(expand(text, inner), order)
        case tree.Transpose(of=inner):
            result = expand(text, inner).transposed()
        case tree.Power():
            result = _power(text, node)
        case tree.Quotient():
            result = _quotient(text, node)
        case tree.Product(factors=factors):
            whole = tree.Kind.SCALAR
            for factor in factors:
                this = tree.kind(factor)
                result = result * expand(text, factor)
                if whole is tree.Kind.ROW and this is tree.Kind.COLUMN:
                    result = result.trace()
                whole = tree.multiplied(whole, this) or tree.Kind.MATRIX
        case tree.Sum(terms=parts):
            result = TracePolynomial({}, node.is_matrix)
            for sign, part in parts:
                result = (result + expand(text, part).scaled(Rational.number(sign))).checked()
    return result


def _symbol(node: tree.Symbol) -> TracePolynomial:
    if not node.is_matrix:
        return TracePolynomial.constant(Rational.generator(node.name))
    return IDENTITY_MATRIX if node.name == IDENTITY else TracePolynomial.letter((node.name,))


def _elementary(matrix: TracePolynomial, order: int) -> TracePolynomial:
    """An elementary symmetric polynomial of eigenvalues in power sums: k e_k = sum_i (-1)^(i-1) e_(k-i) tr M^i."""
    sums, power = [UNIT], IDENTITY_MATRIX
    for _ in range(order):
        power = power * matrix
        sums.append(power.trace())
    found = [UNIT]
    for k in range(1, order + 1):
        total = TracePolynomial({}, is_matrix=False)
        for i in range(1, k + 1):
            total = (total + (found[k - i] * sums[i]).scaled(Rational.number((-1) ** (i - 1)))).checked()
        found.append(total.scaled(Rational.number(Fraction(1, k))))
    return found[order]


def _quotient(text: str, node: tree.Quotient) -> TracePolynomial:
    divisor = expand(text, node.bottom)
    if not divisor.terms:
        raise MomentSyntaxError(text, node.bottom.position, "division by zero: give another divisor")
    inverse = divisor.inverted()
    if inverse is None:
        reason = f"only numbers and polynomials in n and {COLUMNS} can divide: no trace, no matrix"
        raise MomentSyntaxError(text, node.bottom.position, reason)
    return expand(text, node.top) * inverse


def _power(text: str, node: tree.Power) -> TracePolynomial:
    if node.exponent < 0 and isinstance(node.of, tree.Determinant):
        # det(M)^-k = det(M^-1)^k, a polynomial in traces of powers of the inverse
        if node.of.order > MAX_INVERSE_ORDER:
            reason = (
                f"determinants have negative powers up to p = {MAX_INVERSE_ORDER}, as far as they are checked"
            )
            raise MomentSyntaxError(text, node.position, reason)
        inner = node.of.of
        inverted = tree.Power(inner.position, True, inner, -1)
        return _power(text, replace(node, of=replace(node.of, of=inverted), exponent=-node.exponent))
    factor = expand(text, node.of)
    if node.exponent < 0:
        inverse = factor.inverted()
        if inverse is None and len(factor.terms) > 1 and factor.is_matrix:
            raise MomentSyntaxError(
                text,
                node.position,
                "the inverse of a sum has no moments in closed form: of (W + c I)^-1 ask for the terms of its series "
                "W^-1 - c W^-2 + ..., which is asymptotic, as far as they exist",
            )
        if inverse is None:
            raise MomentSyntaxError(
                text,
                node.position,
                "only W, Sigma, their determinants and polynomials in n and p have negative powers, no traces or elements: "
                "rewrite this one",
            )
        factor = inverse
    result = IDENTITY_MATRIX if node.is_matrix else UNIT
    for _ in range(abs(node.exponent)):
        result = result * factor
    return result
