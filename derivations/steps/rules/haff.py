"""Integration by parts in words of a Wishart matrix W = X^T X and its inverse: Haff's identity.

For n Gaussian rows of covariance Sigma and any product R of such words, E[Sigma^-1 W R] = n E R + E[D R], where D R puts the
rows that come from the derivative of every W and of every W^-1 in R in the place of those differentiated. With R = W R' it
takes a factor W away. With R = W^-1 R' the left side is Sigma^-1 R', of one inverse fewer: for all products that D makes of
one another, which are the ways to join and turn the pieces between the inverses, these are linear equations for their means,
which are solved exactly. Fixed letters may stand anywhere. For complex rows, H = X^* X, a row is paired with one of X^* alone: of
the two ways to put rows in, the one that turns no word remains.

The second route is the Bartlett decomposition (`derivations.steps.rules.wishart_words.bartlett`).
"""

from __future__ import annotations

from functools import lru_cache, reduce
from math import prod
from operator import add, mul

from flint import fmpz_mat, fmpz_poly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.move import SecondRoute
from derivations.steps.rules.wishart_words.bartlett import not_the_mean
from derivations.steps.rules.wishart_words.letters_by_name import (
    HERMITIAN,
    HERMITIAN_INVERSE,
    INVERSE,
    INVERSES,
    LETTERS,
    OF_COMPLEX,
    ROWS,
    SIGMA,
    SIGMA_INVERSE,
    WISHART,
    WISHARTS,
    Product,
    Word,
    count,
    cyclic,
    expression_of,
    is_complex,
    place_of,
    plain,
    products,
    turned_word,
    word_of,
    zero_like,
)
from symbolic.algebra.coefficients import INVERSE as OVER
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, reciprocal, scalar, tr, zero

Q = fmpz_poly([0, 1])
# closed words that all hold an inverse, and an open word that begins with one
Opened = tuple[tuple[Word, ...], Word]
# inverses in one product
MOST = 6
WITH_ROWS = {WISHART: ROWS.T @ ROWS}
INVERTED = {INVERSE: LETTERS[WISHART], SIGMA_INVERSE: LETTERS[SIGMA]}
RANDOM = {**dict(zip(WISHARTS, WISHARTS, strict=True)), **dict(zip(INVERSES, WISHARTS, strict=True))}
# the divisors of the solved equations, by the inverse they are for
DIVISORS = {INVERSE: "c", HERMITIAN_INVERSE: "h"}


@carries_out
def by_parts(chain: Chain, *reads: str) -> Chain:
    """Average one factor W of each term away that begins with one. Raises DoesNotApply where no term does."""
    before = chain.result
    after, found = zero_like(before), False
    for product, coefficient in products(before):
        step = _without_wishart(product)
        found = found or step is not None
        after = after + coefficient * (expression_of(product) if step is None else step)
    if not found:
        raise DoesNotApply(f"{Rule.HAFF}: no term of {before} begins with {WISHART} or {HERMITIAN}")
    return _made(chain, before, after, reads)


@carries_out
def one_inverse_fewer(chain: Chain, *reads: str) -> Chain:
    """Average one inverse of W of each term that has the most away, by the solved equations.

    Raises DoesNotApply where a term has no inverse, or W beside one.
    """
    before = chain.result
    after = zero_like(before)
    most = max(count(product, INVERSES) for product, _ in products(before))
    inverse = HERMITIAN_INVERSE if is_complex(before) else INVERSE
    if not most:
        raise DoesNotApply(f"{Rule.HAFF}: there is no {inverse} in {before}")
    if most > MOST:
        raise DoesNotApply(f"{Rule.HAFF}: {most} inverses in one product are more than {MOST}")
    for product, coefficient in products(before):
        if count(product, INVERSES) < most:
            after = after + coefficient * expression_of(product)
            continue
        if count(product, WISHARTS):
            raise DoesNotApply(f"{Rule.HAFF}: average over the factors that are no inverses first")
        after = after + coefficient * reciprocal(_divisor(most, inverse)) * _without_inverse(product, most)
    return _made(chain, before, after, reads)


