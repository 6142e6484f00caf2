"""Checks of a Gaussian moment, each from an argument of its own.

Every check compares something known beforehand with the same thing read off the claimed result: the number
of pairings, chi-squared moments, symmetry, the law of large numbers, the sum over pairings, values at small
sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import INVERSE, generator, names_in, number, substitute, trim, unify
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter
from symbolic.algebra.words import constant, identity, matrix, polynomial, tr
from symbolic.averages.pairings import expect_by_pairings
from symbolic.checks.claims import Case, Check, NotApplicable, with_dimensions_one
from symbolic.checks.entries import cost_by_entries, expect_by_entries, letter_values
from symbolic.checks.gram_moments import double_factorial
from symbolic.checks.small_sizes import Sizes
from symbolic.checks.small_sizes import small_sizes as chosen_sizes

__all__ = ["CHECKS", "Case", "Check", "NotApplicable", "Values", "run"]

ORACLE_PAIRINGS = 200
"""The sum over pairings is taken up to this number of pairings (degree 8 in one matrix)."""

Values = tuple[str, str]
"""What is expected and what is obtained."""


def _text(value: fmpq_mpoly) -> str:
    return str(trim(value))


def pairing_count(case: Case) -> Values:
    """At size 1 the moment of 2d occurrences of a letter is (2d - 1)!!, the number of pairings."""
    case.without_units()
    expected = constant(0)
    for term, value in case.moment.terms.items():
        counts = case.counts(term)
        if not any(count % 2 for count in counts):
            weight = prod(double_factorial(count - 1) for count in counts)
            ones = {name: number(1) for name in case.dimensions}
            expected = expected + polynomial(substitute(value, ones)) * weight
    return _text(expected.coefficient()), _text(with_dimensions_one(case.result, case.dimensions))


def single_column(case: Case) -> Values:
    """With one column X^T X is chi-squared: E (X^T X)^d = n (n + 2) ... (n + 2d - 2)."""
    letter = case.single_matrix()
    if letter.rows in case.fixed_dimensions():
        raise NotApplicable(f"there is a deterministic matrix on {letter.rows}")
    return _chi_squared(case, letter.columns, letter.rows)


def single_row(case: Case) -> Values:
    """With one row X X^T is chi-squared with p degrees of freedom, when the covariance is the identity."""
    letter = case.single_matrix()
    if letter.columns in case.fixed_dimensions() or letter.covariance is not None:
        raise NotApplicable(f"there is a covariance or a deterministic matrix on {letter.columns}")
    return _chi_squared(case, letter.rows, letter.columns)


def _chi_squared(case: Case, one: str, degrees_of_freedom: str) -> Values:
    case.without_units()
    freedom = polynomial(generator(degrees_of_freedom))
    expected = constant(0)
    for term, value in case.moment.terms.items():
        (count,) = case.counts(term)
        if count % 2 == 0:
            power = polynomial(substitute(value, {one: number(1)}))
            for step in range(count // 2):
                power = power * (freedom + 2 * step)
            expected = expected + power
    return _text(expected.coefficient()), _text(with_dimensions_one(case.result, [one]))


def _bare(case: Case) -> Letter:
    """The one random matrix of a moment without deterministic matrices or dimensions in coefficients."""
    letter = case.single_matrix()
    if letter.covariance is not None or any(not x.random for x in case.moment.letters().values()):
        raise NotApplicable("there is a covariance or a deterministic matrix")
    scalars = {name.removeprefix(INVERSE) for name in case.moment.scalars()}
    if scalars & {letter.rows, letter.columns}:
        raise NotApplicable("the moment has dimensions in its coefficients")
    if case.moment.shape is not None and case.moment.shape[0] != case.moment.shape[1]:
        raise NotApplicable("the moment is not square")
    return letter


def symmetry(case: Case) -> Values:
    """X^T X and X X^T have the same traces: a trace moment is symmetric in rows and columns."""
    letter = _bare(case)
    value = tr(case.result).coefficient()
    swapped = {letter.rows: generator(letter.columns), letter.columns: generator(letter.rows)}
    return _text(value), _text(substitute(value, swapped))


def total_degree(case: Case) -> Values:
    """A product of k traces and d factors X^T X has total degree d + k: the term n^d p^k is always there."""
    _bare(case)
    (term,) = case.moment.terms if len(case.moment.terms) == 1 else (None,)
    if term is None:
        raise NotApplicable("the moment is a sum")
    (count,) = case.counts(term)
    value = tr(case.result).coefficient()
    obtained = max((sum(map(int, exponents)) for exponents in value.monoms()), default=-1)
    traces = len(term.traces) + (term.word is not None)
    scalars = sum(map(int, case.moment.terms[term].degrees()))
    return str(count // 2 + traces + scalars if count % 2 == 0 else -1), str(obtained)


def large_numbers(case: Case) -> Values:
    """For many rows X^T X is n times the covariance: the degree in n, and the term of that degree."""
    letter = case.single_matrix()
    if letter.rows in case.fixed_dimensions():
        raise NotApplicable(f"there is a deterministic matrix on {letter.rows}")
    if letter.rows in {name.removeprefix(INVERSE) for name in case.moment.scalars()}:
        raise NotApplicable(f"the moment has {letter.rows} in its coefficients")
    counts = {count for term in case.moment.terms for count in case.counts(term)}
    if len(counts) != 1 or any(count % 2 for count in counts):
        raise NotApplicable("the terms of the moment are not of one even degree")
    (count,) = counts
    sigma = identity(letter.columns)
    if letter.covariance is not None:
        sigma = matrix(letter.covariance, letter.columns, letter.columns, symmetric=True)
    expected = case.moment.rewrite({((letter.name, True), (letter.name, False)): sigma})
    power = count // 2
    highest = max([power, *(_degree(value, letter.rows) for value in case.result.monomials.values())])
    obtained = _leading(case.result, letter.rows, highest)
    return f"{letter.rows}^{power}: {expected}", f"{letter.rows}^{highest}: {obtained}"


def _degree(value: fmpq_mpoly, name: str) -> int:
    used = trim(value)
    return int(used.degrees()[used.context().variable_to_index(name)]) if name in names_in(used) else 0


def _leading(expr: Expression, name: str, degree: int) -> Expression:
    """The coefficient of ``name ** degree``."""
    terms = {}
    for key, value in expr.monomials.items():
        lifted, _ = unify(value, generator(name))
        place = lifted.context().variable_to_index(name)
        chosen = {
            tuple(0 if k == place else int(e) for k, e in enumerate(exponents)): q
            for exponents, q in lifted.terms()
            if int(exponents[place]) == degree
        }
        if chosen:
            terms[key] = lifted.context().from_dict(chosen)
    return Expression(terms, expr.shape, expr.letter_indices)


def pairing_sum(case: Case) -> Values:
    """The sum over all pairings, written separately."""
    number_of_pairings = sum(
        prod(double_factorial(count - 1) for count in case.counts(term)) for term in case.moment.terms
    )
    if number_of_pairings > ORACLE_PAIRINGS:
        raise NotApplicable(f"{number_of_pairings} pairings are more than {ORACLE_PAIRINGS}")
    return repr(expect_by_pairings(case.moment)), repr(case.result)


def small_sizes(case: Case) -> Values:
    """At small sizes, integer matrices in place of the letters, from the moments of the single entries."""
    scalars = {name.removeprefix(INVERSE) for name in case.moment.scalars() | case.result.scalars()}
    others = sorted(scalars - set(case.dimensions))
    plain = {name: Fraction(2 * place + 3, 2) for place, name in enumerate(others)}
    moment, result = case.moment, case.result
    if plain:
        moment, result = moment.replace(plain), result.replace(plain)

    def cost(sizes: Sizes) -> int:
        return cost_by_entries(moment, sizes, *letter_values(case.letters, sizes))

    expected, obtained = [], []
    for sizes in chosen_sizes(case, cost):
        values, roots = letter_values(case.letters, sizes)
        value = evaluate(result, {**sizes, **values})
        expected.append((sizes, expect_by_entries(moment, sizes, values, roots)))
        obtained.append((sizes, [[value]] if result.shape is None else value))
    return _table(expected), _table(obtained)


def _table(values: list[tuple[dict[str, int], list[list[Fraction]]]]) -> str:
    return "; ".join(
        f"{' '.join(f'{name}={size}' for name, size in sizes.items())}: "
        + " ".join("[" + " ".join(map(str, line)) + "]" for line in table)
        for sizes, table in values
    )


def run(check: Callable[[Case], Values], case: Case) -> Check:
    """Perform one check."""
    name = check.__name__.replace("_", " ")
    try:
        expected, obtained = check(case)
    except NotApplicable as reason:
        return Check(name, reason=str(reason))
    return Check(name, expected, obtained)


CHECKS = (
    pairing_count,
    single_column,
    single_row,
    symmetry,
    total_degree,
    large_numbers,
    pairing_sum,
    small_sizes,
)
