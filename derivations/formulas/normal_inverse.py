"""Formulas with H_t^-1 as functions of the training rate, at fixed covariances.

H_t is a polynomial in Sigma. Where Sigma is diagonal, with eigenvalues lambda_i, so is H_t, with elements h_i that
are polynomials in alpha_t; the trace of a word with one matrix that is not diagonal is then a sum of
w_i / h_i^g over the eigenvalues, and the whole formula is one quotient of polynomials in alpha_t.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from flint import fmpq, fmpq_mpoly, fmpq_poly

from derivations.formulas.eigenbasis import TRACE, Eigenbasis, Word, word_of
from derivations.formulas.exact import line
from derivations.formulas.parameters import InvalidParameter, Matrix
from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import NormalForm, normal_form
from derivations.paper.theorem2.expansion import general_chain
from derivations.paper.theorem2.general_covariance import INVERSE, NORMAL
from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.quotients import Rational

RATE = "alpha_t"
MOST_EIGENVALUES = 12
ONE = fmpq_poly([1])


def definition(assumptions: Assumptions) -> NormalForm:
    """H_t as a combination of powers of Sigma, as the step that states the loss finds it."""
    return normal_form(general_chain(assumptions).parts[NORMAL])


def needed(assumptions: Assumptions) -> set[str]:
    """The scalars on which H_t depends."""
    names = {name for value in definition(assumptions).terms.values() for name in value.names()}
    return {name for name in names if not name.startswith(TRACE)}


def traces_at(
    names: Iterable[str],
    given: Mapping[str, Matrix],
    numbers: Mapping[str, Fraction],
    assumptions: Assumptions,
) -> dict[str, Fraction]:
    """The traces of these names, words with H_t^-1 among them, at numbers that hold the rate.

    Raises InvalidParameter where H_t is singular.
    """
    basis = Eigenbasis(given)
    rate = to_fmpq(numbers[RATE])
    elements = [h(rate) for h in _elements(basis, numbers, assumptions)]
    if not all(elements):
        raise InvalidParameter("H_t is singular here: give a Sigma without eigenvalue 0, or another alpha_t")
    basis.diagonal[INVERSE] = [1 / h for h in elements]
    return {name: to_fraction(basis.trace(word_of(name))) for name in names}


def along_rate(
    formula: Rational, given: Mapping[str, Matrix], numbers: Mapping[str, Fraction], assumptions: Assumptions
) -> tuple[fmpq_poly, fmpq_poly]:
    """Numerator and denominator of the formula as polynomials in alpha_t, everything else at exact numbers.

    Raises InvalidParameter for more than `MOST_EIGENVALUES` distinct eigenvalues of Sigma.
    """
    basis = Eigenbasis(given)
    eigenvalues = basis.diagonal["Sigma"]
    distinct = dict(zip(eigenvalues, _elements(basis, numbers, assumptions), strict=True))
    if len(distinct) > MOST_EIGENVALUES:
        raise InvalidParameter(
            f"Sigma has {len(distinct)} distinct eigenvalues: a formula with H_t^-1 is followed along alpha_t for at "
            f"most {MOST_EIGENVALUES}; give alpha_t to evaluate it at one rate"
        )
    elements = list(distinct.values())
    traces = {name: word_of(name) for name in formula.names() if name.startswith(TRACE)}
    powers = {name: word.count(INVERSE) for name, word in traces.items()}
    most = max(powers.values())
    product = math.prod(elements, start=ONE)
    plain = {name: to_fmpq(q) for name, q in numbers.items()}
    plain |= {name: basis.trace(word) for name, word in traces.items() if not powers[name]}
    # each sum of w_i / h_i^g, over the common denominator of all
    sums = {
        name: _sum_over(_weights(basis, distinct, word), elements, powers[name])
        * product ** (most - powers[name])
        for name, word in traces.items()
        if powers[name]
    }
    top = fmpq_poly([0])
    for used, part in _by_sum(formula.numerator, set(sums)).items():
        top += line(part, RATE, plain) * (sums[used] if used else product**most)
    return top, line(formula.denominator, RATE, plain) * product**most


def _elements(
    basis: Eigenbasis, numbers: Mapping[str, Fraction], assumptions: Assumptions
) -> list[fmpq_poly]:
    """h_i for each eigenvalue, a polynomial in alpha_t."""
    plain = {name: to_fmpq(q) for name, q in numbers.items() if name != RATE}
    eigenvalues = basis.diagonal["Sigma"]
    total = [fmpq_poly([0])] * len(eigenvalues)
    for term, coefficient in definition(assumptions).terms.items():
        traces = {n: basis.trace(word_of(n)) for n in coefficient.names() if n.startswith(TRACE)}
        top, bottom = (
            line(c, RATE, plain | traces) for c in (coefficient.numerator, coefficient.denominator)
        )
        power = len(term.word or ())
        total = [h + top / bottom[0] * x**power for h, x in zip(total, eigenvalues, strict=True)]
    return total


def _weights(basis: Eigenbasis, distinct: Iterable[fmpq], word: Word) -> list[fmpq]:
    """w_i: the diagonal of the word without H_t^-1, summed over the places that share an eigenvalue."""
    factors = [basis.entries(name) for name in word if name != INVERSE]
    found = dict.fromkeys(distinct, fmpq(0))
    for place, eigenvalue in enumerate(basis.diagonal["Sigma"]):
        found[eigenvalue] += math.prod((entries[place] for entries in factors), start=fmpq(1))
    return list(found.values())


def _sum_over(weights: list[fmpq], elements: list[fmpq_poly], power: int) -> fmpq_poly:
    """The numerator of sum_i w_i / h_i^power over the product of all h_i^power."""
    total = fmpq_poly([0])
    for place, weight in enumerate(weights):
        others = (h**power for k, h in enumerate(elements) if k != place)
        total += weight * math.prod(others, start=ONE)
    return total


def _by_sum(numerator: fmpq_mpoly, sums: set[str]) -> dict[str | None, fmpq_mpoly]:
    """The numerator as a sum over the traces with H_t^-1, each with its coefficient; None: the rest.

    Raises ArithmeticError unless it is linear in them.
    """
    ring = numerator.context()
    places = {place: name for place, name in enumerate(map(str, ring.names())) if name in sums}
    found: dict[str | None, dict[tuple[int, ...], fmpq]] = {}
    for exponents, coefficient in numerator.terms():
        powers = list(map(int, exponents))
        used = [place for place in places if powers[place]]
        if sum(powers[place] for place in used) > 1:
            raise ArithmeticError("the formula is not linear in the traces with H_t^-1")
        for place in used:
            powers[place] = 0
        found.setdefault(places[used[0]] if used else None, {})[tuple(powers)] = coefficient
    return {name: ring.from_dict(terms) for name, terms in found.items()}
