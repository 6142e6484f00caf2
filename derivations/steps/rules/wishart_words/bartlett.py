"""Means of words of Wishart matrices by Bartlett's decomposition: W = T^T L L^T T with T^T T = Sigma and L lower triangular.

The squares of the diagonal of L are chi-square with n, n - 1, ... degrees of freedom; for complex rows, H = T^T L L^* T, gamma variables
of shapes n, n - 1, ..., and the elements below it are complex. Means are sums over monomials in the elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from math import factorial, prod
from operator import add

from derivations.steps.rules.exact_routes import in_order
from derivations.steps.rules.wishart_words.letters_by_name import (
    FIXED,
    HERMITIAN,
    HERMITIAN_INVERSE,
    INVERSE,
    SIGMA,
    SIGMA_INVERSE,
    TURNED,
    WISHART,
    Word,
    is_complex,
    products,
)
from symbolic.algebra.coefficients import INVERSE as OVER
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression

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
    roots = _Hermitian(p) if is_complex(expr) else _Symmetric(p)
    letters = roots.letters()
    side = p if expr.shape else 1
    total = [[Fraction(0)] * side for _ in range(side)]
    for (closed, word), coefficient in products(expr):
        number = Fraction(evaluate(coefficient, numbers))
        factor: Laurent = {(0,) * roots.size: Fraction(1)}
        for one in closed:
            square = _table(one, letters, p, roots.size)
            factor = _times(factor, _sum(square[i][i] for i in range(p)))
        found = (
            [[factor]]
            if word is None
            else [[_times(factor, x) for x in row] for row in _table(word, letters, p, roots.size)]
        )
        for i in range(side):
            for j in range(side):
                total[i][j] += number * roots.average(found[i][j], n)
    return total


class _Symmetric:
    """W, its inverse, Sigma and its inverse in the elements of L, for a diagonal Sigma: the diagonal first, then below it."""

    names = (WISHART, INVERSE)

    def __init__(self, p: int) -> None:
        self.p = p
        self.below = [(i, j) for i in range(p) for j in range(i)]
        self.size = p + len(self.below)

    def element(self, i: int, j: int, power: int = 1) -> Laurent:
        """A power of an element of L."""
        exponents = [0] * self.size
        exponents[i if i == j else self.p + self.below.index((i, j))] = power
        return {tuple(exponents): Fraction(1)}

    def turned(self, table: Table) -> Table:
        """The transposed matrix."""
        return _turned(table)

    def letters(self) -> dict[str, Table]:
        """All letters by name."""
        p, size, element = self.p, self.size, self.element
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
            self.names[0]: _product(outer, self.turned(outer)),
            self.names[1]: _product(self.turned(inner), inner),
            SIGMA: _product(root, root),
            SIGMA_INVERSE: _product(root_inverse, root_inverse),
            **{name: _constant(name, p, size) for name in FIXED},
            "A" + TURNED: _turned(_constant("A", p, size)),
        }

    def average(self, one: Laurent, n: int) -> Fraction:
        """The mean: off the diagonal standard normal elements, on it square roots of chi-square variables."""
        total = Fraction(0)
        for exponents, number in one.items():
            if any(power % 2 for power in exponents[self.p :]):
                continue
            product = number
            for power in exponents[self.p :]:
                product *= prod(range(power - 1, 0, -2))
            # odd powers come with an odd one of an element below them
            for i, power in enumerate(exponents[: self.p]):
                product *= _moment(Fraction(n - i), power // 2, 2)
            total += product
        return total


class _Hermitian(_Symmetric):
    """H and its inverse in the elements of a complex L, and, last, the conjugates of those below the diagonal."""

    names = (HERMITIAN, HERMITIAN_INVERSE)

    def __init__(self, p: int) -> None:
        super().__init__(p)
        self.size += len(self.below)

    def turned(self, table: Table) -> Table:
        """The conjugate transposed matrix."""
        p, count = self.p, len(self.below)

        def conjugate(one: Laurent) -> Laurent:
            return {(*x[:p], *x[p + count :], *x[p : p + count]): number for x, number in one.items()}

        return [[conjugate(one) for one in row] for row in _turned(table)]

    def average(self, one: Laurent, n: int) -> Fraction:
        """The mean: off the diagonal complex normal elements, E |z|^2 = 1, on it square roots of gamma variables."""
        p, count = self.p, len(self.below)
        total = Fraction(0)
        for exponents, number in one.items():
            plain, conjugate = exponents[p : p + count], exponents[p + count :]
            if plain != conjugate:
                continue  # the law is that of L with the phase of an element changed
            product = number * prod(map(factorial, plain))
            for i, power in enumerate(exponents[:p]):
                product *= _moment(Fraction(n - i), power // 2, 1)
            total += product
        return total


def _moment(freedom: Fraction, power: int, step: int) -> Fraction:
    """E x^power, x chi-square with so many degrees of freedom (step 2), or a gamma variable of that shape (step 1)."""
    above = prod((freedom + step * k for k in range(power)), start=Fraction(1))
    return above / prod((freedom - step * k for k in range(1, -power + 1)), start=Fraction(1))


def _constant(name: str, p: int, size: int) -> Table:
    """Numbers for a fixed letter, which the diagonal Sigma does not commute with."""
    numbers = [[3, 1, -2], [5, 2, 1], [1, -1, 4]] if name == "A" else [[2, 1, -1], [1, 3, 2], [-1, 2, 5]]
    return [[{(0,) * size: Fraction(x)} for x in row[:p]] for row in numbers[:p]]


def _table(word: Word, letters: Mapping[str, Table], p: int, size: int) -> Table:
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
