"""Exact expectations of expressions in Wishart matrices, asked for in text.

``W`` is X^T X with X of shape n x p and independent rows N(0, Sigma); ``W1``, ``W2``, ... are independent of
it and of one another, with n1, n2, ... rows and the same p and Sigma, or each with its own: Sigma1, Sigma2, ... X may have a mean M, and its rows a covariance U:
X is then distributed as M + U^(1/2) Z Sigma^(1/2), Z of independent standard normal entries. The grammar:
`symbolic.grammar.syntax`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

from symbolic.algebra.entry_laws import COMPLEX, GAUSSIAN, Law
from symbolic.algebra.entry_laws import law as named_law
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.determinant_factors import split
from symbolic.grammar.expanded import expand
from symbolic.grammar.shapes import ONE, SQUARE, known_shape, letter_shapes
from symbolic.grammar.syntax import parse
from symbolic.grammar.tokens import DECLARED, MomentSyntaxError, tokens
from symbolic.grammar.tree import Covariance as CovarianceOf
from symbolic.grammar.tree import (
    Element,
    Node,
    Product,
    Symbol,
    Transpose,
    subtrees,
    symbols,
)
from symbolic.query import existing
from symbolic.query.answer import Answer
from symbolic.query.check import examine
from symbolic.query.determinant_answer import Asked, with_determinants
from symbolic.query.law_answer import LawExpectation
from symbolic.query.query_expectation import Expectation, inverse_degrees
from symbolic.query.query_words import Setting, with_wisharts
from symbolic.query.result import Result
from symbolic.query.sizes import Sizes, read_size, require_rows
from symbolic.query.value import Matrices, evaluate, read_matrices
from symbolic.query.work import MAX_WORK
from symbolic.wishart.existence import condition as inverse_condition
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    MEAN,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    ROWS,
    SIGMA,
    indices_of,
    is_covariance,
    is_dimension,
    is_vector,
    is_wishart,
    of_rows,
    row_dimension,
    suggestion,
)
from symbolic.wishart.trace_polynomial import (
    QueryTooLarge,
    TracePolynomial,
    elements,
    scalars,
    symmetrised,
)
from symbolic.wishart.wishart_moment import Covariance

__all__ = ["MomentSyntaxError", "Result", "moment"]

MOST_SECONDS = 3600
"""Longest time that a query may be given."""

MEANS, ROW_LAWS = ("zero", "general"), ("independent", "general")
"""Whether X has a mean M, and its rows a covariance U."""

OWN = "own"
"""The covariance of each matrix is its own."""

MAX_LENGTH = 200_000
"""Most terms of all coefficients of an answer: printing them takes about a second."""


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
    given = dict(values or {})
    texts = [x for x, value in given.items() if isinstance(value, str) and _is_letter(x)]
    definitions = {name: given.pop(name) for name in texts}
    _check_declared((*symmetric, *rotations))
    declared = {name for name in (*given, *symmetric, *rotations) if DECLARED.fullmatch(name)}
    columns = _columns(given)
    rest, factors = split(text, columns)
    node = parse(rest, columns, declared, definitions)
    _check_definitions(rest, declared, definitions)
    used = list(dict.fromkeys(symbol.name for symbol in symbols(node)))
    chosen, own = _covariance(covariance, text, node, given)
    if factors:
        asked = Asked(
            text,
            rest,
            factors,
            frozenset(used),
            {**given, **definitions},
            OWN if own else chosen,
            law,
            by_rows=(mean, rows) != (MEANS[0], ROW_LAWS[0]),
        )
        again = partial(moment, covariance=asked.covariance, law=law, work=work, mean=mean, rows=rows)
        return with_determinants(asked, partial(again, symmetric=symmetric, rotations=rotations))
    effort = _effort(work)
    setting = replace(_setting(text, node, used, given, chosen, mean, rows), own=own)
    setting, entry_law = _law(law, setting, text, node, symmetric)
    setting = _rotating(setting, rotations, used, law, symmetric)
    expectation = (
        Expectation(setting, effort) if entry_law is GAUSSIAN else LawExpectation(setting, entry_law, effort)
    )
    dimensions, letters = _names(used, setting)
    _check_names(given, dimensions + letters)
    sizes, matrices = _read_values(given, dimensions, letters, setting, law)
    has_elements = _largest_index(node, sizes) > 0
    has_vectors = any(map(is_vector, setting.shapes))
    if matrices is not None and existing.inverted(node):
        matrices.require_definite()

    def averaged(part: Node) -> _Averaged:
        products = query = with_wisharts(expand(text, part))
        if has_vectors:
            products = query = scalars(products)
        by_rows = has_vectors or any(map(setting.needs_rows, products.terms))
        if sizes.get(COLUMNS) == 1 and inverse_degrees(products.terms) and not by_rows:
            query = products.commuted()
        bounds = existing.bounds(part, query, sizes, setting.is_complex)
        more = existing.of_averages(query, setting, sizes)
        formula = expectation.of(query)
        _require_readable(formula, effort)
        answer = Answer(part, products, query, formula, setting, entry_law, effort)
        checked = examine(answer)
        formula = scalars(formula) if has_vectors else formula
        return _Averaged(elements(formula) if has_elements else formula, bounds, checked, more)

    found = averaged(node) if not isinstance(node, CovarianceOf) else _covariance_of(node, averaged)
    formula = symmetrised(found.formula, symmetric) if symmetric else found.formula
    expected = _at(formula, sizes)
    value = None
    if matrices is not None:
        lengths = {**matrices.lengths, **{name: int(size) for name, size in sizes.items()}}
        value = evaluate(expected, matrices, (lengths[setting.whole[0]], lengths[setting.whole[1]]))
    conditions = (*(inverse_condition(rows, bound) for rows, bound in found.bounds), *found.conditions)
    query = " ".join(text.split())
    return Result(
        query, OWN if own else chosen, law, expected, conditions, found.checked, value, found.bounds, setting
    )


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


def _setting(
    text: str,
    node: Node,
    used: Collection[str],
    given: Mapping[str, Any],
    covariance: Covariance,
    mean: str,
    rows: str,
) -> Setting:
    """The random matrices and the shapes of all letters. Raises ValueError for letters that do not fit together."""
    if mean not in MEANS:
        raise Refused(f"unknown mean {mean[:50]!r}; {suggestion(mean, MEANS)}")
    if rows not in ROW_LAWS:
        raise Refused(f"unknown rows {rows[:50]!r}; {suggestion(rows, ROW_LAWS)}")
    random = [name for name in used if is_wishart(name) or of_rows(name) == ROWS]
    named = {*used, *given}
    means = {row_dimension(x) for x in random if mean == "general" or MEAN + row_dimension(x)[1:] in named}
    correlated = {
        row_dimension(x)
        for x in random
        if rows == "general" or ROW_COVARIANCE + row_dimension(x)[1:] in named
    }
    shape, shapes = letter_shapes(text, node)
    for kind, lengths in ((MEAN, means), (ROW_COVARIANCE, correlated)):
        for length in lengths:
            name = kind + length[1:]
            shapes[name] = known_shape(name) or SQUARE
    return Setting(covariance, shapes, frozenset(means), frozenset(correlated), shape)


def _columns(given: Mapping[str, Any]) -> int | None:
    """p, where it is given or a matrix shows it."""
    if COLUMNS in given:
        return int(read_size(COLUMNS, given[COLUMNS]))
    for name, value in given.items():
        shape = (len(value),) if isinstance(value, list | tuple) else getattr(value, "shape", ())
        if shape and not (of_rows(name) or is_vector(name)):
            return int(shape[0])
    return None


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
    bounds: tuple[tuple[str, int], ...]
    checked: tuple[str, ...]
    conditions: tuple[str, ...]


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


def _law(
    name: str, setting: Setting, text: str, node: Node, symmetric: Collection[str]
) -> tuple[Setting, Law]:
    """The law of the real entries, and the setting with what is complex in it. Raises ValueError for a name that is no law."""
    if name != COMPLEX:
        found = named_law(name)
        if setting.own and found is not GAUSSIAN:
            raise Refused(
                "covariances of their own are for Gaussian rows: leave the law out, or take one Sigma"
            )
        return setting, found
    _require_untransposed(text, node, symmetric)
    if setting.means or setting.correlated:
        raise Refused(
            "a mean of X and a covariance of its rows have no method for complex entries: leave them out"
        )
    return replace(setting, is_complex=True), GAUSSIAN


def _rotating(
    setting: Setting, rotations: Collection[str], used: Collection[str], law: str, symmetric: Collection[str]
) -> Setting:
    """The setting with the letters that are rotations. Raises ValueError where they have no method."""
    for name in rotations:
        if name not in used:
            raise Refused(f"{name[:50]!r} is not needed in this expression: leave it out")
        if setting.shape(name) != SQUARE:
            raise Refused(f"{name} is {' x '.join(setting.shape(name))} here: a rotation is p x p")
        if name in symmetric:
            raise Refused(f"{name} is a rotation: leave it out of the symmetric letters")
    if rotations and law != GAUSSIAN.name:
        raise Refused(f"rotations have no method under the law {law[:50]}: ask for the law gaussian")
    return replace(setting, rotations=frozenset(rotations))


def _require_untransposed(text: str, node: Node, symmetric: Collection[str]) -> None:
    """Raises ValueError for what the transpose of a complex Wishart matrix, its conjugate, would come into."""
    for part in subtrees(node):
        name = part.name if isinstance(part, Symbol) else ""
        if isinstance(part, Transpose | Element) or (name and (indices_of(name) or is_vector(name))):
            raise MomentSyntaxError(
                text,
                part.position,
                "of complex matrices there are no transposes, elements or vectors here: give A' a name of its own, and "
                "take tr(A W) for an element",
            )
        if name and of_rows(name):
            raise MomentSyntaxError(
                text, part.position, f"{name} has no method for complex entries: ask for W = X* X"
            )
    if symmetric:
        raise Refused(
            "letters are not symmetric beside a complex Sigma, which is not its transpose: leave symmetric out"
        )


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


def _covariance(
    covariance: str | None, text: str, node: Node, values: Mapping[str, Any]
) -> tuple[Covariance, bool]:
    """The covariance asked for, or implied by the letter Sigma, and whether each matrix has its own."""
    sigma = next((symbol for symbol in symbols(node) if is_covariance(symbol.name)), None)
    named = {symbol.name for symbol in symbols(node)} | values.keys()
    if covariance is None:
        found = sorted(filter(is_covariance, named))
        covariance = OWN if found and found != [SIGMA] else "general" if found else "identity"
    if covariance == OWN:
        return "general", True
    if covariance == "identity":
        if sigma is not None:
            raise MomentSyntaxError(
                text,
                sigma.position,
                f"{sigma.name} is the identity here: write {IDENTITY}, or ask for a general covariance",
            )
        return "identity", False
    if covariance == "general":
        numbered = next((name for name in sorted(named) if is_covariance(name) and name != SIGMA), None)
        if numbered:
            raise Refused(
                f"{numbered} is of matrices with covariances of their own: ask for the covariance own"
            )
        return "general", False
    raise Refused(
        f"unknown covariance {covariance[:50]!r}; {suggestion(covariance, ('identity', 'general', OWN))}"
    )


def _names(used: Iterable[str], setting: Setting) -> tuple[list[str], list[str]]:
    """The dimensions and the matrices that need values, by the names used in a query."""
    used = list(used)
    dimensions = [name for name in used if is_dimension(name)]
    matrices = [name for name in used if name not in dimensions]
    random = [name for name in matrices if is_wishart(name) or of_rows(name) == ROWS]
    by_rows = [name for name in matrices if of_rows(name)]
    dimensions += [row_dimension(name) for name in (*random, *by_rows)]
    letters = [
        name
        for name in matrices
        if name not in (*random, *setting.rotations, IDENTITY)
        and not indices_of(name)
        and of_rows(name) != ROW_IDENTITY
    ]
    if setting.covariance == "general" and random:
        letters += [setting.sigma(name)[0] for name in random]
    for kind, lengths in ((MEAN, setting.means), (ROW_COVARIANCE, setting.correlated)):
        letters += [kind + length[1:] for length in sorted(lengths)]
    dimensions += [x for name in letters for x in setting.shape(name) if x != ONE]
    dimensions += [COLUMNS] * bool(matrices)
    return list(dict.fromkeys(dimensions)), list(dict.fromkeys(letters))


def _check_names(values: Mapping[str, Any], known: list[str]) -> None:
    for name in values:
        if name == SIGMA and name not in known:
            raise Refused(f"{SIGMA} is the identity here: leave it out, or ask for a general covariance")
        if name not in known:
            raise Refused(f"{name[:50]!r} is not needed in this expression; {suggestion(name, known)}")
