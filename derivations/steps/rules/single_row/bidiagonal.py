"""The move that writes words of a Gaussian matrix, seen from one row, in independent chi-square variables.

From one row, U is a column and V has q of them, both Gaussian. Turned from the left U shows its length a_1 alone, turned from the
right the first row of V its length b_1 alone, turned from the left what is left of that column its length a_2, and so on
(Golub and Kahan): V is bidiagonal with b_k on its diagonal and a_(k+1) below it. What is turned is independent of what is left,
so that s_k = a_k^2 and t_k = b_k^2 are independent chi-square variables with n_t - k + 1 and q - k + 1 degrees of freedom.

Its second routes: the words at exact bidiagonal matrices; and the joint means of words by parts, in X_t itself, against
those of chi-square variables by gamma integrals.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement, groupby

from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.domains import Where, text
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from derivations.steps.rules.single_row.chi_squares import average_chi_squares, mean_by_gamma
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    polynomial,
    scalar,
    tr,
    zero,
)
from symbolic.averages.expectation import expect

Word = tuple[tuple[str, bool], ...]
TRIALS = 4
# the number of factors W in the words whose joint means are compared, and the sizes n_t, p at which they are
MOST_FACTORS = 4
COMPARED = ((5, 7), (8, 6), (6, 11))


def chi_squares(blocks: int) -> tuple[list[str], list[str]]:
    """The names of s_k and t_k."""
    return [f"s_{k}" for k in range(1, blocks + 1)], [f"t_{k}" for k in range(1, blocks + 1)]


def freedoms(blocks: int, points: Expression, size: Expression) -> dict[str, Expression]:
    """The degrees of freedom of each variable: n_t - k + 1 and, across one row of p, p - k."""
    first, second = chi_squares(blocks)
    found = {name: points - constant(k) for k, name in enumerate(first)}
    return found | {name: size - constant(k + 1) for k, name in enumerate(second)}


@carries_out
def bidiagonal(chain: Chain, along: str, across: str, blocks: int, *reads: str) -> Chain:
    """Traces of words in U and V with one row of validation data, as polynomials in the chi-square variables.

    blocks: how many rows of the bidiagonal form are written. Raises DoesNotApply for other words, and for those that reach further.
    """
    before = chain.result
    after = zero()
    for term, coefficient in before.terms.items():
        product = polynomial(coefficient)
        for word in term.traces:
            product = product * _in_variables(
                tuple((f.name, f.transposed) for f in word), along, across, blocks
            )
        after = after + product
    if "n_v" in after.scalars():
        after = after.replace({"n_v": constant(1)})

    def second_route() -> SecondRoute:
        return "exact bidiagonal matrices, and joint means by parts", not_bidiagonal(
            before, after, along, across, blocks
        )

    return chain.made(Move(Rule.BIDIAGONAL, before, after, reads, (along, across), {}, second_route))


def average_over_row(chain: Chain, blocks: int, size: Expression, divided: str = "") -> Chain:
    """The mean of the present scalar over the chi-square variables of so many blocks, with rows of this size.

    divided: as for `average_chi_squares`.
    """
    found = freedoms(blocks, scalar("n_t"), size)
    return average_chi_squares(chain, found, divided, where=Where({"p": text(size)}))


def _in_variables(word: Word, along: str, across: str, blocks: int) -> Expression:
    start = next((k for k, factor in enumerate(word) if factor == (along, True)), None)
    if start is None:
        raise DoesNotApply(f"{Rule.BIDIAGONAL}: {word} holds no {along}^T")
    turned = word[start:] + word[:start]
    pairs = tuple(zip(turned[1:-1:2], turned[2:-1:2], strict=False))
    known = {((along, False), (along, True)): False, ((across, False), (across, True)): True}
    if len(turned) % 2 or turned[-1] != (along, False) or any(pair not in known for pair in pairs):
        raise DoesNotApply(
            f"{Rule.BIDIAGONAL}: {word} is no product of {along}{along}^T and {across}{across}^T"
        )
    ways = tuple(known[pair] for pair in pairs)
    if 1 + max((len(tuple(run)) for across_it, run in groupby(ways) if across_it), default=0) // 2 > blocks:
        raise DoesNotApply(f"{Rule.BIDIAGONAL}: {word} reaches beyond {blocks} rows")
    return scalar("s_1") * _krylov(ways, blocks)[0]


@lru_cache(maxsize=4096)
def _krylov(across: tuple[bool, ...], blocks: int) -> tuple[Expression, ...]:
    """U over its length, multiplied by V V^T or U U^T in turn; row k in units of the product of b_i a_(i+1), i < k.

    What would reach beyond the rows that are written is left out.
    """
    if not across:
        return (constant(1), *([zero()] * (blocks - 1)))
    inside = _krylov(across[1:], blocks)
    s, t = ([scalar(name) for name in names] for names in chi_squares(blocks))
    if not across[0]:
        return (s[0] * inside[0], *([zero()] * (blocks - 1)))
    found = []
    for k in range(blocks):
        value = (t[k] + s[k] if k else t[k]) * inside[k]
        if k:
            value = value + inside[k - 1]
        if k + 1 < blocks:
            value = value + t[k] * s[k + 1] * inside[k + 1]
        found.append(value)
    return tuple(found)


def components(steps: int, rate: Expression) -> list[tuple[Expression, Expression]]:
    """(I - rate W)^steps x in the basis that W leads to from a unit row x: its components, each a polynomial c_j times the root of a
    product pi_j of variables, as c_j and pi_j.
    """
    s, t = ([scalar(name) for name in names] for names in chi_squares(steps))
    found = [constant(1), *([zero()] * steps)]
    for _ in range(steps):
        image = []
        for k in range(steps + 1):
            value = (s[k] if k < steps else zero()) * found[k] + (
                t[k - 1] * found[k] + found[k - 1] if k else zero()
            )
            image.append(value + s[k] * t[k] * found[k + 1] if k < steps else value)
        found = [one - rate * other for one, other in zip(found, image, strict=True)]
    products = [constant(1)]
    for first, second in zip(s, t, strict=True):
        products.append(products[-1] * first * second)
    return list(zip(found, products, strict=True))


# -- the second routes ---------------------------------------------------------------------------------------


def not_bidiagonal(before: Expression, after: Expression, along: str, across: str, blocks: int) -> str:
    """Why a scalar in chi-square variables has not the law of words in Gaussian matrices; nothing if it has."""
    source = random.Random(SEED)
    first, second = chi_squares(blocks)
    free = sorted((before.scalars() | after.scalars()) - {*first, *second, "n_v"})
    for _ in range(TRIALS):
        # two rows and columns more than are written: what is there must not be seen
        rows = blocks + 2
        a, b = ([Fraction(source.randint(1, 9), source.randint(1, 4)) for _ in range(rows)] for _ in "ab")
        u, v = fmpq_mat(rows, 1), fmpq_mat(rows, rows)
        u[0, 0] = _exact(a[0])
        for k in range(rows):
            v[k, k] = _exact(b[k])
            if k:
                v[k, k - 1] = _exact(a[k])
        place = {
            name.removeprefix("1/"): Fraction(source.randint(1, 9), source.randint(1, 9)) for name in free
        }
        left = evaluate(before, {**place, along: u, across: v, "n_v": 1, "q": rows, "n_t": rows})
        given = {**place, "n_t": rows, "n_v": 1}
        squares = dict(zip(first, (x**2 for x in a), strict=False)) | dict(
            zip(second, (x**2 for x in b), strict=False)
        )
        if Fraction(str(left)) != Fraction(evaluate(after, {**given, **squares})):
            return "the two sides differ at an exact bidiagonal matrix"
    return other_joint_mean()


def _exact(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)


@lru_cache(maxsize=1)
def other_joint_mean() -> str:
    """Which joint mean of words x (X^T X)^k x^T / x x^T is another in chi-square variables; nothing where none is."""
    for powers in _compared():
        words = [_power(k) for k in powers]
        product = constant(1)
        for word in words:
            product = product * word
        by_parts = _mean_by_parts(powers)
        for points, size in COMPARED:
            place = {"n_t": constant(points), "p": constant(size)}
            stated = Fraction(evaluate(by_parts, {"n_t": points, "p": size, "n_v": 1}))
            degrees = {
                name: int(
                    Fraction(
                        evaluate(value.replace({k: x for k, x in place.items() if k in value.scalars()}), {})
                    )
                )
                for name, value in freedoms(MOST_FACTORS, scalar("n_t"), scalar("p")).items()
            }
            if stated != mean_by_gamma(product, degrees, {}):
                return f"the joint mean of powers {powers} of W is another"
    return ""


def _compared() -> list[Sequence[int]]:
    return [
        powers
        for count in range(1, MOST_FACTORS + 1)
        for powers in combinations_with_replacement(range(1, MOST_FACTORS + 1), count)
        if sum(powers) <= MOST_FACTORS
    ]


def _power(k: int) -> Expression:
    """x (X^T X)^k x^T / x x^T = U^T (U U^T + V V^T)^(k - 1) U in the variables."""
    total: Mapping[tuple[bool, ...], Expression] = {(): constant(1)}
    for _ in range(k - 1):
        total = {(one, *word): part for word, part in total.items() for one in (False, True)}
    found = zero()
    for word in total:
        found = found + scalar("s_1") * _krylov(word, MOST_FACTORS)[0]
    return found


def _mean_by_parts(powers: Sequence[int]) -> Expression:
    x, q = gaussian("X_t", "n_t", "p"), matrix("Q", "n_v", "p")
    product = constant(1)
    for k in powers:
        product = product * tr(q @ (x.T @ x) ** k @ q.T)
    return expect(product).rewrite({(("Q", False), ("Q", True)): identity("n_v")})
