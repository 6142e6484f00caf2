"""Second routes to an average, which share with the engine the data type of matrix words and no step of the calculation: all Wick pairings, or moments of single entries.

The sum over pairings holds at every size; its number of terms grows like a double factorial, and it is for Gaussian
matrices. Where it is out of reach, the matrices are written out at small sizes, their entries are variables with known
moments, and both sides are compared as exact matrices of numbers: at several sizes, among them single rows and columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod

from flint import fmpq_mat

from symbolic.algebra.coefficients import INVERSE, to_fraction
from symbolic.algebra.entry_laws import GENERIC, Law, law
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.words import Expression, constant, letter_expression
from symbolic.averages.network_polynomial import NetworkPolynomial
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.networks import ROOT_SUFFIX
from symbolic.averages.pairings import expect_by_pairings
from symbolic.checks.entries import cost_by_entries, expect_by_entries, letter_values
from symbolic.checks.entry_products import Table

MOST_PAIRINGS = 10_000
# terms of polynomials that are multiplied at one size; sizes that cost more are left out
MOST_TERMS = 400_000
# rows and columns of the matrices averaged over; the rows of a second one are one more, and so on
SMALL = ((1, 1), (1, 2), (2, 1), (3, 1), (2, 2), (3, 2), (1, 3), (5, 2), (2, 3), (4, 1), (6, 1))
FEWEST = 4
# those at which sums over indices are compared
FEW = ((1, 1), (2, 1), (1, 2))
# laws at which one with symbols for its cumulants is put to the test, and how these are called
EXAMPLES, KAPPA, MOST_CUMULANTS = ("rademacher", "uniform", "laplace"), "kappa", 8
PAIRINGS, ENTRIES = "the sum over all pairings", "moments of single entries at the sizes"


class OutOfReach(ValueError):
    """No second route to an average is short enough, or made for its law."""


def compared(
    before: Expression, over: Collection[str], after: Expression, names: Mapping[str, Expression]
) -> tuple[str, str]:
    """The second route to E[before] over the named letters, and why it disproves `after`, or nothing.

    names: what scalars in `after` stand for. Raises OutOfReach where no route is short enough.
    """
    generic = sorted(
        name for name, x in before.letters().items() if name in over and (x.law or "").startswith(GENERIC)
    )
    if generic:
        return _by_examples(before, over, after.replace(names), generic)
    other_law = any(letter.law for name, letter in before.letters().items() if name in over)
    if not other_law and count_of_pairings(before, over) <= MOST_PAIRINGS:
        summed = expect_by_pairings(before, over)
        return PAIRINGS, "" if after.replace(names) == summed else f"{PAIRINGS} gives {summed}"
    return _by_entries(before, over, after.replace(names))


def count_of_pairings(expr: Expression, over: Collection[str]) -> int:
    """How many Wick pairings of the named letters a sum over them has."""
    total = 0
    for term in expr.terms:
        counts = Counter(factor.name for word in (*term.traces, term.word or ()) for factor in word)
        total += prod(prod(range(counts[name] - 1, 0, -2)) for name in over)
    return total


def _by_examples(
    before: Expression, over: Collection[str], after: Expression, generic: Sequence[str]
) -> tuple[str, str]:
    """The same for letters of a law whose cumulants are symbols: at laws of which these are numbers."""
    known, said = before.letters(), ""
    for example in EXAMPLES:
        at = {name: letter_expression(replace(known[name], law=example)) for name in generic}
        symbols = _cumulants(example)
        present = {name: constant(symbols[name]) for name in symbols.keys() & after.scalars()}
        said, wrong = _by_entries(before.replace(at), over, after.replace(present))
        if wrong:
            return said, f"for {example} entries {wrong}"
    return f"for {', '.join(EXAMPLES)} entries {said}", ""


def differs_in_entries(before: Expression, over: Collection[str], mean: NetworkPolynomial) -> str:
    """Why sums over indices are not the mean of a scalar over letters whose cumulants are symbols; nothing if they are.

    By moments of single entries at a few small sizes, for laws of which the cumulants are numbers.
    """
    known = before.letters()
    averaged = {name: known[name] for name in over}
    names = sorted({name.removeprefix(INVERSE) for name in before.scalars()})
    for example in EXAMPLES:
        at = {name: letter_expression(replace(known[name], law=example)) for name in over}
        word = before.replace(at)
        rules = dict.fromkeys(over, partial(_moment, law(example)))
        for rows, columns in FEW:
            sizes = _sizes((word,), averaged, rows, columns)
            plain = {name: Fraction(2 * k + 3, k + 2) for k, name in enumerate(names) if name not in sizes}
            values, roots = _values(word.letters(), sizes)
            numbers = {name: constant(value) for name, value in plain.items()}
            ((found,),) = expect_by_entries(word.replace(numbers), sizes, values, roots, rules)
            if (
                Fraction(evaluate_networks(mean, {**sizes, **values, **plain, **_cumulants(example)}))
                != found
            ):
                return f"for {example} entries moments of single entries give another mean"
    return ""


def _cumulants(example: str) -> dict[str, Fraction]:
    one = law(example)
    return {f"{KAPPA}_{k}": one.cumulant_number(k) for k in range(4, MOST_CUMULANTS + 1, 2)}


def _by_entries(before: Expression, over: Collection[str], after: Expression) -> tuple[str, str]:
    known = before.letters()
    averaged = {name: known[name] for name in over if name in known}
    laws = {name: law(letter.law) for name, letter in averaged.items() if letter.law}
    rules = {name: partial(_moment, one) for name, one in laws.items()}
    before, after = (
        _at_numbers(expr, averaged, before.scalars() | after.scalars()) for expr in (before, after)
    )
    done = []
    for rows, columns in SMALL:
        sizes = _sizes((before, after), averaged, rows, columns)
        values, roots = _values(before.letters() | after.letters(), sizes)
        if not laws and cost_by_entries(before, sizes, values, roots) > MOST_TERMS:
            continue
        found = expect_by_entries(before, sizes, values, roots, rules)
        given = evaluate(after, {**sizes, **values})
        if isinstance(given, fmpq_mat):
            given = given.tolist()
        if [[Fraction(str(x)) for x in row] for row in (given if after.shape else [[given]])] != found:
            shown = ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items()))
            return ENTRIES, f"moments of single entries give something else at {shown}"
        done.append(f"{rows} x {columns}")
    if len(done) < FEWEST:
        raise OutOfReach(
            f"no second route: at {len(SMALL) - len(done)} of {len(SMALL)} small sizes it is too long"
        )
    return f"{ENTRIES} {', '.join(done)}", ""


def _moment(one: Law, order: int) -> Fraction:
    """E u^order of an entry, a number."""
    value = one.moment(order)
    if value and not value.is_constant():
        raise OutOfReach(f"no second route for the law {one}, whose moments are no numbers")
    return to_fraction(value.leading_coefficient()) if value else Fraction(0)


def _values(
    letters: Mapping[str, Letter], sizes: Mapping[str, int]
) -> tuple[dict[str, Table], dict[str, Table]]:
    """Matrices for fixed letters and roots of covariances, symmetric ones where the law is not Gaussian."""
    values, roots = letter_values(letters, sizes)
    for name in {x.covariance for x in letters.values() if x.law is not None and x.covariance is not None}:
        span = range(len(roots[name]))
        root = [[Fraction(2 + i if i == j else (i + j) % 2 - 2 * (i * j)) for j in span] for i in span]
        roots[name] = values[name + ROOT_SUFFIX] = root
        values[name] = [
            [sum((root[i][k] * root[k][j] for k in span), Fraction(0)) for j in span] for i in span
        ]
    return values, roots


def _at_numbers(expr: Expression, averaged: Mapping[str, Letter], scalars: Collection[str]) -> Expression:
    """Scalars that are no sizes at numbers, and random letters that are not averaged over as fixed matrices."""
    sizes = {side for letter in expr.letters().values() for side in (letter.rows, letter.columns)}
    sizes |= {side for letter in averaged.values() for side in (letter.rows, letter.columns)} | {
        *(expr.shape or ())
    }
    plain = sorted({name.removeprefix(INVERSE) for name in scalars} - sizes)
    values: dict[str, Expression] = {
        name: constant(Fraction(2 * k + 3, k + 2)) for k, name in enumerate(plain)
    }
    for name, letter in expr.letters().items():
        if letter.random and name not in averaged:
            values[name] = letter_expression(replace(letter, random=False, covariance=None, law=None))
    return expr.replace(values)


def _sizes(
    exprs: tuple[Expression, ...], averaged: Mapping[str, Letter], rows: int, columns: int
) -> dict[str, int]:
    """Sizes for all dimensions: the columns of what is averaged over alike, all others unlike."""
    wide = {letter.columns for letter in averaged.values()}
    names = {side for expr in exprs for x in expr.letters().values() for side in (x.rows, x.columns)}
    names |= {side for letter in averaged.values() for side in (letter.rows, letter.columns)}
    names |= {side for expr in exprs for side in expr.shape or ()}
    names -= {ONE}
    tall = sorted(names - wide, key=lambda name: (name not in {x.rows for x in averaged.values()}, name))
    return dict.fromkeys(wide & names, columns) | {name: rows + k for k, name in enumerate(tall)}
