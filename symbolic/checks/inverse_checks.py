"""Checks of Wishart moments with negative powers, each from an argument of its own.

The claim is E[W^k prod tr W^l] = a polynomial in Sigma and its power sums with coefficients in Q(n, p).
Every check compares something known beforehand with the same thing read off the claimed result: chi-squared
moments, the 2 x 2 case through trace and determinant, the law of large numbers, values at small sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_mpoly

from symbolic.algebra.dimension_coefficients import as_rational
from symbolic.algebra.quotients import Rational
from symbolic.checks.checks import Values
from symbolic.checks.claims import NotApplicable
from symbolic.checks.wishart_entries import SmallWishart
from symbolic.wishart.fixed_letters import INVERSE
from symbolic.wishart.marked_basis import Marked
from symbolic.wishart.moment_text import coefficient_text
from symbolic.wishart.trace_polynomial import at
from symbolic.wishart.wishart_moment import WishartMoment

N = Rational.generator("n")
ZERO, ONE = Rational.number(0), Rational.number(1)

MORE_COST = 200_000
"""More than one choice of sizes is taken up to about this number of terms that are multiplied."""


def single_column(claim: WishartMoment) -> Values:
    """For p = 1, Sigma = 1, W is chi-squared with n degrees of freedom, and all powers multiply to one."""
    return _text(_chi_squared(N, claim.power + sum(claim.traces))), _text(_sum_at(claim, 1))


def two_columns(claim: WishartMoment) -> Values:
    """For p = 2, Sigma = I, through the laws of the trace t and the determinant d.

    By Cayley and Hamilton tr W^k is a polynomial in t and d, and tr W^-k = tr W^k / d^k. The density of W
    times d^b is that of a Wishart matrix with n + 2b rows, up to E d^b; t is chi-squared with 2n degrees of
    freedom, d the product of independent chi-squared variables with n and n - 1.
    """
    polynomial = {(0, 0): 1}
    for power in (claim.power, *claim.traces):
        if power:
            polynomial = _times(polynomial, _trace_of_power(power))
    expected = ZERO
    for (t, d), number in polynomial.items():
        determinant = _chi_squared(N, d) * _chi_squared(N - ONE, d)
        trace = _chi_squared(Rational.number(2) * N + Rational.number(4 * d), t)
        expected = expected + Rational.number(number) * determinant * trace
    obtained = _sum_at(claim, 2)
    return _text(expected), _text(obtained * Rational.number(2) if claim.power else obtained)


def large_numbers(claim: WishartMoment) -> Values:
    """For many rows W is n Sigma: the term of the highest degree in n, which is the sum of the powers."""
    degree = claim.power + sum(claim.traces)
    expected = {(claim.power, claim.traces): (degree, ONE)}
    if claim.covariance == "identity":
        expected = {(0, ()): (degree, Rational.generator("p") ** len(claim.traces))}
    found = {key: _leading(as_rational(value)) for key, value in claim.value.terms.items()}
    highest = max(power for power, _ in found.values())
    leading = {key: value for key, value in found.items() if value[0] >= max(degree, highest)}
    return _limits(expected), _limits(leading)


def small_sizes(claim: WishartMoment) -> Values:
    """At p = 2 and 3, an integer Sigma and some numbers of rows, entry by entry (`symbolic.checks.wishart_entries`)."""
    traces = tuple(_word(power) for power in claim.traces)
    term = Fraction(1), traces, _word(claim.power) if claim.power else None
    expected: list[str] = []
    obtained: list[str] = []
    for size, extra in ((2, 0), (2, 3), (3, 1)):
        rows = size + 2 * claim.inverse_degree + extra
        # diagonal: the law of W turns with Sigma
        root = [[Fraction(i + 1 if i == j else 0) for j in range(size)] for i in range(size)]
        if claim.covariance == "identity":
            root = [[Fraction(i == j) for j in range(size)] for i in range(size)]
        small = SmallWishart(size, {"W": rows}, {}, root)
        if expected and small.cost([term]) > MORE_COST:
            continue
        value = claim.value.at(rows, size if claim.covariance == "identity" else small.covariance)
        point = f"p={size} n={rows}: "
        expected.append(point + str(small.expectation([term])))
        obtained.append(point + str(value if isinstance(value, list) else [[value]]))
    return "; ".join(expected).replace("Fraction", ""), "; ".join(obtained).replace("Fraction", "")


def _word(power: int) -> tuple[str, ...]:
    return ("W" if power > 0 else "W" + INVERSE,) * abs(power)


# -- what the checks need ------------------------------------------------------------------------------------


def _leading(value: Rational) -> tuple[int, Rational]:
    """The degree in n of a rational function, and the limit of the function over n to that degree."""
    top, bottom = _highest(value.numerator), _highest(value.denominator)
    return top[0] - bottom[0], Rational(top[1], bottom[1], {}).reduced()


def _highest(polynomial: fmpq_mpoly) -> tuple[int, fmpq_mpoly]:
    """The degree in n of a polynomial and its leading coefficient."""
    names = [str(name) for name in polynomial.context().names()]
    if "n" not in names:
        return 0, polynomial
    place = names.index("n")
    degree = int(polynomial.degrees()[place])
    kept = {
        tuple(0 if k == place else int(e) for k, e in enumerate(exponents)): number
        for exponents, number in polynomial.terms()
        if int(exponents[place]) == degree
    }
    return degree, polynomial.context().from_dict(kept)


def _limits(leading: Mapping[Marked, tuple[int, Rational]]) -> str:
    return "; ".join(f"{key}: {_text(value)} n^{power}" for key, (power, value) in sorted(leading.items()))


def _sum_at(claim: WishartMoment, p: int) -> Rational:
    """The result for p columns and Sigma = I."""
    total = ZERO
    for (_, partition), value in claim.value.terms.items():
        try:
            total = total + at(as_rational(value), {"p": p}) * Rational.number(p ** len(partition))
        except ZeroDivisionError:
            raise NotApplicable(f"a coefficient has a pole at p = {p}") from None
    return total


def _chi_squared(freedom: Rational, power: int) -> Rational:
    """E x^power for x chi-squared."""
    result = ONE
    for step in range(abs(power)):
        shift = Rational.number(2 * step if power > 0 else -2 * (step + 1))
        factor = freedom + shift
        result = result * factor if power > 0 else result / factor
    return result


Bivariate = dict[tuple[int, int], int]
"""Powers of t and d (the latter of either sign) to numbers."""


def _times(first: Bivariate, second: Bivariate) -> Bivariate:
    total: Bivariate = {}
    for (t, d), left in first.items():
        for (u, e), right in second.items():
            total[t + u, d + e] = total.get((t + u, d + e), 0) + left * right
    return total


def _trace_of_power(power: int) -> Bivariate:
    """tr W^k of a 2 x 2 matrix in its trace and determinant."""
    previous: Bivariate = {(0, 0): 2}
    current: Bivariate = {(1, 0): 1}
    for _ in range(abs(power) - 1):
        following = _times({(1, 0): 1}, current)
        for key, number in _times({(0, 1): -1}, previous).items():
            following[key] = following.get(key, 0) + number
        previous, current = current, following
    return current if power > 0 else _times(current, {(0, power): 1})


def _text(value: Rational) -> str:
    return coefficient_text(value.reduced())


CHECKS = (single_column, two_columns, large_numbers, small_sizes)
