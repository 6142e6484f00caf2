"""The moves for mixtures of Gaussian rows: averages over signs and their counts, eigenvalues put in, limits in probability."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from math import comb, prod
from operator import mul
from typing import Any

from sympy.functions.combinatorial.numbers import stirling

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers, degree_of_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.derivatives import FAR, LEAST_APPROACH
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.matrices import diagonal
from symbolic.algebra.words import Expression, constant, polynomial, scalar, zero

SIGNS = (1, -1)
# rows among which signs are counted one by one, and dimensions over the number of eigenvalues, in the second routes
COUNTED, MULTIPLES = (1, 2, 3, 6), (1, 2, 3)


@carries_out
def average_signs(chain: Chain, *signs: str) -> Chain:
    """Average over independent random signs, numbers in the present expression. Raises DoesNotApply where one does not occur."""
    before = chain.result
    _require(before, signs)
    after = zero(*before.shape) if before.shape else zero()
    for powers, part in by_powers(before, signs).items():
        if not any(power % 2 for power in powers):
            after = after + part

    def second_route() -> SecondRoute:
        total = zero(*before.shape) if before.shape else zero()
        for values in product(SIGNS, repeat=len(signs)):
            total = total + before.replace(dict(zip(signs, map(constant, values), strict=True)))
        same = constant(Fraction(1, 2 ** len(signs))) * total == after
        return "every choice of signs", "" if same else "the mean over every choice of signs is another"

    return chain.made(Move(Rule.SIGNS, before, after, (), signs, {}, second_route))


@carries_out
def average_counts(chain: Chain, plus: str, minus: str, total: str) -> Chain:
    """Average over how many of `total` independent random signs are plus and minus: powers as falling factorials.

    Raises DoesNotApply where neither occurs, or matrices of so many rows are left.
    """
    before = chain.result
    if not {plus, minus} & before.scalars():
        raise DoesNotApply(f"{Rule.SIGNS}: neither {plus} nor {minus} occurs")
    if {plus, minus} & {
        side for letter in before.letters().values() for side in (letter.rows, letter.columns)
    }:
        raise DoesNotApply(f"{Rule.SIGNS}: average over the matrices of {plus} or {minus} rows first")
    after = zero(*before.shape) if before.shape else zero()
    for (a, b), part in by_powers(before, (plus, minus)).items():
        for i, j in product(range(a + 1), range(b + 1)):
            ways = Fraction(int(stirling(a, i) * stirling(b, j)), 2 ** (i + j))
            after = after + ways * part * reduce(mul, (scalar(total) - k for k in range(i + j)), constant(1))

    def second_route() -> SecondRoute:
        for rows in COUNTED:
            mean = zero(*before.shape) if before.shape else zero()
            for k in range(rows + 1):
                share = constant(Fraction(comb(rows, k), 2**rows))
                mean = mean + share * before.replace({plus: constant(k), minus: constant(rows - k)})
            if mean.replace({total: constant(rows)}) != after.replace({total: constant(rows)}):
                return "", f"counted one by one it is another among {rows}"
        return f"counted one by one among {', '.join(map(str, COUNTED))}", ""

    return chain.made(Move(Rule.SIGNS, before, after, (), (plus, minus), {}, second_route))


Spectra = Mapping[str, Sequence[Fraction]]


@carries_out
def put_eigenvalues(chain: Chain, spectra: Spectra, size: str, *reads: str) -> Chain:
    """Put in the eigenvalues of diagonal letters, each in equal numbers: traces in the present scalar become numbers.

    Raises DoesNotApply for a matrix, or where another letter is left.
    """
    before = chain.result
    odd = sorted(before.letters().keys() - spectra.keys())
    if before.shape or odd:
        raise DoesNotApply(f"{Rule.SPECTRUM}: {', '.join(odd) or 'a matrix'} has no eigenvalues here")
    after = zero()
    for term, coefficient in before.terms.items():
        after = after + polynomial(coefficient) * reduce(
            mul, (scalar(size) * _mean([spectra[x.name] for x in word]) for word in term.traces), constant(1)
        )

    def second_route() -> SecondRoute:
        return "diagonal matrices", differs_at_diagonals(before, after, spectra, size)

    present = {name: spectra[name] for name in before.letters()}
    return chain.made(
        Move(Rule.SPECTRUM, before, after, reads, tuple(present), {}, second_route, spectra=present)
    )


def _mean(values: Sequence[Sequence[Fraction]]) -> Fraction:
    """Of the products of numbers at the same places."""
    found = [prod(each, start=Fraction(1)) for each in zip(*values, strict=True)]
    return sum(found, Fraction(0)) / len(found)


def differs_at_diagonals(before: Expression, after: Expression, spectra: Spectra, size: str) -> str:
    """Why a scalar is not another with eigenvalues put in, at diagonal matrices of several sizes; nothing if it is."""
    source = random.Random(SEED)
    numbers = {name.removeprefix(INVERSE) for one in (before, after) for name in one.scalars()} - {size}
    for multiple in MULTIPLES:
        classes = len(next(iter(spectra.values())))
        places = [k % classes for k in range(classes * multiple)]
        source.shuffle(places)
        place: dict[str, Any] = {name: Fraction(source.randint(1, 9)) for name in sorted(numbers)}
        place[size] = len(places)
        for name in before.letters():
            here = [spectra[name][k] for k in places]
            place[name] = diagonal(here)
        if evaluate(before, place) != evaluate(after, place):
            return f"at diagonal matrices of size {len(places)} it is another"
    return ""


@dataclass(frozen=True)
class Tends:
    """Where a chain has found that a form tends to the limit of its mean: by the numbers of moves before.

    mean: of the move that takes the limit of its mean. spread: of the one that orders its variance.
    """

    mean: int
    spread: int


@carries_out
def put_limits(chain: Chain, forms: Mapping[str, Tends], variable: str, *reads: str) -> Chain:
    """Put the limits of forms in for their names: of forms whose variances vanish, so that they tend to the limits of their
    means in probability.

    Raises DoesNotApply where a name does not occur, a variance does not vanish, or a form is divided by of which the limit is
    no number.
    """
    before = chain.result
    _require(before, [*forms])
    values = {}
    for name, where in forms.items():
        mean, spread = chain.moves[where.mean], chain.moves[where.spread]
        if mean.rule is not Rule.LIMIT or spread.rule is not Rule.ORDER:
            raise DoesNotApply(
                f"{Rule.IN_PROBABILITY}: no limit of the mean and order of the variance of {name}"
            )
        found = degree_of_powers(spread.after)
        if found.slope:
            raise DoesNotApply(
                f"{Rule.IN_PROBABILITY}: whether {name} keeps a variance is not decided for every delta"
            )
        if found.constant >= 0:
            raise DoesNotApply(f"{Rule.IN_PROBABILITY}: {name} keeps a variance")
        values[name] = mean.after
    try:
        after = before.replace(values)
    except ValueError as error:
        raise DoesNotApply(f"{Rule.IN_PROBABILITY}: {error}") from None
    means = {name: chain.moves[where.mean].before for name, where in forms.items()}
    spreads = {name: chain.moves[where.spread].before for name, where in forms.items()}

    def second_route() -> SecondRoute:
        kept = [name for name, spread in spreads.items() if not _vanishes(spread, variable)]
        off = [name for name, mean in means.items() if not _vanishes(mean - values[name], variable)]
        said = f"the variance of {', '.join(kept)} does not vanish far out" if kept else ""
        return "values of the means and variances far out", said or (
            f"the mean of {', '.join(off)} does not come close to its limit far out" if off else ""
        )

    return chain.made(Move(Rule.IN_PROBABILITY, before, after, reads, (*forms,), values, second_route))


def _vanishes(spread: Expression, variable: str) -> bool:
    """Whether a scalar is far smaller at a far larger value of a variable."""
    source = random.Random(SEED)
    names = sorted({name.removeprefix(INVERSE) for name in spread.scalars()})
    place = {name: Fraction(source.randint(1, 9)) for name in names}
    near, far = (abs(Fraction(evaluate(spread, {**place, variable: value}))) for value in FAR)
    return far <= LEAST_APPROACH * near


def _require(expr: Expression, names: Sequence[str]) -> None:
    known = {name.removeprefix(INVERSE) for name in expr.scalars()}
    missing = [name for name in names if name not in known]
    if missing:
        raise DoesNotApply(f"{', '.join(missing)} does not occur; there are {', '.join(sorted(known))}")
