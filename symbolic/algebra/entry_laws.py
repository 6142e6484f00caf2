"""Laws of independent entries by their cumulants: mean 0, variance 1, exact, declared up to an order.

A row of X is x = Sigma^(1/2) u, and the entries of u are independent with one of these laws. A law states up
to which order its cumulants are known, and refuses beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import ceil, comb, factorial, inf, prod

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import (
    NUMBERS,
    Exact,
    check_name,
    generator,
    multiply,
    number,
    to_fmpq,
    to_fraction,
    unify,
)
from symbolic.algebra.refusal import Refused

MAX_DECLARED = 40
"""The longest list of cumulants that is read."""

MAX_DIGITS = 60
"""The longest number in the text of a law."""


class LawOrderError(Refused):
    """A moment or cumulant was needed beyond the order to which a law declares its cumulants."""


# an exponent can stand for a number of any length
_NUMBER = re.compile(r"[+-]?([0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+)")


@dataclass(frozen=True)
class Law:
    """The law of one entry u with E u = 0, E u^2 = 1.

    name: as a reader writes it. moments: a rule for E u^k (k >= 1) that holds up to ``order``; order: the
    highest known order, or infinity. symbols: for a law with symbolic cumulants, the name of the generators
    (kappa_4, kappa_6, ...), None where cumulants are numbers. symmetric: whether odd moments vanish.
    """

    name: str
    order: float
    rule: Callable[[int], Fraction] = field(repr=False)
    symmetric: bool = True
    symbols: str | None = None

    def __str__(self) -> str:
        return self.name

    def check(self, order: int) -> None:
        """Raise LawOrderError when moments of ``order`` are not declared."""
        if order > self.order:
            raise LawOrderError(
                f"order {order} is needed, but the law {self.name} declares its cumulants to order"
                f" {int(self.order)} only: lower the degree or declare more cumulants"
            )

    def moment(self, order: int) -> fmpq_mpoly:
        """E u^order, exact. Raises LawOrderError beyond the declared order."""
        self.check(order)
        return _moment(self, order)

    def cumulant(self, order: int) -> fmpq_mpoly:
        """The cumulant kappa_order, exact. Raises LawOrderError beyond the declared order."""
        self.check(order)
        return _cumulant(self, order)

    def cumulant_number(self, order: int) -> Fraction:
        """The cumulant as a Fraction; ValueError when it is a symbol."""
        value = self.cumulant(order)
        if not value:
            return Fraction(0)
        if not value.is_constant():
            raise Refused(f"cumulant {order} of the law {self.name} is the symbol {value}, not a number")
        return to_fraction(value.leading_coefficient())


def _add(first: fmpq_mpoly, second: fmpq_mpoly) -> fmpq_mpoly:
    first, second = unify(first, second)
    return first + second


@lru_cache(maxsize=4096)
def _cumulant(law: Law, order: int) -> fmpq_mpoly:
    """kappa_k = m_k - sum_j C(k-1, j-1) kappa_j m_(k-j), or the symbol."""
    if law.symbols is not None:
        if order <= 2:
            return number(int(order == 2))
        return NUMBERS.constant(0) if order % 2 else generator(f"{law.symbols}_{order}")
    total = number(law.rule(order))
    for j in range(1, order):
        lower = multiply(_cumulant(law, j), number(law.rule(order - j)))
        total = _add(total, number(-comb(order - 1, j - 1)) * lower)
    return total


@lru_cache(maxsize=4096)
def _moment(law: Law, order: int) -> fmpq_mpoly:
    """m_k = sum_j C(k-1, j-1) kappa_j m_(k-j) for symbols, the rule for numbers."""
    if order == 0:
        return number(1)
    if law.symbols is None:
        return number(law.rule(order))
    total = NUMBERS.constant(0)
    for j in range(1, order + 1):
        term = multiply(_cumulant(law, j), _moment(law, order - j))
        first, second = unify(total, term)
        total = first + comb(order - 1, j - 1) * second
    return total


def _even(rule: Callable[[int], Fraction]) -> Callable[[int], Fraction]:
    """The moments of a symmetric law from E u^(2k) = rule(k)."""
    return lambda order: Fraction(0) if order % 2 else rule(order // 2)


GAUSSIAN = Law("gaussian", inf, _even(lambda k: Fraction(prod(range(1, 2 * k, 2)))))
RADEMACHER = Law("rademacher", inf, _even(lambda k: Fraction(1)))
UNIFORM = Law("uniform", inf, _even(lambda k: Fraction(3**k, 2 * k + 1)))
LAPLACE = Law("laplace", inf, _even(lambda k: Fraction(factorial(2 * k), 2**k)))
NAMED = {law.name: law for law in (GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE)}
COMPLEX = "complex"
"""The name under which moments are taken for complex normal entries, E |u|^2 = 1: no law of real entries."""

FORMS = f"{', '.join(NAMED)}, student:DEGREES, kurtosis:VALUE or cumulants:K3,K4,..."


@lru_cache(maxsize=256)
def student(degrees: Fraction) -> Law:
    """Student's t with more than two degrees of freedom, scaled to unit variance.

    E u^(2k) = (d - 2)^k prod_(i <= k) (2i - 1)/(d - 2i) for d > 2k; moments exist below order d only.
    Raises ValueError when the variance does not exist.
    """
    if degrees <= 2:
        raise Refused(f"student:{degrees} has no variance: give more than 2 degrees of freedom")

    def rule(k: int) -> Fraction:
        return (degrees - 2) ** k * prod(Fraction(2 * i - 1) / (degrees - 2 * i) for i in range(1, k + 1))

    return Law(f"student:{degrees}", ceil(degrees) - 1, _even(rule))


@lru_cache(maxsize=256)
def from_cumulants(values: tuple[Exact, ...], name: str = "") -> Law:
    """The law with kappa_3, kappa_4, ... as given (kappa_1 = 0, kappa_2 = 1), declared as far as they go.

    Raises ValueError when no random variable has these moments.
    """
    cumulants = (Fraction(0), Fraction(1), *(to_fraction(to_fmpq(value)) for value in values))
    if not values or len(cumulants) > MAX_DECLARED:
        raise Refused(f"cumulants are declared from order 3 to at most {MAX_DECLARED}: give 1 or more")
    moments = [Fraction(1)]
    for order in range(1, len(cumulants) + 1):
        terms = (comb(order - 1, j - 1) * cumulants[j - 1] * moments[order - j] for j in range(1, order + 1))
        moments.append(sum(terms, Fraction(0)))
    name = name or "cumulants:" + ",".join(map(str, cumulants[2:]))
    _check_possible(name, moments)
    return Law(name, len(cumulants), moments.__getitem__, symmetric=not any(cumulants[::2]))


def _check_possible(name: str, moments: Sequence[Fraction]) -> None:
    """Raise ValueError when no random variable has these moments.

    Orthogonal polynomials P have E P^2 >= 0; where E P^2 = 0, u is a root of P and E P u^k = 0 for every k.
    """
    order = len(moments) - 1
    found: list[tuple[list[Fraction], Fraction]] = []
    for degree in range(order // 2 + 1):
        polynomial = [Fraction(0)] * degree + [Fraction(1)]
        for lower, norm in found:
            share = _mean(lower, moments, degree) / norm
            for k, coefficient in enumerate(lower):
                polynomial[k] -= share * coefficient
        norm = _mean(polynomial, moments, degree)
        rest = range(order - degree + 1)
        if norm < 0 or (norm == 0 and any(_mean(polynomial, moments, k) for k in rest)):
            raise Refused(
                f"no random variable has the cumulants of {name}: E u^4 is at least 1 + (E u^3)^2, for example"
            )
        if norm == 0:
            return
        found.append((polynomial, norm))


def _mean(polynomial: Sequence[Fraction], moments: Sequence[Fraction], power: int) -> Fraction:
    """E P(u) u^power; for an orthogonal P of degree ``power`` it is E P^2."""
    return sum((c * moments[k + power] for k, c in enumerate(polynomial)), Fraction(0))


def kurtosis(value: Exact) -> Law:
    """A symmetric law of which only E u^4 = value is known: declared to order 4. ValueError below 1."""
    if value < 1:
        raise Refused(f"kurtosis:{value} is impossible: the fourth moment at unit variance is at least 1")
    return from_cumulants((Fraction(0), Fraction(value) - 3), f"kurtosis:{value}")


@lru_cache(maxsize=64)
def generic(order: int, symbols: str = "kappa") -> Law:
    """A symmetric law whose cumulants are the generators kappa_4, kappa_6, ... up to ``order``."""
    check_name(symbols)
    return Law(f"generic:{symbols}", order, _even(lambda k: Fraction(0)), symbols=symbols)


def law(name: str) -> Law:
    """The law that a text names: gaussian, rademacher, uniform, laplace, student:DEGREES, kurtosis:VALUE or
    cumulants:K3,K4,... (numbers and fractions).

    Raises ValueError, in one line, for any other text.
    """
    if name in NAMED:
        return NAMED[name]
    kind, _, text = name.partition(":")
    if kind == "student":
        return student(_number(name, text))
    if kind == "kurtosis":
        return kurtosis(_number(name, text))
    if kind == "cumulants":
        return from_cumulants(tuple(_number(name, part) for part in text.split(",")))
    raise Refused(f"unknown law {name[:MAX_DIGITS]!r}: write {FORMS}")


GENERIC = "generic:"


def law_of_letter(name: str) -> Law:
    """The law of a letter by its name: also generic:ORDER, whose cumulants up to an order are symbols.

    Raises ValueError for any other text.
    """
    order = name.removeprefix(GENERIC)
    return generic(int(order)) if order != name and order.isdigit() else law(name)


def _number(name: str, text: str) -> Fraction:
    try:
        if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise Refused(
            f"{text[:MAX_DIGITS]!r} in the law {name[:MAX_DIGITS]!r} is no number: write {FORMS}"
        ) from None
