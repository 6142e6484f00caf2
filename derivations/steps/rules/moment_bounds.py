"""The moves that bound means: by sums over indices, by mean squares, and by the probability of a rare event.

An average over independent entries of any symmetric law is bounded by every sum over indices that is left. Each connected part of such a sum is at most the dimension times the operator norms of its matrices
(`symbolic.averages.network_growth`). The second route takes the average by moments of single entries for several laws, and
every sum by its value at exact matrices of bounded norm: the identity, at which the bound is attained, among them.

The mean of a product of deviations is bounded by two of their mean squares, where one that stands beside more than one
other is bounded itself; the probability of a large deviation by its mean square. The second route takes finite laws with
rational mean squares, among them those at which these bounds are attained.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import islice, product
from operator import add, mul
from typing import Any

from flint import fmpq_mat, fmpq_mpoly

from derivations.steps.by_degree import contraction
from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import sum_of_terms
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED, entries, extremes
from derivations.steps.second_routes import EXAMPLES, differs_in_entries
from symbolic.algebra.coefficients import INVERSE, NUMBERS, named_terms, to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import Letter
from symbolic.algebra.matrices import exact_matrix, multiple
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import Expression, constant, reciprocal, scalar, zero
from symbolic.averages.network_growth import term_bounds
from symbolic.averages.network_polynomial import NetworkPolynomial
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.networks import ROOT_SUFFIX
from symbolic.averages.over_laws import average

# at these dimensions sums are taken at exact matrices, and so large is the norm of those that have a name for it
DIMENSIONS, EXTREMES, NORM = (2, 3), 5, 3


@carries_out
def bound_mean(chain: Chain, dimension: str, norms: Mapping[str, str], *reads: str) -> Chain:
    """Bound the mean of the present scalar by its sums over indices one by one, each by its connected parts.

    norms: names of the operator norms of letters; those of other letters are at most one. Sizes, rates and cumulants stand
    for their absolute values. Raises DoesNotApply for a matrix, or where the average is out of reach.
    """
    before = chain.result
    known = before.letters()
    over = tuple(name for name, one in known.items() if one.random)
    try:
        mean = average(before, {}, over)
        bounds = [*term_bounds(mean, dimension, norms)]
    except (Refused, ValueError) as error:
        raise DoesNotApply(f"{Rule.CONNECTED}: {error}") from None
    after = reduce(add, map(_positive, bounds), zero())

    def second_route() -> SecondRoute:
        said = f"entries of {', '.join(EXAMPLES)} laws, and sums at exact matrices"
        wrong = differs_in_entries(before, over, mean)
        return said, wrong or exceeds(mean, after, known, dimension, norms)

    return chain.made(Move(Rule.CONNECTED, before, after, reads, over, {}, second_route))


def _positive(bound: Expression) -> Expression:
    """A scalar with the absolute value of each number in it."""
    return _absolute(bound.coefficient())


def _absolute(coefficient: fmpq_mpoly) -> Expression:
    return sum_of_terms({tuple(powers.items()): abs(number) for powers, number in named_terms(coefficient)})


def exceeds(
    mean: NetworkPolynomial,
    after: Expression,
    letters: Mapping[str, Letter],
    dimension: str,
    norms: Mapping[str, str],
) -> str:
    """Which sum is larger than its bound at exact matrices, or that all together are larger than `after`; nothing if none.

    letters: of which the average is taken.
    """
    source = random.Random(SEED)
    numbers = {name.removeprefix(INVERSE) for name in after.scalars()} - {dimension, *norms.values()}
    for size in DIMENSIONS:
        place: dict[str, Any] = {name: Fraction(source.randint(1, 9)) for name in sorted(numbers)}
        place |= {dimension: size, **dict.fromkeys(norms.values(), NORM)}
        drawn = [contraction(half) for half in islice(extremes(source, size), EXTREMES)]
        for half, other in zip((*drawn, drawn[0]), (drawn[0], *drawn), strict=True):
            place |= _matrices(letters, half, other, norms)
            for term in mean.terms:
                one = NetworkPolynomial({term: NUMBERS.constant(1)}, None, mean.indices)
                (bound,) = term_bounds(one, dimension, norms)
                if abs(Fraction(evaluate_networks(one, place))) > Fraction(evaluate(bound, place)):
                    return f"a sum over indices is larger than its bound at matrices of size {size}"
            if abs(Fraction(evaluate_networks(mean, place))) > Fraction(evaluate(after, place)):
                return f"the mean is larger than its bound at matrices of size {size}"
    return ""


def _matrices(
    letters: Mapping[str, Letter], half: fmpq_mat, other: fmpq_mat, norms: Mapping[str, str]
) -> dict[str, Any]:
    """Covariances and their roots, and other letters that are not random, of norm at most one or the one they have a name
    for.
    """
    covariances = {letter.covariance for letter in letters.values()} - {None}
    found = {name: other for name, letter in letters.items() if not (letter.random or letter.unit)}
    for name in covariances:
        found |= {f"{name}": half * half, f"{name}{ROOT_SUFFIX}": half}
    return {name: entries(value * (NORM if name in norms else 1)) for name, value in found.items()}


# -- by mean squares -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deviation:
    """A random letter of mean zero: a symmetric matrix whose elements have standard deviations of at most `spread` `mean`.

    spread, mean: names of numbers. inverse: of the letter (mean I + letter)^-1, where the largest eigenvalue of this one is
    at most half the mean; "" where the letter is not bounded and stands once in a product.
    """

    letter: str
    spread: str
    mean: str
    inverse: str = ""

    @property
    def bound(self) -> Expression:
        """Of the standard deviation of an element."""
        return scalar(self.spread) * scalar(self.mean)


@carries_out
def by_pairs(chain: Chain, deviations: Sequence[Deviation], *reads: str) -> Chain:
    """Bound the mean of the present scalar, traces of products of deviations, over the event that one is bounded.

    The first of `deviations` is the bounded one. Of each product two are bounded by Cauchy-Schwarz: the others first, which
    stand once in a product. Raises DoesNotApply for a product of fewer, or of other letters.
    """
    before = chain.result
    bounded, *plain = deviations
    after = zero()
    for term, coefficient in before.terms.items():
        names = Counter(factor.name for word in (*term.traces, term.word or ()) for factor in word)
        pair = [one for one in plain if names[one.letter]]
        pair += [bounded] * (2 - len(pair))
        rest = names[bounded.letter] - pair.count(bounded)
        known = {one.letter for one in deviations} | {bounded.inverse}
        if rest < 0 or len(pair) > 2 or any(names[one.letter] > 1 for one in plain) or names.keys() - known:
            raise DoesNotApply(f"{Rule.BOUND}: {term} is no product of two deviations and bounded ones")
        indices = scalar(ROWS) ** sum(names.values())
        found = _absolute(coefficient) * indices * reduce(mul, (one.bound for one in pair))
        found = found * (constant(Fraction(1, 2)) * scalar(bounded.mean)) ** rest
        after = after + found * (2 * reciprocal(bounded.mean)) ** names[bounded.inverse]

    def second_route() -> SecondRoute:
        return "laws of four matrices", exceeds_at_finite_laws(before, after, deviations)

    return chain.made(Move(Rule.BOUND, before, after, reads, (), {}, second_route))


# rows of the matrices, and how many of the four equally likely matrices are not zero
ROWS, SIDES, NOT_ZERO = "N", (1, 2), (4, 1)


def exceeds_at_finite_laws(before: Expression, after: Expression, deviations: Sequence[Deviation]) -> str:
    """Where the mean of a scalar is larger than its bound, at laws of four equally likely matrices; nothing if nowhere.

    All elements have one standard deviation, which is rational: all four are of one size, or only one is not zero.
    """
    source = random.Random(SEED)
    bounded = deviations[0]
    numbers = {one.mean for one in deviations}
    numbers |= {name.removeprefix(INVERSE) for one in (before, after) for name in one.scalars()}
    for side in SIDES:
        for kept in product(NOT_ZERO, repeat=len(deviations)):
            place: dict[str, Any] = {name: Fraction(source.randint(1, 9)) for name in sorted(numbers)}
            place[ROWS] = side
            sizes = [Fraction(1, source.randint(2, 4) * side) for _ in deviations]
            for one, size, count in zip(deviations, sizes, kept, strict=True):
                place[one.spread] = size * (1 if count == 4 else Fraction(1, 2))
            total = Fraction(0)
            for k in range(4):
                for one, size, count in zip(deviations, sizes, kept, strict=True):
                    place[one.letter] = _signs(source, side) * to_fmpq(size * place[one.mean] * (k < count))
                whole = multiple(side, place[bounded.mean])
                place[bounded.inverse] = (whole + place[bounded.letter]).inv()
                total += abs(Fraction(evaluate(before, place)))
            if total / 4 > Fraction(evaluate(after, place)):
                return f"at a law of four matrices of size {side} the mean is larger than its bound"
    return ""


def _signs(source: random.Random, side: int) -> fmpq_mat:
    """A symmetric matrix of signs."""
    drawn = [[source.choice((1, -1)) for _ in range(side)] for _ in range(side)]
    return exact_matrix([[drawn[max(i, j)][min(i, j)] for j in range(side)] for i in range(side)])


@carries_out
def on_event(chain: Chain, deviations: Sequence[Deviation], root: str, *reads: str) -> Chain:
    """Bound the mean of the present scalar, traces of single deviations, over an event: by Cauchy-Schwarz.

    root: the name of the root of the probability of the event. Raises DoesNotApply for a term that is no trace of one.
    """
    before, after = chain.result, zero()
    known = {one.letter: one for one in deviations}
    for term, coefficient in before.terms.items():
        names = [factor.name for word in term.traces for factor in word]
        if term.word is not None or len(names) != 1 or names[0] not in known:
            raise DoesNotApply(f"{Rule.BOUND}: {term} is no trace of a single deviation")
        after = after + _absolute(coefficient) * scalar(ROWS) * known[names[0]].bound * scalar(root)

    def second_route() -> SecondRoute:
        return "laws of four matrices", exceeds_on_event(before, after, deviations, root)

    return chain.made(Move(Rule.BOUND, before, after, reads, (), {}, second_route))


def exceeds_on_event(
    before: Expression, after: Expression, deviations: Sequence[Deviation], root: str
) -> str:
    """Where the mean of a scalar over an event is larger than its bound; nothing if nowhere.

    At laws of four equally likely multiples of the identity, all or one of them not zero, and the event of one or all.
    """
    source = random.Random(SEED)
    numbers = {one.mean for one in deviations}
    numbers |= {name.removeprefix(INVERSE) for one in (before, after) for name in one.scalars()}
    for side, count, event in product(SIDES, NOT_ZERO, NOT_ZERO):
        place: dict[str, Any] = {name: Fraction(source.randint(1, 9)) for name in sorted(numbers)}
        place |= {ROWS: side, root: 1 if event == 4 else Fraction(1, 2)}
        sizes = {one.letter: Fraction(source.randint(1, 9)) for one in deviations}
        place |= {
            one.spread: sizes[one.letter] / place[one.mean] * (1 if count == 4 else Fraction(1, 2))
            for one in deviations
        }
        for alone in deviations:
            drawn = {one.letter: multiple(side, (one is alone) * sizes[one.letter]) for one in deviations}
            mean = abs(Fraction(evaluate(before, {**place, **drawn}))) * Fraction(min(count, event), 4)
            if mean > Fraction(evaluate(after, place)):
                return f"at a law of four matrices of size {side} the mean over an event is larger than its bound"
    return ""


@carries_out
def chebyshev(chain: Chain, root: str, spread: str, *reads: str) -> Chain:
    """Bound the root of the probability that a symmetric matrix has an eigenvalue of at least one half.

    root: the name of the root of that probability. spread: of the largest standard deviation of its elements. The
    eigenvalue is at most the root of the sum of squares of all elements. Raises DoesNotApply where the root does not occur.
    """
    before = chain.result
    if root not in before.scalars():
        raise DoesNotApply(f"{Rule.CHEBYSHEV}: {root} does not occur")
    after = _positive(before.replace({root: 2 * scalar(ROWS) * scalar(spread)}))

    def second_route() -> SecondRoute:
        return "laws of four matrices", exceeds_probability(before, after, root, spread)

    return chain.made(Move(Rule.CHEBYSHEV, before, after, reads, (root,), {}, second_route))


def exceeds_probability(before: Expression, after: Expression, root: str, spread: str) -> str:
    """Where the root of a probability is larger than its bound, at laws of four equally likely matrices; nothing if nowhere.

    One or all of the four are a multiple of the identity, or have all elements equal.
    """
    source = random.Random(SEED)
    numbers = {name.removeprefix(INVERSE) for one in (before, after) for name in one.scalars()}
    for side, count, element in product(
        SIDES, NOT_ZERO, (Fraction(1, 2), Fraction(1, 4), Fraction(1, 5), Fraction(3))
    ):
        for eigenvalue in {element, element * side}:
            place: dict[str, Any] = {name: Fraction(source.randint(1, 9)) for name in sorted(numbers)}
            # of the four matrices so many have that element, of a standard deviation of its root of their share
            place |= {ROWS: side, spread: element * (1 if count == 4 else Fraction(1, 2))}
            place[root] = (Fraction(1) if count == 4 else Fraction(1, 2)) * (eigenvalue >= Fraction(1, 2))
            if Fraction(evaluate(before, place)) > Fraction(evaluate(after, place)):
                return f"a law of four matrices of size {side} has a large eigenvalue more often"
    return ""
