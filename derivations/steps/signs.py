"""Sign statements: the strict sign of a derived quantity, with the certificates that prove it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from types import MappingProxyType

import sympy

from derivations.language.normal_form import quotient, scalar
from derivations.language.symbols import symbol_table
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.algebra.words import Expression
from symbolic.proofs.positivity import Certificate, SignUnproved, prove_sign, recheck

# Dimensions are taken as positive real numbers, which includes every integer size; noise and variability are
# strictly positive; rates are real.
POSITIVE = frozenset({"n_t", "n_v", "n_r", "m", "p", "N", "sigma", "sigma_v", "nu", "dist0_sq", "room"})
BOUNDS = {name: Fraction(0) for name in sorted(POSITIVE)}
NONZERO = frozenset({"alpha_t", "alpha_r"})


Found = tuple[sympy.Expr, int, Certificate]
_record: ContextVar[list[Found] | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[list[Found]]:
    """Inside, every sign that is proved is noted: the quantity, its sign, its certificate."""
    found: list[Found] = []
    token = _record.set(found)
    try:
        yield found
    finally:
        _record.reset(token)


def sign(
    quantity: sympy.Expr | Rational,
    at_least: Mapping[str, Fraction] = MappingProxyType({}),
    nonzero: frozenset[str] = NONZERO,
    positive: frozenset[str] = frozenset(),
) -> tuple[int, Certificate]:
    """The strict sign of one derived quantity and its certificate, checked again from its own data.

    `at_least`: sizes for which more than positivity is used. `nonzero`: the rates taken not to vanish.
    `positive`: further variables known to be positive.
    """
    bounds = {**BOUNDS, **dict.fromkeys(sorted(positive), Fraction(0)), **at_least}
    strict = (POSITIVE | positive) - set(at_least)
    whole = quantity if isinstance(quantity, Rational) else scalar(quantity)
    found, certificate = prove_sign(whole, bounds, strict, nonzero)
    if not recheck(certificate):
        raise SignUnproved("the certificate does not hold on its own")
    noted = _record.get()
    if noted is not None:
        said = quotient_to_sympy(quantity, symbol_table()) if isinstance(quantity, Rational) else quantity
        noted.append((said, found, certificate))
    return found, certificate


def positive_at_positive_rates(factor: Expression) -> bool:
    """Whether a scalar of the engine is certified to be positive for alpha_t > 0."""
    return sign(quotient(factor), nonzero=frozenset(), positive=frozenset({"alpha_t"}))[0] == 1