def _made(chain: Chain, before: Expression, after: Expression, reads: tuple[str, ...]) -> Chain:
    after = reduce(
        add, (number * expression_of(product) for product, number in products(after)), zero_like(before)
    )
    values = divisors(before, after)

    def second_route() -> SecondRoute:
        return "Bartlett's decomposition at p = 1, 2, 3", not_the_mean(before, after, values)

    if is_complex(before):
        inverted = {HERMITIAN_INVERSE: LETTERS[HERMITIAN], SIGMA_INVERSE: LETTERS[SIGMA]}
        return chain.made(
            Move(Rule.HERMITIAN, before, after, reads, (HERMITIAN,), values, second_route, inverses=inverted)
        )
    return chain.made(
        Move(
            Rule.HAFF, before, after, reads, ("X",), {**WITH_ROWS, **values}, second_route, inverses=INVERTED
        )
    )


def divisors(*exprs: Expression) -> dict[str, Expression]:
    """What the divisors in expressions stand for, and q."""
    names = {name.removeprefix(OVER) for expr in exprs for name in expr.scalars()}
    found = {
        _divisor(k, inverse): _in_q(prod((Q - root for root in roots(k, inverse)), start=fmpz_poly([1])))
        for inverse in INVERSES
        for k in range(1, MOST + 1)
        if _divisor(k, inverse) in names
    }
    return {**found, "q": scalar("n") - scalar("p")} if found else {}


# -- the identity --------------------------------------------------------------------------------------------


def differentiated(closed: tuple[Word, ...], word: Word) -> Expression:
    """D R for R = closed words times an open one: what every factor W and W^-1 in it gives."""
    total = zero("p", "p")
    rest = reduce(mul, (tr(word_of(cyclic(one))) for one in closed), constant(1))
    for k, name in enumerate(word):
        if name in RANDOM:
            left, right, sign = _around(name, word[:k], word[k + 1 :])
            joined = tr(word_of(cyclic((*left, RANDOM[name])))) * word_of(plain(right))
            total = total + sign * rest * joined
            if name not in OF_COMPLEX:
                total = total + sign * rest * word_of(plain((*turned_word(left), WISHART, *right)))
    for index, one in enumerate(closed):
        others = reduce(
            mul, (tr(word_of(cyclic(x))) for k, x in enumerate(closed) if k != index), constant(1)
        )
        for k, name in enumerate(one):
            if name in RANDOM:
                # turned to begin after the factor
                left, right, sign = _around(name, (), (*one[k + 1 :], *one[:k]))
                inner = (*right, *left)
                both = word_of(plain((*inner, RANDOM[name], *word)))
                if name not in OF_COMPLEX:
                    both = both + word_of(plain((*turned_word(inner), WISHART, *word)))
                total = total + sign * others * both
    return total


def _around(name: str, left: Word, right: Word) -> tuple[Word, Word, int]:
    """What stands around the differential of W, which for W^-1 is -W^-1 dW W^-1."""
    if name in WISHARTS:
        return left, right, 1
    return (*left, name), (name, *right), -1


def _without_wishart(product: Product) -> Expression | None:
    """The mean of a product over a factor W that its open word, or one of the closed ones, begins with."""
    closed, word = product
    place = place_of(word, WISHARTS)
    if word is not None and place is not None:
        fixed, rest = word[:place], word[place + 1 :]
        if place_of(fixed, INVERSES) is None:
            return word_of(fixed) @ LETTERS[SIGMA] @ _by_parts(closed, rest)
        return None
    if place_of(word, INVERSES) is not None:
        return None
    for k, one in enumerate(closed):
        place = place_of(one, WISHARTS)
        if place is not None:
            others = (*closed[:k], *closed[k + 1 :])
            inside = tr(LETTERS[SIGMA] @ _by_parts(others, (*one[place + 1 :], *one[:place])))
            return inside if word is None else inside * word_of(word)
    return None


def _by_parts(closed: tuple[Word, ...], word: Word) -> Expression:
    whole = expression_of((closed, word))
    return scalar("n") * whole + differentiated(closed, word)


# -- the solved equations ------------------------------------------------------------------------------------


