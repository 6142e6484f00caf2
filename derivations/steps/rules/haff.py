"""Integration by parts in words of a Wishart matrix W = X^T X and its inverse: Haff's identity.

For n Gaussian rows of covariance Sigma and any product R of such words, E[Sigma^-1 W R] = n E R + E[D R], where D R puts the
rows that come from the derivative of every W and of every W^-1 in R in the place of those differentiated. With R = W R' it
takes a factor W away. With R = W^-1 R' the left side is Sigma^-1 R', of one inverse fewer: for all products that D makes of
one another, which are the ways to join and turn the pieces between the inverses, these are linear equations for their means,
which are solved exactly. Fixed letters may stand anywhere.

The second route is the Bartlett decomposition: W = T^T L L^T T with T^T T = Sigma and L lower triangular, the squares of
whose diagonal are chi-square with n, n - 1, ... degrees of freedom; means are sums over monomials in its elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from math import prod
from operator import add, matmul, mul

from flint import fmpz_mat, fmpz_poly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import in_order
from symbolic.algebra.coefficients import INVERSE as OVER
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    tr,
    zero,
)

Word = tuple[str, ...]
# closed words, and the open one; None in a scalar
Product = tuple[tuple[Word, ...], Word | None]

WISHART, INVERSE, SIGMA, SIGMA_INVERSE = "W", "W_inverse", "Sigma", "Sigma_inverse"
ROWS = gaussian("X", "n", "p", covariance=SIGMA)
# what is fixed: A need not be symmetric, D is
FIXED = ("A", "D")
LETTERS = {
    name: matrix(name, "p", "p", symmetric=name != "A")
    for name in (WISHART, INVERSE, SIGMA, SIGMA_INVERSE, *FIXED)
}
TURNED = "'"
# inverses in one product
MOST = 6
UNIT = frozenset({(WISHART, INVERSE), (INVERSE, WISHART), (SIGMA, SIGMA_INVERSE), (SIGMA_INVERSE, SIGMA)})
VALUES = {WISHART: ROWS.T @ ROWS}
INVERSES = {INVERSE: LETTERS[WISHART], SIGMA_INVERSE: LETTERS[SIGMA]}


@carries_out
def by_parts(chain: Chain, *reads: str) -> Chain:
    """Average one factor W of each term away that begins with one. Raises DoesNotApply where no term does."""
    before = chain.result
    after, found = _zero_like(before), False
    for product, coefficient in _products(before):
        step = _without_wishart(product)
        found = found or step is not None
        after = after + coefficient * (_expression(product) if step is None else step)
    if not found:
        raise DoesNotApply(f"{Rule.HAFF}: no term of {before} begins with {WISHART}")
    return _made(chain, before, after, reads)


@carries_out
def one_inverse_fewer(chain: Chain, *reads: str) -> Chain:
    """Average one inverse of W of each term that has the most away, by the solved equations.

    Raises DoesNotApply where a term has no inverse, or W beside one.
    """
    before = chain.result
    after = _zero_like(before)
    most = max(_count(product, INVERSE) for product, _ in _products(before))
    if not most:
        raise DoesNotApply(f"{Rule.HAFF}: there is no {INVERSE} in {before}")
    if most > MOST:
        raise DoesNotApply(f"{Rule.HAFF}: {most} inverses in one product are more than {MOST}")
    for product, coefficient in _products(before):
        if _count(product, INVERSE) < most:
            after = after + coefficient * _expression(product)
            continue
        if _count(product, WISHART):
            raise DoesNotApply(f"{Rule.HAFF}: average over the factors {WISHART} first")
        after = after + coefficient * reciprocal(_divisor(most)) * _without_inverse(product, most)
    return _made(chain, before, after, reads)


def _made(chain: Chain, before: Expression, after: Expression, reads: tuple[str, ...]) -> Chain:
    after = reduce(
        add, (number * _expression(product) for product, number in _products(after)), _zero_like(before)
    )
    values = divisors(before, after)

    def second_route() -> SecondRoute:
        return "Bartlett's decomposition at p = 1, 2, 3", not_the_mean(before, after, values)

    return chain.made(
        Move(Rule.HAFF, before, after, reads, ("X",), {**VALUES, **values}, second_route, inverses=INVERSES)
    )


def divisors(*exprs: Expression) -> dict[str, Expression]:
    """What the divisors in expressions stand for, and q."""
    names = {name.removeprefix(OVER) for expr in exprs for name in expr.scalars()}
    found = {
        _divisor(k): _in_q(prod((Q - root for root in roots(k)), start=fmpz_poly([1])))
        for k in range(1, MOST + 1)
        if _divisor(k) in names
    }
    return {**found, "q": scalar("n") - scalar("p")} if found else {}


# -- products ------------------------------------------------------------------------------------------------


def _zero_like(expr: Expression) -> Expression:
    return zero(*expr.shape) if expr.shape else zero()


def _products(expr: Expression) -> list[tuple[Product, Expression]]:
    """The terms, by names, with their coefficients."""
    odd = sorted(expr.letters().keys() - LETTERS.keys())
    if odd:
        raise DoesNotApply(
            f"{Rule.HAFF}: {', '.join(odd)} is no power of {WISHART}, and none of {', '.join(FIXED)}"
        )
    return [
        (
            (tuple(map(_names, term.traces)), None if term.word is None else _names(term.word)),
            polynomial(coefficient),
        )
        for term, coefficient in expr.terms.items()
    ]


def _names(factors: Iterable[tuple[str, bool]]) -> Word:
    return tuple(name + TURNED * transposed for name, transposed in factors)


def _word(names: Word) -> Expression:
    plain = ((LETTERS[name.removesuffix(TURNED)], name.endswith(TURNED)) for name in names)
    return reduce(matmul, (one.T if turned else one for one, turned in plain), identity("p"))


def _turned_word(word: Word) -> Word:
    """The transposed product."""
    return tuple(
        name.removesuffix(TURNED) if name.endswith(TURNED) else name + TURNED * (name == "A")
        for name in reversed(word)
    )


def _expression(product: Product) -> Expression:
    closed, word = product
    traces = reduce(mul, (tr(_word(_cyclic(one))) for one in closed), constant(1))
    return traces if word is None else traces * _word(_plain(word))


def _plain(word: Word) -> Word:
    """A word without neighbours that cancel."""
    found: list[str] = []
    for name in word:
        if found and (found[-1], name) in UNIT:
            found.pop()
        else:
            found.append(name)
    return tuple(found)


def _cyclic(word: Word) -> Word:
    word = _plain(word)
    while len(word) > 1 and (word[-1], word[0]) in UNIT:
        word = word[1:-1]
    return word


def _count(product: Product, name: str) -> int:
    closed, word = product
    return sum(one.count(name) for one in (*closed, word or ()))


# -- the identity --------------------------------------------------------------------------------------------


def differentiated(closed: tuple[Word, ...], word: Word) -> Expression:
    """D R for R = closed words times an open one: what every factor W and W^-1 in it gives."""
    total = zero("p", "p")
    rest = reduce(mul, (tr(_word(_cyclic(one))) for one in closed), constant(1))
    for k, name in enumerate(word):
        if name in (WISHART, INVERSE):
            left, right, sign = _around(name, word[:k], word[k + 1 :])
            turned = _word(_plain((*_turned_word(left), WISHART, *right)))
            total = total + sign * rest * (
                turned + tr(_word(_cyclic((*left, WISHART)))) * _word(_plain(right))
            )
    for index, one in enumerate(closed):
        others = reduce(mul, (tr(_word(_cyclic(x))) for k, x in enumerate(closed) if k != index), constant(1))
        for k, name in enumerate(one):
            if name in (WISHART, INVERSE):
                # turned to begin after the factor
                left, right, sign = _around(name, (), (*one[k + 1 :], *one[:k]))
                inner = (*right, *left)
                both = _word(_plain((*_turned_word(inner), WISHART, *word))) + _word(
                    _plain((*inner, WISHART, *word))
                )
                total = total + sign * others * both
    return total


def _around(name: str, left: Word, right: Word) -> tuple[Word, Word, int]:
    """What stands around the differential of W, which for W^-1 is -W^-1 dW W^-1."""
    if name == WISHART:
        return left, right, 1
    return (*left, INVERSE), (INVERSE, *right), -1


def _without_wishart(product: Product) -> Expression | None:
    """The mean of a product over a factor W that its open word, or one of the closed ones, begins with."""
    closed, word = product
    if word is not None and WISHART in word:
        place = word.index(WISHART)
        fixed, rest = word[:place], word[place + 1 :]
        if INVERSE not in fixed:
            return _word(fixed) @ LETTERS[SIGMA] @ _by_parts(closed, rest)
        return None
    if word is not None and INVERSE in word:
        return None
    for k, one in enumerate(closed):
        if WISHART in one:
            place = one.index(WISHART)
            others = (*closed[:k], *closed[k + 1 :])
            inside = tr(LETTERS[SIGMA] @ _by_parts(others, (*one[place + 1 :], *one[:place])))
            return inside if word is None else inside * _word(word)
    return None


def _by_parts(closed: tuple[Word, ...], word: Word) -> Expression:
    whole = _expression((closed, word))
    return scalar("n") * whole + differentiated(closed, word)


# -- the solved equations ------------------------------------------------------------------------------------

Q = fmpz_poly([0, 1])
# closed words that all hold an inverse, and an open word that begins with one
Opened = tuple[tuple[Word, ...], Word]


def _without_inverse(product: Product, degree: int) -> Expression:
    """The mean of a product without the inverse that its open word, or a closed one, begins with, times the divisor."""
    closed, word = product
    others: list[Word] = list(closed)
    left: Word = ()
    if word is not None and INVERSE in word:
        place = word.index(INVERSE)
        left, opened = word[:place], word[place:]
    else:
        one = others.pop(next(k for k, one in enumerate(closed) if INVERSE in one))
        place = one.index(INVERSE)
        opened = one[place:] + one[:place]
    plain = reduce(mul, (tr(_word(one)) for one in others if INVERSE not in one), constant(1))
    total = zero("p", "p")
    for (rest, inner), numerator in _solved(
        _as_opened((tuple(x for x in others if INVERSE in x), opened)), degree
    ).items():
        total = total + _in_q(numerator) * _expression((rest, (SIGMA_INVERSE, *inner[1:])))
    if word is not None and INVERSE in word:
        return plain * (_word(left) @ total)
    return plain * tr(total) if word is None else plain * tr(total) * _word(word)


def _as_opened(opened: Opened) -> Opened:
    """The same with its closed words as expressions write them."""
    (((closed, word), _),) = _products(_expression(opened))
    if word is None or word[0] != INVERSE:
        raise ArithmeticError(f"{word} does not begin with {INVERSE}")
    return closed, word


@lru_cache(maxsize=256)
def _derived(opened: Opened) -> dict[Opened, int]:
    """n E(R) + E(D R) - (n - p) E(R) for a product R, by products."""
    closed, word = opened
    found = dict.fromkeys([opened], 0)
    expected = differentiated(closed, word) + scalar("p") * _expression(opened)
    for (traces, inner), coefficient in _products(expected):
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
    for root in roots(degree):
        total = {key: value * (Q - root) for key, value in total.items()}
        following: dict[Opened, int] = {}
        for key, number in current.items():
            total[key] = total.get(key, fmpz_poly([0])) + number
            following[key] = following.get(key, 0) - root * number
            for other, count in _derived(key).items():
                following[other] = following.get(other, 0) - count * number
        current = {key: number for key, number in following.items() if number}
    if current:
        raise ArithmeticError("the equations have other divisors than those of the powers")
    return {key: value for key, value in total.items() if value}


@lru_cache(maxsize=8)
def roots(degree: int) -> tuple[int, ...]:
    """The numbers that q = n - p must not be: eigenvalues of -N for the products of powers of a degree."""
    known: list[Opened] = [_as_opened(((), (INVERSE,) * degree))]
    rows: list[dict[Opened, int]] = []
    for opened in known:  # which grows
        rows.append(_derived(opened))
        known += [key for key in rows[-1] if key not in known]
    table = fmpz_mat([[-row.get(key, 0) for key in known] for row in rows])
    _, factors = table.charpoly().factor()
    if any(factor.degree() != 1 for factor, _ in factors):
        raise ArithmeticError("the divisors are no products of q less a number")
    return tuple(sorted(-int(factor[0]) for factor, _ in factors))


def _divisor(degree: int) -> str:
    """How the divisor of the solved equations is written."""
    return f"c_{degree}"


def _in_q(value: fmpz_poly) -> Expression:
    """A polynomial in q = n - p."""
    q, found = scalar("q"), zero()
    for power, number in enumerate(value.coeffs()):
        found = found + constant(int(number)) * q**power
    return found


# -- the second route ----------------------------------------------------------------------------------------

# a polynomial in the elements of a triangular matrix and the inverses of its diagonal: exponents, diagonal first
Laurent = dict[tuple[int, ...], Fraction]
Table = list[list[Laurent]]
SCALES = (Fraction(1), Fraction(3, 2), Fraction(2, 3))
SIZES = ((1, 12), (1, 15), (2, 12), (2, 15), (3, 14))


def not_the_mean(before: Expression, after: Expression, values: Mapping[str, Expression]) -> str:
    """Why two expressions have different means over a Wishart matrix, at small sizes; nothing if they have the same."""
    others = {name.removeprefix(OVER) for expr in (before, after) for name in expr.scalars()} - {*values}
    for p, n in SIZES:
        # rows of what is averaged already are any number
        numbers = {**dict.fromkeys(others, Fraction(3)), "n": Fraction(n), "p": Fraction(p)}
        for name, value in in_order(values, {}):
            numbers[name] = Fraction(evaluate(value, numbers))
        if _mean(before, numbers, p, n) != _mean(after, numbers, p, n):
            return f"the elements of a triangular root give another mean at n = {n}, p = {p}"
    return ""


def _mean(expr: Expression, numbers: Mapping[str, Fraction], p: int, n: int) -> list[list[Fraction]]:
    letters = _elements(p)
    side = p if expr.shape else 1
    total = [[Fraction(0)] * side for _ in range(side)]
    for (closed, word), coefficient in _products(expr):
        number = Fraction(evaluate(coefficient, numbers))
        factor: Laurent = {(0,) * (p * (p + 1) // 2): Fraction(1)}
        for one in closed:
            square = _table(one, letters, p)
            factor = _times(factor, _sum(square[i][i] for i in range(p)))
        found = (
            [[factor]]
            if word is None
            else [[_times(factor, x) for x in row] for row in _table(word, letters, p)]
        )
        for i in range(side):
            for j in range(side):
                total[i][j] += number * _average(found[i][j], p, n)
    return total


def _elements(p: int) -> dict[str, Table]:
    """W, its inverse, Sigma and its inverse in the elements of L, for a diagonal Sigma."""
    places = {(i, i): i for i in range(p)} | {
        (i, j): p + k for k, (i, j) in enumerate((i, j) for i in range(p) for j in range(i))
    }
    size = len(places)

    def element(i: int, j: int, power: int = 1) -> Laurent:
        exponents = [0] * size
        exponents[places[i, j]] = power
        return {tuple(exponents): Fraction(1)}

    lower: Table = [[element(i, j) if j <= i else {} for j in range(p)] for i in range(p)]
    inverse: Table = [[{} for _ in range(p)] for _ in range(p)]
    for j in range(p):  # forward substitution
        inverse[j][j] = element(j, j, -1)
        for i in range(j + 1, p):
            inside = _sum(_times(lower[i][k], inverse[k][j]) for k in range(j, i))
            inverse[i][j] = _scaled(_times(inside, element(i, i, -1)), Fraction(-1))
    root, root_inverse = (_diagonal([x**power for x in SCALES[:p]], size) for power in (1, -1))
    outer, inner = _product(root, lower), _product(inverse, root_inverse)
    return {
        WISHART: _product(outer, _turned(outer)),
        INVERSE: _product(_turned(inner), inner),
        SIGMA: _product(root, root),
        SIGMA_INVERSE: _product(root_inverse, root_inverse),
        **{name: _constant(name, p, size) for name in FIXED},
        "A" + TURNED: _turned(_constant("A", p, size)),
    }


def _constant(name: str, p: int, size: int) -> Table:
    """Numbers for a fixed letter, which the diagonal Sigma does not commute with."""
    numbers = [[3, 1, -2], [5, 2, 1], [1, -1, 4]] if name == "A" else [[2, 1, -1], [1, 3, 2], [-1, 2, 5]]
    return [[{(0,) * size: Fraction(x)} for x in row[:p]] for row in numbers[:p]]


def _table(word: Word, letters: Mapping[str, Table], p: int) -> Table:
    size = p * (p + 1) // 2
    return reduce(_product, (letters[name] for name in word), _diagonal([Fraction(1)] * p, size))


def _diagonal(values: list[Fraction], size: int) -> Table:
    return [[{(0,) * size: x} if i == j else {} for j in range(len(values))] for i, x in enumerate(values)]


def _turned(table: Table) -> Table:
    return [list(column) for column in zip(*table, strict=True)]


def _product(first: Table, second: Table) -> Table:
    columns = _turned(second)
    return [
        [_sum(_times(a, b) for a, b in zip(row, column, strict=True)) for column in columns] for row in first
    ]


def _sum(terms: Iterable[Laurent]) -> Laurent:
    found: Laurent = {}
    for term in terms:
        for exponents, number in term.items():
            found[exponents] = found.get(exponents, Fraction(0)) + number
    return found


def _times(first: Laurent, second: Laurent) -> Laurent:
    found: Laurent = {}
    for one, a in first.items():
        for other, b in second.items():
            key = tuple(map(add, one, other))
            found[key] = found.get(key, Fraction(0)) + a * b
    return found


def _scaled(one: Laurent, number: Fraction) -> Laurent:
    return {exponents: number * x for exponents, x in one.items()}


def _average(one: Laurent, p: int, n: int) -> Fraction:
    """The mean: off the diagonal standard normal elements, on it square roots of chi-square variables."""
    total = Fraction(0)
    for exponents, number in one.items():
        if any(power % 2 for power in exponents[p:]):
            continue
        product = number
        for power in exponents[p:]:
            product *= prod(range(power - 1, 0, -2))
        for i, power in enumerate(exponents[:p]):
            # odd powers come with an odd one of an element below them
            half, freedom = power // 2, n - i
            product *= prod((Fraction(freedom + 2 * k) for k in range(half)), start=Fraction(1))
            product /= prod((Fraction(freedom - 2 * k) for k in range(1, -half + 1)), start=Fraction(1))
        total += product
    return total
