"""Integration by parts in words of a Wishart matrix W = X^T X and its inverse: Haff's identity.

For n Gaussian rows of covariance Sigma and any product R of such words, E[Sigma^-1 W R] = n E R + E[D R], where D R puts the
rows that come from the derivative of every W and of every W^-1 in R in the place of those differentiated. With R = W R' it
takes a factor W away. With R = W^-1 R' the left side is Sigma^-1 R', of one inverse fewer: for all R' of the same degree
these are linear equations for the means of the products with one inverse more, which are solved exactly.

The second route is the Bartlett decomposition: W = T^T L L^T T with T^T T = Sigma and L lower triangular, the squares of
whose diagonal are chi-square with n, n - 1, ... degrees of freedom; means are sums over monomials in its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from math import prod
from operator import add, matmul, mul

import sympy

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import in_order
from symbolic.algebra.coefficients import INVERSE as OVER
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.sympy_trees import to_sympy
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
LETTERS = {name: matrix(name, "p", "p", symmetric=True) for name in (WISHART, INVERSE, SIGMA, SIGMA_INVERSE)}
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
        around, powers = _opened(product)
        rows, _ = solved(most)
        for (power, closed), numerator in rows[powers].items():
            reduced = around((SIGMA_INVERSE, *[INVERSE] * power), closed)
            after = after + coefficient * _in_q(numerator) * reciprocal(_divisor(most)) * reduced
    return _made(chain, before, after, reads)


def _made(chain: Chain, before: Expression, after: Expression, reads: tuple[str, ...]) -> Chain:
    values = divisors(before, after)

    def second_route() -> SecondRoute:
        return "Bartlett's decomposition at p = 1, 2, 3", not_the_mean(before, after, values)

    return chain.made(
        Move(Rule.HAFF, before, after, reads, ("X",), {**VALUES, **values}, second_route, inverses=INVERSES)
    )


def divisors(*exprs: Expression) -> dict[str, Expression]:
    """What the divisors in expressions stand for, and q."""
    names = {name.removeprefix(OVER) for expr in exprs for name in expr.scalars()}
    found = {_divisor(k): _in_q(solved(k)[1]) for k in range(1, MOST + 1) if _divisor(k) in names}
    return {**found, "q": scalar("n") - scalar("p")} if found else {}


# -- products ------------------------------------------------------------------------------------------------


def _zero_like(expr: Expression) -> Expression:
    return zero(*expr.shape) if expr.shape else zero()


def _products(expr: Expression) -> list[tuple[Product, Expression]]:
    """The terms, by names, with their coefficients."""
    odd = sorted(expr.letters().keys() - LETTERS.keys())
    if odd:
        raise DoesNotApply(f"{Rule.HAFF}: {', '.join(odd)} is no power of {WISHART}")
    return [
        (
            (
                tuple(tuple(factor.name for factor in trace) for trace in term.traces),
                None if term.word is None else tuple(factor.name for factor in term.word),
            ),
            polynomial(coefficient),
        )
        for term, coefficient in expr.terms.items()
    ]


def _word(names: Word) -> Expression:
    return reduce(matmul, (LETTERS[name] for name in names), identity("p"))


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
            turned = _word(_plain((*reversed(left), WISHART, *right)))
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
                both = _word(_plain((*reversed(inner), WISHART, *word))) + _word(
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
        if {*fixed} <= {SIGMA, SIGMA_INVERSE}:
            return _word(fixed) @ LETTERS[SIGMA] @ _by_parts(closed, rest)
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

# the power of the open word, and those of the closed ones
Powers = tuple[int, tuple[int, ...]]
Q = sympy.Symbol("q")


def _kinds(degree: int) -> list[Powers]:
    """The products of powers of W^-1 of a degree whose open word is not empty."""

    def partitions(total: int, most: int) -> list[tuple[int, ...]]:
        if not total:
            return [()]
        return [(k, *rest) for k in range(min(total, most), 0, -1) for rest in partitions(total - k, k)]

    return [(k, rest) for k in range(degree, 0, -1) for rest in partitions(degree - k, degree)]


def _powers(product: Product) -> Powers:
    closed, word = product
    if word is None or {name for one in (*closed, word) for name in one} - {INVERSE}:
        raise DoesNotApply(f"{Rule.HAFF}: {product} is no product of powers of {INVERSE}")
    return len(word), tuple(sorted((len(one) for one in closed), reverse=True))


@lru_cache(maxsize=8)
def solved(degree: int) -> tuple[dict[Powers, dict[Powers, sympy.Expr]], sympy.Expr]:
    """Each product of a degree as Sigma^-1 times a combination of those of one degree less, over a common divisor.

    In q = n - p: the coefficients, and the divisor.
    """
    kinds = _kinds(degree)
    rows = []
    for power, closed in kinds:
        # Sigma^-1 R = n W^-1 R + D(W^-1 R), where W^-1 R is of this kind
        found = differentiated(tuple((INVERSE,) * k for k in closed), (INVERSE,) * power)
        row = dict.fromkeys(kinds, sympy.Integer(0))
        row[power, closed] += sympy.Symbol("n")
        for product, coefficient in _products(found):
            row[_powers(product)] += to_sympy(coefficient, {"p": sympy.Symbol("p")})
        rows.append(
            [sympy.expand(row[kind].subs(sympy.Symbol("n"), Q + sympy.Symbol("p"))) for kind in kinds]
        )
    system = sympy.Matrix(rows)
    if system.free_symbols - {Q}:
        raise ArithmeticError("the equations depend on more than n - p")
    solution = system.inv().applyfunc(sympy.cancel)
    below = reduce(sympy.lcm, (sympy.denom(sympy.together(x)) for x in solution))
    table: dict[Powers, dict[Powers, sympy.Expr]] = {}
    for i, kind in enumerate(kinds):
        table[kind] = {
            (power - 1, closed): sympy.expand(sympy.cancel(solution[i, j] * below))
            for j, (power, closed) in enumerate(kinds)
            if solution[i, j] != 0
        }
    return table, sympy.expand(below)


def _divisor(degree: int) -> str:
    """How the divisor of the solved equations is written."""
    return f"c_{degree}"


def _in_q(value: sympy.Expr) -> Expression:
    """A polynomial in q = n - p."""
    q, found = scalar("q"), zero()
    for (power,), number in sympy.Poly(value, Q).terms():
        found = found + constant(Fraction(int(number.p), int(number.q))) * q**power
    return found


def _opened(product: Product) -> tuple[Callable[[Word, tuple[int, ...]], Expression], Powers]:
    """The word with inverses that is taken for open: what stands around it, and its power and those of the closed ones.

    That is the one with other letters beside the inverses, of which there must not be two, or else any closed one.
    """
    closed, word = product
    mixed = [k for k, one in enumerate(closed) if INVERSE in one and {*one} != {INVERSE}]
    in_word = word is not None and INVERSE in word
    if len(mixed) + in_word > 1:
        raise DoesNotApply(f"{Rule.HAFF}: other letters stand between several of the inverses")
    if in_word:
        index = -1
    else:
        index = mixed[0] if mixed else next(k for k, one in enumerate(closed) if INVERSE in one)
    one = word if in_word and word is not None else closed[index]
    start = one.index(INVERSE)
    if not in_word and {*one} != {INVERSE}:  # turned to end in the inverses
        start = next(k for k in range(len(one)) if one[k] != INVERSE and one[k - 1] == INVERSE)
        one = one[start:] + one[:start]
        start = one.index(INVERSE)
    power = one.count(INVERSE)
    left, right = one[:start], one[start + power :]
    if {*one[start : start + power]} != {INVERSE}:
        raise DoesNotApply(f"{Rule.HAFF}: other letters stand between the inverses")
    others = [x for k, x in enumerate(closed) if k != index]
    pure = [x for x in others if INVERSE in x]
    plain = reduce(mul, (tr(_word(x)) for x in others if INVERSE not in x), constant(1))

    def around(inner: Word, powers: tuple[int, ...]) -> Expression:
        whole = _expression((tuple((INVERSE,) * k for k in powers), (*left, *inner, *right)))
        if in_word:
            return plain * whole
        return plain * tr(whole) if word is None else plain * tr(whole) * _word(word)

    return around, (power, tuple(sorted((len(x) for x in pure), reverse=True)))


# -- the second route ----------------------------------------------------------------------------------------

# a polynomial in the elements of a triangular matrix and the inverses of its diagonal: exponents, diagonal first
Laurent = dict[tuple[int, ...], Fraction]
Table = list[list[Laurent]]
SCALES = (Fraction(1), Fraction(3, 2), Fraction(2, 3))
SIZES = ((1, 12), (1, 15), (2, 12), (2, 15), (3, 14))


def not_the_mean(before: Expression, after: Expression, values: Mapping[str, Expression]) -> str:
    """Why two expressions have different means over a Wishart matrix, at small sizes; nothing if they have the same."""
    for p, n in SIZES:
        numbers = {"n": Fraction(n), "p": Fraction(p)}
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
    }


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
