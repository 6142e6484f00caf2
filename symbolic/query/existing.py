"""Whether the expectation of a query exists: what its inverses require of the numbers of rows."""

from __future__ import annotations

from symbolic.algebra.refusal import Refused
from symbolic.grammar.tree import (
    Determinant,
    Node,
    OfOne,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    subtrees,
    symbols,
)
from symbolic.query.answer import least_columns
from symbolic.query.query_expectation import inverse_degrees
from symbolic.query.query_words import Setting
from symbolic.query.sizes import Sizes
from symbolic.weingarten.haar_words import runs
from symbolic.wishart.existence import MomentDoesNotExist, remedy
from symbolic.wishart.existence import condition as inverse_condition
from symbolic.wishart.fixed_letters import COLUMNS, base, is_covariance, is_pseudo, is_wishart, row_dimension
from symbolic.wishart.moment_text import monomial_text
from symbolic.wishart.trace_polynomial import TracePolynomial


def bounds(
    node: Node, query: TracePolynomial, sizes: Sizes, is_complex: bool = False
) -> tuple[tuple[str, int], ...]:
    """What the inverses in a query require: names of rows, and what they must exceed when p is taken off.

    Raises MomentDoesNotExist, stating the condition, when the sizes violate it.
    """
    names = sorted(name for name in inverted(node) if is_wishart(name))
    degrees = dict.fromkeys(names, 0) | inverse_degrees(query.terms)
    if any(
        isinstance(part, Power) and part.exponent < 0 and isinstance(part.of, Determinant)
        for part in subtrees(node)
    ):
        # det(W)^-k diverges like the smallest eigenvalue to the -k, though it has p k factors W^-1 written out
        degrees = {name: min(degree, _poles(node, name, 1)) for name, degree in degrees.items()}
    found = []
    for name, degree in degrees.items():
        rows, bound = row_dimension(name), (1 if is_complex else 2) * degree - 1
        found.append((rows, bound))
        if rows in sizes and COLUMNS in sizes:
            n, p = sizes[rows], sizes[COLUMNS]
            if n - p <= bound:
                reason = (
                    f"exists only for {inverse_condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} here"
                )
                raise MomentDoesNotExist(
                    f"{_divergent(query, name, degree).format(reason)}: {remedy(rows, n, p + bound)}"
                )
    return tuple(found)


def _poles(node: Node, name: str, sign: int) -> int:
    """At most how many powers of the inverse of the smallest eigenvalue of a matrix a part has; ``sign`` -1: its inverse."""
    match node:
        case Symbol(name=found):
            return int(found == name and sign < 0)
        case Power(of=inner, exponent=exponent):
            return abs(exponent) * _poles(inner, name, sign if exponent > 0 else -sign)
        case Product(factors=factors):
            return sum(_poles(factor, name, sign) for factor in factors)
        case Sum(terms=terms):
            return max(_poles(term, name, sign) for _, term in terms)
        case Quotient(top=top):
            return _poles(top, name, sign)
        case OfOne(of=inner):
            return _poles(inner, name, sign)
    return 0


def _divergent(query: TracePolynomial, name: str, degree: int) -> str:
    """What does not exist, with a place for the reason: a sum may, though one of its terms does not."""
    if not degree:
        return f"the inverse of {name} {{}}"
    if len(query.terms) == 1:
        return "the expectation {}"
    term = next((key for key in query.terms if inverse_degrees([key]).get(name) == degree), None)
    if term is None:  # with a determinant
        return "the expectation {}"
    return f"the expectation of {monomial_text(term)} {{}}, so this sum is not answered"


def of_averages(query: TracePolynomial, setting: Setting, sizes: Sizes) -> tuple[str, ...]:
    """What averages over rotations and Moore-Penrose inverses require, as text. Raises ValueError where the sizes violate it."""
    found: list[str] = []
    least = least_columns(query, setting)
    if least > 1:
        found.append(f"{COLUMNS} >= {least}")
        if sizes.get(COLUMNS, least) < least:
            raise Refused(
                f"this average over rotations is by the formula only for {found[0]}, and {COLUMNS} = {sizes[COLUMNS]} here: "
                f"take {COLUMNS} of at least {least}"
            )
    degrees: dict[str, int] = {}
    factors: dict[str, int] = {}
    for key in query.terms:
        for name in {base(f) for word in key.words for f in word if is_pseudo(f)}:
            product = runs(key, name)
            degrees[name] = max(degrees.get(name, 0), product.inverses)
            factors[name] = max(factors.get(name, 0), len(product.exponents))
    for name, degree in sorted(degrees.items()):
        rows, bound = row_dimension(name), 2 * degree - 1
        condition = f"{COLUMNS} - {rows} > {bound}" if degree else f"{COLUMNS} >= {rows}"
        found.append(condition)
        if not degree and factors[name] > 1:
            found.append(f"{COLUMNS} >= {factors[name]}")
            if sizes.get(COLUMNS, factors[name]) < factors[name]:
                raise Refused(
                    f"the formula is for {found[-1]}, and {COLUMNS} = {sizes[COLUMNS]} here: take a larger one"
                )
        if rows in sizes and sizes[rows].denominator != 1:
            raise Refused(f"{rows} is {sizes[rows]}: the rows of X are counted here, give a positive integer")
        if rows in sizes and COLUMNS in sizes and sizes[COLUMNS] - sizes[rows] <= bound:
            raise MomentDoesNotExist(
                f"the expectation is by this formula only for {condition}, and {COLUMNS} - {rows} = "
                f"{sizes[COLUMNS] - sizes[rows]} here: for {name}^+ take {COLUMNS} of at least {sizes[rows] + bound + 1}, or "
                f"{name}^-1 where {rows} > {COLUMNS}"
            )
    return tuple(found)


def inverted(node: Node) -> set[str]:
    """The Wishart matrices, and Sigma, that stand under a negative power."""
    return {
        symbol.name
        for part in subtrees(node)
        if isinstance(part, Power) and part.exponent < 0
        for symbol in symbols(part)
        if is_wishart(symbol.name) or is_covariance(symbol.name)
    }
