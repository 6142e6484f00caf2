"""Checks of Wishart moments with negative powers, each from an argument of its own.

The claim is E[W^k prod tr W^l] = a polynomial in Sigma and its power sums with coefficients in Q(n, p).
Every check compares something known beforehand with the same thing read off the claimed result: chi-squared
moments, the 2 x 2 case through trace and determinant, the law of large numbers, the derivative in Sigma, a
second route.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flint import fmpq_mpoly

from symbolic import wishart_mixed
from symbolic.checks import Values
from symbolic.claims import NotApplicable
from symbolic.covariance_polynomial import CovariancePolynomial
from symbolic.dimension_coefficients import as_rational
from symbolic.marked_basis import Marked
from symbolic.moment_text import coefficient_text
from symbolic.partitions import Partition, distinct_parts, with_part
from symbolic.rational import Rational
from symbolic.trace_polynomial import at
from symbolic.wishart_moment import WishartMoment, moment

N, P = Rational.generator("n"), Rational.generator("p")
ZERO, ONE = Rational.number(0), Rational.number(1)

SECOND_ROUTE_DEGREE = 4
"""The second route is taken up to this inverse degree."""


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


def lifted(claim: WishartMoment) -> Values:
    """E[W f(W)] = n Sigma E[f(W)] + 2 Sigma (d/dSigma E[f(W)]) Sigma, with f what the claim is about.

    The left side is computed like any moment, the right side from the claim.
    """
    powers = (claim.power + 1, *claim.traces)
    if claim.covariance == "identity":
        raise NotApplicable("the derivative in Sigma needs a general covariance")
    below = -sum(power for power in powers if power < 0)
    limits = wishart_mixed.MAX_DEGREE, wishart_mixed.MAX_INVERSE_DEGREE
    if max(powers) > 0 and (sum(map(abs, powers)) > limits[0] or below > limits[1]):
        raise NotApplicable(f"the left side is over the degree {limits[0]} or the inverse degree {limits[1]}")
    if powers[0] == 0:
        expected = _on_identity(moment(0, claim.traces).value)
    else:
        expected = moment(powers[0], claim.traces).value
    total: dict[Marked, Rational] = {}
    for (power, partition), value in claim.value.terms.items():
        coefficient = as_rational(value)
        for key, factor in _derivative(power, partition):
            term = coefficient * factor
            total[key] = total[key] + term if key in total else term
    return _terms(expected), _terms(CovariancePolynomial(total, is_matrix=True))


def second_route(claim: WishartMoment) -> Values:
    """Moments of inverse powers alone, by integration by parts in W in place of the derivative in Sigma."""
    if max(claim.power, *claim.traces, 0) > 0:
        raise NotApplicable("there are positive powers: these are computed by this route")
    if claim.covariance == "identity" or claim.inverse_degree > SECOND_ROUTE_DEGREE:
        raise NotApplicable(f"taken for a general covariance up to inverse degree {SECOND_ROUTE_DEGREE}")
    again = wishart_mixed.mixed_moment(claim.power, claim.traces, is_matrix=claim.power != 0)
    return _terms(again), _terms(claim.value)


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


def _derivative(power: int, partition: Partition) -> Iterator[tuple[Marked, Rational]]:
    """n Sigma f + 2 Sigma (df/dSigma) Sigma for f = Sigma^power times power sums of Sigma."""
    size = abs(power)
    sign = 1 if power > 0 else -1
    yield (power + 1, partition), N + Rational.number(power)
    for i in range(1, size + 1) if power > 0 else range(size):
        sums = with_part(partition, sign * i) if i else partition
        factor = Rational.number(sign)
        yield (power - i + 1 if power > 0 else power + i + 1, sums), factor if i else factor * P
    for part, multiplicity, rest in distinct_parts(partition):
        yield (power + part + 1, rest), Rational.number(2 * part * multiplicity)


def _on_identity(value: CovariancePolynomial) -> CovariancePolynomial:
    """A scalar times the identity matrix."""
    return CovariancePolynomial(value.terms, is_matrix=True)


def _terms(value: CovariancePolynomial) -> str:
    shown = {key: as_rational(c) for key, c in value.terms.items()}
    return "; ".join(f"{key}: {_text(c)}" for key, c in sorted(shown.items()) if not c.is_zero())


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


CHECKS = (single_column, two_columns, large_numbers, lifted, second_route)