def _without_inverse(product: Product, degree: int) -> Expression:
    """The mean of a product without the inverse that its open word, or a closed one, begins with, times the divisor."""
    closed, word = product
    others: list[Word] = list(closed)
    left: Word = ()
    place = place_of(word, INVERSES)
    if word is not None and place is not None:
        left, opened = word[:place], word[place:]
    else:
        one = others.pop(next(k for k, one in enumerate(closed) if place_of(one, INVERSES) is not None))
        start = place_of(one, INVERSES) or 0
        opened = one[start:] + one[:start]
    fixed = [one for one in others if place_of(one, INVERSES) is None]
    before = reduce(mul, (tr(word_of(one)) for one in fixed), constant(1))
    total = zero("p", "p")
    opened_words = tuple(one for one in others if place_of(one, INVERSES) is not None)
    for (rest, inner), numerator in _solved(_as_opened((opened_words, opened)), degree).items():
        total = total + _in_q(numerator) * expression_of((rest, (SIGMA_INVERSE, *inner[1:])))
    if word is not None and place is not None:
        return before * (word_of(left) @ total)
    return before * tr(total) if word is None else before * tr(total) * word_of(word)


def _as_opened(opened: Opened) -> Opened:
    """The same with its closed words as expressions write them."""
    (((closed, word), _),) = products(expression_of(opened))
    if word is None or word[0] not in INVERSES:
        raise ArithmeticError(f"{word} does not begin with an inverse")
    return closed, word


@lru_cache(maxsize=256)
def _derived(opened: Opened) -> dict[Opened, int]:
    """n E(R) + E(D R) - (n - p) E(R) for a product R, by products."""
    closed, word = opened
    found = dict.fromkeys([opened], 0)
    expected = differentiated(closed, word) + scalar("p") * expression_of(opened)
    for (traces, inner), coefficient in products(expected):
        if coefficient.scalars():
            raise ArithmeticError("the equations depend on more than n - p")
        key = _as_opened((traces, inner or ()))
        found[key] = found.get(key, 0) + int(evaluate(coefficient, {}))
    return found


def _solved(start: Opened, degree: int) -> dict[Opened, fmpz_poly]:
    """The mean of a product, times the divisor, by the products V R of which Sigma^-1 R is to be taken.

    In q = n - p the equations are q x + N x = b. For a polynomial (q - r_1)...(q - r_k) that sends -N to 0,
    (q + N)^-1 v = sum_t v_t / ((q - r_1)...(q - r_t)), v_1 = v, v_(t+1) = -(N + r_t) v_t; that it ends is checked.
    """
    current: dict[Opened, int] = {start: 1}
    total: dict[Opened, fmpz_poly] = {}
    for root in roots(degree, start[1][0]):
        total = {key: value * (Q - root) for key, value in total.items()}
        following: dict[Opened, int] = {}
        for key, number in current.items():
            total[key] = total.get(key, fmpz_poly([0])) + number
            following[key] = following.get(key, 0) - root * number
            for other, times in _derived(key).items():
                following[other] = following.get(other, 0) - times * number
        current = {key: number for key, number in following.items() if number}
    if current:
        raise ArithmeticError("the equations have other divisors than those of the powers")
    return {key: value for key, value in total.items() if value}


@lru_cache(maxsize=8)
def roots(degree: int, inverse: str = INVERSE) -> tuple[int, ...]:
    """The numbers that q = n - p must not be: eigenvalues of -N for the products of powers of a degree."""
    known: list[Opened] = [_as_opened(((), (inverse,) * degree))]
    rows: list[dict[Opened, int]] = []
    for opened in known:  # which grows
        rows.append(_derived(opened))
        known += [key for key in rows[-1] if key not in known]
    table = fmpz_mat([[-row.get(key, 0) for key in known] for row in rows])
    _, factors = table.charpoly().factor()
    if any(factor.degree() != 1 for factor, _ in factors):
        raise ArithmeticError("the divisors are no products of q less a number")
    return tuple(sorted(-int(factor[0]) for factor, _ in factors))


def _divisor(degree: int, inverse: str) -> str:
    """How the divisor of the solved equations is written."""
    return f"{DIVISORS[inverse]}_{degree}"


def _in_q(value: fmpz_poly) -> Expression:
    """A polynomial in q = n - p."""
    q, found = scalar("q"), zero()
    for power, number in enumerate(value.coeffs()):
        found = found + constant(int(number)) * q**power
    return found
