"""Exact expectations of expressions in Wishart matrices, asked for in text.

``W`` is X^T X with X of shape n x p and independent rows N(0, Sigma); ``W1``, ``W2``, ... are independent of
it and of one another, with n1, n2, ... rows and the same p and Sigma. The grammar: `symbolic.query.syntax`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any, NamedTuple

from symbolic.algebra.entry_laws import GAUSSIAN
from symbolic.algebra.entry_laws import law as named_law
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.query.check import Answer, examine
from symbolic.query.expanded import expand
from symbolic.query.law_answer import LawExpectation
from symbolic.query.query_expectation import Expectation, inverse_degrees
from symbolic.query.sizes import Sizes, read_size, require_rows
from symbolic.query.syntax import Covariance as CovarianceOf
from symbolic.query.syntax import Element, MomentSyntaxError, Node, Power, Product, parse, subtrees, symbols
from symbolic.query.value import Shown, evaluate, read_matrices
from symbolic.query.work import MAX_WORK
from symbolic.wishart.existence import MomentDoesNotExist
from symbolic.wishart.existence import condition as inverse_condition
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    SIGMA,
    indices_of,
    is_wishart,
    row_dimension,
    suggestion,
)
from symbolic.wishart.moment_text import (
    monomial_text,
    polynomial_latex,
    polynomial_terms,
    polynomial_text,
)
from symbolic.wishart.trace_polynomial import QueryTooLarge, TracePolynomial, elements
from symbolic.wishart.wishart_moment import Covariance

__all__ = ["MomentSyntaxError", "Result", "moment"]

Data = dict[str, Any]

MOST_SECONDS = 3600
"""Longest time that a query may be given."""

MAX_LENGTH = 200_000
"""Most terms of all coefficients of an answer: printing them takes about a second."""


@dataclass(frozen=True)
class Result:
    """The expectation of a query: a polynomial in what has no value yet, and its value when everything has.

    ``terms`` are printed: coefficient (text), word (text; None in a scalar), traces (texts, with repetition);
    beyond the Gaussian law there may be ``sums`` over indices (texts) and a ``matrix`` of such sums.
    ``conditions`` state what must hold for every term's expectation to exist, such as ``n - p > 3``, and ``bounds``
    the same as names of rows and what n - p must exceed; ``checked`` the
    small sizes at which the answer was compared with an average taken entry by entry, such as ``n=3 p=2``.
    """

    query: str
    covariance: Covariance
    law: str
    expectation: TracePolynomial
    conditions: tuple[str, ...]
    checked: tuple[str, ...]
    value: Shown | None = None
    bounds: tuple[tuple[str, int], ...] = ()

    @property
    def terms(self) -> list[Data]:
        """The terms as they are printed."""
        return polynomial_terms(self.expectation)

    @property
    def text(self) -> str:
        """The expectation in the grammar of queries."""
        return polynomial_text(self.expectation)

    @property
    def latex(self) -> str:
        """The expectation as LaTeX."""
        return polynomial_latex(self.expectation)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def as_dict(self) -> Data:
        """Plain data for JSON; ``value`` is there when it is known, ``conditions`` when there are any."""
        data: Data = {
            "query": self.query,
            "covariance": self.covariance,
            "law": self.law,
            "latex": self.latex,
            "terms": self.terms,
            "checked": list(self.checked),
        }
        if self.conditions:
            data["conditions"] = list(self.conditions)
        if self.value is not None:
            data["value"] = self.value
        return data


def moment(
    text: str,
    values: Mapping[str, Any] | None = None,
    covariance: str | None = None,
    law: str = "gaussian",
    work: float | None = None,
) -> Result:
    """The expectation of an expression, exact, and its value when all names in it have values.

    ``values`` gives p as a positive integer, the row counts n, n1, ... as numbers, and p x p matrices for the letters
    and (covariance "general") for Sigma: rows of int or Fraction, or arrays. Integers and fractions give an
    exact value as text, arrays of floats a value in floats. Dimensions may also be given without the
    matrices, or some of them only: they are put into the formula. ``covariance`` is "identity", "general", or
    None for "general" where Sigma occurs in the text or the values. ``law`` is a name that `symbolic.algebra.entry_laws.law`
    reads: a row is Sigma^(1/2) u, and u has independent entries of the law. ``work`` is
    how many seconds it may take, about; two unless given.

    Raises MomentSyntaxError where the text is wrong; MomentDoesNotExist, stating the condition, where the
    expectation of an inverse diverges; and ValueError for unknown, superfluous or missing names, values of
    the wrong kind, an unknown covariance or law, a moment without a method, and whatever exceeds a limit.
    """
    given = dict(values or {})
    node = parse(text, _columns(given))
    used = list(dict.fromkeys(symbol.name for symbol in symbols(node)))
    chosen = _covariance(covariance, text, node, given)
    effort = _effort(work)
    expectation = _expectation(law, chosen, effort)
    dimensions, letters = _names(used, chosen)
    _check_names(given, dimensions + letters)
    sizes = {name: read_size(name, given[name]) for name in dimensions if name in given}
    require_rows(sizes, law)
    tables = {name: given[name] for name in letters if name in given}
    missing = [name for name in dimensions + letters if name not in given and name != COLUMNS]
    matrices = None
    if tables or (not missing and (COLUMNS in sizes or COLUMNS not in dimensions)):
        matrices = read_matrices(tables, int(sizes[COLUMNS]) if COLUMNS in sizes else None)
        if COLUMNS in dimensions:
            sizes[COLUMNS] = Fraction(matrices.size)
            require_rows(sizes, law)
    if tables and missing:
        raise Refused(f"no value given for {', '.join(missing)}: give all of them, or no matrices")

    has_elements = _largest_index(node, sizes) > 0
    if matrices is not None and _inverted(node):
        matrices.require_definite()

    def averaged(part: Node) -> _Averaged:
        products = query = expand(text, part)
        if sizes.get(COLUMNS) == 1 and inverse_degrees(products.terms):
            query = products.commuted()
        bounds = _bounds(part, query, sizes)
        formula = expectation.of(query)
        _require_readable(formula, effort)
        answer = Answer(part, products, query, formula, chosen, named_law(law), effort)
        return _Averaged(elements(formula) if has_elements else formula, bounds, examine(answer))

    found = averaged(node) if not isinstance(node, CovarianceOf) else _covariance_of(node, averaged)
    try:
        expected = found.formula.at(sizes)
    except ZeroDivisionError:
        point = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        raise Refused(f"the expectation has a pole at {point}: take larger row counts") from None
    value = None if matrices is None else evaluate(expected, matrices)
    conditions = tuple(inverse_condition(rows, bound) for rows, bound in found.bounds)
    query = " ".join(text.split())
    return Result(query, chosen, law, expected, conditions, found.checked, value, found.bounds)


def _columns(given: Mapping[str, Any]) -> int | None:
    """p, where it is given or a matrix shows it."""
    if COLUMNS in given:
        return int(read_size(COLUMNS, given[COLUMNS]))
    for value in given.values():
        shape = (len(value),) if isinstance(value, list | tuple) else getattr(value, "shape", ())
        if shape:
            return int(shape[0])
    return None


class _Averaged(NamedTuple):
    """An expectation, what it requires, and where it was checked."""

    formula: TracePolynomial
    bounds: tuple[tuple[str, int], ...]
    checked: tuple[str, ...]


def _covariance_of(node: CovarianceOf, averaged: Callable[[Node], _Averaged]) -> _Averaged:
    """E XY - EX EY: each of the three is checked by itself. Its condition is that of the product."""
    left, right = node.left, node.right
    both = averaged(Product(node.position, False, (left, right)))
    first = averaged(left)
    second = first if left is right else averaged(right)
    if any(key.index_sums for part in (first, second) for key in part.formula.terms):
        raise Refused(
            "the means have sums over indices here, which are not multiplied: ask for the parts one by one"
        )
    minus = (first.formula * second.formula).scaled(Rational.number(-1))
    return both._replace(formula=both.formula + minus)


def _largest_index(node: Node, sizes: Sizes) -> int:
    """The largest index of an element, 0 where there is none. Raises ValueError where it is over p."""
    places = [indices_of(symbol.name) or (0,) for symbol in symbols(node)]
    places += [(part.row, part.column) for part in subtrees(node) if isinstance(part, Element)]
    largest = max(map(max, places), default=0)
    if COLUMNS in sizes and largest > sizes[COLUMNS]:
        raise Refused(f"the index {largest} is over p = {sizes[COLUMNS]}: take a smaller one")
    return largest


def _expectation(name: str, covariance: Covariance, effort: float) -> Expectation | LawExpectation:
    """How expectations are taken under a law. Raises ValueError for a name that is no law."""
    entry_law = named_law(name)
    if entry_law is GAUSSIAN:
        return Expectation(covariance, effort)
    return LawExpectation(covariance, entry_law, effort)


def _require_readable(formula: TracePolynomial, effort: float) -> None:
    """Raises QueryTooLarge for an answer that would take longer to print than to find."""
    length = sum(len(value.numerator) + len(value.denominator) for value in formula.terms.values())
    if length > MAX_LENGTH * max(1.0, effort):
        raise QueryTooLarge(
            f"the answer has {len(formula.terms)} words with {length} powers of n and p in their coefficients: lower the degree, "
            "ask for the parts one by one, or give it more seconds (work)"
        )


def _effort(work: float | None) -> float:
    """How many times the usual work a query may take, for the seconds it is given."""
    usual = MAX_WORK / 1000
    if work is None:
        return 1
    if isinstance(work, bool) or not isinstance(work, Real) or not 0 < work <= MOST_SECONDS:
        raise Refused(f"work is {str(work)[:50]}: give seconds, more than 0 and at most {MOST_SECONDS}")
    return float(work) / usual


def _covariance(covariance: str | None, text: str, node: Node, values: Mapping[str, Any]) -> Covariance:
    """The covariance asked for, or implied by the letter Sigma."""
    sigma = next((symbol for symbol in symbols(node) if symbol.name == SIGMA), None)
    if covariance is None:
        return "general" if sigma is not None or SIGMA in values else "identity"
    if covariance == "identity":
        if sigma is not None:
            raise MomentSyntaxError(
                text,
                sigma.position,
                f"{SIGMA} is the identity here: write {IDENTITY}, or ask for a general covariance",
            )
        return "identity"
    if covariance == "general":
        return "general"
    raise Refused(
        f"unknown covariance {covariance[:50]!r}; {suggestion(covariance, ('identity', 'general'))}"
    )


def _names(used: Iterable[str], covariance: Covariance) -> tuple[list[str], list[str]]:
    """The dimensions and the matrices that need values, by the names used in a query."""
    dimensions = [name for name in used if name == COLUMNS or name.startswith("n")]
    matrices = [name for name in used if name not in dimensions]
    wishart = [name for name in matrices if is_wishart(name)]
    dimensions += [row_dimension(name) for name in wishart] + [COLUMNS] * bool(matrices)
    letters = [name for name in matrices if name not in (*wishart, IDENTITY) and not indices_of(name)]
    if covariance == "general" and wishart:
        letters.append(SIGMA)
    return list(dict.fromkeys(dimensions)), list(dict.fromkeys(letters))


def _check_names(values: Mapping[str, Any], known: list[str]) -> None:
    for name in values:
        if name == SIGMA and name not in known:
            raise Refused(f"{SIGMA} is the identity here: leave it out, or ask for a general covariance")
        if name not in known:
            raise Refused(f"{name[:50]!r} is not needed in this expression; {suggestion(name, known)}")


def _bounds(node: Node, query: TracePolynomial, sizes: Sizes) -> tuple[tuple[str, int], ...]:
    """What the inverses in a query require: names of rows, and what they must exceed when p is taken off.

    Raises MomentDoesNotExist, stating the condition, when the sizes violate it.
    """
    inverted = sorted(name for name in _inverted(node) if is_wishart(name))
    degrees = dict.fromkeys(inverted, 0) | inverse_degrees(query.terms)
    found = []
    for name, degree in degrees.items():
        rows, bound = row_dimension(name), 2 * degree - 1
        found.append((rows, bound))
        if rows in sizes and COLUMNS in sizes:
            n, p = sizes[rows], sizes[COLUMNS]
            if n - p <= bound:
                least = p + bound + 1
                reason = (
                    f"exists only for {inverse_condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} here"
                )
                raise MomentDoesNotExist(
                    _divergent(query, name, degree).format(reason)
                    + f": take {rows} "
                    + (
                        f"of at least {least}"
                        if n.denominator == 1
                        else f"over {least - 1} (a whole number: at least {least})"
                    )
                )
    return tuple(found)


def _divergent(query: TracePolynomial, name: str, degree: int) -> str:
    """What does not exist, with a place for the reason: a sum may, though one of its terms does not."""
    if not degree:
        return f"the inverse of {name} {{}}"
    if len(query.terms) == 1:
        return "the expectation {}"
    term = next(key for key in query.terms if inverse_degrees([key]).get(name) == degree)
    return f"the expectation of {monomial_text(term)} {{}}, so this sum is not answered"


def _inverted(node: Node) -> set[str]:
    """The Wishart matrices, and Sigma, that stand under a negative power."""
    return {
        symbol.name
        for part in subtrees(node)
        if isinstance(part, Power) and part.exponent < 0
        for symbol in symbols(part)
        if is_wishart(symbol.name) or symbol.name == SIGMA
    }
