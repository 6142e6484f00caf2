"""Exact expectations of expressions in Wishart matrices, asked for in text.

``W`` is X^T X with X of shape n x p and independent rows N(0, Sigma); ``W1``, ``W2``, ... are independent of
it and of one another, with n1, n2, ... rows and the same p and Sigma, or each with its own: Sigma1, Sigma2, ... X may have a mean M, and its rows a covariance U:
X is then distributed as M + U^(1/2) Z Sigma^(1/2), Z of independent standard normal entries. The grammar:
`symbolic.grammar.syntax`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from numbers import Real
from typing import Any, NamedTuple

from symbolic.algebra.entry_laws import COMPLEX, GAUSSIAN
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.determinant_factors import Factor, is_logarithm, said_of, sizes_of, split
from symbolic.grammar.expanded import expand
from symbolic.grammar.row_elements import as_elements, index_of, is_place, require_plain, written_out
from symbolic.grammar.syntax import parse
from symbolic.grammar.tokens import DECLARED, MomentSyntaxError, tokens
from symbolic.grammar.tree import Covariance as CovarianceOf
from symbolic.grammar.tree import (
    Element,
    Node,
    Product,
    subtrees,
    symbols,
)
from symbolic.query import existing
from symbolic.query.answer import Answer
from symbolic.query.asked import (
    MEANS,
    OWN,
    ROW_LAWS,
    check_names,
    check_symmetric,
    columns_of,
    covariance_of_names,
    covariance_of_query,
    needed_names,
    rotating,
    setting_of,
    with_law,
)
from symbolic.query.check import examine, examine_logarithm
from symbolic.query.combined.determinant_answer import Asked, centred, with_determinants
from symbolic.query.combined.kronecker import covariance_of, rewritten, with_kronecker
from symbolic.query.law_answer import LawExpectation
from symbolic.query.query_expectation import Expectation, inverse_degrees
from symbolic.query.query_words import Setting, with_wisharts
from symbolic.query.result import Result
from symbolic.query.sizes import Sizes, read_size, require_rows
from symbolic.query.value import Matrices, Shown, evaluate, read_matrices, require_symmetric
from symbolic.query.work import MAX_WORK
from symbolic.wishart.existence import MomentDoesNotExist, strictest
from symbolic.wishart.existence import condition as inverse_condition
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    indices_of,
    is_vector,
    of_rows,
)
from symbolic.wishart.trace_polynomial import (
    QueryTooLarge,
    TracePolynomial,
    elements,
    scalars,
    symmetrised,
)

__all__ = ["MomentSyntaxError", "Result", "moment"]

MOST_SECONDS = 3600
"""Longest time that a query may be given."""

MAX_LENGTH = 200_000
"""Most terms of all coefficients of an answer: printing them takes about a second."""


class _Options(NamedTuple):
    """What a query asks for besides its words."""

    law: str
    work: float | None
    mean: str
    rows: str
    symmetric: tuple[str, ...]
    rotations: tuple[str, ...]


def moment(
    text: str,
    values: Mapping[str, Any] | None = None,
    covariance: str | None = None,
    law: str = "gaussian",
    work: float | None = None,
    mean: str = "zero",
    rows: str = "independent",
    symmetric: Collection[str] = (),
    rotations: Collection[str] = (),
) -> Result:
    """The expectation of an expression, exact, and its value when all names in it have values.

    ``values`` gives p as a positive integer, the row counts n, n1, ... as numbers, and p x p matrices for the letters
    and (covariance "general") for Sigma: rows of int or Fraction, or arrays. Integers and fractions give an
    exact value as text, arrays of floats a value in floats. Dimensions may also be given without the
    matrices, or some of them only: they are put into the formula. ``covariance`` is "identity", "general", "own"
    (Sigma1 for W1 and X1, Sigma2 for W2, ..., Sigma for W), or None for what the names Sigma, Sigma1, ... in the text or the values ask for. ``law`` is a name that `symbolic.algebra.entry_laws.law`
    reads: a row is Sigma^(1/2) u, and u has independent entries of the law; or "complex", for W = X^* X with complex
    normal entries, E |u|^2 = 1, without transposes. ``work`` is
    how many seconds it may take, about; two unless given. ``mean`` "general": every X has a mean M; ``rows`` "general":
    its rows have a covariance U; without them, the X whose M or U occurs in the text or the values. ``symmetric``
    letters are their own transposes. ``rotations`` are letters that are uniform on the orthogonal group, independent of one
    another and of W. A value that is text defines its name, as in ``S="W/(n-1)"``.

    Raises MomentSyntaxError where the text is wrong; MomentDoesNotExist, stating the condition, where the
    expectation of an inverse diverges; and ValueError for unknown, superfluous or missing names, values of
    the wrong kind, an unknown covariance or law, a moment without a method, and whatever exceeds a limit.
    """
    options = _Options(law, work, mean, rows, tuple(symmetric), tuple(rotations))
    of_two = covariance_of(text)
    if of_two is not None and is_logarithm(of_two[0]) != is_logarithm(of_two[1]):
        log, other = of_two if is_logarithm(of_two[0]) else of_two[::-1]
        product = f"{log} ({other})"
        try:
            found = _moment(product, values, covariance, options, is_centred=True)
        except MomentSyntaxError as error:
            raise MomentSyntaxError(text, text.index(other) + 1, error.reason) from None
        if found.expectation.is_matrix:
            raise MomentSyntaxError(text, 1, "cov is of scalars: take elements, as in W[1,2], or traces")
        return replace(found, query=" ".join(text.split()))
    given = dict(values or {})
    asked = rewritten(text, {*given, *(x for x in given.values() if isinstance(x, str)), *rotations})
    if asked is None:
        return _in_either_form(text, values, covariance, options)

    def average(inner: str, known: Mapping[str, Any]) -> Result:
        return _in_either_form(inner, known, chosen, options)

    chosen = covariance or covariance_of_names(text, given)
    return with_kronecker(text, asked, given, average)


def _in_either_form(
    text: str, values: Mapping[str, Any] | None, covariance: str | None, options: _Options
) -> Result:
    """The same. Whole powers of determinants, which are written out where p is known, are averaged by their closed form where that
    has too many terms, or an inverse beside them that is none any more in the product; and exist where that does.
    """
    try:
        found = _moment(text, values, covariance, options)
    except Refused:
        try:
            if split(text, None).factors:
                return _of_fractions(_moment(text, values, covariance, options, is_written_out=False))
        except MomentDoesNotExist as error:
            # of the whole product, not of what it is written out to
            raise error from None
        except Refused:
            pass
        raise
    if any(bound >= 0 for _, bound in found.bounds) and split(text, None).factors:
        with suppress(Refused):
            closed = _moment(text, values, covariance, options, is_written_out=False)
            own = dict(found.bounds)
            if all(rows in own and bound <= own[rows] for rows, bound in closed.bounds):
                said = closed.conditions[: len(closed.bounds)] + found.conditions[len(found.bounds) :]
                found = replace(found, bounds=closed.bounds, conditions=said)
    return _of_fractions(found)


def _of_fractions(found: Result) -> Result:
    """The same, where n >= p, which is n > p - 1 in whole numbers, is said of degrees of freedom that are none."""
    sizes, conditions = dict(found.sizes), list(found.conditions)
    for k, (rows, bound) in enumerate(found.bounds):
        if bound < 0 and sizes.get(rows, Fraction(1)).denominator != 1:
            conditions[k] = f"{rows} - p > {bound}"
    return replace(found, conditions=tuple(conditions))


def _moment(
    text: str,
    values: Mapping[str, Any] | None,
    covariance: str | None,
    options: _Options,
    *,
    is_centred: bool = False,
    is_written_out: bool = True,
) -> Result:
    """The same. ``is_centred``: the logarithm in the text less its mean is meant. ``is_written_out``: as whole powers of determinants are
    where p is known.
    """
    law, _, mean, rows, symmetric, rotations = options
    given = dict(values or {})
    definitions = {x: given.pop(x) for x in [*given] if isinstance(given[x], str) and _is_letter(x)}
    _check_declared((*symmetric, *rotations))
    for name in {*symmetric} & given.keys():
        require_symmetric(name, given[name])
    declared = {name for name in (*given, *symmetric, *rotations) if DECLARED.fullmatch(name)}
    columns = columns_of(given)
    rest, factors = split(text, columns if is_written_out else None)
    with said_of(text, rest, factors):
        node = written_out(parse(rest, columns, declared, definitions))
    _check_definitions(rest, declared, definitions)
    chosen = covariance or _of_means(text, factors, given)
    if not factors:
        return _of_tree(text, node, given, chosen, options)
    given = sizes_of(factors, given)
    used = list(dict.fromkeys(symbol.name for symbol in symbols(node)))
    check_symmetric(symmetric, used)
    sigma, own = covariance_of_query(chosen, text, node, given)
    with said_of(text, rest, factors):
        setting = replace(setting_of(text, node, used, given, sigma, mean, rows), own=own)
    by_rows = (mean, rows) != (MEANS[0], ROW_LAWS[0])
    setting = replace(setting, rotations=frozenset(rotations), is_complex=law == COMPLEX)
    asked = Asked(text, node, factors, frozenset(used), given, OWN if own else sigma, law, by_rows, setting)

    def average(node: Node, known: Mapping[str, Any], log: str = "") -> Result:
        names = {symbol.name for symbol in symbols(node)}
        fitting = options._replace(
            symmetric=tuple(x for x in symmetric if x in names),
            rotations=tuple(x for x in rotations if x in names),
        )
        return _of_tree(text, node, known, asked.covariance, fitting, log, asked.setting)

    return centred(asked, average) if is_centred else with_determinants(asked, average)


def _of_tree(
    text: str,
    node: Node,
    given: Mapping[str, Any],
    covariance: str | None,
    options: _Options,
    beside: str = "",
    of_whole: Setting | None = None,
) -> Result:
    """The expectation of a tree. ``beside``: the matrix the logarithm of whose determinant stands beside it, with which the derivative in its
    rows is checked too. ``of_whole``: the shapes of the letters where the tree is a term of a sum.
    """
    law, work, mean, rows, symmetric, rotations = options
    used = list(dict.fromkeys(symbol.name for symbol in symbols(node)))
    check_symmetric(symmetric, used)
    chosen, own = covariance_of_query(covariance, text, node, given)
    effort = _effort(work)
    setting = of_whole or replace(setting_of(text, node, used, given, chosen, mean, rows), own=own)
    setting, entry_law = with_law(law, setting, text, node, symmetric)
    setting = rotating(setting, rotations, used, law, symmetric)
    expectation = (
        Expectation(setting, effort) if entry_law is GAUSSIAN else LawExpectation(setting, entry_law, effort)
    )
    dimensions, letters = needed_names(used, setting)
    check_names(given, dimensions + letters)
    sizes, matrices = _read_values(given, dimensions, letters, setting, law)
    has_elements = _largest_index(node, sizes) > 0
    has_vectors = any(map(is_vector, setting.shapes))
    require_plain(text, node, plain=not (setting.means or setting.correlated))
    if matrices is not None and existing.inverted(node):
        matrices.require_definite()

    def averaged(part: Node) -> _Averaged:
        products = query = with_wisharts(expand(text, part))
        if has_vectors:
            products = query = scalars(products)
        by_rows = any(map(setting.needs_rows, products.terms))
        if sizes.get(COLUMNS) == 1 and inverse_degrees(products.terms) and not by_rows:
            query = products.commuted()
        bounds = existing.bounds(part, query, sizes, setting.is_complex)
        more = existing.of_averages(query, setting, sizes)
        formula = expectation.of(query)
        _require_readable(formula, effort)
        answer = Answer(part, products, query, formula, setting, entry_law, effort)
        checked = examine(answer)
        if beside:
            examine_logarithm(answer, beside)
        formula = as_elements(scalars(formula)) if has_vectors else formula
        return _Averaged(elements(formula) if has_elements else formula, bounds, checked, more)

    found = averaged(node) if not isinstance(node, CovarianceOf) else _covariance_of(node, averaged)
    formula = symmetrised(found.formula, symmetric) if symmetric else found.formula
    expected = _at(formula, sizes)
    value = None if matrices is None else _value(expected, matrices, sizes, setting)
    conditions = (*(inverse_condition(rows, bound) for rows, bound in found.bounds), *found.conditions)
    return Result(
        " ".join(text.split()),
        OWN if own else chosen,
        law,
        expected,
        conditions,
        found.checked,
        value,
        found.bounds,
        setting,
        sizes=tuple((name, Fraction(size)) for name, size in sizes.items()),
        symmetric=tuple(symmetric),
    )


def _of_means(text: str, factors: Iterable[Factor], given: Mapping[str, Any]) -> str | None:
    """The covariance that the means of determinants ask for by its determinant."""
    return covariance_of_names(text, given) if any(factor.sigma for factor in factors) else None


def _value(expected: TracePolynomial, matrices: Matrices, sizes: Sizes, setting: Setting) -> Shown:
    lengths = {**matrices.lengths, **{name: int(size) for name, size in sizes.items()}}
    return evaluate(expected, matrices, (lengths[setting.whole[0]], lengths[setting.whole[1]]))


def _is_letter(name: str) -> bool:
    """Whether a name may stand for a deterministic matrix."""
    return bool(DECLARED.fullmatch(name)) and not of_rows(name)


def _at(formula: TracePolynomial, sizes: Sizes) -> TracePolynomial:
    try:
        # p first: what cancels for it alone is no pole
        return formula.at({COLUMNS: sizes[COLUMNS]} if COLUMNS in sizes else {}).at(sizes)
    except ZeroDivisionError:
        point = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        raise Refused(f"the expectation has a pole at {point}: take larger row counts") from None


def _check_definitions(text: str, declared: Collection[str], definitions: Mapping[str, str]) -> None:
    written = {token.text for token in tokens(text, {*declared, *definitions})}
    for name in definitions.keys() - written:
        raise Refused(f"{name[:50]!r} is not needed in this expression: leave it out")


def _check_declared(names: Iterable[str]) -> None:
    for name in names:
        if not _is_letter(name):
            raise Refused(
                f"{name[:50]!r} is no name of a letter: take a capital other than E, I, M, T, U, W, X, or a word that "
                "begins with one"
            )


def _read_values(
    given: Mapping[str, Any], dimensions: list[str], letters: list[str], setting: Setting, law: str
) -> tuple[dict[str, Fraction], Matrices | None]:
    """The sizes that are given or shown by matrices, and the matrices where everything has a value."""
    sizes = {name: read_size(name, given[name]) for name in dimensions if name in given}
    require_rows(sizes, law)
    counted = {length for shape in setting.shapes.values() for length in shape}
    for name in counted & sizes.keys():
        if sizes[name].denominator != 1:
            raise Refused(f"{name} is {sizes[name]}: the rows of X are counted here, give a positive integer")
    tables = {name: given[name] for name in letters if name in given}
    missing = [name for name in dimensions + letters if name not in given and name != COLUMNS]
    if tables:  # which show their dimensions
        shown = {length for name in tables for length in setting.shape(name)}
        missing = [name for name in missing if name not in shown]
        missing += [COLUMNS] * (COLUMNS in dimensions and COLUMNS not in shown | sizes.keys())
    matrices = None
    if tables or (not missing and (COLUMNS in sizes or COLUMNS not in dimensions)):
        whole = {name: int(n) for name, n in sizes.items() if n.denominator == 1}
        matrices = read_matrices(tables, whole.pop(COLUMNS, None), setting.shapes, whole)
        for name in dimensions:
            if matrices.lengths.get(name):
                sizes.setdefault(name, Fraction(matrices.lengths[name]))
        require_rows(sizes, law)
    if tables and missing:
        raise Refused(f"no value given for {', '.join(missing)}: give all of them, or no matrices")
    return sizes, matrices


class _Averaged(NamedTuple):
    """An expectation, what it requires, and where it was checked."""

    formula: TracePolynomial
    bounds: tuple[tuple[str, int | Fraction], ...]
    checked: tuple[str, ...]
    conditions: tuple[str, ...]


def _covariance_of(node: CovarianceOf, averaged: Callable[[Node], _Averaged]) -> _Averaged:
    """E XY - EX EY: each of the three is checked by itself, and has to exist."""
    left, right = node.left, node.right
    both = averaged(Product(node.position, False, (left, right)))
    first = averaged(left)
    second = first if left is right else averaged(right)
    if any(key.index_sums for part in (first, second) for key in part.formula.terms):
        raise Refused(
            "the means have sums over indices here, which are not multiplied: ask for the parts one by one"
        )
    minus = (first.formula * second.formula).scaled(Rational.number(-1))
    parts = (both, first, second)
    return both._replace(
        formula=both.formula + minus,
        bounds=strictest(part.bounds for part in parts),
        conditions=tuple(dict.fromkeys(said for part in parts for said in part.conditions)),
    )


def _largest_index(node: Node, sizes: Sizes) -> int:
    """The largest index of an element, 0 where there is none. Raises ValueError where it is over p."""
    places = [indices_of(symbol.name) or (0,) for symbol in symbols(node)]
    places += [(part.row, part.column) for part in subtrees(node) if isinstance(part, Element)]
    largest = max(map(max, places), default=0)
    if COLUMNS in sizes and largest > sizes[COLUMNS]:
        raise Refused(f"the index {largest} is over p = {sizes[COLUMNS]}: take a smaller one")
    for symbol in symbols(node):
        if is_place(symbol.name):
            dimension, index = index_of(symbol.name)
            if index > sizes.get(dimension, index):
                raise Refused(
                    f"the index {index} is over {dimension} = {sizes[dimension]}: take a smaller one"
                )
    return largest


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
